/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flip_trace - a child that is walked instruction by instruction, and copies of it that go on from
 * where it stands
 *
 * The child is stopped before its function. At any stop it can be made to fork: the copy stands at
 * the same instruction with the same memory, and the child can be walked on. So one walk serves all
 * places of a run.
 */
#ifndef TESTS_FUZZ_FLIP_TRACE_H
#define TESTS_FUZZ_FLIP_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* How a process ended, or why it was ended. */
struct flip_end {
	int status; /* of _exit(), -1: by a signal */
	int signal;
	uint64_t address; /* that a fault was at */
	uint64_t code; /* program counter, from the start of the program's file */
};

/* Where a process had its fault. */
struct flip_fault {
	volatile uint64_t address, code; /* as above */
};

/* NULL where processes can be walked here; else what is missing. */
const char *flip_trace_missing(void);

/* A child that stands before @run(@context); its exit status is what that returns. -1 on errors. */
pid_t flip_trace_start(int (*run)(void *context), void *context);

/* One instruction. False when the child cannot go on: it has ended, or waits to be killed. */
bool flip_trace_step(pid_t child, struct flip_end *ret_end);

/* A copy of the stopped child, stopped as well. -1 on errors. */
pid_t flip_trace_copy(pid_t child);

/* Lets a stopped process run to its end, for @cpu_seconds at most (SIGXCPU). */
void flip_trace_finish(pid_t process, unsigned int cpu_seconds, struct flip_end *ret_end);
void flip_trace_kill(pid_t process);

#endif
