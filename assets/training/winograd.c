// 3x3 convolutions for training on a CPU with AVX-512, fp32, by F(4x4, 3x3): 36 products a tile of 4x4 pixels and pair of
// channels in the place of 144 (Lavin and Gray 2016). Pictures are (n, h, w, c), beyond their edges is nought; h and w are
// multiples of 4, channels of 16. Kernels come, and their gradients go, transformed: (36, in, out), see winograd.py.
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

typedef __m512 Lanes;
enum {
  LANES = 16,
  TILES = 32,  // a block: its operands, their products and the kernel stay in the second-level cache
};
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

INLINE Lanes scaled(float s, Lanes a, Lanes b) { return _mm512_fmadd_ps(_mm512_set1_ps(s), a, b); }
INLINE Lanes sum(Lanes a, Lanes b) { return _mm512_add_ps(a, b); }
INLINE Lanes difference(Lanes a, Lanes b) { return _mm512_sub_ps(a, b); }

/// Floats between the 36 planes of a block; not a multiple of 4096 bytes, so that they don't share sets of the cache.
INLINE long plane(int channels) { return TILES * channels + LANES; }

/// Six pixels of the input to six operands: the paper's B, transposed.
INLINE void spread(const Lanes *x, Lanes *v) {
  Lanes p = scaled(-4, x[2], x[4]), q = scaled(-4, x[1], x[3]);
  Lanes r = difference(x[4], x[2]), s = difference(x[3], x[1]);
  v[0] = scaled(4, x[0], scaled(-5, x[2], x[4]));
  v[1] = sum(p, q), v[2] = difference(p, q), v[3] = scaled(2, s, r), v[4] = scaled(-2, s, r);
  v[5] = scaled(4, x[1], scaled(-5, x[3], x[5]));
}

/// Six products to four pixels of the output: A, transposed.
INLINE void gather(const Lanes *m, Lanes *y) {
  Lanes a = sum(m[1], m[2]), b = difference(m[1], m[2]), c = sum(m[3], m[4]), d = difference(m[3], m[4]);
  y[0] = sum(sum(m[0], a), c), y[1] = scaled(2, d, b), y[2] = scaled(4, c, a), y[3] = sum(scaled(8, d, b), m[5]);
}

/// The gradients of four pixels of the output to those of six products: A.
INLINE void gather_back(const Lanes *y, Lanes *z) {
  Lanes a = sum(y[0], y[2]), b = sum(y[1], y[3]), c = scaled(4, y[2], y[0]), d = scaled(4, y[3], y[1]);
  z[0] = y[0], z[1] = sum(a, b), z[2] = difference(a, b), z[3] = scaled(2, d, c), z[4] = scaled(-2, d, c), z[5] = y[3];
}

/// The operands of one tile and 16 channels. `inside`: none of its 6x6 pixels is beyond an edge.
INLINE void spread_tile(const float *x, int h, int w, int c, int row, int column, float *v, int inside) {
  Lanes half[6][6], from[6], to[6];
  UNROLL for (int j = 0; j < 6; j++) {
    UNROLL for (int i = 0; i < 6; i++) {
      int r = row - 1 + i, q = column - 1 + j, there = (unsigned)r < (unsigned)h && (unsigned)q < (unsigned)w;
      from[i] = inside || there ? _mm512_loadu_ps(x + ((long)r * w + q) * c) : _mm512_setzero_ps();
    }
    spread(from, to);
    UNROLL for (int i = 0; i < 6; i++) half[i][j] = to[i];
  }
  UNROLL for (int i = 0; i < 6; i++) {
    spread(half[i], to);
    UNROLL for (int j = 0; j < 6; j++) _mm512_storeu_ps(v + (i * 6 + j) * plane(c), to[j]);
  }
}

/// The operands of `count` tiles from the `first` on of a picture.
static void spread_block(const float *x, int h, int w, int c, int first, int count, float *v) {
  for (int t = 0; t < count; t++) {
    int row = (first + t) / (w / 4) * 4, column = (first + t) % (w / 4) * 4;
    int inside = row > 0 && column > 0 && row + 4 < h && column + 4 < w;
    for (int i = 0; inside && i < 6; i++)  // what the next tile needs
      for (int k = 0; k < 4 * c; k += LANES) _mm_prefetch(x + ((long)(row - 1 + i) * w + column + 5) * c + k, _MM_HINT_T0);
    for (int k = 0; k < c; k += LANES) {
      if (inside) spread_tile(x + k, h, w, c, row, column, v + t * c + k, 1);
      else spread_tile(x + k, h, w, c, row, column, v + t * c + k, 0);
    }
  }
}

/// The outputs of `count` tiles: of the products plus `bias` what is above nought with `floor`, nought where `mask` is not.
static void gather_block(const float *m, const float *bias, const float *mask, int floor, float *y, int w, int c, int first,
                         int count) {
  Lanes zero = _mm512_setzero_ps();
  for (int t = 0; t < count; t++) {
    long corner = ((long)((first + t) / (w / 4)) * 4 * w + (first + t) % (w / 4) * 4) * c;
    for (int k = 0; k < c; k += LANES) {
      Lanes half[4][6], from[6], to[4], shift = bias ? _mm512_loadu_ps(bias + k) : zero;
      UNROLL for (int j = 0; j < 6; j++) {
        UNROLL for (int i = 0; i < 6; i++) from[i] = _mm512_loadu_ps(m + (i * 6 + j) * plane(c) + t * c + k);
        gather(from, to);
        UNROLL for (int i = 0; i < 4; i++) half[i][j] = to[i];
      }
      UNROLL for (int i = 0; i < 4; i++) {
        gather(half[i], to);
        UNROLL for (int j = 0; j < 4; j++) {
          long at = corner + ((long)i * w + j) * c + k;
          Lanes out = sum(to[j], shift);
          if (floor) out = _mm512_max_ps(out, zero);
          if (mask) out = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(_mm512_loadu_ps(mask + at), zero, _CMP_GT_OQ), out);
          _mm512_storeu_ps(y + at, out);
        }
      }
    }
  }
}

/// The products' gradients of `count` tiles; `sums` (c) += those of all their pixels.
static void gather_back_block(const float *g, int w, int c, int first, int count, float *z, float *sums) {
  for (int t = 0; t < count; t++) {
    const float *corner = g + ((long)((first + t) / (w / 4)) * 4 * w + (first + t) % (w / 4) * 4) * c;
    for (int k = 0; k < c; k += LANES) {
      Lanes half[6][4], from[4], to[6], total = _mm512_loadu_ps(sums + k);
      UNROLL for (int j = 0; j < 4; j++) {
        UNROLL for (int i = 0; i < 4; i++) {
          from[i] = _mm512_loadu_ps(corner + ((long)i * w + j) * c + k);
          total = sum(total, from[i]);
        }
        gather_back(from, to);
        UNROLL for (int i = 0; i < 6; i++) half[i][j] = to[i];
      }
      _mm512_storeu_ps(sums + k, total);
      UNROLL for (int i = 0; i < 6; i++) {
        gather_back(half[i], to);
        UNROLL for (int j = 0; j < 6; j++) _mm512_storeu_ps(z + (i * 6 + j) * plane(c) + t * c + k, to[j]);
      }
    }
  }
}

/// `c` (ROWS, 16 * WIDE), `across` floats a row, is or with `more` grows by a * b. `a` has `row` floats between rows and
/// `step` between columns, `b` is (depth, next). A line of `soon` and one of `later` a step are fetched for the next product.
#define PRODUCT(NAME, ROWS, WIDE)                                                                                       \
  INLINE void NAME(const float *a, long row, long step, const float *b, long next, float *c, long across, int depth,    \
                   int more, const float *soon, const float *later) {                                                   \
    Lanes total[ROWS][WIDE];                                                                                            \
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int v = 0; v < WIDE; v++)                                         \
        total[r][v] = more ? _mm512_loadu_ps(c + r * across + v * LANES) : _mm512_setzero_ps();                         \
    for (int k = 0; k < depth; k++) {                                                                                   \
      Lanes right[WIDE];                                                                                                \
      _mm_prefetch(soon + k * LANES, _MM_HINT_T0);                                                                      \
      if (WIDE > 1) _mm_prefetch(later + k * LANES, _MM_HINT_T0);                                                       \
      UNROLL for (int v = 0; v < WIDE; v++) right[v] = _mm512_loadu_ps(b + k * next + v * LANES);                       \
      UNROLL for (int r = 0; r < ROWS; r++) {                                                                           \
        Lanes left = _mm512_set1_ps(a[r * row + k * step]);                                                             \
        UNROLL for (int v = 0; v < WIDE; v++) total[r][v] = _mm512_fmadd_ps(left, right[v], total[r][v]);               \
      }                                                                                                                 \
    }                                                                                                                   \
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int v = 0; v < WIDE; v++)                                         \
        _mm512_storeu_ps(c + r * across + v * LANES, total[r][v]);                                                      \
  }
PRODUCT(product16, 16, 1)
PRODUCT(product32, 8, 2)
PRODUCT(product48, 8, 3)

/// All rows and columns of c (both multiples of 16); `soon` and `later` are the operands of the product after this one.
static void multiply(const float *a, long row, long step, const float *b, float *c, int rows, int columns, int depth,
                     int more, const float *soon, const float *later) {
  for (int v = 0, wide; v < columns; v += wide) {
    int left = columns - v;
    wide = left % 32 == 0 ? 32 : left >= 48 ? 48 : 16;
    for (int r = 0; r < rows; r += wide == 16 ? 16 : 8) {
      const float *from = a + r * row, *fetch = soon + (long)r * depth, *fetch2 = later + (long)r * depth;
      float *to = c + (long)r * columns + v;
      if (wide == 48) product48(from, row, step, b + v, columns, to, columns, depth, more, fetch, fetch2);
      else if (wide == 32) product32(from, row, step, b + v, columns, to, columns, depth, more, fetch, fetch2);
      else product16(from, row, step, b + v, columns, to, columns, depth, more, fetch, fetch2);
    }
  }
}

static float *room(long floats) { return aligned_alloc(64, floats * sizeof(float)); }

/// y (n, h, w, co) = x (n, h, w, ci) * kernel (36, ci, co) + bias (n, co) or none, see gather_block for the rest.
/// -> 0, or -1 where memory is short.
int winograd_convolve(const float *x, const float *kernel, const float *bias, const float *mask, int floor, float *y, int n,
                      int h, int w, int ci, int co) {
  float *v = room(36 * plane(ci)), *m = room(36 * plane(co));
  if (!v || !m) return free(v), free(m), -1;
  memset(v, 0, 36 * plane(ci) * sizeof(float));  // a last block may be short of tiles
  for (long picture = 0; picture < n; picture++, x += (long)h * w * ci, y += (long)h * w * co) {
    for (int first = 0, all = h / 4 * (w / 4); first < all; first += TILES) {
      int count = all - first < TILES ? all - first : TILES, rows = (count + 15) / 16 * 16;
      spread_block(x, h, w, ci, first, count, v);
      for (long k = 0; k < 36; k++) {
        const float *a = v + k * plane(ci), *b = kernel + k * ci * co;
        multiply(a, ci, 1, b, m + k * plane(co), rows, co, ci, 0, a + plane(ci), b + (long)ci * co);
      }
      gather_block(m, bias ? bias + picture * co : 0, mask, floor, y, w, co, first, count);
    }
    if (mask) mask += (long)h * w * co;
  }
  return free(v), free(m), 0;
}

/// gradient (36, ci, co) and sums (n, co) grow by those of kernel and bias, for the input x and the output's gradient g.
/// -> 0, or -1 where memory is short.
int winograd_gradient(const float *x, const float *g, float *gradient, float *sums, int n, int h, int w, int ci, int co) {
  float *v = room(36 * plane(ci)), *z = room(36 * plane(co));
  if (!v || !z) return free(v), free(z), -1;
  for (long picture = 0; picture < n; picture++, x += (long)h * w * ci, g += (long)h * w * co, sums += co) {
    for (int first = 0, all = h / 4 * (w / 4); first < all; first += TILES) {
      int count = all - first < TILES ? all - first : TILES;
      spread_block(x, h, w, ci, first, count, v);
      gather_back_block(g, w, co, first, count, z, sums);
      for (long k = 0; k < 36; k++) {
        const float *a = v + k * plane(ci), *b = z + k * plane(co);
        multiply(a, 1, ci, b, gradient + k * ci * co, ci, co, count, 1, a + plane(ci), b + plane(co));
      }
    }
  }
  return free(v), free(z), 0;
}
