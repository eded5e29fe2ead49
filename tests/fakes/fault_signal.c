/* SPDX-License-Identifier: Apache-2.0 */
/* fault_signal - linked into a program with fault.c: SIGUSR1 with a number arms that call, so that
 * a test can do it from outside */
#include <signal.h>

#include "tests/fakes/fault.h"

static void on_signal(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	fault_arm((unsigned long)info->si_value.sival_int);
}

static __attribute__((constructor)) void install(void)
{
	const struct sigaction action = {
		.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigaction(SIGUSR1, &action, NULL);
}
