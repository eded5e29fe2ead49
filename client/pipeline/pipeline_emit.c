/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "client/pipeline/draw.h"
#include "client/pipeline/pipeline_internal.h"
#include "client/pipeline/result_json.h"

static void emit(struct pipeline *p, enum pipeline_kind kind, const struct question *q,
	const struct result_json_facts *facts, const struct pipeline_result *more)
{
	owned_mem char *json = result_json(facts);
	owned_mem char *flat_json = result_json_flat(facts);
	char text[RESULT_TEXT_SIZE];
	if (kind == PIPELINE_RESULT && (!json || !flat_json)) {
		pipeline_emit_trouble(p, PIPELINE_FAILED, q, "no memory for the result");
		return;
	}
	p->counts.results += kind == PIPELINE_RESULT && !more->only_for_requester;
	p->counts.skipped += kind == PIPELINE_SKIPPED;
	p->counts.failed += kind == PIPELINE_FAILED;
	p->counts.events += more->event;
	if (!p->sink.result || !json || !flat_json) {
		return;
	}
	bool picture = q->input_data && q->input_data->kind == INPUT_DATA_PICTURE;
	struct pipeline_result result = *more;
	result.kind = kind;
	result.pipeline = p->config->name;
	result.stage = p->config->stages[q->stage].name;
	result.stage_index = q->stage;
	result.model = p->config->stages[q->stage].model;
	result.source = q->source.name;
	result.origin = q->source.origin;
	result.time_us = q->time_us;
	result.tag = q->tag;
	result.json = json;
	result.flat_json = flat_json;
	result.text = result_json_text(facts, text, sizeof(text));
	result.picture = picture ? &q->input_data->image : NULL;
	p->sink.result(p->sink.context, &result);
}

static struct result_json_facts facts_of(const struct pipeline *p, const struct question *q)
{
	return (struct result_json_facts){.pipeline = p->config->name,
		.source = q->source.name,
		.stage = &p->stages[q->stage],
		.input_data = q->input_data,
		.time_us = q->time_us};
}

void pipeline_emit_trouble(
	struct pipeline *p, enum pipeline_kind kind, const struct question *q, const char *why)
{
	struct result_json_facts facts = facts_of(p, q);
	facts.skipped = kind == PIPELINE_SKIPPED ? why : NULL;
	facts.error = kind == PIPELINE_FAILED ? why : NULL;
	emit(p, kind, q, &facts, &(struct pipeline_result){0});
}

/* Mask as PNG and snapshot, if the file asks for them. */
struct extras {
	void *mask, *snapshot; /* owned */
	size_t mask_bytes, snapshot_bytes;
};

static void extras_free(struct extras *extras)
{
	free(extras->mask);
	free(extras->snapshot);
}

/* True if no later stage uses the input data. */
static bool is_last_look(const struct pipeline *p, const struct question *q)
{
	bool last = q->input_data->refs == 1;
	for (size_t i = q->stage + 1; i < p->config->n_stages; i++) {
		last &= p->config->stages[i].parent != q->stage;
	}
	return last;
}

/* Draws into the input image itself if nothing uses it afterwards, to avoid a copy. */
static int snapshot_make(struct pipeline *p, const struct question *q,
	const struct findings *findings, struct extras *extras, struct error *err)
{
	owned_image struct image copy = {0};
	const struct pipeline_config_post_keys *post = &p->config->stages[q->stage].post;
	struct image *image = &q->input_data->image;
	/* Coordinates of findings refer to the whole image, so a crop cannot show them. */
	bool whole = q->input_data->frame.width == 1 && q->input_data->frame.height == 1;
	int r = 0;
	if (whole && !is_last_look(p, q)) {
		r = image_crop(image, 0, 0, image->width, image->height, &copy, err);
		image = &copy;
	}
	r = r < 0 || !whole ? r : draw_findings(image, findings, post->point_threshold, NULL, err);
	if (r < 0) {
		return r;
	}
	return post->snapshot == PIPELINE_CONFIG_SNAPSHOT_JPEG
		? image_jpeg_encode(image, &extras->snapshot, &extras->snapshot_bytes, err)
		: image_png_encode(image, &extras->snapshot, &extras->snapshot_bytes, err);
}

static int extras_make(struct pipeline *p, const struct question *q,
	const struct findings *findings, struct extras *extras, struct error *err)
{
	const struct pipeline_config_post_keys *post = &p->config->stages[q->stage].post;
	int r = 0;
	if (post->show_mask && findings->mask.width) {
		const struct image mask = {
			findings->mask.classes, findings->mask.width, findings->mask.height, 1};
		r = image_png_encode(&mask, &extras->mask, &extras->mask_bytes, err);
	}
	return r == 0 && post->snapshot && q->input_data->kind == INPUT_DATA_PICTURE
		? snapshot_make(p, q, findings, extras, err)
		: r;
}

int pipeline_emit_result(struct pipeline *p, const struct question *q,
	const struct findings *findings, const struct decision_verdict *verdict, struct error *err)
{
	__attribute__((cleanup(extras_free))) struct extras extras = {0};
	const struct pipeline_config_stage *config = &p->config->stages[q->stage];
	struct result_json_facts facts = facts_of(p, q);
	int r = verdict->emitted ? extras_make(p, q, findings, &extras, err) : 0;
	if (r < 0) {
		return r;
	}
	facts.infer_ns = clock_now_ns() - q->asked_ns;
	facts.findings = findings;
	facts.verdict = config->decision.given ? verdict : NULL;
	const struct pipeline_result more = {.event = config->decision.given,
		.mask_png = extras.mask,
		.mask_bytes = extras.mask_bytes,
		.snapshot = extras.snapshot,
		.snapshot_bytes = extras.snapshot_bytes,
		.vector = findings->vector,
		.n_vector = findings->n_vector};
	struct pipeline_result result = more;
	result.only_for_requester = !verdict->emitted;
	result.event = !result.only_for_requester && config->decision.given &&
		(verdict->n_changes > 0 || !isnan(config->decision.change));
	emit(p, PIPELINE_RESULT, q, &facts, &result);
	return 0;
}
