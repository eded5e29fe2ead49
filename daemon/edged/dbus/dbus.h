/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dbus - org.edged1 on the system bus: what is there, and what may be done with it
 *
 *   /org/edged1                        ObjectManager, org.edged1.Manager (dbus_manager.c)
 *   /org/edged1/model/NAME             org.edged1.Model (dbus_models.c)
 *   /org/freedesktop/LogControl1       the log's level (dbus_log.c)
 *
 * The loop's thread alone. Nothing waits for the bus: who may do what is asked for there by messages
 * whose answers come later (dbus_call.c). No inference goes over it. dbus_none.c is a build without.
 */
#ifndef DAEMON_DBUS_H
#define DAEMON_DBUS_H

#include "daemon/order.h"

struct dbus;
struct edged;

/* Connects when the configuration wants that and there is a bus. NULL: there is none, which the log
 * says unless it is usual. */
struct dbus *dbus_start(struct edged *edged);
void dbus_stop(struct dbus *dbus); /* NULL is fine, here and below */

/* The store has changed, or a scan is done: tells who listens, answers who waits. */
void dbus_models_changed(struct dbus *dbus);

/* The same, from where the bus may be at work: it is told once that is done. */
void dbus_models_stale(struct dbus *dbus);

/* True when a call has waited for @order: it is answered, and the order is taken. */
bool dbus_order_done(struct dbus *dbus, struct order *order);

#endif
