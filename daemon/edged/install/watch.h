/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch - requests a scan when the models folder changes
 *
 * After an event the loop is called once the folder is quiet for watch_quiet_ms, and at most 900 ms
 * after the first event, or watch_quiet_ms if that is longer. The scan adds folders to the watch
 * before it reads them (watch_way(), watch_folder()), so no change is missed. The loop itself never
 * opens a folder, because a network file system can block it. Where inotify is unavailable or
 * cannot see changes (network file systems), scans run at a regular interval.
 */
#ifndef DAEMON_EDGED_INSTALL_WATCH_H
#define DAEMON_EDGED_INSTALL_WATCH_H

#include <stdatomic.h>

#include <uv.h>

#include "base/log.h"
#include "daemon/edged/config/config.h"

struct watch {
	const struct config *config; /* borrowed; the current configuration */
	const struct log *log;
	void (*look)(void *context);
	void *context;
	bool started;
	int fd; /* inotify descriptor; -1: none */
	uv_poll_t poll;
	uv_timer_t quiet, regular;
	uint64_t first_ms; /* time of the first event not yet reported, in ms; 0: none */
	uint64_t regular_ms; /* interval of the running timer, in ms */
	/* Set by the scan: other machines can write the folder, and inotify does not see it. */
	atomic_bool network;
};

/* Starts the watch, unless the configuration has watch = no. Never fails: logs a warning without
 * inotify. */
void watch_start(struct watch *watch, uv_loop_t *loop, const struct config *config,
	const struct log *log, void (*look)(void *context), void *context);
/* Call after a reload of the configuration, and after a scan. */
void watch_configure(struct watch *watch);
void watch_stop(struct watch *watch);

/* Adds @folder, an open directory, to inotify descriptor @events; -1 is ignored. Returns false at
 * the system's limit of watches. Any thread. */
bool watch_folder(int events, int folder);
/* Adds the parent folder of @path, and the parent of each symbolic link on the way to it. Any
 * thread. */
void watch_way(int events, const char *path);
/* Returns true if @path is on a file system that other machines can write to. */
bool watch_is_network(const char *path);

#endif
