/* SPDX-License-Identifier: Apache-2.0 */
/* loader - the thread that scans the models folder when the loop asks, and hands it the changes */
#ifndef DAEMON_LOADER_H
#define DAEMON_LOADER_H

#include <pthread.h>

#include "base/log.h"
#include "daemon/check.h"
#include "daemon/order.h"
#include "daemon/shadow.h"

struct loader {
	struct budget *budget; /* given before the start */
	int watch; /* where folders are watched, given before the start; -1: nowhere */
	atomic_bool *network; /* what load.h says, given before the start */
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
	atomic_bool cancelled; /* the same, for runs; not under the mutex */
	bool doubt; /* the next scan trusts nothing that was tried before */
	struct catalogue_event *first, *last;
	bool heeded; /* the loop has done as all events say that there were */
	struct order *orders, *done; /* to be carried out, in turn; and carried out */
	struct shadow *shadows, *shadows_done; /* to be run, and run */
	unsigned int n_shadows;
	struct served *buried; /* nobody has them any more: they are freed here */
	uint64_t last_order;

	/* The thread's own: */
	uint64_t cpu_features;
	char check_program[CONFIG_PATH_SIZE];
	const char *check; /* program for check_run(); NULL: none */
	struct check_memory check_memory;
	struct trust trust;
	struct depot depot;
	struct catalogue catalogue;
	struct scan_left_out left_out; /* when the folder was looked at last */
};

int must_check loader_start(struct loader *loader, const struct config *config,
	const struct log *log, void (*wake)(void *context), void *context, struct error *err);
/* Waits for the thread to end what it is loading. */
void loader_stop(struct loader *loader);

/* Asks for a scan by @config; returns its number: it is done once loader_collect() gives that or
 * more. */
uint64_t loader_scan(struct loader *loader, const struct config *config);

/* Has @order carried out, which is taken; returns its number: it is in order->number when
 * loader_finished() gives it back. Orders of number 0 do not come back. */
uint64_t loader_order(struct loader *loader, const struct config *config, struct order *order);

/* The orders that are done, the caller's to free, or NULL. Their events are collected by whoever does
 * that after this. */
struct order *loader_finished(struct loader *loader);

/* Runs it when there is nothing else to do; takes it. Where too many wait it is dropped. */
void loader_shadow(struct loader *loader, struct shadow *shadow);
/* Those that have run, the caller's to free, or NULL. */
struct shadow *loader_shadows(struct loader *loader);

/* An event could not be heeded: the next scan loads everything again. */
void loader_doubt(struct loader *loader);

/* The next event, the caller's to free, or NULL: all were heeded; *ret_scans_done is meaningful with NULL. */
struct catalogue_event *loader_collect(struct loader *loader, uint64_t *ret_scans_done);

#endif
