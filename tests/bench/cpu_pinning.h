/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pins - threads of this process and of another held to one core each, for a measurement
 *
 * Signals that end a process wait until pins_deinit() has given all threads back the cores they had.
 */
#ifndef CLIENT_PINS_H
#define CLIENT_PINS_H

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

#define PINS_MAX 96 /* threads of the other process */

struct pins {
	pid_t other; /* 0: nobody */
	int cores[2]; /* two that this process may use; the second is -1 where there is one */
	cpu_set_t own;
	unsigned int n;
	pid_t threads[PINS_MAX];
	cpu_set_t sets[PINS_MAX];
	sigset_t signals;
};

/* @other: whose threads are held beside this one; -EPERM when it is not this user's. */
int must_check pins_init(struct pins *pins, pid_t other, struct error *err);
void pins_deinit(struct pins *pins);

/* This thread to @core, the other process's to @other_core. */
int must_check pins_set(struct pins *pins, int core, int other_core, struct error *err);

#endif
