/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/reduce/l2norm.h"

#include "kernels/math/inv_sqrt.h"

static void add_f32(struct ek_l2norm_sum *all, const void *src, size_t n, int32_t zero)
{
	const float *x = src;
	float sum = all->real;
	(void)zero;
	for (size_t i = 0; i < n; i++) {
		sum += x[i] * x[i];
	}
	all->real = sum;
}

static void finish_f32(
	void *dst, const void *src, size_t n, int32_t zero, const struct ek_l2norm_sum *sum)
{
	const float *x = src;
	float *y = dst, length = sqrtf(sum->real);
	(void)zero;
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

#define L2NORM_CODES(name, type, one)                                                              \
	static void add_##name(struct ek_l2norm_sum *all, const void *src, size_t n, int32_t zero) \
	{                                                                                          \
		const type *x = src;                                                               \
		int64_t sum = all->codes;                                                          \
		for (size_t i = 0; i < n; i++) {                                                   \
			sum += (x[i] - zero) * (x[i] - zero);                                      \
		}                                                                                  \
		all->codes = sum;                                                                  \
	}                                                                                          \
	static void finish_##name(void *dst, const void *src, size_t n, int32_t zero,              \
		const struct ek_l2norm_sum *sum)                                                   \
	{                                                                                          \
		const type *x = src;                                                               \
		type *y = dst;                                                                     \
		struct ek_scale scale = ek_inv_sqrt(ek_sat32(sum->codes));                         \
		for (size_t i = 0; i < n; i++) {                                                   \
			y[i] = (type)one(x[i] - zero, scale);                                      \
		}                                                                                  \
	}

#define L2NORM(name)                                                                               \
	const struct ek_l2norm_parts ek_l2norm_parts_##name = {add_##name, finish_##name};         \
	void ek_l2norm_##name(void *dst, const void *src, size_t n, int32_t zero)                  \
	{                                                                                          \
		struct ek_l2norm_sum sum = {0};                                                    \
		add_##name(&sum, src, n, zero);                                                    \
		finish_##name(dst, src, n, zero, &sum);                                            \
	}

L2NORM_CODES(s8, int8_t, one_s8)
L2NORM_CODES(u8, uint8_t, one_u8)
L2NORM(f32)
L2NORM(s8)
L2NORM(u8)
