/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STABLEHLO_GATHER: for each batch one slice of the operand, its start clamped so that it fits.
 * Source: the StableHLO specification, gather; tflite kernels/stablehlo_gather.cc.
 */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/hlo_index.h"
#include "backends/cpu/operand/indices.h"
#include "backends/cpu/operand/strided.h"
#include "backends/cpu/tiles.h"

struct hlo_gather_state {
	struct hlo_index index;
	ptrdiff_t batch_steps[SHAPE_MAX_RANK]; /* of the output, in bytes */
	struct ek_strided_copy slice; /* one slice; steps of an operand's dimension in src_step */
	ptrdiff_t steps[SHAPE_MAX_RANK]; /* of the operand, in bytes */
	int64_t last[SHAPE_MAX_RANK]; /* where a slice may start at most */
	uint32_t element_bytes;
	bool empty;
};

/* Output dimensions of offsets take the slice's dimensions in order, the others the batch's. */
static void set_steps(struct hlo_gather_state *s, const struct op_setup *setup)
{
	const struct options_hlo_gather *o = &setup->node->options.hlo_gather;
	const struct shape *in = op_shape_in(setup, 0), *out = op_shape_out(setup, 0);
	uint32_t offsets = hlo_index_mask(&o->offset_dims);
	uint32_t collapsed = hlo_index_mask(&o->collapsed_slice_dims);
	ptrdiff_t out_steps[SHAPE_MAX_RANK];
	uint32_t batch = 0, d = 0;
	strided_steps(out, s->element_bytes, out_steps);
	strided_steps(in, s->element_bytes, s->steps);
	s->slice.rank = in->rank;
	for (uint32_t i = 0; i < in->rank; i++) {
		int64_t size = options_list_get(&o->slice_sizes, i);
		s->slice.size[i] = (size_t)size;
		s->slice.src_step[i] = s->steps[i];
		s->last[i] = in->dim[i] - size;
	}
	for (uint32_t i = 0; i < out->rank; i++) {
		if (!(offsets >> i & 1)) {
			s->batch_steps[batch++] = out_steps[i];
			continue;
		}
		while (collapsed >> d & 1) {
			d++;
		}
		s->slice.dst_step[d++] = out_steps[i];
	}
	ek_strided_copy_simplify(&s->slice);
}

static void hlo_gather_init(struct op_setup *setup)
{
	struct hlo_gather_state *s = setup->state;
	const struct options_hlo_gather *o = &setup->node->options.hlo_gather;
	s->element_bytes = (uint32_t)op_accept_element_bytes(op_tensor_out(setup, 0));
	s->empty = op_elements(op_shape_out(setup, 0)) == 0;
	hlo_index_init(&s->index, op_shape_in(setup, 1), o->index_vector_dim, &o->start_index_map);
	set_steps(s, setup);
}

static int gather_slice(const struct op_call *call, uint64_t batch, struct error *err)
{
	const struct hlo_gather_state *s = call->state;
	const struct indices starts = indices_of(call, 1, "start_indices");
	uint64_t coordinates[SHAPE_MAX_RANK];
	uint64_t first = hlo_index_batch(&s->index, batch, coordinates);
	ptrdiff_t from = 0, to = 0;
	for (uint32_t i = 0; i < s->index.batch_rank; i++) {
		to += (ptrdiff_t)coordinates[i] * s->batch_steps[i];
	}
	for (uint32_t i = 0; i < s->index.map_count; i++) {
		uint32_t d = s->index.map[i];
		int64_t start = indices_get(&starts, first + i * s->index.vector_step);
		start = start > s->last[d] ? s->last[d] : start;
		from += (ptrdiff_t)(start < 0 ? 0 : start) * s->steps[d];
	}
	return strided_copy((char *)op_out(call, 0)->data + to,
		(const char *)op_in(call, 0)->data + from, s->element_bytes, &s->slice,
		call->control, err);
}

static int hlo_gather_run(const struct op_call *call, struct error *err)
{
	const struct hlo_gather_state *s = call->state;
	uint64_t slice = 1;
	for (uint32_t i = 0; i < s->slice.rank; i++) {
		slice *= s->slice.size[i];
	}
	struct tiles t = {.total = s->empty ? 0 : s->index.batches,
		.control = call->control,
		.each = tiles_rows(slice)};
	while (tiles_next(&t)) {
		for (uint64_t i = t.at; i < t.at + t.count; i++) {
			int r = gather_slice(call, i, err);
			if (r < 0) {
				return r;
			}
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_stablehlo_gather = {.op = OP_STABLEHLO_GATHER,
	.state_bytes = sizeof(struct hlo_gather_state),
	.init = hlo_gather_init,
	.run = hlo_gather_run};
