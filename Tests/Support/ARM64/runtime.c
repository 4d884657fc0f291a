// What Swift without a system needs of one: memory that is never freed, and a way to say what is wrong. Linux, arm64.
#include <stddef.h>
#include <stdint.h>
static char memory[256 << 20] __attribute__((aligned(64)));
static size_t used;
static long call(long number, long a, long b, long c) {
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}
int posix_memalign(void **to, size_t alignment, size_t size) {
  used = (used + alignment + 63) / 64 * 64;
  if (used + size > sizeof memory) return 12;
  *to = memory + used;
  used += size;
  return 0;
}
void *malloc(size_t size) { void *p = 0; posix_memalign(&p, 64, size); return p; }
void free(void *p) { (void)p; }
void *memset(void *to, int value, size_t size) {
  volatile char *bytes = to;
  while (size--) *bytes++ = (char)value;
  return to;
}
void *memcpy(void *to, const void *from, size_t size) {
  volatile char *a = to; const char *b = from;
  while (size--) *a++ = *b++;
  return to;
}
void *memmove(void *to, const void *from, size_t size) {
  volatile char *a = to; const char *b = from;
  if (a < b) return memcpy(to, from, size);
  while (size--) a[size] = b[size];
  return to;
}
float roundevenf(float value) { float r; __asm__("frintn %s0, %s1" : "=w"(r) : "w"(value)); return r; }
int putchar(int c) { char b = (char)c; call(64, 1, (long)&b, 1); return c; }
static void number(int value) { if (value >= 10) number(value / 10); putchar('0' + value % 10); }
void pipe_fail(int what, int at) {
  static const char *names[] = {"", "taps", "gathered taps", "codes", "squares", "finishing"};
  for (const char *name = names[what]; *name; name++) putchar(*name);
  for (const char *text = " differ at "; *text; text++) putchar(*text);
  number(at); putchar('\n');
  call(94, 1, 0, 0);
}
long __stack_chk_guard = 1;
void __stack_chk_fail(void) { call(94, 2, 0, 0); }
int main(int, char **);
void _start(void) { call(94, main(0, 0), 0, 0); }
