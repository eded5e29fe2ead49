/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of dbus.h share; for daemon/dbus*.c alone. */
#ifndef DAEMON_DBUS_PARTS_H
#define DAEMON_DBUS_PARTS_H

#include <uv.h>

#include "daemon/dbus.h"
#include "daemon/dbus_api.h"
#include "daemon/edged.h"

#define DBUS_NAME "org.edged1"
#define DBUS_PATH "/org/edged1"
#define DBUS_MANAGER "org.edged1.Manager"
#define DBUS_MODEL "org.edged1.Model"
#define DBUS_ERROR(name) "org.edged1.Error." name
#define DBUS_MAX_CALLS 64
#define DBUS_MAX_ASKING 32 /* of them that wait for polkit, which may wait for a person */
#define DBUS_MAX_MEMBERS 24

/* A model as it was told to the bus last. */
struct dbus_shown {
	const struct dbus_api *api;
	char name[SERVED_NAME_SIZE];
	char state[16];
	char version[SERVED_VERSION_SIZE];
	char reason[CATALOGUE_REASON_SIZE];
	struct digest digest;
	bool trial, pinned;
	uint64_t arena_bytes;
};

struct dbus_call;

struct dbus {
	struct edged *edged;
	struct dbus_api api;
	sd_bus *bus;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned int
		handles; /* of these two, that are not closed yet; while the bus is away there is no poll */
	bool stopping;
	struct dbus_call *calls; /* that are not answered yet, newest first */
	size_t n_calls, n_asking;
	struct dbus_shown *shown; /* in the store's order */
	size_t n_shown;
	bool stale; /* it is other than what is shown */
	sd_bus_vtable manager[DBUS_MAX_MEMBERS], model[DBUS_MAX_MEMBERS], log[DBUS_MAX_MEMBERS];
};

/* Copies @members, up to and with the end, behind a start that the library knows. */
void dbus_vtable(const struct dbus *dbus, const sd_bus_vtable *members,
	sd_bus_vtable ret_table[DBUS_MAX_MEMBERS]);

/* Each adds its objects. 0 or a negative errno. */
int must_check dbus_manager_add(struct dbus *dbus);
int must_check dbus_models_add(struct dbus *dbus);
int must_check dbus_log_add(struct dbus *dbus);

/* Tells who listens what is other than it was told last. */
void dbus_models_tell(struct dbus *dbus);

/* What @message asks for is done once it is known that its sender may, and answered once it is done.
 * Takes @order, which tells what; NULL is a look at the models folder. Returns what a handler of
 * sd-bus returns. */
int dbus_call(
	struct dbus *dbus, sd_bus_message *message, struct order *order, sd_bus_error *ret_error);
/* Answers those that wait for a scan that is done. */
void dbus_calls_scanned(struct dbus *dbus);
/* Answers who waits for @order, and takes it. False: nobody does. */
bool dbus_calls_ordered(struct dbus *dbus, struct order *order);
void dbus_calls_drop(struct dbus *dbus);

#endif
