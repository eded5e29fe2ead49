/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/operand/quant_params.h"

#include <float.h>
#include <math.h>

struct ek_scale quant_params_split(double scale)
{
	struct ek_scale none = {0, 0};
	if (!(scale > 0) || !isfinite(scale)) {
		return none;
	}
	int shift = 0;
	int64_t m = (int64_t)round(frexp(scale, &shift) * 2147483648.0);
	if (m == (int64_t)1 << 31) {
		m /= 2;
		shift++;
	}
	if (shift < -31 || shift > 31) {
		return none;
	}
	return (struct ek_scale){(int32_t)m, shift};
}

float quant_params_scale(const struct tensor *t, uint32_t channel)
{
	if (!t->quant.n_scales) {
		return 1;
	}
	return t->quant.scale[t->quant.n_scales > 1 ? channel : 0];
}

double quant_params_common_scale(const struct op_setup *setup, struct ek_arith_q *ret)
{
	const struct tensor *a = op_tensor_in(setup, 0), *b = op_tensor_in(setup, 1);
	double a_scale = (double)quant_params_scale(a, 0),
	       b_scale = (double)quant_params_scale(b, 0);
	double twice = 2 * fmax(a_scale, b_scale);
	ret->a_zero = (int32_t)quant_zero(&a->quant, 0);
	ret->b_zero = (int32_t)quant_zero(&b->quant, 0);
	ret->zero = (int32_t)quant_zero(&op_tensor_out(setup, 0)->quant, 0);
	ret->a_scale = quant_params_split(a_scale / twice);
	ret->b_scale = quant_params_split(b_scale / twice);
	return twice;
}

void quant_params_type_range(unsigned int dtype, int32_t *ret_lo, int32_t *ret_hi)
{
	bool is_signed = dtype != DTYPE_UINT8 && dtype != DTYPE_UINT16;
	unsigned int bits = dtype_bits(dtype);
	int64_t span = (int64_t)1 << bits;
	*ret_lo = (int32_t)(is_signed ? -span / 2 : 0);
	*ret_hi = (int32_t)(is_signed ? span / 2 - 1 : span - 1);
}

int32_t quant_params_code(const struct tensor *t, float x)
{
	int32_t q = ek_round32(roundf(x / quant_params_scale(t, 0)));
	return ek_sat32((int64_t)q + quant_zero(&t->quant, 0));
}

/* The real bounds of an activation; -EOPNOTSUPP for those that are no clamp. */
static int activation_bounds(
	unsigned int activation, float *ret_lo, float *ret_hi, struct error *err)
{
	switch (activation) {
	case ACTIVATION_NONE:
		*ret_lo = -FLT_MAX;
		*ret_hi = FLT_MAX;
		return 0;
	case ACTIVATION_RELU:
		*ret_lo = 0;
		*ret_hi = FLT_MAX;
		return 0;
	case ACTIVATION_RELU6:
		*ret_lo = 0;
		*ret_hi = 6;
		return 0;
	case ACTIVATION_RELU_N1_TO_1:
		*ret_lo = -1;
		*ret_hi = 1;
		return 0;
	default:
		return error_set(err, -EOPNOTSUPP, "fused activation %u", activation);
	}
}

int quant_params_activation_range(unsigned int activation, const struct tensor *t, int32_t *ret_lo,
	int32_t *ret_hi, struct error *err)
{
	float lo = 0, hi = 0;
	int r = activation_bounds(activation, &lo, &hi, err);
	if (r < 0) {
		return r;
	}
	int32_t type_lo = 0, type_hi = 0;
	quant_params_type_range(t->type, &type_lo, &type_hi);
	/* Codes of the bounds, kept in the type: a bound beyond it does not bind. */
	*ret_lo = lo == -FLT_MAX ? type_lo : ek_clamp32(quant_params_code(t, lo), type_lo, type_hi);
	*ret_hi = hi == FLT_MAX ? type_hi : ek_clamp32(quant_params_code(t, hi), type_lo, type_hi);
	return 0;
}

int quant_params_activation_range_float(
	unsigned int activation, float *ret_lo, float *ret_hi, struct error *err)
{
	return activation_bounds(activation, ret_lo, ret_hi, err);
}
