/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exponentials are fetched one by one, what is done with them four at a time. None of them is
 * negative, so that rounding shifts have their ties away from zero. A row that fits in the room of
 * one chunk fetches them once.
 */
#include "kernels/gemm/packed_panel_neon.h"
#include "kernels/softmax/softmax.h"
#include "kernels/softmax/softmax_parts.h"

#define CHUNK 256

/* The greatest of codes whose highest bit is flipped by @flip to make their order that of bytes. */
static uint8_t greatest(const uint8_t *x, size_t n, uint8_t flip)
{
	uint8_t most = x[0] ^ flip;
	if (n < 8) {
		for (size_t i = 1; i < n; i++) {
			const uint8_t v = x[i] ^ flip;
			most = v > most ? v : most;
		}
		return most ^ flip;
	}
	const uint8x8_t f = vdup_n_u8(flip);
	uint8x8_t best = veor_u8(vld1_u8(x + n - 8), f);
	for (size_t i = 0; i + 8 < n; i += 8) {
		best = vmax_u8(best, veor_u8(vld1_u8(x + i), f));
	}
	best = vpmax_u8(best, best);
	best = vpmax_u8(best, best);
	return vget_lane_u8(vpmax_u8(best, best), 0) ^ flip;
}

/* @n exponentials, and zeros up to whole eights. */
ALWAYS_INLINE void fetch(
	const int32_t *exp8, uint8_t max, const uint8_t *x, size_t n, int32_t e[CHUNK])
{
	size_t i = 0;
	for (; i + 4 <= n; i += 4) {
		for (size_t j = i; j < i + 4; j++) {
			e[j] = exp8[(uint8_t)(max - x[j])];
		}
	}
	for (; i < n; i++) {
		e[i] = exp8[(uint8_t)(max - x[i])];
	}
	for (; i % 8; i++) {
		e[i] = 0;
	}
}

/* Of ek_rdbpot(e, EK_SOFTMAX_SUM_BITS), 19 bits each. */
ALWAYS_INLINE uint64x2_t add(uint64x2_t sum, const int32_t e[CHUNK], size_t n)
{
	int32x4_t some = vdupq_n_s32(0);
	for (size_t i = 0; i < n; i += 4) {
		some = vrsraq_n_s32(some, vld1q_s32(e + i), EK_SOFTMAX_SUM_BITS);
	}
	return vpadalq_u32(sum, vreinterpretq_u32_s32(some));
}

struct share {
	int32x4_t reciprocal, right, lo, hi;
};

/* A right shift of 32 or more leaves nothing of what is less than 2^31. */
ALWAYS_INLINE int32x4_t share(const struct share *s, const int32_t *e)
{
	const int32x4_t y = vrshlq_s32(vqrdmulhq_s32(vld1q_s32(e), s->reciprocal), s->right);
	return vminq_s32(vmaxq_s32(vaddq_s32(y, s->lo), s->lo), s->hi);
}

ALWAYS_INLINE void put(
	const int bytes, const struct share *s, const int32_t e[CHUNK], size_t n, void *dst)
{
	for (size_t i = 0; i < n; i += 8) {
		const int16x8_t y = panel_lower(share(s, e + i), share(s, e + i + 4));
		uint8_t *to = (uint8_t *)dst + i * (size_t)bytes;
		if (n - i < 8) {
			int16_t some[8];
			vst1q_s16(some, y);
			if (bytes == 1) {
				vst1_s8((int8_t *)some, vmovn_s16(y));
			}
			gemm_copy_few(to, (const uint8_t *)some, (n - i) * (size_t)bytes);
		} else if (bytes == 1) {
			vst1_s8((int8_t *)to, vmovn_s16(y));
		} else {
			vst1q_s16((int16_t *)to, y);
		}
	}
}

ALWAYS_INLINE void softmax(const int bytes, uint8_t flip, void *dst, const uint8_t *x, size_t n,
	const struct ek_softmax_params *p)
{
	const uint8_t max = greatest(x, n, flip);
	int32_t e[CHUNK];
	uint64x2_t sums = vdupq_n_u64(0);
	for (size_t i = 0; i < n; i += CHUNK) {
		const size_t some = n - i < CHUNK ? n - i : CHUNK;
		fetch(p->exp8, max, x + i, some, e);
		sums = add(sums, e, some);
	}
	const uint64_t sum = vgetq_lane_u64(sums, 0) + vgetq_lane_u64(sums, 1);
	int32_t shift;
	const int32_t reciprocal = ek_softmax_invert(sum, p, &shift);
	const struct share s = {vdupq_n_s32(reciprocal), vdupq_n_s32(-shift),
		vdupq_n_s32(p->out_lo), vdupq_n_s32(p->out_hi)};
	for (size_t i = 0; i < n; i += CHUNK) {
		const size_t some = n - i < CHUNK ? n - i : CHUNK;
		if (n > CHUNK) {
			fetch(p->exp8, max, x + i, some, e);
		}
		put(bytes, &s, e, some, (uint8_t *)dst + i * (size_t)bytes);
	}
}

#define SOFTMAX(name, bytes, flip)                                                                 \
	void ek_softmax_##name##__neon(                                                            \
		void *dst, const void *src, size_t n, const struct ek_softmax_params *params)      \
	{                                                                                          \
		softmax(bytes, flip, dst, src, n, params);                                         \
	}

SOFTMAX(s8, 1, 128)
SOFTMAX(u8, 1, 0)
SOFTMAX(s8to16, 2, 128)
SOFTMAX(u8to16, 2, 0)
