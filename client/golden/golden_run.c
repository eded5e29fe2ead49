/* SPDX-License-Identifier: Apache-2.0 */
#include "client/golden/run.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "backends/backends.h"
#include "base/bytes.h"
#include "client/golden/compare.h"
#include "engine/edge.h"

/* One session's way through all steps. */
struct walk {
	const struct golden_case *golden;
	struct edge_model *model;
	int signature;
	uint32_t team;
	pthread_t thread;
	struct golden_result result;
};

static void differs(struct golden_result *result, const char *format, ...) printf_like(2, 3);

static void differs(struct golden_result *result, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(result->text, sizeof(result->text), format, args);
	va_end(args);
	result->verdict = GOLDEN_DIFFERS;
}

static int resize_inputs(
	const struct golden_case *c, uint32_t step, struct edge_session *session, struct error *err)
{
	for (size_t i = 0; i < c->n_entries; i++) {
		const struct golden_entry *e = &c->entries[i];
		struct edge_tensor_info info;
		if (e->kind != GOLDEN_IN || e->step != step) {
			continue;
		}
		int r = edge_session_input_info(session, e->index, &info, err);
		if (r == 0 && info.type != e->type) {
			r = error_set(err, -EINVAL, "input %u is %s, the case has %s", e->index,
				dtype_name(info.type), dtype_name(e->type));
		}
		if (r == 0 && !shape_equal(&info.shape, &e->shape)) {
			r = edge_session_resize(session, e->index, &e->shape, err);
		}
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int fill_inputs(
	const struct golden_case *c, uint32_t step, struct edge_session *session, struct error *err)
{
	for (size_t i = 0; i < c->n_entries; i++) {
		const struct golden_entry *e = &c->entries[i];
		struct edge_tensor_info info;
		uint64_t bytes = 0;
		if (e->kind != GOLDEN_IN || e->step != step) {
			continue;
		}
		int r = edge_session_input_info(session, e->index, &info, err);
		if (r < 0) {
			return r;
		}
		if (e->type == DTYPE_STRING) {
			r = edge_session_bind_input(session, e->index, e->data, e->bytes, err);
			if (r < 0) {
				return r;
			}
			continue;
		}
		void *data = edge_session_input(session, e->index, &bytes);
		if (bytes != e->bytes || (bytes && !data)) {
			return error_set(err, -EINVAL,
				"input %u has %" PRIu64 " bytes, the case %zu", e->index, bytes,
				e->bytes);
		}
		if (bytes) {
			memcpy(data, e->data, e->bytes);
		}
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

/* False when the walk is over: something is wrong. */
static bool run_step(struct walk *walk, uint32_t step, struct edge_session *session,
	struct team *team, struct error *err)
{
	const struct run_control control = {.team = team};
	const struct golden_case *c = walk->golden;
	int r = resize_inputs(c, step, session, err);
	r = r < 0 ? r : fill_inputs(c, step, session, err);
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

/* A number that tells one choice of kernel variants from another (FNV-1a over their names). */
static uint64_t variants_of(const struct edge_model *model)
{
	uint64_t hash = 14695981039346656037u;
	for (uint32_t i = 0; i < edge_model_node_count(model); i++) {
		struct edge_node_info info;
		if (edge_model_node(model, 0, i, &info) < 0) {
			continue;
		}
		for (const char *p = info.detail; *p; p++) {
			hash = (hash ^ (uint8_t)*p) * 1099511628211u;
		}
		hash = (hash ^ 0xff) * 1099511628211u;
	}
	return hash;
}

/* A model that does not load: right where the first run must be refused. */
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

/* Number of the case's signature, 0 when it asks for none; -1 when the model does not have it. */
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

void golden_run(const struct golden_case *c, const uint64_t *masks, uint32_t n_masks,
	uint32_t n_threads, uint32_t team, uint32_t without, struct golden_result *ret_result)
{
	uint64_t last = 0;
	*ret_result = (struct golden_result){0};
	for (uint32_t i = 0; i < n_masks && ret_result->verdict == GOLDEN_PASSED; i++) {
		const struct edge_options options = {.backends = backends_builtin(),
			.cpu_features = masks[i],
			.threads = team,
			.without = without};
		owned(edge_model_unref) struct edge_model *model = NULL;
		struct error err = {0};
		if (edge_model_open_file(c->model, &options, &model, &err) < 0) {
			judge_refusal(c, &err, ret_result);
			return;
		}
		uint64_t variants = variants_of(model);
		int signature = find_signature(c, model, ret_result);
		if (signature >= 0 && (i == 0 || variants != last)) {
			walk_threads(c, model, signature, n_threads, team, ret_result);
		}
		last = variants;
	}
	if (ret_result->verdict == GOLDEN_DIFFERS && has_string_scalar(c)) {
		ret_result->verdict = GOLDEN_LEFT_OUT;
	}
}
