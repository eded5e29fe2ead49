/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts on versions on trial that come while the loader is at the same model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/digest.h"
#include "tests/system/daemon.h"
#include "tests/system/peer.h"

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	daemon_prepare(daemon);
	daemon_config(daemon, "[models]\nprobation-requests = 10\nprobation-time = 60min\n");
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

static void put_and_reload(struct daemon *daemon, const char *line)
{
	daemon_put(daemon, "m.tflite", line);
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_RELOAD, 900, 0, NULL);
	peer_expect(&peer, 900, EDGE_OK);
	peer_close(&peer);
}

/* What STORE_LIST says of "m"; "" for no version. */
static void expect_store(struct daemon *daemon, const char *version, uint64_t last_good,
	uint32_t flags, const char *reason)
{
	struct peer peer = peer_open_store(daemon);
	struct wire_store_item item;
	uint32_t n = 0;
	peer_send(&peer, WIRE_STORE_LIST, 901, 0, NULL);
	struct answer answer = peer_receive(&peer);
	struct bytes_reader r = bytes_reader_of(answer.body, answer.header.body_bytes);
	assert_int_equal(wire_list_decode(&r, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(wire_store_item_decode(&r, &item, NULL), 0);
	assert_int_equal(wire_end(&r, WIRE_STORE_LIST, NULL), 0);
	assert_true(wire_text_is(item.model.version, version));
	assert_int_equal(item.sha256.length, 64);
	assert_int_equal(item.by, geteuid());
	if (item.last_good != last_good || item.flags != flags ||
		!wire_text_is(item.model.reason, reason)) {
		fail_msg("last good %llu, flags %u, reason %.*s",
			(unsigned long long)item.last_good, item.flags,
			(int)item.model.reason.length, item.model.reason.data);
	}
	answer_free(&answer);
	peer_close(&peer);
}

/* So many runs, whatever comes of them. */
static void ask(struct daemon *daemon, int n)
{
	struct peer peer = peer_open(daemon);
	for (int i = 0; i < n; i++) {
		peer_infer(&peer, (uint64_t)i + 1, "m", 4, 7, 0);
		struct answer answer = peer_receive(&peer);
		answer_free(&answer);
	}
	peer_close(&peer);
}

/* Of root, or edged's own user, as who the tests run. */
static void tell(struct daemon *daemon, enum wire_store_verb verb, const char *model,
	const char *argument, enum edge_status status)
{
	struct peer peer = peer_open_store(daemon);
	peer_store(&peer, 1, verb, model, argument);
	peer_expect(&peer, 1, status);
	peer_close(&peer);
}

static void expect_history(struct daemon *daemon, const char *text)
{
	struct peer peer = peer_open_store(daemon);
	struct wire_text lines;
	peer_store(&peer, 1, WIRE_STORE_HISTORY, "m", NULL);
	struct answer answer = peer_receive(&peer);
	assert_int_equal(answer.header.status, EDGE_OK);
	assert_int_equal(
		wire_store_reply_decode(answer.body, answer.header.body_bytes, &lines, NULL), 0);
	if (!memmem(lines.data, lines.length, text, strlen(text))) {
		fail_msg("no \"%s\" in: %.*s", text, (int)lines.length, lines.data);
	}
	answer_free(&answer);
	peer_close(&peer);
}

/* Version 1 is there and good. */
static void start_with_a_good_one(struct daemon *daemon)
{
	daemon_put(daemon, "m.tflite", "echo 4");
	daemon_start(daemon, false);
	expect_store(daemon, "1", 0, WIRE_STORE_TRIAL, "");
	ask(daemon, 10);
	tell(daemon, WIRE_STORE_HISTORY, "m", NULL, EDGE_OK); /* it comes behind the verdict */
	expect_store(daemon, "1", 1, 0, "");
	expect_history(daemon, "version 1 is good");
}

static void one_that_fails_while_the_next_one_is_loaded_is_bad(void **state)
{
	struct daemon *daemon = *state;
	char line[120];
	start_with_a_good_one(daemon);
	put_and_reload(daemon, "fail 1");
	snprintf(line, sizeof(line), "stall %s/gate", daemon->folder);
	daemon_put(daemon, "m.tflite", line);
	struct peer loading = peer_open(daemon);
	peer_send(&loading, WIRE_RELOAD, 900, 0, NULL);
	daemon_wait_running(daemon);
	ask(daemon, 3);
	daemon_wait_log(daemon, "runs were bad");
	daemon_let_go(daemon, 1);
	peer_expect(&loading, 900, EDGE_OK);
	peer_close(&loading);
	expect_history(daemon, "the version before is bad: 3 of 3 runs were bad");
	expect_store(daemon, "3", 1, WIRE_STORE_TRIAL, "");
	put_and_reload(daemon, "fail 1");
	expect_store(daemon, "3", 1, WIRE_STORE_TRIAL,
		"bad: 3 of 3 runs were bad: 3 failed, 0 gave NaN, 0 were too slow");
}

/* Version 1 is good, version 2 on trial, for as long as it takes, and compared. */
static void start_with_a_shadow(struct daemon *daemon, const char *line, const char *more)
{
	char config[200];
	snprintf(config, sizeof(config),
		"[models]\nprobation-requests = 10\nprobation-time = 60min\n%s", more);
	daemon_config(daemon, config);
	start_with_a_good_one(daemon);
	snprintf(config, sizeof(config),
		"[models]\nprobation-requests = 100000\nprobation-time = 60min\n%s", more);
	daemon_config(daemon, config);
	daemon_signal(daemon, SIGHUP);
	daemon_wait_log(daemon, "models ready");
	put_and_reload(daemon, line);
	expect_store(daemon, "2", 1, WIRE_STORE_TRIAL, "");
}

/* 7 7 7 7, and the same, as frames. */
static void golden_put(struct daemon *daemon)
{
	static const int8_t data[4] = {7, 7, 7, 7};
	struct bytes_writer frames = {0}, asked = {0}, due = {0};
	const struct wire_tensor tensor = {
		.type = DTYPE_INT8, .shape = {2, {1, 4}}, .bytes = sizeof(data), .data = data};
	const struct wire_infer infer = {.model = wire_text_of("m"),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {tensor}};
	const struct wire_infer_reply reply = {
		.version = wire_text_of("1"), .n_outputs = 1, .outputs = {tensor}};
	wire_infer_encode(&asked, &infer);
	wire_infer_reply_encode(&due, &reply);
	const struct bytes_writer *bodies[] = {&asked, &due};
	for (unsigned int i = 0; i < 2; i++) {
		uint8_t head[WIRE_HEADER_BYTES];
		const struct wire_header header = {.type = WIRE_INFER | (i ? WIRE_REPLY : 0),
			.id = 1,
			.body_bytes = (uint32_t)bodies[i]->size};
		wire_header_encode(&header, head);
		bytes_write(&frames, head, sizeof(head));
		bytes_write(&frames, bodies[i]->data, bodies[i]->size);
	}
	daemon_put_bytes(daemon, "m.golden", frames.data, frames.size);
	bytes_writer_deinit(&frames);
	bytes_writer_deinit(&asked);
	bytes_writer_deinit(&due);
}

/* The same file with a golden is tested while its trial ends: then it takes the good one's place once more. */
static void one_that_fails_while_it_is_installed_anew_is_rolled_back(void **state)
{
	struct daemon *daemon = *state;
	char line[120];
	snprintf(line, sizeof(line), "slow %s/gate", daemon->folder);
	start_with_a_shadow(daemon, line, "probation-shadow = 1\n");
	golden_put(daemon);
	struct peer loading = peer_open(daemon), peer = peer_open(daemon);
	peer_send(&loading, WIRE_RELOAD, 900, 0, NULL);
	daemon_wait_running(daemon);
	for (uint64_t i = 1; i <= 3; i++) {
		peer_infer(&peer, i, "m", 4, 7, 100000);
		peer_expect(&peer, i, EDGE_DEADLINE);
	}
	daemon_wait_log(daemon, "model m version 1: ready again");
	daemon_let_go(daemon, 1);
	peer_expect(&loading, 900, EDGE_OK);
	daemon_wait_log(daemon, "model m version 2: ready");
	daemon_wait_log(daemon, "model m version 1: ready");
	expect_history(daemon, "back to version 1: 3 of 3 runs were bad");
	peer_infer(&peer, 4, "m", 4, 7, 0);
	peer_expect_echo(&peer, 4, 4, 7);
	peer_close(&loading);
	peer_close(&peer);
}

#define late_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		late_test(one_that_fails_while_the_next_one_is_loaded_is_bad),
		late_test(one_that_fails_while_it_is_installed_anew_is_rolled_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
