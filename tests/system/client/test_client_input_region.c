/* SPDX-License-Identifier: Apache-2.0 */
/* Large inputs of synchronous calls, which the library hands over in memory that it shares by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/lib/edge_client.h"
#include "tests/system/daemon.h"

#define FROM EDGE_CLIENT_SHARE_FROM
#define MOST (4u << 20)
#define PAGE 4096u
#define FEW_BYTES (320u << 10)
#define OF_SESSION 40960

static uint8_t numbers[MOST];
static uint32_t last_number;

static struct edge_client *watcher; /* a connection for asking what edged holds */

static struct edge_client *open_client(const struct daemon *daemon)
{
	struct edge_client *client = NULL;
	assert_int_equal(edge_client_open(daemon->socket, 10000, &client, NULL), 0);
	return client;
}

static int set_up_with(void **state, const char *config)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	char line[128];
	daemon_prepare(daemon);
	daemon_put(daemon, "echo.tflite", "echo 4");
	daemon_put(daemon, "sum.tflite", "sum 40960");
	snprintf(line, sizeof(line), "slow %s/gate", daemon->folder);
	daemon_put(daemon, "slow.tflite", line);
	if (config) {
		daemon_config(daemon, config);
	}
	daemon_start(daemon, false);
	watcher = open_client(daemon);
	*state = daemon;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, NULL);
}

static int set_up_no_regions(void **state)
{
	return set_up_with(state, "[limits]\nmax-regions = 0\n");
}

static int set_up_one_region(void **state)
{
	return set_up_with(state, "[limits]\nmax-regions = 1\n");
}

static int set_up_few_bytes(void **state)
{
	return set_up_with(state, "[limits]\nmax-body = 320K\nmax-bytes-per-user = 320K\n");
}

static int tear_down(void **state)
{
	edge_client_close(watcher);
	daemon_end(*state);
	free(*state);
	return 0;
}

/* ---- questions */

/* Others than those of any question before. */
static void fill(size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		last_number = last_number * 1664525 + 1013904223;
		numbers[i] = (uint8_t)(last_number >> 24);
	}
}

static int ask(struct edge_client *client, const char *model, uint32_t session, uint32_t bytes,
	uint32_t timeout_ms, struct edge_client_answer **ret_answer)
{
	const struct edge_client_tensor input = {.type = EDGE_CLIENT_INT8,
		.shape = {2, {(int32_t)bytes / 4, 4}},
		.data = numbers,
		.bytes = bytes};
	const struct edge_client_request request = {
		.model = model, .n_inputs = 1, .inputs = &input};
	return session
		? edge_client_session_infer(client, session, &request, timeout_ms, ret_answer, NULL)
		: edge_client_infer(client, &request, timeout_ms, ret_answer, NULL);
}

/* The same bytes come back. */
static void expect_echo(
	struct edge_client *client, const char *model, uint32_t session, uint32_t bytes)
{
	struct edge_client_answer *answer = NULL;
	fill(bytes);
	assert_int_equal(ask(client, model, session, bytes, 10000, &answer), 0);
	assert_int_equal(answer->n_outputs, 1);
	assert_int_equal(answer->outputs[0].bytes, bytes);
	assert_memory_equal(answer->outputs[0].data, numbers, bytes);
	edge_client_answer_free(answer);
}

/* ---- what is held */

/* Of this user, while nothing runs. */
static uint64_t charged(void)
{
	struct edge_client_status status = {0};
	assert_int_equal(edge_client_status(watcher, 10000, &status, NULL), 0);
	return status.charged_bytes;
}

static unsigned int descriptors(pid_t pid)
{
	char path[64];
	unsigned int n = 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *folder = opendir(path);
	assert_non_null(folder);
	while (readdir(folder)) {
		n++;
	}
	closedir(folder);
	return n;
}

/* Mappings of memory that the library made. */
static unsigned int mappings(pid_t pid)
{
	char path[64], line[512];
	unsigned int n = 0;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		n += strstr(line, "memfd:edged-client") != NULL;
	}
	fclose(file);
	return n;
}

/* Mapped by both, and charged: soon, for edged may not have heard yet that a connection ended. */
static void expect_region(const struct daemon *daemon, uint64_t before, uint64_t bytes)
{
	const uint64_t until = clock_now_ns() + UINT64_C(20000000000);
	const uint64_t expected = bytes ? bytes + PAGE : 0;
	const unsigned int regions = bytes ? 1 : 0;
	uint64_t more;
	unsigned int there;
	do {
		there = mappings(daemon->pid);
		more = charged() - before;
	} while ((there != regions || more != expected) && clock_now_ns() < until);
	assert_int_equal(there, regions);
	assert_int_equal(mappings(getpid()), regions);
	assert_int_equal(more, expected);
}

/* ---- tests */

static void answers_are_exact_around_the_threshold_and_while_it_grows(void **state)
{
	static const uint32_t sizes[] = {4, FROM - 4, FROM, FROM + 4, FROM + PAGE, 3 * FROM, 4,
		FROM, 150528, 640u << 10, (640u << 10) + 4, MOST, FROM, 1000};
	const struct daemon *daemon = *state;
	const uint64_t before = charged();
	struct edge_client *client = open_client(daemon);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (int k = 0; k < 4; k++) {
			expect_echo(client, "echo", 0, sizes[i]);
			assert_int_equal(edge_client_in_flight(client), 0);
		}
	}
	expect_region(daemon, before, 640u << 10);
	edge_client_close(client);
	expect_region(daemon, before, 0);
}

static void who_asks_once_has_no_region_and_thousands_of_calls_have_one(void **state)
{
	const struct daemon *daemon = *state;
	const uint64_t before = charged();
	struct edge_client *client = open_client(daemon);
	expect_echo(client, "echo", 0, FROM);
	expect_region(daemon, before, 0);
	expect_echo(client, "echo", 0, FROM);
	expect_region(daemon, before, FROM);
	const unsigned int here = descriptors(getpid()), there = descriptors(daemon->pid);
	for (uint32_t i = 0; i < 1000; i++) {
		expect_echo(client, "echo", 0, FROM - 4 * (i % 16));
	}
	assert_int_equal(descriptors(getpid()), here);
	assert_int_equal(descriptors(daemon->pid), there);
	expect_region(daemon, before, FROM);
	edge_client_set_share_from(client, 0);
	expect_echo(client, "echo", 0, FROM);
	expect_region(daemon, before, 0);
	edge_client_close(client);
}

static void a_ring_and_sessions_have_it_too(void **state)
{
	const struct daemon *daemon = *state;
	struct edge_client *client = open_client(daemon);
	uint32_t session = 0;
	assert_int_equal(edge_client_use_ring(client, 10000, NULL), 0);
	assert_int_equal(edge_client_session_open(client, "echo", NULL, 10000, &session, NULL), 0);
	for (uint32_t i = 0; i < 5; i++) {
		expect_echo(client, "echo", 0, 2 * FROM + 4 * i);
		expect_echo(client, "echo", session, 3 * FROM - 4 * i);
	}
	assert_int_equal(mappings(getpid()), 2);
	edge_client_close(client);
	assert_int_equal(mappings(getpid()), 0);
}

static void without_regions_everything_goes_in_the_body(void **state)
{
	const struct daemon *daemon = *state;
	struct edge_client *client = open_client(daemon);
	for (int i = 0; i < 5; i++) {
		expect_echo(client, "echo", 0, 2 * FROM);
	}
	assert_int_equal(mappings(getpid()), 0);
	edge_client_close(client);
}

static uint32_t add_region(struct edge_client *client, int fd, size_t bytes)
{
	uint32_t region = 0;
	assert_int_equal(
		edge_client_region_add(client, fd, bytes, EDGE_CLIENT_INPUTS, 10000, &region, NULL),
		0);
	return region;
}

/* The caller's own come first, whoever was there before. */
static void the_callers_regions_come_first(void **state)
{
	const struct daemon *daemon = *state;
	struct edge_client_error err = {0};
	uint32_t region = 0;
	void *data = NULL;
	int fd = -1;
	struct edge_client *client = open_client(daemon), *other = open_client(daemon);
	assert_int_equal(edge_client_memory_new(PAGE, &fd, &data, NULL), 0);
	munmap(data, PAGE);
	for (int i = 0; i < 3; i++) {
		expect_echo(client, "echo", 0, FROM);
	}
	assert_int_equal(mappings(getpid()), 1);
	add_region(client, fd, PAGE);
	assert_int_equal(mappings(getpid()), 0);
	assert_int_equal(mappings(daemon->pid), 1); /* the caller's */
	assert_int_equal(
		edge_client_region_add(client, fd, PAGE, EDGE_CLIENT_INPUTS, 10000, &region, &err),
		-EAGAIN);
	assert_int_equal(err.status, EDGE_CLIENT_OVERLOADED);
	add_region(other, fd, PAGE);
	for (int i = 0; i < 3; i++) {
		expect_echo(client, "echo", 0, FROM);
		expect_echo(other, "echo", 0, FROM);
	}
	assert_int_equal(mappings(getpid()), 0);
	edge_client_close(client);
	edge_client_close(other);
	close(fd);
}

/* There is room for a question and its answer, for the region, and not for all three. */
static void a_question_is_not_refused_for_the_regions_sake(void **state)
{
	const struct daemon *daemon = *state;
	const size_t bytes = 280u << 10;
	struct edge_client *client = open_client(daemon), *other = open_client(daemon);
	const uint64_t before = charged();
	void *data = NULL;
	int fd = -1;
	assert_int_equal(edge_client_memory_new(bytes, &fd, &data, NULL), 0);
	munmap(data, bytes);
	const uint32_t region = add_region(other, fd, bytes);
	for (int i = 0; i < 5; i++) {
		expect_echo(client, "echo", 0, FROM);
	}
	assert_int_equal(mappings(daemon->pid), 1); /* that of the other */
	assert_int_equal(charged() - before, bytes + PAGE);
	assert_int_equal(edge_client_region_remove(other, region, 10000, NULL), 0);
	edge_client_close(client);
	edge_client_close(other);
	close(fd);
}

/* There is room for a question, and not for the region that served those before beside it. */
static void a_question_is_not_refused_for_a_region_that_served(void **state)
{
	const struct daemon *daemon = *state;
	struct edge_client *client = open_client(daemon);
	for (int i = 0; i < 3; i++) {
		expect_echo(client, "echo", 0, FROM);
	}
	assert_int_equal(mappings(daemon->pid), 1);
	expect_echo(client, "echo", 0, 305u << 10);
	assert_int_equal(mappings(daemon->pid), 0);
	expect_echo(client, "echo", 0, 305u << 10);
	edge_client_close(client);
}

/* What is left is as much as it takes, and less than it takes with the request for it. */
static void nor_is_a_session(void **state)
{
	const struct daemon *daemon = *state;
	const size_t bytes = FEW_BYTES - (FROM + PAGE) - PAGE - OF_SESSION;
	struct edge_client *client = open_client(daemon), *other = open_client(daemon);
	uint32_t session = 0;
	void *data = NULL;
	int fd = -1;
	assert_int_equal(edge_client_memory_new(bytes, &fd, &data, NULL), 0);
	munmap(data, bytes);
	for (int i = 0; i < 3; i++) {
		expect_echo(client, "echo", 0, FROM);
	}
	add_region(other, fd, bytes);
	assert_int_equal(mappings(daemon->pid), 2);
	assert_int_equal(edge_client_session_open(client, "sum", NULL, 10000, &session, NULL), 0);
	assert_int_equal(mappings(daemon->pid), 1); /* that of the other */
	edge_client_close(client);
	edge_client_close(other);
	close(fd);
}

static void one_region_is_for_the_caller_right_after_it_was_taken(void **state)
{
	const struct daemon *daemon = *state;
	for (int n = 0; n < 4; n++) {
		struct edge_client *client = open_client(daemon);
		for (int i = 0; i < n; i++) {
			expect_echo(client, "echo", 0, FROM);
		}
		assert_int_equal(edge_client_use_ring(client, 10000, NULL), 0);
		expect_echo(client, "echo", 0, FROM);
		edge_client_close(client);
	}
}

/* A limit of file sizes is one of shared memory too, and who asks for more of that gets SIGXFSZ. */
static void a_programs_limit_of_file_sizes_ends_nothing(void **state)
{
	const struct daemon *daemon = *state;
	int status = -1;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct edge_client_error err = {0};
		void *data = NULL;
		int fd = -1;
		const struct rlimit limit = {2 * PAGE, 2 * PAGE};
		struct edge_client *client = open_client(daemon);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		for (int i = 0; i < 4; i++) {
			expect_echo(client, "echo", 0, FROM);
		}
		assert_int_equal(mappings(daemon->pid), 0);
		assert_int_equal(edge_client_memory_new(3 * PAGE, &fd, &data, &err), -EFBIG);
		assert_non_null(strstr(err.text, "8192"));
		assert_int_equal(edge_client_memory_new(2 * PAGE, &fd, &data, &err), 0);
		edge_client_close(client);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* The one that was given up still has what it reads, and what comes next is answered by its own numbers. */
static void after_a_time_out_the_next_answers_are_right(void **state)
{
	struct daemon *daemon = *state;
	struct edge_client *client = open_client(daemon);
	struct edge_client_answer *answer = NULL;
	for (int i = 0; i < 3; i++) {
		expect_echo(client, "echo", 0, FROM);
	}
	for (int i = 0; i < 3; i++) {
		fill(FROM);
		assert_int_equal(ask(client, "slow", 0, FROM, 30, &answer), -ETIMEDOUT);
		daemon_wait_running(daemon);
		for (int k = 0; k < 3; k++) {
			expect_echo(client, "echo", 0, FROM);
		}
	}
	daemon_signal(daemon, SIGSTOP);
	fill(FROM);
	assert_int_equal(ask(client, "echo", 0, FROM, 30, &answer), -ETIMEDOUT);
	daemon_signal(daemon, SIGCONT);
	for (int i = 0; i < 3; i++) {
		expect_echo(client, "echo", 0, FROM);
	}
	edge_client_close(client);
}

/* It has the memory, and no part in what the other does there. */
static void a_forked_process_may_close_its_copy(void **state)
{
	const struct daemon *daemon = *state;
	struct edge_client *client = open_client(daemon);
	int status = -1;
	for (int i = 0; i < 3; i++) {
		expect_echo(client, "echo", 0, FROM);
	}
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		edge_client_close(client);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	expect_echo(client, "echo", 0, FROM);
	assert_int_equal(mappings(getpid()), 1);
	edge_client_close(client);
}

int main(void)
{
#define TEST(f, set_up) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(answers_are_exact_around_the_threshold_and_while_it_grows, set_up),
		TEST(who_asks_once_has_no_region_and_thousands_of_calls_have_one, set_up),
		TEST(a_ring_and_sessions_have_it_too, set_up),
		TEST(without_regions_everything_goes_in_the_body, set_up_no_regions),
		TEST(the_callers_regions_come_first, set_up_one_region),
		TEST(a_question_is_not_refused_for_the_regions_sake, set_up_few_bytes),
		TEST(a_question_is_not_refused_for_a_region_that_served, set_up_few_bytes),
		TEST(nor_is_a_session, set_up_few_bytes),
		TEST(one_region_is_for_the_caller_right_after_it_was_taken, set_up_one_region),
		TEST(a_programs_limit_of_file_sizes_ends_nothing, set_up),
		TEST(after_a_time_out_the_next_answers_are_right, set_up),
		TEST(a_forked_process_may_close_its_copy, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
