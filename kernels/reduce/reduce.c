/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/reduce/reduce.h"

#include "kernels/math/f16.h"

/* @op: an expression of the accumulator a and the element x. */
#define FOLD(name, type, op)                                                                       \
	void name(void *acc, const void *src, size_t n, size_t step)                               \
	{                                                                                          \
		const type *xs = src;                                                              \
		type *as = acc;                                                                    \
		if (step) {                                                                        \
			for (size_t i = 0; i < n; i++) {                                           \
				const type a = as[i], x = xs[i];                                   \
				as[i] = (type)(op);                                                \
			}                                                                          \
			return;                                                                    \
		}                                                                                  \
		type a = *as;                                                                      \
		for (size_t i = 0; i < n; i++) {                                                   \
			const type x = xs[i];                                                      \
			a = (type)(op);                                                            \
		}                                                                                  \
		*as = a;                                                                           \
	}

/* clang-format off */
/* @suffix: of integers of one width, whose sums and products do not know signs; @wide: in which
 * they are made, not narrower than int. */
#define FOLD_NUMBERS(suffix, type, wide)                                                           \
	static FOLD(add_##suffix, type, (wide)a + (wide)x)                                         \
	static FOLD(multiply_##suffix, type, (wide)a *(wide)x)                                     \
	static FOLD(and_##suffix, type, a != 0 && x != 0)                                          \
	static FOLD(or_##suffix, type, a != 0 || x != 0)

#define FOLD_EXTREMES(suffix, type)                                                                \
	static FOLD(minimum_##suffix, type, a <= x ? a : x)                                        \
	static FOLD(maximum_##suffix, type, a >= x ? a : x)                                        \
	static FOLD(least_##suffix, type, x < a ? x : a)                                           \
	static FOLD(greatest_##suffix, type, a < x ? x : a)

#define ROWS(name, numbers, extremes)                                                              \
	ek_reduce_list ek_reduce_##name = {                                                            \
		add_##numbers,                                                                     \
		multiply_##numbers,                                                                \
		minimum_##extremes,                                                                \
		maximum_##extremes,                                                                \
		and_##numbers,                                                                     \
		or_##numbers,                                                                      \
		least_##extremes,                                                                  \
		greatest_##extremes,                                                               \
	};

FOLD_NUMBERS(8, uint8_t, uint32_t)
FOLD_NUMBERS(16, uint16_t, uint32_t)
FOLD_NUMBERS(32, uint32_t, uint32_t)
FOLD_NUMBERS(64, uint64_t, uint64_t)
FOLD_NUMBERS(f32, float, float)
FOLD_NUMBERS(f64, double, double)
FOLD_EXTREMES(s8, int8_t)
FOLD_EXTREMES(u8, uint8_t)
FOLD_EXTREMES(s16, int16_t)
FOLD_EXTREMES(u16, uint16_t)
FOLD_EXTREMES(s32, int32_t)
FOLD_EXTREMES(u32, uint32_t)
FOLD_EXTREMES(s64, int64_t)
FOLD_EXTREMES(f32, float)
FOLD_EXTREMES(f64, double)

static FOLD(add_f16, uint16_t, ek_f16_from(ek_f16_get(a) + ek_f16_get(x)))
static FOLD(multiply_f16, uint16_t, ek_f16_from(ek_f16_get(a) * ek_f16_get(x)))
static FOLD(least_f16, uint16_t, ek_f16_get(x) < ek_f16_get(a) ? x : a)
static FOLD(greatest_f16, uint16_t, ek_f16_get(a) < ek_f16_get(x) ? x : a)
	/* clang-format on */

	ROWS(s8, 8, s8) ROWS(u8, 8, u8) ROWS(s16, 16, s16) ROWS(u16, 16, u16) ROWS(s32, 32, s32)
		ROWS(u32, 32, u32) ROWS(s64, 64, s64) ROWS(f32, f32, f32) ROWS(f64, f64, f64)

			ek_reduce_list ek_reduce_f16 = {
				[EK_REDUCE_ADD] = add_f16,
				[EK_REDUCE_MULTIPLY] = multiply_f16,
				[EK_REDUCE_LEAST] = least_f16,
				[EK_REDUCE_GREATEST] = greatest_f16,
};
ek_reduce_list ek_reduce_bool = {or_8, and_8, and_8, or_8, and_8, or_8, and_8, or_8};

static int64_t product(int64_t a, int32_t x, const struct ek_gemm *p)
{
	int64_t v = (int64_t)x - p->zero;
	return a == EK_GEMM_NONE ? v : ek_mbqm64(a * v, p->scale);
}

#define PRODUCT(name, type)                                                                        \
	void name(int64_t *acc, const void *src, size_t n, size_t step,                            \
		const struct ek_gemm *params)                                                      \
	{                                                                                          \
		const type *x = src;                                                               \
		for (size_t i = 0; i < n; i++, acc += step) {                                      \
			*acc = product(*acc, x[i], params);                                        \
		}                                                                                  \
	}

PRODUCT(ek_gemm_s8, int8_t)
PRODUCT(ek_gemm_s16, int16_t)
