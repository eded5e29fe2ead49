/* SPDX-License-Identifier: Apache-2.0 */
/* Four rows of weights by one of activations: the eight partial sums of ek_dot_f32() and their tree. */
#include "kernels/gemm/matvec.h"

#include "kernels/simd/vector_f32_neon.h"

#define ROWS 4
#define SUMS 8 /* partial ones */

struct partial {
	vector low, high;
};

/* The last @n < 8 products, to as many of the sums: the others stay as they are, -0 too. */
static struct partial add_last(struct partial s, const float *x, const float *w, size_t n)
{
	float sums[SUMS];
	vector_store(sums, s.low);
	vector_store(sums + 4, s.high);
	for (size_t j = 0; j < n; j++) {
		sums[j] += x[j] * w[j];
	}
	return (struct partial){vector_load(sums), vector_load(sums + 4)};
}

VECTOR_INLINE float total(struct partial s)
{
	const vector four = vector_add(s.low, s.high);
	const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
	return vpadds_f32(two);
}

/* @rows rows of @n weights, one behind the other. */
VECTOR_INLINE void add_rows(const int rows, const float *w, const float *x, size_t n, float *sum)
{
	struct partial s[ROWS];
#pragma GCC unroll 4
	for (int r = 0; r < rows; r++) {
		s[r] = (struct partial){vector_all(0), vector_all(0)};
	}
	size_t k = 0;
	for (; k + SUMS <= n; k += SUMS) {
		const vector low = vector_load(x + k), high = vector_load(x + k + 4);
#pragma GCC unroll 4
		for (int r = 0; r < rows; r++) {
			const float *at = w + (size_t)r * n + k;
			s[r].low = vector_add(s[r].low, vector_mul(low, vector_load(at)));
			s[r].high = vector_add(s[r].high, vector_mul(high, vector_load(at + 4)));
		}
	}
#pragma GCC unroll 4
	for (int r = 0; r < rows; r++) {
		if (k < n) {
			s[r] = add_last(s[r], x + k, w + (size_t)r * n + k, n - k);
		}
		sum[r] += total(s[r]);
	}
}

void ek_matvec_f32__neon(const struct ek_matvec *m, const struct ek_matvec_x *x, uint32_t first,
	uint32_t end, float *sum)
{
	const size_t columns = m->columns;
	const float *w = (const float *)m->w + first * columns;
	uint32_t n = first;
	for (; n + ROWS <= end; n += ROWS, w += ROWS * columns) {
		add_rows(ROWS, w, x->x, columns, sum + n);
	}
	for (; n < end; n++, w += columns) {
		add_rows(1, w, x->x, columns, sum + n);
	}
}
