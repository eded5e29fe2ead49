/* SPDX-License-Identifier: Apache-2.0 */
/*
 * values - runs every operator with any contents of its operands
 *
 *   values [--count N] [--seed S] [--threads N] [--scribble] PATH...
 *
 * PATH is a file, or a folder that is searched for *.tflite. Each subgraph of a model is run as it
 * is; with the constants that a rule or a kernel concludes from (op_row.params) as inputs, so that
 * only the run knows them; and with all small constants as inputs. Each way it is run N times with
 * hostile contents (tests/fuzz/contents.h) and now and then with other shapes, from nothing to
 * huge. A run may end well or with an error. Failures are: a forked child that dies or that a
 * sanitizer stops; a run that goes on for long after its deadline; memory far above the limits; a
 * session that gives another answer after all that than before it; and, where a golden case stands
 * beside the model, another answer than the case's with constants as inputs.
 *
 * --threads: so many sessions of a model at once. --scribble: somebody writes into the bound inputs
 * during the runs, as a client with shared memory can. Closes with "N passed, N failed".
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
#include <libgen.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/backends.h"
#include "base/clock.h"
#include "base/strings.h"
#include "client/golden/compare.h"
#include "engine/model/model.h"
#include "engine/plan/cache.h"
#include "engine/run/session.h"
#include "tests/fuzz/contents.h"
#include "tests/fuzz/mutant.h"
#include "tests/fuzz/opened.h"

#define RUN_LIMIT_NS 50000000ull
#define CPU_LIMIT_NS 200000000ull /* of a run with its planning, natively */
#define MAX_INPUTS 1100
#define MAX_SIZES 64
#define MAX_THREADS 8
#define MAX_SUBGRAPHS 4
#define MAX_RSS_KIB (320l << 10)
#define STRINGS_AT_ONCE 5000

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEASURED false
#else
#define MEASURED true
#endif

/* Of the child. */
enum {
	RAN,
	NOTHING = 10, /* to open, or the planner refuses it that way */
	NEVER_WELL = 11,
	SLOW = 20,
	CHANGED = 21, /* by what the session went through */
	OTHER_ANSWER = 22, /* than the golden case */
};

struct campaign {
	unsigned long count, seed, passed, failed, ran_well;
	unsigned int threads;
	bool scribble;
};

/* One session's way through hostile runs. */
struct abuse {
	const struct campaign *campaign;
	const struct opened *o;
	const struct golden_case *golden; /* NULL: none, or not of this subgraph */
	struct plan_cache *plans;
	struct session *session;
	struct answer *first; /* to the benign inputs, before all else */
	uint64_t random;
	int64_t sizes[MAX_SIZES];
	uint32_t n_sizes, n_inputs, subgraph;
	unsigned long well;
	int status;
	pthread_mutex_t mutex; /* of what is bound */
	struct bound {
		uint8_t *data;
		uint64_t bytes;
	} bound[MAX_INPUTS];
	bool done;
};

struct answer {
	int result;
	uint32_t n;
	struct {
		uint8_t *data;
		uint64_t bytes;
		struct shape shape;
	} outputs[];
};

static void complain(struct abuse *a, int status, const char *format, ...) printf_like(3, 4);

static void complain(struct abuse *a, int status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	a->status = status;
}

static unsigned int input_type(const struct abuse *a, uint32_t i)
{
	return a->o->subgraph->tensors[a->o->inputs[i]].type;
}

/* Takes @data. A table of strings that is none is refused here. */
static void bind(struct abuse *a, uint32_t i, uint8_t *data, uint64_t bytes)
{
	pthread_mutex_lock(&a->mutex);
	if (data && session_bind_input(a->session, i, data, bytes, NULL) == 0) {
		uint8_t *before = a->bound[i].data;
		a->bound[i] = (struct bound){data, bytes};
		data = before;
	}
	pthread_mutex_unlock(&a->mutex);
	free(data);
}

static void unbind_all(struct abuse *a)
{
	pthread_mutex_lock(&a->mutex);
	for (uint32_t i = 0; i < MAX_INPUTS; i++) {
		free(a->bound[i].data);
		a->bound[i] = (struct bound){0};
	}
	pthread_mutex_unlock(&a->mutex);
}

static void fill_strings(struct abuse *a, uint32_t i)
{
	uint64_t n = 0, bytes = 0;
	const struct input *input = session_get_input(a->session, i);
	if (shape_elements(&input->shape, &n) == 0 && n <= STRINGS_AT_ONCE) {
		uint8_t *table = contents_strings(n, &a->random, &bytes);
		bind(a, i, table, bytes);
	}
}

static void fill_input(struct abuse *a, uint32_t i)
{
	const struct tensor *tensor = &a->o->subgraph->tensors[a->o->inputs[i]];
	const uint8_t *was = a->o->was[a->o->inputs[i]];
	const struct contents contents = {.type = tensor->type,
		.was = was,
		.was_bytes = was ? tensor->data_bytes : 0,
		.sizes = a->sizes,
		.n_sizes = a->n_sizes};
	uint64_t bytes = session_get_input(a->session, i)->bytes;
	if (tensor->type == DTYPE_STRING) {
		fill_strings(a, i);
	} else if (dtype_bits(tensor->type) && bytes < 1 << 20) {
		uint8_t *data = contents_memory(bytes);
		if (data) {
			contents_fill(&contents, data, bytes, &a->random);
		}
		bind(a, i, data, bytes);
	}
}

static void resize_input(struct abuse *a)
{
	static const int32_t dims[] = {0, 1, 2, 3, 4, 5, 7, 9, 16, 33, 100, 1000};
	static const int32_t huge[] = {65536, 1 << 20, 1 << 24, INT32_MAX, -1, INT32_MIN};
	uint32_t i = (uint32_t)(mutant_random(&a->random) % a->n_inputs);
	struct shape shape = session_get_input(a->session, i)->shape;
	if (mutant_random(&a->random) % 4 == 0) {
		shape.rank = (uint8_t)(mutant_random(&a->random) % 9);
	}
	for (unsigned int k = 0; k < shape.rank; k++) {
		uint64_t r = mutant_random(&a->random);
		if (r % 3 == 0 || shape.dim[k] < 0) {
			shape.dim[k] = r % 64 < 2 ? huge[(r >> 8) % 6] : dims[(r >> 8) % 12];
		}
	}
	(void)!session_resize(a->session, i, &shape, NULL);
}

/* All inputs in the shapes that they have in the file, or in the golden case. */
static void resize_back(struct abuse *a)
{
	for (uint32_t i = 0; i < a->n_inputs; i++) {
		struct shape shape = plan_declared_shape(&a->o->subgraph->tensors[a->o->inputs[i]]);
		for (size_t k = 0; a->golden && k < a->golden->n_entries; k++) {
			const struct golden_entry *e = &a->golden->entries[k];
			if (e->kind == GOLDEN_IN && e->step == 0 && e->index == i) {
				shape = e->shape;
			}
		}
		(void)!session_resize(a->session, i, &shape, NULL);
	}
}

static const struct golden_entry *golden_input(const struct abuse *a, uint32_t i)
{
	for (size_t k = 0; a->golden && k < a->golden->n_entries; k++) {
		const struct golden_entry *e = &a->golden->entries[k];
		if (e->kind == GOLDEN_IN && e->step == 0 && e->index == i) {
			return e;
		}
	}
	return NULL;
}

/* What the file or the golden case has; else small numbers and empty strings. */
static void fill_benign(struct abuse *a, uint32_t i, uint64_t *random)
{
	const struct tensor *tensor = &a->o->subgraph->tensors[a->o->inputs[i]];
	const struct golden_entry *e = golden_input(a, i);
	const uint8_t *was = a->o->was[a->o->inputs[i]];
	uint64_t bytes = session_get_input(a->session, i)->bytes, n = 0;
	if (tensor->type == DTYPE_STRING) {
		(void)!shape_elements(&session_get_input(a->session, i)->shape, &n);
		bytes = was ? tensor->data_bytes : e ? e->bytes : strings_head_bytes(n);
	}
	uint8_t *data = contents_memory(bytes);
	if (!data) {
		return;
	}
	if ((was && bytes == tensor->data_bytes) || (e && bytes == e->bytes)) {
		memcpy(data, was ? was : e->data, (size_t)bytes);
	} else if (tensor->type == DTYPE_STRING) {
		struct strings_writer w = strings_writer_of(data, (uint32_t)n);
		for (uint64_t k = 0; k < n; k++) {
			strings_put(&w, "", 0);
		}
	} else if (dtype_bits(tensor->type)) {
		contents_fill_mildly(tensor->type, data, bytes, random);
	}
	bind(a, i, data, bytes);
}

static void answer_free(struct answer *answer)
{
	for (uint32_t i = 0; answer && i < answer->n; i++) {
		free(answer->outputs[i].data);
	}
	free(answer);
}
DEFINE_OWNED(struct answer *, answer_free)

/* From the start of the session's state, on what does no harm. */
static struct answer *ask(struct abuse *a, struct error *err)
{
	uint64_t random = 0x5eed;
	uint32_t n = a->o->subgraph->n_outputs;
	struct answer *answer = calloc(1, sizeof(*answer) + n * sizeof(answer->outputs[0]));
	session_reset(a->session);
	resize_back(a);
	for (uint32_t i = 0; i < a->n_inputs; i++) {
		fill_benign(a, i, &random);
	}
	answer->result = session_run(a->session, NULL, err);
	answer->n = answer->result < 0 ? 0 : n;
	for (uint32_t i = 0; i < answer->n; i++) {
		uint64_t bytes = 0;
		const void *data = session_output(a->session, i, &bytes);
		answer->outputs[i].data = contents_memory(bytes);
		answer->outputs[i].bytes = bytes;
		answer->outputs[i].shape = session_output_value(a->session, i)->shape;
		if (bytes) {
			memcpy(answer->outputs[i].data, data, (size_t)bytes);
		}
	}
	return answer;
}

static bool answers_equal(const struct answer *x, const struct answer *y)
{
	if (x->result != y->result) {
		return false;
	}
	for (uint32_t i = 0; i < x->n; i++) {
		if (x->outputs[i].bytes != y->outputs[i].bytes ||
			!shape_equal(&x->outputs[i].shape, &y->outputs[i].shape) ||
			memcmp(x->outputs[i].data, y->outputs[i].data,
				(size_t)x->outputs[i].bytes) != 0) {
			return false;
		}
	}
	return true;
}

/* Constants that became inputs must not change the golden answer. A graph that cannot be run that
 * way is none of our business: its rules have said what they want. */
static void compare_golden(struct abuse *a, const struct answer *answer)
{
	char text[256];
	for (size_t k = 0; a->golden && answer->result == 0 && k < a->golden->n_entries; k++) {
		const struct golden_entry *e = &a->golden->entries[k];
		if (e->kind != GOLDEN_OUT || e->step != 0 || e->index >= answer->n) {
			continue;
		}
		unsigned int type = a->o->subgraph->tensors[a->o->subgraph->outputs[e->index]].type;
		if (!shape_equal(&e->shape, &answer->outputs[e->index].shape) ||
			!golden_compare(e, type, answer->outputs[e->index].data,
				answer->outputs[e->index].bytes, text, sizeof(text))) {
			complain(a, OTHER_ANSWER, "output %u: another answer than %s", e->index,
				a->golden->folder);
		}
	}
	if (a->golden && golden_case_fails(a->golden, 0) && answer->result == 0) {
		complain(a, OTHER_ANSWER, "ran, but %s must be refused", a->golden->folder);
	}
}

/* Sizes that hostile indices are near to: those of all inputs. */
static void find_sizes(struct abuse *a)
{
	a->n_sizes = 0;
	for (uint32_t i = 0; i < a->n_inputs; i++) {
		const struct shape *shape = &session_get_input(a->session, i)->shape;
		for (uint32_t k = 0; k < shape->rank && a->n_sizes < MAX_SIZES; k++) {
			a->sizes[a->n_sizes++] = shape->dim[k];
		}
	}
}

static void read_outputs(struct abuse *a)
{
	volatile uint8_t sink;
	const uint8_t *data;
	uint64_t bytes = 0;
	for (uint32_t i = 0; (data = session_output(a->session, i, &bytes)); i++) {
		for (uint64_t k = 0; k < bytes; k += k + 4096 < bytes ? 4096 : 1) {
			sink = data[k];
			(void)sink;
		}
	}
}

static void run_once(struct abuse *a)
{
	struct error err = {0};
	uint64_t from = clock_thread_cpu_ns();
	const struct run_control control = {.deadline_ns = clock_now_ns() + RUN_LIMIT_NS};
	int r = session_run(a->session, &control, &err);
	uint64_t took = clock_thread_cpu_ns() - from;
	a->well += r == 0;
	read_outputs(a);
	if (r < 0 && !err.text[0]) {
		complain(a, CHANGED, "an error without a text: %d", r);
	}
	if (MEASURED && !a->campaign->scribble && took > CPU_LIMIT_NS) {
		complain(a, SLOW, "%llu ms of CPU time (%d %s)",
			(unsigned long long)(took / 1000000), r, err.text);
	}
}

static void run_hostile(struct abuse *a)
{
	for (unsigned long n = 0; n < a->campaign->count && a->status == 0; n++) {
		uint64_t r = mutant_random(&a->random);
		find_sizes(a);
		for (uint32_t i = 0; i < a->n_inputs; i++) {
			if (r >> 32 & 7 || n == 0) {
				fill_input(a, i);
			}
			r = r * 6364136223846793005u + 1442695040888963407u;
		}
		run_once(a);
		r = mutant_random(&a->random);
		if (a->n_inputs > 0 && r % 4 == 0) {
			resize_input(a);
		}
		if (r >> 8 & 1 && r % 4 == 1) {
			resize_back(a);
		}
		if ((r >> 16) % 16 == 0) {
			session_reset(a->session);
		}
	}
}

/* What a client that shares its memory can do at any time. */
static void *scribble(void *arg)
{
	struct abuse *a = arg;
	uint64_t random = a->random + 1;
	struct contents contents = {.sizes = (const int64_t[]){1, 3, 1000}, .n_sizes = 3};
	for (;;) {
		pthread_mutex_lock(&a->mutex);
		bool done = a->done;
		for (uint32_t i = 0; i < a->n_inputs; i++) {
			struct bound *b = &a->bound[i];
			contents.type = input_type(a, i);
			if (b->bytes && contents.type != DTYPE_STRING &&
				dtype_bits(contents.type) && b->bytes < 65536) {
				contents_fill(&contents, b->data, b->bytes, &random);
			}
		}
		pthread_mutex_unlock(&a->mutex);
		if (done) {
			return NULL;
		}
	}
}

static void abuse(struct abuse *a)
{
	pthread_t thread;
	if (a->campaign->scribble && pthread_create(&thread, NULL, scribble, a) == 0) {
		run_hostile(a);
		pthread_mutex_lock(&a->mutex);
		a->done = true;
		pthread_mutex_unlock(&a->mutex);
		pthread_join(thread, NULL);
		return;
	}
	run_hostile(a);
}

static void *abuse_thread(void *arg)
{
	struct abuse *a = arg;
	struct error err = {0};
	owned(answer_free) struct answer *before = ask(a, &err);
	compare_golden(a, before);
	a->well += before->result == 0;
	abuse(a);
	owned(answer_free) struct answer *after = ask(a, &err);
	if (a->status == 0 && !answers_equal(before, after)) {
		complain(a, CHANGED, "another answer than before: %d %d %s", before->result,
			after->result, err.text);
	}
	unbind_all(a);
	return NULL;
}

static int run_sessions(struct abuse *all, unsigned int n)
{
	pthread_t threads[MAX_THREADS];
	int status = NEVER_WELL;
	for (unsigned int i = 1; i < n; i++) {
		if (pthread_create(&threads[i], NULL, abuse_thread, &all[i]) != 0) {
			abort();
		}
	}
	abuse_thread(&all[0]);
	for (unsigned int i = 0; i < n; i++) {
		if (i > 0) {
			pthread_join(threads[i], NULL);
		}
		status = all[i].well && status == NEVER_WELL ? RAN : status;
		status = all[i].status ? all[i].status : status;
	}
	return status;
}

static int abuse_plans(const struct campaign *c, const struct opened *o,
	const struct golden_case *golden, struct plan_cache *plans, uint32_t subgraph)
{
	struct abuse *all = calloc(MAX_THREADS, sizeof(*all));
	int status = o->subgraph->n_inputs < MAX_INPUTS ? 0 : NOTHING;
	for (unsigned int i = 0; i < c->threads && status == 0; i++) {
		all[i] = (struct abuse){.campaign = c,
			.o = o,
			.golden = golden,
			.plans = plans,
			.random = c->seed * 2654435761u + i + 1,
			.n_inputs = o->subgraph->n_inputs,
			.subgraph = subgraph,
			.mutex = PTHREAD_MUTEX_INITIALIZER};
		if (session_new(plans, subgraph, &all[i].session, NULL) < 0) {
			status = NOTHING;
		}
	}
	if (status == 0) {
		status = run_sessions(all, c->threads);
	}
	for (unsigned int i = 0; i < c->threads; i++) {
		session_free(all[i].session);
	}
	free(all);
	return status;
}

static int try_opened(const struct campaign *c, const struct opened *o,
	const struct golden_case *golden, uint32_t subgraph)
{
	struct plan_cache plans = {
		.graph = o->graph,
		.backends = backends_builtin(),
		.cpu_features = ~0ull,
		.max_arena_bytes = 16u << 20,
		.max_prepared_bytes = 64u << 20,
		.max_macs = 2000000000,
		.max_loops = 1000,
		.max_plans = 4,
	};
	int status = NOTHING;
	struct error err = {0};
	if (plan_cache_init(&plans, &err) == 0 && plan_cache_enter(&plans, subgraph, &err) == 0) {
		status = abuse_plans(c, o, golden, &plans, subgraph);
	}
	plan_cache_deinit(&plans);
	return status;
}

/* The case that stands beside the model, or in a folder beside it. */
static struct golden_case *find_golden(const char *path)
{
	static const char *const places[] = {"", "/*"};
	struct golden_case *golden = NULL;
	char copy[4096], pattern[4200];
	glob_t found;
	snprintf(copy, sizeof(copy), "%s", path);
	const char *folder = dirname(copy);
	for (size_t i = 0; i < 2 && !golden; i++) {
		snprintf(pattern, sizeof(pattern), "%s%s/case.txt", folder, places[i]);
		if (glob(pattern, 0, NULL, &found) == 0) {
			(void)!golden_case_read(dirname(found.gl_pathv[0]), &golden, NULL);
			globfree(&found);
		}
	}
	if (golden && golden->signature) {
		golden_case_free(golden);
		golden = NULL;
	}
	return golden;
}

/* Exit status of the child. */
static int try(const struct campaign *c, const char *path, uint32_t subgraph, enum opening opening)
{
	owned_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	owned(model_free) struct model *model = NULL;
	owned(golden_case_free) struct golden_case *golden = NULL;
	struct opened o = {0};
	struct error err = {0};
	if (fd < 0 || model_open_fd(fd, &(struct model_limits){0}, &model, &err) < 0) {
		return NOTHING;
	}
	struct graph *graph = (struct graph *)(uintptr_t)model_graph(model);
	int status = NOTHING;
	if (subgraph < graph->n_subgraphs && opened_init(&o, graph, subgraph, opening)) {
		golden = subgraph == 0 ? find_golden(path) : NULL;
		status = try_opened(c, &o, golden, subgraph);
	}
	opened_deinit(&o);
	fflush(stdout);
	return status;
}

/* False when nobody needs to look at the model's further subgraphs. */
static bool try_forked(
	struct campaign *c, const char *path, uint32_t subgraph, enum opening opening)
{
	int status = 0;
	struct rusage usage;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		_exit(try(c, path, subgraph, opening));
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
		printf("fork: %s\n", strerror(errno));
		exit(1);
	}
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	bool large = MEASURED && usage.ru_maxrss > MAX_RSS_KIB * (long)c->threads;
	bool ran = (code == RAN || code == NOTHING || code == NEVER_WELL) && !large;
	c->passed += ran;
	c->failed += !ran;
	c->ran_well += code == RAN;
	if (!ran) {
		printf("%s: subgraph %u, opened %d, seed %lu: %s %d, %ld KiB\n", path, subgraph,
			(int)opening, c->seed, code < 0 ? "killed by signal" : "exit", abs(code),
			usage.ru_maxrss);
	}
	return code != NOTHING || opening != OPEN_NOTHING;
}

static void try_file(struct campaign *c, const char *path)
{
	for (uint32_t subgraph = 0; subgraph < MAX_SUBGRAPHS; subgraph++) {
		for (int opening = OPEN_NOTHING; opening < OPENINGS; opening++) {
			if (!try_forked(c, path, subgraph, (enum opening)opening)) {
				return;
			}
		}
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
		{"seed", required_argument, NULL, 's'}, {"threads", required_argument, NULL, 't'},
		{"scribble", no_argument, NULL, 'w'}, {0}};
	struct campaign c = {.count = 200, .seed = 1, .threads = 1};
	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (o == '?') {
			return 2;
		}
		c.count = o == 'c' ? strtoul(optarg, NULL, 10) : c.count;
		c.seed = o == 's' ? strtoul(optarg, NULL, 10) : c.seed;
		c.threads = o == 't' ? (unsigned int)strtoul(optarg, NULL, 10) : c.threads;
		c.scribble = o == 'w' ? true : c.scribble;
	}
	if (c.threads == 0 || c.threads > MAX_THREADS) {
		return 2;
	}
	for (int i = optind; i < argc; i++) {
		add_path(&c, argv[i], 0);
	}
	printf("%lu ran well at least once\n%lu passed, %lu failed\n", c.ran_well, c.passed,
		c.failed);
	return c.failed > 0 || c.passed == 0;
}
