/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/sigdef.h"

#include <errno.h>

#include "engine/model/schema.h"
#include "engine/model/view.h"

uint32_t sigdef_count(const struct flat *f, uint32_t signature)
{
	return flat_get_vector(f, signature, SLOT(SIGNATURE_DEF, inputs)).count +
		flat_get_vector(f, signature, SLOT(SIGNATURE_DEF, outputs)).count;
}

static int compare_names(const void *a, const void *b)
{
	const struct text *x = &((const struct signature_tensor *)a)->name;
	const struct text *y = &((const struct signature_tensor *)b)->name;
	uint32_t common = x->length < y->length ? x->length : y->length;
	int r = common ? memcmp(x->data, y->data, common) : 0;
	return r ? r : (x->length > y->length) - (x->length < y->length);
}

static int fill(const struct flat *f, const struct flat_vector *maps,
	struct signature_tensor *tensors, struct error *err)
{
	for (uint32_t i = 0; i < maps->count; i++) {
		uint32_t map = flat_vector_table(f, maps, i);
		tensors[i].name = view_text(f, map, SLOT(TENSOR_MAP, name));
		tensors[i].tensor = flat_get_i32(f, map, SLOT(TENSOR_MAP, tensor_index), 0);
	}
	if (maps->count > 1) {
		qsort(tensors, maps->count, sizeof(tensors[0]), compare_names);
	}
	for (uint32_t i = 1; i < maps->count; i++) {
		if (compare_names(&tensors[i - 1], &tensors[i]) == 0) {
			char name[64];
			return error_set(err, -EBADMSG, "two tensors named '%s'",
				error_escape(name, sizeof(name), tensors[i].name.data,
					tensors[i].name.length));
		}
	}
	return 0;
}

int sigdef_build(const struct flat *f, uint32_t signature, struct signature_tensor *tensors,
	struct signature *ret_signature, struct error *err)
{
	struct flat_vector inputs = flat_get_vector(f, signature, SLOT(SIGNATURE_DEF, inputs));
	struct flat_vector outputs = flat_get_vector(f, signature, SLOT(SIGNATURE_DEF, outputs));
	int r = fill(f, &inputs, tensors, err);
	if (r == 0) {
		r = fill(f, &outputs, tensors + inputs.count, err);
	}
	if (r < 0) {
		return r;
	}
	*ret_signature = (struct signature){
		.key = view_text(f, signature, SLOT(SIGNATURE_DEF, signature_key)),
		.subgraph = flat_get_u32(f, signature, SLOT(SIGNATURE_DEF, subgraph_index), 0),
		.n_inputs = inputs.count,
		.n_outputs = outputs.count,
		.inputs = tensors,
		.outputs = tensors + inputs.count,
	};
	return 0;
}
