/* SPDX-License-Identifier: Apache-2.0 */
/* confine_calls - the part of confine that is about system calls */
#ifndef DAEMON_CONFINE_CALLS_H
#define DAEMON_CONFINE_CALLS_H

/* Of the calling thread and those that it makes; it has given up new privileges before. 0, or a negative
 * errno. */
int confine_calls(void);

#endif
