/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe - counters, histograms, flight records and slow requests of every answered INFER
 * (docs/observability.md). Loop thread only.
 */
#ifndef DAEMON_EDGED_SERVE_OBSERVE_H
#define DAEMON_EDGED_SERVE_OBSERVE_H

#include "daemon/edged/serve/request.h"

struct serve;

/* Call it before @request is queued. */
void observe_queued(const struct request *request);

/* Call it before or at @request's answer. @ours: no worker has @request, so its times may be
 * read. */
void observe_answer(
	struct serve *serve, const struct request *request, enum edge_status status, bool ours);

/* Call it when a worker gives back a request that was answered before its run ended. */
void observe_late(struct serve *serve, const struct request *request);

/* Call it when an INFER is refused while it is read. @request is NULL when only its header came. */
void observe_refused(struct serve *serve, const struct request *request, enum edge_status status);

#endif
