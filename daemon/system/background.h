/* SPDX-License-Identifier: Apache-2.0 */
/* background - scheduling of background threads */
#ifndef DAEMON_SYSTEM_BACKGROUND_H
#define DAEMON_SYSTEM_BACKGROUND_H

/* Lowers the priority of the calling thread and of processes that it starts: they get less CPU time
 * under load and yield at once to a thread that wakes. Without the privilege or kernel support
 * nothing changes. */
void background_enter(void);

#endif
