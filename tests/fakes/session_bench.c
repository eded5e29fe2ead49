/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/session_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "backends/backends.h"

struct session_bench *session_bench_new(void)
{
	struct session_bench *bench = calloc(1, sizeof(*bench));
	assert_non_null(bench);
	for (int i = 0; i < SESSION_BENCH_SUBGRAPHS; i++) {
		graph_builder_init(&bench->parts[i]);
	}
	return bench;
}

static void set_limits(struct plan_cache *plans)
{
	plans->max_arena_bytes = plans->max_arena_bytes ? plans->max_arena_bytes : 1 << 24;
	plans->max_prepared_bytes = plans->max_prepared_bytes ? plans->max_prepared_bytes : 1 << 24;
	plans->max_macs = plans->max_macs ? plans->max_macs : 1000000000;
	plans->max_loops = plans->max_loops ? plans->max_loops : 1000000;
	plans->max_plans = 2;
}

int session_bench_start(
	struct session_bench *bench, uint32_t n, uint32_t n_entered, struct error *err)
{
	struct graph_builder *parts[SESSION_BENCH_SUBGRAPHS];
	for (uint32_t i = 0; i < n; i++) {
		parts[i] = &bench->parts[i];
	}
	bench->graph = graph_builder_join(parts, n, bench->subgraphs);
	bench->plans.graph = &bench->graph;
	bench->plans.backends = backends_builtin();
	set_limits(&bench->plans);
	int r = plan_cache_init(&bench->plans, err);
	for (uint32_t i = 0; r == 0 && i < n_entered; i++) {
		r = plan_cache_enter(&bench->plans, i, err);
	}
	return r < 0 ? r : session_new(&bench->plans, 0, &bench->session, err);
}

void session_bench_finish(struct session_bench *bench)
{
	session_free(bench->session);
	plan_cache_deinit(&bench->plans);
	free(bench);
}

void session_bench_set(struct session_bench *bench, uint32_t input, const void *numbers, size_t n)
{
	uint64_t bytes = 0;
	void *data = session_input(bench->session, input, &bytes);
	assert_non_null(data);
	assert_int_equal(bytes, 4 * n);
	memcpy(data, numbers, 4 * n);
}

void session_bench_expect(
	struct session_bench *bench, uint32_t output, const void *numbers, size_t n)
{
	uint64_t bytes = 0;
	const void *data = session_output(bench->session, output, &bytes);
	assert_non_null(data);
	assert_int_equal(bytes, 4 * n);
	assert_memory_equal(data, numbers, 4 * n);
}
