/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dbus - org.edged1 on the system bus: state of the models, and the store commands
 *
 *   /org/edged1                        ObjectManager, org.edged1.Manager (dbus_manager.c)
 *   /org/edged1/model/NAME             org.edged1.Model (dbus_models.c)
 *   /org/freedesktop/LogControl1       the log's level (dbus_log.c)
 *
 * Loop thread only. The loop never waits for the bus: whether a sender may give a store command is
 * found out by messages whose answers come later (dbus_call.c). No inference goes over the bus.
 * dbus_none.c replaces these files in a build without libsystemd.
 */
#ifndef DAEMON_EDGED_DBUS_DBUS_H
#define DAEMON_EDGED_DBUS_DBUS_H

#include <uv.h>

#include "daemon/edged/install/store_command.h"

struct dbus;
struct serve;

/* Connects if d-bus is set and a system bus exists. NULL: no connection. Failures are logged; a
 * missing bus is not.  */
struct dbus *dbus_start(struct serve *serve, uv_loop_t *loop);
void dbus_stop(struct dbus *dbus); /* NULL is fine, here and below */

/* The models have changed or a scan is done: emits signals and answers calls that wait. */
void dbus_models_changed(struct dbus *dbus);

/* As dbus_models_changed(), for callers inside a bus callback: it is done in the loop's next
 * turn. */
void dbus_models_changed_later(struct dbus *dbus);

/* True when a call waited for @command: the call is answered and @command is taken. */
bool dbus_command_done(struct dbus *dbus, struct store_command *command);

#endif
