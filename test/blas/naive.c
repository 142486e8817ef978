/* A CBLAS of three loops that also tells how it was called: what a BLAS of the system is to the tests, where there is a C compiler. */
#include <stddef.h>
#include <stdint.h>

#ifndef INTEGER
#define INTEGER int
#endif
#ifndef NAME
#define NAME(name) name
#endif

static int threads = 0, quieted = 0, calls = 0;

#define GEMM(name, real)                                                                                              \
  void NAME(name)(int order, int form_a, int form_b, INTEGER m, INTEGER n, INTEGER k, real alpha, const real *a,      \
                  INTEGER lda, const real *b, INTEGER ldb, real beta, real *c, INTEGER ldc) {                         \
    if (order != 101) return;                                                                                         \
    __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);                                                                  \
    for (ptrdiff_t i = 0; i < m; i++)                                                                                 \
      for (ptrdiff_t j = 0; j < n; j++) {                                                                             \
        double sum = 0;                                                                                               \
        for (ptrdiff_t l = 0; l < k; l++)                                                                             \
          sum += (double)(form_a == 112 ? a[l * lda + i] : a[i * lda + l]) * (form_b == 112 ? b[j * ldb + l] : b[l * ldb + j]); \
        c[i * ldc + j] = alpha * sum + (beta == 0 ? 0 : beta * c[i * ldc + j]);                                       \
      }                                                                                                               \
  }

GEMM(cblas_sgemm, float)
GEMM(cblas_dgemm, double)

#ifdef CONFIG
const char *NAME(openblas_get_config)(void) { return CONFIG; }
const char *NAME(openblas_get_corename)(void) { return "Naive"; }
void NAME(openblas_set_num_threads)(int count) {
  threads = count;
  __atomic_add_fetch(&quieted, 1, __ATOMIC_RELAXED);
}
#endif

int naive_threads(void) { return threads; }
int naive_quieted(void) { return quieted; }
int naive_calls(void) { return calls; }
