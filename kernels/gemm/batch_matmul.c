/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gemm/batch_matmul.h"

#include "kernels/math/dot.h"

static int64_t dot_s8(const struct ek_batch_matmul *args, const int8_t *a, const int8_t *b)
{
	const int16_t a_zero = (int16_t)args->q.input_zero, b_zero = (int16_t)args->q.weights_zero;
	uint32_t total = 0;
	for (size_t at = 0; at < args->depth; at += EK_DOT_CHUNK) {
		size_t end = ek_dot_min(args->depth, at + EK_DOT_CHUNK);
		int32_t sum = 0;
		for (size_t i = at; i < end; i++) {
			sum += (int16_t)(a[i] - a_zero) * (int16_t)(b[i] - b_zero);
		}
		total += (uint32_t)sum;
	}
	return (int32_t)total;
}

static int64_t dot_s16(const struct ek_batch_matmul *args, const int16_t *a, const int16_t *b)
{
	int64_t sum = 0;
	for (size_t i = 0; i < args->depth; i++) {
		sum += (int32_t)a[i] * b[i];
	}
	return sum;
}

static int64_t dot_s16s8(const struct ek_batch_matmul *args, const int16_t *a, const int8_t *b)
{
	return ek_dot_s16(a, b, args->depth);
}

static int64_t dot_codes(const struct ek_batch_matmul *args, const int8_t *a, const int8_t *b)
{
	return ek_dot_s8(a, 0, b, args->depth);
}

#define BARE(args, sum) (sum)
#define FINISH(args, sum) ek_weighted_finish(&(args)->q, sum, 0)

#define BATCH_MATMUL(suffix, a_type, b_type, y_type, dot, finish)                                  \
	void ek_batch_matmul_##suffix(                                                             \
		const struct ek_batch_matmul *args, const struct ek_tile *tile)                    \
	{                                                                                          \
		const size_t depth = args->depth;                                                  \
		for (uint32_t m = tile->first_row; m < tile->first_row + tile->n_rows; m++) {      \
			const a_type *a = (const a_type *)args->a + m * depth;                     \
			const b_type *b = (const b_type *)args->b + tile->first_col * depth;       \
			y_type *y =                                                                \
				(y_type *)args->output + (size_t)m * args->cols + tile->first_col; \
			for (uint32_t n = 0; n < tile->n_cols; n++, b += depth) {                  \
				y[n] = (y_type)finish(args, dot(args, a, b));                      \
			}                                                                          \
		}                                                                                  \
	}

/* clang-format off */
BATCH_MATMUL(s8, int8_t, int8_t, int8_t, dot_s8, FINISH)
BATCH_MATMUL(s8s32, int8_t, int8_t, int32_t, dot_codes, BARE)
BATCH_MATMUL(s16, int16_t, int16_t, int16_t, dot_s16, FINISH)
BATCH_MATMUL(s16s8, int16_t, int8_t, int16_t, dot_s16s8, FINISH)
/* clang-format on */
