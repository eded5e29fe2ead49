/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edged - the daemon: owns all parts, starts them in order and stops them in reverse
 *
 * Everything here is used by the loop's thread alone, with the exceptions in sched.h and loader.h.
 */
#ifndef DAEMON_EDGED_EDGED_H
#define DAEMON_EDGED_EDGED_H

#include <uv.h>

#include "base/log.h"
#include "daemon/edged/config/access.h"
#include "daemon/edged/config/config.h"
#include "daemon/edged/dbus/dbus.h"
#include "daemon/edged/install/loader.h"
#include "daemon/edged/install/watch.h"
#include "daemon/edged/models/eviction.h"
#include "daemon/edged/models/models.h"
#include "daemon/edged/models/pressure.h"
#include "daemon/edged/serve/serve.h"
#include "daemon/edged/socket/server.h"
#include "daemon/system/signals.h"

struct edged {
	struct config_options options;
	struct config config;
	struct access access;
	struct log log;
	uv_loop_t loop;
	struct budget budget;
	struct models models;
	struct eviction eviction;
	struct pressure pressure;
	struct serve serve;
	struct loader loader;
	struct watch watch;
	struct server server;
	struct dbus *dbus; /* NULL: no bus */

	uv_async_t loaded; /* sent by the loader's thread when it has results */
	struct signals signals;
	uv_timer_t drain_timer, watchdog, trim, trials, looking;
	uv_prepare_t drained; /* active while edged drains */
	bool stuck; /* a worker does not end its run; the watchdog is not fed */
	uint64_t ready_scan; /* last scan after which the service manager was told READY */
	uint64_t wanted_scan; /* last scan that scan() began */
	bool forced; /* drain-timeout is over */
};

/* Reads the configuration; the command line and the environment override it. @edged is zeroed. */
int must_check edged_configure(
	struct edged *edged, const struct config_options *options, struct error *err);

/* Runs until a signal ends it. Logs errors and returns the process's exit status. */
int edged_run(struct edged *edged);

#endif
