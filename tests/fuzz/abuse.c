/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/abuse.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backends.h"
#include "base/clock.h"
#include "base/strings.h"
#include "client/golden/golden_compare.h"
#include "engine/plan/plan_cache.h"
#include "engine/run/session.h"
#include "tests/fuzz/contents.h"
#include "tests/fuzz/mutant.h"

#define RUN_LIMIT_NS 50000000ull
#define CPU_LIMIT_NS 200000000ull /* of a run with its planning, natively */
#define MAX_INPUTS 1100
#define MAX_SIZES 64
#define STRINGS_AT_ONCE 5000

/* One session's way through hostile runs. */
struct abuse {
	const struct abuse_plan *campaign;
	const struct opened *o;
	const struct golden_case *golden; /* NULL: none, or not of this subgraph */
	struct plan_cache *plans;
	struct session *session;
	struct answer *first; /* to the benign inputs, before all else */
	uint64_t random;
	int64_t sizes[MAX_SIZES];
	uint32_t n_sizes, n_inputs, subgraph;
	unsigned long well;
	enum abuse_status status;
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

static void complain(struct abuse *a, enum abuse_status status, const char *format, ...)
	printf_like(3, 4);

static void complain(struct abuse *a, enum abuse_status status, const char *format, ...)
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
	const struct session_input *input = session_get_input(a->session, i);
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

/* All inputs in the shapes that they have in the file, or in the golden case. */
static void resize_back(struct abuse *a)
{
	for (uint32_t i = 0; i < a->n_inputs; i++) {
		const struct golden_entry *e = golden_input(a, i);
		struct shape shape = plan_declared_shape(&a->o->subgraph->tensors[a->o->inputs[i]]);
		(void)!session_resize(a->session, i, e ? &e->shape : &shape, NULL);
	}
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
			complain(a, ABUSE_OTHER_ANSWER, "output %u: another answer than %s",
				e->index, a->golden->folder);
		}
	}
	if (a->golden && golden_case_fails(a->golden, 0) && answer->result == 0) {
		complain(a, ABUSE_OTHER_ANSWER, "ran, but %s must be refused", a->golden->folder);
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
		complain(a, ABUSE_CHANGED, "an error without a text: %d", r);
	}
	if (ABUSE_MEASURED && !a->campaign->scribble && took > CPU_LIMIT_NS) {
		complain(a, ABUSE_SLOW, "%llu ms of CPU time (%d %s)",
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
		complain(a, ABUSE_CHANGED, "another answer than before: %d %d %s", before->result,
			after->result, err.text);
	}
	unbind_all(a);
	return NULL;
}

static enum abuse_status run_sessions(struct abuse *all, unsigned int n)
{
	pthread_t threads[ABUSE_MAX_THREADS];
	enum abuse_status status = ABUSE_NEVER_WELL;
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
		status = all[i].well && status == ABUSE_NEVER_WELL ? ABUSE_RAN : status;
		status = all[i].status ? all[i].status : status;
	}
	return status;
}

static enum abuse_status abuse_plans(const struct abuse_plan *c, const struct opened *o,
	const struct golden_case *golden, struct plan_cache *plans, uint32_t subgraph)
{
	struct abuse *all = calloc(ABUSE_MAX_THREADS, sizeof(*all));
	enum abuse_status status = o->subgraph->n_inputs < MAX_INPUTS ? ABUSE_RAN : ABUSE_NOTHING;
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
			status = ABUSE_NOTHING;
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

enum abuse_status abuse_graph(const struct abuse_plan *c, const struct opened *o,
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
	enum abuse_status status = ABUSE_NOTHING;
	struct error err = {0};
	if (plan_cache_init(&plans, &err) == 0 && plan_cache_enter(&plans, subgraph, &err) == 0) {
		status = abuse_plans(c, o, golden, &plans, subgraph);
	}
	plan_cache_deinit(&plans);
	return status;
}
