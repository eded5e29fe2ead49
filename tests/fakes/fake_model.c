/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/fake_model.h"

#include <assert.h>

#include "engine/model/schema.h"
#include "tests/fakes/flatbuffer_writer.h"

/* Widths of the fields of a table by slot: schema.h's kinds in bytes, for all slots. */
static uint32_t new_table(struct bytes_writer *out, enum schema_type type)
{
	const struct schema_table *schema = &schema_tables[type];
	uint8_t widths[32] = {0};
	/* Fields of all kinds are there, but links are taken back where nothing is linked. */
	for (uint32_t i = 0; i < schema->n_fields; i++) {
		const struct schema_field *field = &schema->fields[i];
		bool number = field->kind == SCHEMA_SCALAR || field->kind == SCHEMA_ENUM ||
			field->kind == SCHEMA_UNION_TYPE;
		widths[i] = field->kind == SCHEMA_SKIP ? 0 : number ? field->width : 4;
	}
	return flat_writer_table(out, widths, schema->n_fields);
}

/* Takes fields that were never set out of the table's vtable: the schema's default holds for them.
 */
static void drop_unset(
	struct bytes_writer *out, uint32_t table, enum schema_type type, uint32_t set)
{
	uint32_t vtable = table - bytes_get_u32(out->data + table);
	for (uint32_t i = 0; i < schema_tables[type].n_fields; i++) {
		if (!(set & 1u << i)) {
			memset(out->data + vtable + 4 + 2 * (size_t)i, 0, 2);
		}
	}
}

struct table {
	struct bytes_writer *out;
	uint32_t at;
	enum schema_type type;
	uint32_t set; /* bit per slot */
};

static struct table table_start(struct bytes_writer *out, enum schema_type type)
{
	return (struct table){out, new_table(out, type), type, 0};
}

static void table_number(struct table *t, uint32_t slot, uint64_t value)
{
	flat_writer_set(t->out, t->at, slot, value, schema_tables[t->type].fields[slot].width);
	t->set |= 1u << slot;
}

static void table_link(struct table *t, uint32_t slot, uint32_t target)
{
	flat_writer_link(t->out, t->at, slot, target);
	t->set |= 1u << slot;
}

static void table_text(struct table *t, uint32_t slot, const char *text)
{
	if (text) {
		table_link(t, slot, flat_writer_string(t->out, text));
	}
}

static void table_list(struct table *t, uint32_t slot, const struct fake_list *list)
{
	if (!list->absent) {
		table_link(t, slot, flat_writer_vector(t->out, list->v, list->n, 4));
	}
}

static uint32_t table_end(struct table *t)
{
	drop_unset(t->out, t->at, t->type, t->set);
	return t->at;
}

static uint32_t table_tables(struct table *t, uint32_t slot, uint32_t n)
{
	uint32_t vector = flat_writer_vector(t->out, NULL, n, 4);
	table_link(t, slot, vector);
	return vector;
}

static uint32_t write_index_list(struct bytes_writer *out, const struct fake_list *list)
{
	struct table t = table_start(out, SCHEMA_INT32_VECTOR);
	table_list(&t, 0, list);
	return table_end(&t);
}

static uint32_t write_level(struct bytes_writer *out, const struct fake_level *level)
{
	struct table t = table_start(out, SCHEMA_DIMENSION_METADATA);
	table_number(&t, DIMENSION_METADATA_FORMAT, level->compressed);
	table_number(&t, DIMENSION_METADATA_DENSE_SIZE, (uint32_t)level->size);
	if (level->compressed) {
		table_number(&t, DIMENSION_METADATA_ARRAY_SEGMENTS_TYPE, SPARSE_INDEX_INT32);
		table_link(&t, DIMENSION_METADATA_ARRAY_SEGMENTS,
			write_index_list(out, &level->segments));
		table_number(&t, DIMENSION_METADATA_ARRAY_INDICES_TYPE, SPARSE_INDEX_INT32);
		table_link(&t, DIMENSION_METADATA_ARRAY_INDICES,
			write_index_list(out, &level->indices));
	}
	return table_end(&t);
}

static uint32_t write_sparsity(struct bytes_writer *out, const struct fake_sparsity *sparsity)
{
	struct table t = table_start(out, SCHEMA_SPARSITY_PARAMETERS);
	table_list(&t, SPARSITY_PARAMETERS_TRAVERSAL_ORDER, &sparsity->order);
	table_list(&t, SPARSITY_PARAMETERS_BLOCK_MAP, &sparsity->block_map);
	uint32_t levels = table_tables(&t, SPARSITY_PARAMETERS_DIM_METADATA, sparsity->n_levels);
	for (uint32_t i = 0; i < sparsity->n_levels; i++) {
		flat_writer_link_element(out, levels, i, write_level(out, &sparsity->levels[i]));
	}
	return table_end(&t);
}

static uint32_t write_blockwise(struct bytes_writer *out, const struct fake_tensor *tensor)
{
	struct table t = table_start(out, SCHEMA_BLOCKWISE_QUANTIZATION);
	table_number(&t, BLOCKWISE_QUANTIZATION_SCALES, (uint32_t)tensor->block_scales);
	table_number(&t, BLOCKWISE_QUANTIZATION_ZERO_POINTS, (uint32_t)tensor->block_zeros);
	table_number(&t, BLOCKWISE_QUANTIZATION_BLOCK_SIZE, (uint32_t)tensor->block_size);
	return table_end(&t);
}

static uint32_t write_quant(struct bytes_writer *out, const struct fake_tensor *tensor)
{
	struct table t = table_start(out, SCHEMA_QUANTIZATION_PARAMETERS);
	table_link(&t, QUANTIZATION_PARAMETERS_SCALE,
		flat_writer_vector(out, tensor->scales, tensor->n_scales, 4));
	table_link(&t, QUANTIZATION_PARAMETERS_ZERO_POINT,
		flat_writer_vector(out, tensor->zeros, tensor->n_zeros, 8));
	table_number(&t, QUANTIZATION_PARAMETERS_QUANTIZED_DIMENSION, (uint32_t)tensor->dimension);
	table_number(&t, QUANTIZATION_PARAMETERS_DETAILS_TYPE, tensor->details);
	if (tensor->details == QUANTIZATION_DETAILS_BLOCKWISE) {
		table_link(&t, QUANTIZATION_PARAMETERS_DETAILS, write_blockwise(out, tensor));
	}
	return table_end(&t);
}

static uint32_t write_tensor(struct bytes_writer *out, const struct fake_tensor *tensor)
{
	struct table t = table_start(out, SCHEMA_TENSOR);
	table_number(&t, TENSOR_TYPE, tensor->type);
	table_number(&t, TENSOR_BUFFER, tensor->buffer);
	table_number(&t, TENSOR_IS_VARIABLE, tensor->variable);
	table_number(&t, TENSOR_EXTERNAL_BUFFER, tensor->external_buffer);
	table_list(&t, TENSOR_SHAPE, &tensor->shape);
	table_text(&t, TENSOR_NAME, tensor->name);
	if (tensor->signature.n) {
		table_list(&t, TENSOR_SHAPE_SIGNATURE, &tensor->signature);
	}
	if (tensor->n_scales || tensor->n_zeros || tensor->details) {
		table_link(&t, TENSOR_QUANTIZATION, write_quant(out, tensor));
	}
	if (tensor->sparsity) {
		table_link(&t, TENSOR_SPARSITY, write_sparsity(out, tensor->sparsity));
	}
	return table_end(&t);
}

static uint32_t write_options(struct bytes_writer *out, const struct fake_node *node)
{
	uint8_t widths[32] = {0};
	for (uint32_t i = 0; i < FAKE_MAX; i++) {
		const struct fake_option *field = &node->fields[i];
		if (field->width || field->list.n) {
			widths[field->slot] = field->width ? field->width : 4;
		}
	}
	uint32_t table = flat_writer_table(out, widths, 32);
	for (uint32_t i = 0; i < FAKE_MAX; i++) {
		const struct fake_option *field = &node->fields[i];
		if (field->width) {
			flat_writer_set(
				out, table, field->slot, (uint64_t)field->value, field->width);
		} else if (field->list.n) {
			flat_writer_link(out, table, field->slot,
				flat_writer_vector(out, field->list.v, field->list.n, 4));
		}
	}
	return table;
}

static uint32_t write_node(struct bytes_writer *out, const struct fake_node *node)
{
	struct table t = table_start(out, SCHEMA_OPERATOR);
	table_number(&t, OPERATOR_OPCODE_INDEX, node->code);
	table_list(&t, OPERATOR_INPUTS, &node->inputs);
	table_list(&t, OPERATOR_OUTPUTS, &node->outputs);
	table_list(&t, OPERATOR_INTERMEDIATES, &node->intermediates);
	table_number(&t, OPERATOR_LARGE_CUSTOM_OPTIONS_OFFSET, node->custom_offset);
	table_number(&t, OPERATOR_LARGE_CUSTOM_OPTIONS_SIZE, node->custom_size);
	if (node->options) {
		uint32_t slot = node->options < OPTIONS_2_BASE ? OPERATOR_BUILTIN_OPTIONS
							       : OPERATOR_BUILTIN_OPTIONS_2;
		table_number(&t, slot - 1, node->options % OPTIONS_2_BASE);
		table_link(&t, slot, write_options(out, node));
	}
	return table_end(&t);
}

static uint32_t write_subgraph(struct bytes_writer *out, const struct fake_subgraph *subgraph)
{
	struct table t = table_start(out, SCHEMA_SUBGRAPH);
	table_text(&t, SUBGRAPH_NAME, subgraph->name);
	table_list(&t, SUBGRAPH_INPUTS, &subgraph->inputs);
	table_list(&t, SUBGRAPH_OUTPUTS, &subgraph->outputs);
	uint32_t tensors = table_tables(&t, SUBGRAPH_TENSORS, subgraph->n_tensors);
	for (uint32_t i = 0; i < subgraph->n_tensors; i++) {
		flat_writer_link_element(out, tensors, i, write_tensor(out, &subgraph->tensors[i]));
	}
	if (!subgraph->no_operators) {
		uint32_t nodes = table_tables(&t, SUBGRAPH_OPERATORS, subgraph->n_nodes);
		for (uint32_t i = 0; i < subgraph->n_nodes; i++) {
			flat_writer_link_element(
				out, nodes, i, write_node(out, &subgraph->nodes[i]));
		}
	}
	return table_end(&t);
}

static uint32_t write_code(struct bytes_writer *out, const struct fake_code *code)
{
	struct table t = table_start(out, SCHEMA_OPERATOR_CODE);
	table_number(&t, OPERATOR_CODE_DEPRECATED_BUILTIN_CODE, (uint8_t)code->old_op);
	table_number(&t, OPERATOR_CODE_BUILTIN_CODE, (uint32_t)code->op);
	table_number(&t, OPERATOR_CODE_VERSION, (uint32_t)code->version);
	table_text(&t, OPERATOR_CODE_CUSTOM_CODE, code->custom);
	return table_end(&t);
}

static uint32_t write_buffer(struct bytes_writer *out, const struct fake_buffer *buffer)
{
	struct table t = table_start(out, SCHEMA_BUFFER);
	if (buffer->offset) {
		table_number(&t, BUFFER_OFFSET, buffer->offset);
		table_number(&t, BUFFER_SIZE, buffer->outside);
	}
	if (buffer->size || buffer->data) {
		bytes_write_align(out, 8);
		bytes_reserve(out, buffer->shift ? 0 : 4);
		table_link(&t, BUFFER_DATA, (uint32_t)out->size);
		bytes_write_u32(out, buffer->size);
		void *to = bytes_reserve(out, buffer->size);
		if (buffer->data && buffer->size) {
			memcpy(to, buffer->data, buffer->size);
		}
		bytes_write_align(out, 4);
	}
	return table_end(&t);
}

static uint32_t write_map(struct bytes_writer *out, const char *name, uint32_t tensor)
{
	struct table t = table_start(out, SCHEMA_TENSOR_MAP);
	table_number(&t, TENSOR_MAP_TENSOR_INDEX, tensor);
	table_text(&t, TENSOR_MAP_NAME, name);
	return table_end(&t);
}

static uint32_t write_signature(struct bytes_writer *out, const struct fake_signature *signature)
{
	struct table t = table_start(out, SCHEMA_SIGNATURE_DEF);
	table_number(&t, SIGNATURE_DEF_SUBGRAPH_INDEX, signature->subgraph);
	table_text(&t, SIGNATURE_DEF_SIGNATURE_KEY, signature->key);
	uint32_t inputs = table_tables(&t, SIGNATURE_DEF_INPUTS, signature->n_inputs);
	for (uint32_t i = 0; i < signature->n_inputs; i++) {
		flat_writer_link_element(out, inputs, i,
			write_map(out, signature->inputs[i].name, signature->inputs[i].tensor));
	}
	uint32_t outputs = table_tables(&t, SIGNATURE_DEF_OUTPUTS, signature->n_outputs);
	for (uint32_t i = 0; i < signature->n_outputs; i++) {
		flat_writer_link_element(out, outputs, i,
			write_map(out, signature->outputs[i].name, signature->outputs[i].tensor));
	}
	return table_end(&t);
}

static void write_metadata(struct table *model, const char *name, uint32_t buffer)
{
	uint32_t vector = table_tables(model, MODEL_METADATA, 1);
	struct table t = table_start(model->out, SCHEMA_METADATA);
	table_number(&t, METADATA_BUFFER, buffer);
	table_text(&t, METADATA_NAME, name);
	flat_writer_link_element(model->out, vector, 0, table_end(&t));
}

struct bytes_writer fake_model_write(const struct fake_model *model)
{
	struct bytes_writer out = {0};
	flat_writer_start(&out, "TFL3");
	struct table t = table_start(&out, SCHEMA_MODEL);
	flat_writer_root(&out, t.at);
	table_number(&t, MODEL_VERSION, model->version);
	uint32_t codes = table_tables(&t, MODEL_OPERATOR_CODES, model->n_codes);
	for (uint32_t i = 0; i < model->n_codes; i++) {
		flat_writer_link_element(&out, codes, i, write_code(&out, &model->codes[i]));
	}
	uint32_t subgraphs = table_tables(&t, MODEL_SUBGRAPHS, model->n_subgraphs);
	for (uint32_t i = 0; i < model->n_subgraphs; i++) {
		flat_writer_link_element(
			&out, subgraphs, i, write_subgraph(&out, &model->subgraphs[i]));
	}
	uint32_t buffers = table_tables(&t, MODEL_BUFFERS, model->n_buffers);
	for (uint32_t i = 0; i < model->n_buffers; i++) {
		flat_writer_link_element(&out, buffers, i, write_buffer(&out, &model->buffers[i]));
	}
	uint32_t signatures = table_tables(&t, MODEL_SIGNATURE_DEFS, model->n_signatures);
	for (uint32_t i = 0; i < model->n_signatures; i++) {
		flat_writer_link_element(
			&out, signatures, i, write_signature(&out, &model->signatures[i]));
	}
	if (model->metadata_name) {
		write_metadata(&t, model->metadata_name, model->metadata_buffer);
	}
	table_end(&t);
	assert(!out.failed);
	return out;
}

void fake_model_add(struct fake_model *m)
{
	static const float constant[4] = {1, 2, 3, 4};
	struct fake_subgraph *g = &m->subgraphs[0];
	memset(m, 0, sizeof(*m));
	m->version = 3;
	m->n_codes = m->n_subgraphs = m->n_signatures = 1;
	m->n_buffers = 2;
	m->codes[0] = (struct fake_code){.op = OP_ADD, .version = 1};
	m->buffers[1] = (struct fake_buffer){.data = constant, .size = sizeof(constant)};
	g->n_tensors = 3;
	g->n_nodes = 1;
	g->name = "main";
	g->tensors[0] = (struct fake_tensor){.name = "x", .shape = FAKE_LIST(1, 4)};
	g->tensors[1] = (struct fake_tensor){.name = "c", .shape = FAKE_LIST(4), .buffer = 1};
	g->tensors[2] = (struct fake_tensor){.name = "y", .shape = FAKE_LIST(1, 4)};
	g->nodes[0].inputs = FAKE_LIST(0, 1);
	g->nodes[0].outputs = FAKE_LIST(2);
	g->nodes[0].options = OPTIONS_ADD;
	g->inputs = FAKE_LIST(0);
	g->outputs = FAKE_LIST(2);
	m->signatures[0] = (struct fake_signature){.key = "serve",
		.n_inputs = 1,
		.n_outputs = 1,
		.inputs = {{"in", 0}},
		.outputs = {{"out", 2}}};
}

struct fake_model *fake_model_new(void)
{
	struct fake_model *model = malloc(sizeof(*model));
	assert(model);
	fake_model_add(model);
	return model;
}
