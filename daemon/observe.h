/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe - every INFER passes here when it is answered: counters, histograms, flight records, slow
 * requests (docs/observability.md). Loop thread only.
 */
#ifndef DAEMON_OBSERVE_H
#define DAEMON_OBSERVE_H

#include "daemon/request.h"

struct edged;

/* @request is about to wait for a worker. */
void observe_queued(const struct request *request);

/* @request is about to be answered. @ours: no worker has it, so its times may be read. */
void observe_answer(
	struct edged *edged, const struct request *request, enum edge_status status, bool ours);

/* A worker brings back @request, which was answered without it. */
void observe_late(struct edged *edged, const struct request *request);

/* An INFER was refused before it was a request that anybody could answer: @request NULL when only its
 * header had come. */
void observe_refused(struct edged *edged, const struct request *request, enum edge_status status);

#endif
