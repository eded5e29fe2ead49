/* SPDX-License-Identifier: Apache-2.0 */
/* The largest code first, 16 at a time, then where it stands first. */
#include "kernels/gemm/packed_panel_neon.h"
#include "kernels/reduce/argmax.h"

/* The largest of 16 codes. */
ALWAYS_INLINE uint8_t largest(uint8x16_t x)
{
#if defined(__aarch64__)
	return vmaxvq_u8(x);
#else
	uint8x8_t y = vpmax_u8(vget_low_u8(x), vget_high_u8(x));
	y = vpmax_u8(y, y);
	y = vpmax_u8(y, y);
	return vget_lane_u8(vpmax_u8(y, y), 0);
#endif
}

/* The first of 16 lanes that is all ones, or 16. */
ALWAYS_INLINE size_t first_of(uint8x16_t lanes)
{
	const uint8x8_t nibbles = vshrn_n_u16(vreinterpretq_u16_u8(lanes), 4);
	const uint64_t bits = vget_lane_u64(vreinterpret_u64_u8(nibbles), 0);
	return bits ? (size_t)__builtin_ctzll(bits) / 4 : 16;
}

/* @n >= 16 codes; @flip makes their order that of unsigned ones. The last 16 overlap those before. */
ALWAYS_INLINE size_t argmax(const uint8_t *x, size_t n, uint8_t flip)
{
	const uint8x16_t f = vdupq_n_u8(flip);
	const size_t last = n - 16;
	uint8x16_t best = veorq_u8(vld1q_u8(x + last), f);
	for (size_t i = 0; i < last; i += 16) {
		best = vmaxq_u8(best, veorq_u8(vld1q_u8(x + i), f));
	}
	const uint8x16_t wanted = vdupq_n_u8(largest(best) ^ flip);
	for (size_t i = 0; i < last; i += 16) {
		const size_t at = first_of(vceqq_u8(vld1q_u8(x + i), wanted));
		if (at < 16) {
			return i + at;
		}
	}
	return last + first_of(vceqq_u8(vld1q_u8(x + last), wanted));
}

size_t ek_argmax_u8__neon(const void *src, size_t n, size_t step)
{
	return n < 16 || step != 1 ? ek_argmax_u8(src, n, step) : argmax(src, n, 0);
}

size_t ek_argmax_s8__neon(const void *src, size_t n, size_t step)
{
	return n < 16 || step != 1 ? ek_argmax_s8(src, n, step) : argmax(src, n, 128);
}
