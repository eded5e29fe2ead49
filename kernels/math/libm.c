/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/math/libm.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* c[0] + c[1] x + ..., from the highest power down. */
static float polynomial(float x, const float *c, size_t n)
{
	float y = c[n - 1];
	for (size_t i = n - 1; i-- > 0;) {
		y = c[i] + x * y;
	}
	return y;
}

#define POLYNOMIAL(x, list) polynomial((x), (list), sizeof(list) / sizeof((list)[0]))

/* x = k log 2 + rest, the rest being *ret - *ret_low. */
static int32_t reduce(float x, float *ret, float *ret_low)
{
	const float high = 6.9313812256e-01f, low = 9.0580006145e-06f, inverse = 1.4426950216e+00f;
	float size = fabsf(x), sign = x < 0 ? -1.0f : 1.0f;
	if (size <= 0.34657359f) { /* log 2 / 2 */
		*ret = x;
		*ret_low = 0;
		return 0;
	}
	int32_t k = (int32_t)sign;
	if (size >= 1.0397207f) { /* 3/2 log 2 */
		k = (int32_t)(inverse * x + sign * 0.5f);
	}
	float hi = x - (float)k * high, lo = (float)k * low;
	*ret = hi - lo;
	*ret_low = (hi - *ret) - lo;
	return k;
}

/* exp(x) - 1, -27 log 2 < x < 44 + something; below 2^-25 x itself. */
static float expm1_near(float x)
{
	static const float q[] = {1, -3.3333335072e-02f, 1.5873016091e-03f, -7.9365076090e-05f,
		4.0082177293e-06f, -2.0109921195e-07f};
	float c;
	if (fabsf(x) < 0x1p-25f) {
		return x;
	}
	int32_t k = reduce(x, &x, &c);
	float half = 0.5f * x, square = x * half;
	float r = POLYNOMIAL(square, q), t = 3 - r * half;
	float e = square * ((r - t) / (6 - x * t));
	if (k == 0) {
		return x - (x * e - square);
	}
	e = (x * (e - c) - c) - square;
	if (k == -1) {
		return 0.5f * (x - e) - 0.5f;
	}
	if (k == 1) {
		return x < -0.25f ? -2 * (e - (x + 0.5f)) : 1 + 2 * (x - e);
	}
	if (k <= -2 || k > 56) {
		return ldexpf(1 - (e - x), k) - 1;
	}
	float unit = ldexpf(1, -k);
	return k < 23 ? ldexpf((1 - unit) - (e - x), k) : ldexpf((x - (e + unit)) + 1, k);
}

float ek_libm_tanh(float x)
{
	float size = fabsf(x), y = 1;
	if (!(size < INFINITY)) {
		return x == x ? copysignf(1, x) : x;
	}
	if (size < 0x1p-55f) {
		return x;
	}
	if (size < 1) {
		float t = expm1_near(-2 * size);
		y = -t / (t + 2);
	} else if (size < 22) {
		float t = expm1_near(2 * size);
		y = 1 - 2 / (t + 2);
	}
	return x < 0 ? -y : y;
}

static const float erf_1 = 8.4506291151e-01f; /* about erf(1) */

/* |x| < 27/32: erf(x) = x + x y. */
static float erfc_low(float x)
{
	static const float p[] = {1.2837916613e-01f, -3.2504209876e-01f, -2.8481749818e-02f,
		-5.7702702470e-03f, -2.3763017452e-05f};
	static const float q[] = {1, 3.9791721106e-01f, 6.5022252500e-02f, 5.0813062117e-03f,
		1.3249473704e-04f, -3.9602282413e-06f};
	float square = x * x;
	float y = POLYNOMIAL(square, p) / POLYNOMIAL(square, q);
	return x < 0.25f ? 1 - (x + x * y) : 0.5f - (x * y + (x - 0.5f));
}

/* 27/32 <= |x| < 5/4. */
static float erfc_middle(float x)
{
	static const float p[] = {-2.3621185683e-03f, 4.1485610604e-01f, -3.7220788002e-01f,
		3.1834661961e-01f, -1.1089469492e-01f, 3.5478305072e-02f, -2.1663755178e-03f};
	static const float q[] = {1, 1.0642088205e-01f, 5.4039794207e-01f, 7.1828655899e-02f,
		1.2617121637e-01f, 1.3637083583e-02f, 1.1984500103e-02f};
	float s = fabsf(x) - 1;
	float y = POLYNOMIAL(s, p) / POLYNOMIAL(s, q);
	return x >= 0 ? (1 - erf_1) - y : 1 + (erf_1 + y);
}

/* The exponent beyond -x^2 - 9/16, as a quotient of polynomials in 1 / x^2. */
static float erfc_rest(float x, float s)
{
	static const float near_p[] = {-9.8649440333e-03f, -6.9385856390e-01f, -1.0558626175e+01f,
		-6.2375331879e+01f, -1.6239666748e+02f, -1.8460508728e+02f, -8.1287437439e+01f,
		-9.8143291473e+00f};
	static const float near_q[] = {1, 1.9651271820e+01f, 1.3765776062e+02f, 4.3456588745e+02f,
		6.4538726807e+02f, 4.2900814819e+02f, 1.0863500214e+02f, 6.5702495575e+00f,
		-6.0424413532e-02f};
	static const float far_p[] = {-9.8649431020e-03f, -7.9928326607e-01f, -1.7757955551e+01f,
		-1.6063638306e+02f, -6.3756646729e+02f, -1.0250950928e+03f, -4.8351919556e+02f};
	static const float far_q[] = {1, 3.0338060379e+01f, 3.2579251099e+02f, 1.5367296143e+03f,
		3.1998581543e+03f, 2.5530502930e+03f, 4.7452853394e+02f, -2.2440952301e+01f};
	return x < 2.8571422f ? POLYNOMIAL(s, near_p) / POLYNOMIAL(s, near_q)
			      : POLYNOMIAL(s, far_p) / POLYNOMIAL(s, far_q);
}

/* x without its lowest 13 bits: its square is exact. */
static float cut(float x)
{
	uint32_t bits;
	memcpy(&bits, &x, sizeof(bits));
	bits &= 0xffffe000;
	memcpy(&x, &bits, sizeof(x));
	return x;
}

float ek_libm_erfc(float x)
{
	float size = fabsf(x);
	if (x != x || size < 0x1p-56f) {
		return 1 - x;
	}
	if (size < 0.84375f) {
		return erfc_low(x);
	}
	if (size < 1.25f) {
		return erfc_middle(x);
	}
	if (x < -6 || size >= 28) {
		return x < 0 ? 2 : 0;
	}
	float z = cut(size), s = 1 / (size * size);
	float rest = (z - size) * (z + size) + erfc_rest(size, s);
	float y = (float)exp((double)(-z * z - 0.5625f)) * (float)exp((double)rest) / size;
	return x > 0 ? y : 2 - y;
}
