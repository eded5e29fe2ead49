/* SPDX-License-Identifier: Apache-2.0 */
/* threads - what every thread has in common */
#ifndef BASE_THREADS_H
#define BASE_THREADS_H

#include <signal.h>

/*
 * The signals that a thread leaves to the loop: all but its own faults. Those would end the process at once
 * while they are blocked, and nobody would hear of a page that the disk did not give (base/mapped.h) or
 * write the flight records.
 */
static inline void threads_mask(sigset_t *ret_mask)
{
	static const int own[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
	sigfillset(ret_mask);
	for (unsigned int i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		sigdelset(ret_mask, own[i]);
	}
}

#endif
