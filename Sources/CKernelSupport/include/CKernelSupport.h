// What the integer kernels need and Swift cannot say itself.
#pragma once

#include <stdint.h>

/// The vector levels the kernels are written for, each including those below it.
enum PipeCPULevel {
  PipeCPULevelBaseline = 0,
  PipeCPULevelAVX2 = 1,
  /// 256-bit dot products without AVX-512.
  PipeCPULevelAVXVNNI = 2,
  PipeCPULevelVNNI = 3,
};

/// The highest level that this processor has and the operating system saves the registers of.
int pipe_cpu_level(void);
/// Leaves the processor's execution units to others for a moment, in a loop that waits.
static inline void pipe_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}
/// Whether it has the 256-bit dot products, whatever its level.
int pipe_cpu_has_avx_vnni(void);

#if defined(__aarch64__)
#include <arm_neon.h>
#elif defined(__x86_64__)
#include <immintrin.h>

// Every x86-64 processor has these.

static inline __m128i pipe_load_broadcast32_128(const void *p) {
  int32_t four;
  __builtin_memcpy(&four, p, sizeof four);
  return _mm_set1_epi32(four);
}
/// The lesser of 32-bit integers, which SSE2 has no instruction for.
static inline __m128i pipe_min128(__m128i a, __m128i b) {
  const __m128i less = _mm_cmplt_epi32(a, b);
  return _mm_or_si128(_mm_and_si128(less, a), _mm_andnot_si128(less, b));
}
/// The low halves of the products of 32-bit integers, which SSE2 has of every other one.
static inline __m128i pipe_multiply128(__m128i a, __m128i b) {
  const __m128i even = _mm_mul_epu32(a, b), odd = _mm_mul_epu32(_mm_srli_epi64(a, 32), _mm_srli_epi64(b, 32));
  return _mm_unpacklo_epi32(_mm_shuffle_epi32(even, 0x08), _mm_shuffle_epi32(odd, 0x08));
}
/// Eight integers of 0 to 65535 as 16 bits each: the pack instruction is for signed ones.
static inline __m128i pipe_pack_unsigned128(__m128i a, __m128i b) {
  const __m128i half = _mm_set1_epi32(32768);
  return _mm_xor_si128(_mm_packs_epi32(_mm_sub_epi32(a, half), _mm_sub_epi32(b, half)), _mm_set1_epi16(-32768));
}
/// Two samples of four, each twice.
static inline __m128i pipe_twice_low128(__m128i v) { return _mm_unpacklo_epi32(v, v); }
static inline __m128i pipe_twice_high128(__m128i v) { return _mm_unpackhi_epi32(v, v); }

// Intrinsics that are macros (an immediate operand, or a cast) are invisible to Swift: each gets a function here.

#if defined(__AVX512F__) && defined(__AVX512BW__)
/// Stores one 16-byte quarter of a register.
static inline void pipe_store_quarter0(void *to, __m512i v) { _mm_storeu_si128(to, _mm512_castsi512_si128(v)); }
static inline void pipe_store_quarter1(void *to, __m512i v) { _mm_storeu_si128(to, _mm512_extracti32x4_epi32(v, 1)); }
static inline void pipe_store_quarter2(void *to, __m512i v) { _mm_storeu_si128(to, _mm512_extracti32x4_epi32(v, 2)); }
static inline void pipe_store_quarter3(void *to, __m512i v) { _mm_storeu_si128(to, _mm512_extracti32x4_epi32(v, 3)); }
/// Indices that put the quarters' interleaved bytes of two pack instructions back in order.
static inline __m512i pipe_unpack_order512(void) {
  return _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}
/// The low words of 32-bit integers, those of `a` and `b` by turns. The optimiser makes three instructions of the
/// intrinsic, of one that is as good.
static inline __m512i pipe_join_words512(__m512i a, __m512i b) {
  const __mmask64 upper = 0xCCCCCCCCCCCCCCCC;
  __asm__("vpalignr $14, %1, %1, %0 %{%2%}" : "+v"(a) : "v"(b), "Yk"(upper));
  return a;
}
/// Bytes by turns of two pixels, four of each and then of two others: each pixel's together.
static inline __m512i pipe_part_bytes512(__m512i v) {
  return _mm512_shuffle_epi8(v, _mm512_set4_epi32(0x0F0D0B09, 0x0E0C0A08, 0x07050301, 0x06040200));
}
/// From quarters of four bytes each of a, b, c and d: those of a and b by turns, all quarters', then those of c and d.
static inline __m512i pipe_pair_bytes512(__m512i v) {
  const __m512i turns = _mm512_set4_epi32(0x0F0B0E0A, 0x0D090C08, 0x07030602, 0x05010400);
  return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), _mm512_shuffle_epi8(v, turns));
}
static inline void pipe_store_half0(void *to, __m512i v) {
  _mm256_storeu_si256((__m256i *)to, _mm512_castsi512_si256(v));
}
static inline void pipe_store_half1(void *to, __m512i v) {
  _mm256_storeu_si256((__m256i *)to, _mm512_extracti64x4_epi64(v, 1));
}
/// Indices that take outputs 0 and 1 of eight pixels, in pairs, from two registers of [output][4 pixels].
static inline __m512i pipe_upper_row_order(void) {
  return _mm512_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7, 16, 20, 17, 21, 18, 22, 19, 23);
}
/// The same for outputs 2 and 3.
static inline __m512i pipe_lower_row_order(void) {
  return _mm512_setr_epi32(8, 12, 9, 13, 10, 14, 11, 15, 24, 28, 25, 29, 26, 30, 27, 31);
}
/// Rounds to the nearest whole number, ties to even.
static inline __m512 pipe_round512(__m512 v) {
  return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline __m512i pipe_load_broadcast32(const void *p) {
  int32_t four;
  __builtin_memcpy(&four, p, sizeof four);  // at any alignment
  return _mm512_set1_epi32(four);
}
#endif

#if defined(__AVX2__)
static inline __m256 pipe_round256(__m256 v) {
  return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline __m256i pipe_load_broadcast32_256(const void *p) {
  int32_t four;
  __builtin_memcpy(&four, p, sizeof four);
  return _mm256_set1_epi32(four);
}
static inline __m128i pipe_upper_half(__m256i v) { return _mm256_extracti128_si256(v, 1); }
/// Puts the four 8-byte parts that a pack instruction leaves as 0 2 1 3 in order.
static inline __m256i pipe_swap_middle(__m256i v) { return _mm256_permute4x64_epi64(v, 0xD8); }
#endif

#if defined(__AVXVNNI__)
static inline __m256i pipe_dot256(__m256i sums, __m256i u, __m256i s) { return _mm256_dpbusd_avx_epi32(sums, u, s); }
/// Adds products of 16-bit integers in groups of two. The optimiser takes the intrinsic apart, into a product and a sum
/// of shorter latency, where it is throughput that counts.
static inline __m256i pipe_dot_words256(__m256i sums, __m256i a, __m256i b) {
  __asm__("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sums) : "x"(a), "x"(b));
  return sums;
}
#endif
#endif
