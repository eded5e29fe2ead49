/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/strings.h"
#include "tests/fakes/op_bench.h"

/* Signs of sums over the items of Fingerprint64(seed, item), worked out apart. */
static void lsh_projection_gives_the_signs_of_hashes(void **state)
{
	(void)state;
	const float hash[6] = {0.123f, 0.456f, -0.321f, 1.234f, 5.678f, -4.321f};
	const int32_t items[3] = {12345, 54321, 67890};
	const float weights[3] = {0.12f, 0.34f, 0.56f};
	int32_t y[6];
	struct op_bench b;
	op_bench_init(&b, OP_LSH_PROJECTION);
	op_bench_constant(&b, DTYPE_FLOAT32, SHAPE(3, 2), hash);
	op_bench_input(&b, DTYPE_INT32, SHAPE(3), items);
	int32_t out = op_bench_output(&b, DTYPE_INT32, SHAPE(6), y);
	b.node.options.lsh.type = 2;
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((int32_t[]){0, 1, 0, 1, 0, 0}), sizeof(y));
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(3), weights);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((int32_t[]){1, 1, 1, 1, 0, 0}), sizeof(y));
	b.node.options.lsh.type = 1;
	b.shapes[out] = b.values[out].shape = SHAPE(3);
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(y, ((int32_t[]){3, 7, 8}), 3 * sizeof(y[0]));
}

struct gram_bench {
	struct op_bench b;
	uint8_t table[65536];
	int32_t out;
};

static void gram_init(struct gram_bench *g, const char *text, int32_t size, int32_t skip, bool all)
{
	struct strings_writer w = strings_writer_of(g->table, 1);
	strings_put(&w, text, (uint32_t)strlen(text));
	op_bench_init(&g->b, OP_SKIP_GRAM);
	int32_t in = op_bench_input(&g->b, DTYPE_UINT8, SHAPE(1), g->table);
	g->b.tensors[in].type = DTYPE_STRING;
	g->b.values[in].bytes = w.end;
	g->out = op_bench_given(&g->b, DTYPE_STRING);
	g->b.node.options.skip_gram = (struct options_skip_gram){size, skip, all};
}

/* The n-grams, each followed by "|". */
static void assert_grams(struct gram_bench *g, const char *wanted)
{
	const struct value *v = &g->b.values[g->out];
	char got[512] = "";
	struct strings s;
	if (op_bench_run(&g->b) < 0) {
		fail_msg("%s", g->b.err.text);
	}
	assert_int_equal(strings_open(&s, v->data, v->bytes, (uint64_t)v->shape.dim[0], NULL), 0);
	for (uint32_t i = 0, at = 0; i < s.count; i++) {
		uint32_t length = 0;
		const char *text = strings_get(&s, i, &length);
		memcpy(got + at, text, length);
		got[at + length] = '|';
		at += length + 1;
	}
	assert_string_equal(got, wanted);
}

static void skip_gram_leaves_out_up_to_so_many_words(void **state)
{
	(void)state;
	static struct gram_bench g;
	gram_init(&g, "a b c d", 2, 0, false);
	assert_grams(&g, "a b|b c|c d|");
	gram_init(&g, "a b c d", 2, 1, false);
	assert_grams(&g, "a b|a c|b c|b d|c d|");
	gram_init(&g, "a b c d", 3, 1, false);
	assert_grams(&g, "a b c|a b d|a c d|b c d|");
	gram_init(&g, "a b c", 1, 5, false);
	assert_grams(&g, "a|b|c|");
}

static void skip_gram_gives_shorter_ones_after_the_longer(void **state)
{
	(void)state;
	static struct gram_bench g;
	gram_init(&g, "a b c", 3, 0, true);
	assert_grams(&g, "a b c|a b|a|b c|b|c|");
}

static void skip_gram_of_too_few_words_is_nothing(void **state)
{
	(void)state;
	static struct gram_bench g;
	gram_init(&g, "a b", 3, 2, true);
	assert_grams(&g, "");
	gram_init(&g, "", 1, 0, false);
	assert_grams(&g, "");
	gram_init(&g, "a b", 0, 0, false);
	assert_grams(&g, "");
	gram_init(&g, "a b", -4, 0, true);
	assert_grams(&g, "");
}

/* As the reference splits: a word behind a blank at the very start is lost. */
static void skip_gram_splits_at_blanks(void **state)
{
	(void)state;
	static struct gram_bench g;
	gram_init(&g, "one  two\tthree\n", 1, 0, false);
	assert_grams(&g, "one|two|three|");
	gram_init(&g, " one two", 1, 0, false);
	assert_grams(&g, "two|");
	gram_init(&g, " ", 1, 0, false);
	assert_grams(&g, " |");
}

static void skip_gram_of_many_words_ends_with_the_deadline(void **state)
{
	(void)state;
	const struct run_control control = {.deadline_ns = 1};
	static struct gram_bench g;
	static char text[60001];
	for (size_t i = 0; i < sizeof(text) - 1; i++) { /* 100 words */
		text[i] = i % 600 == 599 ? ' ' : 'x';
	}
	gram_init(&g, text, 50, 100, false);
	g.b.control = &control;
	assert_int_equal(op_bench_run(&g.b), -ETIMEDOUT);
	g.b.control = NULL; /* 100 over 50 n-grams: more than a tensor holds */
	assert_int_equal(op_bench_run(&g.b), -EFBIG);
}

/* Looking for the next word takes long where many blanks are in between. */
static void skip_gram_over_long_blanks_ends_with_the_deadline(void **state)
{
	(void)state;
	const struct run_control control = {.deadline_ns = 1};
	static struct gram_bench g;
	static char text[60001];
	for (size_t i = 0; i < sizeof(text) - 1; i++) { /* 10 words: 45 pairs */
		text[i] = i % 6000 == 1 ? 'x' : ' ';
	}
	text[0] = 'x';
	gram_init(&g, text, 2, 100, false);
	g.b.control = &control;
	assert_int_equal(op_bench_run(&g.b), -ETIMEDOUT);
}

static void skip_gram_refuses_a_broken_table(void **state)
{
	(void)state;
	static struct gram_bench g;
	gram_init(&g, "a b", 1, 0, false);
	g.table[4] = 99;
	assert_int_equal(op_bench_run(&g.b), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lsh_projection_gives_the_signs_of_hashes),
		cmocka_unit_test(skip_gram_leaves_out_up_to_so_many_words),
		cmocka_unit_test(skip_gram_gives_shorter_ones_after_the_longer),
		cmocka_unit_test(skip_gram_of_too_few_words_is_nothing),
		cmocka_unit_test(skip_gram_splits_at_blanks),
		cmocka_unit_test(skip_gram_of_many_words_ends_with_the_deadline),
		cmocka_unit_test(skip_gram_over_long_blanks_ends_with_the_deadline),
		cmocka_unit_test(skip_gram_refuses_a_broken_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
