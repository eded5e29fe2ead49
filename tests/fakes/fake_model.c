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
	table_number(&t, SLOT(DIMENSION_METADATA, format), level->compressed);
	table_number(&t, SLOT(DIMENSION_METADATA, dense_size), (uint32_t)level->size);
	if (level->compressed) {
		table_number(&t, SLOT(DIMENSION_METADATA, array_segments_type), SPARSE_INDEX_INT32);
		table_link(&t, SLOT(DIMENSION_METADATA, array_segments),
			write_index_list(out, &level->segments));
		table_number(&t, SLOT(DIMENSION_METADATA, array_indices_type), SPARSE_INDEX_INT32);
		table_link(&t, SLOT(DIMENSION_METADATA, array_indices),
			write_index_list(out, &level->indices));
	}
	return table_end(&t);
}

static uint32_t write_sparsity(struct bytes_writer *out, const struct fake_sparsity *sparsity)
{
	struct table t = table_start(out, SCHEMA_SPARSITY_PARAMETERS);
	table_list(&t, SLOT(SPARSITY_PARAMETERS, traversal_order), &sparsity->order);
	table_list(&t, SLOT(SPARSITY_PARAMETERS, block_map), &sparsity->block_map);
	uint32_t levels =
		table_tables(&t, SLOT(SPARSITY_PARAMETERS, dim_metadata), sparsity->n_levels);
	for (uint32_t i = 0; i < sparsity->n_levels; i++) {
		flat_writer_link_element(out, levels, i, write_level(out, &sparsity->levels[i]));
	}
	return table_end(&t);
}

static uint32_t write_blockwise(struct bytes_writer *out, const struct fake_tensor *tensor)
{
	struct table t = table_start(out, SCHEMA_BLOCKWISE_QUANTIZATION);
	table_number(&t, SLOT(BLOCKWISE_QUANTIZATION, scales), (uint32_t)tensor->block_scales);
	table_number(&t, SLOT(BLOCKWISE_QUANTIZATION, zero_points), (uint32_t)tensor->block_zeros);
	table_number(&t, SLOT(BLOCKWISE_QUANTIZATION, block_size), (uint32_t)tensor->block_size);
	return table_end(&t);
}

static uint32_t write_quant(struct bytes_writer *out, const struct fake_tensor *tensor)
{
	struct table t = table_start(out, SCHEMA_QUANTIZATION_PARAMETERS);
	table_link(&t, SLOT(QUANTIZATION_PARAMETERS, scale),
		flat_writer_vector(out, tensor->scales, tensor->n_scales, 4));
	table_link(&t, SLOT(QUANTIZATION_PARAMETERS, zero_point),
		flat_writer_vector(out, tensor->zeros, tensor->n_zeros, 8));
	table_number(&t, SLOT(QUANTIZATION_PARAMETERS, quantized_dimension),
		(uint32_t)tensor->dimension);
	table_number(&t, SLOT(QUANTIZATION_PARAMETERS, details_type), tensor->details);
	if (tensor->details == QUANTIZATION_DETAILS_BLOCKWISE) {
		table_link(
			&t, SLOT(QUANTIZATION_PARAMETERS, details), write_blockwise(out, tensor));
	}
	return table_end(&t);
}

static uint32_t write_tensor(struct bytes_writer *out, const struct fake_tensor *tensor)
{
	struct table t = table_start(out, SCHEMA_TENSOR);
	table_number(&t, SLOT(TENSOR, type), tensor->type);
	table_number(&t, SLOT(TENSOR, buffer), tensor->buffer);
	table_number(&t, SLOT(TENSOR, is_variable), tensor->variable);
	table_number(&t, SLOT(TENSOR, external_buffer), tensor->external_buffer);
	table_list(&t, SLOT(TENSOR, shape), &tensor->shape);
	table_text(&t, SLOT(TENSOR, name), tensor->name);
	if (tensor->signature.n) {
		table_list(&t, SLOT(TENSOR, shape_signature), &tensor->signature);
	}
	if (tensor->n_scales || tensor->n_zeros || tensor->details) {
		table_link(&t, SLOT(TENSOR, quantization), write_quant(out, tensor));
	}
	if (tensor->sparsity) {
		table_link(&t, SLOT(TENSOR, sparsity), write_sparsity(out, tensor->sparsity));
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
	table_number(&t, SLOT(OPERATOR, opcode_index), node->code);
	table_list(&t, SLOT(OPERATOR, inputs), &node->inputs);
	table_list(&t, SLOT(OPERATOR, outputs), &node->outputs);
	table_list(&t, SLOT(OPERATOR, intermediates), &node->intermediates);
	table_number(&t, SLOT(OPERATOR, large_custom_options_offset), node->custom_offset);
	table_number(&t, SLOT(OPERATOR, large_custom_options_size), node->custom_size);
	if (node->options) {
		uint32_t slot = node->options < OPTIONS_2_BASE ? SLOT(OPERATOR, builtin_options)
							       : SLOT(OPERATOR, builtin_options_2);
		table_number(&t, slot - 1, node->options % OPTIONS_2_BASE);
		table_link(&t, slot, write_options(out, node));
	}
	return table_end(&t);
}

static uint32_t write_subgraph(struct bytes_writer *out, const struct fake_subgraph *subgraph)
{
	struct table t = table_start(out, SCHEMA_SUBGRAPH);
	table_text(&t, SLOT(SUBGRAPH, name), subgraph->name);
	table_list(&t, SLOT(SUBGRAPH, inputs), &subgraph->inputs);
	table_list(&t, SLOT(SUBGRAPH, outputs), &subgraph->outputs);
	uint32_t tensors = table_tables(&t, SLOT(SUBGRAPH, tensors), subgraph->n_tensors);
	for (uint32_t i = 0; i < subgraph->n_tensors; i++) {
		flat_writer_link_element(out, tensors, i, write_tensor(out, &subgraph->tensors[i]));
	}
	if (!subgraph->no_operators) {
		uint32_t nodes = table_tables(&t, SLOT(SUBGRAPH, operators), subgraph->n_nodes);
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
	table_number(&t, SLOT(OPERATOR_CODE, deprecated_builtin_code), (uint8_t)code->old_op);
	table_number(&t, SLOT(OPERATOR_CODE, builtin_code), (uint32_t)code->op);
	table_number(&t, SLOT(OPERATOR_CODE, version), (uint32_t)code->version);
	table_text(&t, SLOT(OPERATOR_CODE, custom_code), code->custom);
	return table_end(&t);
}

static uint32_t write_buffer(struct bytes_writer *out, const struct fake_buffer *buffer)
{
	struct table t = table_start(out, SCHEMA_BUFFER);
	if (buffer->offset) {
		table_number(&t, SLOT(BUFFER, offset), buffer->offset);
		table_number(&t, SLOT(BUFFER, size), buffer->outside);
	}
	if (buffer->size || buffer->data) {
		bytes_write_align(out, 8);
		bytes_reserve(out, buffer->shift ? 0 : 4);
		table_link(&t, SLOT(BUFFER, data), (uint32_t)out->size);
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
	table_number(&t, SLOT(TENSOR_MAP, tensor_index), tensor);
	table_text(&t, SLOT(TENSOR_MAP, name), name);
	return table_end(&t);
}

static uint32_t write_signature(struct bytes_writer *out, const struct fake_signature *signature)
{
	struct table t = table_start(out, SCHEMA_SIGNATURE_DEF);
	table_number(&t, SLOT(SIGNATURE_DEF, subgraph_index), signature->subgraph);
	table_text(&t, SLOT(SIGNATURE_DEF, signature_key), signature->key);
	uint32_t inputs = table_tables(&t, SLOT(SIGNATURE_DEF, inputs), signature->n_inputs);
	for (uint32_t i = 0; i < signature->n_inputs; i++) {
		flat_writer_link_element(out, inputs, i,
			write_map(out, signature->inputs[i].name, signature->inputs[i].tensor));
	}
	uint32_t outputs = table_tables(&t, SLOT(SIGNATURE_DEF, outputs), signature->n_outputs);
	for (uint32_t i = 0; i < signature->n_outputs; i++) {
		flat_writer_link_element(out, outputs, i,
			write_map(out, signature->outputs[i].name, signature->outputs[i].tensor));
	}
	return table_end(&t);
}

static void write_metadata(struct table *model, const char *name, uint32_t buffer)
{
	uint32_t vector = table_tables(model, SLOT(MODEL, metadata), 1);
	struct table t = table_start(model->out, SCHEMA_METADATA);
	table_number(&t, SLOT(METADATA, buffer), buffer);
	table_text(&t, SLOT(METADATA, name), name);
	flat_writer_link_element(model->out, vector, 0, table_end(&t));
}

struct bytes_writer fake_model_write(const struct fake_model *model)
{
	struct bytes_writer out = {0};
	flat_writer_start(&out, "TFL3");
	struct table t = table_start(&out, SCHEMA_MODEL);
	flat_writer_root(&out, t.at);
	table_number(&t, SLOT(MODEL, version), model->version);
	uint32_t codes = table_tables(&t, SLOT(MODEL, operator_codes), model->n_codes);
	for (uint32_t i = 0; i < model->n_codes; i++) {
		flat_writer_link_element(&out, codes, i, write_code(&out, &model->codes[i]));
	}
	uint32_t subgraphs = table_tables(&t, SLOT(MODEL, subgraphs), model->n_subgraphs);
	for (uint32_t i = 0; i < model->n_subgraphs; i++) {
		flat_writer_link_element(
			&out, subgraphs, i, write_subgraph(&out, &model->subgraphs[i]));
	}
	uint32_t buffers = table_tables(&t, SLOT(MODEL, buffers), model->n_buffers);
	for (uint32_t i = 0; i < model->n_buffers; i++) {
		flat_writer_link_element(&out, buffers, i, write_buffer(&out, &model->buffers[i]));
	}
	uint32_t signatures = table_tables(&t, SLOT(MODEL, signature_defs), model->n_signatures);
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
