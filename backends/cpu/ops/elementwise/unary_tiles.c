/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/ops/elementwise/unary_tiles.h"

#include "backends/cpu/op_accept.h"
#include "backends/cpu/tiles.h"
#include "kernels/math/f16.h"

uint64_t unary_tiles_f16_scratch(const struct op_setup *setup)
{
	uint64_t n = op_elements(op_shape_in(setup, 0));
	return sizeof(float) * (n < TILE_ELEMENTS ? n : TILE_ELEMENTS);
}

int unary_tiles_run(
	const struct op_call *call, ek_unary_fn *kernel, const void *params, struct error *err)
{
	const struct tensor *tensors = call->subgraph->tensors;
	const size_t in_bytes = op_accept_element_bytes(&tensors[call->node->inputs[0]]);
	const size_t out_bytes = op_accept_element_bytes(&tensors[call->node->outputs[0]]);
	const char *src = op_in(call, 0)->data;
	char *dst = op_out(call, 0)->data;
	struct tiles t = {.total = op_elements(&op_out(call, 0)->shape), .control = call->control};
	while (tiles_next(&t)) {
		kernel(dst + t.at * out_bytes, src + t.at * in_bytes, t.count, params);
	}
	return tiles_end(&t, err);
}

int unary_tiles_run_f16(
	const struct op_call *call, ek_unary_fn *kernel, const void *params, struct error *err)
{
	const uint16_t *src = op_in(call, 0)->data;
	uint16_t *dst = op_out(call, 0)->data;
	struct tiles t = {.total = op_elements(&op_out(call, 0)->shape), .control = call->control};
	while (tiles_next(&t)) {
		ek_f16_to_f32(call->scratch, src + t.at, t.count);
		kernel(call->scratch, call->scratch, t.count, params);
		ek_f16_from_f32(dst + t.at, call->scratch, t.count);
	}
	return tiles_end(&t, err);
}
