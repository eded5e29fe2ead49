/* SPDX-License-Identifier: Apache-2.0 */
#include "client/lane.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "client/edge_client.h"

/* The call whose time is that of struct timespec: of 64 bits here also where a long has 32. */
#if defined(SYS_futex_time64) && __SIZEOF_LONG__ == 4
#define FUTEX SYS_futex_time64
#else
#define FUTEX SYS_futex
#endif

static atomic_uint *word(const struct lane *lane, uint32_t at)
{
	return (atomic_uint *)(void *)(lane->base + at);
}

int lane_init(struct lane *lane, int *ret_fd, struct error *err)
{
	struct edge_client_error why = {0};
	void *data = NULL;
	const struct wire_ring shape = {.slots = 1, .slot_bytes = LANE_SLOT_BYTES};
	const size_t bytes = (size_t)wire_ring_bytes(&shape);
	owned_fd int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (bell < 0) {
		return error_set(err, -errno, "eventfd: %s", strerror(errno));
	}
	if (edge_client_memory_new(bytes, ret_fd, &data, &why) < 0) {
		return error_set(err, why.code, "%s", why.text);
	}
	*lane = (struct lane){.base = data, .bytes = bytes, .bell = take_fd(bell), .shape = shape};
	return 0;
}

void lane_deinit(struct lane *lane)
{
	if (lane->base) {
		munmap(lane->base, lane->bytes);
		close(lane->bell);
	}
	*lane = (struct lane){0};
}

/* ---- asking */

bool lane_takes(const struct lane *lane, size_t body_bytes)
{
	return lane->base && !lane_is_busy(lane) &&
		body_bytes <= lane->shape.slot_bytes - WIRE_HEADER_BYTES;
}

void lane_ask(struct lane *lane, const struct wire_header *header, const struct bytes_writer *body)
{
	uint8_t *slot = lane->base + wire_ring_request_at(&lane->shape, lane->asked);
	const uint64_t one = 1;
	wire_header_encode(header, slot);
	if (body->size > 0) {
		memcpy(slot + WIRE_HEADER_BYTES, body->data, body->size);
	}
	atomic_store(word(lane, WIRE_RING_SUBMITTED), ++lane->asked);
	if (atomic_load(word(lane, WIRE_RING_EDGED_SLEEPS)) != 0) {
		ssize_t n = write(lane->bell, &one, sizeof(one));
		(void)n; /* a bell that cannot be rung any more has been rung */
	}
}

/* ---- answers */

bool lane_has_answer(const struct lane *lane)
{
	return atomic_load(word(lane, WIRE_RING_ANSWERED)) != lane->answered;
}

void lane_sleep(struct lane *lane, uint64_t ns)
{
	const struct timespec time = {
		.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
	atomic_store(word(lane, WIRE_RING_CLIENT_SLEEPS), 1);
	if (!lane_has_answer(lane)) {
		syscall(FUTEX, word(lane, WIRE_RING_ANSWERED), FUTEX_WAIT, lane->answered, &time,
			NULL, 0);
	}
	atomic_store(word(lane, WIRE_RING_CLIENT_SLEEPS), 0);
}

int lane_take(struct lane *lane, struct wire_header *ret_header, void **ret_body, struct error *err)
{
	const uint8_t *slot = lane->base + wire_ring_reply_at(&lane->shape, lane->answered);
	uint8_t bytes[WIRE_HEADER_BYTES];
	memcpy(bytes, slot, sizeof(bytes));
	atomic_signal_fence(memory_order_seq_cst);
	lane->answered++;
	int r = wire_header_decode(bytes, ret_header, err);
	if (r < 0) {
		return r;
	}
	const size_t size = ret_header->body_bytes;
	if (size > lane->shape.slot_bytes - WIRE_HEADER_BYTES) {
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
