/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader - the thread that looks at the models folder, imports and opens what is new
 *
 * The loop asks for a scan; the loader compares the folder with what it knows by file identity,
 * loads what changed, and hands each change to the loop as an event. A file that cannot be loaded
 * is refused with its reason; it stops nobody else. It is tried again when it has changed, and,
 * where the reason is not in the file (memory, the disk, a limit), in every scan. Of several
 * versions the highest that can be loaded serves.
 */
#ifndef DAEMON_LOADER_H
#define DAEMON_LOADER_H

#include "base/log.h"
#include "daemon/config.h"
#include "daemon/served.h"

enum loader_event_kind {
	LOADER_LOADING, /* a file of this model is being loaded */
	LOADER_READY, /* @served serves from now on; @reason why a newer one does not, or empty */
	LOADER_KEPT, /* what served goes on; @reason as above */
	LOADER_REFUSED, /* no file of this model can be loaded: @reason */
	LOADER_REMOVED, /* the model is gone from the folder */
};

struct loader_event {
	struct loader_event *next;
	enum loader_event_kind kind;
	char name[SERVED_NAME_SIZE];
	char version[SERVED_VERSION_SIZE]; /* of the file that was tried last */
	struct served *served; /* of LOADER_READY: the receiver's reference */
	char reason[240];
};

struct loader_known; /* what the thread remembers of each model */

struct loader {
	pthread_t thread;
	bool running;
	const struct log *log;
	void (*wake)(void *context); /* from the loader's thread: there are events */
	void *context;

	pthread_mutex_t mutex;
	pthread_cond_t work;
	/* Under the mutex: */
	struct config config; /* as of the last request */
	uint64_t scans_wanted, scans_done;
	bool stopping;
	bool doubt; /* the next scan trusts nothing that was tried before */
	struct loader_event *first, *last;

	/* The thread's own: */
	uint64_t cpu_features;
	int state_folder; /* -1: copies in memory */
	uint64_t generation;
	struct loader_known *known;
	size_t n_known;
};

int must_check loader_start(struct loader *loader, const struct config *config,
	const struct log *log, void (*wake)(void *context), void *context, struct error *err);
/* Waits for the thread to end what it is loading. */
void loader_stop(struct loader *loader);

/* Asks for a scan by @config; returns its number: it is done once loader_collect() gives that or
 * more. */
uint64_t loader_scan(struct loader *loader, const struct config *config);

/* An event could not be heeded: the next scan loads everything again. */
void loader_doubt(struct loader *loader);

/* The next event, the caller's to free, or NULL; *ret_scans_done is meaningful with NULL. */
struct loader_event *loader_collect(struct loader *loader, uint64_t *ret_scans_done);

#endif
