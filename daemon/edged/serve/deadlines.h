/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deadlines - ends requests that have waited or run too long
 *
 * A request ends at its own deadline, at answer-timeout after its arrival, or, while it waits for a
 * model to be loaded, at load-wait. One timer of the loop is set to the nearest of these.
 */
#ifndef DAEMON_EDGED_SERVE_DEADLINES_H
#define DAEMON_EDGED_SERVE_DEADLINES_H

#include "daemon/edged/serve/request.h"
#include "daemon/edged/serve/serve.h"

/* Sets serve->timer to the nearest deadline; serve->end_late() then answers the requests that
 * are late. */
void deadlines_update(struct serve *serve);

/* Returns the status that ends @request at @now_ns (CLOCK_MONOTONIC), and writes why to
 * *ret_text, a static string; EDGE_OK if the request may go on. */
enum edge_status deadlines_status(const struct request *request, uint64_t answer_timeout_ms,
	uint64_t now_ns, const char **ret_text);

/* Returns the nearest time at which a request of the list @first ends, in ns of CLOCK_MONOTONIC;
 * UINT64_MAX without one. Walks over the list, which is bounded by queue-length, the number of
 * workers and the parked requests. */
uint64_t deadlines_nearest(const struct request *first, uint64_t answer_timeout_ms);

#endif
