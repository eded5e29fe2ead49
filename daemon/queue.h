/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue - what waits for a worker: by class, in it by user, by connection, and in the order it came
 *
 * Everything is counted in predicted nanoseconds. The highest class that has something goes first,
 * but each lower class that waits is owed a part of what the higher ones get (QUEUE_FLOOR), and goes
 * first when that pays its next piece: nothing starves. Within a class users take turns by cost, and
 * so do a user's connections (turns.h). No locks: whoever has the queue has one.
 */
#ifndef DAEMON_QUEUE_H
#define DAEMON_QUEUE_H

#include <sys/types.h>

#include "daemon/share.h"
#include "daemon/turns.h"

#define QUEUE_FLOOR 19 /* a lower class gets 1 for 19 of the higher ones: 5 % of all */

/* As on the wire (enum wire_class), in rising order of urgency. */
enum queue_class {
	QUEUE_BATCH,
	QUEUE_NORMAL,
	QUEUE_REALTIME,
	QUEUE_CONTROL,
	QUEUE_CLASSES
};

struct request;

/* Requests of one class and connection. */
struct queue_flow {
	struct turn turn; /* in its party; first, so that the turn is the flow */
	struct request *first, *last;
	int64_t queued_ns;
};

/* Flows of one class and user. */
struct queue_party {
	struct turn turn; /* in its class; first */
	struct turns flows;
	int64_t queued_ns;
	uint32_t n_queued;
};

/* A user's part, zeroed at first; outlives what it queued. */
struct queue_user {
	struct queue_party parties[QUEUE_CLASSES];
	struct share share;
	struct share_group lines;
	uint32_t n_queued;
};

/* A connection's line. It belongs to the connection, which removes its requests before it goes. */
struct queue_line {
	struct queue_user *user;
	struct queue_flow flows[QUEUE_CLASSES];
	struct share share;
	int64_t cost_ns; /* of the last request that was judged: a guess at the next one's */
};

struct queue {
	struct turns users[QUEUE_CLASSES];
	int64_t queued_ns[QUEUE_CLASSES];
	int64_t owed_ns[QUEUE_CLASSES];
	struct share_group shares;
	uint32_t n_queued, n_users; /* users: that have something in it */
	uint32_t n_of_class[QUEUE_CLASSES];
};

/* At the end of its line's flow. request->line, class and cost_ns say where and how much. */
void queue_put(struct queue *queue, struct request *request);
/* False when it is not there. */
bool queue_remove(struct queue *queue, struct request *request);
bool queue_has(const struct request *request);
/* @request takes the place of @old, of the same line and class. False when @old is not there. */
bool queue_swap(struct queue *queue, struct request *old, struct request *request);

/* The highest class that waits; -1: nothing does. */
int queue_top(const struct queue *queue);

/* Takes out what goes first, of a class above @above (-1: any); NULL when there is none. What runs in
 * class @above has a floor of its own: see worker.c. */
struct request *queue_pop(struct queue *queue, int above);

/* Work that would be done before what @line asks for at @cost_ns, if it were put now. Walks over the
 * users that wait in the class, and the user's connections. */
int64_t queue_ahead_ns(const struct queue *queue, const struct queue_line *line,
	enum queue_class class, int64_t cost_ns);

#endif
