/* SPDX-License-Identifier: Apache-2.0 */
/* WHERE: the places of what is not zero, in row-major order. Source: tflite kernels/where.cc. */
#include "backends/cpu/op.h"
#include "backends/cpu/tiles.h"
#include "kernels/search/find_value.h"

struct where_state {
	uint64_t count; /* elements of the input */
	ek_find_nonzero_fn *next;
};

static ek_find_nonzero_fn *pick(unsigned int type)
{
	return type == DTYPE_FLOAT32     ? ek_find_nonzero_f32
		: dtype_bits(type) == 8  ? ek_find_nonzero_8
		: dtype_bits(type) == 32 ? ek_find_nonzero_32
					 : ek_find_nonzero_64;
}

static void where_init(struct op_setup *setup)
{
	struct where_state *s = setup->state;
	s->count = op_elements(op_shape_in(setup, 0));
	s->next = pick(op_tensor_in(setup, 0)->type);
}

static void write_place(int64_t *dst, uint64_t at, const struct shape *shape)
{
	for (uint32_t i = shape->rank; i-- > 0;) {
		dst[i] = (int64_t)(at % (uint64_t)shape->dim[i]);
		at /= (uint64_t)shape->dim[i];
	}
}

/* Counts what is not zero; @dst: writes the places of @limit at most as well, where not NULL. */
static int find_places(const struct op_call *call, int64_t *dst, uint64_t limit,
	uint64_t *ret_count, struct error *err)
{
	const struct where_state *s = call->state;
	const struct value *in = op_in(call, 0);
	uint64_t count = 0;
	struct tiles t = {.total = s->count, .control = call->control};
	while (tiles_next(&t)) {
		size_t end = (size_t)(t.at + t.count);
		size_t i = s->next(in->data, (size_t)t.at, end);
		for (; i < end; i = s->next(in->data, i + 1, end)) {
			if (dst && count < limit) {
				write_place(dst + count * in->shape.rank, i, &in->shape);
			}
			count++;
		}
	}
	*ret_count = count;
	return tiles_end(&t, err);
}

static int where_run(const struct op_call *call, struct error *err)
{
	uint32_t rank = op_in(call, 0)->shape.rank;
	uint64_t count = 0;
	int r = find_places(call, NULL, 0, &count, err);
	if (r < 0) {
		return r;
	}
	if (count > SHAPE_MAX_DIM) {
		return error_set(err, -EFBIG, "%llu places, at most %d", (unsigned long long)count,
			SHAPE_MAX_DIM);
	}
	const struct shape shape = {.rank = 2, .dim = {(int32_t)count, (int32_t)rank}};
	r = op_give_output(call, 0, &shape, count * rank * sizeof(int64_t), err);
	uint64_t written = 0;
	r = r < 0 ? r : find_places(call, op_out(call, 0)->data, count, &written, err);
	if (r == 0 && written != count) { /* the output has memory for the first count */
		return error_set(err, -EINVAL, "an operand changed while the operator read it");
	}
	return r;
}

const struct cpu_op op_where = {.op = OP_WHERE,
	.state_bytes = sizeof(struct where_state),
	.init = where_init,
	.run = where_run};
