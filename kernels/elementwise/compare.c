/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/elementwise/compare.h"

#include "kernels/math/f16.h"

/* What the names of types stand for, and how an element of @side (a or b) is read. */
typedef float ek_f32;
typedef uint16_t ek_f16;
typedef int16_t ek_s16, ek_q16;
typedef int32_t ek_s32;
typedef int64_t ek_s64;
typedef int8_t ek_q8;
typedef uint8_t ek_qu8, ek_b;

static inline int32_t rescale(int32_t x, int32_t zero, struct ek_scale scale)
{
	if (scale.shift > 0) {
		return x < zero ? -1 : 1;
	}
	return ek_mbqm(ek_shl32(x - zero, 8), scale);
}

#define READ_f32(x, side) (x)
#define READ_f16(x, side) ek_f16_get(x)
#define READ_s16(x, side) (x)
#define READ_s32(x, side) (x)
#define READ_s64(x, side) (x)
#define READ_b(x, side) ((x) != 0)
#define READ_q8(x, side) rescale(x, params->side##_zero, params->side##_scale)
#define READ_qu8(x, side) rescale(x, params->side##_zero, params->side##_scale)
#define READ_q16(x, side) rescale(x, params->side##_zero, params->side##_scale)

#define RELATION_equal ==
#define RELATION_not_equal !=
#define RELATION_less <
#define RELATION_less_equal <=
#define RELATION_greater >
#define RELATION_greater_equal >=

#define DEFINE(relation, type)                                                                     \
	void ek_##relation##_##type(void *dst, const void *a, const void *b, size_t n,             \
		size_t a_step, size_t b_step, const struct ek_compare_params *params)              \
	{                                                                                          \
		const ek_##type *p = a, *q = b;                                                    \
		uint8_t *z = dst;                                                                  \
		(void)params;                                                                      \
		for (size_t i = 0; i < n; i++) {                                                   \
			z[i] = READ_##type(p[i * a_step], a)                                       \
				RELATION_##relation READ_##type(q[i * b_step], b);                 \
		}                                                                                  \
	}
EK_COMPARE_ROWS(DEFINE)
