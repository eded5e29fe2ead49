/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/entry.h"
#include "tests/fakes/graph_builder.h"

#define TEXT(literal) ((struct text){literal, sizeof(literal) - 1})

/* Inputs p, q and output r by position; the signature "mix" has b = p, a = q, sorted by name. */
struct mixer {
	struct graph_builder builder;
	struct signature signature;
	struct signature_tensor inputs[2], outputs[1];
	int32_t p, q, r;
};

static void build_mixer(struct mixer *m)
{
	struct graph_builder *b = &m->builder;
	memset(m, 0, sizeof(*m));
	graph_builder_init(b);
	m->p = graph_builder_input(b, DTYPE_FLOAT32, SHAPE(1));
	m->q = graph_builder_input(b, DTYPE_INT8, SHAPE(2));
	m->r = graph_builder_tensor(b, DTYPE_FLOAT32, SHAPE(3));
	graph_builder_output(b, m->r);
	b->tensors[m->p].name = TEXT("p");
	b->tensors[m->r].name = TEXT("r");
	m->inputs[0] = (struct signature_tensor){TEXT("a"), m->q};
	m->inputs[1] = (struct signature_tensor){TEXT("b"), m->p};
	m->outputs[0] = (struct signature_tensor){TEXT("out"), m->r};
	m->signature = (struct signature){TEXT("mix"), 0, 2, 1, m->inputs, m->outputs};
	b->graph.signatures = &m->signature;
	b->graph.n_signatures = 1;
}

static void the_default_goes_by_position_a_signature_by_its_names(void **state)
{
	(void)state;
	struct mixer m;
	struct entry entry;
	build_mixer(&m);
	assert_true(entry_find(&m.builder.graph, 0, &entry));
	assert_int_equal(entry_position(&entry, ENTRY_INPUTS, 1), 1);
	assert_int_equal(entry_position(&entry, ENTRY_INPUTS, 2), -1);
	assert_true(entry_find(&m.builder.graph, 1, &entry));
	assert_int_equal(entry_count(&entry, ENTRY_INPUTS), 2);
	assert_int_equal(entry_position(&entry, ENTRY_INPUTS, 0), 1);
	assert_int_equal(entry_position(&entry, ENTRY_INPUTS, 1), 0);
	assert_int_equal(entry_position(&entry, ENTRY_OUTPUTS, 1), -1);
	assert_true(entry_is_whole(&entry));
	assert_false(entry_find(&m.builder.graph, 2, &entry));
}

static void a_signature_that_names_an_inner_tensor_is_not_whole(void **state)
{
	(void)state;
	struct mixer m;
	struct entry entry;
	build_mixer(&m);
	m.outputs[0].tensor = m.p;
	assert_true(entry_find(&m.builder.graph, 1, &entry));
	assert_false(entry_is_whole(&entry));
}

static void metadata_belongs_to_positions_of_subgraph_0(void **state)
{
	(void)state;
	static const float mean[] = {127.5f};
	struct model_tensor_metadata of_inputs[2] = {
		{.n_mean = 1, .mean = mean, .score_threshold = NAN}, {.labels = TEXT("x\ny")}};
	const struct model_metadata metadata = {.n_inputs = 2, .inputs = of_inputs};
	struct mixer m;
	struct entry entry;
	struct edge_tensor_info info;
	build_mixer(&m);
	assert_true(entry_find(&m.builder.graph, 1, &entry));
	entry_describe(&entry, &metadata, ENTRY_INPUTS, 1, &info);
	assert_int_equal(info.name.data[0], 'b');
	assert_int_equal(info.type, DTYPE_FLOAT32);
	assert_int_equal(info.n_mean, 1);
	assert_ptr_equal(info.mean, mean);
	assert_null(info.labels.data);
	entry_describe(&entry, &metadata, ENTRY_INPUTS, 0, &info);
	assert_int_equal(info.labels.length, 3);
	assert_true(entry_find(&m.builder.graph, 0, &entry));
	entry_describe(&entry, &metadata, ENTRY_OUTPUTS, 0, &info);
	assert_int_equal(info.name.data[0], 'r');
	assert_true(isnan(info.score_threshold));
	assert_true(info.scale == 0);
}

static void scale_and_zero_point_are_told_where_there_is_one(void **state)
{
	(void)state;
	static const float scales[] = {0.5f, 0.25f};
	static const int64_t zeros[] = {-3, 4};
	const struct model_metadata metadata = {0};
	struct mixer m;
	struct entry entry;
	struct edge_tensor_info info;
	build_mixer(&m);
	struct quant *quant = &m.builder.tensors[m.q].quant;
	*quant = (struct quant){.scale = scales,
		.zero_point = (const uint8_t *)zeros,
		.n_scales = 1,
		.n_zero_points = 1};
	assert_true(entry_find(&m.builder.graph, 0, &entry));
	entry_describe(&entry, &metadata, ENTRY_INPUTS, 1, &info);
	assert_true(info.scale == 0.5f);
	assert_int_equal(info.zero_point, -3);
	quant->n_scales = quant->n_zero_points = 2;
	entry_describe(&entry, &metadata, ENTRY_INPUTS, 1, &info);
	assert_true(info.scale == 0);
	assert_int_equal(info.zero_point, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_goes_by_position_a_signature_by_its_names),
		cmocka_unit_test(a_signature_that_names_an_inner_tensor_is_not_whole),
		cmocka_unit_test(metadata_belongs_to_positions_of_subgraph_0),
		cmocka_unit_test(scale_and_zero_point_are_told_where_there_is_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
