/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow - a log line for each request above slow-request, with its slowest steps
 *
 * Steps are timed only while slow-request is set. At most SLOW_LINES lines are logged in a minute;
 * the next line counts those left out.
 */
#ifndef DAEMON_EDGED_SERVE_SLOW_H
#define DAEMON_EDGED_SERVE_SLOW_H

#include <stdint.h>

#include "base/log.h"
#include "base/status.h"

#define SLOW_LINES 10 /* log lines in a minute */

struct request;
struct loaded_model_session;
struct counters_times;

/* One for all requests, zeroed at first. */
struct slow {
	uint64_t window_ns; /* when the current minute began, on clock_now_ns(); 0: never */
	/* lines logged in this minute; lines left out since the last one */
	uint64_t lines, left_out;
};

/* Call these around a run in @session, on the thread that runs it. */
void slow_run_begin(const struct request *request, struct loaded_model_session *session);
void slow_run_end(struct request *request, const struct loaded_model_session *session);

/* Logs a line if @request was slow. No worker has @request. Loop thread. */
void slow_note(struct slow *slow, const struct log *log, const struct request *request,
	enum edge_status status, const struct counters_times *times);

#endif
