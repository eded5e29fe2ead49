/* SPDX-License-Identifier: Apache-2.0 */
/* signals - SIGTERM and SIGINT drain, a second one leaves at once; SIGHUP reloads; SIGUSR1
 * writes the flight records; SIGPIPE is ignored */
#ifndef DAEMON_SIGNALS_H
#define DAEMON_SIGNALS_H

#include <uv.h>

#include "base/error.h"

struct edged;

#define SIGNALS_MAX 4

struct signals {
	uv_signal_t handles[SIGNALS_MAX];
};

/* The handles close with the loop. */
int must_check signals_start(struct signals *signals, struct edged *edged, struct error *err);

/* What they do by themselves again: a SIGTERM while edged stops ends it at once. */
void signals_release(void);

#endif
