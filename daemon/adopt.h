/* SPDX-License-Identifier: Apache-2.0 */
/* adopt - who waits is answered by what serves when its turn comes */
#ifndef DAEMON_ADOPT_H
#define DAEMON_ADOPT_H

#include "daemon/dispatch.h"

/*
 * Where other versions serve since the last call: requests that wait for the ones before take their
 * references of the new ones, if these have the same inputs and outputs, planned at the same shapes. Not those
 * of sessions, nor those that name a version; and what runs ends as it began. Loop thread only.
 */
void adopt_waiting(struct dispatch *dispatch);

/* The same for one that nobody else has, and that is to be queued: it was judged when its head had come. Loop
 * thread only. */
void adopt_one(struct dispatch *dispatch, struct request *request);

#endif
