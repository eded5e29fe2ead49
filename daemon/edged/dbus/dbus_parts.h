/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of daemon/edged/dbus/ alone. */
#ifndef DAEMON_EDGED_DBUS_DBUS_PARTS_H
#define DAEMON_EDGED_DBUS_DBUS_PARTS_H

#include <uv.h>

#include "daemon/edged/install/loader.h"
#include "daemon/edged/models/models.h"
#include "daemon/edged/serve/serve.h"
#include "daemon/system/dbus_api.h"

#define DBUS_NAME "org.edged1"
#define DBUS_PATH "/org/edged1"
#define DBUS_MANAGER "org.edged1.Manager"
#define DBUS_MODEL "org.edged1.Model"
#define DBUS_ERROR(name) "org.edged1.Error." name
#define DBUS_MAX_CALLS 64
#define DBUS_MAX_ASKING 32 /* calls that wait for polkit, which may wait for a person */
#define DBUS_MAX_MEMBERS 24

/* A model's properties as the bus was last told. */
struct dbus_shown {
	const struct dbus_api *api;
	char name[LOADED_MODEL_NAME_SIZE];
	char state[16];
	char version[LOADED_MODEL_VERSION_SIZE];
	char reason[REGISTRY_REASON_SIZE];
	struct digest digest;
	bool trial, pinned;
	uint64_t arena_bytes;
};

struct dbus_call;

struct dbus {
	struct serve *serve;
	uv_loop_t *loop;
	struct dbus_api api;
	sd_bus *bus;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned int handles; /* open ones of @poll and @timer; @poll exists while connected */
	bool stopping;
	struct dbus_call *calls; /* calls without an answer, newest first */
	size_t n_calls, n_asking;
	struct dbus_shown *shown; /* properties told to the bus, in the order of store->entries */
	size_t n_shown;
	bool stale; /* @shown must be compared with the models again */
	sd_bus_vtable manager[DBUS_MAX_MEMBERS], model[DBUS_MAX_MEMBERS],
		log_control[DBUS_MAX_MEMBERS];
};

/* Copies @members with their end, behind a start with the format of the library that was loaded. */
void dbus_vtable(const struct dbus *dbus, const sd_bus_vtable *members,
	sd_bus_vtable ret_table[DBUS_MAX_MEMBERS]);

/* Adds the objects of one file. 0 or a negative errno. */
int must_check dbus_manager_add(struct dbus *dbus);
int must_check dbus_models_add(struct dbus *dbus);
int must_check dbus_log_add(struct dbus *dbus);

/* Emits signals for every model that was added, removed or changed since the last call. */
void dbus_models_emit_changes(struct dbus *dbus);

/* Answers @message after it was checked that its sender may manage models and after @command is
 * done. Takes @command; NULL stands for a scan of the models folder. Returns like an sd-bus
 * handler. */
int dbus_call(struct dbus *dbus, sd_bus_message *message, struct store_command *command,
	sd_bus_error *ret_error);
/* Answers the calls that wait for a scan that is done. */
void dbus_calls_scanned(struct dbus *dbus);
/* Answers the call that waits for @command, and takes @command. False: no call waits for it. */
bool dbus_calls_finish_command(struct dbus *dbus, struct store_command *command);
void dbus_calls_drop(struct dbus *dbus);

#endif
