/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admission - a request's predicted cost, and whether the queue takes it
 *
 * A request is checked once, when all of it is there. An INFER with a large body (above
 * REQUEST_HEAD_BYTES) is checked also when its header has come and when its head can be decoded: that
 * keeps bodies of refused requests out of memory. Each check returns -EAGAIN with a text for the
 * client and the time after which to ask again.
 *
 * A request that supersedes an older one (same user, model and key) makes the queue no longer, so
 * it is always admitted. While only the header is there, the key is not known: a request with a key
 * is admitted if its user has any queued request with a key.
 */
#ifndef DAEMON_EDGED_SERVE_ADMISSION_H
#define DAEMON_EDGED_SERVE_ADMISSION_H

#include "daemon/edged/serve/request.h"

struct serve;

/* Judges an INFER with a large body by its header. Its cost is taken to be that of the connection's last request. */
int must_check admission_check_header(struct serve *serve, const struct wire_header *header,
	struct queue_connection *connection, uint64_t now_ns, struct error *err);

/* Assigns @request to @connection and predicts its cost. */
void admission_check(
	struct serve *serve, struct request *request, struct queue_connection *connection);

/* Judges an INFER whose head was decoded. */
int must_check admission_check_head(struct serve *serve, struct request *request,
	struct queue_connection *connection, struct error *err);

/* Returns 0 if queue-length leaves room for one more request, else -EAGAIN. */
int must_check admission_check_room(
	struct serve *serve, const struct request *request, struct error *err);

/* Pushes @request onto the scheduler's queue. Call admission_check() first. */
int must_check admission_push(struct serve *serve, struct request *request, struct error *err);

/* Finds the request with @request's user, model and key that is queued or runs. NULL: there is
 * none. */
struct request *admission_find_older(const struct serve *serve, const struct request *request);

#endif
