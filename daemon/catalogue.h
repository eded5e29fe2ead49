/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalogue - what the models folder held when it was looked at last, and what became of it
 *
 * A scan compares the folder with that by file identity, loads what is new or changed, and says
 * each change as an event. A file that cannot be loaded is refused with its reason and tried again
 * only when it has changed; it stops nobody else. Of several versions the highest that can be
 * loaded serves.
 */
#ifndef DAEMON_CATALOGUE_H
#define DAEMON_CATALOGUE_H

#include "daemon/load.h"

enum catalogue_event_kind {
	CATALOGUE_LOADING, /* a file of this model is being loaded */
	CATALOGUE_READY, /* @served serves from now on; @reason why a newer one does not, or empty
			  */
	CATALOGUE_KEPT, /* what served goes on; @reason as above */
	CATALOGUE_REFUSED, /* no file of this model can be loaded: @reason */
	CATALOGUE_REMOVED, /* the model is gone from the folder */
};

struct catalogue_event {
	struct catalogue_event *next;
	enum catalogue_event_kind kind;
	char name[SERVED_NAME_SIZE];
	char version[SERVED_VERSION_SIZE]; /* of the file that was tried last */
	struct served *served; /* of CATALOGUE_READY: the receiver's reference */
	char reason[240];
};

struct catalogue_sink {
	void (*post)(void *context, struct catalogue_event *event); /* takes the event */
	bool (*stopping)(void *context); /* asked between models */
	void *context;
};

struct catalogue_model;

struct catalogue {
	struct catalogue_model *models;
	size_t n;
	uint64_t generation; /* of the newest model */
};

/* One scan. On error the next one tries again what this one did not finish. *ret_left_out: entries
 * that are no models, or above max-models. */
int must_check catalogue_scan(struct catalogue *catalogue, const struct load_context *load,
	const struct catalogue_sink *sink, size_t *ret_left_out);
/* Nothing that was tried is settled any more: the next scan loads it again. */
void catalogue_doubt(struct catalogue *catalogue);
void catalogue_deinit(struct catalogue *catalogue);

#endif
