/* SPDX-License-Identifier: Apache-2.0 */
/* Slow requests and flight records, with models that take as long as a test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/flight_record.h"
#include "tests/system/daemon.h"
#include "tests/system/peer.h"

static int set_up(void **state)
{
	char line[128];
	struct daemon *daemon = malloc(sizeof(*daemon));
	daemon_prepare(daemon);
	snprintf(line, sizeof(line), "slow %s/gate", daemon->folder);
	daemon_put(daemon, "slow.tflite", line);
	daemon_put(daemon, "echo.tflite", "echo 4");
	daemon_put(daemon, "late.tflite", "late 30");
	daemon_put(daemon, "crash.tflite", "crash 1");
	daemon_put(daemon, "fault.tflite", "fault 1");
	daemon_config(daemon, "[daemon]\nslow-request = 20ms\nworkers = 2\n");
	daemon_start(daemon, false);
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	struct daemon *daemon = *state;
	if (daemon->pid == 0) { /* it ended itself */
		daemon_spawn(daemon, false);
		daemon_wait_log(daemon, "models ready");
	}
	daemon_end(daemon);
	free(daemon);
	return 0;
}

static unsigned int count(const struct daemon *daemon, const char *text)
{
	unsigned int n = 0;
	for (const char *at = daemon->text; (at = strstr(at, text)); at++) {
		n++;
	}
	return n;
}

/* ---- slow requests */

static void a_slow_request_is_told_with_its_longest_steps(void **state)
{
	struct daemon *daemon = *state;
	char who[64];
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_infer(&peer, 2, "late", 4, 2, 0);
	peer_expect_echo(&peer, 2, 4, 2);
	snprintf(who, sizeof(who), "model late version 1, user %u, process %d: OK after",
		(unsigned int)getuid(), (int)getpid());
	daemon_wait_log(daemon, who);
	assert_int_equal(count(daemon, "slow request: model late"), 1);
	assert_non_null(strstr(daemon->text,
		"; slowest steps: 1 LONG fake 7000 us, 2 SECOND fake 3000 us, 0 FIRST fake 1 us"));
	peer_close(&peer);
}

static void ten_slow_requests_are_told_in_a_minute(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open(daemon);
	for (uint64_t i = 1; i <= 12; i++) {
		peer_infer(&peer, i, "late", 4, 2, 0);
		peer_expect_echo(&peer, i, 4, 2);
	}
	peer_close(&peer);
	daemon_signal(daemon, SIGTERM);
	daemon_wait_log(daemon, "stopped");
	assert_int_equal(daemon_wait(daemon), 0);
	assert_int_equal(count(daemon, "slow request"), 10);
}

static void one_whose_deadline_passed_is_told_when_its_run_has_ended(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "slow", 4, 1, 30000);
	peer_expect(&peer, 1, EDGE_DEADLINE);
	daemon_wait_log(daemon, "slow request: model slow version 1");
	assert_non_null(strstr(daemon->text, ": DEADLINE after "));
	peer_close(&peer);
}

static void nothing_is_told_or_timed_when_nobody_wants_it(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open(daemon);
	daemon_config(daemon, "[daemon]\nworkers = 2\n");
	daemon_signal(daemon, SIGHUP);
	daemon_wait_log(daemon, "models ready");
	peer_infer(&peer, 1, "late", 4, 1, 0);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_close(&peer);
	daemon_signal(daemon, SIGTERM);
	daemon_wait_log(daemon, "stopped");
	assert_int_equal(daemon_wait(daemon), 0);
	assert_int_equal(count(daemon, "slow request"), 0);
}

/* ---- overload */

static void overload_is_told_when_it_begins_and_when_it_has_ended(void **state)
{
	struct daemon *daemon = *state;
	daemon_config(daemon, "[daemon]\nworkers = 2\n[limits]\nqueue-length = 1\n");
	daemon_signal(daemon, SIGHUP);
	daemon_wait_log(daemon, "models ready");
	struct peer peer = peer_open(daemon);
	for (uint64_t i = 1; i <= 2; i++) {
		peer_infer(&peer, i, "slow", 4, 1, 0);
		daemon_wait_running(daemon);
	}
	peer_infer(&peer, 3, "slow", 4, 1, 0);
	peer_infer(&peer, 4, "echo", 4, 1, 0);
	peer_expect(&peer, 4, EDGE_OVERLOADED);
	peer_infer(&peer, 5, "echo", 4, 1, 0);
	peer_expect(&peer, 5, EDGE_OVERLOADED);
	daemon_wait_log(daemon, "overload: more is asked than can be done in time");
	daemon_let_go(daemon, 3);
	for (int i = 0; i < 3; i++) {
		struct answer answer = peer_receive(&peer);
		assert_int_equal(answer.header.status, EDGE_OK);
		answer_free(&answer);
	}
	daemon_wait_log(daemon, "overload has ended after ");
	assert_non_null(strstr(daemon->text, " ms: 3 requests were answered, 2 turned away"));
	assert_int_equal(count(daemon, "overload: more"), 1);
	peer_close(&peer);
}

/* ---- flight records */

struct records {
	uint8_t *bytes;
	struct flight_view view;
};

static struct records records_read(const struct daemon *daemon, const char *name)
{
	char path[256];
	struct records records = {.bytes = malloc(1 << 20)};
	snprintf(path, sizeof(path), "%s/state/%s", daemon->folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	const ssize_t n = read(fd, records.bytes, 1 << 20);
	close(fd);
	assert_int_equal(flight_view_open(records.bytes, (size_t)n, &records.view, NULL), 0);
	return records;
}

static struct flight_record find(const struct records *records, uint64_t seq)
{
	for (uint32_t i = 0; i < records->view.header.n_records; i++) {
		struct flight_record record = flight_view_record(&records->view, i);
		if (record.seq == seq) {
			return record;
		}
	}
	fail_msg("there is no record %llu", (unsigned long long)seq);
	return (struct flight_record){0};
}

static void expect(const struct records *records, uint64_t seq, const char *model,
	enum edge_status status, uint32_t least_us)
{
	char name[72];
	const struct flight_record record = find(records, seq);
	flight_view_name(&records->view, &record, name);
	assert_string_equal(name, model);
	assert_int_equal(record.status, status);
	assert_int_equal(record.uid, getuid());
	assert_int_equal(record.pid, getpid());
	assert_true(record.total_us >= least_us);
	assert_true(record.total_us >= record.queue_us);
}

static void what_was_asked_is_written_at_a_signal(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 7, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 7, 4, 1);
	peer_infer(&peer, 8, "late", 4, 1, 0);
	peer_expect_echo(&peer, 8, 4, 1);
	peer_infer(&peer, 9, "none", 4, 1, 0);
	peer_expect(&peer, 9, EDGE_NOT_FOUND);
	peer_infer(&peer, 10, "slow", 4, 1, 20000);
	peer_expect(&peer, 10, EDGE_DEADLINE);
	daemon_signal(daemon, SIGUSR1);
	daemon_wait_log(daemon, "flight records of 4 requests are in ");
	struct records records = records_read(daemon, "flight");
	assert_int_equal(records.view.header.seq, 4);
	assert_int_equal(records.view.header.signal, 0);
	assert_int_equal(records.view.header.pid, daemon->pid);
	expect(&records, 1, "echo", EDGE_OK, 0);
	expect(&records, 2, "late", EDGE_OK, 30000);
	expect(&records, 3, "", EDGE_NOT_FOUND, 0);
	expect(&records, 4, "slow", EDGE_DEADLINE, 20000);
	const struct flight_record late = find(&records, 2);
	assert_true(late.compute_us >= 30000);
	assert_int_equal(late.id, 8);
	assert_int_equal(late.version, 1);
	free(records.bytes);
	peer_close(&peer);
}

/* Both ends of the ring, and beyond. */
static void the_last_ten_thousand_are_kept(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open(daemon);
	for (uint64_t i = 1; i <= FLIGHT_RECORDS + 20; i++) {
		peer_infer(&peer, i, "echo", 4, 1, 0);
		peer_expect_echo(&peer, i, 4, 1);
	}
	daemon_signal(daemon, SIGUSR1);
	daemon_wait_log(daemon, "flight records of 10020 requests are in ");
	struct records records = records_read(daemon, "flight");
	assert_int_equal(find(&records, 21).id, 21);
	assert_int_equal(find(&records, FLIGHT_RECORDS + 20).id, FLIGHT_RECORDS + 20);
	for (uint32_t i = 0; i < records.view.header.n_records; i++) {
		assert_true(flight_view_record(&records.view, i).seq > 20);
	}
	free(records.bytes);
	peer_close(&peer);
}

static void they_are_told_to_who_manages(void **state)
{
	struct peer peer = peer_open_1_3(*state);
	peer_infer(&peer, 1, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_send(&peer, WIRE_FLIGHT, 2, 0, NULL);
	struct answer answer = peer_receive(&peer);
	struct flight_view view;
	assert_int_equal(answer.header.status, EDGE_OK);
	assert_int_equal(flight_view_open(answer.body, answer.header.body_bytes, &view, NULL), 0);
	assert_int_equal(view.header.n_records, 1);
	assert_int_equal(flight_view_record(&view, 0).id, 1);
	answer_free(&answer);
	peer_close(&peer);
}

static void ended_by(struct daemon *daemon, int number)
{
	const int code = daemon_wait(daemon);
	/* A sanitizer, which was there before, reports a fault and leaves with a code of its own. */
	assert_true(code == -number || (!daemon_memory_counts() && code != 0));
	struct records records = records_read(daemon, "flight.crash");
	assert_int_equal(records.view.header.signal, number);
	assert_int_equal(records.view.header.seq, 1);
	expect(&records, 1, "echo", EDGE_OK, 0);
	free(records.bytes);
}

/* As a fault of the loop's thread would, and as who wants to see what it does. */
static void a_signal_that_ends_it_leaves_the_records(void **state)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	struct daemon *daemon = *state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct peer peer = peer_open(daemon);
		peer_infer(&peer, 1, "echo", 4, 1, 0);
		peer_expect_echo(&peer, 1, 4, 1);
		daemon_signal(daemon, signals[i]);
		ended_by(daemon, signals[i]);
		peer_close(&peer);
		daemon_start(daemon, false);
	}
}

static void a_worker_that_aborts_leaves_the_records(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_infer(&peer, 2, "crash", 4, 1, 0);
	ended_by(daemon, SIGABRT);
	peer_close(&peer);
}

/* Signals are the loop's, but not a thread's own faults. */
static void a_worker_that_faults_leaves_the_records(void **state)
{
	struct daemon *daemon = *state;
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_infer(&peer, 2, "fault", 4, 1, 0);
	ended_by(daemon, SIGSEGV);
	peer_close(&peer);
}

static void files_that_are_no_records_are_refused(void **state)
{
	(void)state;
	static uint8_t bytes[FLIGHT_HEAD_BYTES + sizeof(struct flight_record)];
	struct flight_view view;
	struct flight_header header = {
		.magic = FLIGHT_MAGIC, .n_names = FLIGHT_NAMES, .n_records = 1};
	memcpy(bytes, &header, sizeof(header));
	assert_int_equal(flight_view_open(bytes, sizeof(bytes), &view, NULL), 0);
	assert_int_equal(flight_view_open(bytes, sizeof(bytes) - 1, &view, NULL), -EBADMSG);
	assert_int_equal(flight_view_open(bytes, 10, &view, NULL), -EBADMSG);
	header.n_names = 1;
	memcpy(bytes, &header, sizeof(header));
	assert_int_equal(flight_view_open(bytes, sizeof(bytes), &view, NULL), -EBADMSG);
	header = (struct flight_header){.n_names = FLIGHT_NAMES, .n_records = 1};
	memcpy(bytes, &header, sizeof(header));
	assert_int_equal(flight_view_open(bytes, sizeof(bytes), &view, NULL), -EBADMSG);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_slow_request_is_told_with_its_longest_steps),
		TEST(ten_slow_requests_are_told_in_a_minute),
		TEST(one_whose_deadline_passed_is_told_when_its_run_has_ended),
		TEST(nothing_is_told_or_timed_when_nobody_wants_it),
		TEST(overload_is_told_when_it_begins_and_when_it_has_ended),
		TEST(what_was_asked_is_written_at_a_signal),
		TEST(the_last_ten_thousand_are_kept),
		TEST(they_are_told_to_who_manages),
		TEST(a_signal_that_ends_it_leaves_the_records),
		TEST(a_worker_that_aborts_leaves_the_records),
		TEST(a_worker_that_faults_leaves_the_records),
		cmocka_unit_test(files_that_are_no_records_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
