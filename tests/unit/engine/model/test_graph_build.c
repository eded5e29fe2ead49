/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "engine/model/model.h"
#include "engine/model/schema.h"
#include "engine/model/view.h"
#include "tests/fakes/fake_model.h"

struct opened {
	struct bytes_writer file;
	struct model *model;
	const struct graph *graph;
};

static struct opened open_fake(const struct fake_model *fake)
{
	struct opened o = {.file = fake_model_write(fake)};
	struct error err = {0};
	if (model_open_bytes(o.file.data, o.file.size, NULL, &o.model, &err) < 0) {
		fail_msg("%s", err.text);
	}
	o.graph = model_graph(o.model);
	return o;
}

static void close_fake(struct opened *o)
{
	model_free(o->model);
	bytes_writer_deinit(&o->file);
}

static void assert_text(struct text text, const char *wanted)
{
	assert_int_equal(text.length, strlen(wanted));
	assert_memory_equal(text.data, wanted, text.length);
}

static void build_gives_the_graph_that_was_described(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct opened o = open_fake(m);
	assert_int_equal(o.graph->n_subgraphs, 1);
	const struct subgraph *g = &o.graph->subgraphs[0];
	assert_text(g->name, "main");
	assert_int_equal(g->n_tensors, 3);
	assert_int_equal(g->n_inputs, 1);
	assert_int_equal(g->inputs[0], 0);
	assert_int_equal(g->n_outputs, 1);
	assert_int_equal(g->outputs[0], 2);
	assert_text(g->tensors[1].name, "c");
	assert_int_equal(g->tensors[1].shape.rank, 1);
	assert_int_equal(g->tensors[1].shape.dim[0], 4);
	assert_int_equal(g->tensors[1].data_bytes, 16);
	assert_memory_equal(g->tensors[1].data, m->buffers[1].data, 16);
	assert_null(g->tensors[0].data);
	assert_null(g->tensors[2].data);
	assert_int_equal(g->n_nodes, 1);
	assert_int_equal(g->nodes[0].op, OP_ADD);
	assert_int_equal(g->nodes[0].version, 1);
	assert_int_equal(g->nodes[0].n_inputs, 2);
	assert_int_equal(g->nodes[0].inputs[1], 1);
	assert_int_equal(g->nodes[0].outputs[0], 2);
	close_fake(&o);
}

static void build_keeps_constants_in_place(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct opened o = open_fake(m);
	const uint8_t *data = o.graph->subgraphs[0].tensors[1].data;
	assert_true(data >= o.file.data && data + 16 <= o.file.data + o.file.size);
	close_fake(&o);
}

static void build_copies_only_misaligned_64_bit_numbers(void **state)
{
	(void)state;
	static const int64_t numbers[2] = {-5, INT64_MAX};
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_tensor *c = &m->subgraphs[0].tensors[1];
	c->type = DTYPE_INT64;
	c->shape = FAKE_LIST(2);
	for (int shift = 0; shift < 2; shift++) {
		m->buffers[1] = (struct fake_buffer){
			.data = numbers, .size = sizeof(numbers), .shift = shift};
		struct opened o = open_fake(m);
		const uint8_t *data = o.graph->subgraphs[0].tensors[1].data;
		bool inside = data >= o.file.data && data < o.file.data + o.file.size;
		assert_int_equal((uintptr_t)data % 8, 0);
		assert_int_equal(inside, shift == 0);
		assert_memory_equal(data, numbers, sizeof(numbers));
		close_fake(&o);
	}
}

static void build_tells_open_dimensions_from_initial_ones(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	m->subgraphs[0].tensors[0].shape = FAKE_LIST(3, 4);
	m->subgraphs[0].tensors[0].signature = FAKE_LIST(-1, 4);
	m->subgraphs[0].tensors[2].shape = FAKE_LIST(-1, 4);
	struct opened o = open_fake(m);
	const struct tensor *t = o.graph->subgraphs[0].tensors;
	assert_true(t[0].shape_is_signature);
	assert_int_equal(t[0].shape.dim[0], -1);
	assert_int_equal(t[0].initial.dim[0], 3);
	assert_true(t[2].shape_is_signature);
	assert_int_equal(t[2].initial.dim[0], 1);
	assert_false(t[1].shape_is_signature);
	close_fake(&o);
}

static void build_reads_scales_and_zero_points(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_tensor *x = &m->subgraphs[0].tensors[0];
	x->type = DTYPE_INT8;
	x->n_scales = x->n_zeros = 4;
	x->dimension = 1;
	for (int i = 0; i < 4; i++) {
		x->scales[i] = 0.25f * (float)(i + 1);
		x->zeros[i] = -i;
	}
	struct opened o = open_fake(m);
	const struct quant *q = &o.graph->subgraphs[0].tensors[0].quant;
	assert_int_equal(q->n_scales, 4);
	assert_int_equal(q->dimension, 1);
	assert_true(q->scale[2] == 0.75f);
	assert_int_equal(quant_zero(q, 3), -3);
	assert_int_equal(o.graph->subgraphs[0].tensors[1].quant.n_scales, 0);
	assert_int_equal(quant_zero(&o.graph->subgraphs[0].tensors[1].quant, 0), 0);
	close_fake(&o);
}

static void build_reads_blocks(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_tensor *x = &m->subgraphs[0].tensors[0];
	x->details = 2;
	x->block_size = 16;
	x->block_scales = 1;
	struct opened o = open_fake(m);
	const struct quant *q = &o.graph->subgraphs[0].tensors[0].quant;
	assert_int_equal(q->block_size, 16);
	assert_int_equal(q->block_scales, 1);
	assert_int_equal(q->block_zeros, TENSOR_NONE); /* 0 is what a file without them has */
	assert_int_equal(q->n_scales, 0);
	close_fake(&o);
	x->block_zeros = 2;
	o = open_fake(m);
	assert_int_equal(o.graph->subgraphs[0].tensors[0].quant.block_zeros, 2);
	close_fake(&o);
}

static void build_gives_empty_constants_an_address(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	m->subgraphs[0].tensors[1].buffer = 0;
	m->subgraphs[0].tensors[1].shape = FAKE_LIST(0);
	m->subgraphs[0].tensors[2].shape = FAKE_LIST(0);
	m->subgraphs[0].tensors[0].shape = FAKE_LIST(0);
	struct opened o = open_fake(m);
	const struct tensor *t = o.graph->subgraphs[0].tensors;
	assert_non_null(t[1].data);
	assert_int_equal(t[1].data_bytes, 0);
	assert_null(t[0].data);
	assert_null(t[2].data);
	close_fake(&o);
}

/* Nobody writes tensor 1 and the file has no bytes of it: zeros, where blocks have the scales. */
static void build_gives_blockwise_constants_zeros(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_tensor *c = &m->subgraphs[0].tensors[1];
	m->subgraphs[0].tensors[0].type = DTYPE_INT8;
	c->type = DTYPE_INT8;
	c->buffer = 0;
	c->shape = FAKE_LIST(VIEW_ZEROS);
	c->details = 2;
	c->block_size = 32;
	struct opened o = open_fake(m);
	const struct tensor *t = o.graph->subgraphs[0].tensors;
	assert_int_equal(t[1].data_bytes, VIEW_ZEROS);
	assert_int_equal(t[1].data[0], 0);
	assert_int_equal(t[1].data[VIEW_ZEROS - 1], 0);
	assert_null(t[0].data);
	close_fake(&o);
	c->shape = FAKE_LIST(VIEW_ZEROS + 1);
	o = (struct opened){.file = fake_model_write(m)};
	struct error err = {0};
	assert_int_equal(
		model_open_bytes(o.file.data, o.file.size, NULL, &o.model, &err), -EBADMSG);
	assert_string_equal(err.text,
		"subgraph 0, node 0 (ADD): input 1: tensor 1 is read before it is written");
	bytes_writer_deinit(&o.file);
}

static void build_sorts_the_names_of_a_signature(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	m->subgraphs[0].outputs = FAKE_LIST(2, 0, 1);
	m->signatures[0].n_outputs = 3;
	m->signatures[0].outputs[0].name = "b";
	m->signatures[0].outputs[1].name = "aa";
	m->signatures[0].outputs[1].tensor = 1;
	m->signatures[0].outputs[2].name = "a";
	struct opened o = open_fake(m);
	assert_int_equal(o.graph->n_signatures, 1);
	const struct signature *s = &o.graph->signatures[0];
	assert_text(s->key, "serve");
	assert_int_equal(s->n_inputs, 1);
	assert_int_equal(s->n_outputs, 3);
	assert_text(s->outputs[0].name, "a");
	assert_int_equal(s->outputs[0].tensor, 0);
	assert_text(s->outputs[1].name, "aa");
	assert_int_equal(s->outputs[1].tensor, 1);
	assert_text(s->outputs[2].name, "b");
	close_fake(&o);
}

static void build_takes_the_greater_operator_code(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	m->codes[0] = (struct fake_code){.op = 0, .old_op = OP_MUL, .version = 7};
	m->subgraphs[0].nodes[0].options = 0;
	struct opened o = open_fake(m);
	assert_int_equal(o.graph->subgraphs[0].nodes[0].op, OP_MUL);
	assert_int_equal(o.graph->subgraphs[0].nodes[0].version, 7);
	close_fake(&o);
	m->codes[0] = (struct fake_code){.op = OP_SIGN, .old_op = 127, .version = 1};
	o = open_fake(m);
	assert_int_equal(o.graph->subgraphs[0].nodes[0].op, OP_SIGN);
	close_fake(&o);
}

static void build_carries_custom_operators(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	m->codes[0] = (struct fake_code){.op = OP_CUSTOM, .version = 2, .custom = "Mine"};
	m->subgraphs[0].nodes[0].options = 0;
	m->subgraphs[0].nodes[0].custom_offset = 4;
	m->subgraphs[0].nodes[0].custom_size = 4;
	struct opened o = open_fake(m);
	const struct node *node = &o.graph->subgraphs[0].nodes[0];
	assert_text(node->custom_name, "Mine");
	assert_int_equal(node->custom_options_bytes, 4);
	assert_memory_equal(node->custom_options, "TFL3", 4);
	close_fake(&o);
}

static void build_reads_sparsity(void **state)
{
	(void)state;
	const struct fake_sparsity s = {
		.order = FAKE_LIST(0, 1),
		.n_levels = 2,
		.levels = {{false, 2, {0}, {0}}, {true, 0, FAKE_LIST(0, 1, 3), FAKE_LIST(2, 0, 3)}},
	};
	owned_mem struct fake_model *m = fake_model_new();
	m->subgraphs[0].tensors[1].shape = FAKE_LIST(2, 4);
	m->subgraphs[0].tensors[1].sparsity = &s;
	m->buffers[1].size = 12;
	struct opened o = open_fake(m);
	const struct sparsity *read = o.graph->subgraphs[0].tensors[1].sparsity;
	assert_non_null(read);
	assert_int_equal(read->n_levels, 2);
	assert_int_equal(read->n_blocks, 0);
	assert_int_equal(read->order[1], 1);
	assert_false(read->levels[0].compressed);
	assert_int_equal(read->levels[0].size, 2);
	assert_true(read->levels[1].compressed);
	assert_int_equal(read->levels[1].segments.count, 3);
	assert_int_equal(sparse_list_get(&read->levels[1].segments, 2), 3);
	assert_int_equal(sparse_list_get(&read->levels[1].indices, 2), 3);
	close_fake(&o);
}

static void model_opens_a_descriptor(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct bytes_writer file = fake_model_write(m);
	struct model *model = NULL;
	struct error err = {0};
	owned_fd int fd = memfd_create("model", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, file.data, file.size), file.size);
	assert_int_equal(model_open_fd(fd, NULL, &model, &err), 0);
	assert_int_equal(model_file_bytes(model), file.size);
	assert_int_equal(model_graph(model)->subgraphs[0].n_tensors, 3);
	model_free(model);
	bytes_writer_deinit(&file);
}

static void model_refuses_what_is_no_file(void **state)
{
	(void)state;
	struct model *model = NULL;
	struct error err = {0};
	owned_fd int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(model_open_fd(null, NULL, &model, &err) < 0);
	assert_string_equal(err.text, "file: not a regular file");
	owned_fd int empty = memfd_create("model", MFD_CLOEXEC);
	assert_true(model_open_fd(empty, NULL, &model, &err) < 0);
	assert_string_equal(err.text, "file: 0 bytes, too short for a model");
	assert_true(model_open_fd(-1, NULL, &model, &err) < 0);
	assert_null(model);
	_Alignas(8) static const char bytes[16] = "";
	assert_true(model_open_bytes(bytes + 1, 8, NULL, &model, &err) < 0);
	assert_int_equal(err.status, EDGE_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(build_gives_the_graph_that_was_described),
		cmocka_unit_test(build_keeps_constants_in_place),
		cmocka_unit_test(build_copies_only_misaligned_64_bit_numbers),
		cmocka_unit_test(build_tells_open_dimensions_from_initial_ones),
		cmocka_unit_test(build_reads_scales_and_zero_points),
		cmocka_unit_test(build_reads_blocks),
		cmocka_unit_test(build_gives_empty_constants_an_address),
		cmocka_unit_test(build_gives_blockwise_constants_zeros),
		cmocka_unit_test(build_sorts_the_names_of_a_signature),
		cmocka_unit_test(build_takes_the_greater_operator_code),
		cmocka_unit_test(build_carries_custom_operators),
		cmocka_unit_test(build_reads_sparsity),
		cmocka_unit_test(model_opens_a_descriptor),
		cmocka_unit_test(model_refuses_what_is_no_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
