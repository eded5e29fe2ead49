/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ring.h"

#include <assert.h>
#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/conn.h"
#include "daemon/edged.h"
#include "daemon/frame.h"
#include "daemon/framing.h"
#include "daemon/handle.h"
#include "daemon/observe.h"

#define MOST_NS                                                                                    \
	200000 /* of one turn of the loop, for all that have more: short requests are run there */

/* ---- words that the client sees */

static atomic_uint *word(const struct ring *ring, uint32_t at)
{
	static_assert(sizeof(atomic_uint) == 4 && WIRE_RING_SLOTS % 64 == 0, "words of 4 bytes");
	return (atomic_uint *)(void *)(ring->base + at);
}

static uint32_t submitted(const struct ring *ring)
{
	return ring->ended ? ring->last : atomic_load(word(ring, WIRE_RING_SUBMITTED));
}

bool ring_has_more(const struct ring *ring)
{
	return submitted(ring) != ring->taken;
}

void ring_end(struct ring *ring)
{
	ring->last = submitted(ring);
	ring->ended = true;
}

/* All who sleep at the word: a client may have threads, of which no more than it has slots wait for something. */
static void wake(const struct ring *ring)
{
	syscall(SYS_futex, word(ring, WIRE_RING_ANSWERED), FUTEX_WAKE, ring->shape.slots, NULL,
		NULL, 0);
}

/* ---- replies */

static void count_reply(struct ring *ring)
{
	atomic_store(word(ring, WIRE_RING_ANSWERED), ++ring->answered);
	if (atomic_load(word(ring, WIRE_RING_CLIENT_SLEEPS)) != 0) {
		wake(ring);
	}
}

/* The slot gets the header alone, whose length says that the frame comes by the socket. */
static int send_by_socket(struct ring *ring, struct reply *reply, uint8_t *slot)
{
	uint8_t bytes[WIRE_HEADER_BYTES];
	frame_header(ring->conn, reply, bytes);
	int code = frame_send(ring->conn, reply);
	memcpy(slot, bytes, sizeof(bytes));
	count_reply(ring);
	return code;
}

int ring_send(struct ring *ring, struct reply *reply)
{
	uint8_t *slot = ring->base + wire_ring_reply_at(&ring->shape, ring->answered);
	const size_t size = reply->body.size;
	if (reply->body.failed) {
		bytes_writer_deinit(&reply->body);
		return -ENOMEM;
	}
	if (size > ring->shape.slot_bytes - WIRE_HEADER_BYTES) {
		return send_by_socket(ring, reply, slot);
	}
	frame_header(ring->conn, reply, slot);
	if (size > 0) {
		memcpy(slot + WIRE_HEADER_BYTES, reply->body.data, size);
	}
	bytes_writer_deinit(&reply->body);
	count_reply(ring);
	return 1;
}

/* ---- requests */

/* The slot may change while it is read, so it is read once. */
static void copy_out(void *to, const uint8_t *slot, size_t size)
{
	if (size > 0) {
		memcpy(to, slot, size);
	}
	atomic_signal_fence(memory_order_seq_cst); /* not again, by a compiler that knows both */
}

/* Answers at once what only has a header. */
static void turn_away(struct ring *ring, const struct wire_header *header, const struct error *err)
{
	struct reply reply = {.type = header->type,
		.id = header->id,
		.status = err->status,
		.by_ring = true,
		.retry_after_us = err->retry_after_us};
	observe_refused(ring->conn->edged, NULL, err->status);
	wire_error_encode(&reply.body, err->text);
	conn_note_sent(ring->conn, ring_send(ring, &reply));
}

static void take_one(struct ring *ring)
{
	const uint8_t *slot = ring->base + wire_ring_request_at(&ring->shape, ring->taken);
	uint8_t bytes[WIRE_HEADER_BYTES];
	struct wire_header header = {0};
	struct request *request = NULL;
	struct error err = {0};
	copy_out(bytes, slot, sizeof(bytes));
	ring->taken++;
	if (framing_check_slot(ring->conn, bytes, ring->shape.slot_bytes, &header, &err) < 0) {
		conn_refuse(ring->conn, &header, &err);
		return;
	}
	if (framing_admit(ring->conn, &header, &request, &err) < 0) {
		turn_away(ring, &header, &err);
		return;
	}
	request->by_ring = true;
	ring->edged->asked = NULL;
	copy_out(request->body, slot + WIRE_HEADER_BYTES, header.body_bytes);
	conn_begin(ring->conn, request);
	handle_message(ring->conn, request);
}

void ring_take(struct ring *ring)
{
	struct conn *conn = ring->conn;
	struct error err = {0};
	const struct wire_header none = {0};
	uint64_t until_ns = 0;
	if (conn->state != CONN_OPEN) {
		uv_poll_stop(&ring->poll);
		return;
	}
	if (submitted(ring) - ring->taken > ring->shape.slots) {
		error_set(&err, -EPROTO, "the ring has more requests than slots");
		conn_refuse(conn, &none, &err);
		return;
	}
	for (uint32_t n = 0; n < ring->shape.slots && conn_has_room(conn) && ring_has_more(ring);
		n++) {
		/* Most are alone, for which no look at the clock is needed. */
		if (n == 1) {
			until_ns = clock_now_ns() + MOST_NS / (1 + ring->edged->more.n);
		} else if (n > 1 && clock_now_ns() >= until_ns) {
			break;
		}
		take_one(ring);
	}
	if (conn->state != CONN_CLOSED) {
		conn_update(conn); /* goes on with what is left at the next turn */
	}
}

bool rings_look(const struct edged *edged)
{
	bool found = false;
	for (struct ring *ring = edged->rings, *next; ring; ring = next) {
		next = ring->next;
		if (ring_has_more(ring) && conn_has_room(ring->conn)) {
			ring_take(ring);
			found = true;
		}
	}
	return found;
}

void rings_sleep(const struct edged *edged, bool asleep)
{
	for (struct ring *ring = edged->rings; ring; ring = ring->next) {
		atomic_store(word(ring, WIRE_RING_EDGED_SLEEPS), asleep);
	}
}

/* ---- the bell */

/* What is counted in the bell is its owner's affair: nothing is read there, and each write is heard once. libuv has
 * no word for that, and leaves alone what it asked for itself until it asks for something else. */
static int hear_writes(struct ring *ring)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = ring->bell};
	int epoll = uv_backend_fd(&ring->edged->loop);
	ring->hears_writes = epoll_ctl(epoll, EPOLL_CTL_MOD, ring->bell, &event) == 0;
	return ring->hears_writes ? 0 : -errno;
}

static void on_bell(uv_poll_t *poll, int status, int events)
{
	struct ring *ring = poll->data;
	struct error err = {0};
	const struct wire_header none = {0};
	(void)events;
	if (status < 0) {
		uv_poll_stop(poll);
		return;
	}
	int code = ring->hears_writes ? 0 : hear_writes(ring);
	if (code < 0) {
		error_set(&err, code, "the bell: %s", strerror(-code));
		conn_refuse(ring->conn, &none, &err);
		return;
	}
	ring_take(ring);
}

/* Another descriptor could make whoever polls it wait. */
static int bell_check(int fd, struct error *err)
{
	static const char wanted[] = "anon_inode:[eventfd]";
	char path[32], name[sizeof(wanted)];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ssize_t n = fd >= 0 ? readlink(path, name, sizeof(name)) : 0;
	return n == sizeof(wanted) - 1 && memcmp(name, wanted, sizeof(wanted) - 1) == 0
		? 0
		: error_set(err, -EINVAL, "RING_OPEN comes with an eventfd");
}

/* ---- opening and closing */

static void on_closed(uv_handle_t *handle)
{
	struct ring *ring = handle->data;
	own_close_fd(&ring->bell);
	region_unref(ring->region);
	free(ring);
}

void ring_close(struct ring *ring)
{
	if (!ring) {
		return;
	}
	*(ring->prev ? &ring->prev->next : &ring->edged->rings) = ring->next;
	if (ring->next) {
		ring->next->prev = ring->prev;
	}
	ring->conn = NULL;
	uv_close((uv_handle_t *)&ring->poll, on_closed);
}

static int find_place(struct conn *conn, const struct wire_ring *shape, struct region **ret_region,
	void **ret_base, struct error *err)
{
	const uint64_t bytes = wire_ring_bytes(shape);
	struct region *region = NULL;
	int code = region_find(&conn->regions, shape->region, &region, err);
	code = code < 0
		? code
		: region_at(region, shape->offset, bytes, WIRE_REGION_INPUTS, ret_base, err);
	code = code < 0
		? code
		: region_at(region, shape->offset, bytes, WIRE_REGION_OUTPUTS, ret_base, err);
	if (code == 0) {
		*ret_region = region;
	}
	return code;
}

/* Takes *bell. */
static int listen_to(struct ring *ring, int *bell, struct error *err)
{
	int code = uv_poll_init(&ring->edged->loop, &ring->poll, *bell);
	if (code < 0) {
		return error_set(err, code, "the ring: %s", uv_strerror(code));
	}
	ring->bell = take_fd(*bell);
	ring->poll.data = ring;
	ring->prev = NULL;
	ring->next = ring->edged->rings;
	if (ring->next) {
		ring->next->prev = ring;
	}
	ring->edged->rings = ring;
	code = uv_poll_start(&ring->poll, UV_READABLE, on_bell);
	if (code < 0) {
		ring_close(ring);
		return error_set(err, code, "the ring: %s", uv_strerror(code));
	}
	return 0;
}

int ring_open(struct conn *conn, const struct wire_ring *shape, int *bell, struct error *err)
{
	struct region *region = NULL;
	void *base = NULL;
	int code = conn->ring ? error_set(err, -EINVAL, "this connection has a ring already") : 0;
	code = code < 0 ? code : bell_check(*bell, err);
	code = code < 0 ? code : find_place(conn, shape, &region, &base, err);
	if (code < 0) {
		return code;
	}
	struct ring *ring = calloc(1, sizeof(*ring));
	if (!ring) {
		return error_no_memory(err);
	}
	*ring = (struct ring){.edged = conn->edged,
		.conn = conn,
		.shape = *shape,
		.base = base,
		.bell = -1,
		.region = region_ref(region)};
	ring->taken = submitted(ring);
	ring->answered = atomic_load(word(ring, WIRE_RING_ANSWERED));
	atomic_store(word(ring, WIRE_RING_EDGED_SLEEPS), 1);
	code = listen_to(ring, bell, err);
	if (code == 0) {
		conn->ring = ring;
	} else if (ring->bell < 0) { /* else it is closing */
		region_unref(ring->region);
		free(ring);
	}
	return code;
}
