/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dispatch - the loop's side of the queue
 *
 * Every request that waits for something is in one list: those for the workers (INFER,
 * SESSION_OPEN, SESSION_RESET) that are queued or run, or wait for their session's turn, RELOAD
 * until its scan is done, and STORE until its order is. Here they are answered: with what a worker brings, or before that because the
 * deadline passed, the client took it back, or edged stops. A request that was answered while a
 * worker has it is cancelled, and its result is dropped when it comes.
 *
 * A run that is expected to be short is done right here when nothing else is to be done, because
 * waking a worker takes longer: those of one client in a turn of the loop, so that many get all
 * workers. One that takes much longer than expected is given up and queued.
 */
#ifndef DAEMON_DISPATCH_H
#define DAEMON_DISPATCH_H

#include <uv.h>

#include "daemon/order.h"
#include "daemon/request.h"
#include "daemon/sched.h"
#include "daemon/spin.h"
#include "daemon/worker.h"

struct dispatch {
	struct edged *edged;
	struct sched sched;
	struct workers workers;
	struct predict_machine machine;
	struct spin spin;
	struct request *first;
	uint32_t n_parked; /* that wait for their model */
	uint32_t n_waiting; /* in the lines of sessions; queue-length counts them too */
	uv_async_t async; /* workers gave something back */
	uv_timer_t timer; /* of the nearest deadline */
	uv_prepare_t turn; /* a new turn of the loop */
	const struct queue_line
		*short_line; /* whose runs were short in this turn; NULL: nobody's */
};

int must_check dispatch_start(struct dispatch *dispatch, struct edged *edged, struct error *err);
/* Ends the threads and frees what is left, unanswered. Closes its handles. */
void dispatch_stop(struct dispatch *dispatch);

/* Takes a judged INFER, or an OPEN or RESET of a session, of @line and sees to its answer, now or
 * later. */
void dispatch_submit(struct dispatch *dispatch, struct request *request, struct queue_line *line);

/* Takes a request whose model is unloaded: it is handled again once some model was loaded, or answered
 * OVERLOADED after load-wait. */
void dispatch_park(struct dispatch *dispatch, struct request *request);
void dispatch_unpark(struct dispatch *dispatch);

/* Takes a RELOAD: answered once store.scans_done has reached @scan. */
void dispatch_wait(struct dispatch *dispatch, struct request *request, uint64_t scan);
void dispatch_scan_done(struct dispatch *dispatch);

/* Takes a STORE: answered when the order of that number is done. Takes @order. */
void dispatch_wait_order(struct dispatch *dispatch, struct request *request, uint64_t number);
void dispatch_order_done(struct dispatch *dispatch, struct order *order);

/* The unanswered request of @peer with that id, or NULL. */
struct request *dispatch_find(const struct dispatch *dispatch, const void *peer, uint64_t id);

/* Answers with an error before the work is done. */
void dispatch_end(struct dispatch *dispatch, struct request *request, enum edge_status status,
	const char *text);

/* @peer is gone: nobody is answered, what is queued never runs. */
void dispatch_abandon(struct dispatch *dispatch, const void *peer);

/* DRAINING to all that is queued, or (@running too) to everything. */
void dispatch_drain(struct dispatch *dispatch, bool running);

/* True when nothing waits or runs. */
bool dispatch_idle(const struct dispatch *dispatch);

/* True when a run goes on @grace_ns after it was told to end, whatever for. */
bool dispatch_stuck(const struct dispatch *dispatch, uint64_t now_ns, uint64_t grace_ns);

/* Sends the answer of a request that never entered the list, and frees it. @body is taken. */
void dispatch_answer(struct dispatch *dispatch, struct request *request, struct bytes_writer *body);
void dispatch_refuse(struct dispatch *dispatch, struct request *request, const struct error *err);

#endif
