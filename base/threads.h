/* SPDX-License-Identifier: Apache-2.0 */
/* threads - what all threads have in common: signal mask, clock of condition variables */
#ifndef BASE_THREADS_H
#define BASE_THREADS_H

#include <pthread.h>
#include <signal.h>
#include <time.h>

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

/* Initializes a condition variable whose waits end by clock_now_ns(). 0 or an errno. */
static inline int threads_condition_init(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;
	int code = pthread_condattr_init(&attributes);
	if (code == 0) {
		code = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
		code = code ? code : pthread_cond_init(condition, &attributes);
		pthread_condattr_destroy(&attributes);
	}
	return code;
}

#endif
