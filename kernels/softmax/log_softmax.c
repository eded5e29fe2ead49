/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/softmax/log_softmax.h"

#include "kernels/math/fixed.h"

#define INTEGER_BITS 5 /* of a scaled difference */
#define SUM_BITS 12 /* integer bits of the sum */

float ek_log_softmax_f32_max(float max, const float *src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		max = max < src[i] ? src[i] : max;
	}
	return max;
}

float ek_log_softmax_f32_sum(float sum, const float *src, size_t n, float max)
{
	for (size_t i = 0; i < n; i++) {
		sum += expf(src[i] - max);
	}
	return sum;
}

void ek_log_softmax_f32_finish(float *dst, const float *src, size_t n, float max, float log_sum)
{
	for (size_t i = 0; i < n; i++) {
		dst[i] = src[i] - max - log_sum;
	}
}

void ek_log_softmax_f32(float *dst, const float *src, size_t n)
{
	float max = ek_log_softmax_f32_max(src[0], src, n);
	float sum = ek_log_softmax_f32_sum(0, src, n, max);
	ek_log_softmax_f32_finish(dst, src, n, max, logf(sum));
}

void ek_log_softmax_fill(struct ek_scale scale, struct ek_log_softmax *params)
{
	for (int32_t i = 0; i < 256; i++) {
		params->scaled[i] = ek_mbqm(-i, scale);
		params->exp[i] =
			-i < params->least ? 0 : ek_fixed_exp(params->scaled[i], INTEGER_BITS);
	}
}

/* Codes whose difference is not above @limit have the least result. */
static inline int32_t one(
	int32_t below_max, int32_t log_sum, int32_t limit, const struct ek_log_softmax *p)
{
	if (-below_max <= limit) {
		return p->lo;
	}
	int32_t y = ek_rdbpot(ek_sub32(p->scaled[below_max], log_sum), 31 - INTEGER_BITS - 4);
	return ek_clamp32(y + p->zero, p->lo, p->hi);
}

/* Differences are cut to 8 bits and the sum kept above 0 for the case that somebody else writes to
 * @src meanwhile: any result will do then, but no other memory may be read. */
#define LOG_SOFTMAX_ROW(name, type)                                                                \
	static int32_t max_##name(int32_t max, const void *src, size_t n)                          \
	{                                                                                          \
		const type *x = src;                                                               \
		for (size_t i = 0; i < n; i++) {                                                   \
			max = x[i] > max ? x[i] : max;                                             \
		}                                                                                  \
		return max;                                                                        \
	}                                                                                          \
	static uint64_t sum_##name(uint64_t sum, const void *src, size_t n, int32_t max,           \
		const struct ek_log_softmax *p)                                                    \
	{                                                                                          \
		const type *x = src;                                                               \
		for (size_t i = 0; i < n; i++) {                                                   \
			sum += (uint32_t)ek_rdbpot(p->exp[(uint8_t)(max - x[i])], SUM_BITS);       \
		}                                                                                  \
		return sum;                                                                        \
	}                                                                                          \
	static void finish_##name(void *dst, const void *src, size_t n, int32_t max, uint64_t sum, \
		const struct ek_log_softmax *p)                                                    \
	{                                                                                          \
		const type *x = src;                                                               \
		type *y = dst;                                                                     \
		sum = sum ? sum : 1;                                                               \
		int32_t log_sum = ek_fixed_log(sum < INT32_MAX ? (int32_t)sum : INT32_MAX);        \
		int32_t least = ek_mbqm(ek_add32(log_sum, INT32_MIN), p->reverse);                 \
		int32_t limit = p->least - 1 > least ? p->least - 1 : least;                       \
		for (size_t i = 0; i < n; i++) {                                                   \
			y[i] = (type)one((uint8_t)(max - x[i]), log_sum, limit, p);                \
		}                                                                                  \
	}                                                                                          \
	void ek_log_softmax_##name(                                                                \
		void *dst, const void *src, size_t n, const struct ek_log_softmax *p)              \
	{                                                                                          \
		int32_t max = max_##name(*(const type *)src, src, n);                              \
		finish_##name(dst, src, n, max, sum_##name(0, src, n, max, p), p);                 \
	}                                                                                          \
	const struct ek_log_softmax_parts ek_log_softmax_parts_##name = {                          \
		max_##name, sum_##name, finish_##name};

LOG_SOFTMAX_ROW(s8, int8_t)
LOG_SOFTMAX_ROW(u8, uint8_t)
