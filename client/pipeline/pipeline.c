/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/pipeline.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "client/pipeline/draw.h"
#include "client/pipeline/queue.h"
#include "client/pipeline/result.h"
#include "client/pipeline/stage.h"
#include "client/pipeline/stream.h"
#include "client/pipeline/values.h"

#define NS_PER_US 1000
#define NS_PER_MS 1000000
#define MAX_ROW (1u << 16) /* numbers of an output that a stage collects */

struct pipeline {
	struct recipe *recipe; /* owned */
	struct pipeline_models models;
	struct pipeline_sink sink;
	struct stage stages[RECIPE_MAX_STAGES];
	struct stream streams[PIPELINE_MAX_SOURCES];
	size_t n_streams;
	uint64_t uses;
	size_t next_stream; /* whose window is looked at first, so that each gets its turn */
	struct queue queue;
	struct pipeline_counts counts;
};

/* ---- life */

static int stages_open(struct pipeline *p, const char *name, struct error *err)
{
	for (size_t i = 0; i < p->recipe->n_stages; i++) {
		struct recipe_stage *recipe = &p->recipe->stages[i];
		int r = stage_init(&p->stages[i], recipe, err);
		if (r < 0) {
			error_prefix(err, "%s: stage %s", name, recipe->name);
			return r;
		}
	}
	return 0;
}

static int open_file(FILE *file, const char *name, const struct pipeline_models *models,
	const struct pipeline_sink *sink, struct pipeline **ret_pipeline, struct error *err)
{
	owned(pipeline_close) struct pipeline *p = calloc(1, sizeof(*p));
	if (!p) {
		return error_no_memory(err);
	}
	p->models = *models;
	p->sink = sink ? *sink : (struct pipeline_sink){0};
	int r = recipe_read(file, name, &p->recipe, err);
	r = r < 0 ? r : stages_open(p, name, err);
	if (r < 0) {
		return r;
	}
	*ret_pipeline = take(p);
	return 0;
}

static void file_close(FILE **file)
{
	if (*file) {
		fclose(*file);
	}
}

int pipeline_open(const char *path, const struct pipeline_models *models,
	const struct pipeline_sink *sink, struct pipeline **ret_pipeline, struct error *err)
{
	__attribute__((cleanup(file_close))) FILE *file = fopen(path, "re");
	if (!file) {
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	}
	return open_file(file, path, models, sink, ret_pipeline, err);
}

int pipeline_open_text(const char *name, const char *text, size_t size,
	const struct pipeline_models *models, const struct pipeline_sink *sink,
	struct pipeline **ret_pipeline, struct error *err)
{
	/* fmemopen() does not write to what is opened for reading. */
	__attribute__((cleanup(file_close))) FILE *file =
		fmemopen((void *)(uintptr_t)text, size, "r");
	if (!file) {
		return error_set(err, -errno, "%s: %s", name, strerror(errno));
	}
	return open_file(file, name, models, sink, ret_pipeline, err);
}

void pipeline_close(struct pipeline *p)
{
	if (!p) {
		return;
	}
	queue_deinit(&p->queue);
	for (size_t i = 0; i < p->n_streams; i++) {
		stream_deinit(&p->streams[i]);
	}
	for (size_t i = 0; i < RECIPE_MAX_STAGES; i++) {
		stage_deinit(&p->stages[i]);
	}
	free(p->recipe);
	free(p);
}

const char *pipeline_name(const struct pipeline *p)
{
	return p->recipe->name;
}

const char *pipeline_description(const struct pipeline *p)
{
	return p->recipe->description;
}

const char *pipeline_model_name(const struct pipeline *p, size_t index)
{
	return index < p->recipe->n_stages ? p->recipe->stages[index].model : NULL;
}

void pipeline_print(const struct pipeline *p, FILE *out)
{
	recipe_print(p->recipe, out);
}

void pipeline_forget_models(struct pipeline *p)
{
	for (size_t i = 0; i < p->recipe->n_stages; i++) {
		stage_forget_model(&p->stages[i]);
	}
}

double pipeline_threshold(const struct pipeline *p)
{
	const struct recipe_stage *first = &p->recipe->stages[0];
	return first->decision.given && !isnan(first->decision.threshold)
		? first->decision.threshold
		: result_threshold(&p->stages[0]);
}

int pipeline_set_threshold(struct pipeline *p, double threshold, struct error *err)
{
	struct recipe_stage *first = &p->recipe->stages[0];
	if (!isfinite(threshold) || fabs(threshold) > 1e12) {
		return error_set(err, -EINVAL, "a threshold of %g", threshold);
	}
	if (!first->decision.given && isnan(pipeline_threshold(p))) {
		return error_set(err, -EOPNOTSUPP, "%s has no threshold", p->recipe->name);
	}
	if (first->decision.given && threshold < first->decision.low) {
		return error_set(err, -EINVAL, "below low, %g", first->decision.low);
	}
	if (first->decision.given) {
		first->decision.threshold = threshold;
	} else {
		first->post.threshold = threshold;
	}
	return 0;
}

void pipeline_want_snapshots(struct pipeline *p)
{
	for (size_t i = 0; i < p->recipe->n_stages; i++) {
		p->recipe->stages[i].post.snapshot = 1;
	}
}

void pipeline_want_masks(struct pipeline *p)
{
	for (size_t i = 0; i < p->recipe->n_stages; i++) {
		p->recipe->stages[i].post.show_mask = 1;
	}
}

enum pipeline_feed pipeline_feed(
	const struct pipeline *p, uint32_t *ret_rate, uint32_t *ret_channels)
{
	const struct recipe_source *source = &p->recipe->source;
	*ret_rate = (uint32_t)source->rate;
	*ret_channels = (uint32_t)source->channels;
	return source->kind == RECIPE_SOURCE_SOUND      ? PIPELINE_STREAM_SOUND
		: source->kind == RECIPE_SOURCE_NUMBERS ? PIPELINE_STREAM_NUMBERS
							: PIPELINE_SINGLE;
}

const char *pipeline_examples(const struct pipeline *p)
{
	return p->recipe->stages[0].post.examples;
}

struct pipeline_counts pipeline_counts(const struct pipeline *p)
{
	return p->counts;
}

size_t pipeline_pending(const struct pipeline *p)
{
	return p->queue.n;
}

/* ---- telling */

static void tell(struct pipeline *p, enum pipeline_kind kind, const struct question *q,
	const struct result_facts *facts, const struct pipeline_result *more)
{
	owned_mem char *json = result_json(facts);
	char text[RESULT_TEXT_SIZE];
	p->counts.results += kind == PIPELINE_RESULT;
	p->counts.skipped += kind == PIPELINE_SKIPPED;
	p->counts.failed += kind == PIPELINE_FAILED;
	p->counts.events += more->event;
	if (!p->sink.result || !json) {
		return;
	}
	bool picture = q->material && q->material->kind == MATERIAL_PICTURE;
	struct pipeline_result result = *more;
	result.kind = kind;
	result.pipeline = p->recipe->name;
	result.stage = p->recipe->stages[q->stage].name;
	result.model = p->recipe->stages[q->stage].model;
	result.source = q->source;
	result.time_us = q->time_us;
	result.json = json;
	result.text = result_text(facts, text, sizeof(text));
	result.picture = picture ? &q->material->image : NULL;
	p->sink.result(p->sink.context, &result);
}

static struct result_facts facts_of(const struct pipeline *p, const struct question *q)
{
	return (struct result_facts){.pipeline = p->recipe->name,
		.source = q->source,
		.stage = &p->stages[q->stage],
		.material = q->material,
		.time_us = q->time_us};
}

static void tell_trouble(
	struct pipeline *p, enum pipeline_kind kind, const struct question *q, const char *why)
{
	struct result_facts facts = facts_of(p, q);
	facts.skipped = kind == PIPELINE_SKIPPED ? why : NULL;
	facts.error = kind == PIPELINE_FAILED ? why : NULL;
	tell(p, kind, q, &facts, &(struct pipeline_result){0});
}

/* ---- questions */

static bool has_collector(const struct pipeline *p, size_t stage)
{
	bool collected = false;
	for (size_t i = stage + 1; i < p->recipe->n_stages; i++) {
		const struct recipe_stage *recipe = &p->recipe->stages[i];
		collected |= recipe->parent == stage && recipe->input == RECIPE_INPUT_OUTPUTS;
	}
	return collected;
}

/* Must its answers come in order? */
static bool is_serial(const struct pipeline *p, size_t stage)
{
	const struct recipe_stage *recipe = &p->recipe->stages[stage];
	return recipe->decision.given || recipe->session || has_collector(p, stage);
}

/* What every question of one input has in common. @from NULL: it comes from outside. */
static struct question *question_new(const struct pipeline *p, size_t stage, const char *source,
	struct material *material, uint64_t time_us, const struct question *from,
	uint64_t deadline_ns)
{
	struct question *q = calloc(1, sizeof(*q));
	if (!q) {
		return NULL;
	}
	q->stage = stage;
	q->serial = is_serial(p, stage);
	snprintf(q->source, sizeof(q->source), "%s", source);
	q->material = material_ref(material);
	q->time_us = time_us;
	q->pushed_ns = from ? from->pushed_ns : clock_now_ns();
	q->deadline_ns = from ? from->deadline_ns : deadline_ns;
	return q;
}

static struct stream *stream_find(const struct pipeline *p, const char *name)
{
	for (size_t i = 0; i < p->n_streams; i++) {
		if (strcmp(p->streams[i].name, name) == 0) {
			return (struct stream *)&p->streams[i];
		}
	}
	return NULL;
}

/* The source of that name, or a new one in place of the one not heard of for longest. */
static struct stream *stream_get(struct pipeline *p, const char *name)
{
	struct stream *stream = stream_find(p, name);
	if (!stream && p->n_streams < PIPELINE_MAX_SOURCES) {
		stream = &p->streams[p->n_streams++];
	} else if (!stream) {
		stream = &p->streams[0];
		for (size_t i = 1; i < p->n_streams; i++) {
			if (p->streams[i].last_used < stream->last_used) {
				stream = &p->streams[i];
			}
		}
		stream_deinit(stream);
	}
	stream->last_used = ++p->uses;
	if (stream->id == 0) {
		snprintf(stream->name, sizeof(stream->name), "%s", name);
		stream->id = stream->last_used;
	}
	return stream;
}

static uint64_t session_of(struct pipeline *p, const struct question *q)
{
	return stream_get(p, q->source)->id * RECIPE_MAX_STAGES + q->stage;
}

/* Tensors are made at once: what is no good is refused while its sender listens. Takes @q. */
static int question_put(struct pipeline *p, struct question *taken, struct error *err)
{
	owned(question_free) struct question *q = taken;
	struct stage *stage = &p->stages[q->stage];
	int r = stage_describe(stage, &p->models, err);
	r = r < 0 ? r : stage_prepare(stage, q->material, &q->input, &q->frame, err);
	if (r < 0) {
		return r;
	}
	uint64_t budget_ns = stage->recipe->budget_ms * NS_PER_MS;
	uint64_t deadline_ns = budget_ns ? q->pushed_ns + budget_ns : 0;
	if (q->deadline_ns && (!deadline_ns || q->deadline_ns < deadline_ns)) {
		deadline_ns = q->deadline_ns;
	}
	q->asked_ns = clock_now_ns();
	q->shown = (struct pipeline_question){.model = stage->recipe->model,
		.signature = stage->recipe->signature[0] ? stage->recipe->signature : NULL,
		.inputs = &q->input,
		.n_inputs = 1,
		.n_outputs = stage->model.n_outputs,
		.deadline_ns = deadline_ns,
		.source = q->source,
		.session = stage->recipe->session ? session_of(p, q) : 0};
	if (!queue_add(&p->queue, q)) {
		return error_set(err, -ENOSPC, "%d questions wait already", PIPELINE_MAX_QUESTIONS);
	}
	q = NULL;
	p->counts.questions++;
	return 0;
}

/* ---- sources */

void pipeline_forget_source(struct pipeline *p, const char *source)
{
	struct stream *stream = stream_find(p, source ? source : "");
	if (stream) {
		stream_deinit(stream);
		*stream = p->streams[--p->n_streams];
		p->streams[p->n_streams] = (struct stream){0};
	}
}

static size_t values_waiting(const struct pipeline *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n_streams; i++) {
		n += rows_waiting(&p->streams[i].waiting);
	}
	return n;
}

static bool is_stream(const struct pipeline *p, const struct material *material)
{
	uint64_t kind = p->recipe->source.kind;
	return (kind == RECIPE_SOURCE_SOUND && material->kind == MATERIAL_SOUND) ||
		(kind == RECIPE_SOURCE_NUMBERS && material->kind == MATERIAL_NUMBERS);
}

/* Samples and rows only wait here: pipeline_next() makes questions of them. */
static int rows_push(struct pipeline *p, struct stream *stream, const struct material *material,
	uint64_t time_us, struct error *err)
{
	struct stage_window window = {0};
	int r = stage_describe(&p->stages[0], &p->models, err);
	r = r < 0 ? r
		  : stage_window(&p->stages[0], material->columns, material->rate, &window, err);
	r = r < 0 ? r
		  : rows_append(&stream->waiting, material, STREAM_MAX_VALUES - values_waiting(p),
			    time_us, err);
	if (r == 0 && p->recipe->source.latest_only) {
		p->counts.sampled_out += queue_drop(&p->queue, 0, stream->name);
		p->counts.sampled_out += rows_catch_up(&stream->waiting, &window);
	}
	return r;
}

static int whole_push(struct pipeline *p, struct stream *stream, struct material *material,
	uint64_t time_us, uint64_t deadline_ns, struct error *err)
{
	if (stream->inputs++ % p->recipe->source.every != 0) {
		p->counts.sampled_out++;
		return 0;
	}
	struct question *q = question_new(p, 0, stream->name, material, time_us, NULL, deadline_ns);
	if (!q) {
		return error_no_memory(err);
	}
	if (p->recipe->source.latest_only) {
		p->counts.sampled_out += queue_drop(&p->queue, 0, stream->name);
	}
	return question_put(p, q, err);
}

int pipeline_push(struct pipeline *p, const struct pipeline_input *input, struct error *err)
{
	owned(material_unref) struct material *material = NULL;
	const char *source = input->source ? input->source : "";
	uint64_t time_us = input->time_us ? input->time_us : clock_now_ns() / NS_PER_US;
	int r = strlen(source) < STREAM_NAME_SIZE
		? material_decode(&p->recipe->source, input, &material, err)
		: error_set(err, -EINVAL, "a source's name is longer than %d bytes",
			  STREAM_NAME_SIZE - 1);
	if (r == 0) {
		struct stream *stream = stream_get(p, source);
		r = is_stream(p, material)
			? rows_push(p, stream, material, time_us, err)
			: whole_push(p, stream, material, time_us, input->deadline_ns, err);
	}
	p->counts.inputs += r == 0;
	p->counts.refused += r < 0;
	return r;
}

/* One window of @stream becomes a question. 1 when one was made, 0 when there is none to make. */
static int window_ask(struct pipeline *p, struct stream *stream)
{
	owned(material_unref) struct material *material = NULL;
	struct stage_window window = {0};
	struct error err = {0};
	uint64_t time_us = 0;
	if (stream->waiting.columns == 0 || stage_describe(&p->stages[0], &p->models, &err) < 0 ||
		stage_window(&p->stages[0], stream->waiting.columns, stream->waiting.rate, &window,
			&err) < 0 ||
		rows_take(&stream->waiting, &window, &material, &time_us, &err) < 0 || !material) {
		return 0;
	}
	if (stream->windows++ % p->recipe->source.every != 0) {
		p->counts.sampled_out++;
		return 1;
	}
	struct question *q = question_new(p, 0, stream->name, material, time_us, NULL, 0);
	struct question told = {.material = material, .time_us = time_us};
	memcpy(told.source, stream->name, sizeof(told.source));
	if (!q || question_put(p, q, &err) < 0) {
		tell_trouble(p, PIPELINE_FAILED, &told, q ? err.text : "no memory");
	}
	return 1;
}

/* Windows of all sources by turns, until one has become a question. */
static struct question *window_next(struct pipeline *p)
{
	size_t idle = 0;
	while (p->n_streams > 0 && idle < p->n_streams && p->queue.n < PIPELINE_MAX_QUESTIONS) {
		struct stream *stream = &p->streams[p->next_stream++ % p->n_streams];
		idle = window_ask(p, stream) ? 0 : idle + 1;
		struct question *q = queue_next(&p->queue);
		if (q) {
			return q;
		}
	}
	return NULL;
}

static bool is_late(const struct question *q)
{
	return q->shown.deadline_ns && clock_now_ns() > q->shown.deadline_ns;
}

const struct pipeline_question *pipeline_next(struct pipeline *p)
{
	for (;;) {
		struct question *q = queue_next(&p->queue);
		q = q ? q : window_next(p);
		if (!q) {
			return NULL;
		}
		if (!is_late(q)) {
			q->given = true;
			return &q->shown;
		}
		owned(question_free) struct question *late = queue_take(&p->queue, &q->shown);
		tell_trouble(p, PIPELINE_SKIPPED, late, "budget");
	}
}

/* ---- answers */

static bool is_condition_met(const struct recipe_stage *stage, const struct finding *one)
{
	const char *label = one->label ? one->label : "";
	return (!stage->when[0] || recipe_list_has(stage->when, label)) &&
		!(one->score < stage->min_score);
}

/* With `on = event` only what the decision just told of counts. */
static bool has_begun(const struct decision_verdict *verdict, const struct finding *one)
{
	for (size_t i = 0; i < verdict->n_changes; i++) {
		if (verdict->changes[i].began && verdict->changes[i].index == one->index) {
			return true;
		}
	}
	return false;
}

/* Stage @index looks at @material, or says why it does not. */
static void child_ask(
	struct pipeline *p, size_t index, const struct question *parent, struct material *material)
{
	struct error err = {0};
	struct question told = {.stage = index, .material = material, .time_us = parent->time_us};
	const struct recipe_stage *recipe = &p->recipe->stages[index];
	uint64_t passed_ns = clock_now_ns() - parent->pushed_ns;
	memcpy(told.source, parent->source, sizeof(told.source));
	if (recipe->budget_ms && passed_ns > recipe->budget_ms * NS_PER_MS) {
		tell_trouble(p, PIPELINE_SKIPPED, &told, "budget");
		return;
	}
	struct question *q =
		question_new(p, index, parent->source, material, parent->time_us, parent, 0);
	int r = q ? question_put(p, q, &err) : error_no_memory(&err);
	if (r < 0) {
		tell_trouble(p, r == -ENOSPC ? PIPELINE_SKIPPED : PIPELINE_FAILED, &told, err.text);
	}
}

static void crop_ask(
	struct pipeline *p, size_t index, const struct question *parent, const struct finding *one)
{
	owned(material_unref) struct material *part = NULL;
	struct error err = {0};
	if (material_crop(parent->material, one, p->recipe->stages[index].grow, &part, &err) == 0) {
		child_ask(p, index, parent, part);
		return;
	}
	struct question told = {
		.stage = index, .material = parent->material, .time_us = parent->time_us};
	memcpy(told.source, parent->source, sizeof(told.source));
	tell_trouble(p, PIPELINE_SKIPPED, &told, err.text);
}

static void child_run(struct pipeline *p, size_t index, const struct question *parent,
	const struct findings *findings, const struct decision_verdict *verdict)
{
	const struct recipe_stage *recipe = &p->recipe->stages[index];
	size_t asked = 0, left = 0;
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *one = &findings->items[i];
		bool counts = is_condition_met(recipe, one) &&
			(recipe->on != RECIPE_ON_EVENT || has_begun(verdict, one));
		if (!counts || (recipe->input == RECIPE_INPUT_CROP && !one->has_box)) {
			continue;
		}
		if (recipe->input == RECIPE_INPUT_WHOLE) {
			child_ask(p, index, parent, parent->material);
			return;
		}
		if (asked++ < recipe->max_crops) {
			crop_ask(p, index, parent, one);
		} else {
			left++;
		}
	}
	if (left > 0) {
		struct question told = {
			.stage = index, .material = parent->material, .time_us = parent->time_us};
		char why[64];
		memcpy(told.source, parent->source, sizeof(told.source));
		snprintf(why, sizeof(why), "max-crops: %zu more boxes", left);
		tell_trouble(p, PIPELINE_SKIPPED, &told, why);
	}
}

/* The answer's first output is a row of what stage @index collects. */
static int output_collect(struct pipeline *p, size_t index, const struct question *parent,
	const struct tensor_bytes *output, struct rows *rows, struct error *err)
{
	const struct stage *before = &p->stages[parent->stage];
	owned(material_unref) struct material *row = NULL;
	struct spec spec = before->model.outputs[0];
	spec.shape = output->shape;
	size_t n = (size_t)spec_elements(&spec);
	if (!values_are_numbers(spec.type) || n == 0 || n > MAX_ROW) {
		return error_set(err, -EINVAL, "stage %s gives no row of numbers to stage %s",
			before->recipe->name, p->recipe->stages[index].name);
	}
	int r = material_new(MATERIAL_NUMBERS, &row, err);
	if (r < 0) {
		return r;
	}
	row->values = calloc(n, sizeof(row->values[0]));
	if (!row->values) {
		return error_no_memory(err);
	}
	for (size_t i = 0; i < n; i++) {
		row->values[i] = (float)values_get(&spec, output->data, i);
	}
	row->rows = 1;
	row->columns = n;
	return rows_append(rows, row, MAX_ROW, parent->time_us, err);
}

static int outputs_run(struct pipeline *p, size_t index, const struct question *parent,
	const struct tensor_bytes *output, struct error *err)
{
	owned(material_unref) struct material *material = NULL;
	struct rows *rows = &stream_get(p, parent->source)->outputs[index];
	struct stage_window window = {0};
	uint64_t time_us = 0;
	int r = output_collect(p, index, parent, output, rows, err);
	r = r < 0 ? r : stage_describe(&p->stages[index], &p->models, err);
	r = r < 0 ? r : stage_window(&p->stages[index], rows->columns, 0, &window, err);
	r = r < 0 ? r : rows_take(rows, &window, &material, &time_us, err);
	if (r == 0 && material) {
		material->to_s = parent->material->to_s;
		child_ask(p, index, parent, material);
	}
	return r;
}

/* Stages that collect see every answer; the others what was found. */
static int collectors_run(struct pipeline *p, const struct question *parent,
	const struct tensor_bytes *outputs, struct error *err)
{
	int r = 0;
	for (size_t i = parent->stage + 1; i < p->recipe->n_stages && r == 0; i++) {
		const struct recipe_stage *recipe = &p->recipe->stages[i];
		if (recipe->parent == parent->stage && recipe->input == RECIPE_INPUT_OUTPUTS) {
			r = outputs_run(p, i, parent, outputs, err);
		}
	}
	return r;
}

static void children_run(struct pipeline *p, const struct question *parent,
	const struct findings *findings, const struct decision_verdict *verdict)
{
	for (size_t i = parent->stage + 1; i < p->recipe->n_stages; i++) {
		const struct recipe_stage *recipe = &p->recipe->stages[i];
		if (recipe->parent == parent->stage && recipe->input != RECIPE_INPUT_OUTPUTS) {
			child_run(p, i, parent, findings, verdict);
		}
	}
}

/* Mask and snapshot as PNG, where the file asks for them. */
struct extras {
	void *mask, *snapshot; /* owned */
	size_t mask_bytes, snapshot_bytes;
};

static void extras_free(struct extras *extras)
{
	free(extras->mask);
	free(extras->snapshot);
}

static int extras_make(const struct recipe_stage *recipe, const struct material *material,
	const struct findings *findings, struct extras *extras, struct error *err)
{
	int r = 0;
	if (recipe->post.show_mask && findings->mask.width) {
		const struct image mask = {
			findings->mask.classes, findings->mask.width, findings->mask.height, 1};
		r = image_png_encode(&mask, &extras->mask, &extras->mask_bytes, err);
	}
	if (r == 0 && recipe->post.snapshot && material->kind == MATERIAL_PICTURE) {
		owned_image struct image copy = {0};
		const struct image *image = &material->image;
		/* Findings are places of the whole picture: only that one can show them. */
		bool whole = material->frame.width == 1 && material->frame.height == 1;
		r = image_crop(image, 0, 0, image->width, image->height, &copy, err);
		r = r < 0 || !whole
			? r
			: draw_findings(&copy, findings, recipe->post.point_threshold, err);
		r = r < 0
			? r
			: image_png_encode(&copy, &extras->snapshot, &extras->snapshot_bytes, err);
	}
	return r;
}

static int result_tell(struct pipeline *p, const struct question *q,
	const struct findings *findings, const struct decision_verdict *verdict, struct error *err)
{
	__attribute__((cleanup(extras_free))) struct extras extras = {0};
	const struct recipe_stage *recipe = &p->recipe->stages[q->stage];
	struct result_facts facts = facts_of(p, q);
	int r = extras_make(recipe, q->material, findings, &extras, err);
	if (r < 0) {
		return r;
	}
	facts.infer_ns = clock_now_ns() - q->asked_ns;
	facts.findings = findings;
	facts.verdict = recipe->decision.given ? verdict : NULL;
	const struct pipeline_result more = {.event = recipe->decision.given,
		.mask_png = extras.mask,
		.mask_bytes = extras.mask_bytes,
		.snapshot = extras.snapshot,
		.snapshot_bytes = extras.snapshot_bytes,
		.vector = findings->vector,
		.n_vector = findings->n_vector};
	struct pipeline_result result = more;
	result.event = recipe->decision.given &&
		(verdict->n_changes > 0 || !isnan(recipe->decision.change));
	tell(p, PIPELINE_RESULT, q, &facts, &result);
	return 0;
}

static int answer_take(struct pipeline *p, const struct question *q,
	const struct tensor_bytes *outputs, uint32_t n_outputs, struct error *err)
{
	owned_findings struct findings findings = {0};
	struct decision_verdict verdict = {.told = true};
	const struct stage *stage = &p->stages[q->stage];
	const struct recipe_decision *decision = &stage->recipe->decision;
	int r = stage_read(stage, &q->input, &q->frame, outputs, n_outputs, &findings, err);
	if (r == 0 && decision->given) {
		struct stream *stream = stream_get(p, q->source);
		r = decision_judge(decision, result_threshold(stage), &stream->decisions[q->stage],
			&findings, q->time_us, &verdict, err);
	}
	/* Rows for another stage are no result. */
	bool silent =
		stage->recipe->post.kind == RECIPE_POST_TENSORS && q->serial && !decision->given;
	if (r == 0 && verdict.told && !silent) {
		r = result_tell(p, q, &findings, &verdict, err);
	}
	if (r == 0) {
		children_run(p, q, &findings, &verdict);
		r = collectors_run(p, q, outputs, err);
	}
	return r;
}

int pipeline_answer(struct pipeline *p, const struct pipeline_question *shown,
	const struct tensor_bytes *outputs, uint32_t n_outputs, struct error *err)
{
	struct error why = {0};
	owned(question_free) struct question *q = queue_take(&p->queue, shown);
	assert(q);
	p->counts.answers++;
	/* The model was forgotten while it was asked: what it said can't be read any more. */
	int r = stage_describe(&p->stages[q->stage], &p->models, &why);
	r = r < 0 ? r : answer_take(p, q, outputs, n_outputs, &why);
	if (r < 0) {
		tell_trouble(p, PIPELINE_FAILED, q, why.text);
		if (err) {
			*err = why;
		}
	}
	return r;
}

void pipeline_fail(
	struct pipeline *p, const struct pipeline_question *shown, const struct error *why)
{
	owned(question_free) struct question *q = queue_take(&p->queue, shown);
	assert(q);
	bool busy = why->code == -EBUSY || why->code == -EAGAIN || why->code == -ETIMEDOUT;
	tell_trouble(p, busy ? PIPELINE_SKIPPED : PIPELINE_FAILED, q,
		why->text[0] ? why->text : strerror(-why->code));
}

static int question_ask(struct pipeline *p, const struct pipeline_question *q,
	struct tensor_bytes *outputs, struct error *err)
{
	const struct pipeline_models *models = &p->models;
	if (models->ask) {
		return models->ask(models->context, q, outputs, q->n_outputs, err);
	}
	if (q->session) {
		return error_set(err, -EOPNOTSUPP, "nobody here keeps sessions");
	}
	return models->run(models->context, q->model, q->signature, q->inputs, q->n_inputs, outputs,
		q->n_outputs, err);
}

/* Outputs of one question, as many as the model has. */
static int question_run(struct pipeline *p, const struct pipeline_question *q, struct error *err)
{
	uint32_t n = q->n_outputs;
	struct tensor_bytes *outputs = calloc((size_t)n + 1, sizeof(outputs[0]));
	struct error why = {0};
	int r = outputs ? question_ask(p, q, outputs, &why) : error_no_memory(&why);
	if (r < 0) {
		pipeline_fail(p, q, &why);
		if (err) {
			*err = why;
		}
	} else {
		r = pipeline_answer(p, q, outputs, n, err);
	}
	for (uint32_t i = 0; outputs && i < n; i++) {
		tensor_free(&outputs[i]);
	}
	free(outputs);
	return r;
}

int pipeline_run(struct pipeline *p, const struct pipeline_input *input, struct error *err)
{
	const struct pipeline_question *q = NULL;
	int first = pipeline_push(p, input, err);
	while (first != -ENOTCONN && (q = pipeline_next(p))) {
		int r = question_run(p, q, first == 0 ? err : NULL);
		first = first ? first : r;
	}
	return first;
}
