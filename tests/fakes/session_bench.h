/* SPDX-License-Identifier: Apache-2.0 */
/* session_bench - hand-made subgraphs that call each other, run by the CPU's operators */
#ifndef TESTS_FAKES_SESSION_BENCH_H
#define TESTS_FAKES_SESSION_BENCH_H

#include "engine/run/session.h"
#include "tests/fakes/graph_builder.h"

#define SESSION_BENCH_SUBGRAPHS 4

struct session_bench {
	struct graph_builder parts[SESSION_BENCH_SUBGRAPHS]; /* filled by the test */
	struct plan_cache plans; /* limits may be set before the start; 0: a generous one */
	struct session *session;

	struct subgraph subgraphs[SESSION_BENCH_SUBGRAPHS];
	struct graph graph;
};

struct session_bench *session_bench_new(void); /* with empty parts */
/* Enters subgraphs 0 to @n_entered - 1 of @n, and opens a session on the first. An error of the plan
 * comes back. */
int session_bench_start(
	struct session_bench *bench, uint32_t n, uint32_t n_entered, struct error *err);
void session_bench_finish(struct session_bench *bench); /* frees all of it */

/* Writes @n numbers of 4 bytes to input @input. */
void session_bench_set(struct session_bench *bench, uint32_t input, const void *numbers, size_t n);
/* Output @output has @n numbers of 4 bytes: these. */
void session_bench_expect(
	struct session_bench *bench, uint32_t output, const void *numbers, size_t n);

#define BENCH_SET_INTS(bench, input, ...)                                                          \
	session_bench_set(bench, input, (const int32_t[]){__VA_ARGS__},                            \
		sizeof((int32_t[]){__VA_ARGS__}) / 4)
#define BENCH_EXPECT_INTS(bench, output, ...)                                                      \
	session_bench_expect(bench, output, (const int32_t[]){__VA_ARGS__},                        \
		sizeof((int32_t[]){__VA_ARGS__}) / 4)

#endif
