/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/hybrid.h"

#include <math.h>
#include <string.h>

#include "kernels/dot.h"
#include "kernels/quant.h"

struct range {
	float lo, hi; /* lo <= 0 <= hi */
};

/* Comparisons with NaN are false: it is passed over. */
static struct range range_of(const float *values, size_t n)
{
	struct range r = {0, 0};
	for (size_t i = 0; i < n; i++) {
		r.lo = values[i] < r.lo ? values[i] : r.lo;
		r.hi = values[i] > r.hi ? values[i] : r.hi;
	}
	return r;
}

static struct ek_hybrid_row all_zero(size_t n, int8_t *codes)
{
	if (n) {
		memset(codes, 0, n);
	}
	return (struct ek_hybrid_row){.scale = 1};
}

/* Rounds half away from zero; |x| <= 128, so that the sum in double is exact or far from a whole
 * number. Without a call the loop below can be vectorised. */
static int32_t round_small(float x)
{
	return (int32_t)((double)x + (x < 0 ? -0.5 : 0.5));
}

/* round(zero + v * inverse): the product and the sum are each rounded to float. */
static void encode(
	const float *values, size_t n, float inverse, int32_t zero, int32_t lo, int8_t *codes)
{
	for (size_t i = 0; i < n; i++) {
		float scaled = values[i] * inverse;
		float code = (float)zero + scaled;
		code = code == code ? code : (float)zero;
		codes[i] = (int8_t)round_small(ek_clamp_f32(code, (float)lo, 127));
	}
}

struct ek_hybrid_row ek_hybrid_symmetric(const float *values, size_t n, int8_t *ret_codes)
{
	struct range r = range_of(values, n);
	float most = -r.lo > r.hi ? -r.lo : r.hi;
	if (most == 0) {
		return all_zero(n, ret_codes);
	}
	encode(values, n, 127.0f / most, 0, -127, ret_codes);
	return (struct ek_hybrid_row){.scale = most / 127.0f};
}

/* The zero point by whichever end of the range adds numbers of smaller magnitude. */
static int32_t zero_of(double lo, double hi, double scale)
{
	double from_lo = -128.0 - lo / scale, from_hi = 127.0 - hi / scale;
	bool by_lo = 128.0 + fabs(lo / scale) < 127.0 + fabs(hi / scale);
	return ek_clamp32(ek_round32(by_lo ? from_lo : from_hi), -128, 127);
}

struct ek_hybrid_row ek_hybrid_asymmetric(const float *values, size_t n, int8_t *ret_codes)
{
	struct range r = range_of(values, n);
	if (r.lo == r.hi) {
		return all_zero(n, ret_codes);
	}
	/* The width of the range is rounded to float before it is divided. */
	double lo = (double)r.lo, hi = (double)r.hi, scale = (double)(r.hi - r.lo) / 255.0;
	struct ek_hybrid_row row = {.scale = (float)scale, .zero = zero_of(lo, hi, scale)};
	encode(values, n, row.scale == 0 ? 0 : 1.0f / row.scale, row.zero, -128, ret_codes);
	return row;
}
