/* SPDX-License-Identifier: Apache-2.0 */
/* regions - what the tests of shared memory have in common. Everything fails the test by itself. */
#ifndef TESTS_SYSTEM_REGIONS_H
#define TESTS_SYSTEM_REGIONS_H

#include "tests/system/daemon.h"
#include "tests/system/peer.h"

#define REGIONS_SIZE 8192 /* of most memory */
#define REGIONS_WIDE 100000 /* of the model wide */
#define REGIONS_BOTH (WIRE_REGION_INPUTS | WIRE_REGION_OUTPUTS)

/* edged with the models slow, echo, wide and sum, 8 sharing clients, 4 regions each, 8 MB per user. */
int regions_set_up(void **state);
int regions_tear_down(void **state);

/* A good client in the same moment: a right answer. */
void regions_expect_good(struct daemon *daemon);

/* What edged holds: descriptors, threads, mappings of the tests' memory, Rss. */
struct held {
	unsigned int files, threads, mapped;
	long kb;
};
struct held held_by(struct daemon *daemon);
/* Waits until it holds what it held before, and serves. */
void held_expect(struct daemon *daemon, const struct held *before);

/* One input, one output, both int8 [1, width]. @data: of the input, when it is in the body. */
struct ask {
	const char *model;
	int32_t width;
	const void *data;
	uint32_t in_region, out_region; /* 0: in the body */
	uint64_t in_offset, out_offset, room;
	uint32_t session;
};
/* 4 bytes at 0 of region 1, the output at 64. */
extern const struct ask ask_in_place;

void ask_send(struct peer *peer, uint64_t id, const struct ask *ask);
void ask_expect(struct peer *peer, const struct ask *ask, enum edge_status status);
/* Any INFER with the flag. */
void ask_send_infer(
	struct peer *peer, uint64_t id, uint32_t session, const struct wire_infer *infer);
/* Receives an OK; the output as its record tells it. Its data, if they are in the body, are copied to
 * @out. */
struct wire_tensor ask_expect_output(struct peer *peer, uint64_t id, void *out);

#endif
