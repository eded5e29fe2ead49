/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "engine/model/schema.h"
#include "engine/model/verify.h"

/* Each mapped tensor is one of @members, the subgraph's inputs or outputs. @v->marks is clear, and
 * is left so unless there is an error. */
static int check_maps(struct verify *v, const struct flat_vector *maps,
	const struct flat_vector *members, uint32_t n_tensors, const char *what)
{
	int r = verify_charge(v, (uint64_t)maps->count + members->count);
	for (uint32_t i = 0; r == 0 && i < members->count; i++) {
		v->marks[flat_vector_i32(members, i)] = VERIFY_SEEN;
	}
	for (uint32_t i = 0; r == 0 && i < maps->count; i++) {
		uint32_t map = flat_vector_table(v->f, maps, i);
		uint32_t tensor = flat_get_u32(v->f, map, SLOT(TENSOR_MAP, tensor_index), 0);
		struct text name = view_text(v->f, map, SLOT(TENSOR_MAP, name));
		r = verify_charge(v, name.length); /* names will be compared */
		if (r == 0 && !name.data) {
			r = error_set(v->err, -EBADMSG, "%s %u: no name", what, i);
		} else if (r == 0 && (tensor >= n_tensors || v->marks[tensor] != VERIFY_SEEN)) {
			r = error_set(v->err, -EBADMSG, "%s %u: tensor %u is no %s of the subgraph",
				what, i, tensor, what);
		}
	}
	for (uint32_t i = 0; r == 0 && i < members->count; i++) {
		v->marks[flat_vector_i32(members, i)] = 0;
	}
	return r;
}

static int check_signature(struct verify *v, uint32_t signature)
{
	uint32_t index = flat_get_u32(v->f, signature, SLOT(SIGNATURE_DEF, subgraph_index), 0);
	if (!view_text(v->f, signature, SLOT(SIGNATURE_DEF, signature_key)).data) {
		return error_set(v->err, -EBADMSG, "no key");
	}
	if (index >= v->subgraphs.count) {
		return error_set(v->err, -EBADMSG, "subgraph %u of %u", index, v->subgraphs.count);
	}
	uint32_t subgraph = flat_vector_table(v->f, &v->subgraphs, index);
	struct flat_vector tensors = flat_get_vector(v->f, subgraph, SLOT(SUBGRAPH, tensors));
	struct flat_vector inputs = flat_get_vector(v->f, signature, SLOT(SIGNATURE_DEF, inputs));
	struct flat_vector outputs = flat_get_vector(v->f, signature, SLOT(SIGNATURE_DEF, outputs));
	struct flat_vector members = flat_get_vector(v->f, subgraph, SLOT(SUBGRAPH, inputs));
	int r = check_maps(v, &inputs, &members, tensors.count, "input");
	if (r == 0) {
		members = flat_get_vector(v->f, subgraph, SLOT(SUBGRAPH, outputs));
		r = check_maps(v, &outputs, &members, tensors.count, "output");
	}
	return r;
}

int verify_signatures(struct verify *v)
{
	struct flat_vector signatures =
		flat_get_vector(v->f, v->model, SLOT(MODEL, signature_defs));
	int r = 0;
	memset(v->marks, 0, v->n_marks);
	for (uint32_t i = 0; r == 0 && i < signatures.count; i++) {
		r = check_signature(v, flat_vector_table(v->f, &signatures, i));
		if (r < 0) {
			error_prefix(v->err, "signature %u", i);
		}
	}
	return r;
}
