/* SPDX-License-Identifier: Apache-2.0 */
/* adopt - waiting requests move to the version that serves now */
#ifndef DAEMON_EDGED_SERVE_ADOPT_H
#define DAEMON_EDGED_SERVE_ADOPT_H

#include "daemon/edged/serve/request.h"
#include "daemon/edged/serve/serve.h"

/*
 * Moves queued requests to the versions that began to serve since the last call. A request moves if
 * the new version has the same inputs and outputs with the same planned shapes. Requests of
 * sessions, requests that name a version, and requests that run do not move. Loop thread only.
 */
void adopt_waiting(struct serve *serve);

/* Moves one request that is not queued yet: the version may have changed since its head was
 * validated. Loop thread only. */
void adopt_one(struct serve *serve, struct request *request);

#endif
