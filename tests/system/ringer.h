/* SPDX-License-Identifier: Apache-2.0 */
/* ringer - a client of raw frames in a ring. Everything fails the test by itself. */
#ifndef TESTS_SYSTEM_RINGER_H
#define TESTS_SYSTEM_RINGER_H

#include <stdatomic.h>

#include "tests/system/regions.h"

#define RINGER_SLOTS 4 /* where nothing else is said */
#define RINGER_SLOT_BYTES 1024
#define RINGER_AT 4096 /* of memory that has REGIONS_SIZE bytes and more behind the ring */

/* A client with one region that has the ring, and tensors before it. */
struct ringer {
	struct peer peer;
	struct memory memory;
	int bell;
	struct wire_ring shape;
	uint32_t asked, answered;
};

/* In version 1.3. */
struct peer ringer_peer(const struct daemon *daemon, uint64_t capabilities);
/* The frame of a RING_OPEN with @n descriptors. */
void ringer_send_open(struct peer *peer, uint64_t id, const struct wire_ring *shape, const int *fds,
	unsigned int n);

/* @first: what the words count from; @flags: of the bell. */
struct ringer ringer_open_with(
	const struct daemon *daemon, uint32_t slots, uint32_t first, int flags);
struct ringer ringer_open(const struct daemon *daemon, uint32_t first);
void ringer_close(struct ringer *ringer);

atomic_uint *ringer_word(const struct ringer *ringer, uint32_t at);
/* The bell, if edged sleeps. */
void ringer_ring(const struct ringer *ringer);
/* Puts a frame into the next slot, and rings. */
void ringer_submit(struct ringer *ringer, const struct wire_header *header, const void *body);
/* 4 bytes of @value, in the body. */
void ringer_ask(struct ringer *ringer, uint64_t id, const char *model, int8_t value);

/* The next reply's header; *ret_body is in the slot. */
struct wire_header ringer_take(struct ringer *ringer, const uint8_t **ret_body);
/* That it is of that id and status, and what ringer_ask() asked. */
void ringer_expect(struct ringer *ringer, uint64_t id, enum edge_status status, int8_t value);

#endif
