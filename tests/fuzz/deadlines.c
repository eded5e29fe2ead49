/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deadlines - makes every operator's work large and shows that a deadline ends it
 *
 *   deadlines [--every N] [--costs] PATH...
 *
 * PATH is a file, or a folder that is searched for *.tflite. Inputs of each model get far larger
 * shapes, as it is and with its constants as inputs, as large as limits let pass. Failures are: a
 * plan for such shapes that takes long, and a run that goes on long after its deadline. Times are of
 * the CPU, and so others' load does not matter. --costs prints what an element operation, as the
 * operator's rule counts them, has taken. Closes with "N passed, N failed".
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/backends.h"
#include "base/clock.h"
#include "engine/model/model.h"
#include "engine/plan/plan_cache.h"
#include "engine/run/session.h"
#include "tests/fuzz/contents.h"
#include "tests/fuzz/mutant.h"
#include "tests/fuzz/opened.h"

#define DEADLINE_NS 5000000ull
#define PAST_NS 60000000ull /* that a run may go on behind it */
#define PLAN_NS 300000000ull
#define COST_MACS 40000000ull /* what may be run to its end */

struct campaign {
	unsigned long passed, failed, every, seen;
	bool costs;
};

struct trial {
	const char *path;
	const struct campaign *campaign;
	const struct opened *o;
	struct session *session;
	struct plan_cache *plans;
	enum opening opening;
	int dimension; /* that grows; -1: all */
	uint64_t random;
	bool failed;
};

/* Dimension @dimension of all inputs grows; those of 1 stay, as they may be there to broadcast. */
static bool grow(struct trial *t, uint32_t factor)
{
	bool grown = false;
	for (uint32_t i = 0; i < t->o->subgraph->n_inputs; i++) {
		struct shape shape = plan_declared_shape(&t->o->subgraph->tensors[t->o->inputs[i]]);
		for (int k = 0; k < shape.rank; k++) {
			if ((t->dimension < 0 || t->dimension == k) && shape.dim[k] > 1 &&
				shape.dim[k] < SHAPE_MAX_DIM / (int32_t)factor) {
				shape.dim[k] *= (int32_t)factor;
				grown = true;
			}
		}
		if (session_resize(t->session, i, &shape, NULL) < 0) {
			return false;
		}
	}
	return grown;
}

static void fill(struct trial *t, bool mildly)
{
	int64_t sizes[64];
	uint32_t n = 0;
	for (uint32_t i = 0; i < t->o->subgraph->n_inputs; i++) {
		const struct shape *shape = &session_get_input(t->session, i)->shape;
		for (uint32_t k = 0; k < shape->rank && n < 64; k++) {
			sizes[n++] = shape->dim[k];
		}
	}
	for (uint32_t i = 0; i < t->o->subgraph->n_inputs; i++) {
		int32_t tensor = t->o->inputs[i];
		const uint8_t *was = t->o->was[tensor];
		uint64_t bytes = 0;
		unsigned int type = t->o->subgraph->tensors[tensor].type;
		uint64_t was_bytes = was ? t->o->subgraph->tensors[tensor].data_bytes : 0;
		struct contents contents = {type, was, was_bytes, sizes, n};
		uint8_t *data = session_input(t->session, i, &bytes);
		if (!data || !dtype_bits(type)) {
			continue;
		}
		if (was && bytes == was_bytes) {
			memcpy(data, was, (size_t)bytes);
		} else if (mildly) {
			contents_fill_mildly(
				type, data, bytes < 1 << 22 ? bytes : 1 << 22, &t->random);
		} else {
			contents_fill(
				&contents, data, bytes < 1 << 22 ? bytes : 1 << 22, &t->random);
		}
	}
}

static void complain(struct trial *t, const char *what, uint64_t ns, const char *text)
{
	printf("%s: opened %d, dimension %d: %s %llu ms (%s)\n", t->path, (int)t->opening,
		t->dimension, what, (unsigned long long)(ns / 1000000), text);
	t->failed = true;
}

static void measure_cost(struct trial *t)
{
	const struct subgraph_plan *plan = NULL;
	uint64_t macs = 0;
	if (!t->campaign->costs || session_plan(t->session, &plan, NULL) < 0) {
		return;
	}
	for (uint32_t i = 0; i < plan->subgraph->n_nodes; i++) {
		macs += plan->node_macs[i];
	}
	if (macs == 0 || macs > COST_MACS) {
		return;
	}
	uint64_t from = clock_thread_cpu_ns();
	const struct run_control control = {.deadline_ns = clock_now_ns() + 3000000000ull};
	int r = session_run(t->session, &control, NULL);
	uint64_t ns = clock_thread_cpu_ns() - from;
	if (ns > 1000000) {
		printf("cost %8.2f ns %9llu us %s opened %d, dimension %d: %d\n",
			(double)ns / (double)macs, (unsigned long long)(ns / 1000), t->path,
			(int)t->opening, t->dimension, r);
	}
}

static void run(struct trial *t)
{
	for (int i = 0; i < 3; i++) {
		struct error err = {0};
		fill(t, i == 0);
		const struct run_control control = {.deadline_ns = clock_now_ns() + DEADLINE_NS};
		uint64_t from = clock_thread_cpu_ns();
		int r = session_run(t->session, &control, &err);
		uint64_t took = clock_thread_cpu_ns() - from;
		if (took > DEADLINE_NS + PAST_NS) {
			complain(t, "run", took, r ? err.text : "ran");
		}
	}
	measure_cost(t);
}

static void try_dimension(struct trial *t)
{
	static const uint32_t factors[] = {65536, 8192, 2048, 512, 128, 32, 8};
	for (size_t i = 0; i < sizeof(factors) / sizeof(factors[0]); i++) {
		const struct subgraph_plan *plan = NULL;
		struct error err = {0};
		if (!grow(t, factors[i])) {
			continue;
		}
		uint64_t from = clock_thread_cpu_ns();
		int r = session_plan(t->session, &plan, &err);
		uint64_t took = clock_thread_cpu_ns() - from;
		if (took > PLAN_NS) {
			complain(t, "plan", took, err.text);
		}
		if (r == 0) {
			run(t);
			return;
		}
	}
}

static int try(const struct campaign *c, const char *path)
{
	bool failed = false;
	for (int opening = OPEN_NOTHING; opening < OPENINGS; opening++) {
		owned_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
		owned(model_free) struct model *model = NULL;
		struct opened o = {0};
		struct trial t = {
			.path = path, .campaign = c, .o = &o, .opening = opening, .random = 77};
		if (fd < 0 || model_open_fd(fd, &(struct model_limits){0}, &model, NULL) < 0) {
			return 0;
		}
		struct graph *graph = (struct graph *)(uintptr_t)model_graph(model);
		struct plan_cache plans = {
			.graph = graph,
			.backends = backends_builtin(),
			.cpu_features = ~0ull,
			.max_arena_bytes = 256u << 20,
			.max_prepared_bytes = 256u << 20,
			.max_macs = 50000000000ull,
			.max_loops = 10000000,
			.max_plans = 4,
		};
		if (opened_init(&o, graph, 0, opening) && plan_cache_init(&plans, NULL) == 0 &&
			plan_cache_enter(&plans, 0, NULL) == 0 &&
			session_new(&plans, 0, &t.session, NULL) == 0) {
			for (t.dimension = -1; t.dimension < 5; t.dimension++) {
				try_dimension(&t);
			}
		}
		session_free(t.session);
		plan_cache_deinit(&plans);
		opened_deinit(&o);
		failed = failed || t.failed;
	}
	fflush(stdout);
	return failed ? 1 : 0;
}

static void try_file(struct campaign *c, const char *path)
{
	int status = 0;
	if (c->seen++ % c->every != 0) {
		return;
	}
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		_exit(try(c, path));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		printf("fork: %s\n", strerror(errno));
		exit(1);
	}
	c->passed += status == 0;
	c->failed += status != 0;
	if (status != 0 && !WIFEXITED(status)) {
		printf("%s: killed by signal %d\n", path, WTERMSIG(status));
	}
}

static void add_path(struct campaign *c, const char *path, unsigned int depth)
{
	struct stat st;
	if (stat(path, &st) < 0) {
		return;
	}
	if (S_ISREG(st.st_mode)) {
		const char *end = strrchr(path, '.');
		if (end && strcmp(end, ".tflite") == 0 && st.st_size < 1 << 20) {
			try_file(c, path);
		}
		return;
	}
	char pattern[4096];
	glob_t found;
	snprintf(pattern, sizeof(pattern), "%s/*", path);
	if (depth < 6 && glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			add_path(c, found.gl_pathv[i], depth + 1);
		}
		globfree(&found);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"every", required_argument, NULL, 'e'}, {"costs", no_argument, NULL, 'c'}, {0}};
	struct campaign c = {.every = 1};
	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (o == '?') {
			return 2;
		}
		c.every = o == 'e' ? strtoul(optarg, NULL, 10) : c.every;
		c.costs = o == 'c' ? true : c.costs;
	}
	if (c.every == 0) {
		return 2;
	}
	for (int i = optind; i < argc; i++) {
		add_path(&c, argv[i], 0);
	}
	printf("%lu passed, %lu failed\n", c.passed, c.failed);
	return c.failed > 0 || c.passed == 0;
}
