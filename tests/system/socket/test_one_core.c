/* SPDX-License-Identifier: Apache-2.0 */
/* Clients and daemon on one core, where each gives way to the other: nobody is forgotten for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "client/lib/edge_client.h"
#include "tests/system/daemon.h"

#define LEARN 60 /* runs until one is expected to be short */
#define PATIENCE_NS UINT64_C(60000000000)
#define WAIT_MS 10000

/* Whoever is started from now on has it too. */
static void stay_on_one_core(void)
{
	cpu_set_t all, one;
	int core = 0;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	while (!CPU_ISSET(core, &all)) {
		core++;
	}
	CPU_ZERO(&one);
	CPU_SET(core, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
}

static int set_up(void **state)
{
	static struct daemon daemon;
	stay_on_one_core();
	daemon_prepare(&daemon);
	daemon_put(&daemon, "echo.tflite", "echo 4");
	daemon_config(&daemon, "[daemon]\nshort-run-us = 500\n");
	daemon_start(&daemon, false);
	*state = &daemon;
	return 0;
}

static int tear_down(void **state)
{
	daemon_end(*state);
	return 0;
}

static struct edge_client *client_open(const struct daemon *daemon, bool ring)
{
	struct edge_client *client = NULL;
	assert_int_equal(edge_client_open(daemon->socket, WAIT_MS, &client, NULL), 0);
	assert_true(edge_client_peer(client)->has_rings);
	assert_int_equal(ring ? edge_client_use_ring(client, WAIT_MS, NULL) : 0, 0);
	return client;
}

static void expect_echo(struct edge_client *client, int8_t value)
{
	const int8_t data[4] = {value, 1, 2, 3};
	struct edge_client_answer *answer = NULL;
	const struct edge_client_tensor input = {.type = EDGE_CLIENT_INT8,
		.shape = {.rank = 2, .dim = {1, 4}},
		.bytes = sizeof(data),
		.data = data};
	const struct edge_client_request request = {
		.model = "echo", .n_inputs = 1, .inputs = &input};
	assert_int_equal(edge_client_infer(client, &request, WAIT_MS, &answer, NULL), 0);
	assert_int_equal(answer->outputs[0].bytes, sizeof(data));
	assert_memory_equal(answer->outputs[0].data, data, sizeof(data));
	edge_client_answer_free(answer);
}

static void ask(struct edge_client *client, int n)
{
	for (int i = 0; i < n; i++) {
		expect_echo(client, (int8_t)i);
	}
}

static void others_are_answered_meanwhile(void **state)
{
	struct edge_client *clients[4];
	struct edge_client_list *list = NULL;
	for (int i = 0; i < 4; i++) {
		clients[i] = client_open(*state, i % 2 == 0);
		ask(clients[i], LEARN);
	}
	for (int round = 0; round < 200; round++) {
		ask(clients[round % 4], 5);
		ask(clients[(round + 1) % 4], 1);
		assert_int_equal(edge_client_list(clients[round % 3], WAIT_MS, &list, NULL), 0);
		assert_int_equal(list->n_items, 1);
		edge_client_list_free(list);
	}
	for (int i = 0; i < 4; i++) { /* the one who asked last too */
		ask(clients[3 - i], 3);
		edge_client_close(clients[3 - i]);
	}
	struct edge_client *client = client_open(*state, false);
	ask(client, 3);
	edge_client_close(client);
}

/* True when the loop's thread sleeps. */
static bool is_asleep(const struct daemon *daemon)
{
	char path[64], text[256] = "";
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)daemon->pid);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	return strrchr(text, ')')[2] == 'S';
}

/* It gives way for a moment, and then it sleeps. */
static void who_asks_no_more_lets_edged_sleep(void **state)
{
	const uint64_t until_ns = clock_now_ns() + PATIENCE_NS;
	struct edge_client *client = client_open(*state, true);
	ask(client, LEARN);
	while (!is_asleep(*state)) {
		assert_true(clock_now_ns() < until_ns);
		sched_yield();
	}
	ask(client, 3); /* it is woken */
	edge_client_close(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(others_are_answered_meanwhile),
		cmocka_unit_test(who_asks_no_more_lets_edged_sleep),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
