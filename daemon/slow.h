/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow - requests that took longer than slow-request: a line each, with the steps that took longest
 *
 * Steps are timed while the key is set, and not otherwise. Lines are limited to SLOW_LINES a minute; what
 * is left out is counted in the next one.
 */
#ifndef DAEMON_SLOW_H
#define DAEMON_SLOW_H

#include <stdint.h>

#include "base/status.h"

#define SLOW_STEPS 4
#define SLOW_LINES 10 /* in a minute */

struct edged;
struct request;
struct served_session;
struct tally_times;

/* Of one run: the nodes that took longest, longest first. */
struct slow_steps {
	uint32_t n;
	struct {
		uint32_t node; /* of the subgraph that the signature enters */
		uint64_t ns;
	} steps[SLOW_STEPS];
};

/* Of edged, zeroed at first. */
struct slow {
	uint64_t window_ns; /* when the current minute began */
	uint64_t lines, left_out; /* in it */
};

/* Around a run in @session, by whoever runs it. */
void slow_run_begin(const struct request *request, struct served_session *session);
void slow_run_end(struct request *request, const struct served_session *session);

/* @request was answered with @status, and no worker has it: a line if it was slow. Loop thread. */
void slow_note(struct edged *edged, const struct request *request, enum edge_status status,
	const struct tally_times *times);

#endif
