#include "CKernelSupport.h"

#if defined(__x86_64__)
#include <cpuid.h>

/// The register sets that the operating system saves when it switches threads: XCR0.
static uint64_t saved_state(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

static int avx_vnni(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || a < 1) return 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1);
}

int pipe_cpu_level(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return PipeCPULevelBaseline;
  const int osxsave = c >> 27 & 1, avx = c >> 28 & 1, fma = c >> 12 & 1;
  if (!osxsave || !avx || !fma) return PipeCPULevelBaseline;
  const uint64_t state = saved_state();
  if ((state & 0x6) != 0x6) return PipeCPULevelBaseline;  // XMM and YMM
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return PipeCPULevelBaseline;
  if (!(b >> 5 & 1)) return PipeCPULevelBaseline;  // AVX2
  const int f = b >> 16 & 1, dq = b >> 17 & 1, bw = b >> 30 & 1, vl = b >> 31 & 1, vnni = c >> 11 & 1;
  if (f && dq && bw && vl && vnni && (state & 0xE6) == 0xE6) return PipeCPULevelVNNI;  // and masks, both ZMM halves
  return avx_vnni() ? PipeCPULevelAVXVNNI : PipeCPULevelAVX2;
}

int pipe_cpu_has_avx_vnni(void) { return pipe_cpu_level() >= PipeCPULevelAVX2 && avx_vnni(); }
#else
int pipe_cpu_level(void) { return PipeCPULevelBaseline; }
int pipe_cpu_has_avx_vnni(void) { return 0; }
#endif
