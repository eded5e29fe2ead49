/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_command - a change of the store other than a scan
 *
 * The loop makes it, the loader's thread executes it (execute.h), and the loop answers it.
 */
#ifndef DAEMON_EDGED_INSTALL_STORE_COMMAND_H
#define DAEMON_EDGED_INSTALL_STORE_COMMAND_H

#include "base/error.h"
#include "base/wire/wire.h"
#include "daemon/edged/model/loaded_model.h"

#define STORE_COMMAND_HISTORY_BYTES ((size_t)32 << 10)
#define STORE_COMMAND_ARGUMENT_SIZE 240

enum store_command_verb {
	STORE_COMMAND_ROLLBACK = WIRE_STORE_ROLLBACK,
	STORE_COMMAND_PIN = WIRE_STORE_PIN,
	STORE_COMMAND_UNPIN = WIRE_STORE_UNPIN,
	STORE_COMMAND_FORGET_BAD = WIRE_STORE_FORGET_BAD,
	STORE_COMMAND_HISTORY = WIRE_STORE_HISTORY,
	STORE_COMMAND_LOAD = WIRE_STORE_LOAD,
	STORE_COMMAND_FSCK = WIRE_STORE_FSCK, /* @argument: "repair" or empty */
	STORE_COMMAND_UNLOAD = WIRE_STORE_UNLOAD, /* executed by the loop */
	STORE_COMMAND_INSTALL = WIRE_STORE_INSTALL,
	STORE_COMMAND_EXPORT = WIRE_STORE_EXPORT,
	STORE_COMMAND_REMOVE = WIRE_STORE_REMOVE,
	STORE_COMMAND_TEACH = WIRE_STORE_TEACH,
	STORE_COMMAND_UNTEACH = WIRE_STORE_UNTEACH, /* @argument: a label */
	STORE_COMMAND_EXAMPLES = WIRE_STORE_EXAMPLES,
	/* Sent by the loop itself, not by a client: */
	STORE_COMMAND_TRIAL_PASSED = 1000, /* @digest passed its trial */
	STORE_COMMAND_TRIAL_FAILED, /* @digest failed its trial; @argument: the reason */
	STORE_COMMAND_READ_ERROR, /* a read from the file of @digest, which serves, failed */
};

struct store_command {
	struct store_command *next;
	uint64_t number; /* number for the client that waits; 0: none waits */
	enum store_command_verb verb;
	char model[LOADED_MODEL_NAME_SIZE];
	char argument[STORE_COMMAND_ARGUMENT_SIZE];
	struct digest digest;
	unsigned int uid; /* user id of the client */
	int fd; /* descriptor of INSTALL, EXPORT and TEACH; -1: none */
	bool named; /* INSTALL: @model is the name of the model in the file */

	/* Set by execute_job(): */
	struct error error; /* code 0: success */
	char *text; /* lines of the answer; NULL: none */
};

struct store_command *store_command_new(void); /* NULL without memory */
void store_command_free(struct store_command *command); /* NULL is fine */

/* Appends @command to a list; frees all commands of a list. */
void store_command_append(struct store_command **list, struct store_command *command);
void store_command_free_all(struct store_command *list);

#endif
