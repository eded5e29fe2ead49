/* SPDX-License-Identifier: Apache-2.0 */
#include "client/lib/ring_client.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "client/lib/edge_client.h"

/* The futex call that takes struct timespec with 64 bits: 32-bit systems with 64-bit time_t have
 * a call of their own. */
#if defined(SYS_futex_time64) && __SIZEOF_LONG__ == 4
#define FUTEX SYS_futex_time64
#else
#define FUTEX SYS_futex
#endif

static atomic_uint *word(const struct ring_client *ring, uint32_t at)
{
	return (atomic_uint *)(void *)(ring->base + at);
}

int ring_client_init(struct ring_client *ring, int *ret_fd, struct error *err)
{
	struct edge_client_error why = {0};
	void *data = NULL;
	const struct wire_ring shape = {.slots = 1, .slot_bytes = RING_CLIENT_SLOT_BYTES};
	const size_t bytes = (size_t)wire_ring_bytes(&shape);
	owned_fd int doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (doorbell < 0) {
		return error_set(err, -errno, "eventfd: %s", strerror(errno));
	}
	if (edge_client_memory_new(bytes, ret_fd, &data, &why) < 0) {
		return error_set(err, why.code, "%s", why.text);
	}
	*ring = (struct ring_client){
		.base = data, .bytes = bytes, .doorbell = take_fd(doorbell), .shape = shape};
	return 0;
}

void ring_client_deinit(struct ring_client *ring)
{
	if (ring->base) {
		munmap(ring->base, ring->bytes);
		close(ring->doorbell);
	}
	*ring = (struct ring_client){0};
}

/* ---- requests */

bool ring_client_takes(const struct ring_client *ring, size_t body_bytes)
{
	return ring->base && !ring_client_is_busy(ring) &&
		body_bytes <= ring->shape.slot_bytes - WIRE_HEADER_BYTES;
}

void ring_client_request(
	struct ring_client *ring, const struct wire_header *header, const struct bytes_writer *body)
{
	uint8_t *slot = ring->base + wire_ring_request_at(&ring->shape, ring->asked);
	const uint64_t one = 1;
	wire_header_encode(header, slot);
	if (body->size > 0) {
		memcpy(slot + WIRE_HEADER_BYTES, body->data, body->size);
	}
	atomic_store(word(ring, WIRE_RING_SUBMITTED), ++ring->asked);
	if (atomic_load(word(ring, WIRE_RING_EDGED_SLEEPS)) != 0) {
		ssize_t n = write(ring->doorbell, &one, sizeof(one));
		/* the write fails only when the doorbell's counter is full, so it already rings */
		(void)n;
	}
}

/* ---- replies */

bool ring_client_has_answer(const struct ring_client *ring)
{
	return atomic_load(word(ring, WIRE_RING_ANSWERED)) != ring->answered;
}

void ring_client_sleep(struct ring_client *ring, uint64_t ns)
{
	const struct timespec time = {
		.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
	atomic_store(word(ring, WIRE_RING_CLIENT_SLEEPS), 1);
	if (!ring_client_has_answer(ring)) {
		syscall(FUTEX, word(ring, WIRE_RING_ANSWERED), FUTEX_WAIT, ring->answered, &time,
			NULL, 0);
	}
	atomic_store(word(ring, WIRE_RING_CLIENT_SLEEPS), 0);
}

int ring_client_take(struct ring_client *ring, struct wire_header *ret_header, void **ret_body,
	struct error *err)
{
	const uint8_t *slot = ring->base + wire_ring_reply_at(&ring->shape, ring->answered);
	uint8_t bytes[WIRE_HEADER_BYTES];
	memcpy(bytes, slot, sizeof(bytes));
	atomic_signal_fence(memory_order_seq_cst);
	ring->answered++;
	int r = wire_header_decode(bytes, ret_header, err);
	if (r < 0) {
		return r;
	}
	const size_t size = ret_header->body_bytes;
	if (size > ring->shape.slot_bytes - WIRE_HEADER_BYTES) {
		return 0;
	}
	void *body = aligned_alloc(
		WIRE_ALIGNMENT, (size_t)bytes_align_up((uint64_t)size + 1, WIRE_ALIGNMENT));
	if (!body) {
		return error_no_memory(err);
	}
	memcpy(body, slot + WIRE_HEADER_BYTES, size);
	*ret_body = body;
	return 1;
}
