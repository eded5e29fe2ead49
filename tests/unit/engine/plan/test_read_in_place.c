/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs in memory that somebody else writes to once the run has begun. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/plan/read_in_place.h"
#include "tests/fakes/session_bench.h"

#define TYPE(name) (UINT32_C(1) << DTYPE_##name)

/* A row more, or a type, needs the same argument as the others: docs/threat-model.md, "Inputs that
 * are read in place". */
static void the_list_is_this_one(void **state)
{
	(void)state;
	const uint32_t bytes = TYPE(INT8) | TYPE(UINT8), codes = bytes | TYPE(INT16);
	const uint32_t sums = codes | TYPE(FLOAT32), numbers = sums | TYPE(INT32);
	const struct read_in_place_row wanted[] = {
		{OP_ADD, 1 | 2, numbers},
		{OP_AVERAGE_POOL_2D, 1, sums},
		{OP_CONV_2D, 1, sums},
		{OP_DEPTHWISE_CONV_2D, 1, sums},
		{OP_DEQUANTIZE, 1, bytes},
		{OP_FULLY_CONNECTED, 1, sums},
		{OP_MAX_POOL_2D, 1, sums},
		{OP_MUL, 1 | 2, numbers},
		{OP_QUANTIZE, 1, bytes | TYPE(FLOAT32)},
		{OP_SUB, 1 | 2, numbers},
	};
	uint32_t n = 0;
	const struct read_in_place_row *rows = read_in_place_rows(&n);
	assert_int_equal(n, sizeof(wanted) / sizeof(wanted[0]));
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(rows[i].op, wanted[i].op);
		assert_int_equal(rows[i].operands, wanted[i].operands);
		assert_int_equal(rows[i].types, wanted[i].types);
	}
}

/* ---- the plan */

/* Part 0 with inputs x and w of types @x and @w: y = FULLY_CONNECTED(x, w), where w is constant. */
static bool fully_connected_copies(
	enum dtype x_type, enum dtype w_type, const struct sparsity *sparsity)
{
	static const uint8_t zeros[64];
	struct graph_builder b = {0};
	graph_builder_init(&b);
	int32_t x = graph_builder_input(&b, x_type, SHAPE(1, 4));
	int32_t w = graph_builder_constant(&b, w_type, SHAPE(4, 4), zeros);
	int32_t y = graph_builder_tensor(&b, x_type, SHAPE(1, 4));
	b.tensors[w].sparsity = sparsity;
	graph_builder_node(&b, OP_FULLY_CONNECTED, x, w, y);
	return !read_in_place_allowed(&b.subgraph, &b.nodes[0], 0);
}

static void weights_decide_whether_an_input_is_copied(void **state)
{
	(void)state;
	const struct sparsity sparse = {0};
	assert_false(fully_connected_copies(DTYPE_FLOAT32, DTYPE_FLOAT32, NULL));
	assert_false(fully_connected_copies(DTYPE_INT8, DTYPE_INT8, NULL));
	assert_false(fully_connected_copies(DTYPE_INT8, DTYPE_INT4, NULL));
	/* Read once for its range and once for its values: */
	assert_true(fully_connected_copies(DTYPE_FLOAT32, DTYPE_INT8, NULL));
	assert_true(fully_connected_copies(DTYPE_FLOAT32, DTYPE_INT4, NULL));
	assert_true(fully_connected_copies(DTYPE_FLOAT32, DTYPE_FLOAT32, &sparse));
}

/* x goes to an ADD with itself, and where @second says: true where a run copies it. */
static bool copies_with_second_reader(enum op second, bool is_output)
{
	struct session_bench *bench = session_bench_new();
	struct graph_builder *b = &bench->parts[0];
	int32_t x = graph_builder_input(b, DTYPE_FLOAT32, SHAPE(1, 4));
	int32_t y = graph_builder_tensor(b, DTYPE_FLOAT32, SHAPE(1, 4));
	int32_t z = graph_builder_tensor(b, DTYPE_FLOAT32, SHAPE(1, 4));
	graph_builder_node(b, OP_ADD, x, x, y);
	graph_builder_node(b, second, x, second == OP_MUL ? y : TENSOR_NONE, z);
	graph_builder_output(b, y);
	graph_builder_output(b, z);
	if (is_output) {
		graph_builder_output(b, x);
	}
	assert_int_equal(session_bench_start(bench, 1, 1, NULL), 0);
	bool copied = plan_entered(bench->plans.declared[0])->tensors[x].is_copied;
	session_bench_finish(bench);
	return copied;
}

static void one_reader_that_is_not_on_the_list_has_it_copied(void **state)
{
	(void)state;
	assert_false(copies_with_second_reader(OP_MUL, false));
	assert_true(copies_with_second_reader(OP_EXP, false));
	assert_true(copies_with_second_reader(OP_MUL, true));
}

/* ---- runs */

/* Memory that is shared with a client who writes to it as soon as the first operator begins. */
struct client {
	_Alignas(16) uint8_t memory[64];
	uint8_t later; /* what every byte becomes */
};

static void client_writes(void *context)
{
	struct client *client = context;
	memset(client->memory, client->later, sizeof(client->memory));
}

static int run_while_writing(struct session_bench *bench, uint32_t input, struct client *client,
	const void *data, size_t bytes)
{
	const struct run_control control = {.between = client_writes, .context = client};
	memcpy(client->memory, data, bytes);
	int r = session_bind_input(bench->session, input, client->memory, bytes, NULL);
	return r < 0 ? r : session_run(bench->session, &control, NULL);
}

static void an_input_on_the_list_is_read_where_it_is(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	struct graph_builder *b = &bench->parts[0];
	struct client client = {.later = 0};
	int32_t x = graph_builder_input(b, DTYPE_INT32, SHAPE(2));
	int32_t y = graph_builder_tensor(b, DTYPE_INT32, SHAPE(2));
	graph_builder_node(b, OP_ADD, x, x, y);
	graph_builder_output(b, y);
	assert_int_equal(session_bench_start(bench, 1, 1, NULL), 0);
	const int32_t numbers[2] = {3, 4};
	assert_int_equal(run_while_writing(bench, 0, &client, numbers, 8), 0);
	BENCH_EXPECT_INTS(bench, 0, 0, 0); /* the client's later ones */
	session_bench_finish(bench);
}

/* y = FULLY_CONNECTED(x, w, b), all of which are inputs: those beside x are unpacked, packed and summed
 * before they are multiplied, in some variants. */
static void weights_and_bias_that_are_inputs_are_copied(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	struct graph_builder *b = &bench->parts[0];
	int32_t x = graph_builder_input(b, DTYPE_FLOAT32, SHAPE(1, 2));
	int32_t w = graph_builder_input(b, DTYPE_FLOAT32, SHAPE(2, 2));
	int32_t bias = graph_builder_input(b, DTYPE_FLOAT32, SHAPE(2));
	int32_t y = graph_builder_tensor(b, DTYPE_FLOAT32, SHAPE(1, 2));
	graph_builder_wide_node(b, OP_FULLY_CONNECTED, OPERANDS(x, w, bias), OPERANDS(y));
	graph_builder_output(b, y);
	assert_int_equal(session_bench_start(bench, 1, 1, NULL), 0);
	const struct tensor_plan *tensors = plan_entered(bench->plans.declared[0])->tensors;
	assert_false(tensors[x].is_copied);
	assert_true(tensors[w].is_copied);
	assert_true(tensors[bias].is_copied);

	const float numbers[2] = {1, 2}, weights[4] = {1, 10, 100, 1000}, start[2] = {0.5f, 0.25f};
	const float wanted[2] = {21.5f, 2100.25f};
	struct client clients[2] = {{.later = 0xff}, {.later = 0xff}};
	session_bench_set(bench, 0, numbers, 2);
	memcpy(clients[1].memory, start, sizeof(start));
	assert_int_equal(session_bind_input(bench->session, 2, clients[1].memory, 8, NULL), 0);
	assert_int_equal(run_while_writing(bench, 1, &clients[0], weights, sizeof(weights)), 0);
	session_bench_expect(bench, 0, wanted, 2);
	const struct run_control control = {.between = client_writes, .context = &clients[1]};
	memcpy(clients[0].memory, weights, sizeof(weights));
	assert_int_equal(session_run(bench->session, &control, NULL), 0);
	session_bench_expect(bench, 0, wanted, 2);
	session_bench_finish(bench);
}

/* A place that is judged and used later was memory of the client's choice. */
static void unpooling_uses_the_places_that_it_judged(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	struct graph_builder *b = &bench->parts[0];
	struct client client = {.later = 0xff};
	int32_t x = graph_builder_input(b, DTYPE_FLOAT32, SHAPE(1, 1, 2, 1));
	int32_t places = graph_builder_input(b, DTYPE_INT32, SHAPE(1, 1, 2, 1));
	int32_t y = graph_builder_tensor(b, DTYPE_FLOAT32, SHAPE(1, 2, 4, 1));
	graph_builder_node(b, OP_MAX_UNPOOLING_2D, x, places, y);
	b->nodes[0].options.table = OPTIONS_MAX_UNPOOLING_2D;
	b->nodes[0].options.pool = (struct options_pool){.stride_h = 2,
		.stride_w = 2,
		.filter_h = 2,
		.filter_w = 2,
		.padding = PADDING_SAME};
	graph_builder_output(b, y);
	assert_int_equal(session_bench_start(bench, 1, 1, NULL), 0);
	const float numbers[2] = {5, 7}, wanted[8] = {[4] = 5, [3] = 7};
	session_bench_set(bench, 0, numbers, 2);
	const int32_t where[2] = {4, 3};
	assert_int_equal(run_while_writing(bench, 1, &client, where, 8), 0);
	session_bench_expect(bench, 0, wanted, 8);
	session_bench_finish(bench);
}

/* Counted twice, WHERE left memory of its output as somebody else's run had it. */
static void where_counts_what_it_writes(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	struct graph_builder *b = &bench->parts[0];
	struct client client = {.later = 0};
	int32_t x = graph_builder_input(b, DTYPE_INT32, SHAPE(4));
	int32_t y = graph_builder_tensor(b, DTYPE_INT64, SHAPE(-1, 1));
	graph_builder_node(b, OP_WHERE, x, TENSOR_NONE, y);
	graph_builder_output(b, y);
	assert_int_equal(session_bench_start(bench, 1, 1, NULL), 0);
	const int32_t numbers[4] = {0, 1, 0, 1};
	assert_int_equal(run_while_writing(bench, 0, &client, numbers, 16), 0);
	BENCH_EXPECT_INTS(bench, 0, 1, 0, 3, 0); /* int64: 1 and 3 */
	session_bench_finish(bench);
}

/* Strings that were measured longer than they are written left such memory at their end. */
static void strings_are_gathered_by_the_indices_that_were_measured(void **state)
{
	(void)state;
	struct session_bench *bench = session_bench_new();
	struct graph_builder *b = &bench->parts[0];
	struct client client = {.later = 0};
	_Alignas(16) uint8_t words[21] = {
		2, 0, 0, 0, 16, 0, 0, 0, 17, 0, 0, 0, 21, 0, 0, 0, 'a', 'l', 'o', 'n', 'g'};
	const uint8_t wanted[16] = {1, 0, 0, 0, 12, 0, 0, 0, 16, 0, 0, 0, 'l', 'o', 'n', 'g'};
	int32_t x = graph_builder_input(b, DTYPE_STRING, SHAPE(2));
	int32_t indices = graph_builder_input(b, DTYPE_INT32, SHAPE(1));
	int32_t y = graph_builder_tensor(b, DTYPE_STRING, SHAPE(1));
	graph_builder_node(b, OP_GATHER, x, indices, y);
	graph_builder_output(b, y);
	assert_int_equal(session_bench_start(bench, 1, 1, NULL), 0);
	assert_int_equal(session_bind_input(bench->session, 0, words, sizeof(words), NULL), 0);
	assert_int_equal(run_while_writing(bench, 1, &client, (const int32_t[]){1}, 4), 0);
	session_bench_expect(bench, 0, wanted, 4);
	session_bench_finish(bench);
}

enum {
	ENERGY,
	WEIGHTS,
	UNWEIGHTS,
	STARTS,
	WEIGHT_STARTS,
	WIDTHS,
	BANK_INPUTS
};

/* Two channels of six bins; the list before them gives its unweighted bins to the first. */
static void build_bank(struct graph_builder *b)
{
	graph_builder_input(b, DTYPE_UINT32, SHAPE(6));
	for (int32_t i = WEIGHTS; i < BANK_INPUTS; i++) {
		graph_builder_input(b, DTYPE_INT16, i < STARTS ? SHAPE(6) : SHAPE(3));
	}
	const int32_t sums = graph_builder_tensor(b, DTYPE_UINT64, SHAPE(2));
	const int32_t operands[] = {0, 1, 2, 3, 4, 5, sums};
	graph_builder_node(b, OP_SIGNAL_FILTER_BANK, ENERGY, WEIGHTS, sums);
	memcpy(b->operands[0], operands, sizeof(operands));
	b->nodes[0].n_inputs = BANK_INPUTS;
	b->nodes[0].outputs = &b->operands[0][BANK_INPUTS];
	b->nodes[0].options.table = OPTIONS_SIGNAL_FILTER_BANK;
	b->nodes[0].options.signal_filter_bank.num_channels = 2;
	graph_builder_output(b, sums);
}

static void bind_bank(struct session_bench *bench, struct client clients[BANK_INPUTS])
{
	static const uint32_t energy[6] = {1, 10, 100, 1000, 10000, 100000};
	static const int16_t numbers[BANK_INPUTS][6] = {[WEIGHTS] = {1, 1, 1, 1, 1, 1},
		[UNWEIGHTS] = {1, 1, 1, 1, 1, 1},
		[STARTS] = {1, 2, 4},
		[WEIGHT_STARTS] = {0, 1, 3},
		[WIDTHS] = {1, 2, 2}};
	for (uint32_t i = 0; i < BANK_INPUTS; i++) {
		const size_t bytes = i == ENERGY ? 24 : i < STARTS ? 12 : 6;
		memcpy(clients[i].memory, i == ENERGY ? (const void *)energy : numbers[i], bytes);
		assert_int_equal(
			session_bind_input(bench->session, i, clients[i].memory, bytes, NULL), 0);
	}
}

/* Starts and widths that are judged and read again led outside of the energies. */
static void a_filter_bank_reads_the_channels_that_it_judged(void **state)
{
	(void)state;
	const uint64_t wanted[2] = {10 + 100 + 1000, 100 + 1000 + 10000 + 100000};
	for (uint32_t written = STARTS; written < BANK_INPUTS; written++) {
		struct session_bench *bench = session_bench_new();
		struct client clients[BANK_INPUTS] = {0};
		build_bank(&bench->parts[0]);
		assert_int_equal(session_bench_start(bench, 1, 1, NULL), 0);
		bind_bank(bench, clients);
		clients[written].later = 0x7f;
		const struct run_control control = {
			.between = client_writes, .context = &clients[written]};
		assert_int_equal(session_run(bench->session, &control, NULL), 0);
		session_bench_expect(bench, 0, wanted, 4);
		session_bench_finish(bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_is_this_one),
		cmocka_unit_test(weights_decide_whether_an_input_is_copied),
		cmocka_unit_test(one_reader_that_is_not_on_the_list_has_it_copied),
		cmocka_unit_test(an_input_on_the_list_is_read_where_it_is),
		cmocka_unit_test(weights_and_bias_that_are_inputs_are_copied),
		cmocka_unit_test(unpooling_uses_the_places_that_it_judged),
		cmocka_unit_test(where_counts_what_it_writes),
		cmocka_unit_test(strings_are_gathered_by_the_indices_that_were_measured),
		cmocka_unit_test(a_filter_bank_reads_the_channels_that_it_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
