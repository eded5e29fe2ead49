/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arms fault.c in a program that is tested from outside.
 *
 * $FAULT_CALL says which call fails from the start on. SIGUSR2 with a value (sigqueue) says on
 * standard error whether the last one armed has fired, and arms that call. Call 0 arms none.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/fakes/fault.h"

static void on_signal(int number, siginfo_t *info, void *context)
{
	static const char fired[] = "fault: fired\n", unused[] = "fault: unused\n";
	(void)number;
	(void)context;
	bool has = fault_fired();
	fault_arm((unsigned long)info->si_value.sival_int);
	ssize_t n = has ? write(STDERR_FILENO, fired, sizeof(fired) - 1)
			: write(STDERR_FILENO, unused, sizeof(unused) - 1);
	(void)n;
}

__attribute__((constructor)) static void start(void)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
	const char *call = getenv("FAULT_CALL");
	sigaction(SIGUSR2, &action, NULL);
	if (call) {
		fault_arm(strtoul(call, NULL, 10));
	}
}
