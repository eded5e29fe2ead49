/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/socket/ring.h"

#include <assert.h>
#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- shared words */

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

/* Wakes all threads that sleep on the word. At most one per slot waits for a reply. */
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

uint32_t ring_most_body(const struct ring *ring)
{
	return ring->shape.slot_bytes - WIRE_HEADER_BYTES;
}

void ring_put(
	struct ring *ring, const uint8_t header[WIRE_HEADER_BYTES], const void *body, size_t bytes)
{
	uint8_t *slot = ring->base + wire_ring_reply_at(&ring->shape, ring->answered);
	memcpy(slot, header, WIRE_HEADER_BYTES);
	if (bytes > 0) {
		memcpy(slot + WIRE_HEADER_BYTES, body, bytes);
	}
	count_reply(ring);
}

/* ---- requests */

bool ring_overflows(const struct ring *ring)
{
	return submitted(ring) - ring->taken > ring->shape.slots;
}

/* Copies from a slot once: the client may change it meanwhile. */
static void copy_out(void *to, const uint8_t *slot, size_t size)
{
	if (size > 0) {
		memcpy(to, slot, size);
	}
	/* keeps the compiler from reading the slot again */
	atomic_signal_fence(memory_order_seq_cst);
}

void ring_take_header(struct ring *ring, uint8_t ret_bytes[WIRE_HEADER_BYTES])
{
	copy_out(ret_bytes, ring->base + wire_ring_request_at(&ring->shape, ring->taken),
		WIRE_HEADER_BYTES);
	ring->taken++;
}

void ring_read_body(const struct ring *ring, void *body, uint32_t bytes)
{
	const uint8_t *slot = ring->base + wire_ring_request_at(&ring->shape, ring->taken - 1);
	copy_out(body, slot + WIRE_HEADER_BYTES, bytes);
}

void ring_sleep_all(const struct ring *first, bool asleep)
{
	for (const struct ring *ring = first; ring; ring = ring->next) {
		atomic_store(word(ring, WIRE_RING_EDGED_SLEEPS), asleep);
	}
}

/* ---- the doorbell */

/* Makes the doorbell edge-triggered: its count is not read, and each write is reported once.
 * libuv cannot ask for that, but leaves the setting alone until it changes what it polls for. */
static int hear_writes(struct ring *ring)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = ring->doorbell};
	int epoll = uv_backend_fd(ring->poll.loop);
	ring->hears_writes = epoll_ctl(epoll, EPOLL_CTL_MOD, ring->doorbell, &event) == 0;
	return ring->hears_writes ? 0 : -errno;
}

static void on_doorbell(uv_poll_t *poll, int status, int events)
{
	struct ring *ring = poll->data;
	(void)events;
	if (status < 0) {
		uv_poll_stop(poll);
	} else {
		ring->rung(ring->conn, ring->hears_writes ? 0 : hear_writes(ring));
	}
}

/* Only an eventfd: polling another kind of descriptor could block. */
static int doorbell_check(int fd, struct error *err)
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
	own_close_fd(&ring->doorbell);
	region_unref(ring->region);
	free(ring);
}

void ring_close(struct ring *ring)
{
	if (!ring) {
		return;
	}
	*ring->at = ring->next;
	if (ring->next) {
		ring->next->at = ring->at;
	}
	uv_close((uv_handle_t *)&ring->poll, on_closed);
}

static int find_place(const struct regions *regions, const struct wire_ring *shape,
	struct region **ret_region, void **ret_base, struct error *err)
{
	const uint64_t bytes = wire_ring_bytes(shape);
	struct region *region = NULL;
	int code = region_find(regions, shape->region, &region, err);
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

static void link_in(struct ring *ring, struct ring **list)
{
	ring->at = list;
	ring->next = *list;
	if (ring->next) {
		ring->next->at = &ring->next;
	}
	*list = ring;
}

int ring_open(struct ring **list, uv_loop_t *loop, const struct regions *regions,
	const struct wire_ring *shape, int *doorbell, struct ring **ret_ring, struct error *err)
{
	struct region *region = NULL;
	void *base = NULL;
	int code = doorbell_check(*doorbell, err);
	code = code < 0 ? code : find_place(regions, shape, &region, &base, err);
	if (code < 0) {
		return code;
	}
	struct ring *ring = calloc(1, sizeof(*ring));
	if (!ring) {
		return error_no_memory(err);
	}
	code = uv_poll_init(loop, &ring->poll, *doorbell);
	if (code < 0) {
		free(ring);
		return error_set(err, code, "the ring: %s", uv_strerror(code));
	}
	ring->poll.data = ring;
	ring->shape = *shape;
	ring->base = base;
	ring->doorbell = take_fd(*doorbell);
	ring->region = region_ref(region);
	ring->taken = submitted(ring);
	ring->answered = atomic_load(word(ring, WIRE_RING_ANSWERED));
	atomic_store(word(ring, WIRE_RING_EDGED_SLEEPS), 1);
	link_in(ring, list);
	code = uv_poll_start(&ring->poll, UV_READABLE, on_doorbell);
	if (code < 0) {
		ring_close(ring);
		return error_set(err, code, "the ring: %s", uv_strerror(code));
	}
	*ret_ring = ring;
	return 0;
}
