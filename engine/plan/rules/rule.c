/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan/rules/rule.h"

#include <errno.h>
#include <math.h>

#include "base/bytes.h"

uint64_t rule_elements(const struct shape *shape)
{
	uint64_t n = 0;
	return shape_elements(shape, &n) < 0 ? 0 : n;
}

uint64_t rule_cost_mul(uint64_t a, uint64_t b)
{
	uint64_t product = 0;
	return bytes_mul_overflows(a, b, &product) ? UINT64_MAX : product;
}

uint64_t rule_cost_add(uint64_t a, uint64_t b)
{
	uint64_t sum = 0;
	return bytes_add_overflows(a, b, &sum) ? UINT64_MAX : sum;
}

uint64_t rule_cost_elements(const struct shape *shape)
{
	uint64_t n = shape_known(shape) ? 1 : 0;
	for (unsigned int i = 0; n && i < shape->rank; i++) {
		n = rule_cost_mul(n, (uint64_t)shape->dim[i]);
	}
	return n;
}

void rule_set_unknown(struct shape *shape, unsigned int rank)
{
	*shape = (struct shape){.rank = (uint8_t)rank};
	for (unsigned int i = 0; i < rank; i++) {
		shape->dim[i] = -1;
	}
}

int rule_type_among(const struct op_context *ctx, const struct tensor *t, const char *name,
	uint32_t mask, struct error *err)
{
	if (t->type < DTYPE_COUNT && mask >> t->type & 1) {
		return 0;
	}
	return error_set(err, -EOPNOTSUPP, "%s v%u with %s %s is not there yet",
		operators_name(ctx->node->op), ctx->node->version, dtype_name(t->type), name);
}

int rule_type_is(const struct tensor *t, const char *name, unsigned int type, struct error *err)
{
	if (t->type != type) {
		return error_set(err, -EBADMSG, "%s is %s, must be %s", name, dtype_name(t->type),
			dtype_name(type));
	}
	return 0;
}

int rule_rank_is(const struct shape *shape, const char *name, unsigned int rank, struct error *err)
{
	if (shape->rank != rank) {
		return error_set(
			err, -EBADMSG, "%s has rank %u, must have %u", name, shape->rank, rank);
	}
	return 0;
}

int rule_rank_from(
	const struct shape *shape, const char *name, unsigned int least, struct error *err)
{
	if (shape->rank < least) {
		return error_set(err, -EBADMSG, "%s has rank %u, must have %u or more", name,
			shape->rank, least);
	}
	return 0;
}

int rule_not_empty(const struct shape *shape, const char *name, struct error *err)
{
	for (unsigned int i = 0; i < shape->rank; i++) {
		if (shape->dim[i] < 1) {
			char text[SHAPE_TEXT_SIZE];
			return error_set(err, -EBADMSG, "%s of shape %s is empty", name,
				shape_format(text, sizeof(text), shape));
		}
	}
	return 0;
}

int rule_stretches(
	const struct shape *shape, const char *name, const struct shape *to, struct error *err)
{
	bool fits = shape->rank <= to->rank;
	for (unsigned int i = 1; fits && i <= shape->rank; i++) {
		int32_t dim = shape->dim[shape->rank - i];
		fits = dim == 1 || dim == to->dim[to->rank - i];
	}
	if (!fits) {
		char text[SHAPE_TEXT_SIZE], to_text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "%s of shape %s does not broadcast to %s", name,
			shape_format(text, sizeof(text), shape),
			shape_format(to_text, sizeof(to_text), to));
	}
	return 0;
}

int rule_per_tensor(const struct tensor *t, const char *name, struct error *err)
{
	if (t->quant.n_scales != 1) {
		return error_set(err, -EBADMSG, "%s (%s) has %u scales, must have one", name,
			dtype_name(t->type), t->quant.n_scales);
	}
	return 0;
}

int rule_per_channel(const struct tensor *t, const char *name, const struct shape *shape,
	uint32_t dimension, struct error *err)
{
	uint32_t n = t->quant.n_scales;
	if (n == 1) {
		return 0;
	}
	if (dimension >= shape->rank || n != (uint32_t)shape->dim[dimension]) {
		return error_set(err, -EBADMSG, "%s has %u scales, must have one, or %d", name, n,
			dimension < shape->rank ? (int)shape->dim[dimension] : 1);
	}
	if (t->quant.dimension != dimension) {
		return error_set(err, -EBADMSG, "%s is scaled along dimension %u, must be along %u",
			name, t->quant.dimension, dimension);
	}
	return 0;
}

int rule_zero_points_zero(const struct tensor *t, const char *name, struct error *err)
{
	/* As many as channels: all are looked at before one is looked for. */
	const bool plain = bytes_are_zero(t->quant.zero_point, 8 * (size_t)t->quant.n_zero_points);
	for (uint32_t i = 0; !plain; i++) {
		int64_t zero = quant_zero(&t->quant, i);
		if (zero != 0) {
			return error_set(err, -EBADMSG, "%s (%s) has zero point %lld, must have 0",
				name, dtype_name(t->type), (long long)zero);
		}
	}
	return 0;
}

int rule_quantised(const struct tensor *t, const char *name, struct error *err)
{
	int r = rule_per_tensor(t, name, err);
	if (r < 0) {
		return r;
	}
	return t->type == DTYPE_INT16 || t->type == DTYPE_INT32
		? rule_zero_points_zero(t, name, err)
		: 0;
}

int rule_multiplier(double factor, int max_shift, const char *name, struct error *err)
{
	if (!isfinite(factor) || factor < 0 || factor >= ldexp(1, max_shift)) {
		return error_set(err, -EBADMSG, "%s is rescaled by %g, must be below 2^%d", name,
			factor, max_shift);
	}
	return 0;
}

bool rule_power_of_two(float scale, int *ret_log2)
{
	float exact = (float)(log((double)scale) * (1.0 / log(2.0)));
	float rounded = roundf(exact);
	if (!isfinite(exact) || fabsf(exact - rounded) >= 1e-3f) {
		return false;
	}
	*ret_log2 = (int)rounded;
	return true;
}

int rule_fused(const struct op_context *ctx, unsigned int activation, const struct tensor *output,
	struct error *err)
{
	static const float limit[] = {
		[ACTIVATION_NONE] = 0,
		[ACTIVATION_RELU] = 0,
		[ACTIVATION_RELU_N1_TO_1] = 1,
		[ACTIVATION_RELU6] = 6,
	};
	if (activation > ACTIVATION_RELU6) {
		return error_set(err, -EOPNOTSUPP,
			"%s v%u with fused activation %u is not there yet",
			operators_name(ctx->node->op), ctx->node->version, activation);
	}
	bool codes = output->type == DTYPE_INT8 || output->type == DTYPE_UINT8 ||
		output->type == DTYPE_INT16;
	if (!codes || output->quant.n_scales == 0) {
		return 0;
	}
	return rule_multiplier((double)(limit[activation] / output->quant.scale[0]), RULE_MAX_SHIFT,
		"limit of the fused activation", err);
}

int rule_moved(const struct op_context *ctx, uint32_t i, uint32_t mask, struct error *err)
{
	unsigned int type = op_context_input(ctx, i)->type;
	int r = rule_type_among(ctx, op_context_input(ctx, i), "input", mask, err);
	for (uint32_t k = 0; r == 0 && k < ctx->node->n_outputs; k++) {
		r = rule_type_is(rule_output(ctx, k), "output", type, err);
	}
	return r;
}

int rule_same_scale(
	const struct tensor *t, const char *name, const struct tensor *output, struct error *err)
{
	const struct quant *a = &t->quant, *b = &output->quant;
	if (t->type != DTYPE_INT8 && t->type != DTYPE_UINT8 && t->type != DTYPE_INT16) {
		return 0;
	}
	float scale_a = a->n_scales == 1 ? a->scale[0] : 0;
	float scale_b = b->n_scales == 1 ? b->scale[0] : 0;
	int64_t zero_a = a->n_scales == 1 ? quant_zero(a, 0) : 0;
	int64_t zero_b = b->n_scales == 1 ? quant_zero(b, 0) : 0;
	if (scale_a != scale_b || zero_a != zero_b) {
		return error_set(err, -EBADMSG, "%s (%s) has another scale than the output", name,
			dtype_name(t->type));
	}
	return 0;
}

int rule_same_codes(
	const struct op_context *ctx, const struct tensor *t, const char *name, struct error *err)
{
	int r = rule_same_scale(t, name, rule_output(ctx, 0), err);
	return r == 0 && t->type == DTYPE_INT16 ? rule_zero_points_zero(t, name, err) : r;
}

int rule_list(const struct op_context *ctx, uint32_t i, const char *name, int32_t n, int32_t width,
	struct error *err)
{
	const struct tensor *t = op_context_input(ctx, i);
	const struct shape *shape = rule_shape(ctx, i);
	if (t->type != DTYPE_INT32 && t->type != DTYPE_INT64) {
		return error_set(err, -EBADMSG, "input %u (%s) is %s, must be int32 or int64", i,
			name, dtype_name(t->type));
	}
	bool fits = shape->rank == (width ? 2 : 1) && shape->dim[0] == n &&
		(!width || shape->dim[1] == width);
	if (!fits) {
		char is[SHAPE_TEXT_SIZE], must[SHAPE_TEXT_SIZE];
		struct shape wanted = {.rank = width ? 2 : 1, .dim = {n, width}};
		return error_set(err, -EBADMSG, "input %u (%s) is %s, must be %s", i, name,
			shape_format(is, sizeof(is), shape),
			shape_format(must, sizeof(must), &wanted));
	}
	return 0;
}

int rule_set_dim(struct shape *shape, unsigned int i, int64_t dim, struct error *err)
{
	if (dim < 0 || dim > SHAPE_MAX_DIM) {
		return error_set(err, -EBADMSG, "dimension %u of the output is %lld, must be 0..%d",
			i, (long long)dim, SHAPE_MAX_DIM);
	}
	shape->dim[i] = (int32_t)dim;
	return 0;
}

bool rule_known(const struct op_context *ctx, uint32_t i)
{
	return ctx->constants[ctx->node->inputs[i]] || rule_elements(rule_shape(ctx, i)) == 0;
}

int64_t rule_value(const struct op_context *ctx, uint32_t i, uint64_t k)
{
	const uint8_t *data = ctx->constants[ctx->node->inputs[i]];
	switch (op_context_input(ctx, i)->type) {
	case DTYPE_INT8:
		return (int8_t)data[k];
	case DTYPE_INT16:
		return (int16_t)bytes_get_u16(data + 2 * k);
	case DTYPE_INT64:
		return (int64_t)bytes_get_u64(data + 8 * k);
	default:
		return (int32_t)bytes_get_u32(data + 4 * k);
	}
}

int rule_one_element(const struct op_context *ctx, uint32_t i, const char *name, struct error *err)
{
	const struct shape *shape = rule_shape(ctx, i);
	if (rule_elements(shape) != 1) {
		char text[SHAPE_TEXT_SIZE];
		return error_set(err, -EBADMSG, "input %u (%s) is %s, must have one element", i,
			name, shape_format(text, sizeof(text), shape));
	}
	return 0;
}

int rule_scalar_parameter(
	const struct op_context *ctx, uint32_t i, const char *name, bool wide, struct error *err)
{
	const struct tensor *t = op_context_input(ctx, i);
	if (t->type != DTYPE_INT32 && !(wide && t->type == DTYPE_INT64)) {
		return error_set(err, -EBADMSG, "input %u (%s) is %s, must be int32%s", i, name,
			dtype_name(t->type), wide ? " or int64" : "");
	}
	return rule_one_element(ctx, i, name, err);
}

int rule_axis(int64_t axis, unsigned int rank, unsigned int *ret, struct error *err)
{
	if (axis < -(int64_t)rank || axis >= (int64_t)rank) {
		return error_set(
			err, -EBADMSG, "axis %lld of a tensor of rank %u", (long long)axis, rank);
	}
	*ret = (unsigned int)(axis < 0 ? axis + rank : axis);
	return 0;
}

int rule_option(const char *name, int32_t value, int32_t min, int32_t max, struct error *err)
{
	return value < min || value > max ? error_set(err, -EBADMSG, "%s is %d, must be %d..%d",
						    name, (int)value, (int)min, (int)max)
					  : 0;
}

int64_t rule_window_count(const struct rule_window *w, unsigned int padding)
{
	int64_t reach = (int64_t)(w->filter - 1) * w->dilation + 1;
	return padding == PADDING_SAME ? ((int64_t)w->size + w->stride - 1) / w->stride
				       : ((int64_t)w->size + w->stride - reach) / w->stride;
}

static bool window_in_range(int32_t h, int32_t w)
{
	return h >= 1 && h <= RULE_MAX_STEP && w >= 1 && w <= RULE_MAX_STEP;
}

/* Checks filters, strides and dilations. Counts are below 0 where a filter is much too large. */
static int count_windows(const struct rule_window *h, const struct rule_window *w,
	unsigned int padding, int32_t *ret_h, int32_t *ret_w, struct error *err)
{
	if (!window_in_range(h->stride, w->stride)) {
		return error_set(err, -EBADMSG, "stride %dx%d", (int)h->stride, (int)w->stride);
	}
	if (!window_in_range(h->dilation, w->dilation)) {
		return error_set(
			err, -EBADMSG, "dilation %dx%d", (int)h->dilation, (int)w->dilation);
	}
	if (!window_in_range(h->filter, w->filter)) {
		return error_set(err, -EBADMSG, "filter %dx%d", (int)h->filter, (int)w->filter);
	}
	/* One output is computed at a stretch: a deadline is not looked at within it. */
	int64_t seen_h = h->filter < h->size ? h->filter : h->size,
		seen_w = w->filter < w->size ? w->filter : w->size;
	if (seen_h * seen_w > RULE_MAX_WINDOW) {
		return error_set(err, -EFBIG, "a window sees %lld elements, at most %d",
			(long long)(seen_h * seen_w), RULE_MAX_WINDOW);
	}
	if (padding > PADDING_VALID) {
		return error_set(err, -EBADMSG, "padding %u", padding);
	}
	*ret_h = (int32_t)rule_window_count(h, padding);
	*ret_w = (int32_t)rule_window_count(w, padding);
	return 0;
}

int rule_windows(const struct rule_window *h, const struct rule_window *w, unsigned int padding,
	int32_t *ret_h, int32_t *ret_w, struct error *err)
{
	int r = count_windows(h, w, padding, ret_h, ret_w, err);
	if (r == 0 && (*ret_h < 0 || *ret_w < 0)) {
		return error_set(err, -EBADMSG, "filter %dx%d is larger than input %dx%d",
			(int)h->filter, (int)w->filter, (int)h->size, (int)w->size);
	}
	return r;
}

int rule_pool_windows(const struct rule_window *h, const struct rule_window *w,
	unsigned int padding, int32_t *ret_h, int32_t *ret_w, struct error *err)
{
	int r = count_windows(h, w, padding, ret_h, ret_w, err);
	if (r < 0) {
		return r;
	}
	*ret_h = *ret_h < 0 || *ret_w < 0 ? 0 : *ret_h;
	*ret_w = *ret_w < 0 ? 0 : *ret_w;
	return 0;
}
