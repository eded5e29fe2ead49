/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/system/trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int trial_set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	daemon_prepare(daemon);
	daemon_config(daemon, TRIAL_MODELS "probation-requests = 10\n");
	*state = daemon;
	return 0;
}

int trial_tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

void trial_put_and_reload(struct daemon *daemon, const char *line)
{
	daemon_put(daemon, "m.tflite", line);
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_RELOAD, 900, 0, NULL);
	peer_expect(&peer, 900, EDGE_OK);
	peer_close(&peer);
}

/* What STORE_LIST says of "m"; "" for no version. */
void trial_expect_store(struct daemon *daemon, const char *version, uint64_t last_good,
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
void trial_ask(struct daemon *daemon, int n)
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
void trial_tell(struct daemon *daemon, enum wire_store_verb verb, const char *model,
	const char *argument, enum edge_status status)
{
	struct peer peer = peer_open_store(daemon);
	peer_store(&peer, 1, verb, model, argument);
	peer_expect(&peer, 1, status);
	peer_close(&peer);
}

void trial_expect_history(struct daemon *daemon, const char *text)
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
void trial_start_with_a_good_one(struct daemon *daemon)
{
	daemon_put(daemon, "m.tflite", "echo 4");
	daemon_start(daemon, false);
	trial_expect_store(daemon, "1", 0, WIRE_STORE_TRIAL, "");
	trial_ask(daemon, 10);
	trial_tell(
		daemon, WIRE_STORE_HISTORY, "m", NULL, EDGE_OK); /* it comes behind the verdict */
	trial_expect_store(daemon, "1", 1, 0, "");
	trial_expect_history(daemon, "version 1 passed its trial");
}
