/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/hybrid/hybrid.h"

#include <math.h>
#include <string.h>

#include "kernels/math/dot.h"
#include "kernels/math/quant.h"

/* Comparisons with NaN are false: it is passed over. */
static void range__c(const float *values, size_t n, float ret_range[static 2])
{
	float lo = 0, hi = 0;
	for (size_t i = 0; i < n; i++) {
		lo = values[i] < lo ? values[i] : lo;
		hi = values[i] > hi ? values[i] : hi;
	}
	ret_range[0] = lo;
	ret_range[1] = hi;
}

/* Rounds half away from zero; |x| <= 128, so that the sum in double is exact or far from a whole
 * number. Without a call the loop below can be vectorised. */
static int32_t round_small(float x)
{
	return (int32_t)((double)x + (x < 0 ? -0.5 : 0.5));
}

static void encode__c(
	const float *values, size_t n, const struct ek_hybrid_code *c, int8_t *ret_codes)
{
	const float zero = (float)c->zero, lo = (float)c->lo;
	for (size_t i = 0; i < n; i++) {
		float scaled = values[i] * c->inverse;
		float code = zero + scaled;
		code = code == code ? code : zero;
		ret_codes[i] = (int8_t)round_small(ek_clamp_f32(code, lo, 127));
	}
}

/* The zero point by whichever end of the range adds numbers of smaller magnitude. */
static int32_t zero_of(double lo, double hi, double scale)
{
	double from_lo = -128.0 - lo / scale, from_hi = 127.0 - hi / scale;
	bool by_lo = 128.0 + fabs(lo / scale) < 127.0 + fabs(hi / scale);
	return ek_clamp32(ek_round32(by_lo ? from_lo : from_hi), -128, 127);
}

static struct ek_hybrid_row choose_symmetric(
	const float range[static 2], struct ek_hybrid_code *ret_code)
{
	float most = -range[0] > range[1] ? -range[0] : range[1];
	*ret_code = (struct ek_hybrid_code){.inverse = 127.0f / most, .lo = -127};
	return (struct ek_hybrid_row){.scale = most / 127.0f};
}

/* The width of the range is rounded to float before it is divided. */
static struct ek_hybrid_row choose_asymmetric(
	const float range[static 2], struct ek_hybrid_code *ret_code)
{
	double lo = (double)range[0], hi = (double)range[1];
	double scale = (double)(range[1] - range[0]) / 255.0;
	struct ek_hybrid_row made = {.scale = (float)scale, .zero = zero_of(lo, hi, scale)};
	*ret_code =
		(struct ek_hybrid_code){made.scale == 0 ? 0 : 1.0f / made.scale, made.zero, -128};
	return made;
}

bool ek_hybrid_choose(const float range[static 2], bool asymmetric, struct ek_hybrid_row *ret_row,
	struct ek_hybrid_code *ret_code)
{
	/* 0 is in it: it has no width where both ends are 0. */
	if (range[0] == range[1]) {
		*ret_row = (struct ek_hybrid_row){.scale = 1};
		return false;
	}
	*ret_row =
		asymmetric ? choose_asymmetric(range, ret_code) : choose_symmetric(range, ret_code);
	return true;
}

struct ek_hybrid_row ek_hybrid_quantise(const struct ek_hybrid *row, const float *values, size_t n,
	bool asymmetric, int8_t *ret_codes)
{
	float range[2];
	struct ek_hybrid_row made;
	struct ek_hybrid_code code;
	row->range(values, n, range);
	if (ek_hybrid_choose(range, asymmetric, &made, &code)) {
		row->encode(values, n, &code, ret_codes);
	} else if (n) {
		memset(ret_codes, 0, n);
	}
	return made;
}

const struct ek_hybrid ek_hybrid[] = {
	{{"hybrid__c", 0}, range__c, encode__c},
#if defined(__x86_64__)
	{{"hybrid__avx2", EK_CPU_AVX2}, ek_hybrid_range__avx2, ek_hybrid_encode__avx2},
	{{"hybrid__avx512vnni", EK_CPU_AVX512_VNNI}, ek_hybrid_range__avx512vnni,
		ek_hybrid_encode__avx512vnni},
#elif defined(__aarch64__)
	{{"hybrid__neon", EK_CPU_NEON}, ek_hybrid_range__neon, ek_hybrid_encode__neon},
#endif
};
const size_t ek_hybrid_count = sizeof(ek_hybrid) / sizeof(ek_hybrid[0]);
