/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_weighted - biases, scales and multipliers of sums of products
 *
 * Formulas of the multipliers: TFLite kernels/kernel_util.cc,
 * PopulateConvolutionQuantizationParams; kernels/internal/reference/fully_connected.h.
 */
#include <errno.h>
#include <math.h>

#include "engine/plan/rules/rule.h"

/* int16 sums are int64 with an int64 bias, unless the option says int32: then both are int32. */
static int check_int16_bias_type(const struct rule_weighted *w, struct error *err)
{
	if (w->bias_type != 0 && w->bias_type != DTYPE_INT32 && w->bias_type != DTYPE_INT64) {
		return error_set(err, -EBADMSG, "quantized_bias_type is %s, must be int32 or int64",
			dtype_name(w->bias_type));
	}
	return w->bias ? rule_type_is(w->bias, "bias",
				 w->bias_type == DTYPE_INT32 ? DTYPE_INT32 : DTYPE_INT64, err)
		       : 0;
}

static int check_bias(const struct rule_weighted *w, struct error *err)
{
	int32_t channels = w->weights_shape->dim[w->dimension];
	if (w->bias && rule_elements(w->bias_shape) != (uint64_t)channels) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "bias is %s, output has %d channels",
			shape_format(text, sizeof(text), w->bias_shape), (int)channels);
	}
	if (w->input->type == DTYPE_INT16) {
		return check_int16_bias_type(w, err);
	}
	return w->bias ? rule_type_is(w->bias, "bias",
				 w->input->type == DTYPE_FLOAT32 ? DTYPE_FLOAT32 : DTYPE_INT32, err)
		       : 0;
}

/* uint8 weights have one scale and any zero point, int8 and int4 ones have zero point 0. */
static int check_weights_quant(const struct rule_weighted *w, struct error *err)
{
	bool one = w->weights->type == DTYPE_UINT8;
	int r = one ? rule_per_tensor(w->weights, "weights", err)
		    : rule_per_channel(w->weights, "weights", w->weights_shape, w->dimension, err);
	if (r < 0 || (one && w->input->type == DTYPE_UINT8)) {
		return r;
	}
	return rule_zero_points_zero(w->weights, "weights", err);
}

/* The bias is added to products without a change of scale. Of weights with a scale per channel this
 * is believed; else GetQuantizedConvolutionMultipler in kernel_util.cc looks: always with uint8, in
 * FULLY_CONNECTED with all codes. */
static int check_bias_scale(const struct rule_weighted *w, struct error *err)
{
	bool looks = w->input->type == DTYPE_UINT8 || w->one_scale;
	if (!w->bias || !looks || w->weights->quant.n_scales != 1) {
		return 0;
	}
	const struct quant *q = &w->bias->quant;
	double product = (double)(w->input->quant.scale[0] * w->weights->quant.scale[0]);
	double bias = q->n_scales == 1 ? (double)q->scale[0] : 0;
	return fabs(product - bias) / (double)w->output->quant.scale[0] <= 0.02
		? 0
		: error_set(err, -EBADMSG, "bias has scale %g, products have %g", bias, product);
}

/* The largest by four chains: there are as many as channels. */
static float largest_scale(const struct quant *q)
{
	float most[4] = {0};
	for (uint32_t c = 0; c + 4 <= q->n_scales; c += 4) {
		for (uint32_t k = 0; k < 4; k++) {
			most[k] = q->scale[c + k] > most[k] ? q->scale[c + k] : most[k];
		}
	}
	for (uint32_t c = q->n_scales / 4 * 4; c < q->n_scales; c++) {
		most[0] = q->scale[c] > most[0] ? q->scale[c] : most[0];
	}
	most[0] = most[1] > most[0] ? most[1] : most[0];
	most[2] = most[3] > most[2] ? most[3] : most[2];
	return most[2] > most[0] ? most[2] : most[0];
}

static uint32_t channel_with(const struct quant *q, float scale)
{
	uint32_t c = 0;
	while (c + 1 < q->n_scales && q->scale[c] < scale) {
		c++;
	}
	return c;
}

/* The larger the scale, the larger the factor: where the largest will do all do. */
static int check_multipliers(const struct rule_weighted *w, struct error *err)
{
	const float largest = largest_scale(&w->weights->quant);
	double input = (double)w->input->quant.scale[0], output = (double)w->output->quant.scale[0];
	bool wide = w->input->type == DTYPE_INT16 && w->bias_type != DTYPE_INT32;
	double factor = input * (double)largest / output;
	int r = rule_multiplier(
		factor, wide ? w->max_shift : RULE_MAX_SHIFT, "sum of products", err);
	if (r < 0) {
		error_prefix(err, "output channel %u", channel_with(&w->weights->quant, largest));
	}
	return r;
}

/* Only weights may be sparse. */
static int check_dense(const struct tensor *t, const char *name, struct error *err)
{
	return t && t->sparsity ? error_set(err, -EOPNOTSUPP, "sparse %s is not there yet", name)
				: 0;
}

int rule_weighted_check(const struct rule_weighted *w, struct error *err)
{
	int r = check_dense(w->input, "input", err);
	r = r < 0 ? r : check_dense(w->bias, "bias", err);
	r = r < 0 ? r : check_bias(w, err);
	if (r < 0 || w->weights->type == DTYPE_FLOAT32) {
		return r;
	}
	r = w->blockwise ? 0 : check_weights_quant(w, err);
	if (r < 0 || w->input->type == DTYPE_FLOAT32) {
		return r;
	}
	r = rule_quantised(w->input, "input", err);
	if (r < 0) {
		return r;
	}
	r = rule_quantised(w->output, "output", err);
	r = r < 0 ? r : check_bias_scale(w, err);
	return r < 0 ? r : check_multipliers(w, err);
}
