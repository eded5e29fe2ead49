/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/combine.h"

#include "kernels/f16.h"

#define ONE(name, type, expression)                                                                \
	static void name(void *dst, const void *src, size_t n)                                     \
	{                                                                                          \
		type *z = dst;                                                                     \
		const type *x = src;                                                               \
		for (size_t i = 0; i < n; i++) {                                                   \
			type a = z[i], b = x[i];                                                   \
			z[i] = (type)(expression);                                                 \
		}                                                                                  \
	}

/* @wide: the type in which sums and products are taken; one without a sign where they may wrap. */
#define FAMILY(suffix, type, wide)                                                                 \
	ONE(add_##suffix, type, (wide)a + (wide)b)                                                 \
	ONE(multiply_##suffix, type, (wide)a *(wide)b)                                             \
	ONE(largest_##suffix, type, a < b ? b : a)                                                 \
	ONE(smallest_##suffix, type, b < a ? b : a)                                                \
	const struct ek_combine ek_combine_##suffix = {                                            \
		add_##suffix, multiply_##suffix, largest_##suffix, smallest_##suffix};

FAMILY(f32, float, float)
FAMILY(f64, double, double)
FAMILY(s8, int8_t, int)
FAMILY(s16, int16_t, uint32_t)
FAMILY(s32, int32_t, uint32_t)
FAMILY(s64, int64_t, uint64_t)
FAMILY(u8, uint8_t, unsigned int)
FAMILY(u16, uint16_t, uint32_t)
FAMILY(u32, uint32_t, uint32_t)

ONE(add_f16, uint16_t, ek_f16_from(ek_f16_get(a) + ek_f16_get(b)))
ONE(multiply_f16, uint16_t, ek_f16_from(ek_f16_get(a) * ek_f16_get(b)))
ONE(largest_f16, uint16_t, ek_f16_get(a) < ek_f16_get(b) ? b : a)
ONE(smallest_f16, uint16_t, ek_f16_get(b) < ek_f16_get(a) ? b : a)
const struct ek_combine ek_combine_f16 = {add_f16, multiply_f16, largest_f16, smallest_f16};

ONE(or_bool, uint8_t, a || b)
ONE(and_bool, uint8_t, a &&b)
const struct ek_combine ek_combine_bool = {or_bool, and_bool, or_bool, and_bool};
