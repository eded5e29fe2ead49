/* SPDX-License-Identifier: Apache-2.0 */
/* background - threads that make way for those who answer */
#ifndef DAEMON_BACKGROUND_H
#define DAEMON_BACKGROUND_H

/*
 * The calling thread, and the processes that it starts, get less of a CPU than others where there is too little for all, and
 * let go of it at once when another one wakes. Without the right to that, or a kernel that can, it goes
 * on as it is.
 */
void background_enter(void);

#endif
