/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edged - the daemon: all parts, in the order in which they start; they stop in reverse
 *
 * Everything here belongs to the loop's thread, but for what sched.h and loader.h say.
 */
#ifndef DAEMON_EDGED_H
#define DAEMON_EDGED_H

#include <uv.h>

#include "base/log.h"
#include "daemon/access.h"
#include "daemon/account.h"
#include "daemon/config.h"
#include "daemon/dbus.h"
#include "daemon/dispatch.h"
#include "daemon/events.h"
#include "daemon/flight.h"
#include "daemon/front_socket.h"
#include "daemon/idle.h"
#include "daemon/loader.h"
#include "daemon/memfd.h"
#include "daemon/metrics.h"
#include "daemon/more.h"
#include "daemon/power.h"
#include "daemon/pressure.h"
#include "daemon/ring.h"
#include "daemon/signals.h"
#include "daemon/store.h"
#include "daemon/watch.h"

/* What the command line said; NULL where it said nothing. */
struct edged_options {
	const char *config_path, *socket, *models, *state;
};

struct edged {
	struct edged_options options;
	struct config config;
	struct access access;
	struct log log;
	uv_loop_t loop;
	struct metrics metrics;
	struct slow slow;
	struct flight flight;
	struct accounts accounts;
	struct memfds memfds;
	struct budget budget;
	struct store store;
	struct idle idle;
	struct pressure pressure;
	struct power power;
	struct dispatch dispatch;
	struct loader loader;
	struct watch watch;
	struct front_socket socket;
	struct events events;
	struct dbus *dbus; /* NULL: there is no bus */

	uv_async_t loaded; /* the loader found something */
	struct signals signals;
	uv_timer_t drain_timer, watchdog, trim, trials, overload, looking;
	bool stuck; /* the watchdog found a worker that does not end its run */
	struct metrics before_overload; /* while @overload runs: counts when it began */
	uint64_t told_scan; /* the manager was told ready after that scan */
	uint64_t wanted_scan; /* the last that somebody asked for */
	bool draining, forced; /* forced: the drain's time is over */
	uint32_t unsent; /* replies on their way, of all connections */
	struct more more;
	struct ring *rings; /* of all connections */
	struct conn *asked; /* who asked last, by the socket; NULL: nobody, or by a ring */
	uint32_t n_greeting; /* connections that have not said HELLO */
	uint32_t n_sharing; /* connections that agreed on shared memory */
	char scratch[64 << 10]; /* where bytes go that nobody wants */
};

/* Reads the configuration and lets the command line and the environment have their say. */
int must_check edged_configure(
	struct edged *edged, const struct edged_options *options, struct error *err);

/* Runs until a signal ends it. Logs; returns the process's exit status. */
int edged_run(struct edged *edged);

/* Asks the loader to look at the models; returns the scan's number. */
uint64_t edged_scan(struct edged *edged);

/* Ends the loop if edged is draining and nothing is left to do. */
void edged_check_drained(struct edged *edged);

/* SIGTERM: takes nobody new, answers what is queued, and ends when what runs has ended. */
void edged_drain(struct edged *edged);

/* SIGHUP: the configuration's keys that may change, then the models. */
void edged_reload(struct edged *edged);

#endif
