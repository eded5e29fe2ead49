/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order - what somebody wants done with the store, other than looking at the folder
 *
 * Carried out in the loader's thread, one at a time, between scans.
 */
#ifndef DAEMON_ORDER_H
#define DAEMON_ORDER_H

#include "base/wire.h"
#include "daemon/catalogue.h"

#define ORDER_HISTORY_BYTES ((size_t)32 << 10)

enum order_verb {
	ORDER_ROLLBACK = WIRE_STORE_ROLLBACK,
	ORDER_PIN = WIRE_STORE_PIN,
	ORDER_UNPIN = WIRE_STORE_UNPIN,
	ORDER_FORGET_BAD = WIRE_STORE_FORGET_BAD,
	ORDER_HISTORY = WIRE_STORE_HISTORY,
	ORDER_LOAD = WIRE_STORE_LOAD,
	ORDER_FSCK = WIRE_STORE_FSCK, /* @argument: "repair" or nothing */
	ORDER_UNLOAD = WIRE_STORE_UNLOAD, /* the loop does that itself */
	ORDER_INSTALL = WIRE_STORE_INSTALL,
	ORDER_EXPORT = WIRE_STORE_EXPORT,
	ORDER_REMOVE = WIRE_STORE_REMOVE,
	ORDER_TEACH = WIRE_STORE_TEACH,
	ORDER_UNTEACH = WIRE_STORE_UNTEACH, /* @argument: a label */
	ORDER_EXAMPLES = WIRE_STORE_EXAMPLES,
	/* The loop's own: */
	ORDER_PROVED = 1000, /* @digest has stood its trial */
	ORDER_FAILED, /* @digest has not: @argument */
	ORDER_WELL, /* @digest, on trial, has answered, and not badly */
	ORDER_ILL, /* that is so no more */
	ORDER_UNLOADED, /* the loop has let go of @digest, which served */
	ORDER_BROKEN, /* the disk did not give a part of @digest, which serves */
};

struct order {
	struct order *next;
	uint64_t number; /* of whoever waits; 0: nobody does */
	enum order_verb verb;
	char model[SERVED_NAME_SIZE];
	char argument[CATALOGUE_REASON_SIZE];
	struct digest digest;
	unsigned int by; /* user id */
	int fd; /* of INSTALL, EXPORT and TEACH; -1: none */
	bool back; /* of FAILED: the last good one serves already, */
	uint64_t bytes; /* which has so many in memory, */
	uint64_t ready; /* unless there were more CATALOGUE_READY of the model than these */

	/* Once it is done: */
	struct error error; /* code 0: done */
	char *text; /* the lines of the answer; NULL: none */
};

struct order *order_new(void); /* NULL without memory */
void order_free(struct order *order); /* NULL is fine */

/* Carries it out; fills error and text. */
void order_run(struct order *order, struct catalogue *catalogue, const struct load_context *load,
	const struct catalogue_sink *sink);

#endif
