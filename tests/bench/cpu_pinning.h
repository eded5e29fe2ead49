/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpu_pinning - pins this thread and the threads of another process to one core each, for
 * benchmarks
 *
 * Signals that end the process are blocked until pins_deinit() has restored all affinity masks.
 */
#ifndef TESTS_BENCH_CPU_PINNING_H
#define TESTS_BENCH_CPU_PINNING_H

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

#define PINS_MAX 96 /* most threads of the other process */

struct pins {
	pid_t other; /* 0: none */
	int cores[2]; /* two cores this process may use; the second is -1 if there is only one */
	cpu_set_t own;
	unsigned int n;
	pid_t threads[PINS_MAX];
	cpu_set_t sets[PINS_MAX];
	sigset_t signals;
};

/* @other: process whose threads are pinned too. -EPERM: it belongs to another user. */
int must_check pins_init(struct pins *pins, pid_t other, struct error *err);
void pins_deinit(struct pins *pins);

/* Pins this thread to @core and the other process's threads to @other_core. */
int must_check pins_set(struct pins *pins, int core, int other_core, struct error *err);

#endif
