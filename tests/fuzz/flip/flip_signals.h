/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flip_signals - a run that stops itself before each read of some memory
 *
 * The pages lose their access rights. A read of them is a SIGSEGV. Its handler counts the read, makes
 * the page readable and sets the trap flag: the instruction is done, and the SIGTRAP behind it takes
 * the rights away again. An instruction is one read of a region, however many of its bytes it takes;
 * a repeated one ("rep movsb") is one for each repetition. All other instructions cost nothing.
 *
 * For one run of one thread, in a process of its own that does nothing else. x86-64 only: on other
 * CPUs a process cannot set its own trap flag.
 */
#ifndef TESTS_FUZZ_FLIP_SIGNALS_H
#define TESTS_FUZZ_FLIP_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/fuzz/flip/flip_trace.h"

#define FLIP_SIGNALS_MAX_REGIONS 1100

enum flip_signals_next {
	FLIP_SIGNALS_ON,
	FLIP_SIGNALS_NO_MORE, /* reads of this region */
	FLIP_SIGNALS_COPY, /* this process is a copy and goes on without any stop */
};

struct flip_signals {
	/* Whole pages, readable in the run but for what is said above. */
	struct flip_signals_region {
		uint8_t *start;
		size_t bytes; /* 0: left alone */
	} regions[FLIP_SIGNALS_MAX_REGIONS];
	uint32_t n_regions;
	uint64_t max_stops; /* then the run goes on without any */
	/* Before the @n-th read of @region, from 0 on. Called in a handler; it may fork with
	 * flip_signals_copy(). */
	enum flip_signals_next (*stop)(void *context, uint32_t region, uint64_t n);
	void *context;
	/* For a fault that is no read of a region; shared with who waits. */
	struct flip_fault *fault;
};

/* True where this CPU can do that. */
bool flip_signals_possible(void);

/* Calls @run with the context of @s, which no other call may have used in this process. */
int flip_signals_run(struct flip_signals *s, int (*run)(void *context));

/* A copy of this process, with a limit of CPU time (SIGXCPU); it ends with this process. Returns as
 * fork() does. */
pid_t flip_signals_copy(unsigned int cpu_seconds);

/* Waits for a copy, or for the process of a run. */
void flip_signals_wait(pid_t process, const struct flip_fault *fault, struct flip_end *ret_end);

#endif
