/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events - what connections are told without asking each time: states of models
 *
 * A connection that subscribed gets one EVENT with all models, and then one with those that have
 * changed whenever some have. What they were like when somebody was last told is remembered by a hash.
 */
#ifndef DAEMON_EVENTS_H
#define DAEMON_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "daemon/served.h"

struct conn;
struct edged;

struct events_model {
	char name[SERVED_NAME_SIZE];
	bool seen;
	uint64_t hash;
};

/* Zeroed at first. */
struct events {
	struct events_model *models;
	size_t n, capacity;
	uint32_t n_subscribers; /* nothing is remembered for nobody */
};

void events_deinit(struct events *events);

/* From now on @conn is told, under the id of its SUBSCRIBE; events_begin() sends the first one, after
 * the reply to that. -EINVAL when it has subscribed already, -EOPNOTSUPP for kinds that are not
 * there. */
int must_check events_subscribe(struct conn *conn, uint64_t id, uint32_t kinds, struct error *err);
void events_begin(struct edged *edged, struct conn *conn);
/* @conn is gone. */
void events_forget(struct edged *edged, struct conn *conn);

/* The store may have changed. */
void events_models(struct edged *edged);

#endif
