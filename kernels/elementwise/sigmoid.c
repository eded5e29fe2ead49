/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/elementwise/sigmoid.h"

#include "kernels/math/quant.h"

static inline int32_t scaled(int16_t x, const struct ek_sigmoid_s16_params *p)
{
	int32_t half = p->shift ? 1 << (p->shift - 1) : 0;
	return (ek_add32(ek_mul32(x, p->multiplier), half)) >> p->shift;
}

/* table[] at |v| / 2^bits: with 16 + @bits fraction bits; @top beyond the table. */
static inline uint32_t interpolate(int32_t v, int32_t bits, uint32_t top, const uint16_t *table)
{
	uint32_t a = v < 0 ? 0u - (uint32_t)v : (uint32_t)v;
	uint32_t k = a >> bits;
	if (k >= 255) {
		return top << bits;
	}
	return ((uint32_t)table[k] << bits) +
		(a & ((1u << bits) - 1)) * (uint32_t)(table[k + 1] - table[k]);
}

void ek_logistic_s16(
	int16_t *dst, const int16_t *src, size_t n, const struct ek_sigmoid_s16_params *params)
{
	for (size_t i = 0; i < n; i++) {
		int32_t v = scaled(src[i], params);
		uint32_t r = interpolate(v, 9, 0x7fff << 1, params->table);
		r = v >= 0 ? r + (1 << 9) : (1u << 25) - r + (1 << 9) - 1;
		dst[i] = (int16_t)(r >> 10);
	}
}

void ek_tanh_s16(
	int16_t *dst, const int16_t *src, size_t n, const struct ek_sigmoid_s16_params *params)
{
	for (size_t i = 0; i < n; i++) {
		int32_t v = scaled(src[i], params);
		int32_t r = (int32_t)interpolate(v, 8, 0xffff, params->table);
		r = v >= 0 ? r - (1 << 23) + (1 << 7) : (1 << 23) - r + (1 << 7) - 1;
		dst[i] = (int16_t)(r >> 8);
	}
}
