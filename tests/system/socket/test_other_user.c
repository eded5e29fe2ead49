/* SPDX-License-Identifier: Apache-2.0 */
/* A client that is neither root nor edged's user, while others are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/lib/edge_client.h"
#include "tests/system/daemon.h"

#define NOBODY 65534
#define LARGE EDGE_CLIENT_SHARE_FROM
#define MOST_LISTS 1000000 /* a user who asks for no end of them is refused long before */

/* Of a check in the other user's process, which has no cmocka. */
#define WANT(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);                 \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	char name[32];
	daemon_prepare(daemon);
	for (int i = 0; i < 30; i++) { /* a list that takes its time */
		snprintf(name, sizeof(name), "echo%d.tflite", i);
		daemon_put(daemon, name, "echo 4");
	}
	daemon_config(daemon, "[daemon]\nsocket-mode = 0666\n");
	assert_int_equal(chmod(daemon->folder, 0755), 0);
	daemon_start(daemon, false);
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

static struct edge_client *open_client(const struct daemon *daemon)
{
	struct edge_client *client = NULL;
	struct edge_client_error err = {0};
	if (edge_client_open(daemon->socket, 10000, &client, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
	}
	return client;
}

/* @fn in a process of the other user; 0 is what it must return. */
static void as_another(const struct daemon *daemon, int (*fn)(struct edge_client *client))
{
	int status = -1;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct edge_client *client = NULL;
		if (setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			setresuid(NOBODY, NOBODY, NOBODY) < 0 || !(client = open_client(daemon))) {
			_exit(2);
		}
		int r = fn(client);
		edge_client_close(client);
		_exit(r);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int status_of(int r, const struct edge_client_error *err)
{
	return r == 0 ? EDGE_CLIENT_OK : (int)err->status;
}

static int reload(struct edge_client *client)
{
	struct edge_client_reload answer;
	struct edge_client_error err = {0};
	return status_of(edge_client_reload(client, 10000, &answer, &err), &err);
}

static int store(struct edge_client *client, enum edge_client_store_verb verb)
{
	struct edge_client_error err = {0};
	return status_of(edge_client_store(client, verb, "echo0", NULL, 10000, NULL, &err), &err);
}

static int list(struct edge_client *client, struct edge_client_error *err)
{
	struct edge_client_list *list = NULL;
	int r = edge_client_list(client, 10000, &list, err);
	edge_client_list_free(list);
	return r;
}

/* ---- what it may */

static int use_and_no_more(struct edge_client *client)
{
	struct edge_client_stats *stats = NULL;
	WANT(list(client, NULL) == 0);
	WANT(edge_client_stats(client, 10000, &stats, NULL) == 0);
	WANT(stats->n_users == 1 && stats->users[0].uid == NOBODY && stats->users[0].clients == 1);
	edge_client_stats_free(stats);
	WANT(reload(client) == EDGE_CLIENT_DENIED);
	WANT(store(client, EDGE_CLIENT_STORE_PIN) == EDGE_CLIENT_DENIED);
	WANT(store(client, EDGE_CLIENT_STORE_UNLOAD) == EDGE_CLIENT_DENIED);
	WANT(store(client, EDGE_CLIENT_STORE_ROLLBACK) == EDGE_CLIENT_DENIED);
	return 0;
}

static void another_user_may_use_models_and_manage_none(void **state)
{
	const struct daemon *daemon = *state;
	struct edge_client *client = open_client(daemon);
	assert_non_null(client);
	as_another(daemon, use_and_no_more);
	assert_int_equal(reload(client), EDGE_CLIENT_OK);
	assert_int_equal(store(client, EDGE_CLIENT_STORE_PIN), EDGE_CLIENT_OK);
	assert_int_equal(store(client, EDGE_CLIENT_STORE_UNPIN), EDGE_CLIENT_OK);
	edge_client_close(client);
}

/* ---- memory that is shared */

static int ask_often(struct edge_client *client)
{
	static uint8_t numbers[LARGE];
	const struct edge_client_tensor input = {.type = EDGE_CLIENT_INT8,
		.shape = {2, {LARGE / 4, 4}},
		.data = numbers,
		.bytes = LARGE};
	const struct edge_client_request request = {
		.model = "echo0", .n_inputs = 1, .inputs = &input};
	struct edge_client_stats *stats = NULL;
	WANT(edge_client_peer(client)->has_regions);
	for (int i = 0; i < 20; i++) {
		struct edge_client_answer *answer = NULL;
		memset(numbers, i + 1, sizeof(numbers));
		numbers[i] = 0;
		WANT(edge_client_infer(client, &request, 10000, &answer, NULL) == 0);
		WANT(answer->outputs[0].bytes == LARGE);
		WANT(memcmp(answer->outputs[0].data, numbers, LARGE) == 0);
		edge_client_answer_free(answer);
	}
	WANT(edge_client_stats(client, 10000, &stats, NULL) == 0);
	WANT(stats->users[0].charged_bytes >= LARGE + 4096);
	edge_client_stats_free(stats);
	return 0;
}

static void another_users_large_questions_go_through_its_own_memory(void **state)
{
	as_another(*state, ask_often);
}

/* ---- a share of the loop */

static int list_without_end(struct edge_client *client)
{
	struct edge_client_error err = {0};
	for (int i = 0; i < MOST_LISTS; i++) {
		if (list(client, &err) < 0) {
			WANT(err.status == EDGE_CLIENT_OVERLOADED);
			WANT(err.retry_after_us > 0);
			return 0;
		}
	}
	WANT(!"was never refused");
	return 0;
}

/* Nobody else is there: then there is nobody to keep it from. */
static int list_often(struct edge_client *client)
{
	for (int i = 0; i < 5000; i++) {
		WANT(list(client, NULL) == 0);
	}
	return 0;
}

static void another_users_lists_have_a_share_of_the_time_and_roots_any(void **state)
{
	const struct daemon *daemon = *state;
	as_another(daemon, list_often);
	struct edge_client *client = open_client(daemon);
	assert_non_null(client);
	as_another(daemon, list_without_end);
	assert_int_equal(seteuid(NOBODY), 0); /* it is there, so that root is not alone either */
	struct edge_client *other = open_client(daemon);
	assert_int_equal(seteuid(0), 0);
	assert_non_null(other);
	assert_int_equal(list_often(client), 0);
	assert_true(list_without_end(other) == 0);
	edge_client_close(other);
	edge_client_close(client);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(another_user_may_use_models_and_manage_none),
		TEST(another_users_large_questions_go_through_its_own_memory),
		TEST(another_users_lists_have_a_share_of_the_time_and_roots_any),
	};
	if (geteuid() != 0) {
		print_message("SKIPPED: only root can be another user\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
