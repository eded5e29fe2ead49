/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "daemon/edged/socket/pending_reads.h"

#define LINKS 3

static struct {
	uv_loop_t loop;
	struct pending_reads pending_reads;
	struct pending_link links[LINKS];
	char order[16]; /* numbers of the links that went on */
	int again; /* link that has more after it went on; -1: none */
	int removes; /* link that goes when another goes on; -1: none */
} bench;

static void go_on(struct pending_link *link)
{
	const int i = (int)(link - bench.links);
	assert_null(link->at); /* it may be added again */
	bench.order[strlen(bench.order)] = (char)('0' + i);
	if (bench.again == i) {
		pending_reads_add(&bench.pending_reads, link);
	}
	if (bench.removes >= 0 && bench.removes != i) {
		pending_reads_remove(&bench.pending_reads, &bench.links[bench.removes]);
	}
}

static int set_up(void **state)
{
	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench.again = bench.removes = -1;
	assert_int_equal(uv_loop_init(&bench.loop), 0);
	pending_reads_init(&bench.pending_reads, &bench.loop, go_on);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	uv_close((uv_handle_t *)&bench.pending_reads.idle, NULL);
	uv_run(&bench.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&bench.loop), 0);
	return 0;
}

static void add(int i)
{
	pending_reads_add(&bench.pending_reads, &bench.links[i]);
}

static bool active(void)
{
	return uv_is_active((uv_handle_t *)&bench.pending_reads.idle);
}

static void assert_turn(const char *wanted)
{
	memset(bench.order, 0, sizeof(bench.order));
	uv_run(&bench.loop, UV_RUN_NOWAIT);
	assert_string_equal(bench.order, wanted);
}

static void each_connection_goes_on_once_and_the_loop_may_sleep_again(void **state)
{
	(void)state;
	assert_false(active());
	add(0);
	add(1);
	add(1); /* is there already */
	assert_int_equal(bench.pending_reads.n, 2);
	assert_true(active());
	assert_turn("10");
	assert_int_equal(bench.pending_reads.n, 0);
	assert_false(active());
	assert_turn("");
}

static void a_connection_with_more_goes_on_in_the_next_turn(void **state)
{
	(void)state;
	bench.again = 1;
	add(0);
	add(1);
	assert_turn("10");
	assert_int_equal(bench.pending_reads.n, 1);
	assert_true(active());
	assert_turn("1");
	bench.again = -1;
	assert_turn("1");
	assert_false(active());
}

static void a_connection_that_ends_in_the_turn_does_not_go_on(void **state)
{
	(void)state;
	bench.removes = 0;
	add(0);
	add(1);
	add(2);
	assert_turn("21");
	assert_int_equal(bench.pending_reads.n, 0);
	assert_false(active());
}

static void a_connection_is_taken_out_wherever_it_stands(void **state)
{
	(void)state;
	pending_reads_remove(&bench.pending_reads, &bench.links[0]); /* is not there */
	for (int gone = 0; gone < LINKS; gone++) {
		static const char *const rest[LINKS] = {"21", "20", "10"};
		add(0);
		add(1);
		add(2);
		pending_reads_remove(&bench.pending_reads, &bench.links[gone]);
		assert_int_equal(bench.pending_reads.n, 2);
		assert_turn(rest[gone]);
	}
	add(0);
	pending_reads_remove(&bench.pending_reads, &bench.links[0]);
	assert_false(active());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_connection_goes_on_once_and_the_loop_may_sleep_again),
		TEST(a_connection_with_more_goes_on_in_the_next_turn),
		TEST(a_connection_that_ends_in_the_turn_does_not_go_on),
		TEST(a_connection_is_taken_out_wherever_it_stands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
