/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/system/regions.h"

static void inputs_are_read_and_outputs_written_in_place(void **state)
{
	struct peer peer = peer_open_shared(*state);
	struct memory memory = memory_new(REGIONS_SIZE);
	assert_int_equal(peer_region(&peer, &memory), 1);
	for (int i = 0; i < 100; i++) {
		memset(memory.data, i, 4);
		memset(memory.data + 64, 0xee, 64);
		ask_send(&peer, (uint64_t)i, &ask_in_place);
		struct wire_tensor output = ask_expect_output(&peer, (uint64_t)i, NULL);
		assert_null(output.data);
		assert_int_equal(output.region, 1);
		assert_int_equal(output.offset, 64);
		assert_int_equal(output.bytes, 4);
		assert_memory_equal(memory.data + 64, memory.data, 4);
		assert_int_equal(memory.data[64 + 4], 0xee);
	}
	peer_close(&peer);
	memory_free(&memory);
}

static void body_and_region_go_together(void **state)
{
	struct peer peer = peer_open_shared(*state);
	struct memory memory = memory_new(REGIONS_SIZE);
	uint8_t out[4];
	uint32_t region = peer_region(&peer, &memory);
	memcpy(memory.data + 128, "abcd", 4);
	const struct ask only_in = {
		.model = "echo", .width = 4, .in_region = region, .in_offset = 128};
	ask_send(&peer, 1, &only_in);
	assert_int_equal(ask_expect_output(&peer, 1, out).region, 0);
	assert_memory_equal(out, "abcd", 4);
	const struct ask only_out = {
		.model = "echo", .width = 4, .data = "wxyz", .out_region = region, .room = 4};
	ask_send(&peer, 2, &only_out);
	assert_int_equal(ask_expect_output(&peer, 2, out).region, region);
	assert_memory_equal(memory.data, "wxyz", 4);
	const struct ask none = {.model = "echo", .width = 4, .data = "1234"};
	ask_send(&peer, 3, &none);
	ask_expect_output(&peer, 3, out);
	assert_memory_equal(out, "1234", 4);
	/* Without the flag all is as ever. */
	peer_infer(&peer, 4, "echo", 4, 9, 0);
	peer_expect_echo(&peer, 4, 4, 9);
	peer_close(&peer);
	memory_free(&memory);
}

/* Further than the first look at a body's head. */
static void large_tensors_and_resized_inputs_find_their_place(void **state)
{
	struct peer peer = peer_open_shared(*state);
	struct memory memory = memory_new(1 << 20);
	struct ask wide = {.model = "wide",
		.width = REGIONS_WIDE,
		.in_region = peer_region(&peer, &memory),
		.out_region = 1,
		.out_offset = 1 << 19,
		.room = REGIONS_WIDE};
	for (size_t i = 0; i < REGIONS_WIDE; i++) {
		memory.data[i] = (uint8_t)(i * 7);
	}
	ask_send(&peer, 1, &wide);
	assert_int_equal(ask_expect_output(&peer, 1, NULL).bytes, REGIONS_WIDE);
	assert_memory_equal(memory.data, memory.data + (1 << 19), REGIONS_WIDE);
	uint8_t *body = calloc(1, REGIONS_WIDE);
	wide.in_region = 0;
	wide.data = body;
	ask_send(&peer, 2, &wide);
	ask_expect_output(&peer, 2, NULL);
	assert_memory_equal(body, memory.data + (1 << 19), REGIONS_WIDE);
	free(body);
	peer_close(&peer);
	memory_free(&memory);
}

static void a_session_runs_in_place_too(void **state)
{
	struct peer peer = peer_open_shared(*state);
	struct memory memory = memory_new(REGIONS_SIZE);
	struct ask ask = ask_in_place;
	peer_region(&peer, &memory);
	peer_session_open(&peer, 1, "sum");
	ask.session = peer_expect_session(&peer, 1);
	ask.model = "sum";
	memset(memory.data, 3, 4);
	for (uint64_t i = 0; i < 5; i++) {
		ask_send(&peer, i, &ask);
		ask_expect_output(&peer, i, NULL);
		assert_int_equal(memory.data[64], 3 * (i + 1));
	}
	peer_close(&peer);
	memory_free(&memory);
}

static void hello_need_not_be_waited_for(void **state)
{
	struct peer peer = peer_connect(*state);
	struct memory memory = memory_new(REGIONS_SIZE);
	struct bytes_writer w = {0};
	wire_hello_encode(&w,
		&(struct wire_hello){.major = 1,
			.minor = 2,
			.capabilities = WIRE_CAP_SHARED_MEMORY,
			.name = wire_text_of("hasty")});
	peer_send(&peer, WIRE_HELLO, 1, 0, &w);
	peer_region_add(&peer, 2, memory.fd, REGIONS_SIZE, REGIONS_BOTH);
	ask_send(&peer, 3, &ask_in_place);
	peer_expect(&peer, 1, EDGE_OK);
	peer_expect(&peer, 2, EDGE_OK);
	ask_expect_output(&peer, 3, NULL);
	bytes_writer_deinit(&w);
	peer_close(&peer);
	memory_free(&memory);
}

/* ---- without the agreement */

static void without_the_capability_there_are_no_regions(void **state)
{
	struct held before;
	regions_expect_good(*state);
	before = held_by(*state);
	struct memory memory = memory_new(REGIONS_SIZE);
	struct peer peer = peer_open_1_1(*state);
	peer_region_add(&peer, 1, memory.fd, REGIONS_SIZE, REGIONS_BOTH);
	peer_expect(&peer, 1, EDGE_UNSUPPORTED);
	peer.may_be_closed = true;
	ask_send(&peer, 2, &ask_in_place);
	peer_expect(&peer, 2, EDGE_INVALID);
	peer_expect_closed(&peer);
	peer_close(&peer);
	memory_free(&memory);
	held_expect(*state, &before);
}

/* True when HELLO agreed. */
static bool agrees(struct daemon *daemon, struct peer *ret_peer)
{
	struct bytes_writer w = {0};
	struct wire_hello_reply reply;
	*ret_peer = peer_connect(daemon);
	wire_hello_encode(&w,
		&(struct wire_hello){.major = 1,
			.minor = 2,
			.capabilities = WIRE_CAP_SHARED_MEMORY,
			.name = wire_text_of("many")});
	peer_send(ret_peer, WIRE_HELLO, 1, 0, &w);
	struct answer answer = peer_receive(ret_peer);
	assert_int_equal(
		wire_hello_reply_decode(answer.body, answer.header.body_bytes, &reply, NULL), 0);
	answer_free(&answer);
	bytes_writer_deinit(&w);
	return reply.capabilities & WIRE_CAP_SHARED_MEMORY;
}

/* Another user than root, who would always have room. */
static void become(const struct daemon *daemon, uid_t uid)
{
	assert_int_equal(chmod(daemon->folder, 0755), 0);
	assert_int_equal(chmod(daemon->socket, 0666), 0);
	assert_int_equal(seteuid(uid), 0);
}

/* As above, when those that have gone have left their places. */
static void agree_soon(struct daemon *daemon, struct peer *ret_peer)
{
	const uint64_t until = clock_now_ns() + UINT64_C(20000000000);
	while (!agrees(daemon, ret_peer)) {
		peer_close(ret_peer);
		assert_true(clock_now_ns() < until);
	}
}

/* A user may have 8 of the 16 places, and the next one 4 of the rest. */
static void one_user_does_not_have_all_connections_that_share(void **state)
{
	static const struct {
		uid_t uid;
		int n;
	} users[] = {{65534, 8}, {65533, 4}};
	struct peer peers[12], more;
	int n = 0;
	if (geteuid() != 0) {
		print_message("SKIPPED: only root can become somebody else\n");
		return;
	}
	for (int u = 0; u < 2; u++) {
		become(*state, users[u].uid);
		for (int i = 0; i < users[u].n; i++) {
			agree_soon(*state, &peers[n++]);
		}
		assert_false(agrees(*state, &more));
		peer_close(&more);
		assert_int_equal(seteuid(0), 0);
	}
	for (int i = 0; i < n; i++) {
		peer_close(&peers[i]);
	}
}

static void only_so_many_connections_share(void **state)
{
	struct peer peers[9], root;
	if (geteuid() != 0) {
		print_message("SKIPPED: only root can become somebody else\n");
		return;
	}
	become(*state, 65534);
	for (int i = 0; i < 8; i++) {
		agree_soon(*state, &peers[i]);
	}
	assert_false(agrees(*state, &peers[8]));
	peer_infer(&peers[8], 1, "echo", 4, 5, 0); /* which gets on without */
	peer_expect_echo(&peers[8], 1, 4, 5);
	peer_close(&peers[8]);
	peer_close(&peers[0]);
	agree_soon(*state, &peers[0]);
	assert_int_equal(seteuid(0), 0);
	assert_true(agrees(*state, &root)); /* so that there is room to install */
	peer_close(&root);
	for (int i = 0; i < 8; i++) {
		peer_close(&peers[i]);
	}
}

static void the_same_descriptor_makes_two_regions(void **state)
{
	struct peer peer = peer_open_shared(*state);
	struct memory memory = memory_new(REGIONS_SIZE);
	struct ask ask = ask_in_place;
	assert_int_equal(peer_region(&peer, &memory), 1);
	assert_int_equal(peer_region(&peer, &memory), 2);
	ask.out_region = 2;
	memcpy(memory.data, "same", 4);
	ask_send(&peer, 1, &ask);
	ask_expect_output(&peer, 1, NULL);
	assert_memory_equal(memory.data + 64, "same", 4);
	/* Onto itself. */
	ask.out_offset = 0;
	ask_send(&peer, 2, &ask);
	ask_expect_output(&peer, 2, NULL);
	assert_memory_equal(memory.data, "same", 4);
	peer_close(&peer);
	memory_free(&memory);
}

/* ---- places */

static void places_end_where_the_memory_ends(void **state)
{
	struct peer peer = peer_open_shared(*state);
	struct memory memory = memory_new(REGIONS_SIZE - 60); /* the last place has 4 bytes */
	const uint64_t last = REGIONS_SIZE - 64;
	struct ask ask = ask_in_place;
	peer_region(&peer, &memory);
	ask.in_offset = last;
	memcpy(memory.data + last, "last", 4);
	ask_send(&peer, 1, &ask);
	ask_expect_output(&peer, 1, NULL);
	assert_memory_equal(memory.data + 64, "last", 4);
	static const uint64_t beyond[] = {
		REGIONS_SIZE, REGIONS_SIZE + 64, UINT64_MAX - 63, UINT64_C(1) << 63};
	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
		ask = ask_in_place;
		ask.in_offset = beyond[i];
		ask_expect(&peer, &ask, EDGE_INVALID);
		ask = ask_in_place;
		ask.out_offset = beyond[i];
		ask_expect(&peer, &ask, EDGE_INVALID);
		ask = ask_in_place;
		ask.room = beyond[i];
		ask_expect(&peer, &ask, EDGE_INVALID);
	}
	ask = ask_in_place;
	ask.out_offset = last;
	ask.room = 5;
	ask_expect(&peer, &ask, EDGE_INVALID);
	ask.room = 4;
	ask_send(&peer, 2, &ask);
	ask_expect_output(&peer, 2, NULL);
	peer_close(&peer);
	memory_free(&memory);
}

static void too_little_room_is_told_and_not_filled(void **state)
{
	struct peer peer = peer_open_shared(*state);
	struct memory memory = memory_new(REGIONS_SIZE);
	static struct wire_infer infer;
	struct ask ask = ask_in_place;
	peer_region(&peer, &memory);
	ask.room = 3;
	ask_expect(&peer, &ask, EDGE_TOO_LARGE);
	/* Two rows instead of one: only the run knows. */
	infer = (struct wire_infer){.regions = true,
		.model = wire_text_of("echo"),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.n_places = 1,
		.places = {{.region = 1, .offset = 64, .room = 7}},
		.inputs = {{.type = DTYPE_INT8, .shape = {2, {2, 4}}, .bytes = 8, .region = 1}}};
	memset(memory.data, 1, 64);
	ask_send_infer(&peer, 3, 0, &infer);
	peer_expect(&peer, 3, EDGE_TOO_LARGE);
	assert_int_equal(memory.data[64], 0);
	peer_close(&peer);
	memory_free(&memory);
}

static void expect_infer(struct peer *peer, const struct wire_infer *infer, enum edge_status status)
{
	ask_send_infer(peer, 9, 0, infer);
	peer_expect(peer, 9, status);
}

static void places_are_for_wanted_outputs_each_once(void **state)
{
	struct peer peer = peer_open_shared(*state);
	struct memory memory = memory_new(REGIONS_SIZE);
	static struct wire_infer infer;
	peer_region(&peer, &memory);
	infer = (struct wire_infer){.regions = true,
		.model = wire_text_of("echo"),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.n_places = 2,
		.places = {{.region = 1, .room = 64}, {.region = 1, .offset = 64, .room = 64}},
		.inputs = {{.type = DTYPE_INT8, .shape = {2, {1, 4}}, .bytes = 4, .region = 1}}};
	expect_infer(&peer, &infer, EDGE_INVALID);
	infer.n_places = 1;
	infer.places[0].output = 1;
	expect_infer(&peer, &infer, EDGE_INVALID);
	infer.places[0].output = 0;
	infer.n_wanted = 0;
	expect_infer(&peer, &infer, EDGE_INVALID);
	infer.n_wanted = WIRE_ALL_OUTPUTS;
	expect_infer(&peer, &infer, EDGE_OK);
	peer_close(&peer);
	memory_free(&memory);
}

static void a_region_of_another_connection_is_unknown(void **state)
{
	struct peer peer = peer_open_shared(*state), other = peer_open_shared(*state);
	struct memory memory = memory_new(REGIONS_SIZE);
	peer_region(&peer, &memory);
	ask_expect(&other, &ask_in_place, EDGE_NOT_FOUND);
	ask_expect(&other,
		&(struct ask){
			.model = "echo", .width = 4, .data = "abcd", .out_region = 1, .room = 64},
		EDGE_NOT_FOUND);
	peer_region_remove(&other, 1, 1);
	peer_expect(&other, 1, EDGE_NOT_FOUND);
	ask_send(&peer, 2, &ask_in_place);
	ask_expect_output(&peer, 2, NULL);
	peer_close(&other);
	peer_close(&peer);
	memory_free(&memory);
}

/* ---- while a worker runs */

static void a_region_removed_during_a_run_lasts_as_long(void **state)
{
	struct held before;
	struct daemon *daemon = *state;
	regions_expect_good(daemon);
	before = held_by(daemon);
	struct peer peer = peer_open_shared(daemon);
	struct memory memory = memory_new(REGIONS_SIZE);
	struct ask ask = ask_in_place;
	peer_region(&peer, &memory);
	ask.model = "slow";
	memcpy(memory.data, "run!", 4);
	ask_send(&peer, 1, &ask);
	daemon_wait_running(daemon);
	peer_region_remove(&peer, 2, 1);
	peer_expect(&peer, 2, EDGE_OK);
	ask_expect(&peer, &ask_in_place, EDGE_NOT_FOUND);
	assert_int_equal(held_by(daemon).mapped, 1);
	daemon_let_go(daemon, 1);
	ask_expect_output(&peer, 1, NULL);
	assert_memory_equal(memory.data + 64, "run!", 4);
	memory_free(&memory);
	regions_expect_good(daemon);
	assert_int_equal(held_by(daemon).mapped, 0);
	peer_close(&peer);
	held_expect(daemon, &before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inputs_are_read_and_outputs_written_in_place),
		cmocka_unit_test(body_and_region_go_together),
		cmocka_unit_test(large_tensors_and_resized_inputs_find_their_place),
		cmocka_unit_test(a_session_runs_in_place_too),
		cmocka_unit_test(hello_need_not_be_waited_for),
		cmocka_unit_test(without_the_capability_there_are_no_regions),
		cmocka_unit_test(only_so_many_connections_share),
		cmocka_unit_test(one_user_does_not_have_all_connections_that_share),
		cmocka_unit_test(the_same_descriptor_makes_two_regions),
		cmocka_unit_test(places_end_where_the_memory_ends),
		cmocka_unit_test(too_little_room_is_told_and_not_filled),
		cmocka_unit_test(places_are_for_wanted_outputs_each_once),
		cmocka_unit_test(a_region_of_another_connection_is_unknown),
		cmocka_unit_test(a_region_removed_during_a_run_lasts_as_long),
	};
	return cmocka_run_group_tests(tests, regions_set_up, regions_tear_down);
}
