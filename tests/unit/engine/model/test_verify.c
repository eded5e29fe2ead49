/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/model/flatbuffer.h"
#include "engine/model/model.h"
#include "engine/model/schema.h"
#include "engine/model/verify.h"
#include "tests/fakes/fake_model.h"

/* What opening the described file says: "" when it is fine. */
static const char *verdict(const struct fake_model *fake)
{
	static struct error err;
	struct bytes_writer file = fake_model_write(fake);
	struct model *model = NULL;
	memset(&err, 0, sizeof(err));
	int r = model_open_bytes(file.data, file.size, NULL, &model, &err);
	if (r == 0) {
		assert_non_null(model);
		err.text[0] = 0;
	} else {
		assert_int_equal(r, err.code);
	}
	model_free(model);
	bytes_writer_deinit(&file);
	return err.text;
}

static void verify_accepts_a_small_model(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	assert_string_equal(verdict(m), "");
}

static void verify_wants_version_3_and_parts(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	m->version = 2;
	assert_string_equal(verdict(m), "version: 2, must be 3");
	fake_model_add(m);
	m->n_signatures = m->n_subgraphs = 0;
	assert_string_equal(verdict(m), "subgraphs: none");
	fake_model_add(m);
	m->subgraphs[0].no_operators = true;
	assert_string_equal(verdict(m), "subgraph 0: no list of operators");
}

static void verify_keeps_buffer_0_empty(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	m->buffers[0] = m->buffers[1];
	assert_string_equal(verdict(m), "buffer 0: is not empty");
}

static void verify_needs_no_list_of_buffers_without_constants(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	m->n_buffers = 0;
	assert_string_equal(verdict(m), "subgraph 0, tensor 1 ('c'): buffer 1 of 0");
	m->subgraphs[0].tensors[1].buffer = 0;
	m->subgraphs[0].nodes[0].inputs = FAKE_LIST(0, 0);
	assert_string_equal(verdict(m), "");
}

static void verify_rejects_buffer_past_end_of_list(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	m->subgraphs[0].tensors[1].buffer = 2;
	assert_string_equal(verdict(m), "subgraph 0, tensor 1 ('c'): buffer 2 of 2");
	m->subgraphs[0].tensors[1].name = "a\nb";
	assert_string_equal(verdict(m), "subgraph 0, tensor 1 ('a\\x0ab'): buffer 2 of 2");
}

static void verify_rejects_bytes_outside_the_file(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	m->buffers[1] = (struct fake_buffer){.offset = UINT64_MAX - 3, .outside = 16};
	assert_string_equal(verdict(m), "buffer 1: reaches beyond the end of the file");
	m->buffers[1] = (struct fake_buffer){.offset = 16, .outside = UINT64_MAX - 8};
	assert_string_equal(verdict(m), "buffer 1: reaches beyond the end of the file");
	m->buffers[1] = (struct fake_buffer){.offset = 16, .outside = 16};
	assert_string_equal(verdict(m), "");
	fake_model_add(m);
	m->subgraphs[0].nodes[0].custom_offset = 100;
	m->subgraphs[0].nodes[0].custom_size = 1u << 30;
	assert_string_equal(verdict(m),
		"subgraph 0, node 0 (ADD): custom options reach beyond the end of the file");
}

static void verify_compares_bytes_with_shapes(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_tensor *c = &m->subgraphs[0].tensors[1];
	c->shape = FAKE_LIST(5);
	assert_string_equal(
		verdict(m), "subgraph 0, tensor 1 ('c'): 16 bytes of data, float32 5 needs 20");
	c->shape = FAKE_LIST(3);
	assert_string_equal(
		verdict(m), "subgraph 0, tensor 1 ('c'): 16 bytes of data, float32 3 needs 12");
	c->shape = FAKE_LIST(4);
	c->type = DTYPE_RESOURCE;
	assert_string_equal(
		verdict(m), "subgraph 0, tensor 1 ('c'): constant of type resource and shape 4");
	c->type = DTYPE_INT4;
	c->shape = FAKE_LIST(31);
	assert_string_equal(verdict(m), "");
	c->shape = FAKE_LIST(33);
	assert_string_equal(
		verdict(m), "subgraph 0, tensor 1 ('c'): 16 bytes of data, int4 33 needs 17");
}

static void verify_bounds_shapes(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_tensor *x = &m->subgraphs[0].tensors[0];
	x->shape = FAKE_LIST(1, 1, 1, 1, 1, 1, 1, 1, 1);
	assert_string_equal(verdict(m), "subgraph 0, tensor 0 ('x'): rank 9, at most 8");
	x->shape = FAKE_LIST(-2, 4);
	assert_string_equal(
		verdict(m), "subgraph 0, tensor 0 ('x'): dimension 0 is -2, at most 16777216");
	x->shape = FAKE_LIST(0, 65536, 65536);
	assert_string_equal(verdict(m), "subgraph 0, tensor 0 ('x'): more than 2^31 - 1 elements");
	x->shape = FAKE_LIST(1, 4);
	x->signature = FAKE_LIST(-1, 5);
	assert_string_equal(verdict(m),
		"subgraph 0, tensor 0 ('x'): dimension 1 is 4, in the shape signature 5");
	x->signature = FAKE_LIST(-1);
	assert_string_equal(verdict(m),
		"subgraph 0, tensor 0 ('x'): shape signature of rank 1, shape of rank 2");
}

static void verify_rejects_other_storage(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	m->subgraphs[0].tensors[1].variable = true;
	assert_string_equal(
		verdict(m), "subgraph 0, tensor 1 ('c'): a variable with constant data");
	fake_model_add(m);
	m->subgraphs[0].tensors[0].external_buffer = 0x80000000;
	assert_string_equal(
		verdict(m), "subgraph 0, tensor 0 ('x'): data in another file is not supported");
	fake_model_add(m);
	m->subgraphs[0].tensors[0].details = 3;
	assert_string_equal(verdict(m),
		"subgraph 0, tensor 0 ('x'): quantization of kind 3 (custom, multi-axis) is not "
		"supported");
}

static void verify_judges_blocks(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_tensor *x = &m->subgraphs[0].tensors[0];
	const int32_t n = (int32_t)m->subgraphs[0].n_tensors;
	x->details = 2;
	x->block_size = 32;
	x->block_scales = n - 1;
	assert_string_equal(verdict(m), "");
	x->block_scales = n;
	assert_non_null(strstr(verdict(m), "scales of blocks: tensor 3 of 3"));
	x->block_scales = -1;
	assert_non_null(strstr(verdict(m), "scales of blocks: tensor -1 of 3"));
	x->block_scales = 1;
	x->block_zeros = n;
	assert_non_null(strstr(verdict(m), "zero points of blocks: tensor 3 of 3"));
	x->block_zeros = -1;
	assert_string_equal(verdict(m), "");
	x->block_size = 0;
	assert_non_null(strstr(verdict(m), "blocks of 0 elements"));
	x->block_size = 4;
	x->n_scales = x->n_zeros = 1;
	x->scales[0] = 1;
	assert_non_null(strstr(verdict(m), "blockwise quantization with 1 scales as well"));
}

static void verify_judges_scales(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_tensor *x = &m->subgraphs[0].tensors[0];
	x->type = DTYPE_INT8;
	x->n_scales = x->n_zeros = 1;
	x->scales[0] = 0.5f;
	x->zeros[0] = -128;
	assert_string_equal(verdict(m), "");
	x->zeros[0] = 128;
	assert_string_equal(
		verdict(m), "subgraph 0, tensor 0 ('x'): zero point 0 is 128, not a int8");
	x->zeros[0] = 0;
	x->scales[0] = 0;
	assert_string_equal(verdict(m), "subgraph 0, tensor 0 ('x'): scale 0 is 0");
	x->scales[0] = INFINITY;
	assert_string_equal(verdict(m), "subgraph 0, tensor 0 ('x'): scale 0 is inf");
	x->n_zeros = 0;
	assert_string_equal(verdict(m), "subgraph 0, tensor 0 ('x'): 1 scales and 0 zero points");
}

static void verify_counts_scales_per_dimension(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_tensor *x = &m->subgraphs[0].tensors[0];
	x->type = DTYPE_INT8;
	x->n_scales = x->n_zeros = 4;
	x->dimension = 1;
	for (int i = 0; i < 4; i++) {
		x->scales[i] = 1;
	}
	assert_string_equal(verdict(m), "");
	x->dimension = 0;
	assert_string_equal(
		verdict(m), "subgraph 0, tensor 0 ('x'): 4 scales for dimension 0 of size 1");
	x->dimension = 2;
	assert_string_equal(verdict(m),
		"subgraph 0, tensor 0 ('x'): quantized dimension 2 of a tensor of rank 2");
	/* A bias says nothing by its dimension. */
	x->dimension = 3;
	x->shape = FAKE_LIST(4);
	assert_string_equal(verdict(m), "");
}

static void verify_reads_string_tables(void **state)
{
	(void)state;
	uint32_t table[6] = {2, 16, 18, 20, 0x64636261, 0};
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_tensor *c = &m->subgraphs[0].tensors[1];
	c->type = DTYPE_STRING;
	c->shape = FAKE_LIST(2);
	m->buffers[1] = (struct fake_buffer){.data = table, .size = 20};
	assert_string_equal(verdict(m), "");
	table[2] = 21;
	assert_string_equal(verdict(m), "subgraph 0, tensor 1 ('c'): strings: offset 1 is 21");
	table[2] = 18;
	table[3] = 17;
	assert_string_equal(verdict(m), "subgraph 0, tensor 1 ('c'): strings: offset 2 is 17");
	table[3] = 19;
	assert_string_equal(
		verdict(m), "subgraph 0, tensor 1 ('c'): strings: 1 bytes behind the last one");
	table[0] = 0x7fffffff;
	assert_string_equal(verdict(m),
		"subgraph 0, tensor 1 ('c'): strings: 2147483647 for 2 elements in 20 bytes");
	m->buffers[1].size = 4;
	assert_string_equal(verdict(m), "subgraph 0, tensor 1 ('c'): strings: a table of 4 bytes");
}

static void verify_keeps_node_operands_in_range(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_node *add = &m->subgraphs[0].nodes[0];
	add->inputs = FAKE_LIST(0, 3);
	assert_string_equal(verdict(m), "subgraph 0, node 0 (ADD): input 1: tensor 3 of 3");
	add->inputs = FAKE_LIST(0, -2);
	assert_string_equal(verdict(m), "subgraph 0, node 0 (ADD): input 1: tensor -2 of 3");
	add->inputs = FAKE_LIST(0, -1);
	assert_string_equal(verdict(m), "");
	add->outputs = FAKE_LIST(-1);
	assert_string_equal(verdict(m), "subgraph 0, node 0 (ADD): output 0: tensor -1 of 3");
	add->outputs = FAKE_LIST(2);
	add->intermediates = FAKE_LIST(77);
	assert_string_equal(verdict(m), "subgraph 0, node 0 (ADD): intermediate 0: tensor 77 of 3");
	fake_model_add(m);
	add->outputs.absent = true;
	assert_string_equal(verdict(m), "subgraph 0, node 0 (ADD): no list of inputs or outputs");
	fake_model_add(m);
	add->code = 1;
	assert_string_equal(verdict(m), "subgraph 0, node 0: operator code 1 of 1");
}

static void verify_wants_one_writer_before_each_reader(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_subgraph *g = &m->subgraphs[0];
	g->nodes[0].inputs = FAKE_LIST(0, 2);
	assert_string_equal(verdict(m),
		"subgraph 0, node 0 (ADD): input 1: tensor 2 is read before it is written");
	g->nodes[0].inputs = FAKE_LIST(0, 1);
	g->nodes[0].outputs = FAKE_LIST(1);
	assert_string_equal(
		verdict(m), "subgraph 0, node 0 (ADD): output 0: tensor 1 is a constant");
	g->nodes[0].outputs = FAKE_LIST(0);
	assert_string_equal(verdict(m),
		"subgraph 0, node 0 (ADD): output 0: tensor 0 is an input of the subgraph");
	g->nodes[0].outputs = FAKE_LIST(2);
	g->nodes[1] = g->nodes[0];
	g->n_nodes = 2;
	assert_string_equal(
		verdict(m), "subgraph 0, node 1 (ADD): output 0: tensor 2 is written already");
	g->n_nodes = 0;
	assert_string_equal(verdict(m), "subgraph 0: output 0: tensor 2 is never written");
}

static void verify_lets_unknown_operators_have_scratch_among_their_inputs(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_subgraph *g = &m->subgraphs[0];
	g->tensors[3] = g->tensors[0];
	g->n_tensors = 4;
	g->nodes[0].inputs = FAKE_LIST(0, 3);
	g->nodes[0].options = 0;
	m->codes[0] = (struct fake_code){.op = OP_CUSTOM, .version = 1, .custom = "ethos-u"};
	assert_string_equal(verdict(m), "");
	m->codes[0].custom = "MaxUnpooling2D";
	assert_string_equal(verdict(m),
		"subgraph 0, node 0 (CUSTOM): input 1: tensor 3 is read before it is written");
}

static void verify_lets_only_dequantize_write_a_variable(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_subgraph *g = &m->subgraphs[0];
	g->n_tensors = 4;
	g->tensors[3] = g->tensors[0];
	g->tensors[3].variable = true;
	g->nodes[0].inputs = FAKE_LIST(0, 3);
	assert_string_equal(verdict(m), "");
	g->nodes[1] = g->nodes[0];
	g->nodes[1].outputs = FAKE_LIST(3);
	g->n_nodes = 2;
	assert_string_equal(
		verdict(m), "subgraph 0, node 1 (ADD): output 0: tensor 3 is a variable");
	g->nodes[1].code = 1;
	g->nodes[1].options = 0;
	m->n_codes = 2;
	m->codes[1] = (struct fake_code){.op = OP_DEQUANTIZE, .version = 1};
	assert_string_equal(verdict(m), "");
}

static void verify_needs_no_bytes_for_no_elements(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_tensor *c = &m->subgraphs[0].tensors[1];
	c->buffer = 0;
	assert_string_equal(verdict(m),
		"subgraph 0, node 0 (ADD): input 1: tensor 1 is read before it is written");
	c->shape = FAKE_LIST(0, 3);
	assert_string_equal(verdict(m), "");
	c->signature = FAKE_LIST(-1, 3);
	assert_string_equal(verdict(m),
		"subgraph 0, node 0 (ADD): input 1: tensor 1 is read before it is written");
}

static void verify_keeps_subgraph_inputs_and_outputs_in_range(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_subgraph *g = &m->subgraphs[0];
	g->inputs = FAKE_LIST(3);
	assert_string_equal(verdict(m), "subgraph 0: input 0: tensor 3 of 3");
	g->inputs = FAKE_LIST(0, 0);
	assert_string_equal(verdict(m),
		"subgraph 0: input 1: tensor 0 is an input already, read by node 0 (ADD)");
	g->inputs = FAKE_LIST(2, 2);
	assert_string_equal(verdict(m), "subgraph 0: input 1: tensor 2 is an input already");
	g->inputs = FAKE_LIST(1);
	assert_string_equal(
		verdict(m), "subgraph 0: input 0: tensor 1 is a constant, read by node 0 (ADD)");
	g->inputs = FAKE_LIST(0);
	g->outputs = FAKE_LIST(-1);
	assert_string_equal(verdict(m), "subgraph 0: output 0: tensor -1 of 3");
	/* A constant and an input may be outputs, and twice. */
	m->n_signatures = 0;
	g->outputs = FAKE_LIST(1, 0, 1);
	assert_string_equal(verdict(m), "");
}

static void verify_knows_operator_codes(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	m->codes[0].op = OP_COUNT;
	assert_string_equal(verdict(m), "operator code 0: builtin operator 209");
	m->codes[0].op = -1;
	m->codes[0].old_op = -1;
	assert_string_equal(verdict(m), "operator code 0: builtin operator -1");
	fake_model_add(m);
	m->codes[0].version = 0;
	assert_string_equal(verdict(m), "operator code 0 (ADD): version 0");
	m->codes[0] = (struct fake_code){.op = OP_CUSTOM, .version = 1};
	assert_string_equal(verdict(m), "operator code 0: custom without a name");
	m->codes[0].custom = "mine";
	m->subgraphs[0].nodes[0].options = 0;
	assert_string_equal(verdict(m), "");
}

static void verify_wants_the_operators_own_options(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_node *add = &m->subgraphs[0].nodes[0];
	add->options = OPTIONS_SUB;
	assert_string_equal(verdict(m),
		"subgraph 0, node 0 (ADD): options of another operator (table 28, not 11)");
	add->options = OPTIONS_STABLEHLO_PAD;
	assert_string_equal(verdict(m),
		"subgraph 0, node 0 (ADD): options of another operator (table 266, not 11)");
	add->options = OPTIONS_ADD;
	add->fields[0] =
		(struct fake_option){SLOT(ADD_OPTIONS, fused_activation_function), 1, 6, {0}};
	assert_string_equal(verdict(m),
		"subgraphs[0].operators[0].builtin_options (ADD).fused_activation_function: 6 is not in "
		"0..5");
	m->codes[0].op = OP_RESHAPE;
	add->options = OPTIONS_RESHAPE;
	add->fields[0] = (struct fake_option){0, 0, 0, FAKE_LIST(1, 1, 1, 1, 1, 1, 1, 1, 1)};
	assert_string_equal(
		verdict(m), "subgraph 0, node 0 (RESHAPE): new_shape has 9 dimensions, at most 8");
}

/* Subgraph i calls i + 1 by CALL_ONCE; the last one calls @last. */
static void chain(struct fake_model *m, uint32_t n, int32_t last)
{
	memset(m, 0, sizeof(*m));
	m->version = 3;
	m->n_subgraphs = n;
	m->n_codes = m->n_buffers = 1;
	m->codes[0] = (struct fake_code){.op = OP_CALL_ONCE, .version = 1};
	for (uint32_t i = 0; i < n; i++) {
		struct fake_subgraph *g = &m->subgraphs[i];
		int32_t callee = i + 1 < n ? (int32_t)i + 1 : last;
		g->n_nodes = callee == -1 ? 0 : 1;
		g->nodes[0].options = OPTIONS_CALL_ONCE;
		g->nodes[0].fields[0] = (struct fake_option){0, 4, callee, {0}};
	}
}

static void verify_bounds_calls(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	chain(m, VERIFY_MAX_CALL_DEPTH + 1, -1);
	assert_string_equal(verdict(m), "");
	chain(m, VERIFY_MAX_CALL_DEPTH + 2, -1);
	assert_string_equal(
		verdict(m), "subgraph 4, node 0 (CALL_ONCE): calls nested deeper than 4");
	chain(m, 3, 1);
	assert_string_equal(verdict(m), "subgraph 2, node 0 (CALL_ONCE): subgraph 1 calls itself");
	chain(m, 1, 0);
	assert_string_equal(verdict(m), "subgraph 0, node 0 (CALL_ONCE): subgraph 0 calls itself");
	chain(m, 2, 9);
	assert_string_equal(verdict(m), "subgraph 1, node 0 (CALL_ONCE): calls subgraph 9 of 2");
	m->subgraphs[1].nodes[0].options = 0;
	assert_string_equal(verdict(m),
		"subgraph 1, node 0 (CALL_ONCE): no options to say which subgraph is called");
}

/* The same chain with its callees in front: what is already judged counts too. */
static void verify_bounds_calls_to_earlier_subgraphs(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	chain(m, VERIFY_MAX_CALL_DEPTH + 2, -1);
	uint32_t n = m->n_subgraphs;
	for (uint32_t i = 0; i < n; i++) {
		m->subgraphs[i].n_nodes = i == 0 ? 0 : 1;
		m->subgraphs[i].nodes[0].options = OPTIONS_CALL_ONCE;
		m->subgraphs[i].nodes[0].fields[0] =
			(struct fake_option){0, 4, (int64_t)i - 1, {0}};
	}
	assert_string_equal(
		verdict(m), "subgraph 5, node 0 (CALL_ONCE): calls nested deeper than 4");
}

static void verify_ties_signatures_to_their_subgraph(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	m->signatures[0].subgraph = 1;
	assert_string_equal(verdict(m), "signature 0: subgraph 1 of 1");
	fake_model_add(m);
	m->signatures[0].inputs[0].tensor = 1;
	assert_string_equal(
		verdict(m), "signature 0: input 0: tensor 1 is no input of the subgraph");
	m->signatures[0].inputs[0].tensor = UINT32_MAX;
	assert_string_equal(
		verdict(m), "signature 0: input 0: tensor 4294967295 is no input of the subgraph");
	fake_model_add(m);
	m->signatures[0].outputs[0].name = NULL;
	assert_string_equal(verdict(m), "signature 0: output 0: no name");
	fake_model_add(m);
	m->signatures[0].key = NULL;
	assert_string_equal(verdict(m), "signature 0: no key");
	fake_model_add(m);
	m->signatures[0].n_outputs = 2;
	m->signatures[0].outputs[1] = m->signatures[0].outputs[0];
	assert_string_equal(verdict(m), "signature 0: two tensors named 'out'");
}

static void verify_checks_metadata_buffers(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	m->metadata_name = "TFLITE_METADATA";
	m->metadata_buffer = 2;
	assert_string_equal(verdict(m), "metadata 0: buffer 2 of 2");
	m->metadata_buffer = 1; /* no metadata in there: that is nobody's harm */
	assert_string_equal(verdict(m), "");
}

/* Many tensors may share one long list of scales, but not so many that judging them takes long. */
static void verify_charges_shared_lists(void **state)
{
	(void)state;
	struct verify v = {.work_left = 100};
	struct error err = {0};
	v.err = &err;
	assert_int_equal(verify_charge(&v, 100), 0);
	assert_int_equal(verify_charge(&v, 1), -EBADMSG);
	assert_string_equal(
		err.text, "lists are shared so often that judging them would take too long");
}

static void verify_keeps_to_its_limits(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct bytes_writer file = fake_model_write(m);
	struct model *model = NULL;
	struct error err = {0};
	struct model_limits limits = {.file_bytes = file.size - 1};
	assert_int_equal(model_open_bytes(file.data, file.size, &limits, &model, &err), -EFBIG);
	assert_int_equal(err.status, EDGE_TOO_LARGE);
	limits = (struct model_limits){.file_bytes = file.size, .nodes = 1};
	assert_int_equal(model_open_bytes(file.data, file.size, &limits, &model, &err), 0);
	model_free(model);
	bytes_writer_deinit(&file);
	m->subgraphs[0].n_nodes = 2;
	file = fake_model_write(m);
	limits.file_bytes = 0;
	assert_int_equal(model_open_bytes(file.data, file.size, &limits, &model, &err), -EFBIG);
	assert_string_equal(err.text, "subgraph 0: too many nodes");
	bytes_writer_deinit(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verify_accepts_a_small_model),
		cmocka_unit_test(verify_wants_version_3_and_parts),
		cmocka_unit_test(verify_keeps_buffer_0_empty),
		cmocka_unit_test(verify_needs_no_list_of_buffers_without_constants),
		cmocka_unit_test(verify_rejects_buffer_past_end_of_list),
		cmocka_unit_test(verify_rejects_bytes_outside_the_file),
		cmocka_unit_test(verify_compares_bytes_with_shapes),
		cmocka_unit_test(verify_bounds_shapes),
		cmocka_unit_test(verify_rejects_other_storage),
		cmocka_unit_test(verify_judges_blocks),
		cmocka_unit_test(verify_judges_scales),
		cmocka_unit_test(verify_counts_scales_per_dimension),
		cmocka_unit_test(verify_reads_string_tables),
		cmocka_unit_test(verify_keeps_node_operands_in_range),
		cmocka_unit_test(verify_wants_one_writer_before_each_reader),
		cmocka_unit_test(verify_lets_unknown_operators_have_scratch_among_their_inputs),
		cmocka_unit_test(verify_lets_only_dequantize_write_a_variable),
		cmocka_unit_test(verify_needs_no_bytes_for_no_elements),
		cmocka_unit_test(verify_keeps_subgraph_inputs_and_outputs_in_range),
		cmocka_unit_test(verify_knows_operator_codes),
		cmocka_unit_test(verify_wants_the_operators_own_options),
		cmocka_unit_test(verify_bounds_calls),
		cmocka_unit_test(verify_bounds_calls_to_earlier_subgraphs),
		cmocka_unit_test(verify_ties_signatures_to_their_subgraph),
		cmocka_unit_test(verify_checks_metadata_buffers),
		cmocka_unit_test(verify_charges_shared_lists),
		cmocka_unit_test(verify_keeps_to_its_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
