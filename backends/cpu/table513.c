/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/table513.h"

#include <math.h>

static int16_t clamp16(double v)
{
	return (int16_t)fmin(fmax(v, -32768), 32767);
}

void table513_fill(double (*function)(double), const struct table513_range *range,
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
