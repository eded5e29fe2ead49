/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/elementwise/quantized.h"

#include "kernels/math/inv_sqrt.h"

static inline int32_t finish(int32_t y, const struct ek_quantized *p)
{
	return ek_clamp32(ek_add32(y, p->zero), p->lo, p->hi);
}

static inline int32_t abs_one(int32_t x, const struct ek_quantized *p)
{
	int32_t v = x - p->src_zero;
	return finish(ek_mbqm(v < 0 ? -v : v, p->scale), p);
}

static inline int32_t leaky_relu_one(int32_t x, const struct ek_quantized *p)
{
	int32_t v = x - p->src_zero;
	int32_t y = ek_mbqm(v, v < 0 ? p->below : p->scale);
	return finish(v < 0 && p->flips ? -y : y, p);
}

static inline int32_t sqrt_one(int32_t x, const struct ek_quantized *p)
{
	float root = sqrtf(p->src_step * (float)(x - p->src_zero));
	int32_t y = ek_round32(trunc((double)(root / p->step)));
	return ek_clamp32(ek_sat32((int64_t)y + p->zero), p->lo, p->hi);
}

int32_t ek_quantized_abs(int32_t x, const struct ek_quantized *p)
{
	return abs_one(x, p);
}

int32_t ek_quantized_leaky_relu(int32_t x, const struct ek_quantized *p)
{
	return leaky_relu_one(x, p);
}

int32_t ek_quantized_sqrt(int32_t x, const struct ek_quantized *p)
{
	return sqrt_one(x, p);
}

#define RSQRT_BITS 20 /* of a fraction, between the two rescalings */

int32_t ek_quantized_rsqrt(int32_t x, const struct ek_quantized *p)
{
	int32_t v = x - p->src_zero;
	if (v <= 0) {
		return p->hi;
	}
	struct ek_scale root = ek_inv_sqrt(v), scale = p->scale;
	root.shift += RSQRT_BITS;
	scale.shift -= RSQRT_BITS;
	/* Less than half a unit is left below 2^-31. */
	return finish(scale.shift < -31 ? 0 : ek_mbqm(ek_mbqm(1, root), scale), p);
}

static inline int16_t shift_left(int16_t x, int32_t n)
{
	return ek_sat16((int64_t)x * (1 << n));
}

/* RoundingDivideByPOT of an int16, whose mask of n bits is all ones from 16 on: the reference gives 1
 * or -1 there. */
static inline int16_t divide16(int16_t x, int32_t n)
{
	return (int16_t)(n <= 15 ? ek_rdbpot(x, n) : x < 0 ? -1 : 1);
}

/* v times the scale of both multipliers, in 16 bits; where it may saturate only the last doubling
 * does so to effect. */
static inline int16_t hard_swish_gate(int16_t v, struct ek_scale scale)
{
	int16_t gate = scale.shift > 0 ? shift_left(v, scale.shift - 1) : v;
	gate = ek_srdhm16(gate, (int16_t)scale.multiplier);
	if (scale.shift > 0) {
		gate = shift_left(gate, 1);
	} else {
		gate = divide16(gate, -scale.shift);
	}
	return (int16_t)((gate + (1 << 15)) >> 1); /* -1..1 becomes 0..1 */
}

int32_t ek_quantized_hard_swish(int32_t x, const struct ek_quantized *p)
{
	int16_t v = (int16_t)((x - p->src_zero) * (1 << 7));
	int16_t scaled = ek_srdhm16(v, (int16_t)p->scale.multiplier);
	int16_t product = (int16_t)((int32_t)hard_swish_gate(v, p->below) * scaled / (1 << 15));
	int16_t y = (int16_t)(divide16(product, -p->scale.shift) + p->zero);
	return ek_clamp32(y, p->lo, p->hi);
}

#define CODES_S16(name, one)                                                                       \
	void name(int16_t *dst, const int16_t *src, size_t n, const struct ek_quantized *p)        \
	{                                                                                          \
		for (size_t i = 0; i < n; i++) {                                                   \
			dst[i] = (int16_t)one(src[i], p);                                          \
		}                                                                                  \
	}

CODES_S16(ek_quantized_abs_s16, abs_one)
CODES_S16(ek_quantized_leaky_relu_s16, leaky_relu_one)
CODES_S16(ek_quantized_sqrt_s16, sqrt_one)

#define FIND_BELOW(name, type)                                                                     \
	size_t name(const type *src, size_t n, int32_t limit)                                      \
	{                                                                                          \
		size_t i = 0;                                                                      \
		while (i < n && src[i] >= limit) {                                                 \
			i++;                                                                       \
		}                                                                                  \
		return i;                                                                          \
	}

FIND_BELOW(ek_quantized_find_below_s8, int8_t)
FIND_BELOW(ek_quantized_find_below_s16, int16_t)
