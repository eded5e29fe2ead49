/* SPDX-License-Identifier: Apache-2.0 */
/* REVERSE_SEQUENCE: lengths are data, read anew in each run. Source: tflite
 * kernels/reverse_sequence.cc. */
#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/indices.h"
#include "backends/cpu/operand/strided.h"
#include "backends/cpu/tiles.h"

struct reverse_state {
	struct ek_strided_copy walk; /* of one batch entry, whole */
	uint32_t element_bytes;
	uint32_t along; /* dimension that is reversed */
	ptrdiff_t batch_step;
	uint64_t batch, entry; /* entries, and elements of each */
};

static void reverse_init(struct op_setup *setup)
{
	const struct options_reverse_sequence *o = &setup->node->options.reverse_sequence;
	const struct shape *in = op_shape_in(setup, 0);
	struct reverse_state *s = setup->state;
	s->element_bytes = (uint32_t)op_accept_element_bytes(op_tensor_in(setup, 0));
	s->along = (uint32_t)o->seq_dim;
	s->batch = (uint64_t)in->dim[o->batch_dim];
	s->entry = s->batch ? op_elements(in) / s->batch : 0;
	s->walk.rank = in->rank;
	strided_steps(in, s->element_bytes, s->walk.src_step);
	strided_steps(in, s->element_bytes, s->walk.dst_step);
	for (uint32_t i = 0; i < in->rank; i++) {
		s->walk.size[i] = (size_t)in->dim[i];
	}
	s->batch_step = s->walk.src_step[o->batch_dim];
	s->walk.size[o->batch_dim] = 1;
}

/* Elements first .. end - 1 of the dimension, back to front where they are the first. */
static int copy_part(const struct reverse_state *s, const struct op_call *call, ptrdiff_t at,
	size_t first, size_t end, struct error *err)
{
	struct ek_strided_copy walk = s->walk;
	ptrdiff_t step = walk.src_step[s->along];
	char *dst = (char *)op_out(call, 0)->data + at + (ptrdiff_t)first * step;
	const char *src = (const char *)op_in(call, 0)->data + at + (ptrdiff_t)first * step;
	if (first >= end) {
		return 0;
	}
	walk.size[s->along] = end - first;
	if (first == 0) {
		src += (ptrdiff_t)(end - 1) * step;
		walk.src_step[s->along] = -step;
	}
	ek_strided_copy_simplify(&walk);
	return strided_copy(dst, src, s->element_bytes, &walk, call->control, err);
}

static int copy_entry(
	const struct reverse_state *s, const struct op_call *call, uint64_t b, struct error *err)
{
	const struct indices lengths = indices_of(call, 1, "lengths");
	int64_t length = 0;
	size_t size = s->walk.size[s->along];
	ptrdiff_t at = (ptrdiff_t)b * s->batch_step;
	int r = indices_read(&lengths, b, (int64_t)size + 1, &length, err);
	if (r < 0 || s->entry == 0) {
		return r;
	}
	length = length ? length : 1; /* one element is its own reverse */
	r = copy_part(s, call, at, 0, (size_t)length, err);
	return r < 0 ? r : copy_part(s, call, at, (size_t)length, size, err);
}

static int reverse_run(const struct op_call *call, struct error *err)
{
	const struct reverse_state *s = call->state;
	struct tiles t = {
		.total = s->batch, .control = call->control, .each = tiles_rows(s->entry)};
	while (tiles_next(&t)) {
		for (uint64_t b = t.at; b < t.at + t.count; b++) {
			int r = copy_entry(s, call, b, err);
			if (r < 0) {
				return r;
			}
		}
	}
	return tiles_end(&t, err);
}

const struct cpu_op op_reverse_sequence = {.op = OP_REVERSE_SEQUENCE,
	.types = ACCEPT_FIXED,
	.state_bytes = sizeof(struct reverse_state),
	.init = reverse_init,
	.run = reverse_run};
