/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/operand/copies.h"

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/strided.h"
#include "backends/cpu/operand/string_tensor.h"

struct copies *copies_new(struct op_setup *setup, uint32_t value, uint32_t n)
{
	struct copies *p = op_alloc(setup, sizeof(*p) + (uint64_t)n * sizeof(struct copy));
	if (!p) {
		return NULL;
	}
	const struct tensor *t = op_tensor_in(setup, value);
	setup->state = p;
	p->value = value;
	p->shape = *op_shape_out(setup, 0);
	p->is_strings = t->type == DTYPE_STRING;
	p->element_bytes = p->is_strings ? 4 : (uint32_t)op_accept_element_bytes(t);
	if (p->is_strings) {
		p->n_in = (uint32_t)op_elements(op_shape_in(setup, value));
		p->n_out = (uint32_t)op_elements(&p->shape);
		setup->scratch_bytes = 4 * ((uint64_t)p->n_in + p->n_out);
	}
	return p;
}

struct copy copies_one(const struct copies *p, const struct shape *size, const struct shape *src,
	const struct shape *dst)
{
	struct copy copy = {.from = p->value, .walk = {.rank = size->rank}};
	strided_steps(src, p->element_bytes, copy.walk.src_step);
	strided_steps(dst, p->element_bytes, copy.walk.dst_step);
	for (uint32_t i = 0; i < size->rank; i++) {
		copy.walk.size[i] = (size_t)size->dim[i];
	}
	return copy;
}

void copies_add(struct copies *p, struct copy copy)
{
	for (uint32_t i = 0; i < copy.walk.rank; i++) {
		if (copy.walk.size[i] == 0) {
			return;
		}
	}
	ek_strided_copy_simplify(&copy.walk);
	p->copy[p->count++] = copy;
}

/* Everything into @result. @numbers: what stands for the input of strings, NULL for others. */
static int run_all(
	const struct op_call *call, char *result, const uint32_t *numbers, struct error *err)
{
	const struct copies *p = call->state;
	uint64_t n = op_elements(&p->shape);
	int r = 0;
	if (n && p->fill != COPIES_NO_FILL) {
		const void *code = p->fill == COPIES_FILL_CODE ? p->code
			: numbers                              ? (const void *)numbers
							       : op_in(call, p->fill_input)->data;
		r = strided_fill(result, code, p->element_bytes, n, call->control, err);
	}
	for (uint32_t i = 0; r == 0 && i < p->count; i++) {
		const struct copy *copy = &p->copy[i];
		const char *from = copy->from == COPIES_FROM_RESULT ? result
			: numbers                                   ? (const char *)numbers
								    : op_in(call, copy->from)->data;
		r = strided_copy(result + copy->dst, from + copy->src, p->element_bytes,
			&copy->walk, call->control, err);
	}
	return r;
}

static int run_strings(const struct op_call *call, struct error *err)
{
	const struct copies *p = call->state;
	uint32_t *before = call->scratch, *after = before + p->n_in;
	struct strings strings;
	int r = string_tensor_open(call, p->value, p->n_in, &strings, err);
	if (r < 0) {
		return r;
	}
	for (uint32_t i = 0; i < p->n_in; i++) {
		before[i] = i;
	}
	r = run_all(call, (char *)after, before, err);
	return r < 0 ? r : string_tensor_give(call, 0, &p->shape, &strings, after, p->n_out, err);
}

int copies_run(const struct op_call *call, struct error *err)
{
	const struct copies *p = call->state;
	return p->is_strings ? run_strings(call, err)
			     : run_all(call, op_out(call, 0)->data, NULL, err);
}
