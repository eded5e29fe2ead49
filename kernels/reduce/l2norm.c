/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/l2norm.h"

#include "kernels/inv_sqrt.h"

void ek_l2norm_f32(void *dst, const void *src, size_t n, int32_t zero)
{
	const float *x = src;
	float *y = dst, sum = 0;
	(void)zero;
	for (size_t i = 0; i < n; i++) {
		sum += x[i] * x[i];
	}
	float length = sqrtf(sum);
	length = length < 1e-6f ? 1e-6f : length;
	for (size_t i = 0; i < n; i++) {
		y[i] = x[i] / length;
	}
}

static inline int32_t one_s8(int32_t v, struct ek_scale s)
{
	s.shift += 7;
	return ek_clamp32(ek_mbqm(v, s), -128, 127);
}

static inline int32_t one_u8(int32_t v, struct ek_scale s)
{
	return ek_clamp32(128 + ek_rdbpot(ek_srdhm(128 * v, s.multiplier), -s.shift), 0, 255);
}

#define L2NORM(name, type, one)                                                                    \
	void name(void *dst, const void *src, size_t n, int32_t zero)                              \
	{                                                                                          \
		const type *x = src;                                                               \
		type *y = dst;                                                                     \
		int64_t sum = 0;                                                                   \
		for (size_t i = 0; i < n; i++) {                                                   \
			sum += (x[i] - zero) * (x[i] - zero);                                      \
		}                                                                                  \
		struct ek_scale scale = ek_inv_sqrt(ek_sat32(sum));                                \
		for (size_t i = 0; i < n; i++) {                                                   \
			y[i] = (type)one(x[i] - zero, scale);                                      \
		}                                                                                  \
	}

L2NORM(ek_l2norm_s8, int8_t, one_s8)
L2NORM(ek_l2norm_u8, uint8_t, one_u8)
