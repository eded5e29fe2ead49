/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spin - the loop looks again and again for a while after a request, and does not sleep
 *
 * Waking a core that sleeps takes longer than most short runs. Spinning pays where cores are free, and
 * costs one while requests come: it is off unless the configuration says how long (spin-us).
 */
#ifndef DAEMON_SPIN_H
#define DAEMON_SPIN_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct spin {
	uv_idle_t idle; /* active: the loop polls without waiting */
	uint64_t until_ns;
	bool (*look)(void *context);
	void (*sleep)(void *context, bool asleep);
	void *context;
};

/* @look, which says whether it found something, is called many times for each time that the loop asks the
 * system; @sleep whenever spinning ends or begins. */
void spin_init(struct spin *spin, uv_loop_t *loop, bool (*look)(void *context),
	void (*sleep)(void *context, bool asleep), void *context);

/* A request came: the loop does not sleep for @us; 0: it may. */
void spin_on(struct spin *spin, uint64_t us);

#endif
