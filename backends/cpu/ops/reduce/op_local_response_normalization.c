/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/tiles.h"
#include "kernels/reduce/lrn.h"

/* Sums of one look at the clock, some milliseconds. */
#define TILE_SUMS ((uint64_t)1 << 20)

static int lrn_run(const struct op_call *call, struct error *err)
{
	const struct options_lrn *o = &call->node->options.lrn;
	const struct ek_lrn params = {(size_t)o->radius, o->bias, o->alpha, o->beta};
	const struct value *in = op_in(call, 0);
	const float *src = in->data;
	float *dst = op_out(call, 0)->data;
	uint64_t channels = (uint64_t)in->shape.dim[3];
	uint64_t seen = 2 * params.radius < channels ? 2 * params.radius : channels;
	struct tiles t = {.total = op_elements(&in->shape), .control = call->control};
	t.each = seen < TILE_SUMS / 64 ? TILE_SUMS / (seen + 64) : 1;
	while (tiles_next(&t)) {
		for (uint64_t at = t.at, end = t.at + t.count, n; at < end; at += n) {
			uint64_t pixel = at - at % channels;
			n = tiles_run(at, end, channels);
			ek_lrn_f32(dst + pixel, src + pixel, channels, at % channels, n, &params);
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_local_response_normalization = {
	.op = OP_LOCAL_RESPONSE_NORMALIZATION, .types = ACCEPT(FLOAT32), .run = lrn_run};
