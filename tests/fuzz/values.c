/* SPDX-License-Identifier: Apache-2.0 */
/*
 * values - runs every operator with any contents of its indices, axes, sizes, shapes
 *
 *   values [--count N] [--seed S] PATH...
 *
 * PATH is a file, or a folder that is searched for *.tflite. Constants that a rule or a kernel
 * concludes from (op_row.params) become inputs of the graph, and so only the run knows them; then
 * each model is run N times with contents of all integer and bool inputs that are near what the
 * file had, near 0, near the operands' sizes, or extreme, and now and then with other shapes. A run
 * may end well or with an error; a forked child that dies, hangs for a second of CPU time, or (with
 * a sanitizer) reports, is a failure. Closes with "N passed, N failed".
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
#include "engine/plan/cache.h"
#include "engine/run/session.h"
#include "tests/fuzz/mutant.h"

#define RUN_LIMIT_NS 100000000ull
#define CPU_LIMIT_NS 1000000000ull
#define MAX_OPENED 64 /* constants of one model that become inputs */

struct campaign {
	unsigned long count, seed, passed, failed, ran_well;
};

/* A model's graph, open to be changed: nobody else looks at it. */
struct opened {
	struct graph *graph;
	struct subgraph *subgraph; /* the first */
	const uint8_t **was; /* one per tensor: the bytes of a constant that became an input */
	int32_t inputs[4096];
};

static bool is_steering(unsigned int type)
{
	return type == DTYPE_INT32 || type == DTYPE_INT64 || type == DTYPE_INT16 ||
		type == DTYPE_BOOL || type == DTYPE_UINT32;
}

static void open_constant(struct opened *o, int32_t t)
{
	struct tensor *tensor = t < 0 ? NULL : &o->subgraph->tensors[t];
	uint32_t room = sizeof(o->inputs) / sizeof(o->inputs[0]);
	if (!tensor || !tensor->data || !is_steering(tensor->type) || tensor->sparsity ||
		o->subgraph->n_inputs >= room) {
		return;
	}
	o->was[t] = tensor->data;
	tensor->data = NULL;
	o->inputs[o->subgraph->n_inputs++] = t;
}

static bool open_graph(struct opened *o, const struct model *model)
{
	o->graph = (struct graph *)(uintptr_t)model_graph(model);
	o->subgraph = o->graph->subgraphs;
	if (o->graph->n_subgraphs == 0 || o->subgraph->n_inputs > 1000) {
		return false;
	}
	o->was = calloc((size_t)o->subgraph->n_tensors + 1, sizeof(*o->was));
	memcpy(o->inputs, o->subgraph->inputs, o->subgraph->n_inputs * sizeof(int32_t));
	o->subgraph->inputs = o->inputs;
	uint32_t before = o->subgraph->n_inputs;
	for (uint32_t i = 0; i < o->subgraph->n_nodes; i++) {
		const struct node *node = &o->subgraph->nodes[i];
		const struct op_row *row = opinfo_find(node);
		for (uint32_t k = 0; row && k < node->n_inputs && k < 64; k++) {
			if (row->params >> k & 1 && o->subgraph->n_inputs < before + MAX_OPENED) {
				open_constant(o, node->inputs[k]);
			}
		}
	}
	return true;
}

static int64_t draw(uint64_t *random, int64_t near, int64_t size)
{
	static const int64_t extremes[] = {INT32_MIN, INT32_MAX, INT64_MIN, INT64_MAX, 1 << 24,
		-(1 << 24), 65536, 32767, -32768, 255};
	uint64_t r = mutant_random(random);
	int64_t step = (int64_t)(r >> 8 & 3) - 1;
	switch (r & 7) {
	case 0:
	case 1:
	case 2:
		return near;
	case 3:
		return near + step;
	case 4:
		return step;
	case 5:
		return size + step;
	case 6:
		return (int64_t)(r >> 16 & 7) - 3;
	default:
		return extremes[(r >> 16) % (sizeof(extremes) / sizeof(extremes[0]))];
	}
}

static int64_t read_integer(const uint8_t *data, unsigned int bytes)
{
	int64_t v = 0;
	memcpy(&v, data, bytes);
	unsigned int shift = 64 - 8 * bytes;
	return (int64_t)((uint64_t)v << shift) >> shift;
}

static void fill_integers(
	const struct opened *o, int32_t t, uint8_t *data, uint64_t bytes, uint64_t *random)
{
	const struct tensor *tensor = &o->subgraph->tensors[t];
	unsigned int width = dtype_bits(tensor->type) / 8;
	const uint8_t *was = o->was[t];
	uint64_t had = was ? tensor->data_bytes : 0;
	const struct shape *first = &o->subgraph->tensors[o->inputs[0]].shape;
	int64_t size = first->rank ? first->dim[mutant_random(random) % first->rank] : 1;
	for (uint64_t i = 0; i + width <= bytes; i += width) {
		int64_t v = draw(random, i + width <= had ? read_integer(was + i, width) : 0, size);
		v = tensor->type == DTYPE_BOOL ? (v & 1) : v;
		memcpy(data + i, &v, width);
	}
}

static void fill_input(
	const struct opened *o, struct session *session, uint32_t i, uint64_t *random)
{
	uint64_t bytes = 0;
	int32_t t = o->inputs[i];
	uint8_t *data = session_input(session, i, &bytes);
	unsigned int type = o->subgraph->tensors[t].type;
	if (!data || type == DTYPE_STRING) {
		return;
	}
	if (is_steering(type)) {
		fill_integers(o, t, data, bytes, random);
		return;
	}
	for (uint64_t k = 0; k < bytes && k < 4096; k++) {
		data[k] = (uint8_t)(k % 4 == 3 ? 0x3f : mutant_random(random) >> 32);
	}
}

static void resize_input(const struct opened *o, struct session *session, uint64_t *random)
{
	static const int32_t dims[] = {0, 1, 2, 3, 4, 5, 7, 9, 16};
	uint32_t i = (uint32_t)(mutant_random(random) % o->subgraph->n_inputs);
	struct shape shape = session_get_input(session, i)->shape;
	if (mutant_random(random) % 4 == 0) {
		shape.rank = (uint8_t)(mutant_random(random) % 6);
	}
	for (unsigned int k = 0; k < shape.rank; k++) {
		if (mutant_random(random) % 3 == 0 || shape.dim[k] <= 0) {
			shape.dim[k] = dims[mutant_random(random) % 9];
		}
	}
	(void)!session_resize(session, i, &shape, NULL);
}

static unsigned long run_all(
	const struct campaign *c, const struct opened *o, struct session *session)
{
	uint64_t random = c->seed * 2654435761u + 1;
	unsigned long well = 0;
	for (unsigned long n = 0; n < c->count; n++) {
		const struct run_control control = {.deadline_ns = clock_now_ns() + RUN_LIMIT_NS};
		for (uint32_t i = 0; i < o->subgraph->n_inputs; i++) {
			fill_input(o, session, i, &random);
		}
		uint64_t from = clock_thread_cpu_ns();
		well += session_run(session, &control, NULL) == 0;
#if !defined(__SANITIZE_ADDRESS__)
		if (clock_thread_cpu_ns() - from > CPU_LIMIT_NS) {
			_exit(3);
		}
#else
		(void)from;
#endif
		if (o->subgraph->n_inputs > 0 && mutant_random(&random) % 4 == 0) {
			resize_input(o, session, &random);
		}
	}
	return well;
}

/* Exit status of the child: 0 ran, 10 nothing to run; anything else is a failure. */
static int try(const struct campaign *c, const char *path)
{
	owned_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	owned(model_free) struct model *model = NULL;
	owned(session_free) struct session *session = NULL;
	owned_mem struct opened *o = calloc(1, sizeof(*o));
	struct error err = {0};
	if (fd < 0 || !o || model_open_fd(fd, &(struct model_limits){0}, &model, &err) < 0 ||
		!open_graph(o, model)) {
		return 10;
	}
	struct plan_cache plans = {
		.graph = o->graph,
		.backends = backends_builtin(),
		.cpu_features = ~0ull,
		.max_arena_bytes = 16u << 20,
		.max_prepared_bytes = 64u << 20,
		.max_macs = 200000000,
		.max_loops = 1000,
		.max_plans = 4,
	};
	int status = 10;
	if (plan_cache_init(&plans, &err) == 0 && plan_cache_enter(&plans, 0, &err) == 0 &&
		session_new(&plans, 0, &session, &err) == 0) {
		status = run_all(c, o, session) > 0 ? 0 : 11;
	}
	session_free(take(session));
	plan_cache_deinit(&plans);
	free(o->was);
	return status;
}

static void try_file(struct campaign *c, const char *path)
{
	int status = 0;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		_exit(try(c, path));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		printf("fork: %s\n", strerror(errno));
		exit(1);
	}
	bool ran = WIFEXITED(status) &&
		(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 10 ||
			WEXITSTATUS(status) == 11);
	c->passed += ran;
	c->failed += !ran;
	c->ran_well += ran && WEXITSTATUS(status) == 0;
	if (!ran) {
		printf("%s: seed %lu: %s %d\n", path, c->seed,
			WIFSIGNALED(status) ? "killed by signal" : "exit",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
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
	static const struct option options[] = {{"count", required_argument, NULL, 'c'},
		{"seed", required_argument, NULL, 's'}, {0}};
	struct campaign c = {.count = 200, .seed = 1};
	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (o == 'c') {
			c.count = strtoul(optarg, NULL, 10);
		} else if (o == 's') {
			c.seed = strtoul(optarg, NULL, 10);
		} else {
			return 2;
		}
	}
	for (int i = optind; i < argc; i++) {
		add_path(&c, argv[i], 0);
	}
	printf("%lu models ran well at least once\n%lu passed, %lu failed\n", c.ran_well, c.passed,
		c.failed);
	return c.failed > 0 || c.passed == 0;
}
