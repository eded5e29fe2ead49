/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/cost_trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strings.h"
#include "engine/plan/plan_cache.h"
#include "engine/run/session.h"
#include "tests/fuzz/contents.h"
#include "tests/fuzz/meter.h"

#define MAX_FILLED (4u << 20) /* bytes of an input that are filled */
#define MAX_TEXT (1u << 16) /* bytes of a string that is the only one */
#define MAX_INPUTS 80
#define LATE_NS 2000000ull /* that a cancelled run went on: it is run again */
#define MORE_REPETITIONS 8
#define CAPS 200 /* a graph gets so many times trial_plan.cap_ns */
#define LOOKS_CAPS 4 /* so many takes a run whose looks are counted */
#define ALL_LOOKS_CAPS 100 /* all of them */
#define MAX_FACTOR (1u << 26)
#define MAX_SIZES 8 /* elements of a constant that may be sizes */

enum filling {
	FILL_MILD,
	FILL_ZERO,
	FILL_ONES, /* every bit */
	FILL_TINY, /* denormals, 1 */
	FILL_RISING,
	FILL_FALLING,
	FILL_HOSTILE,
	FILLINGS
};

/* Of runs of one shape. */
struct measured {
	double rate; /* of the worst node */
	uint64_t ns; /* of the fastest; UINT64_MAX: refused */
	uint64_t stop_ns; /* of the worst node: finding_stop_ns() */
};

/* What grows. */
struct growth {
	int input, dimension; /* -1: all */
	bool of_values; /* not the input's dimension but its element of that number */
	uint32_t factor;
};

/* With what it is the worst by. */
struct extreme {
	struct growth growth;
	uint64_t run_ns, by;
	double rate;
};

struct trial {
	const struct trial_plan *plan;
	const struct opened *o;
	struct session *session;
	struct meter meter;
	uint8_t *bound[MAX_INPUTS]; /* strings */
	uint64_t random;
	uint64_t spent_ns; /* in runs */
	uint64_t looks_spent_ns; /* in those whose looks are counted */
	bool counts_looks;
	struct extreme blindest, longest;
	struct growth growth;
	enum filling filling;
	void (*found)(void *context, const struct finding *finding);
	void *context;
};

double finding_rate(const struct finding *finding)
{
	return (double)finding->ns / (double)(finding->macs ? finding->macs : 1);
}

uint64_t finding_stop_ns(const struct finding *finding)
{
	return finding->late_ns > finding->blind_ns ? finding->late_ns : finding->blind_ns;
}

/* The shape that is declared, or larger. */
static bool grow_shape(const struct growth *g, uint32_t i, struct shape *shape)
{
	bool chosen = !g->of_values && (g->input < 0 || g->input == (int)i), grown = false;
	for (int k = 0; chosen && k < shape->rank; k++) {
		if ((g->dimension < 0 || g->dimension == k) && shape->dim[k] > 0 &&
			shape->dim[k] < SHAPE_MAX_DIM / (int32_t)g->factor) {
			shape->dim[k] *= (int32_t)g->factor;
			grown = true;
		}
	}
	return grown;
}

/* False when nothing became larger. */
static bool grow(struct trial *t)
{
	bool grown = t->growth.of_values;
	for (uint32_t i = 0; i < t->o->subgraph->n_inputs; i++) {
		struct shape shape = plan_declared_shape(&t->o->subgraph->tensors[t->o->inputs[i]]);
		grown |= grow_shape(&t->growth, i, &shape);
		if (session_resize(t->session, i, &shape, NULL) < 0) {
			return false;
		}
	}
	return grown;
}

static void fill_strings(struct trial *t, uint32_t i)
{
	uint64_t n = 0;
	(void)!shape_elements(&session_get_input(t->session, i)->shape, &n);
	/* Rules count strings, whose bytes only a run knows: they are short. A text stands alone. */
	uint32_t length = n == 1 ? MAX_TEXT : 16;
	uint64_t bytes = strings_head_bytes(n) + n * length;
	uint8_t *table = bytes < MAX_FILLED ? contents_memory(bytes) : NULL;
	if (!table) {
		return;
	}
	struct strings_writer w = strings_writer_of(table, (uint32_t)n);
	for (uint64_t k = 0; k < n; k++) {
		char *text = strings_reserve(&w, length);
		for (uint32_t c = 0; c < length; c++) {
			text[c] = c % 2 && t->filling == FILL_MILD ? ' ' : 'a';
		}
	}
	if (session_bind_input(t->session, i, table, bytes, NULL) < 0) {
		free(table);
		return;
	}
	free(t->bound[i]);
	t->bound[i] = table;
}

/* Numbers that rise to the end, or fall, in as many values as the type has room for. */
static void fill_sorted(unsigned int type, uint8_t *data, uint64_t bytes, bool falling)
{
	unsigned int width = dtype_bits(type) / 8;
	for (uint64_t i = 0; width && i + width <= bytes; i += width) {
		uint64_t v = (falling ? bytes - i : i) / width;
		float real = (float)v;
		if (width == 1) {
			v = v * 255 / (bytes + 1);
		}
		if (type == DTYPE_FLOAT32) {
			memcpy(data + i, &real, sizeof(real));
		} else {
			memcpy(data + i, &v, width < sizeof(v) ? width : sizeof(v));
		}
	}
}

static void fill_tiny(unsigned int type, uint8_t *data, uint64_t bytes)
{
	unsigned int width = dtype_bits(type) / 8;
	const uint64_t one = 1, denormal = type == DTYPE_FLOAT32 ? 0x00012345 : 0x1234;
	const uint64_t *v = type == DTYPE_FLOAT32 || type == DTYPE_FLOAT64 ? &denormal : &one;
	for (uint64_t i = 0; width && i + width <= bytes; i += width) {
		memcpy(data + i, v, width < sizeof(*v) ? width : sizeof(*v));
	}
}

/* What a constant had, over and over, so that indices and sizes stay what they may be. */
static void repeat(uint8_t *data, uint64_t bytes, const uint8_t *was, uint64_t was_bytes)
{
	for (uint64_t i = 0; i < bytes; i += was_bytes) {
		memcpy(data + i, was, (size_t)(bytes - i < was_bytes ? bytes - i : was_bytes));
	}
}

static int64_t scale_value(int64_t v, uint32_t factor)
{
	return v <= 0 ? v : v < INT32_MAX / (int64_t)factor ? v * (int64_t)factor : INT32_MAX;
}

/* Elements of what was a constant, as sizes of a result are. */
static void grow_values(const struct growth *g, unsigned int type, uint8_t *data, uint64_t bytes)
{
	const uint64_t width = dtype_bits(type) / 8;
	for (uint64_t k = 0; k < bytes / width; k++) {
		int32_t v32 = ((int32_t *)data)[k];
		if (g->dimension >= 0 && g->dimension != (int)k) {
			continue;
		}
		if (type == DTYPE_INT32) {
			((int32_t *)data)[k] = (int32_t)scale_value(v32, g->factor);
		} else {
			((int64_t *)data)[k] = scale_value(((int64_t *)data)[k], g->factor);
		}
	}
}

/* Elements of input @i where it was a constant that may be sizes, else 0. */
static int count_sizes(const struct trial *t, uint32_t i)
{
	const struct tensor *tensor = &t->o->subgraph->tensors[t->o->inputs[i]];
	const uint64_t width = dtype_bits(tensor->type) / 8;
	const bool is_size = tensor->type == DTYPE_INT32 || tensor->type == DTYPE_INT64;
	return is_size && t->o->was[t->o->inputs[i]] && tensor->data_bytes <= MAX_SIZES * width
		? (int)(tensor->data_bytes / width)
		: 0;
}

static void fill_input(struct trial *t, uint32_t i)
{
	int32_t tensor = t->o->inputs[i];
	unsigned int type = t->o->subgraph->tensors[tensor].type;
	uint64_t bytes = 0,
		 was_bytes = t->o->was[tensor] ? t->o->subgraph->tensors[tensor].data_bytes : 0;
	const struct shape *shape = &session_get_input(t->session, i)->shape;
	const int64_t sizes[] = {shape->dim[0], shape->dim[1], shape->dim[2]};
	const struct contents contents = {type, t->o->was[tensor], was_bytes, sizes, 3};
	uint8_t *data = type == DTYPE_STRING ? NULL : session_input(t->session, i, &bytes);
	if (type == DTYPE_STRING) {
		fill_strings(t, i);
	}
	if (!data || !dtype_bits(type)) {
		return;
	}
	bytes = bytes < MAX_FILLED ? bytes : MAX_FILLED;
	if (was_bytes && t->filling != FILL_HOSTILE) {
		repeat(data, bytes, t->o->was[tensor], was_bytes);
		if (t->growth.of_values && t->growth.input == (int)i) {
			grow_values(&t->growth, type, data, bytes);
		}
		return;
	}
	switch (t->filling) {
	case FILL_MILD:
		contents_fill_mildly(type, data, bytes, &t->random);
		return;
	case FILL_TINY:
		fill_tiny(type, data, bytes);
		return;
	case FILL_RISING:
	case FILL_FALLING:
		fill_sorted(type, data, bytes, t->filling == FILL_FALLING);
		return;
	case FILL_HOSTILE:
		contents_fill(&contents, data, bytes, &t->random);
		return;
	default:
		memset(data, t->filling == FILL_ONES ? 0xff : 0, (size_t)bytes);
	}
}

static bool is_float(unsigned int type)
{
	return type == DTYPE_FLOAT16 || type == DTYPE_FLOAT32 || type == DTYPE_FLOAT64 ||
		type == DTYPE_COMPLEX64;
}

static void describe(const struct trial *t, char *text, size_t size)
{
	snprintf(text, size, "input %d, %s %d, x%u, values %d:", t->growth.input,
		t->growth.of_values ? "element" : "dimension", t->growth.dimension,
		t->growth.factor, (int)t->filling);
	for (uint32_t i = 0; i < t->o->subgraph->n_inputs && i < 3; i++) {
		char shape[SHAPE_TEXT_SIZE];
		size_t at = strlen(text);
		snprintf(text + at, size - at, " %s",
			shape_format(
				shape, sizeof(shape), &session_get_input(t->session, i)->shape));
	}
}

/* Tells what the last runs found. Counted looks take time: they have no part in rates. */
static void tell(struct trial *t, const struct metered *nodes, uint32_t n, struct measured *ret)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct metered *m = &nodes[i];
		struct finding f = {.op = m->node->op,
			.type = (uint16_t)m->type,
			.denormal = t->filling == FILL_TINY && is_float(m->type),
			.result = m->result,
			.macs = m->macs,
			.ns = t->counts_looks ? 0 : m->ns,
			.late_ns = m->late_ns,
			.blind_ns = m->blind_ns};
		const uint64_t stop_ns = finding_stop_ns(&f);
		if (m->result < 0 && m->result != -ECANCELED) {
			continue;
		}
		if (m->ns < TRIAL_FLOOR_NS && stop_ns < TRIAL_FLOOR_NS) {
			continue;
		}
		describe(t, f.shape, sizeof(f.shape));
		t->found(t->context, &f);
		ret->rate = finding_rate(&f) > ret->rate ? finding_rate(&f) : ret->rate;
		ret->stop_ns = stop_ns > ret->stop_ns ? stop_ns : ret->stop_ns;
	}
}

static bool is_spent(const struct trial *t)
{
	return t->counts_looks ? t->looks_spent_ns > ALL_LOOKS_CAPS * t->plan->cap_ns
			       : t->spent_ns > CAPS * t->plan->cap_ns;
}

static bool is_late(const struct metered *nodes, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (nodes[i].late_ns > LATE_NS || nodes[i].blind_ns > LATE_NS) {
			return true;
		}
	}
	return false;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Leaves the smaller times of both in @best. */
static void merge(struct metered *best, const struct metered *other)
{
	/* A node that a cancelled run came to later is no faster. */
	if (other->result == 0 || best->result < 0) {
		best->ns = best->result == other->result ? least(best->ns, other->ns) : other->ns;
		best->result = other->result;
	}
	best->late_ns = least(best->late_ns, other->late_ns);
	best->blind_ns = least(best->blind_ns, other->blind_ns);
}

/* One run; its CPU time, UINT64_MAX where the model refuses the values. */
static uint64_t run_once(struct trial *t, uint64_t cap_ns)
{
	struct meter *m = &t->meter;
	uint64_t from = clock_thread_cpu_ns();
	if (t->counts_looks) {
		meter_start_looks(m, cap_ns);
	} else {
		meter_start(m, cap_ns);
	}
	int r = session_run(t->session, &m->control, NULL);
	uint64_t ns = clock_thread_cpu_ns() - from;
	meter_stop(m);
	*(t->counts_looks ? &t->looks_spent_ns : &t->spent_ns) += ns;
	return r < 0 && r != -ECANCELED ? UINT64_MAX : ns;
}

/* Runs several times; of each node the smallest times. */
static struct measured run(struct trial *t, uint32_t repetitions, uint64_t cap_ns)
{
	struct metered best[METER_NODES];
	struct measured measured = {.ns = UINT64_MAX};
	const struct meter *m = &t->meter;
	uint32_t n = 0;
	for (uint32_t k = 0; k < repetitions || (k < MORE_REPETITIONS && is_late(best, n)); k++) {
		uint64_t ns = run_once(t, cap_ns);
		if (ns == UINT64_MAX) {
			break;
		}
		for (uint32_t i = 0; i < m->n_nodes; i++) {
			if (i < n) {
				merge(&best[i], &m->nodes[i]);
			} else {
				best[i] = m->nodes[i];
			}
		}
		n = n < m->n_nodes ? m->n_nodes : n;
		measured.ns = least(measured.ns, ns);
		if ((k == 0 && ns < TRIAL_FLOOR_NS) || is_spent(t)) {
			break;
		}
	}
	tell(t, best, n, &measured);
	return measured;
}

static void fill(struct trial *t, enum filling filling)
{
	t->filling = filling;
	for (uint32_t i = 0; i < t->o->subgraph->n_inputs && i < MAX_INPUTS; i++) {
		fill_input(t, i);
	}
}

/* False when nothing became larger, or a limit refuses it. */
static bool grow_to(struct trial *t, uint32_t factor)
{
	const struct subgraph_plan *plan = NULL;
	t->growth.factor = factor;
	return grow(t) && session_plan(t->session, &plan, NULL) == 0;
}

/* Grows until a run takes long enough, or is refused. The worst rate; *ret_factor is its factor,
 * *ret_ran the largest. */
static double grow_one(struct trial *t, uint32_t *ret_factor, uint32_t *ret_ran)
{
	static const uint32_t factors[] = {1, 4, 32, 256, 2048, 16384, 131072, 1048576};
	double worst = 0;
	for (size_t i = 0; i < sizeof(factors) / sizeof(factors[0]) && !is_spent(t); i++) {
		if (!grow_to(t, factors[i])) {
			continue;
		}
		fill(t, FILL_MILD);
		const struct measured m = run(t, 2, t->plan->cap_ns);
		*ret_ran = m.ns < UINT64_MAX ? t->growth.factor : *ret_ran;
		if (m.rate > worst) {
			worst = m.rate;
			*ret_factor = t->growth.factor;
		}
		if (m.ns != UINT64_MAX && m.ns >= t->plan->cap_ns / 2) {
			break;
		}
	}
	return worst;
}

static void note(const struct trial *t, struct extreme *extreme, uint64_t run_ns, uint64_t by)
{
	if (by > extreme->by) {
		*extreme = (struct extreme){t->growth, run_ns, by, 0};
	}
}

/* False when @factor is refused. */
static bool count_looks(struct trial *t, uint32_t factor)
{
	if (!grow_to(t, factor)) {
		return false;
	}
	fill(t, FILL_MILD);
	const struct measured m = run(t, 1, LOOKS_CAPS * t->plan->cap_ns);
	if (m.ns == UINT64_MAX) {
		return false;
	}
	note(t, &t->blindest, m.ns, m.stop_ns);
	note(t, &t->longest, m.ns, m.ns);
	return true;
}

/* @ran: a factor with which a run takes about as long as it may, so that its end is seen as well. */
static void try_largest(struct trial *t, uint32_t ran)
{
	uint32_t largest = ran;
	t->counts_looks = true;
	if (ran && !is_spent(t) && count_looks(t, ran)) {
		while (largest < MAX_FACTOR && grow_to(t, 2 * largest)) {
			largest *= 2;
		}
		/* What has a plan may still find no memory. */
		while (largest > ran && !is_spent(t) && !count_looks(t, largest)) {
			largest /= 2;
		}
	}
	t->counts_looks = false;
}

static bool return_to(struct trial *t, const struct extreme *extreme)
{
	t->growth = extreme->growth;
	return extreme->growth.factor && grow_to(t, extreme->growth.factor);
}

static void run_all_values(struct trial *t, const struct extreme *extreme)
{
	for (int filling = 0; filling < FILLINGS && !is_spent(t) && return_to(t, extreme);
		filling++) {
		fill(t, (enum filling)filling);
		if (t->counts_looks) {
			run(t, 1, LOOKS_CAPS * t->plan->cap_ns);
		} else {
			run(t, t->plan->repetitions, t->plan->cap_ns);
		}
	}
}

/* Cancelled early, in the middle and late. */
static void cancel_thrice(struct trial *t, const struct extreme *extreme)
{
	for (uint64_t eighths = 1; eighths < 8; eighths += 3) {
		if (return_to(t, extreme)) {
			fill(t, FILL_MILD);
			run(t, t->plan->repetitions, extreme->run_ns / 8 * eighths + 1);
		}
	}
}

/* Takes over to @worst what is worse. */
static void search_one(struct trial *t, const struct growth *growth, struct extreme *worst)
{
	uint32_t factor = 0, ran = 0;
	t->growth = *growth;
	double rate = grow_one(t, &factor, &ran);
	if (rate > worst->rate) {
		*worst = (struct extreme){.growth = *growth, .rate = rate};
		worst->growth.factor = factor;
	}
	try_largest(t, ran);
}

static void search(struct trial *t)
{
	struct extreme worst = {0};
	uint32_t n = t->o->subgraph->n_inputs < 8 ? t->o->subgraph->n_inputs : 8;
	for (int input = -1; input < (n == 1 ? 0 : (int)n); input++) {
		for (int dimension = -1; dimension < 5; dimension++) {
			search_one(t, &(struct growth){input, dimension, false, 1}, &worst);
		}
		const int sizes = input < 0 ? 0 : count_sizes(t, (uint32_t)input);
		for (int element = sizes > 1 ? -1 : 0; element < sizes; element++) {
			search_one(t, &(struct growth){input, element, true, 1}, &worst);
		}
	}
	run_all_values(t, &worst);
	t->counts_looks = true;
	run_all_values(t, &t->blindest);
	t->counts_looks = false;
	cancel_thrice(t, &t->blindest);
	cancel_thrice(t, &t->longest);
}

void trial_graph(const struct trial_plan *plan, const struct opened *o,
	void (*found)(void *context, const struct finding *finding), void *context)
{
	struct trial t = {.plan = plan, .o = o, .random = 77, .found = found, .context = context};
	struct plan_cache plans = {
		.graph = o->graph,
		.backends = meter_backends(),
		.cpu_features = ~0ull,
		.max_arena_bytes = 256u << 20,
		.max_prepared_bytes = 256u << 20,
		.max_macs = 50000000000ull,
		.max_loops = 10000000,
		.max_plans = 4,
	};
	if (meter_init(&t.meter) == 0) {
		if (plan_cache_init(&plans, NULL) == 0 && plan_cache_enter(&plans, 0, NULL) == 0 &&
			session_new(&plans, 0, &t.session, NULL) == 0) {
			search(&t);
		}
		session_free(t.session);
		plan_cache_deinit(&plans);
		for (uint32_t i = 0; i < MAX_INPUTS; i++) {
			free(t.bound[i]);
		}
		meter_deinit(&t.meter);
	}
}
