/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify - the rules that a model file keeps whatever its operators are
 *
 * flatbuffer_verify() proves that every offset stays in the file; these rules prove what the planner and
 * the kernels rely on: every index is in range, every constant has exactly the bytes its shape asks
 * for, every tensor is written once and before it is read, scales are usable, calls do not recurse.
 * What one operator asks of its operands is the operator table's business (engine/plan/opinfo.h).
 *
 * All that a rule looks at element by element is charged against a budget that is linear in the
 * file's size, so that vectors shared by many tables cost no more time than an honest file does.
 */
#ifndef ENGINE_MODEL_VERIFY_H
#define ENGINE_MODEL_VERIFY_H

#include "base/error.h"
#include "engine/model/flatbuffer.h"
#include "engine/model/model_limits.h"
#include "engine/model/view.h"

#define VERIFY_MAX_CALL_DEPTH 4 /* subgraphs calling subgraphs */

/* Judges all of @f. *ret_root is the Model table. -EBADMSG, or -EFBIG beyond @limits, or
 * -EOPNOTSUPP for parts of the format that edged does not have, with "where: why". */
int must_check verify_model(const struct flat *f, const struct model_limits *limits,
	uint32_t *ret_root, struct error *err);

/* The parts, each in its own file; for verify.c alone. */

struct verify {
	const struct flat *f;
	uint32_t model;
	struct flat_vector buffers, codes, subgraphs;
	uint64_t work_left;
	uint32_t nodes_left, tensors_left;
	uint8_t *marks; /* enum verify_mark by tensor of the subgraph being judged */
	uint32_t n_tensors; /* of that subgraph */
	uint32_t n_marks; /* as many as the subgraph with most tensors has */
	struct error *err;
};

enum verify_mark {
	VERIFY_CONSTANT = 1,
	VERIFY_VARIABLE = 2,
	VERIFY_INPUT = 4,
	VERIFY_PRODUCED = 8,
	VERIFY_SEEN = 16, /* scratch of one rule */
};

/* Takes @n from the budget; -EBADMSG when it is spent. */
int must_check verify_charge(struct verify *v, uint64_t n);

/* Shape, type, buffer, constant, quantisation of one tensor. */
int must_check verify_tensor(struct verify *v, uint32_t tensor);

/* The quantisation of a tensor of @shape and @type. */
int must_check verify_quant(
	struct verify *v, uint32_t tensor, const struct shape *shape, unsigned int type);

/* The sparsity of a constant of @shape: a tree whose leaves are the stored elements; their number
 * is what the constant must hold. */
int must_check verify_sparsity(
	struct verify *v, uint32_t sparsity, const struct shape *shape, uint64_t *ret_elements);

/* Tensors, inputs, nodes and outputs of one subgraph. */
int must_check verify_graph(struct verify *v, uint32_t subgraph, uint32_t index);

/* No subgraph calls itself, however indirectly, nor deeper than VERIFY_MAX_CALL_DEPTH; all called
 * ones exist. All subgraphs have passed verify_graph(). */
int must_check verify_calls(struct verify *v);

/* Signatures name tensors that their subgraph has as inputs and outputs. */
int must_check verify_signatures(struct verify *v);

#endif
