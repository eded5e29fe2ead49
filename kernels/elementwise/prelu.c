/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/elementwise/prelu.h"

static inline int32_t prelu_code(int32_t x, int32_t alpha, const struct ek_prelu *p)
{
	int32_t v = x - p->x_zero;
	int32_t y = v >= 0 ? ek_mbqm(v, p->scale)
			   : ek_mbqm(ek_mul32(v, alpha - p->alpha_zero), p->below);
	return ek_clamp32(ek_add32(y, p->zero), p->lo, p->hi);
}

static inline float prelu_f32(float x, float alpha, const struct ek_prelu *p)
{
	(void)p;
	return x >= 0 ? x : x * alpha;
}

#define PRELU(name, type, one)                                                                     \
	void name(void *dst, const void *x, const void *alpha, size_t n, size_t x_step,            \
		size_t alpha_step, const struct ek_prelu *params)                                  \
	{                                                                                          \
		const type *in = x, *factor = alpha;                                               \
		type *out = dst;                                                                   \
		for (size_t i = 0; i < n; i++) {                                                   \
			out[i] = (type)one(in[i * x_step], factor[i * alpha_step], params);        \
		}                                                                                  \
	}

PRELU(ek_prelu_f32, float, prelu_f32)
PRELU(ek_prelu_s8, int8_t, prelu_code)
PRELU(ek_prelu_u8, uint8_t, prelu_code)
PRELU(ek_prelu_s16, int16_t, prelu_code)
