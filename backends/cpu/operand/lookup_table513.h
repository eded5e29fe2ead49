/* SPDX-License-Identifier: Apache-2.0 */
/* lookup_table513 - functions of an int16 code, worked out at 513 points at prepare time */
#ifndef BACKENDS_CPU_OPERAND_LOOKUP_TABLE513_H
#define BACKENDS_CPU_OPERAND_LOOKUP_TABLE513_H

#include "backends/cpu/op.h"
#include "kernels/elementwise/lut.h"
#include "kernels/math/curve.h"

/* Scale and zero point of argument and result, both int16. */
struct table513_range {
	double in_scale;
	int32_t in_zero;
	double out_scale;
	int32_t out_zero;
};

/*
 * Points a = in_scale * (-32768 - in_zero) to b = in_scale * (32767 - in_zero), each moved by half
 * of what linear interpolation errs in the middle of the stretch that begins there.
 * Source: gen_lut of tflite kernels/internal/common.h, in double.
 */
void lookup_table513_fill(double (*function)(double), const struct table513_range *range,
	int16_t table[static EK_LUT513]);

/* The same in floats, for input 0 and output 0 of the node, both int16; @undefined: handed on to
 * @curve. NaN gives 0. */
void lookup_table513_fill_curve(const struct op_setup *setup, ek_curve_fn *curve, float undefined,
	int16_t table[static EK_LUT513]);

#endif
