/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pressure - watches for memory shortage (PSI)
 *
 * Watched is the file or socket in $MEMORY_PRESSURE_WATCH (systemd 254 and later). Without that
 * variable edged sets a trigger on memory.pressure of its control group, or of the machine. Where
 * only root may set a trigger, pressure_check() reads the average at each request instead. An idle
 * machine has no cost. Loop thread only.
 */
#ifndef DAEMON_EDGED_MODELS_PRESSURE_H
#define DAEMON_EDGED_MODELS_PRESSURE_H

#include <stdbool.h>
#include <uv.h>

#include "base/log.h"

struct pressure {
	uv_poll_t poll;
	int fd; /* watched file or socket; -1: none */
	int figure; /* file with the average, for pressure_check(); -1: not used */
	uint64_t looked_ns; /* time of the last read of @figure (CLOCK_MONOTONIC) */
	bool drain; /* @fd is a FIFO or socket, whose bytes are read and dropped */
	void (*on_short)(void *context);
	void *context;
};

/* Starts to watch if @wanted. Never fails: a system without memory pressure files never calls
 * @on_short. */
void pressure_start(struct pressure *pressure, uv_loop_t *loop, bool wanted, const struct log *log,
	void (*on_short)(void *context), void *context);
/* Reads the average if no trigger is set and the last read is 2 s old. */
void pressure_check(struct pressure *pressure);
/* Call before the loop closes its handles. */
void pressure_stop(struct pressure *pressure);

#endif
