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

/* One run of all steps of a case, in a session of its own. */
struct case_run {
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

static void set_difference(struct golden_result *result, const char *format, ...) printf_like(2, 3);

static void set_difference(struct golden_result *result, const char *format, ...)
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
		set_difference(result, "step %u output %u: %s", e->step, e->index, err.text);
		return false;
	}
	if (!shape_equal(&info.shape, &e->shape)) {
		char a[SHAPE_TEXT_SIZE], b[SHAPE_TEXT_SIZE];
		set_difference(result, "step %u output %u: expected shape %s, got %s", e->step,
			e->index, shape_format(a, sizeof(a), &e->shape),
			shape_format(b, sizeof(b), &info.shape));
		return false;
	}
	const void *data = edge_session_output(session, e->index, &bytes);
	if (!golden_compare(e, info.type, data, bytes, text, sizeof(text))) {
		set_difference(result, "step %u output %u: %s", e->step, e->index, text);
		return false;
	}
	return true;
}

/* Hashes all outputs, also those that the case does not list. */
static void add_outputs(struct case_run *run, struct edge_session *session)
{
	uint64_t bytes = 0;
	const void *data;
	for (uint32_t i = 0; (data = edge_session_output(session, i, &bytes)); i++) {
		run->digest = fnv(run->digest, data, bytes);
	}
}

/* Runs once to allocate all memory of a run, then resets the session. */
static int use_memory(struct case_run *run, struct edge_session *session, struct error *err)
{
	int r = each_input(run->golden, 0, resize_input, session, err);
	r = r < 0 ? r : each_input(run->golden, 0, fill_input, session, err);
	r = r < 0 ? r : edge_session_run(session, NULL, err);
	edge_session_reset(session);
	return r;
}

/* Plans the new shapes first, so that their memory is filled too. */
static void poison(const struct case_run *run, struct edge_session *session)
{
	struct edge_tensor_info info;
	if (run->fills) {
		(void)!edge_session_output_info(session, 0, &info, NULL);
		edge_session_fill(session, run->pattern);
	}
}

/* Returns false after a failure: no further step runs. */
static bool run_step(struct case_run *run, uint32_t step, struct edge_session *session,
	struct team *team, struct error *err)
{
	const struct run_control control = {.team = team};
	const struct golden_case *c = run->golden;
	int r = each_input(c, step, resize_input, session, err);
	if (r == 0) {
		poison(run, session);
		r = each_input(c, step, fill_input, session, err);
	}
	r = r < 0 ? r : edge_session_run(session, &control, err);
	if (golden_case_fails(c, step)) {
		if (r == 0) {
			set_difference(&run->result, "step %u: must be refused, but ran", step);
		}
		return r < 0;
	}
	if (r < 0) {
		set_difference(&run->result, "step %u: %s", step, err->text);
		return false;
	}
	if (run->fills) {
		add_outputs(run, session);
	}
	for (size_t i = 0; i < c->n_entries; i++) {
		const struct golden_entry *e = &c->entries[i];
		if (e->kind == GOLDEN_OUT && e->step == step &&
			!check_output(e, session, &run->result)) {
			return false;
		}
	}
	return true;
}

static void *run_thread(void *arg)
{
	struct case_run *run = arg;
	owned(backends_team_free) struct team *team = NULL;
	owned(edge_session_free) struct edge_session *session = NULL;
	struct error err = {0};
	int r = edge_session_new(run->model, (uint32_t)run->signature, &session, &err);
	if (r == 0 && run->team > 1) {
		r = backends_team_new(run->team, true, &team, &err);
	}
	if (r < 0) {
		if (!golden_case_fails(run->golden, 0)) {
			set_difference(&run->result, "session: %s", err.text);
		}
		return NULL;
	}
	if (run->fills && use_memory(run, session, &err) < 0 &&
		!golden_case_fails(run->golden, 0)) {
		set_difference(&run->result, "first run: %s", err.text);
		return NULL;
	}
	for (uint32_t step = 0; step < run->golden->n_steps; step++) {
		err = (struct error){0};
		if (!run_step(run, step, session, team, &err)) {
			break;
		}
	}
	return NULL;
}

static void run_in_threads(const struct golden_case *c, struct edge_model *model, int signature,
	uint32_t n_threads, uint32_t team, struct golden_result *result)
{
	owned_mem struct case_run *runs = calloc(n_threads, sizeof(*runs));
	assert(runs);
	for (uint32_t i = 0; i < n_threads; i++) {
		runs[i] = (struct case_run){
			.golden = c, .model = model, .signature = signature, .team = team};
	}
	for (uint32_t i = 1; i < n_threads; i++) {
		int r = pthread_create(&runs[i].thread, NULL, run_thread, &runs[i]);
		assert(r == 0);
	}
	run_thread(&runs[0]);
	*result = runs[0].result;
	for (uint32_t i = 1; i < n_threads; i++) {
		pthread_join(runs[i].thread, NULL);
		if (result->verdict == GOLDEN_PASSED) {
			*result = runs[i].result;
		}
	}
}

static void run_poisoned(const struct golden_case *c, struct edge_model *model, int signature,
	struct golden_result *result)
{
	static const uint8_t patterns[] = {0xff, 0x55}; /* as floats: NaN, and 1.5e13 */
	uint64_t digests[sizeof(patterns)];
	for (size_t i = 0; i < sizeof(patterns) && result->verdict == GOLDEN_PASSED; i++) {
		struct case_run run = {.golden = c,
			.model = model,
			.signature = signature,
			.team = 1,
			.fills = true,
			.pattern = patterns[i],
			.digest = FNV_START};
		run_thread(&run);
		*result = run.result;
		digests[i] = run.digest;
	}
	if (result->verdict == GOLDEN_PASSED && digests[0] != digests[1]) {
		set_difference(result, "outputs depend on what memory held before the run");
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
static void judge_load_failure(
	const struct golden_case *c, const struct error *err, struct golden_result *result)
{
	if (golden_case_fails(c, 0)) {
		return;
	}
	set_difference(result, "load: %s", err->text);
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
		set_difference(result, "no signature '%s'", c->signature);
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
struct run_mode {
	bool poisoned;
	uint32_t n_threads, team, disabled_rewrites;
};

static void run_sets(const struct golden_case *c, const uint64_t *masks, uint32_t n_masks,
	const struct run_mode *mode, struct golden_result *ret_result)
{
	uint64_t last = 0;
	*ret_result = (struct golden_result){0};
	for (uint32_t i = 0; i < n_masks && ret_result->verdict == GOLDEN_PASSED; i++) {
		const struct edge_options options = {.backends = backends_builtin(),
			.cpu_features = masks[i],
			.threads = mode->team,
			.disabled_rewrites = mode->disabled_rewrites};
		owned(edge_model_unref) struct edge_model *model = NULL;
		struct error err = {0};
		if (edge_model_open_file(c->model, &options, &model, &err) < 0) {
			judge_load_failure(c, &err, ret_result);
			return;
		}
		uint64_t variants = variants_of(model);
		int signature = find_signature(c, model, ret_result);
		if (signature >= 0 && (i == 0 || variants != last)) {
			if (mode->poisoned) {
				run_poisoned(c, model, signature, ret_result);
			} else {
				run_in_threads(c, model, signature, mode->n_threads, mode->team,
					ret_result);
			}
		}
		last = variants;
	}
	if (ret_result->verdict == GOLDEN_DIFFERS && has_string_scalar(c)) {
		ret_result->verdict = GOLDEN_LEFT_OUT;
	}
}

void golden_run(const struct golden_case *c, const uint64_t *masks, uint32_t n_masks,
	uint32_t n_threads, uint32_t team, uint32_t disabled_rewrites,
	struct golden_result *ret_result)
{
	const struct run_mode mode = {
		.n_threads = n_threads, .team = team, .disabled_rewrites = disabled_rewrites};
	run_sets(c, masks, n_masks, &mode, ret_result);
}

void golden_run_poisoned(const struct golden_case *c, const uint64_t *masks, uint32_t n_masks,
	uint32_t disabled_rewrites, struct golden_result *ret_result)
{
	const struct run_mode mode = {.poisoned = true,
		.n_threads = 1,
		.team = 1,
		.disabled_rewrites = disabled_rewrites};
	run_sets(c, masks, n_masks, &mode, ret_result);
}
