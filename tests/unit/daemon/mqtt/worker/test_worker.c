/* SPDX-License-Identifier: Apache-2.0 */
/* The worker process is this program again, which behaves as its memory limit says. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/mqtt/worker/worker.h"

#define TIMEOUT_MS 60000
#define SHORT_MS 20
#define PATIENCE_S 60

/* What the process does with a command after WORKER_COMMAND_BEGIN. */
enum behaviour {
	ANSWERS = 1,
	EXITS,
	HANGS,
	LIES, /* sends a frame that no process sends */
	FALLS, /* is killed from outside */
	REFUSES_TO_BEGIN, /* exits on WORKER_COMMAND_BEGIN */
};

static bool answer(void)
{
	static const struct worker_done done;
	struct bytes_writer w = {0};
	worker_frames_write(&w, WORKER_FRAME_DONE, &done);
	bool ok = worker_frames_send(&w);
	bytes_writer_deinit(&w);
	return ok;
}

static bool lie(void)
{
	struct bytes_writer w = {0};
	bytes_write_u32(&w, 0);
	bytes_write_u8(&w, 99);
	bool ok = worker_frames_send(&w);
	bytes_writer_deinit(&w);
	return ok;
}

static bool behave(enum behaviour behaviour)
{
	switch (behaviour) {
	case ANSWERS:
		return answer();
	case HANGS:
		return true;
	case LIES:
		return lie();
	case FALLS:
		return raise(SIGKILL) == 0;
	case EXITS:
	case REFUSES_TO_BEGIN:
		break;
	}
	return false;
}

static int child_main(enum behaviour behaviour)
{
	size_t size = 0;
	bool goes_on = true;
	while (goes_on) {
		uint8_t *command = worker_frames_receive(&size);
		bool begins = command && command[0] == WORKER_COMMAND_BEGIN &&
			behaviour != REFUSES_TO_BEGIN;
		goes_on = command && (begins ? answer() : behave(behaviour));
		free(command);
	}
	return 1;
}

struct seen {
	uv_loop_t loop;
	struct log log;
	struct worker worker;
	unsigned int n_done, n_ends, n_again, n_frames;
	enum worker_frame command; /* of the last call */
	enum worker_end how;
};

static bool on_frame(void *data, enum worker_frame command, uint8_t word, struct bytes_reader *r)
{
	struct seen *seen = data;
	(void)command;
	(void)r;
	seen->n_frames++;
	return word != 99;
}

static void on_done(void *data, enum worker_frame command, const struct worker_done *done)
{
	struct seen *seen = data;
	assert_int_equal(done->error.code, 0);
	seen->command = command;
	seen->n_done++;
}

static void on_end(void *data, enum worker_frame command, enum worker_end how, const char *why)
{
	struct seen *seen = data;
	assert_non_null(why);
	seen->command = command;
	seen->how = how;
	seen->n_ends++;
}

static void on_may_restart(void *data)
{
	struct seen *seen = data;
	seen->n_again++;
}

static int setup(void **state)
{
	static const struct worker_events events = {.on_frame = on_frame,
		.on_done = on_done,
		.on_end = on_end,
		.on_may_restart = on_may_restart};
	struct seen *seen = calloc(1, sizeof(*seen));
	assert_non_null(seen);
	log_init(&seen->log, LOG_LEVEL_ERROR);
	assert_int_equal(uv_loop_init(&seen->loop), 0);
	worker_init(
		&seen->worker, &seen->loop, &seen->log, ANSWERS, TIMEOUT_MS, 1000, &events, seen);
	alarm(PATIENCE_S);
	*state = seen;
	return 0;
}

static int teardown(void **state)
{
	struct seen *seen = *state;
	if (seen->worker.state != WORKER_STOPPED) {
		worker_stop(&seen->worker);
	}
	uv_run(&seen->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&seen->loop), 0);
	free(seen);
	return 0;
}

static void run_until(struct seen *seen, const unsigned int *count, unsigned int wanted)
{
	while (*count < wanted) {
		uv_run(&seen->loop, UV_RUN_ONCE);
	}
}

static void send_order(struct seen *seen, enum worker_frame command)
{
	struct bytes_writer w = {0};
	struct error err = {0};
	bytes_write_u32(&w, 0);
	bytes_write_u8(&w, (uint8_t)command);
	assert_true(worker_is_idle(&seen->worker));
	assert_int_equal(worker_send(&seen->worker, &w, &err), 0);
	assert_false(worker_is_idle(&seen->worker));
}

/* Starts a process that is ready, and sends it a command that it works on in its way. */
static void start_and_send(struct seen *seen, enum behaviour behaviour)
{
	seen->worker.memory_bytes = behaviour;
	worker_start(&seen->worker);
	assert_int_equal(seen->worker.state, WORKER_OPENING);
	send_order(seen, WORKER_COMMAND_BEGIN);
	run_until(seen, &seen->n_done, 1);
	assert_int_equal(seen->command, WORKER_COMMAND_BEGIN);
	assert_int_equal(seen->worker.state, WORKER_READY);
	seen->worker.timeout_ms = behaviour == HANGS ? SHORT_MS : TIMEOUT_MS;
	send_order(seen, WORKER_COMMAND_DECODE);
}

static void a_process_that_begins_is_ready_and_takes_one_command_after_the_other(void **state)
{
	struct seen *seen = *state;
	start_and_send(seen, ANSWERS);
	run_until(seen, &seen->n_done, 2);
	assert_int_equal(seen->command, WORKER_COMMAND_DECODE);
	assert_true(worker_is_idle(&seen->worker));
	send_order(seen, WORKER_COMMAND_INPUT);
	run_until(seen, &seen->n_done, 3);
	assert_int_equal(seen->n_ends, 0);
	assert_int_equal(seen->worker.restarts, 0);
}

static void each_end_is_told_with_its_command_and_kind_and_the_next_may_start(void **state)
{
	static const struct {
		enum behaviour behaviour;
		enum worker_end wanted;
	} cases[] = {{EXITS, WORKER_CRASHED}, {HANGS, WORKER_LATE}, {LIES, WORKER_ENDED_BY_PARENT},
		{FALLS, WORKER_KILLED}};
	struct seen *seen = *state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		seen->n_done = 0;
		seen->worker.timeout_ms = TIMEOUT_MS;
		start_and_send(seen, cases[i].behaviour);
		run_until(seen, &seen->n_ends, i + 1);
		assert_int_equal(seen->how, cases[i].wanted);
		assert_int_equal(seen->command, WORKER_COMMAND_DECODE);
		assert_int_equal(seen->worker.state, WORKER_NONE);
		assert_int_equal(seen->worker.restarts, i + 1);
		run_until(seen, &seen->n_again, i + 1);
		assert_int_equal(seen->n_ends, i + 1);
	}
}

static void a_process_without_success_is_not_replaced_at_once(void **state)
{
	struct seen *seen = *state;
	start_and_send(seen, ANSWERS);
	worker_restart(&seen->worker, "short of memory");
	assert_true(uv_timer_get_due_in(&seen->worker.timer) > 0);
	run_until(seen, &seen->n_again, 1);
	seen->n_ends = seen->n_again = 0;
	seen->worker.memory_bytes = REFUSES_TO_BEGIN;
	worker_start(&seen->worker);
	send_order(seen, WORKER_COMMAND_BEGIN);
	run_until(seen, &seen->n_ends, 1);
	assert_int_equal(seen->how, WORKER_CRASHED);
	worker_start(&seen->worker); /* the delay has just begun */
	assert_null(seen->worker.process);
	run_until(seen, &seen->n_again, 1);
	seen->worker.memory_bytes = ANSWERS;
	worker_start(&seen->worker);
	assert_non_null(seen->worker.process);
}

static void a_killed_or_stopped_process_calls_nobody_later(void **state)
{
	struct seen *seen = *state;
	start_and_send(seen, HANGS);
	worker_kill(&seen->worker);
	assert_int_equal(seen->n_ends, 0);
	assert_int_equal(seen->worker.state, WORKER_NONE);
	seen->n_done = 0;
	seen->worker.timeout_ms = TIMEOUT_MS;
	start_and_send(seen, ANSWERS);
	worker_stop(&seen->worker);
	assert_int_equal(seen->n_ends, 1); /* of the command in work */
	worker_start(&seen->worker);
	assert_null(seen->worker.process);
	uv_run(&seen->loop, UV_RUN_DEFAULT);
	assert_int_equal(seen->n_done, 1);
	assert_int_equal(seen->n_again, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_process_that_begins_is_ready_and_takes_one_command_after_the_other),
		TEST(each_end_is_told_with_its_command_and_kind_and_the_next_may_start),
		TEST(a_process_without_success_is_not_replaced_at_once),
		TEST(a_killed_or_stopped_process_calls_nobody_later),
	};
	if (argc == 3 && strcmp(argv[1], "--worker") == 0) {
		return child_main((enum behaviour)strtoul(argv[2], NULL, 10));
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
