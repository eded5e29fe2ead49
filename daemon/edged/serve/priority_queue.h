/* SPDX-License-Identifier: Apache-2.0 */
/*
 * priority_queue - which waiting request a worker gets next: by class, user, connection and arrival
 *
 * All counts of work are predicted nanoseconds. The highest class with requests is served first.
 * Each lower class that waits gains credit while higher ones are served (QUEUE_FLOOR) and is served
 * first when the credit covers its next request, so no class starves. Within a class users are
 * served by deficit round robin, and so are a user's connections (drr.h). There is no lock in here:
 * the owner of the queue has one.
 */
#ifndef DAEMON_EDGED_SERVE_PRIORITY_QUEUE_H
#define DAEMON_EDGED_SERVE_PRIORITY_QUEUE_H

#include <sys/types.h>

#include "daemon/edged/config/queue_class.h"
#include "daemon/edged/serve/drr.h"
#include "daemon/edged/serve/fair_share.h"

#define QUEUE_FLOOR 19 /* a lower class gets 1 ns for 19 ns of higher ones: 5 % of all */

struct queue_connection;
struct queue_user;

/* A request's place in the queue, or in the waiting list of its session (client_session.h). */
struct queue_item {
	struct queue_item *next;
	struct queue_connection *connection; /* may be gone while the request runs */
	struct queue_user *user;
	enum queue_class class;
	int64_t cost_ns; /* predicted run time */
};

struct queue_list {
	struct queue_item *first, *last;
};

/* The requests of one class and connection. */
struct queue_flow {
	struct drr_member
		turn; /* in its user_class's ring; first member, so that the turn is the flow */
	struct queue_list list;
	int64_t queued_ns;
};

/* The flows of one class and user. */
struct queue_user_class {
	struct drr_member turn; /* in its class's ring; first member */
	struct drr flows;
	int64_t queued_ns;
	uint32_t n_queued;
};

/* One user's part of the queue, zeroed at first. It outlives the user's requests. */
struct queue_user {
	struct queue_user_class classes[QUEUE_CLASSES];
	struct fair_share share;
	struct fair_share_group connections;
	uint32_t n_queued;
};

/* One connection's part of the queue. The connection owns it and removes its requests before it
 * goes. */
struct queue_connection {
	struct queue_user *user;
	struct queue_flow flows[QUEUE_CLASSES];
	struct fair_share share;
	int64_t cost_ns; /* cost of the last admitted request: the guess for the next one's */
};

struct priority_queue {
	struct drr users[QUEUE_CLASSES];
	int64_t queued_ns[QUEUE_CLASSES];
	int64_t owed_ns[QUEUE_CLASSES]; /* credit of each class (QUEUE_FLOOR) */
	struct fair_share_group shares;
	uint32_t n_queued, n_users; /* requests in the queue; users with requests in it */
	uint32_t n_of_class[QUEUE_CLASSES];
};

/* Appends @item; takes out @item, which is in @list. */
void queue_list_put(struct queue_list *list, struct queue_item *item);
void queue_list_remove(struct queue_list *list, struct queue_item *item);

/* Puts @item at the end of its connection's flow. item->connection, class and cost_ns must be set. */
void priority_queue_put(struct priority_queue *queue, struct queue_item *item);
/* Takes @item, which is in the queue, out. */
void priority_queue_remove(struct priority_queue *queue, struct queue_item *item);
/* Puts @item in the place of @old, which is in the queue and has the same connection and class. */
void priority_queue_swap(
	struct priority_queue *queue, struct queue_item *old, struct queue_item *item);

/* The highest class with requests; -1: the queue is empty. */
int priority_queue_top(const struct priority_queue *queue);

/* Takes out the request to run next, of a class above @above (-1: any). NULL: there is none. If a
 * run of class @above is interrupted for it, worker.c gives that run its part of the time. */
struct queue_item *priority_queue_pop(struct priority_queue *queue, int above);

/* Predicts the work that is served before a new request of @connection and @class with @cost_ns, in
 * ns. Walks over the users in the class and over the user's connections. */
int64_t priority_queue_ahead_ns(const struct priority_queue *queue,
	const struct queue_connection *connection, enum queue_class class, int64_t cost_ns);

#endif
