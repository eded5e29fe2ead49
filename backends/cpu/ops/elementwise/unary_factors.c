/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/ops/elementwise/unary_factors.h"

#include <math.h>

#include "backends/cpu/operand/quant_params.h"

void unary_factors_alpha(const struct op_setup *setup, union unary_factors *ret)
{
	ret->alpha = setup->node->options.leaky_relu.alpha;
}

/* The range moved so that 0 is a step. Source: NudgeQuantizationRange of tflite
 * kernels/internal/quantization_util.cc, in floats. */
void unary_factors_fake_quant(const struct op_setup *setup, union unary_factors *ret)
{
	const struct options_fake_quant *o = &setup->node->options.fake_quant;
	float top = (float)((1 << o->num_bits) - 1);
	float scale = (o->max - o->min) / top;
	float zero = 0 - o->min / scale;
	zero = zero < 0 ? 0 : zero > top ? top : roundf(zero);
	ret->fake_quant = (struct ek_fake_quant){
		.lo = (0 - zero) * scale,
		.hi = (top - zero) * scale,
		.scale = scale,
		.inverse = 1.0f / scale,
	};
}

static float scale_ratio(const struct op_setup *setup)
{
	return quant_params_scale(op_tensor_in(setup, 0), 0) /
		quant_params_scale(op_tensor_out(setup, 0), 0);
}

void unary_factors_abs(const struct op_setup *setup, struct ek_quantized *ret)
{
	ret->scale = quant_params_split((double)scale_ratio(setup));
}

/* The factor of negative codes may itself be negative: the sign comes after the rounding. */
void unary_factors_leaky_relu(const struct op_setup *setup, struct ek_quantized *ret)
{
	float alpha = setup->node->options.leaky_relu.alpha;
	float below = quant_params_scale(op_tensor_in(setup, 0), 0) * alpha /
		quant_params_scale(op_tensor_out(setup, 0), 0);
	ret->scale = quant_params_split((double)scale_ratio(setup));
	ret->below = quant_params_split(fabs((double)below));
	ret->flips = below < 0;
}

void unary_factors_sqrt(const struct op_setup *setup, struct ek_quantized *ret)
{
	ret->src_step = quant_params_scale(op_tensor_in(setup, 0), 0);
	ret->step = quant_params_scale(op_tensor_out(setup, 0), 0);
}

void unary_factors_rsqrt(const struct op_setup *setup, struct ek_quantized *ret)
{
	float in = quant_params_scale(op_tensor_in(setup, 0), 0);
	float divisor = sqrtf(in) * quant_params_scale(op_tensor_out(setup, 0), 0);
	ret->scale = quant_params_split(1.0 / (double)divisor);
}

/* DownScaleInt32ToInt16Multiplier of tflite kernels/internal/common.h. */
static struct ek_scale split16(float factor)
{
	struct ek_scale s = quant_params_split((double)factor);
	s.multiplier = s.multiplier >= INT32_MAX - (1 << 15) ? INT16_MAX
							     : (s.multiplier + (1 << 15)) >> 16;
	return s;
}

/* Source: HardSwishPrepare of tflite kernels/activations.cc. Codes are 2^7 finer inside; the gate's
 * unit is 3 / 32768. */
void unary_factors_hard_swish(const struct op_setup *setup, struct ek_quantized *ret)
{
	float fine = (1.0f / 128.0f) * quant_params_scale(op_tensor_in(setup, 0), 0);
	ret->scale = split16(fine / quant_params_scale(op_tensor_out(setup, 0), 0));
	ret->below = split16(fine / (3.0f / 32768.0f));
}

float unary_factors_lowest(const struct tensor *out)
{
	int32_t lo, hi;
	quant_params_type_range(out->type, &lo, &hi);
	return (float)(lo - (int32_t)quant_zero(&out->quant, 0)) * quant_params_scale(out, 0);
}

float unary_factors_highest(const struct tensor *out)
{
	int32_t lo, hi;
	quant_params_type_range(out->type, &lo, &hi);
	return (float)hi * quant_params_scale(out, 0);
}
