/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blas - OpenBLAS for float products, loaded only when the first model needs it
 *
 * A daemon that serves int8 models never maps the library. Everything here has plain C as its
 * fall-back: without OpenBLAS float models are slower, nothing else.
 */
#ifndef BACKENDS_CPU_BLAS_H
#define BACKENDS_CPU_BLAS_H

#include <stdbool.h>

#include "kernels/gemm/matmul.h"

/* Takes and gives what the prototype of cblas.h says; 32-bit integers. */
typedef void blas_sgemm_fn(int order, int transpose_a, int transpose_b, int m, int n, int k,
	float alpha, const float *a, int lda, const float *b, int ldb, float beta, float *c,
	int ldc);

struct blas {
	void *library; /* from dlopen(), NULL: not open */
	blas_sgemm_fn *sgemm;
};

/* True where the product of this shape is faster than the plain-C kernel by a clear margin. */
bool blas_pays(uint64_t rows, uint64_t cols, uint64_t depth);

/*
 * Loads the library, or takes a reference to it, sets it to one thread and lets it make its
 * buffers. False when it is not installed, or when the process's address space or data is limited:
 * OpenBLAS 0.3.21 spins for ever where it can't map memory.
 */
bool blas_open(struct blas *ret_blas);
void blas_close(struct blas *blas);

/* As ek_matmul_f32[]'s run(), but on x86-64 denormal factors and products count as 0. May be called from several threads at once. */
void blas_matmul(
	const struct blas *blas, const struct ek_matmul_f32 *args, const struct ek_tile *tile);

/* Products of one call: more than for plain C, since each call packs its operands anew. About 8 ms
 * on a small Arm core. */
#define BLAS_TILE_WORK ((uint64_t)16 << 20)
/* grid_job.row_work of such products. Parts of fewer than a million would be made by another kernel of
 * OpenBLAS, which gives other bits. */
#define BLAS_ROW_WORK ((uint64_t)4 << 20)

#endif
