/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalogue - which models there are: what the store remembers, and what the models folder says
 *
 * At start the store's models serve, whatever the folder holds. A scan then compares the folder with
 * what was found there before by file identity, installs what is new or changed (install.h), and
 * says each change as an event. A file that cannot be installed is refused with its reason and tried
 * again only when it has changed; it stops nobody else. Of several versions the highest that can be
 * installed serves. A model goes when its files are seen to go.
 */
#ifndef DAEMON_CATALOGUE_H
#define DAEMON_CATALOGUE_H

#include "daemon/candidate.h"
#include "daemon/scan.h"

#define CATALOGUE_REASON_SIZE 240
#define CATALOGUE_MAX_TRIED (SCAN_MAX_VERSIONS + 2) /* folders, NAME.tar, NAME.tflite */

enum catalogue_event_kind {
	CATALOGUE_LOADING, /* a file of this model is being loaded */
	CATALOGUE_READY, /* @served serves from now on; @reason why a newer one does not, or empty
			  */
	CATALOGUE_KEPT, /* what served goes on; @reason as above */
	CATALOGUE_REFUSED, /* no file of this model can be loaded: @reason */
	CATALOGUE_ABOUT, /* @about is other than it was; nothing else */
	CATALOGUE_ALONE, /* a third version is about to be loaded: the one that is kept to go back to makes place */
	CATALOGUE_UNLOADED, /* what serves makes room: @reason; it is loaded again when asked for */
	CATALOGUE_LOST, /* what served cannot be loaded any more: @reason */
	CATALOGUE_REMOVED, /* the model is gone from the folder */
};

/* What there is to know of the version that serves. */
struct catalogue_about {
	struct digest digest;
	uint64_t since, by; /* as in the manifest */
	uint64_t last_good; /* number of the version that proved itself last; 0: none */
	struct digest good; /* its file; none: none */
	bool trial, pinned;
	uint32_t taught; /* of its examples, as STORE_LIST has it; 0: none */
};

struct catalogue_event {
	struct catalogue_event *next;
	enum catalogue_event_kind kind;
	char name[SERVED_NAME_SIZE];
	char version[SERVED_VERSION_SIZE]; /* of the file that was tried last */
	struct served *served; /* of CATALOGUE_READY: the receiver's reference */
	char reason[CATALOGUE_REASON_SIZE];
	uint64_t ready; /* how many CATALOGUE_READY there were of the model, with this one */
	struct catalogue_about about;
};

struct catalogue_sink {
	void (*post)(void *context, struct catalogue_event *event); /* takes the event */
	bool (*stopping)(
		void *context); /* asked between models, which it may change, but for their number */
	void *context;
};

/* Files that were tried, and what came of it. */
struct catalogue_tried {
	uint64_t number; /* of the version's folder; 0: NAME.tflite, or NAME.tar */
	bool bundle; /* the latter */
	struct candidate_identity identity;
	struct digest digest; /* what it held; none if it was refused before that was known */
	bool settled; /* the same files would give the same again */
	char reason[200]; /* empty: it serves */
};

struct catalogue_model {
	struct manifest manifest;
	struct digest serving; /* what the loop has; none: nothing */
	struct digest
		well; /* that, while it is on trial, has answered, and not badly; none: not so */
	bool loaded; /* the loop has it in memory, as far as is known here */
	uint64_t bytes; /* that it takes when it is */
	uint64_t ready; /* CATALOGUE_READY that there were */
	bool restored; /* the store was asked for it */
	bool inbox; /* the folder had files of it when it was looked at last */
	bool seen; /* in the scan that goes on */
	size_t n;
	struct catalogue_tried tried[CATALOGUE_MAX_TRIED];
};

struct catalogue {
	struct catalogue_model **models;
	size_t n, capacity;
	bool unwatched; /* said already that the folder cannot be watched */
	dev_t device; /* of the folder that was looked at last; 0: none was */
};

/* What the store remembers. Nothing serves yet: the first scan sees to that. */
int must_check catalogue_open(struct catalogue *catalogue, const struct load_context *load);

/* One scan. On error the next one tries again what this one did not finish. *ret_left_out: entries
 * that are no models, or above max-models. */
int must_check catalogue_scan(struct catalogue *catalogue, const struct load_context *load,
	const struct catalogue_sink *sink, struct scan_left_out *ret_left_out);
/* Other keys or policies: what was refused is tried again by the next scan. */
void catalogue_retry(struct catalogue *catalogue);
/* An event was lost: the next scan loads everything again. */
void catalogue_doubt(struct catalogue *catalogue);
/* The same for one model. */
void catalogue_doubt_model(struct catalogue_model *model);
void catalogue_deinit(struct catalogue *catalogue);

/* Removes what no model needs from the store. */
void catalogue_sweep(struct catalogue *catalogue, struct depot *depot);

/* The model of that name, new if need be, for a file that is in no folder. -ENOSPC above max-models,
 * -ENOMEM. */
int must_check catalogue_need(struct catalogue *catalogue, const struct load_context *load,
	const char *name, struct catalogue_model **ret_model, struct error *err);
/* Forgets its versions, on the disk first, and says so. */
int must_check catalogue_remove(struct catalogue *catalogue, const struct load_context *load,
	const struct catalogue_sink *sink, struct catalogue_model *model, struct error *err);

struct catalogue_model *catalogue_find(const struct catalogue *catalogue, const char *name);

/* Makes @served what serves and says so. Takes @served. False without memory: the next scan tries
 * again. */
bool catalogue_post(const struct catalogue_sink *sink, struct catalogue_model *model,
	enum catalogue_event_kind kind, uint64_t version, struct served *served,
	const char *reason);

#endif
