/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/verify.h"

#include <errno.h>

#include "engine/model/flatbuffer_verify.h"
#include "engine/model/schema.h"
#include "engine/operators.h"

#define DEFAULT_NODES 100000
#define TENSORS_PER_NODE 8

int verify_charge(struct verify *v, uint64_t n)
{
	if (n > v->work_left) {
		return error_set(v->err, -EBADMSG,
			"lists are shared so often that judging them would take too long");
	}
	v->work_left -= n;
	return 0;
}

static int check_buffers(struct verify *v)
{
	struct view_bytes bytes;
	for (uint32_t i = 0; i < v->buffers.count; i++) {
		if (!view_buffer(v->f, flat_vector_table(v->f, &v->buffers, i), &bytes)) {
			return error_set(v->err, -EBADMSG,
				"buffer %u: reaches beyond the end of the file", i);
		}
		if (i == 0 && bytes.size) {
			return error_set(v->err, -EBADMSG, "buffer 0: is not empty");
		}
	}
	return 0;
}

static int check_codes(struct verify *v)
{
	for (uint32_t i = 0; i < v->codes.count; i++) {
		uint32_t code = flat_vector_table(v->f, &v->codes, i);
		int32_t op = view_builtin_code(v->f, code);
		int32_t version = flat_get_i32(v->f, code, SLOT(OPERATOR_CODE, version), 1);
		struct text custom = view_text(v->f, code, SLOT(OPERATOR_CODE, custom_code));
		if (op < 0 || op >= OP_COUNT) {
			return error_set(v->err, -EBADMSG, "operator code %u: builtin operator %d",
				i, (int)op);
		}
		if (op == OP_CUSTOM && (custom.length == 0 || custom.data[0] == 0)) {
			return error_set(
				v->err, -EBADMSG, "operator code %u: custom without a name", i);
		}
		if (version < 1 || version > UINT16_MAX) {
			return error_set(v->err, -EBADMSG, "operator code %u (%s): version %d", i,
				operators_name((unsigned int)op), (int)version);
		}
	}
	return 0;
}

static int check_metadata(struct verify *v)
{
	struct flat_vector metadata = flat_get_vector(v->f, v->model, SLOT(MODEL, metadata));
	for (uint32_t i = 0; i < metadata.count; i++) {
		uint32_t entry = flat_vector_table(v->f, &metadata, i);
		uint32_t buffer = flat_get_u32(v->f, entry, SLOT(METADATA, buffer), 0);
		if (buffer >= v->buffers.count) {
			return error_set(v->err, -EBADMSG, "metadata %u: buffer %u of %u", i,
				buffer, v->buffers.count);
		}
	}
	return 0;
}

static uint32_t most_tensors(const struct verify *v)
{
	uint32_t most = 1;
	for (uint32_t i = 0; i < v->subgraphs.count; i++) {
		uint32_t subgraph = flat_vector_table(v->f, &v->subgraphs, i);
		struct flat_vector tensors =
			flat_get_vector(v->f, subgraph, SLOT(SUBGRAPH, tensors));
		most = tensors.count > most ? tensors.count : most;
	}
	return most;
}

static int check_graphs(struct verify *v)
{
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < v->subgraphs.count; i++) {
		r = verify_graph(v, flat_vector_table(v->f, &v->subgraphs, i), i);
	}
	return r;
}

static int check_parts(struct verify *v)
{
	static int (*const parts[])(struct verify *) = {
		check_buffers,
		check_codes,
		check_metadata,
		check_graphs,
		verify_calls,
		verify_signatures,
	};
	v->n_marks = most_tensors(v);
	owned(free) void *marks = malloc(v->n_marks);
	if (!marks) {
		return error_no_memory(v->err);
	}
	v->marks = marks;
	int r = 0;
	for (size_t i = 0; r == 0 && i < sizeof(parts) / sizeof(parts[0]); i++) {
		r = parts[i](v);
	}
	return r;
}

int verify_model(const struct flat *f, const struct model_limits *limits, uint32_t *ret_root,
	struct error *err)
{
	uint32_t root = 0;
	int r = flatbuffer_verify(f, "TFL3", SCHEMA_MODEL, &root, err);
	if (r < 0) {
		return r;
	}
	uint32_t version = flat_get_u32(f, root, SLOT(MODEL, version), 0);
	if (version != 3) {
		return error_set(err, -EBADMSG, "version: %u, must be 3", version);
	}
	struct verify v = {
		.f = f,
		.model = root,
		.buffers = flat_get_vector(f, root, SLOT(MODEL, buffers)),
		.codes = flat_get_vector(f, root, SLOT(MODEL, operator_codes)),
		.subgraphs = flat_get_vector(f, root, SLOT(MODEL, subgraphs)),
		/* An honest file spends less than one for each of its bytes. */
		.work_left = 4 * (uint64_t)f->size + 65536,
		.nodes_left = limits->nodes ? limits->nodes : DEFAULT_NODES,
		.err = err,
	};
	uint64_t tensors = TENSORS_PER_NODE * (uint64_t)v.nodes_left;
	v.tensors_left = tensors < UINT32_MAX ? (uint32_t)tensors : UINT32_MAX;
	if (v.subgraphs.count == 0) {
		return error_set(err, -EBADMSG, "subgraphs: none");
	}
	r = check_parts(&v);
	if (r == 0) {
		*ret_root = root;
	}
	return r;
}
