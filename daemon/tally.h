/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally - what became of a model's requests, and how long they took
 *
 * One for each model that was asked, 5.4 KB, made with its first request; it stays when another version
 * takes over, and goes with the model. Loop thread only.
 */
#ifndef DAEMON_TALLY_H
#define DAEMON_TALLY_H

#include "base/histogram.h"
#include "base/status.h"
#include "base/wire.h"

struct tally {
	uint64_t counts[EDGE_STATUS_COUNT]; /* INFER answered, by status */
	struct histogram phases[WIRE_PHASES]; /* of those answered OK */
};

/* How long one request took; what is not known is 0. */
struct tally_times {
	uint64_t queue_ns; /* from its header to a worker, or to its end */
	uint64_t compute_ns; /* in a worker, without what was done between its operators */
	uint64_t total_ns; /* from its header to its answer */
	uint64_t others_ns; /* what was done between its operators */
};

/* Counts into *tally, which is made if it is NULL; without memory nothing is counted. */
void tally_note(struct tally **tally, enum edge_status status, const struct tally_times *times);

#endif
