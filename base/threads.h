/* SPDX-License-Identifier: Apache-2.0 */
/* threads - signal mask of all threads */
#ifndef BASE_THREADS_H
#define BASE_THREADS_H

#include <signal.h>

/* Returns the signals that a thread blocks and leaves to the loop: all but synchronous faults. A
 * blocked fault would end the process without the handlers of base/mapped.h and of the flight
 * records. */
static inline void threads_mask(sigset_t *ret_mask)
{
	static const int own[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
	sigfillset(ret_mask);
	for (unsigned int i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		sigdelset(ret_mask, own[i]);
	}
}

#endif
