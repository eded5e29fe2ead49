/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counters - requests of one model by status, and their latencies
 *
 * Allocated (5.4 KB) with the model's first request. Kept when another version serves, freed with
 * the model. Loop thread only.
 */
#ifndef DAEMON_SYSTEM_COUNTERS_H
#define DAEMON_SYSTEM_COUNTERS_H

#include "base/histogram.h"
#include "base/status.h"
#include "base/wire/wire.h"

struct counters {
	uint64_t counts[EDGE_STATUS_COUNT]; /* INFER requests answered, by status */
	struct histogram phases[WIRE_PHASES]; /* latencies of requests answered OK */
};

/* Times of one request; 0: not known. */
struct counters_times {
	uint64_t queue_ns; /* from its header to its run, or to its end without a run */
	uint64_t compute_ns; /* in a worker, without @others_ns */
	uint64_t total_ns; /* from its header to its answer */
	uint64_t others_ns; /* for other requests, between its operators */
};

/* Counts one request in *tally, and allocates it if NULL. Without memory nothing is counted. */
void counters_note(
	struct counters **counters, enum edge_status status, const struct counters_times *times);

#endif
