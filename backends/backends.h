/* SPDX-License-Identifier: Apache-2.0 */
/* backends - the built-in list */
#ifndef BACKENDS_BACKENDS_H
#define BACKENDS_BACKENDS_H

#include "engine/backend.h"

/* NULL-terminated, in the order in which the planner asks. Today: the CPU. */
const struct backend *const *backends_builtin(void);

/* EK_CPU_* features of this machine (kernels/cpu_features.h), for edge_options.cpu_features. */
uint64_t backends_cpu_features(void);

/*
 * What of @mask this machine has. With all bits set (backends_cpu_mask() of "all") it is also measured,
 * in at most 5 ms, which of two ways to multiply the core prefers, where it has two: "in-order" then says
 * so. A mask that names its features is taken at its word. Ask once in a process.
 */
uint64_t backends_cpu_choose(uint64_t mask);

/* Of @mask those that packed weights depend on. */
uint64_t backends_cpu_packing(uint64_t mask);

/*
 * Which build of the kernels this is: 16 digits of the GNU build-id that the linker gave the program.
 * False, and an empty text, where it gave none.
 */
#define BACKENDS_BUILD_SIZE 17
bool backends_build(char ret_text[BACKENDS_BUILD_SIZE]);

/* Parses "sse4.1,avx2,...", "all" or "none" into a mask; -EINVAL naming the word that is not known.
 */
int must_check backends_cpu_mask(const char *text, uint64_t *ret_mask, struct error *err);

/* The names of the features in @mask, separated by commas; "none". */
#define BACKENDS_CPU_SIZE 96
void backends_cpu_names(uint64_t mask, char ret_text[BACKENDS_CPU_SIZE]);

/*
 * Threads that work on one run together, for run_control.team: @threads of them with the one that
 * runs, 1 to BACKENDS_MAX_THREADS. It helps one run at a time. @eager: also where that does not pay, as
 * tests want it. -ENOMEM, or what pthread_create() gave.
 */
#define BACKENDS_MAX_THREADS 16
int must_check backends_team_new(
	unsigned int threads, bool eager, struct team **ret_team, struct error *err);
void backends_team_free(struct team *team); /* NULL is fine */
DEFINE_OWNED(struct team *, backends_team_free)

#endif
