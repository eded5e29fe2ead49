/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve - the state that the files of this folder share: queue, workers, models in use
 *
 * dispatch.c starts and stops it. Loop thread only, with the exceptions in sched.h and worker.h.
 */
#ifndef DAEMON_EDGED_SERVE_SERVE_H
#define DAEMON_EDGED_SERVE_SERVE_H

#include <uv.h>

#include "daemon/edged/model/budget.h"
#include "daemon/edged/model/predict.h"
#include "daemon/edged/models/eviction.h"
#include "daemon/edged/models/pressure.h"
#include "daemon/edged/serve/account.h"
#include "daemon/edged/serve/busy_poll.h"
#include "daemon/edged/serve/flight_recorder.h"
#include "daemon/edged/serve/memfd.h"
#include "daemon/edged/serve/power.h"
#include "daemon/edged/serve/reply.h"
#include "daemon/edged/serve/sched.h"
#include "daemon/edged/serve/slow.h"
#include "daemon/edged/serve/worker.h"
#include "daemon/system/metrics.h"

/* What daemon/edged/socket, which knows the connections, does for this folder. */
struct serve_clients {
	/* Sends the answer to a request of @conn; takes its body. */
	void (*answer)(void *conn, struct reply *reply);
	/* Takes a complete request of @conn and sees to its answer, now or later. */
	void (*handle)(void *conn, struct request *request);
	bool (*poll)(void *context, bool thoroughly); /* poll() and sleep() of busy_poll.h */
	void (*sleep)(void *context, bool asleep);
	void *context; /* of poll() and sleep() */
};

struct serve {
	/* Borrowed; set before dispatch_start(). */
	const struct config *config;
	struct log *log;
	struct models *models;
	struct loader *loader;
	struct eviction *eviction;
	struct pressure *pressure;
	struct budget *budget;
	struct serve_clients clients;
	/* Begins a scan of the models, which READY waits for. Returns its number. */
	uint64_t (*scan)(void *context);
	void *scan_context;

	struct accounts accounts;
	struct memfds memfds;
	struct sched sched;
	struct workers workers;
	struct predict_machine machine;
	struct busy_poll busy_poll;
	struct power power;
	bool draining; /* edged is about to stop: no request is taken any more */

	struct request *first; /* the dispatcher's list */
	uint32_t n_parked; /* requests of the list that wait for their model */
	uint32_t n_waiting; /* requests that wait for their session; queue-length counts them */
	uv_async_t async; /* sent by workers that gave a request back */
	uv_timer_t timer; /* fires at the nearest deadline or end of load-wait (deadlines.h) */
	/* Answers a request that is late with @status and @text. */
	void (*end_late)(struct serve *serve, struct request *request, enum edge_status status,
		const char *text);
	uv_prepare_t turn; /* clears @inline_connection in every turn of the loop */
	const struct queue_connection
		*inline_connection; /* connection with inline runs in this turn; or NULL */

	struct metrics metrics;
	struct slow slow;
	struct flight_recorder flight;
	struct {
		uv_timer_t timer; /* active during an overload */
		struct metrics before; /* counts when it began */
	} overload;
};

#endif
