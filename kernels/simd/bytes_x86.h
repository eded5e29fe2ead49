/* SPDX-License-Identifier: Apache-2.0 */
/* bytes_x86 - what bytes_avx2.h and bytes_sse41.h share, for the vectors of vector_s32_x86.h */
#ifndef KERNELS_SIMD_BYTES_X86_H
#define KERNELS_SIMD_BYTES_X86_H

VEC_OF_2(vec_mul, MM(mullo_epi32))
VEC_OF_2(vec_add_16, MM(add_epi16))
VEC_OF_2(bytes_xor, MM_SI(xor))
/* @a, 0 or -@a, as @b is. */
VEC_OF_2(vec_sign, MM(sign_epi32))

ALWAYS_INLINE vec vec_left(vec v, const int by)
{
	return MM(slli_epi32)(v, by);
}

ALWAYS_INLINE vec vec_right(vec v, const int by)
{
	return MM(srai_epi32)(v, by);
}

ALWAYS_INLINE vec vec_abs(vec v)
{
	return MM(abs_epi32)(v);
}

ALWAYS_INLINE real real_all(float x)
{
	return MM(set1_ps)(x);
}

ALWAYS_INLINE real real_load(const float *from)
{
	return MM(loadu_ps)(from);
}

ALWAYS_INLINE void real_store(float *to, real x)
{
	MM(storeu_ps)(to, x);
}

ALWAYS_INLINE real real_of(vec v)
{
	return MM(cvtepi32_ps)(v);
}

ALWAYS_INLINE vec real_cut(real x)
{
	return MM(cvttps_epi32)(x);
}

ALWAYS_INLINE real real_mul(real a, real b)
{
	return MM(mul_ps)(a, b);
}

ALWAYS_INLINE real real_add(real a, real b)
{
	return MM(add_ps)(a, b);
}

ALWAYS_INLINE vec bytes_all(uint8_t x)
{
	return MM(set1_epi8)((char)x);
}

ALWAYS_INLINE vec bytes_most(const bool is_signed, vec a, vec b)
{
	return is_signed ? MM(max_epi8)(a, b) : MM(max_epu8)(a, b);
}

ALWAYS_INLINE vec bytes_least(const bool is_signed, vec a, vec b)
{
	return is_signed ? MM(min_epi8)(a, b) : MM(min_epu8)(a, b);
}

/* a + b of unsigned bytes in 16 bits: of the lower and of the upper halves of each 128 bits. */
ALWAYS_INLINE vec bytes_sum_low(vec a, vec b)
{
	return MM(maddubs_epi16)(MM(unpacklo_epi8)(a, b), bytes_all(1));
}

ALWAYS_INLINE vec bytes_sum_high(vec a, vec b)
{
	return MM(maddubs_epi16)(MM(unpackhi_epi8)(a, b), bytes_all(1));
}

/* What bytes_sum_low() and bytes_sum_high() took apart, with vec_unpack_low_16() and _high_16() of each,
 * becomes bytes again, saturated. */
ALWAYS_INLINE vec bytes_pack(const bool is_signed, const vec v[4])
{
	const vec low = MM(packs_epi32)(v[0], v[1]), high = MM(packs_epi32)(v[2], v[3]);
	return is_signed ? MM(packs_epi16)(low, high) : MM(packus_epi16)(low, high);
}

#endif
