/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/graph_build.h"

#include <errno.h>

#include "engine/model/options.h"
#include "engine/model/options_custom.h"
#include "engine/model/schema.h"
#include "engine/model/sigdef.h"
#include "engine/model/sparsity.h"
#include "engine/model/view.h"
#include "engine/operators.h"

/* How many of each the graph has; then, while it is filled, the next free one of each. */
struct counts {
	uint64_t subgraphs, tensors, nodes, sparsities, levels, signatures, names, indices, words;
};

struct space {
	struct subgraph *subgraphs;
	struct tensor *tensors;
	struct node *nodes;
	struct sparsity *sparsities;
	struct sparse_level *levels;
	struct signature *signatures;
	struct signature_tensor *names;
	int32_t *indices;
	uint64_t *words; /* constants that have to be copied */
};

static void count_tensor(const struct flat *f, uint32_t root, uint32_t tensor, struct counts *c)
{
	uint32_t sparsity = flat_get_table(f, tensor, SLOT(TENSOR, sparsity));
	struct view_bytes data = view_constant(f, root, tensor);
	c->sparsities += sparsity != 0;
	c->levels += flat_get_vector(f, sparsity, SLOT(SPARSITY_PARAMETERS, dim_metadata)).count;
	c->indices +=
		flat_get_vector(f, sparsity, SLOT(SPARSITY_PARAMETERS, traversal_order)).count;
	c->indices += flat_get_vector(f, sparsity, SLOT(SPARSITY_PARAMETERS, block_map)).count;
	if (view_needs_copy(f, &data, flat_get_u8(f, tensor, SLOT(TENSOR, type), 0))) {
		c->words += data.size / 8;
	}
}

static void count_node(const struct flat *f, uint32_t operator, struct counts * c)
{
	c->indices += flat_get_vector(f, operator, SLOT(OPERATOR, inputs)).count;
	c->indices += flat_get_vector(f, operator, SLOT(OPERATOR, outputs)).count;
	c->indices += flat_get_vector(f, operator, SLOT(OPERATOR, intermediates)).count;
}

static void count_subgraph(const struct flat *f, uint32_t root, uint32_t subgraph, struct counts *c)
{
	struct flat_vector tensors = flat_get_vector(f, subgraph, SLOT(SUBGRAPH, tensors));
	c->tensors += tensors.count;
	struct flat_vector operators = flat_get_vector(f, subgraph, SLOT(SUBGRAPH, operators));
	c->nodes += operators.count;
	c->indices += flat_get_vector(f, subgraph, SLOT(SUBGRAPH, inputs)).count;
	c->indices += flat_get_vector(f, subgraph, SLOT(SUBGRAPH, outputs)).count;
	for (uint32_t i = 0; i < tensors.count; i++) {
		count_tensor(f, root, flat_vector_table(f, &tensors, i), c);
	}
	for (uint32_t i = 0; i < operators.count; i++) {
		count_node(f, flat_vector_table(f, &operators, i), c);
	}
}

static struct counts count_model(const struct flat *f, uint32_t root)
{
	struct flat_vector subgraphs = flat_get_vector(f, root, SLOT(MODEL, subgraphs));
	struct flat_vector signatures = flat_get_vector(f, root, SLOT(MODEL, signature_defs));
	struct counts c = {.subgraphs = subgraphs.count, .signatures = signatures.count};
	for (uint32_t i = 0; i < subgraphs.count; i++) {
		count_subgraph(f, root, flat_vector_table(f, &subgraphs, i), &c);
	}
	for (uint32_t i = 0; i < signatures.count; i++) {
		c.names += sigdef_count(f, flat_vector_table(f, &signatures, i));
	}
	return c;
}

/* @count elements of @size bytes behind @at, which moves on. Counts are below 2^32 and sizes small:
 * no overflow. */
static uint64_t reserve(uint64_t *at, uint64_t count, size_t size)
{
	uint64_t here = bytes_align_up(*at, 8);
	*at = here + count * size;
	return here;
}

/* One allocation with the graph in front and room for all of @c behind it. */
static struct graph *allocate(const struct counts *c, struct space *ret_space)
{
	uint64_t end = sizeof(struct graph);
	uint64_t subgraphs = reserve(&end, c->subgraphs, sizeof(struct subgraph));
	uint64_t tensors = reserve(&end, c->tensors, sizeof(struct tensor));
	uint64_t nodes = reserve(&end, c->nodes, sizeof(struct node));
	uint64_t sparsities = reserve(&end, c->sparsities, sizeof(struct sparsity));
	uint64_t levels = reserve(&end, c->levels, sizeof(struct sparse_level));
	uint64_t signatures = reserve(&end, c->signatures, sizeof(struct signature));
	uint64_t names = reserve(&end, c->names, sizeof(struct signature_tensor));
	uint64_t words = reserve(&end, c->words, sizeof(uint64_t));
	uint64_t indices = reserve(&end, c->indices, sizeof(int32_t));
	char *base = end <= SIZE_MAX ? calloc(1, (size_t)end) : NULL;
	if (!base) {
		return NULL;
	}
	*ret_space = (struct space){
		.subgraphs = (void *)(base + subgraphs),
		.tensors = (void *)(base + tensors),
		.nodes = (void *)(base + nodes),
		.sparsities = (void *)(base + sparsities),
		.levels = (void *)(base + levels),
		.signatures = (void *)(base + signatures),
		.names = (void *)(base + names),
		.words = (void *)(base + words),
		.indices = (void *)(base + indices),
	};
	return (struct graph *)(void *)base;
}

/* What says where a run reads and writes stays what was verified, whatever becomes of the file's pages
 * (base/mapped.h). */
static int32_t *copy_indices(struct space *space, const struct flat_vector *v)
{
	int32_t *to = space->indices;
	space->indices += v->count;
	if (v->count) {
		memcpy(to, v->data, v->count * sizeof(to[0]));
	}
	return to;
}

static const struct sparsity *build_sparsity(
	const struct flat *f, uint32_t table, struct space *space)
{
	if (table == 0) {
		return NULL;
	}
	struct flat_vector order =
		flat_get_vector(f, table, SLOT(SPARSITY_PARAMETERS, traversal_order));
	struct flat_vector blocks = flat_get_vector(f, table, SLOT(SPARSITY_PARAMETERS, block_map));
	struct flat_vector metadata =
		flat_get_vector(f, table, SLOT(SPARSITY_PARAMETERS, dim_metadata));
	struct sparsity *sparsity = space->sparsities++;
	*sparsity = (struct sparsity){
		.n_levels = order.count,
		.n_blocks = blocks.count,
		.order = copy_indices(space, &order),
		.block_map = copy_indices(space, &blocks),
		.levels = space->levels,
	};
	for (uint32_t i = 0; i < metadata.count; i++) {
		uint32_t level = flat_vector_table(f, &metadata, i);
		*space->levels++ = (struct sparse_level){
			.compressed =
				flat_get_u8(f, level, SLOT(DIMENSION_METADATA, format), 0) != 0,
			.size = flat_get_i32(f, level, SLOT(DIMENSION_METADATA, dense_size), 0),
			.segments = sparsity_segments(f, level),
			.indices = sparsity_indices(f, level),
		};
	}
	return sparsity;
}

/* Index 0 is what files without zero points have. */
static struct quant build_blockwise(const struct flat *f, uint32_t table)
{
	int32_t zeros = flat_get_i32(f, table, SLOT(BLOCKWISE_QUANTIZATION, zero_points), 0);
	return (struct quant){
		.block_size = flat_get_u32(f, table, SLOT(BLOCKWISE_QUANTIZATION, block_size), 0),
		.block_scales = flat_get_i32(f, table, SLOT(BLOCKWISE_QUANTIZATION, scales), 0),
		.block_zeros = zeros > 0 ? zeros : TENSOR_NONE,
	};
}

/* A dimension that counts for nothing (verify_quant.c) becomes 0. */
static struct quant build_quant(const struct flat *f, uint32_t table, uint8_t rank)
{
	struct flat_vector scales = flat_get_vector(f, table, SLOT(QUANTIZATION_PARAMETERS, scale));
	struct flat_vector zeros =
		flat_get_vector(f, table, SLOT(QUANTIZATION_PARAMETERS, zero_point));
	uint32_t dimension =
		flat_get_u32(f, table, SLOT(QUANTIZATION_PARAMETERS, quantized_dimension), 0);
	if (flat_get_u8(f, table, SLOT(QUANTIZATION_PARAMETERS, details_type), 0) ==
		QUANTIZATION_DETAILS_BLOCKWISE) {
		return build_blockwise(
			f, flat_get_table(f, table, SLOT(QUANTIZATION_PARAMETERS, details)));
	}
	if (scales.count == 0) {
		return (struct quant){0};
	}
	return (struct quant){
		.scale = (const float *)(const void *)scales.data,
		.zero_point = zeros.data,
		.n_scales = scales.count,
		.n_zero_points = zeros.count,
		.dimension = dimension < rank ? dimension : 0,
	};
}

/* Constants have the shape that their bytes were judged by; others may leave dimensions open. */
static void build_shape(const struct flat *f, uint32_t table, struct tensor *tensor)
{
	struct flat_vector dims = flat_get_vector(f, table, SLOT(TENSOR, shape));
	(void)view_shape(&dims, &tensor->shape);
	tensor->initial = tensor->shape;
	for (uint32_t i = 0; i < tensor->shape.rank; i++) {
		if (tensor->initial.dim[i] < 0) {
			tensor->initial.dim[i] = 1;
		}
	}
	if (!tensor->data) {
		tensor->shape = view_declared_shape(f, table);
	}
	tensor->shape_is_signature = !shape_known(&tensor->shape);
}

static void build_tensor(const struct flat *f, uint32_t root, uint32_t table, struct space *space,
	struct tensor *ret_tensor)
{
	unsigned int type = flat_get_u8(f, table, SLOT(TENSOR, type), 0);
	struct view_bytes data = view_constant(f, root, table);
	if (view_needs_copy(f, &data, type)) {
		memcpy(space->words, data.data, data.size);
		data.data = (const uint8_t *)space->words;
		space->words += data.size / 8;
	}
	struct tensor tensor = {
		.name = view_text(f, table, SLOT(TENSOR, name)),
		.type = (uint8_t)type,
		.is_variable = flat_get_u8(f, table, SLOT(TENSOR, is_variable), 0) != 0,
		.data = data.data,
		.data_bytes = data.size,
		.sparsity =
			build_sparsity(f, flat_get_table(f, table, SLOT(TENSOR, sparsity)), space),
	};
	build_shape(f, table, &tensor);
	tensor.quant = build_quant(
		f, flat_get_table(f, table, SLOT(TENSOR, quantization)), tensor.shape.rank);
	*ret_tensor = tensor;
}

static void build_node(const struct flat *f, uint32_t root, uint32_t operator, struct space * space,
	struct node *ret_node)
{
	struct flat_vector codes = flat_get_vector(f, root, SLOT(MODEL, operator_codes));
	uint32_t code = flat_vector_table(
		f, &codes, flat_get_u32(f, operator, SLOT(OPERATOR, opcode_index), 0));
	struct flat_vector inputs = flat_get_vector(f, operator, SLOT(OPERATOR, inputs));
	struct flat_vector outputs = flat_get_vector(f, operator, SLOT(OPERATOR, outputs));
	struct flat_vector intermediates =
		flat_get_vector(f, operator, SLOT(OPERATOR, intermediates));
	struct node node = {
		.op = (uint16_t)view_builtin_code(f, code),
		.version = (uint16_t)flat_get_u32(f, code, SLOT(OPERATOR_CODE, version), 1),
		.n_inputs = inputs.count,
		.n_outputs = outputs.count,
		.n_intermediates = intermediates.count,
		.inputs = copy_indices(space, &inputs),
		.outputs = copy_indices(space, &outputs),
		.intermediates = copy_indices(space, &intermediates),
	};
	if (node.op == OP_CUSTOM) {
		struct view_bytes options = {0};
		(void)view_custom_options(f, operator, & options);
		node.custom_name = view_text(f, code, SLOT(OPERATOR_CODE, custom_code));
		node.custom_options = options.data;
		node.custom_options_bytes = (uint32_t)options.size;
		node.op = (uint16_t)operators_find_custom(
			node.custom_name.data, node.custom_name.length);
	}
	if (node.op >= OP_CUSTOM_FIRST) { /* verify_graph.c has seen that it can be done */
		(void)!options_custom_decode(node.op, node.custom_options,
			node.custom_options_bytes, &node.options, NULL);
	} else {
		options_decode(f, operator, & node.options);
	}
	*ret_node = node;
}

static void unmark_zeros(struct tensor *tensor)
{
	tensor->data = NULL;
	tensor->data_bytes = 0;
}

/*
 * Constants without bytes (view_reads_as_zeros()) that nothing writes: all of them get zeros first,
 * and those that are written lose them again.
 */
static void mark_zeros(struct subgraph *subgraph)
{
	static const uint64_t zeros[VIEW_ZEROS / 8];
	for (uint32_t i = 0; i < subgraph->n_tensors; i++) {
		struct tensor *tensor = &subgraph->tensors[i];
		if (!tensor->data && !tensor->is_variable &&
			view_reads_as_zeros(
				&tensor->shape, tensor->type, tensor->quant.block_size > 0)) {
			tensor->data = (const uint8_t *)zeros;
			(void)!shape_bytes(&tensor->shape, tensor->type, &tensor->data_bytes);
		}
	}
	for (uint32_t i = 0; i < subgraph->n_inputs; i++) {
		unmark_zeros(&subgraph->tensors[subgraph->inputs[i]]);
	}
	for (uint32_t i = 0; i < subgraph->n_nodes; i++) {
		const struct node *node = &subgraph->nodes[i];
		for (uint32_t j = 0; j < node->n_outputs; j++) {
			unmark_zeros(&subgraph->tensors[node->outputs[j]]);
		}
	}
}

static void build_subgraph(const struct flat *f, uint32_t root, uint32_t table, struct space *space,
	struct subgraph *ret_subgraph)
{
	struct flat_vector tensors = flat_get_vector(f, table, SLOT(SUBGRAPH, tensors));
	struct flat_vector operators = flat_get_vector(f, table, SLOT(SUBGRAPH, operators));
	struct flat_vector inputs = flat_get_vector(f, table, SLOT(SUBGRAPH, inputs));
	struct flat_vector outputs = flat_get_vector(f, table, SLOT(SUBGRAPH, outputs));
	*ret_subgraph = (struct subgraph){
		.name = view_text(f, table, SLOT(SUBGRAPH, name)),
		.tensors = space->tensors,
		.nodes = space->nodes,
		.inputs = copy_indices(space, &inputs),
		.outputs = copy_indices(space, &outputs),
		.n_tensors = tensors.count,
		.n_nodes = operators.count,
		.n_inputs = inputs.count,
		.n_outputs = outputs.count,
	};
	for (uint32_t i = 0; i < tensors.count; i++) {
		build_tensor(f, root, flat_vector_table(f, &tensors, i), space, space->tensors++);
	}
	for (uint32_t i = 0; i < operators.count; i++) {
		build_node(f, root, flat_vector_table(f, &operators, i), space, space->nodes++);
	}
	mark_zeros(ret_subgraph);
}

static int build_signatures(const struct flat *f, uint32_t root, struct space *space,
	struct graph *graph, struct error *err)
{
	struct flat_vector signatures = flat_get_vector(f, root, SLOT(MODEL, signature_defs));
	graph->signatures = space->signatures;
	graph->n_signatures = signatures.count;
	for (uint32_t i = 0; i < signatures.count; i++) {
		uint32_t table = flat_vector_table(f, &signatures, i);
		int r = sigdef_build(f, table, space->names, &graph->signatures[i], err);
		if (r < 0) {
			error_prefix(err, "signature %u", i);
			return r;
		}
		space->names += sigdef_count(f, table);
	}
	return 0;
}

static bool lacks_reference(const struct graph *graph)
{
	for (uint32_t i = 0; i < graph->n_subgraphs; i++) {
		const struct subgraph *s = &graph->subgraphs[i];
		for (uint32_t k = 0; k < s->n_nodes; k++) {
			if (!operators_in_reference(s->nodes[k].op, s->nodes[k].version)) {
				return true;
			}
		}
	}
	return false;
}

int graph_build(const struct flat *f, uint32_t root, struct graph **ret_graph, struct error *err)
{
	struct space space;
	struct counts counts = count_model(f, root);
	owned_mem struct graph *graph = allocate(&counts, &space);
	if (!graph) {
		return error_no_memory(err);
	}
	struct flat_vector subgraphs = flat_get_vector(f, root, SLOT(MODEL, subgraphs));
	graph->subgraphs = space.subgraphs;
	graph->n_subgraphs = subgraphs.count;
	graph->description = view_text(f, root, SLOT(MODEL, description));
	for (uint32_t i = 0; i < subgraphs.count; i++) {
		build_subgraph(
			f, root, flat_vector_table(f, &subgraphs, i), &space, &graph->subgraphs[i]);
	}
	int r = build_signatures(f, root, &space, graph, err);
	if (r < 0) {
		return r;
	}
	graph->beyond_reference = lacks_reference(graph);
	*ret_graph = take(graph);
	return 0;
}
