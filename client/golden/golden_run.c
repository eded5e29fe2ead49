/* SPDX-License-Identifier: Apache-2.0 */
#include "client/golden/golden_run.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "backends/backends.h"
#include "base/bytes.h"
#include "client/golden/golden_compare.h"
#include "engine/edge.h"

/* One session that runs all steps. */
struct walk {
	const struct golden_case *golden;
	struct edge_model *model;
	int signature;
	uint32_t team;
	bool fills; /* fills memory with @pattern before each step */
	uint8_t pattern;
	uint64_t digest; /* of all outputs so far */
	pthread_t thread;
	struct golden_result result;
};

#define FNV_START 14695981039346656037u

static uint64_t fnv(uint64_t hash, const void *data, uint64_t bytes)
{
	for (uint64_t i = 0; i < bytes; i++) {
		hash = (hash ^ ((const uint8_t *)data)[i]) * 1099511628211u;
	}
	return hash;
}

static void differs(struct golden_result *result, const char *format, ...) printf_like(2, 3);

static void differs(struct golden_result *result, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(result->text, sizeof(result->text), format, args);
	va_end(args);
	result->verdict = GOLDEN_DIFFERS;
}

typedef int input_fn(
	const struct golden_entry *entry, struct edge_session *session, struct error *err);

/* Calls @fn for each input of the step. */
static int each_input(const struct golden_case *c, uint32_t step, input_fn *fn,
	struct edge_session *session, struct error *err)
{
	int r = 0;
	for (size_t i = 0; i < c->n_entries && r == 0; i++) {
		const struct golden_entry *e = &c->entries[i];
		r = e->kind == GOLDEN_IN && e->step == step ? fn(e, session, err) : 0;
	}
	return r;
}

static int resize_input(
	const struct golden_entry *e, struct edge_session *session, struct error *err)
{
	struct edge_tensor_info info;
	int r = edge_session_input_info(session, e->index, &info, err);
	if (r == 0 && info.type != e->type) {
		r = error_set(err, -EINVAL, "input %u is %s, the case has %s", e->index,
			dtype_name(info.type), dtype_name(e->type));
	}
	return r < 0 || shape_equal(&info.shape, &e->shape)
		? r
		: edge_session_resize(session, e->index, &e->shape, err);
}

static int fill_input(const struct golden_entry *e, struct edge_session *session, struct error *err)
{
	struct edge_tensor_info info;
	uint64_t bytes = 0;
	int r = edge_session_input_info(session, e->index, &info, err);
	if (r < 0 || e->type == DTYPE_STRING) {
		return r < 0 ? r
			     : edge_session_bind_input(session, e->index, e->data, e->bytes, err);
	}
	void *data = edge_session_input(session, e->index, &bytes);
	if (bytes != e->bytes || (bytes && !data)) {
		return error_set(err, -EINVAL, "input %u has %" PRIu64 " bytes, the case %zu",
			e->index, bytes, e->bytes);
	}
	if (bytes) {
		memcpy(data, e->data, e->bytes);
	}
	return 0;
}

static bool check_output(
	const struct golden_entry *e, struct edge_session *session, struct golden_result *result)
{
	struct edge_tensor_info info;
	struct error err = {0};
	uint64_t bytes = 0;
	char text[256];
	if (edge_session_output_info(session, e->index, &info, &err) < 0) {
		differs(result, "step %u output %u: %s", e->step, e->index, err.text);
		return false;
	}
	if (!shape_equal(&info.shape, &e->shape)) {
		char a[SHAPE_TEXT_SIZE], b[SHAPE_TEXT_SIZE];
		differs(result, "step %u output %u: expected shape %s, got %s", e->step, e->index,
			shape_format(a, sizeof(a), &e->shape),
			shape_format(b, sizeof(b), &info.shape));
		return false;
	}
	const void *data = edge_session_output(session, e->index, &bytes);
	if (!golden_compare(e, info.type, data, bytes, text, sizeof(text))) {
		differs(result, "step %u output %u: %s", e->step, e->index, text);
		return false;
	}
	return true;
}

/* Hashes all outputs, also those that the case does not list. */
static void add_outputs(struct walk *walk, struct edge_session *session)
{
	uint64_t bytes = 0;
	const void *data;
	for (uint32_t i = 0; (data = edge_session_output(session, i, &bytes)); i++) {
		walk->digest = fnv(walk->digest, data, bytes);
	}
}

/* Runs once to allocate all memory of a run, then resets the session. */
static int use_memory(struct walk *walk, struct edge_session *session, struct error *err)
{
	int r = each_input(walk->golden, 0, resize_input, session, err);
	r = r < 0 ? r : each_input(walk->golden, 0, fill_input, session, err);
	r = r < 0 ? r : edge_session_run(session, NULL, err);
	edge_session_reset(session);
	return r;
}

/* Plans the new shapes first, so that their memory is filled too. */
static void poison(const struct walk *walk, struct edge_session *session)
{
	struct edge_tensor_info info;
	if (walk->fills) {
		(void)!edge_session_output_info(session, 0, &info, NULL);
		edge_session_fill(session, walk->pattern);
	}
}

/* Returns false after a failure: no further step runs. */
static bool run_step(struct walk *walk, uint32_t step, struct edge_session *session,
	struct team *team, struct error *err)
{
	const struct run_control control = {.team = team};
	const struct golden_case *c = walk->golden;
	int r = each_input(c, step, resize_input, session, err);
	if (r == 0) {
		poison(walk, session);
		r = each_input(c, step, fill_input, session, err);
	}
	r = r < 0 ? r : edge_session_run(session, &control, err);
	if (golden_case_fails(c, step)) {
		if (r == 0) {
			differs(&walk->result, "step %u: must be refused, but ran", step);
		}
		return r < 0;
	}
	if (r < 0) {
		differs(&walk->result, "step %u: %s", step, err->text);
		return false;
	}
	if (walk->fills) {
		add_outputs(walk, session);
	}
	for (size_t i = 0; i < c->n_entries; i++) {
		const struct golden_entry *e = &c->entries[i];
		if (e->kind == GOLDEN_OUT && e->step == step &&
			!check_output(e, session, &walk->result)) {
			return false;
		}
	}
	return true;
}

static void *walk_thread(void *arg)
{
	struct walk *walk = arg;
	owned(backends_team_free) struct team *team = NULL;
	owned(edge_session_free) struct edge_session *session = NULL;
	struct error err = {0};
	int r = edge_session_new(walk->model, (uint32_t)walk->signature, &session, &err);
	if (r == 0 && walk->team > 1) {
		r = backends_team_new(walk->team, true, &team, &err);
	}
	if (r < 0) {
		if (!golden_case_fails(walk->golden, 0)) {
			differs(&walk->result, "session: %s", err.text);
		}
		return NULL;
	}
	if (walk->fills && use_memory(walk, session, &err) < 0 &&
		!golden_case_fails(walk->golden, 0)) {
		differs(&walk->result, "first run: %s", err.text);
		return NULL;
	}
	for (uint32_t step = 0; step < walk->golden->n_steps; step++) {
		err = (struct error){0};
		if (!run_step(walk, step, session, team, &err)) {
			break;
		}
	}
	return NULL;
}

static void walk_threads(const struct golden_case *c, struct edge_model *model, int signature,
	uint32_t n_threads, uint32_t team, struct golden_result *result)
{
	owned_mem struct walk *walks = calloc(n_threads, sizeof(*walks));
	assert(walks);
	for (uint32_t i = 0; i < n_threads; i++) {
		walks[i] = (struct walk){
			.golden = c, .model = model, .signature = signature, .team = team};
	}
	for (uint32_t i = 1; i < n_threads; i++) {
		int r = pthread_create(&walks[i].thread, NULL, walk_thread, &walks[i]);
		assert(r == 0);
	}
	walk_thread(&walks[0]);
	*result = walks[0].result;
	for (uint32_t i = 1; i < n_threads; i++) {
		pthread_join(walks[i].thread, NULL);
		if (result->verdict == GOLDEN_PASSED) {
			*result = walks[i].result;
		}
	}
}

static void walk_poisoned(const struct golden_case *c, struct edge_model *model, int signature,
	struct golden_result *result)
{
	static const uint8_t patterns[] = {0xff, 0x55}; /* as floats: NaN, and 1.5e13 */
	uint64_t digests[sizeof(patterns)];
	for (size_t i = 0; i < sizeof(patterns) && result->verdict == GOLDEN_PASSED; i++) {
		struct walk walk = {.golden = c,
			.model = model,
			.signature = signature,
			.team = 1,
			.fills = true,
			.pattern = patterns[i],
			.digest = FNV_START};
		walk_thread(&walk);
		*result = walk.result;
		digests[i] = walk.digest;
	}
	if (result->verdict == GOLDEN_PASSED && digests[0] != digests[1]) {
		differs(result, "outputs depend on what memory held before the run");
	}
}

/* Returns a hash of the chosen kernel variants (FNV-1a over their names). */
static uint64_t variants_of(const struct edge_model *model)
{
	uint64_t hash = FNV_START;
	for (uint32_t i = 0; i < edge_model_node_count(model); i++) {
		struct edge_node_info info;
		if (edge_model_node(model, 0, i, &info) < 0) {
			continue;
		}
		hash = fnv(hash, info.detail, strlen(info.detail) + 1);
	}
	return hash;
}

/* Judges a model that failed to load: correct if the first run must fail. */
static void judge_refusal(
	const struct golden_case *c, const struct error *err, struct golden_result *result)
{
	if (golden_case_fails(c, 0)) {
		return;
	}
	differs(result, "load: %s", err->text);
	if (err->code == -EOPNOTSUPP) {
		result->verdict = GOLDEN_MISSING;
	}
}

/* Returns the index of the case's signature, 0 if it names none, -1 if the model lacks it. */
static int find_signature(
	const struct golden_case *c, const struct edge_model *model, struct golden_result *result)
{
	int signature = c->signature ? edge_model_find_signature(model, c->signature) : 0;
	if (signature < 0) {
		differs(result, "no signature '%s'", c->signature);
	}
	return signature;
}

static bool has_string_scalar(const struct golden_case *c)
{
	for (size_t i = 0; i < c->n_entries; i++) {
		const struct golden_entry *e = &c->entries[i];
		if (e->kind == GOLDEN_IN && e->type == DTYPE_STRING && e->shape.rank == 0) {
			return true;
		}
	}
	return false;
}

/* How a case runs on one set of kernel variants. */
struct way {
	bool poisoned;
	uint32_t n_threads, team, without;
};

static void run_sets(const struct golden_case *c, const uint64_t *masks, uint32_t n_masks,
	const struct way *way, struct golden_result *ret_result)
{
	uint64_t last = 0;
	*ret_result = (struct golden_result){0};
	for (uint32_t i = 0; i < n_masks && ret_result->verdict == GOLDEN_PASSED; i++) {
		const struct edge_options options = {.backends = backends_builtin(),
			.cpu_features = masks[i],
			.threads = way->team,
			.without = way->without};
		owned(edge_model_unref) struct edge_model *model = NULL;
		struct error err = {0};
		if (edge_model_open_file(c->model, &options, &model, &err) < 0) {
			judge_refusal(c, &err, ret_result);
			return;
		}
		uint64_t variants = variants_of(model);
		int signature = find_signature(c, model, ret_result);
		if (signature >= 0 && (i == 0 || variants != last)) {
			if (way->poisoned) {
				walk_poisoned(c, model, signature, ret_result);
			} else {
				walk_threads(
					c, model, signature, way->n_threads, way->team, ret_result);
			}
		}
		last = variants;
	}
	if (ret_result->verdict == GOLDEN_DIFFERS && has_string_scalar(c)) {
		ret_result->verdict = GOLDEN_LEFT_OUT;
	}
}

void golden_run(const struct golden_case *c, const uint64_t *masks, uint32_t n_masks,
	uint32_t n_threads, uint32_t team, uint32_t without, struct golden_result *ret_result)
{
	const struct way way = {.n_threads = n_threads, .team = team, .without = without};
	run_sets(c, masks, n_masks, &way, ret_result);
}

void golden_run_poisoned(const struct golden_case *c, const uint64_t *masks, uint32_t n_masks,
	uint32_t without, struct golden_result *ret_result)
{
	const struct way way = {.poisoned = true, .n_threads = 1, .team = 1, .without = without};
	run_sets(c, masks, n_masks, &way, ret_result);
}
