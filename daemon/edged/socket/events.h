/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events - states of models, sent to connections that subscribed
 *
 * The first EVENT after SUBSCRIBE has all models. Each later one has the models that changed. A
 * hash of each model's last sent state is kept to find changes.
 */
#ifndef DAEMON_EDGED_SOCKET_EVENTS_H
#define DAEMON_EDGED_SOCKET_EVENTS_H

#include "daemon/edged/socket/server.h"

void events_deinit(struct events *events);

/* events_subscribe() notes the id of @conn's SUBSCRIBE. -EINVAL when @conn has subscribed
 * already, -EOPNOTSUPP for unknown @kinds. events_begin() sends the first EVENT; call it after
 * the reply to SUBSCRIBE. */
int must_check events_subscribe(struct conn *conn, uint64_t id, uint32_t kinds, struct error *err);
void events_begin(struct conn *conn);

/* Sends an EVENT with the models that changed since the last call, if any. Without a subscriber it
 * forgets what was sent. */
void events_send_changes(struct server *server);

#endif
