/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of more than 8 bits become other codes, eight at a time; sums of rows of codes. */
#include "kernels/reduce/sum.h"
#include "kernels/requant/requant.h"

#include "kernels/gemm/packed_panel_neon.h"

ALWAYS_INLINE int32x4_t requant_four(const struct ek_requant_params *p, int32x4_t x)
{
	const struct panel_scale s = {vdupq_n_s32(p->scale.multiplier),
		vdupq_n_s32(p->scale.shift < 0 ? p->scale.shift : 0),
		vdupq_n_s32(p->scale.shift > 0 ? p->scale.shift : 0)};
	x = panel_requant(GEMM_TOTAL, s, vsubq_s32(x, vdupq_n_s32(p->src_zero)));
	x = vaddq_s32(x, vdupq_n_s32(p->zero));
	return vminq_s32(vmaxq_s32(x, vdupq_n_s32(p->lo)), vdupq_n_s32(p->hi));
}

/* Eight codes of @from bytes become such of @to bytes. */
ALWAYS_INLINE void requant_eight(
	const int from, const int to, void *dst, const void *src, const struct ek_requant_params *p)
{
	int32x4_t low, high;
	if (from == 2) {
		const int16x8_t x = vld1q_s16(src);
		low = vmovl_s16(vget_low_s16(x));
		high = vmovl_s16(vget_high_s16(x));
	} else {
		low = vld1q_s32(src);
		high = vld1q_s32((const int32_t *)src + 4);
	}
	low = requant_four(p, low);
	high = requant_four(p, high);
	if (to == 4) {
		vst1q_s32(dst, low);
		vst1q_s32((int32_t *)dst + 4, high);
	} else if (to == 2) {
		vst1q_s16(dst, panel_lower(low, high));
	} else {
		vst1_s8(dst, vmovn_s16(panel_lower(low, high)));
	}
}

#define REQUANT(name, from, to)                                                                    \
	void ek_requant_##name##__neon(                                                            \
		void *dst, const void *src, size_t n, const struct ek_requant_params *params)      \
	{                                                                                          \
		const struct ek_requant_params p = *params;                                        \
		const char *x = src;                                                               \
		char *y = dst;                                                                     \
		for (; n >= 8; n -= 8, x += 8 * (from), y += 8 * (to)) {                           \
			requant_eight(from, to, y, x, &p);                                         \
		}                                                                                  \
		ek_requant_##name[0].run(y, x, n, params);                                         \
	}

REQUANT(s16s8, 2, 1)
REQUANT(s16s16, 2, 2)
REQUANT(s16s32, 2, 4)
REQUANT(s32s8, 4, 1)
REQUANT(s32s16, 4, 2)

#if defined(__arm__)
enum type {
	S8,
	U8,
	S16
};

/* Eight elements as 16 bits; those of uint8 as well. */
ALWAYS_INLINE int16x8_t wide(const enum type type, const void *from)
{
	return type == S16   ? vld1q_s16(from)
		: type == S8 ? vmovl_s8(vld1_s8(from))
			     : vreinterpretq_s16_u16(vmovl_u8(vld1_u8(from)));
}

/* Sums wrap. Returns how many elements that were. */
ALWAYS_INLINE size_t sum_columns(const enum type type, int32_t *sums, const char *src, size_t n)
{
	size_t i = 0;
	for (; i + 8 <= n; i += 8) {
		const int16x8_t x = wide(type, src + i * (type == S16 ? 2 : 1));
		int32_t *at = sums + i;
		vst1q_s32(at, vaddw_s16(vld1q_s32(at), vget_low_s16(x)));
		vst1q_s32(at + 4, vaddw_s16(vld1q_s32(at + 4), vget_high_s16(x)));
	}
	return i;
}

ALWAYS_INLINE size_t sum_all(const enum type type, int32_t *sum, const char *src, size_t n)
{
	int32x4_t total = vdupq_n_s32(0);
	size_t i = 0;
	for (; i + 16 <= n && type != S16; i += 16) {
		total = type == S8
			? vpadalq_s16(total, vpaddlq_s8(vld1q_s8((const int8_t *)src + i)))
			: vreinterpretq_s32_u32(vpadalq_u16(vreinterpretq_u32_s32(total),
				  vpaddlq_u8(vld1q_u8((const uint8_t *)src + i))));
	}
	for (; i + 8 <= n; i += 8) {
		total = vpadalq_s16(total, wide(type, src + i * (type == S16 ? 2 : 1)));
	}
	int32x2_t pair = vadd_s32(vget_low_s32(total), vget_high_s32(total));
	*sum = ek_add32(*sum, vget_lane_s32(vpadd_s32(pair, pair), 0));
	return i;
}

#define SUM(name, type, bytes)                                                                     \
	void ek_sum_##name##__neon(void *sums, const void *src, size_t n, size_t step)             \
	{                                                                                          \
		const size_t done =                                                                \
			step ? sum_columns(type, sums, src, n) : sum_all(type, sums, src, n);      \
		ek_sum_##name[0].run((int32_t *)sums + (step ? done : 0),                          \
			(const char *)src + done * (bytes), n - done, step);                       \
	}

SUM(s8, S8, 1)
SUM(u8, U8, 1)
SUM(s16, S16, 2)
#endif
