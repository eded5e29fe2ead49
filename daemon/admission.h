/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admission - what a request costs, and whether it is let in: asked when its header has come, when its
 * head can be judged, and when it is all there
 *
 * The first two keep the bodies of those that will be turned away out of memory. All give -EAGAIN
 * with what a client is told, and when it may ask again. Who takes the place of an older request with its key
 * makes nothing longer, and is let in; until the key is there, who may do so.
 */
#ifndef DAEMON_ADMISSION_H
#define DAEMON_ADMISSION_H

#include "daemon/request.h"

struct dispatch;

/* An INFER of which only the header is there: taken for what the line's last one cost. */
int must_check admission_check_header(struct dispatch *dispatch, const struct wire_header *header,
	struct queue_line *line, uint64_t now_ns, struct error *err);

/* Makes @request one of @line and says what it is expected to take. */
void admission_judge(struct dispatch *dispatch, struct request *request, struct queue_line *line);

/* An INFER whose head was judged. */
int must_check admission_check_head(struct dispatch *dispatch, struct request *request,
	struct queue_line *line, struct error *err);

/* Whether one more may wait at all. */
int must_check admission_check_room(
	struct dispatch *dispatch, const struct request *request, struct error *err);

/* Pushes @request, after admission_judge(). */
int must_check admission_push(
	struct dispatch *dispatch, struct request *request, struct error *err);

/* The request of the same user, model and key that is queued or runs; NULL when there is none. */
struct request *admission_find_older(
	const struct dispatch *dispatch, const struct request *request);

#endif
