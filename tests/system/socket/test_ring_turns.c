/* SPDX-License-Identifier: Apache-2.0 */
/* Rings that are full: what comes by sockets has its turn between their requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/system/ringer.h"

#define SLOTS 64
#define BYTES                                                                                      \
	((size_t)1 << 18) /* so many, for each slot, take far longer than a ring has of one turn */
#define LARGE "echo 262144"
#define LEARN 200 /* runs until one is expected to be short */

/* In and out of @region. */
static void ask_there(struct ringer *ringer, uint64_t id, uint32_t region)
{
	struct bytes_writer w = {0};
	const struct wire_infer infer = {.regions = true,
		.model = wire_text_of("large"),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.n_places = 1,
		.inputs = {{.type = DTYPE_INT8,
			.shape = {2, {1, BYTES}},
			.bytes = BYTES,
			.region = region}},
		.places = {{.region = region, .offset = BYTES, .room = BYTES}}};
	wire_infer_encode(&w, &infer);
	ringer_submit(ringer,
		&(struct wire_header){.type = WIRE_INFER,
			.flags = WIRE_FLAG_REGIONS,
			.id = id,
			.body_bytes = (uint32_t)w.size},
		w.data);
	bytes_writer_deinit(&w);
}

static enum edge_status take_status(struct ringer *ringer)
{
	const uint8_t *body = NULL;
	return (enum edge_status)ringer_take(ringer, &body).status;
}

/* Of the loop's thread. */
static void wait_state(const struct daemon *daemon, char state)
{
	char path[64], text[256] = "";
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)daemon->pid);
	while (!strrchr(text, ')') || strrchr(text, ')')[2] != state) {
		FILE *file = fopen(path, "re");
		assert_non_null(file);
		assert_non_null(fgets(text, sizeof(text), file));
		fclose(file);
		sched_yield();
	}
}

/* INFER answered OK, ever. */
static uint64_t expect_count(struct peer *peer, uint64_t id)
{
	struct wire_status status = {0};
	struct answer answer = peer_receive(peer);
	assert_int_equal(answer.header.id, id);
	assert_int_equal(answer.header.status, EDGE_OK);
	assert_int_equal(
		wire_status_decode(answer.body, answer.header.body_bytes, &status, NULL), 0);
	answer_free(&answer);
	return status.counts[EDGE_OK];
}

/* All is there when edged goes on. Of a socket that may bring descriptors a turn of the loop reads one message, so the second one is answered in
 * another turn. */
static void a_full_ring_lets_sockets_have_their_turn(void **state)
{
	struct daemon *daemon = *state;
	struct ringer ringer = ringer_open_with(daemon, SLOTS, 0, 0);
	struct peer other = peer_open_shared(daemon);
	struct memory memory = memory_new(2 * BYTES);
	const uint32_t region = peer_region(&ringer.peer, &memory);
	uint64_t id = 1;
	for (; id <= LEARN; id++) {
		ask_there(&ringer, id, region);
		assert_int_equal(take_status(&ringer), EDGE_OK);
	}
	peer_send(&other, WIRE_STATUS, 1, 0, NULL);
	const uint64_t before = expect_count(&other, 1);
	wait_state(daemon, 'S');
	daemon_signal(daemon, SIGSTOP);
	wait_state(daemon, 'T');
	for (unsigned int i = 0; i < SLOTS; i++) {
		ask_there(&ringer, id++, region);
	}
	peer_infer(&other, 2, "nobody", 1000, 5, 0); /* more than is read ahead */
	peer_send(&other, WIRE_STATUS, 3, 0, NULL);
	daemon_signal(daemon, SIGCONT);
	peer_expect(&other, 2, EDGE_NOT_FOUND);
	assert_in_range(expect_count(&other, 3), before, before + SLOTS - 1);
	for (unsigned int i = 0; i < SLOTS; i++) {
		assert_int_equal(take_status(&ringer), EDGE_OK);
	}
	peer_close(&other);
	memory_free(&memory);
	ringer_close(&ringer);
}

/* More than a turn of the loop has time for. */
static void who_sends_no_more_gets_what_its_ring_asked(void **state)
{
	struct daemon *daemon = *state;
	struct ringer ringer = ringer_open_with(daemon, SLOTS, 0, 0);
	struct memory memory = memory_new(2 * BYTES);
	const uint32_t region = peer_region(&ringer.peer, &memory);
	wait_state(daemon, 'S');
	daemon_signal(daemon, SIGSTOP);
	wait_state(daemon, 'T');
	for (uint64_t id = 1; id <= SLOTS; id++) {
		ask_there(&ringer, id, region);
	}
	assert_int_equal(shutdown(ringer.peer.fd, SHUT_WR), 0);
	daemon_signal(daemon, SIGCONT);
	for (unsigned int i = 0; i < SLOTS; i++) {
		assert_int_equal(take_status(&ringer), EDGE_OK);
	}
	peer_expect_closed(&ringer.peer);
	memory_free(&memory);
	ringer_close(&ringer);
}

static int set_up(void **state)
{
	const int code = regions_set_up(state);
	struct daemon *daemon = *state;
	daemon_put(daemon, "large.tflite", LARGE);
	daemon_config(daemon,
		"[daemon]\nshort-run-us = 500\n"
		"[limits]\nmax-regions = 4\nmax-in-flight = 8\nmax-body = 4M\n");
	daemon_signal(daemon, SIGHUP);
	daemon_wait_log(daemon, "models ready");
	return code;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_ring_lets_sockets_have_their_turn),
		cmocka_unit_test(who_sends_no_more_gets_what_its_ring_asked),
	};
	return cmocka_run_group_tests(tests, set_up, regions_tear_down);
}
