/* SPDX-License-Identifier: Apache-2.0 */
/* REDUCE_WINDOW and STABLEHLO_REDUCE_WINDOW */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/ops/reduce/reduce_kernel.h"
#include "backends/cpu/params.h"
#include "backends/cpu/tiles.h"
#include "kernels/move/strided_copy.h"
#include "kernels/reduce/reduce_window.h"

/* Elements folded between two looks at the clock. */
#define TILE_FOLDS ((uint64_t)1 << 18)

struct window_state {
	struct ek_reduce_window window;
	uint64_t taps; /* of one output */
	uint64_t tile; /* elements of the output at once */
};

static enum ek_reduce body_fold(const struct op_setup *setup)
{
	int32_t body = setup->node->options.hlo_reduce_window.body;
	switch (setup->graph->subgraphs[body].nodes[0].op) {
	case OP_ADD:
	case OP_STABLEHLO_ADD:
		return EK_REDUCE_ADD;
	case OP_MUL:
	case OP_STABLEHLO_MULTIPLY:
		return EK_REDUCE_MULTIPLY;
	case OP_MAXIMUM:
	case OP_STABLEHLO_MAXIMUM:
		return EK_REDUCE_MAXIMUM;
	case OP_MINIMUM:
	case OP_STABLEHLO_MINIMUM:
		return EK_REDUCE_MINIMUM;
	case OP_LOGICAL_AND:
	case OP_STABLEHLO_AND:
		return EK_REDUCE_AND;
	default:
		return EK_REDUCE_OR;
	}
}

/* Numbers of ReduceWindowFunction in schema.fbs. */
static enum ek_reduce function_fold(const struct op_setup *setup)
{
	static const enum ek_reduce folds[] = {
		[1] = EK_REDUCE_ADD,
		[2] = EK_REDUCE_MULTIPLY,
		[3] = EK_REDUCE_MINIMUM,
		[4] = EK_REDUCE_MAXIMUM,
		[5] = EK_REDUCE_AND,
		[6] = EK_REDUCE_OR,
	};
	return folds[setup->node->options.reduce_window.function];
}

static enum ek_reduce fold_of(const struct op_setup *setup)
{
	return setup->node->op == OP_REDUCE_WINDOW ? function_fold(setup) : body_fold(setup);
}

/* The reference folds bool as the bytes that it is: sums count. */
static ek_sum_fn *kernel_of(const struct op_setup *setup)
{
	unsigned int type = op_tensor_in(setup, 0)->type;
	return reduce_kernel_find(type == DTYPE_BOOL ? DTYPE_UINT8 : type, fold_of(setup));
}

static int window_accept(const struct op_setup *setup, struct error *err)
{
	unsigned int type = op_tensor_in(setup, 0)->type;
	return reduce_kernel_find(type, EK_REDUCE_AND) ? 0
						       : op_accept_missing(dtype_name(type), err);
}

static int64_t list_get(const struct options_list *list, uint32_t i, int64_t otherwise)
{
	return list->count ? options_list_get(list, i) : otherwise;
}

static void axes_of_options(const struct op_setup *setup, struct ek_reduce_axis *axes)
{
	const struct options_hlo_reduce_window *o = &setup->node->options.hlo_reduce_window;
	for (uint32_t i = 0; i < op_shape_in(setup, 0)->rank; i++) {
		axes[i].taps = options_list_get(&o->window, i);
		axes[i].stride = list_get(&o->strides, i, 1);
		axes[i].base = list_get(&o->base_dilations, i, 1);
		axes[i].dilation = list_get(&o->window_dilations, i, 1);
		axes[i].pad = list_get(&o->padding, 2 * i, 0);
	}
}

static int axes_of_operands(
	const struct op_setup *setup, struct ek_reduce_axis *axes, struct error *err)
{
	struct params window, strides, dilations;
	int r = params_read(setup, 2, &window, err);
	r = r < 0 ? r : params_read(setup, 3, &strides, err);
	r = r < 0 ? r : params_read(setup, 4, &dilations, err);
	for (uint32_t i = 0; r == 0 && i < op_shape_in(setup, 0)->rank; i++) {
		axes[i].taps = window.value[i];
		axes[i].stride = strides.value[i];
		axes[i].base = 1;
		axes[i].dilation = dilations.value[i];
		axes[i].pad = 0;
	}
	return r;
}

static bool is_still(const struct ek_reduce_axis *a)
{
	return a->taps == 1 && a->stride == 1 && a->base == 1 && a->pad == 0 && a->in == a->out;
}

/* Dimensions at the end along which the window does not move make the rows. */
static void find_rows(struct ek_reduce_window *w)
{
	w->inner = 1;
	while (w->rank > 0 && is_still(&w->axis[w->rank - 1])) {
		w->inner *= (size_t)w->axis[--w->rank].in;
	}
}

static int window_prepare(struct op_setup *setup, struct error *err)
{
	struct window_state *state = setup->state;
	const struct shape *in = op_shape_in(setup, 0), *out = op_shape_out(setup, 0);
	struct ek_reduce_window *w = &state->window;
	if (setup->node->op == OP_STABLEHLO_REDUCE_WINDOW) {
		axes_of_options(setup, w->axis);
	} else {
		int r = axes_of_operands(setup, w->axis, err);
		if (r < 0) {
			return r;
		}
	}
	state->taps = 1;
	w->rank = in->rank;
	for (uint32_t i = 0; i < in->rank; i++) {
		w->axis[i].in = in->dim[i];
		w->axis[i].out = out->dim[i];
		state->taps *= (uint64_t)w->axis[i].taps;
	}
	find_rows(w);
	w->fold = kernel_of(setup);
	w->element_bytes = op_accept_element_bytes(op_tensor_in(setup, 0));
	state->tile = TILE_FOLDS / state->taps ? TILE_FOLDS / state->taps : 1;
	uint64_t row = w->inner < state->tile ? w->inner : state->tile;
	setup->scratch_bytes = row * w->element_bytes;
	return 0;
}

static int window_run(const struct op_call *call, struct error *err)
{
	const struct window_state *s = call->state;
	const struct ek_reduce_window *w = &s->window;
	const struct value *out = op_out(call, 0);
	uint64_t row = w->inner < s->tile ? w->inner : s->tile;
	struct tiles t = {
		.total = op_elements(&out->shape), .control = call->control, .each = s->tile};
	ek_strided_copy_fill(call->scratch, op_in(call, 1)->data, w->element_bytes, row);
	while (tiles_next(&t)) {
		for (uint64_t at = t.at, end = t.at + t.count, n; at < end; at += n) {
			n = tiles_run(at, end, w->inner);
			ek_reduce_window(w, out->data, op_in(call, 0)->data, at / w->inner,
				at % w->inner, n, call->scratch);
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_reduce_window = {.op = OP_REDUCE_WINDOW,
	.params = 1u << 2 | 1u << 3 | 1u << 4,
	.accept = window_accept,
	.state_bytes = sizeof(struct window_state),
	.prepare = window_prepare,
	.run = window_run};
const struct cpu_op op_stablehlo_reduce_window = {.op = OP_STABLEHLO_REDUCE_WINDOW,
	.accept = window_accept,
	.state_bytes = sizeof(struct window_state),
	.prepare = window_prepare,
	.run = window_run};
