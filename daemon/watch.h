/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch - notices that the models folder has changed
 *
 * Events say only that somebody should look: after a while without any, or after two seconds of
 * them, the loop is told to. Whoever looks adds the folders that lead there (watch_way()) and those
 * that are there (watch_folder()) before reading them, so nothing falls between. The loop itself
 * touches no folder: one of another machine may keep whoever does for as long as it likes. Where events cannot be had, and for file systems that
 * have none (other machines write there), there is a look at regular times.
 */
#ifndef DAEMON_WATCH_H
#define DAEMON_WATCH_H

#include <stdatomic.h>

#include <uv.h>

#include "base/log.h"
#include "daemon/config.h"

struct watch {
	const struct config *config; /* as it is now */
	const struct log *log;
	void (*look)(void *context);
	void *context;
	bool started;
	int fd; /* inotify; -1: none */
	uv_poll_t poll;
	uv_timer_t quiet, regular;
	uint64_t first_ms; /* of the events that wait for quiet; 0: none do */
	uint64_t regular_ms; /* as the timer runs */
	atomic_bool
		network; /* whoever looks says it: no event tells of what other machines write */
};

/* Never fails: where there are no events it says so. Does nothing with watch = no. */
void watch_start(struct watch *watch, uv_loop_t *loop, const struct config *config,
	const struct log *log, void (*look)(void *context), void *context);
/* The configuration was read again, or the folder looked at. */
void watch_configure(struct watch *watch);
void watch_stop(struct watch *watch);

/*
 * Any thread, @events from watch->fd: tells of what happens in @folder, an open directory. -1 for
 * @events is fine. False where there is no room for another one.
 */
bool watch_folder(int events, int folder);
/* The same of @path's own parent, and those of the links on the way to it. */
void watch_way(int events, const char *path);
/* True where other machines may write. */
bool watch_is_network(const char *path);

#endif
