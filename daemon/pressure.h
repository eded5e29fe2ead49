/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pressure - the system says that it is short of memory
 *
 * Where the service manager says what to watch ($MEMORY_PRESSURE_WATCH and _WRITE, systemd 254 and
 * later), that; else a trigger on memory.pressure of this process's control group, or of the machine.
 * Costs nothing while there is no pressure. Where the system lets nobody but root have a trigger, the
 * figure is read while edged has something to do anyway (pressure_look()). Loop thread only.
 */
#ifndef DAEMON_PRESSURE_H
#define DAEMON_PRESSURE_H

#include <stdbool.h>
#include <uv.h>

#include "base/log.h"

struct pressure {
	uv_poll_t poll;
	int fd; /* -1: nothing is watched */
	int figure; /* to be read instead; -1: it is not */
	uint64_t looked_ns; /* when that was done last */
	bool drain; /* a FIFO or socket: what it says is read away */
	void (*on_short)(void *context);
	void *context;
};

/* Where nothing can be watched nothing is told. */
void pressure_start(struct pressure *pressure, uv_loop_t *loop, bool wanted, const struct log *log,
	void (*on_short)(void *context), void *context);
/* Reads the figure if that is what is to be done and some time has passed. */
void pressure_look(struct pressure *pressure);
/* Before the loop's handles are closed. */
void pressure_stop(struct pressure *pressure);

#endif
