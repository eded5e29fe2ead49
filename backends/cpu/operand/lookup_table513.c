/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/operand/lookup_table513.h"

#include <math.h>

#include "backends/cpu/operand/quant_params.h"

static int16_t clamp16(double v)
{
	return (int16_t)fmin(fmax(v, -32768), 32767);
}

void lookup_table513_fill(double (*function)(double), const struct table513_range *range,
	int16_t table[static EK_LUT513])
{
	double a = range->in_scale * (-32768 - range->in_zero);
	double b = range->in_scale * (32767 - range->in_zero);
	double step = (b - a) / 512, half = step / 2;
	double inverse = 65536 /
		(range->out_scale * (32767 - range->out_zero) -
			range->out_scale * (-32768 - range->out_zero));
	for (int i = 0; i < 512; i++) {
		double left = function(a + i * step), right = function(a + (i + 1) * step);
		double middle = function(a + i * step + half);
		double sample = round(left * inverse);
		double line = round((right * inverse + sample) / 2);
		double bend = round((line - round(middle * inverse)) / 2);
		table[i] = clamp16(sample - bend);
	}
	table[512] = clamp16(round(function(b) * inverse));
}

static int16_t clamp16f(float v)
{
	return (int16_t)(v < -32768 ? -32768 : v > 32767 ? 32767 : v == v ? v : 0);
}

void lookup_table513_fill_curve(const struct op_setup *setup, ek_curve_fn *curve, float undefined,
	int16_t table[static EK_LUT513])
{
	const struct tensor *in = op_tensor_in(setup, 0), *out = op_tensor_out(setup, 0);
	const int32_t zero = (int32_t)quant_zero(&in->quant, 0),
		      out_zero = (int32_t)quant_zero(&out->quant, 0);
	float a = quant_params_scale(in, 0) * (float)(-32768 - zero);
	float b = quant_params_scale(in, 0) * (float)(32767 - zero);
	float low = quant_params_scale(out, 0) * (float)(-32768 - out_zero);
	float high = quant_params_scale(out, 0) * (float)(32767 - out_zero);
	float step = (b - a) / 512, half = step / 2, inverse = 65536 / (high - low);
	for (int i = 0; i < 512; i++) {
		float left = a + (float)i * step;
		float sample = roundf(curve(left, undefined) * inverse);
		float right = curve(a + (float)(i + 1) * step, undefined) * inverse;
		float middle = roundf(curve(left + half, undefined) * inverse);
		float line = roundf((right + sample) / 2);
		table[i] = clamp16f(sample - roundf((line - middle) / 2));
	}
	table[512] = clamp16f(roundf(curve(b, undefined) * inverse));
}
