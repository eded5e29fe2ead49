/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/log_softmax.h"

#include "kernels/fixed.h"

#define INTEGER_BITS 5 /* of a scaled difference */
#define SUM_BITS 12 /* integer bits of the sum */

void ek_log_softmax_f32(float *dst, const float *src, size_t n)
{
	float max = src[0], sum = 0;
	for (size_t i = 1; i < n; i++) {
		max = max < src[i] ? src[i] : max;
	}
	for (size_t i = 0; i < n; i++) {
		sum += expf(src[i] - max);
	}
	float log_sum = logf(sum);
	for (size_t i = 0; i < n; i++) {
		dst[i] = src[i] - max - log_sum;
	}
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
	void name(void *dst, const void *src, size_t n, const struct ek_log_softmax *p)            \
	{                                                                                          \
		const type *x = src;                                                               \
		type *y = dst;                                                                     \
		int32_t max = x[0];                                                                \
		uint64_t sum = 0;                                                                  \
		for (size_t i = 1; i < n; i++) {                                                   \
			max = x[i] > max ? x[i] : max;                                             \
		}                                                                                  \
		for (size_t i = 0; i < n; i++) {                                                   \
			sum += (uint32_t)ek_rdbpot(p->exp[(uint8_t)(max - x[i])], SUM_BITS);       \
		}                                                                                  \
		sum = sum ? sum : 1;                                                               \
		int32_t log_sum = ek_fixed_log(sum < INT32_MAX ? (int32_t)sum : INT32_MAX);        \
		int32_t least = ek_mbqm(ek_add32(log_sum, INT32_MIN), p->reverse);                 \
		int32_t limit = p->least - 1 > least ? p->least - 1 : least;                       \
		for (size_t i = 0; i < n; i++) {                                                   \
			y[i] = (type)one((uint8_t)(max - x[i]), log_sum, limit, p);                \
		}                                                                                  \
	}

LOG_SOFTMAX_ROW(ek_log_softmax_s8, int8_t)
LOG_SOFTMAX_ROW(ek_log_softmax_u8, uint8_t)
