/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spin - after a request the loop looks for the next one before it sleeps
 *
 * It spins, looking again and again for a while, where the configuration says how long (spin-us): waking a core
 * that sleeps takes longer than most short runs. That pays where cores are free, and costs one while requests come.
 *
 * Else it gives way: who asked may have this core too and ask again as soon as it runs. So the core is given away
 * once, and what is there afterwards is taken: nobody had to be put to sleep and woken. Where that is of no use it
 * is tried again only after a while.
 */
#ifndef DAEMON_SPIN_H
#define DAEMON_SPIN_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct spin {
	uv_idle_t idle; /* active: the loop polls without waiting */
	uint64_t until_ns; /* 0: it gives way */
	const void *who; /* asked last; only compared */
	bool alone; /* nobody else asks while it gives way, and who asks waits for the answer */
	int64_t credit_ns; /* that others may have the core meanwhile; 0 and less: it is not tried to give way */
	unsigned int stays; /* so often it is not tried either */
	unsigned int vain; /* grows with each time in a row that it was of no use */
	bool (*look)(void *context, bool thoroughly);
	void (*sleep)(void *context, bool asleep);
	void *context;
};

/* @look, which says whether it found something, is called many times for each time that the loop asks the
 * system, and @thoroughly, which may take calls of its own, after giving way; @sleep whenever either ends or begins. */
void spin_init(struct spin *spin, uv_loop_t *loop, bool (*look)(void *context, bool thoroughly),
	void (*sleep)(void *context, bool asleep), void *context);

/* A request came: the loop does not sleep for @us; 0: it may. */
void spin_on(struct spin *spin, uint64_t us);

/* A request of @bytes by @who was answered at once, and nothing else is to be done: gives way, unless it spins or
 * somebody else asked before. */
void spin_give_way(struct spin *spin, const void *who, uint32_t bytes);

#endif
