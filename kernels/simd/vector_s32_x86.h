/* SPDX-License-Identifier: Apache-2.0 */
/* vector_s32_x86 - what vector_s32_avx2.h and vector_s32_sse41.h share: MM(name) is an intrinsic of their
 * width */
#ifndef KERNELS_SIMD_VECTOR_S32_X86_H
#define KERNELS_SIMD_VECTOR_S32_X86_H

ALWAYS_INLINE vec vec_load(const void *from)
{
	return MM_SI(loadu)(from);
}

ALWAYS_INLINE void vec_store(void *to, vec v)
{
	MM_SI(storeu)(to, v);
}

ALWAYS_INLINE vec vec_all(int32_t x)
{
	return MM(set1_epi32)(x);
}

/* Four bytes in all lanes. */
ALWAYS_INLINE vec vec_broadcast(const uint8_t *from)
{
	int32_t x;
	memcpy(&x, from, sizeof(x));
	return MM(set1_epi32)(x);
}

#define VEC_OF_2(name, intrinsic)                                                                  \
	ALWAYS_INLINE vec name(vec a, vec b)                                                       \
	{                                                                                          \
		return intrinsic(a, b);                                                            \
	}

VEC_OF_2(vec_add, MM(add_epi32))
VEC_OF_2(vec_sub, MM(sub_epi32))
VEC_OF_2(vec_least, MM(min_epi32))
VEC_OF_2(vec_most, MM(max_epi32))
VEC_OF_2(vec_and, MM_SI(and))
/* All bits of the lanes where it is true. */
VEC_OF_2(vec_greater, MM(cmpgt_epi32))
/* 16 bits each; of vec_madd() products, by pairs. */
VEC_OF_2(vec_sub_16, MM(sub_epi16))
VEC_OF_2(vec_madd, MM(madd_epi16))
VEC_OF_2(vec_unpack_low_16, MM(unpacklo_epi16))
VEC_OF_2(vec_unpack_high_16, MM(unpackhi_epi16))
/* 8 bits each. */
VEC_OF_2(vec_unpack_low_8, MM(unpacklo_epi8))
VEC_OF_2(vec_unpack_high_8, MM(unpackhi_epi8))

ALWAYS_INLINE vec vec_and_not(vec a, vec b)
{
	return MM_SI(andnot)(b, a);
}

ALWAYS_INLINE vec vec_all_16(int16_t x)
{
	return MM(set1_epi16)(x);
}

/* What all stores of a call need; codes are unsigned until they are stored. */
struct vec_limits {
	vec lo, hi, sign; /* bytes */
	vec zero, least, most; /* int32, of the type's own codes, and how they become unsigned */
	vec offset;
};

ALWAYS_INLINE struct vec_limits vec_limits(int32_t zero, int32_t lo, int32_t hi, bool is_signed)
{
	const int32_t by = is_signed ? 128 : 0;
	return (struct vec_limits){MM(set1_epi8)((char)(lo + by)), MM(set1_epi8)((char)(hi + by)),
		MM(set1_epi8)((char)by), vec_all(zero), vec_all(lo), vec_all(hi), vec_all(by)};
}

/* ek_round32() of half a vector of sums times their scales, as round32() of matmul_avx512vnni.c;
 * conversion cuts. */
ALWAYS_INLINE __m128i vec_rescale_half(__m128i sums, const double *scale)
{
	const vec_doubles half = MM(set1_pd)(0x1.fffffffffffffp-2);
	vec_doubles x = MM(mul_pd)(MM(cvtepi32_pd)(sums), MM(loadu_pd)(scale));
	vec_doubles sign = MM(and_pd)(x, MM(set1_pd)(-0.0));
	vec_doubles y = MM(add_pd)(x, MM(or_pd)(half, sign));
	y = MM(min_pd)(y, MM(set1_pd)(2147483647.0));
	y = MM(max_pd)(y, MM(set1_pd)(-2147483648.0));
	return MM(cvttpd_epi32)(y);
}

/* The first @n of 16 codes, n < 16. */
ALWAYS_INLINE void vec_store_some(uint8_t *to, __m128i codes, uint32_t n)
{
	if (n & 8) {
		_mm_storel_epi64((__m128i *)to, codes);
		codes = _mm_srli_si128(codes, 8);
		to += 8;
	}
	if (n & 4) {
		int32_t x = _mm_cvtsi128_si32(codes);
		memcpy(to, &x, sizeof(x));
		codes = _mm_srli_si128(codes, 4);
		to += 4;
	}
	for (n &= 3; n; n--, codes = _mm_srli_si128(codes, 1)) {
		*to++ = (uint8_t)_mm_cvtsi128_si32(codes);
	}
}

/* Codes as they are stored. */
ALWAYS_INLINE vec vec_limit(const struct vec_limits *l, vec y)
{
	y = MM(min_epu8)(MM(max_epu8)(y, l->lo), l->hi);
	return MM_SI(xor)(y, l->sign);
}

ALWAYS_INLINE vec vec_pack(const struct vec_limits *l, vec a, vec b, vec c, vec d)
{
	return vec_limit(l, MM(packus_epi16)(MM(packs_epi32)(a, b), MM(packs_epi32)(c, d)));
}

#endif
