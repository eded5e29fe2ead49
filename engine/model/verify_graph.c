/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "engine/model/options.h"
#include "engine/model/options_custom.h"
#include "engine/model/schema.h"
#include "engine/model/verify.h"
#include "engine/operators.h"

#define NAME_TEXT 64

static const char *name_of(struct verify *v, uint32_t tensor, char out[NAME_TEXT])
{
	struct text name = view_text(v->f, tensor, SLOT(TENSOR, name));
	return error_escape(out, NAME_TEXT, name.data, name.length);
}

static int check_tensors(struct verify *v, const struct flat_vector *tensors, uint32_t subgraph)
{
	if (tensors->count > v->tensors_left) {
		return error_set(v->err, -EFBIG, "subgraph %u: too many tensors", subgraph);
	}
	v->tensors_left -= tensors->count;
	v->n_tensors = tensors->count;
	memset(v->marks, 0, tensors->count);
	for (uint32_t i = 0; i < tensors->count; i++) {
		uint32_t tensor = flat_vector_table(v->f, tensors, i);
		int r = verify_tensor(v, tensor);
		if (r < 0) {
			char name[NAME_TEXT];
			error_prefix(v->err, "subgraph %u, tensor %u ('%s')", subgraph, i,
				name_of(v, tensor, name));
			return r;
		}
		if (view_constant(v->f, v->model, tensor).data) {
			v->marks[i] = VERIFY_CONSTANT;
		} else if (flat_get_u8(v->f, tensor, SLOT(TENSOR, is_variable), 0)) {
			v->marks[i] = VERIFY_VARIABLE;
		}
	}
	return 0;
}

static bool reads(struct verify *v, uint32_t operator, int32_t tensor)
{
	struct flat_vector inputs = flat_get_vector(v->f, operator, SLOT(OPERATOR, inputs));
	bool found = false;
	uint32_t n =
		verify_charge(v, inputs.count) == 0 ? inputs.count : 0; /* they may be shared */
	for (uint32_t i = 0; i < n && !found; i++) {
		found = flat_vector_i32(&inputs, i) == tensor;
	}
	return found;
}

/* For the text of an error: which of the nodes, not verified yet, is the first to read @tensor. */
static const char *reader_of(
	struct verify *v, const struct flat_vector *operators, int32_t tensor, char out[NAME_TEXT])
{
	out[0] = 0;
	for (uint32_t i = 0; i < operators->count && !out[0]; i++) {
		uint32_t operator= flat_vector_table(v->f, operators, i);
		uint32_t code = flat_get_u32(v->f, operator, SLOT(OPERATOR, opcode_index), 0);
		if (code < v->codes.count && reads(v, operator, tensor)) {
			int32_t op =
				view_builtin_code(v->f, flat_vector_table(v->f, &v->codes, code));
			snprintf(out, NAME_TEXT, ", read by node %u (%s)", i,
				operators_name((unsigned int)op));
		}
	}
	return out;
}

static int check_inputs(struct verify *v, const struct flat_vector *inputs,
	const struct flat_vector *operators, uint32_t n_tensors)
{
	char reader[NAME_TEXT];
	int r = verify_charge(v, inputs->count);
	for (uint32_t i = 0; r == 0 && i < inputs->count; i++) {
		int32_t tensor = flat_vector_i32(inputs, i);
		if (tensor < 0 || (uint32_t)tensor >= n_tensors) {
			r = error_set(v->err, -EBADMSG, "input %u: tensor %d of %u", i, (int)tensor,
				n_tensors);
		} else if (v->marks[tensor] & (VERIFY_CONSTANT | VERIFY_INPUT)) {
			r = error_set(v->err, -EBADMSG, "input %u: tensor %d is %s%s", i,
				(int)tensor,
				v->marks[tensor] & VERIFY_INPUT ? "an input already" : "a constant",
				reader_of(v, operators, tensor, reader));
		} else {
			v->marks[tensor] |= VERIFY_INPUT;
		}
	}
	return r;
}

static int check_outputs(struct verify *v, const struct flat_vector *outputs, uint32_t n_tensors)
{
	int r = verify_charge(v, outputs->count);
	for (uint32_t i = 0; r == 0 && i < outputs->count; i++) {
		int32_t tensor = flat_vector_i32(outputs, i);
		if (tensor < 0 || (uint32_t)tensor >= n_tensors) {
			r = error_set(v->err, -EBADMSG, "output %u: tensor %d of %u", i,
				(int)tensor, n_tensors);
		} else if (v->marks[tensor] == 0) {
			r = error_set(v->err, -EBADMSG, "output %u: tensor %d is never written", i,
				(int)tensor);
		}
	}
	return r;
}

static bool reads_as_zeros(struct verify *v, const struct flat_vector *tensors, int32_t index)
{
	uint32_t tensor = flat_vector_table(v->f, tensors, (uint32_t)index);
	uint32_t quant = flat_get_table(v->f, tensor, SLOT(TENSOR, quantization));
	struct shape shape = view_declared_shape(v->f, tensor);
	bool blockwise = quant &&
		flat_get_u8(v->f, quant, SLOT(QUANTIZATION_PARAMETERS, details_type), 0) ==
			QUANTIZATION_DETAILS_BLOCKWISE;
	return view_reads_as_zeros(
		&shape, flat_get_u8(v->f, tensor, SLOT(TENSOR, type), 0), blockwise);
}

/* With @unknown, the node is of an operator that no plan takes (opinfo_check() names it): those that
 * Arm's Vela writes have memory to work in among their inputs, which no node has written. */
static int check_node_inputs(struct verify *v, const struct flat_vector *inputs,
	const struct flat_vector *tensors, bool unknown)
{
	uint32_t n_tensors = tensors->count;
	int r = verify_charge(v, inputs->count);
	for (uint32_t i = 0; r == 0 && i < inputs->count; i++) {
		int32_t tensor = flat_vector_i32(inputs, i);
		if (tensor == TENSOR_NONE) {
			continue;
		}
		if (tensor < 0 || (uint32_t)tensor >= n_tensors) {
			r = error_set(v->err, -EBADMSG, "input %u: tensor %d of %u", i, (int)tensor,
				n_tensors);
		} else if (v->marks[tensor] == 0 && reads_as_zeros(v, tensors, tensor)) {
			v->marks[tensor] = VERIFY_CONSTANT;
		} else if (v->marks[tensor] == 0 && !unknown) {
			r = error_set(v->err, -EBADMSG,
				"input %u: tensor %d is read before it is written", i, (int)tensor);
		}
	}
	return r;
}

static const char *why_not_output(uint8_t mark)
{
	return mark & VERIFY_CONSTANT    ? "a constant"
		: mark & VERIFY_INPUT    ? "an input of the subgraph"
		: mark & VERIFY_PRODUCED ? "written already"
					 : "a variable";
}

/* Only a DEQUANTIZE may write a variable: converters let it widen the first value of a float16
 * model's state. */
static int check_node_outputs(
	struct verify *v, const struct flat_vector *outputs, int32_t op, uint32_t n_tensors)
{
	uint8_t allowed = op == OP_DEQUANTIZE ? VERIFY_VARIABLE : 0;
	int r = verify_charge(v, outputs->count);
	for (uint32_t i = 0; r == 0 && i < outputs->count; i++) {
		int32_t tensor = flat_vector_i32(outputs, i);
		if (tensor < 0 || (uint32_t)tensor >= n_tensors) {
			r = error_set(v->err, -EBADMSG, "output %u: tensor %d of %u", i,
				(int)tensor, n_tensors);
		} else if (v->marks[tensor] & ~allowed) {
			r = error_set(v->err, -EBADMSG, "output %u: tensor %d is %s", i,
				(int)tensor, why_not_output(v->marks[tensor]));
		} else {
			v->marks[tensor] |= VERIFY_PRODUCED;
		}
	}
	return r;
}

static int check_intermediates(
	struct verify *v, const struct flat_vector *intermediates, uint32_t n_tensors)
{
	int r = verify_charge(v, intermediates->count);
	for (uint32_t i = 0; r == 0 && i < intermediates->count; i++) {
		int32_t tensor = flat_vector_i32(intermediates, i);
		if (tensor < TENSOR_NONE || tensor >= (int64_t)n_tensors) {
			r = error_set(v->err, -EBADMSG, "intermediate %u: tensor %d of %u", i,
				(int)tensor, n_tensors);
		}
	}
	return r;
}

/* OP_CUSTOM where edged does not know the name. */
static unsigned int custom_operator(struct verify *v, uint32_t operator)
{
	uint32_t code = flat_vector_table(
		v->f, &v->codes, flat_get_u32(v->f, operator, SLOT(OPERATOR, opcode_index), 0));
	struct text name = view_text(v->f, code, SLOT(OPERATOR_CODE, custom_code));
	return operators_find_custom(name.data, name.length);
}

/* The options of a custom operator that edged knows can be decoded. */
static int check_custom_options(struct verify *v, unsigned int op, const struct view_bytes *options)
{
	struct op_options decoded;
	int r = verify_charge(v, options->size); /* nodes may share them */
	r = r < 0 ? r : options_custom_decode(op, options->data, options->size, &decoded, v->err);
	if (r < 0) {
		error_prefix(v->err, "%s", operators_name(op));
	}
	return r;
}

static int check_node(
	struct verify *v, uint32_t operator, int32_t op, const struct flat_vector *tensors)
{
	struct flat_vector inputs = flat_get_vector(v->f, operator, SLOT(OPERATOR, inputs));
	struct flat_vector outputs = flat_get_vector(v->f, operator, SLOT(OPERATOR, outputs));
	struct flat_vector intermediates =
		flat_get_vector(v->f, operator, SLOT(OPERATOR, intermediates));
	struct view_bytes custom;
	if (!inputs.data || !outputs.data) {
		return error_set(v->err, -EBADMSG, "no list of inputs or outputs");
	}
	if (!view_custom_options(v->f, operator, & custom)) {
		return error_set(
			v->err, -EBADMSG, "custom options reach beyond the end of the file");
	}
	int r = options_verify(v->f, operator,(unsigned int) op, v->err);
	r = r < 0 ? r : verify_charge(v, options_length(v->f, operator));
	unsigned int known = op == OP_CUSTOM ? custom_operator(v, operator) : (unsigned int)op;
	if (r == 0 && op == OP_CUSTOM) {
		r = check_custom_options(v, known, &custom);
	}
	if (r == 0) {
		r = check_node_inputs(v, &inputs, tensors, known == OP_CUSTOM);
	}
	if (r == 0) {
		r = check_intermediates(v, &intermediates, tensors->count);
	}
	return r < 0 ? r : check_node_outputs(v, &outputs, op, tensors->count);
}

static int check_nodes(struct verify *v, const struct flat_vector *operators, uint32_t subgraph,
	const struct flat_vector *tensors)
{
	if (operators->count > v->nodes_left) {
		return error_set(v->err, -EFBIG, "subgraph %u: too many nodes", subgraph);
	}
	v->nodes_left -= operators->count;
	for (uint32_t i = 0; i < operators->count; i++) {
		uint32_t operator= flat_vector_table(v->f, operators, i);
		uint32_t code = flat_get_u32(v->f, operator, SLOT(OPERATOR, opcode_index), 0);
		if (code >= v->codes.count) {
			return error_set(v->err, -EBADMSG,
				"subgraph %u, node %u: operator code %u of %u", subgraph, i, code,
				v->codes.count);
		}
		int32_t op = view_builtin_code(v->f, flat_vector_table(v->f, &v->codes, code));
		int r = check_node(v, operator, op, tensors);
		if (r < 0) {
			error_prefix(v->err, "subgraph %u, node %u (%s)", subgraph, i,
				operators_name((unsigned int)op));
			return r;
		}
	}
	return 0;
}

int verify_graph(struct verify *v, uint32_t subgraph, uint32_t index)
{
	struct flat_vector tensors = flat_get_vector(v->f, subgraph, SLOT(SUBGRAPH, tensors));
	struct flat_vector inputs = flat_get_vector(v->f, subgraph, SLOT(SUBGRAPH, inputs));
	struct flat_vector outputs = flat_get_vector(v->f, subgraph, SLOT(SUBGRAPH, outputs));
	struct flat_vector operators = flat_get_vector(v->f, subgraph, SLOT(SUBGRAPH, operators));
	if (!operators.data) {
		return error_set(v->err, -EBADMSG, "subgraph %u: no list of operators", index);
	}
	int r = check_tensors(v, &tensors, index);
	if (r < 0) {
		return r;
	}
	r = check_inputs(v, &inputs, &operators, tensors.count);
	if (r < 0) {
		error_prefix(v->err, "subgraph %u", index);
		return r;
	}
	r = check_nodes(v, &operators, index, &tensors);
	if (r < 0) {
		return r;
	}
	r = check_outputs(v, &outputs, tensors.count);
	if (r < 0) {
		error_prefix(v->err, "subgraph %u", index);
	}
	return r;
}
