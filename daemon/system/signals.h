/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signals - signal handlers of the loop
 *
 * SIGTERM, SIGINT, SIGHUP and SIGUSR1 call the callback in the loop; SIGPIPE is ignored.
 */
#ifndef DAEMON_SYSTEM_SIGNALS_H
#define DAEMON_SYSTEM_SIGNALS_H

#include <uv.h>

#include "base/error.h"

#define SIGNALS_MAX 4

struct signals {
	uv_signal_t handles[SIGNALS_MAX];
	void (*callback)(void *context, int number);
	void *context;
};

/* Starts the handlers. They close with the loop. */
int must_check signals_start(struct signals *signals, uv_loop_t *loop,
	void (*callback)(void *context, int number), void *context, struct error *err);

/* Call when the loop has ended: from now on SIGTERM and SIGINT end the process at once, and SIGHUP
 * and SIGUSR1 are ignored. */
void signals_reset(void);

#endif
