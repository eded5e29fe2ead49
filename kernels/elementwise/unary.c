/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/elementwise/unary.h"

#include "kernels/math/curve.h"
#include "kernels/math/dot.h"
#include "kernels/math/fast_math.h"
#include "kernels/math/quant.h"

static inline float round_even(float x)
{
	float below = floorf(x), rest = x - below;
	return rest < 0.5f || (rest == 0.5f && fmodf(below, 2) == 0) ? below : below + 1;
}

static inline float hard_swish(float x)
{
	float gate = x + 3 > 0 ? x + 3 : 0;
	return x * (gate < 6 ? gate : 6) / 6;
}

/* With ek_fast_tanh(), as the reference has it in rows of GELU: with tanhf(), 1 + tanh near -1 is another
 * number. */
static inline float gelu_tanh(float x)
{
	const float sqrt_two_over_pi = 0.79788456080286535588f;
	float inner = sqrt_two_over_pi * (x + 0.044715f * (x * x * x));
	return 0.5f * x * (1.0f + ek_fast_tanh(inner));
}

#define UNARY(name, type, expression)                                                              \
	void name(void *dst, const void *src, size_t n, const void *params)                        \
	{                                                                                          \
		const type *in = src;                                                              \
		type *out = dst;                                                                   \
		(void)params;                                                                      \
		for (size_t i = 0; i < n; i++) {                                                   \
			const type x = in[i];                                                      \
			out[i] = (type)(expression);                                               \
		}                                                                                  \
	}

UNARY(ek_abs_f32, float, fabsf(x))
UNARY(ek_neg_f32, float, -x)
UNARY(ek_sign_f32, float, x > 0 ? 1 : x < 0 ? -1 : x == x ? 0 : x)
UNARY(ek_square_f32, float, (x) * (x))
/* The sign of the NaN that a negative number gives is the CPU's own choice: here it is x86's. */
static float root(float x)
{
	return x < 0 ? -NAN : sqrtf(x);
}

UNARY(ek_sqrt_f32, float, root(x))
UNARY(ek_rsqrt_f32, float, 1.0f / root(x))
UNARY(ek_floor_f32, float, floorf(x))
UNARY(ek_ceil_f32, float, ceilf(x))
UNARY(ek_round_f32, float, round_even(x))
UNARY(ek_exp_f32, float, exp((double)x))
UNARY(ek_log_f32, float, log((double)x))
UNARY(ek_sin_f32, float, sin((double)x))
UNARY(ek_cos_f32, float, cos((double)x))
UNARY(ek_logistic_f32, float, ek_curve_logistic(x, 0))
UNARY(ek_tanh_f32, float, tanh((double)x))
UNARY(ek_elu_f32, float, x < 0 ? expm1((double)x) : (double)x)
UNARY(ek_gelu_f32, float, ek_curve_gelu(x, 0))
UNARY(ek_gelu_tanh_f32, float, gelu_tanh(x))
UNARY(ek_hard_swish_f32, float, hard_swish(x))
UNARY(ek_sign_f64, double, x > 0 ? 1 : x < 0 ? -1 : x == x ? 0 : x)
UNARY(ek_neg_s8, int8_t, -x)
UNARY(ek_neg_s16, int16_t, -x)
UNARY(ek_neg_s32, int32_t, ek_sub32(0, x))
UNARY(ek_neg_s64, int64_t, 0 - (uint64_t)x)
UNARY(ek_abs_s16, int16_t, x < 0 ? -x : x)
UNARY(ek_abs_s32, int32_t, x < 0 ? ek_sub32(0, x) : x)
UNARY(ek_sign_s32, int32_t, (x > 0) - (x < 0))
UNARY(ek_not_b, uint8_t, x == 0)

void ek_clip_f32(void *dst, const void *src, size_t n, const void *params)
{
	const float *in = src, lo = ((const float *)params)[0], hi = ((const float *)params)[1];
	float *out = dst;
	for (size_t i = 0; i < n; i++) {
		out[i] = ek_clamp_f32(in[i], lo, hi);
	}
}

void ek_leaky_relu_f32(void *dst, const void *src, size_t n, const void *params)
{
	const float *in = src, alpha = *(const float *)params;
	float *out = dst;
	for (size_t i = 0; i < n; i++) {
		out[i] = in[i] > 0 ? in[i] : in[i] * alpha;
	}
}

void ek_fake_quant_f32(void *dst, const void *src, size_t n, const void *params)
{
	const struct ek_fake_quant p = *(const struct ek_fake_quant *)params;
	const float *in = src;
	float *out = dst;
	for (size_t i = 0; i < n; i++) {
		float x = p.lo < in[i] ? in[i] : p.lo;
		x = x < p.hi ? x : p.hi;
		out[i] = roundf((x - p.lo) * p.inverse) * p.scale + p.lo;
	}
}

#define COMPLEX(name, expression)                                                                  \
	void name(void *dst, const void *src, size_t n, const void *params)                        \
	{                                                                                          \
		const float *in = src;                                                             \
		float *out = dst;                                                                  \
		(void)params;                                                                      \
		for (size_t i = 0; i < n; i++) {                                                   \
			const float re = in[2 * i], im = in[2 * i + 1];                            \
			(void)re;                                                                  \
			(void)im;                                                                  \
			out[i] = (float)(expression);                                              \
		}                                                                                  \
	}

COMPLEX(ek_real_c64, re)
COMPLEX(ek_imag_c64, im)
COMPLEX(ek_abs_c64, hypot((double)re, (double)im))

const struct ek_unary ek_logistic_list[] = {
	{{"logistic_f32__c", 0}, ek_logistic_f32},
#if defined(__x86_64__)
	{{"logistic_f32__avx512vnni", EK_CPU_AVX512_VNNI}, ek_logistic_f32__avx512vnni},
#endif
};
const struct ek_unary ek_tanh_list[] = {
	{{"tanh_f32__c", 0}, ek_tanh_f32},
#if defined(__x86_64__)
	{{"tanh_f32__avx512vnni", EK_CPU_AVX512_VNNI}, ek_tanh_f32__avx512vnni},
#endif
};
const size_t ek_logistic_list_count = sizeof(ek_logistic_list) / sizeof(ek_logistic_list[0]);
const size_t ek_tanh_list_count = sizeof(ek_tanh_list) / sizeof(ek_tanh_list[0]);
