/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/ops/conv/conv_prepare.h"

#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/operand/sparse.h"
#include "backends/cpu/tiles.h"

struct ek_window_axis conv_prepare_axis(
	int32_t in, int32_t out, int32_t taps, int32_t stride, int32_t dilation)
{
	int64_t reach = ((int64_t)taps - 1) * dilation + 1;
	int64_t total = ((int64_t)out - 1) * stride + reach - in;
	return (struct ek_window_axis){
		.in = (uint32_t)in,
		.out = (uint32_t)out,
		.taps = (uint32_t)taps,
		.stride = (uint32_t)stride,
		.dilation = (uint32_t)dilation,
		.pad = (uint32_t)(total > 0 ? total / 2 : 0),
	};
}

struct ek_window conv_prepare_window(const struct op_setup *setup)
{
	const struct shape *in = op_shape_in(setup, 0), *w = op_shape_in(setup, 1);
	const struct shape *out = op_shape_out(setup, 0);
	const struct options_conv *o = &setup->node->options.conv;
	const struct op_pad *pad = &setup->pad;
	const int32_t height = in->dim[1] + (int32_t)(pad->top + pad->bottom);
	const int32_t width = in->dim[2] + (int32_t)(pad->left + pad->right);
	struct ek_window window = {
		.batch = (uint32_t)in->dim[0],
		.y = conv_prepare_axis(height, out->dim[1], w->dim[1], o->stride_h, o->dilation_h),
		.x = conv_prepare_axis(width, out->dim[2], w->dim[2], o->stride_w, o->dilation_w),
	};
	window.y.in = (uint32_t)in->dim[1];
	window.y.pad += pad->top;
	window.x.in = (uint32_t)in->dim[2];
	window.x.pad += pad->left;
	return window;
}

static bool weights_fit(unsigned int type, unsigned int weights)
{
	switch (type) {
	case DTYPE_FLOAT32:
		return weights == DTYPE_FLOAT32 || weights == DTYPE_INT8 || weights == DTYPE_INT4 ||
			weights == DTYPE_UINT8;
	case DTYPE_UINT8:
		return weights == DTYPE_UINT8;
	case DTYPE_INT8:
	case DTYPE_INT16:
		return weights == DTYPE_INT8 || weights == DTYPE_INT4;
	default:
		return false;
	}
}

static bool bias_fits(unsigned int type, unsigned int bias)
{
	switch (type) {
	case DTYPE_FLOAT32:
		return bias == DTYPE_FLOAT32;
	case DTYPE_INT16:
		return bias == DTYPE_INT64 || bias == DTYPE_INT32;
	default:
		return bias == DTYPE_INT32;
	}
}

int conv_prepare_accept_operands(const struct op_setup *setup, struct error *err)
{
	const struct tensor *in = op_tensor_in(setup, 0), *weights = op_tensor_in(setup, 1);
	const struct tensor *bias = op_tensor_in(setup, 2);
	if (!weights_fit(in->type, weights->type)) {
		return error_set(err, -EOPNOTSUPP, "%s input with %s weights is not there yet",
			dtype_name(in->type), dtype_name(weights->type));
	}
	if (bias && !bias_fits(in->type, bias->type)) {
		return error_set(err, -EOPNOTSUPP, "%s input with %s bias", dtype_name(in->type),
			dtype_name(bias->type));
	}
	return 0;
}

bool conv_prepare_is_hybrid(const struct op_setup *setup)
{
	return op_tensor_in(setup, 0)->type == DTYPE_FLOAT32 &&
		op_tensor_in(setup, 1)->type != DTYPE_FLOAT32;
}

int conv_prepare_accept_types(const struct op_setup *setup, struct error *err)
{
	unsigned int in = op_tensor_in(setup, 0)->type, out = op_tensor_out(setup, 0)->type;
	if (in != out) {
		return error_set(err, -EOPNOTSUPP, "%s input with %s output", dtype_name(in),
			dtype_name(out));
	}
	return conv_prepare_accept_operands(setup, err);
}

struct conv_bias conv_bias_bind(const struct op_call *call)
{
	const struct value *bias = op_in(call, 2);
	if (!bias) {
		return (struct conv_bias){NULL, NULL};
	}
	bool is_64 = call->subgraph->tensors[call->node->inputs[2]].type == DTYPE_INT64;
	return is_64 ? (struct conv_bias){.b64 = bias->data}
		     : (struct conv_bias){.b32 = bias->data};
}

int conv_prepare_scales(struct op_setup *setup, uint32_t channels,
	const struct ek_scale **ret_scales, struct error *err)
{
	const struct tensor *in = op_tensor_in(setup, 0), *weights = op_tensor_in(setup, 1);
	float si = quant_params_scale(in, 0), so = quant_params_scale(op_tensor_out(setup, 0), 0);
	bool filled = false;
	struct ek_scale *scales = op_alloc_pack(setup, channels * sizeof(*scales), &filled);
	if (!scales) {
		return op_alloc_failed(setup, err);
	}
	for (uint32_t n = 0; n < channels && !filled; n++) {
		float sw = quant_params_scale(weights, n);
		double product = in->type == DTYPE_UINT8 ? (double)(si * sw) : (double)si * sw;
		scales[n] = quant_params_split(product / (double)so);
		/* MBQM64 shifts right by 15 - shift. */
		if (in->type == DTYPE_INT16 && scales[n].shift > 14) {
			return error_set(err, -EOPNOTSUPP, "scale of channel %u is too large", n);
		}
	}
	*ret_scales = scales;
	return 0;
}

/* Packing touches a weight in about the time that plain C takes for ten products. */
#define FEW_ROWS 32

uint64_t conv_prepare_features(const struct op_setup *setup, uint64_t rows)
{
	bool pays = !setup->for_one_run || rows >= FEW_ROWS;
	bool known = op_constant(setup, 1) && (!op_tensor_in(setup, 2) || op_constant(setup, 2));
	return known && pays ? setup->cpu_features : 0;
}

/* Two's complement nibbles, the low one first. */
static int8_t nibble(const uint8_t *packed, uint64_t i)
{
	unsigned int v = i % 2 ? packed[i / 2] >> 4 : packed[i / 2] & 15;
	return (int8_t)((int)(v ^ 8) - 8);
}

static void unpack_int4(const uint8_t *packed, uint64_t elements, int8_t *ret_codes)
{
	for (uint64_t i = 0; i < elements; i++) {
		ret_codes[i] = nibble(packed, i);
	}
}

/* Constant weights that no kernel reads as they are in the file. */
static int expand(struct op_setup *setup, uint64_t elements, void **ret_made, struct error *err)
{
	const struct tensor *t = op_tensor_in(setup, 1);
	uint64_t bytes = t->type == DTYPE_INT4 ? elements : elements * (dtype_bits(t->type) / 8);
	void *made = op_alloc(setup, bytes);
	if (!made) {
		return op_alloc_failed(setup, err);
	}
	if (t->type == DTYPE_INT4) {
		unpack_int4(op_constant(setup, 1), elements, made);
	} else {
		sparse_densify(t, op_constant(setup, 1), made);
	}
	*ret_made = made;
	return 0;
}

int conv_weights_prepare(struct op_setup *setup, uint64_t elements, uint64_t packed_bytes,
	struct conv_weights *ret_weights, struct error *err)
{
	const struct tensor *t = op_tensor_in(setup, 1);
	struct conv_weights w = {0};
	if (t->type == DTYPE_INT4 && !op_constant(setup, 1)) {
		w.n_unpacked = elements;
		w.unpacked_at = op_scratch(setup, elements);
	} else if (t->type == DTYPE_INT4 || t->sparsity) {
		int r = expand(setup, elements, &w.made, err);
		if (r < 0) {
			return r;
		}
		w.plain = w.made;
	} else if (packed_bytes) {
		w.plain = op_constant(setup, 1);
	}
	if (packed_bytes) {
		w.packed_bytes = packed_bytes;
		w.packed = op_alloc_pack(setup, packed_bytes, &w.is_packed);
		if (!w.packed) {
			return op_alloc_failed(setup, err);
		}
	}
	*ret_weights = w;
	return 0;
}

void conv_weights_pack(
	struct op_setup *setup, struct conv_weights *weights, op_pack_fn *pack, const void *state)
{
	if (!weights->packed) {
		return;
	}
	weights->source = weights->plain;
	weights->plain = weights->packed;
	if (!weights->is_packed) {
		op_pack_weights(setup, pack, state, weights->packed_bytes);
	}
}

int conv_weights_unpack_int4(
	const struct op_call *call, const struct conv_weights *weights, struct error *err)
{
	struct tiles t = {.total = weights->n_unpacked, .control = call->control};
	while (tiles_next(&t)) { /* whole bytes: tiles are even */
		unpack_int4((const uint8_t *)op_in(call, 1)->data + t.at / 2, t.count,
			(int8_t *)call->scratch + (size_t)(weights->unpacked_at + t.at));
	}
	return tiles_end(&t, err);
}

const void *conv_weights_bind(const struct op_call *call, const struct conv_weights *weights)
{
	if (weights->plain && weights->n_unpacked == 0) {
		return weights->plain; /* without a look at the operand, which is far away */
	}
	return weights->n_unpacked == 0
		? op_in(call, 1)->data
		: (const uint8_t *)call->scratch + (size_t)weights->unpacked_at;
}
