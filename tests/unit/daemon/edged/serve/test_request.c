/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/edged/serve/request.h"

#define N (REQUEST_DONE + 1)
#define SECOND_NS UINT64_C(1000000000)

/* A row per state: P parked, S session wait, Q queued, R running, A running and answered, L loader
 * wait, D done, r reading. */
static const char letters[N + 1] = "rPSQRALD";
static const char *const table[N] = {
	[REQUEST_READING] = "PSQRL",
	[REQUEST_PARKED] = "rD",
	[REQUEST_SESSION_WAIT] = "QD",
	[REQUEST_QUEUED] = "RD",
	[REQUEST_RUNNING] = "rAD",
	[REQUEST_RUNNING_ANSWERED] = "D",
	[REQUEST_LOADER_WAIT] = "D",
	[REQUEST_DONE] = "",
};

static void each_state_is_followed_by_those_of_the_table_and_no_other(void **state)
{
	(void)state;
	for (enum request_state from = 0; from < N; from++) {
		for (enum request_state to = 0; to < N; to++) {
			const bool wanted = strchr(table[from], letters[to]) != NULL;
			assert_int_equal(request_may_enter(from, to), wanted);
		}
	}
}

/* The signal that ends a process which enters @to from @from; 0: none. */
static int death_of(enum request_state from, enum request_state to)
{
	int status = 0;
	const pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct request request = {0};
		const int quiet = dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		(void)quiet;
		signal(SIGABRT, SIG_DFL);
		atomic_init(&request.state, from);
		request_enter(&request, to);
		_exit(request_state(&request) == to ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void a_change_that_is_not_allowed_ends_edged(void **state)
{
	(void)state;
	assert_int_equal(death_of(REQUEST_QUEUED, REQUEST_RUNNING), 0);
	assert_int_equal(death_of(REQUEST_QUEUED, REQUEST_READING), SIGABRT);
	assert_int_equal(death_of(REQUEST_RUNNING_ANSWERED, REQUEST_RUNNING_ANSWERED), SIGABRT);
}

/* What is answered at the deadline, and what after answer-timeout. */
static void only_what_a_worker_has_or_will_have_is_due_after_answer_timeout(void **state)
{
	(void)state;
	static const bool timed[N] = {
		[REQUEST_SESSION_WAIT] = true, [REQUEST_QUEUED] = true, [REQUEST_RUNNING] = true};
	for (enum request_state at = 0; at < N; at++) {
		struct request request = {.received_ns = SECOND_NS};
		const bool answered = at == REQUEST_RUNNING_ANSWERED;
		atomic_init(&request.state, at);
		assert_true(request_due_ns(&request, 500) ==
			(timed[at] ? SECOND_NS + SECOND_NS / 2 : UINT64_MAX));
		request.deadline_ns = SECOND_NS + 7;
		assert_true(
			request_due_ns(&request, 500) == (answered ? UINT64_MAX : SECOND_NS + 7));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_is_followed_by_those_of_the_table_and_no_other),
		cmocka_unit_test(a_change_that_is_not_allowed_ends_edged),
		cmocka_unit_test(only_what_a_worker_has_or_will_have_is_due_after_answer_timeout),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
