/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_model - model files from a description in C, for tests
 *
 *   owned_mem struct fake_model *m = fake_model_new();
 *   m->subgraphs[0].tensors[1].buffer = 99;
 *   struct bytes_writer file = fake_model_write(m);
 *
 * Nothing is checked: descriptions may be as wrong as a test needs. What is not described is left
 * out of the file, so that defaults hold.
 */
#ifndef TESTS_FAKES_FAKE_MODEL_H
#define TESTS_FAKES_FAKE_MODEL_H

#include "base/bytes.h"
#include "base/dtype.h"
#include "engine/operators.h"

#define FAKE_MAX 8

/* A list of int32, for shapes and indices; absent where @absent says so, empty by default. */
struct fake_list {
	uint32_t n;
	int32_t v[FAKE_MAX + 2];
	bool absent;
};
#define FAKE_LIST(...)                                                                             \
	((struct fake_list){                                                                       \
		sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t), {__VA_ARGS__}, false})

struct fake_level { /* DimensionMetadata with int32 lists */
	bool compressed;
	int32_t size;
	struct fake_list segments, indices;
};

struct fake_sparsity {
	struct fake_list order, block_map;
	uint32_t n_levels;
	struct fake_level levels[FAKE_MAX];
};

struct fake_tensor {
	const char *name;
	uint8_t type;
	struct fake_list shape, signature;
	uint32_t buffer;
	bool variable;
	uint32_t n_scales, n_zeros;
	float scales[FAKE_MAX];
	int64_t zeros[FAKE_MAX];
	int32_t dimension;
	uint8_t details; /* kind of other quantisation */
	int32_t block_scales, block_zeros, block_size; /* where details is 2: blockwise */
	uint32_t external_buffer;
	const struct fake_sparsity *sparsity;
};

struct fake_option { /* a field of an options table: a number of @width bytes, or a list */
	uint8_t slot, width;
	int64_t value;
	struct fake_list list; /* when width is 0 and n is not */
};

struct fake_node {
	uint32_t code; /* index into codes */
	struct fake_list inputs, outputs, intermediates;
	uint16_t options; /* as op_options.table; 0: none */
	struct fake_option fields[FAKE_MAX];
	uint64_t custom_offset, custom_size;
};

struct fake_subgraph {
	const char *name;
	uint32_t n_tensors, n_nodes;
	struct fake_tensor tensors[FAKE_MAX];
	struct fake_node nodes[FAKE_MAX];
	struct fake_list inputs, outputs;
	bool no_operators;
};

struct fake_code {
	int32_t op, old_op;
	int32_t version;
	const char *custom;
};

struct fake_buffer {
	const void *data; /* NULL and size 0: none; NULL and a size: that many zeros */
	uint32_t size;
	bool shift; /* the data stand at an odd multiple of 4 */
	uint64_t offset, outside; /* bytes outside the FlatBuffer */
};

struct fake_signature {
	const char *key;
	uint32_t subgraph;
	uint32_t n_inputs, n_outputs;
	struct {
		const char *name;
		uint32_t tensor;
	} inputs[FAKE_MAX], outputs[FAKE_MAX];
};

struct fake_model {
	uint32_t version;
	uint32_t n_codes, n_subgraphs, n_buffers, n_signatures;
	struct fake_code codes[FAKE_MAX];
	struct fake_subgraph subgraphs[FAKE_MAX];
	struct fake_buffer buffers[FAKE_MAX];
	struct fake_signature signatures[2];
	const char *metadata_name; /* one Metadata entry where not NULL */
	uint32_t metadata_buffer;
};

/* y = x + c: x and y float32 1x4, c a constant float32 4 in buffer 1; one signature "serve". */
void fake_model_add(struct fake_model *model);

/* The same on the heap, for free(). */
struct fake_model *fake_model_new(void);

/* The file. The writer's data are aligned to 8 and freed by bytes_writer_deinit(). */
struct bytes_writer fake_model_write(const struct fake_model *model);

#endif
