/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dispatch - event loop part of request scheduling; workers are the other part (worker.h)
 *
 * One list holds every unfinished request: INFER, SESSION_OPEN and SESSION_RESET while they are
 * queued, run, or wait for their session; requests parked until their model is loaded; RELOAD until
 * its scan is done; STORE until its store command is done.
 *
 * A request is answered here, with a worker's result or earlier, if the deadline passed, the client
 * cancelled, or edged stops. A request answered while a worker runs it is cancelled, and its result
 * is dropped.
 *
 * An inline run is a short run on the loop's own thread while no other request is there, because
 * waking a worker takes longer. One connection at most gets inline runs in a turn of the loop, so
 * that several connections use all workers. An inline run that takes much longer than predicted is
 * stopped and queued.
 */
#ifndef DAEMON_EDGED_SERVE_DISPATCH_H
#define DAEMON_EDGED_SERVE_DISPATCH_H

#include "daemon/edged/install/store_command.h"
#include "daemon/edged/serve/request.h"
#include "daemon/edged/serve/serve.h"

/* Starts the scheduler, the workers and busy polling (busy_poll.h). Call dispatch_stop() even if
 * this fails. */
int must_check dispatch_start(struct serve *serve, uv_loop_t *loop, struct error *err);
/* Ends the workers, frees the requests that they had and closes the handles. Call after all clients
 * are closed. */
void dispatch_stop(struct serve *serve);

/* Submits a validated INFER, or a SESSION_OPEN or SESSION_RESET, of @connection. Takes ownership; the
 * request is answered now or later. */
void dispatch_submit(
	struct serve *serve, struct request *request, struct queue_connection *connection);

/* dispatch_park() takes ownership of a request whose model is unloaded. dispatch_unpark() handles
 * all parked requests again after a model was loaded. A request parked longer than load-wait is
 * answered OVERLOADED. */
void dispatch_park(struct serve *serve, struct request *request);
void dispatch_unpark(struct serve *serve);

/* Keeps a RELOAD until scan @number is done, or a STORE until store command @number is done. Takes
 * ownership. */
void dispatch_wait(struct serve *serve, struct request *request, uint64_t number);
/* Answers each RELOAD whose scan is done: models.scans_done has reached its number. */
void dispatch_scan_done(struct serve *serve);
/* Answers the STORE that waits for @command, if any, and takes ownership of @command. */
void dispatch_command_done(struct serve *serve, struct store_command *command);

/* Finds the unanswered request @id of @conn. NULL: there is none. */
struct request *dispatch_find(const struct serve *serve, const void *conn, uint64_t id);

/* Answers @request with an error before its work is done. It is freed here or, if a worker runs
 * it, when the run ends. */
void dispatch_end(
	struct serve *serve, struct request *request, enum edge_status status, const char *text);

/* @conn is gone: its queued requests are freed, its running ones cancelled. */
void dispatch_abandon(struct serve *serve, const void *conn);

/* From now on no request is accepted. Answers DRAINING to all requests that wait. @running: running
 * requests too. */
void dispatch_drain(struct serve *serve, bool running);

/* True when no request waits or runs. */
bool dispatch_idle(const struct serve *serve);

/* True when a run goes on @grace_ns after it was cancelled. */
bool dispatch_stuck(const struct serve *serve, uint64_t now_ns, uint64_t grace_ns);

/* Answers a request that is not in the list, and frees it. dispatch_answer() takes ownership
 * of @body. */
void dispatch_answer(struct serve *serve, struct request *request, struct bytes_writer *body);
void dispatch_refuse(struct serve *serve, struct request *request, const struct error *err);

#endif
