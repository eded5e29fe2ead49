/* SPDX-License-Identifier: Apache-2.0 */
/* short - runs that are over sooner than a worker is awake: done by the loop itself */
#ifndef DAEMON_SHORT_H
#define DAEMON_SHORT_H

#include "daemon/dispatch.h"

/* Of the only request there is, which has its line. What depends on more than its inputs may take any
 * time. */
bool short_is(const struct dispatch *dispatch, const struct request *request);

/* Runs it, @now_ns. False when it took so much longer than expected that it was given up: then it is as before. */
bool short_run(struct dispatch *dispatch, struct request *request, uint64_t now_ns);

#endif
