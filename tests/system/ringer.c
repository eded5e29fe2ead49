/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/system/ringer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/futex.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* Its time is that of struct timespec. */
#if defined(SYS_futex_time64) && __SIZEOF_LONG__ == 4
#define FUTEX SYS_futex_time64
#else
#define FUTEX SYS_futex
#endif
#define PATIENCE_NS UINT64_C(60000000000)

struct peer ringer_peer(const struct daemon *daemon, uint64_t capabilities)
{
	struct peer peer = peer_connect(daemon);
	struct bytes_writer w = {0};
	const struct wire_hello hello = {.major = WIRE_MAJOR,
		.minor = 3,
		.capabilities = capabilities,
		.name = wire_text_of("test")};
	wire_hello_encode(&w, &hello);
	peer_send(&peer, WIRE_HELLO, 0, 0, &w);
	bytes_writer_deinit(&w);
	peer_expect(&peer, 0, EDGE_OK);
	return peer;
}

/* The frame of a RING_OPEN with @n descriptors. */
void ringer_send_open(struct peer *peer, uint64_t id, const struct wire_ring *shape, const int *fds,
	unsigned int n)
{
	struct bytes_writer w = {0};
	uint8_t frame[256];
	wire_ring_encode(&w, shape);
	wire_header_encode(
		&(struct wire_header){
			.type = WIRE_RING_OPEN, .id = id, .body_bytes = (uint32_t)w.size},
		frame);
	memcpy(frame + WIRE_HEADER_BYTES, w.data, w.size);
	if (n > 0) {
		peer_send_fds(peer, frame, WIRE_HEADER_BYTES + w.size, fds, n);
	} else {
		peer_send_bytes(peer, frame, WIRE_HEADER_BYTES + w.size);
	}
	bytes_writer_deinit(&w);
}

atomic_uint *ringer_word(const struct ringer *ringer, uint32_t at)
{
	return (atomic_uint *)(void *)(ringer->memory.data + RINGER_AT + at);
}

/* @first: what the words count from; @flags: of the bell. */
struct ringer ringer_open_with(
	const struct daemon *daemon, uint32_t slots, uint32_t first, int flags)
{
	struct ringer ringer = {
		.peer = ringer_peer(daemon, WIRE_CAP_SHARED_MEMORY | WIRE_CAP_RINGS),
		.memory = memory_new(4 * REGIONS_SIZE + (size_t)2 * slots * RINGER_SLOT_BYTES),
		.bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | flags),
		.shape = {.offset = RINGER_AT, .slots = slots, .slot_bytes = RINGER_SLOT_BYTES},
		.asked = first,
		.answered = first};
	assert_true(ringer.bell >= 0);
	ringer.shape.region = peer_region(&ringer.peer, &ringer.memory);
	atomic_store(ringer_word(&ringer, WIRE_RING_SUBMITTED), first);
	atomic_store(ringer_word(&ringer, WIRE_RING_ANSWERED), first);
	ringer_send_open(&ringer.peer, 5, &ringer.shape, &ringer.bell, 1);
	peer_expect(&ringer.peer, 5, EDGE_OK);
	return ringer;
}

struct ringer ringer_open(const struct daemon *daemon, uint32_t first)
{
	return ringer_open_with(daemon, RINGER_SLOTS, first, 0);
}

void ringer_close(struct ringer *ringer)
{
	peer_close(&ringer->peer);
	memory_free(&ringer->memory);
	close(ringer->bell);
}

void ringer_ring(const struct ringer *ringer)
{
	const uint64_t one = 1;
	if (atomic_load(ringer_word(ringer, WIRE_RING_EDGED_SLEEPS)) != 0) {
		assert_int_equal(write(ringer->bell, &one, sizeof(one)), sizeof(one));
	}
}

/* Puts a frame into the next slot. */
void ringer_submit(struct ringer *ringer, const struct wire_header *header, const void *body)
{
	uint8_t *slot = ringer->memory.data + RINGER_AT +
		wire_ring_request_at(&ringer->shape, ringer->asked);
	wire_header_encode(header, slot);
	if (body && header->body_bytes <= RINGER_SLOT_BYTES - WIRE_HEADER_BYTES) {
		memcpy(slot + WIRE_HEADER_BYTES, body, header->body_bytes);
	}
	atomic_store(ringer_word(ringer, WIRE_RING_SUBMITTED), ++ringer->asked);
	ringer_ring(ringer);
}

/* 4 bytes of @value, in the body. */
void ringer_ask(struct ringer *ringer, uint64_t id, const char *model, int8_t value)
{
	struct bytes_writer w = {0};
	const int8_t data[4] = {value, value, value, value};
	const struct wire_infer infer = {.model = wire_text_of(model),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = DTYPE_INT8, .shape = {2, {1, 4}}, .bytes = 4, .data = data}}};
	wire_infer_encode(&w, &infer);
	ringer_submit(ringer,
		&(struct wire_header){.type = WIRE_INFER, .id = id, .body_bytes = (uint32_t)w.size},
		w.data);
	bytes_writer_deinit(&w);
}

/* Sleeps at the word, as clients do. */
static void ringer_wait(const struct ringer *ringer)
{
	const uint64_t until = clock_now_ns() + PATIENCE_NS;
	const struct timespec nap = {.tv_sec = 1};
	atomic_store(ringer_word(ringer, WIRE_RING_CLIENT_SLEEPS), 1);
	while (atomic_load(ringer_word(ringer, WIRE_RING_ANSWERED)) == ringer->answered) {
		assert_true(clock_now_ns() < until);
		syscall(FUTEX, ringer_word(ringer, WIRE_RING_ANSWERED), FUTEX_WAIT,
			ringer->answered, &nap, NULL, 0);
	}
	atomic_store(ringer_word(ringer, WIRE_RING_CLIENT_SLEEPS), 0);
}

/* The next reply's header; *ret_body is in the slot. */
struct wire_header ringer_take(struct ringer *ringer, const uint8_t **ret_body)
{
	struct wire_header header = {0};
	ringer_wait(ringer);
	const uint8_t *slot = ringer->memory.data + RINGER_AT +
		wire_ring_reply_at(&ringer->shape, ringer->answered++);
	assert_int_equal(wire_header_decode(slot, &header, NULL), 0);
	*ret_body = slot + WIRE_HEADER_BYTES;
	return header;
}

void ringer_expect(struct ringer *ringer, uint64_t id, enum edge_status status, int8_t value)
{
	const uint8_t *body = NULL;
	struct wire_infer_reply reply;
	const struct wire_header header = ringer_take(ringer, &body);
	assert_int_equal(header.id, id);
	assert_int_equal(header.type, WIRE_INFER | WIRE_REPLY);
	assert_int_equal(header.status, status);
	if (status == EDGE_OK) {
		const int8_t wanted[4] = {value, value, value, value};
		_Alignas(64) uint8_t copy[RINGER_SLOT_BYTES];
		memcpy(copy, body, header.body_bytes);
		assert_int_equal(
			wire_infer_reply_decode(copy, header.body_bytes, 0, &reply, NULL), 0);
		assert_memory_equal(reply.outputs[0].data, wanted, sizeof(wanted));
	}
}
