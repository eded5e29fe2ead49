/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "client/pipeline/draw.h"
#include "client/pipeline/result.h"
#include "client/pipeline/work.h"

static void tell(struct pipeline *p, enum pipeline_kind kind, const struct question *q,
	const struct result_facts *facts, const struct pipeline_result *more)
{
	owned_mem char *json = result_json(facts);
	owned_mem char *flat = result_flat(facts);
	char text[RESULT_TEXT_SIZE];
	if (kind == PIPELINE_RESULT && (!json || !flat)) {
		telling_trouble(p, PIPELINE_FAILED, q, "no memory for the result");
		return;
	}
	p->counts.results += kind == PIPELINE_RESULT && !more->quiet;
	p->counts.skipped += kind == PIPELINE_SKIPPED;
	p->counts.failed += kind == PIPELINE_FAILED;
	p->counts.events += more->event;
	if (!p->sink.result || !json || !flat) {
		return;
	}
	bool picture = q->material && q->material->kind == MATERIAL_PICTURE;
	struct pipeline_result result = *more;
	result.kind = kind;
	result.pipeline = p->recipe->name;
	result.stage = p->recipe->stages[q->stage].name;
	result.stage_index = q->stage;
	result.model = p->recipe->stages[q->stage].model;
	result.source = q->source.name;
	result.origin = q->source.origin;
	result.time_us = q->time_us;
	result.tag = q->tag;
	result.json = json;
	result.flat = flat;
	result.text = result_text(facts, text, sizeof(text));
	result.picture = picture ? &q->material->image : NULL;
	p->sink.result(p->sink.context, &result);
}

static struct result_facts facts_of(const struct pipeline *p, const struct question *q)
{
	return (struct result_facts){.pipeline = p->recipe->name,
		.source = q->source.name,
		.stage = &p->stages[q->stage],
		.material = q->material,
		.time_us = q->time_us};
}

void telling_trouble(
	struct pipeline *p, enum pipeline_kind kind, const struct question *q, const char *why)
{
	struct result_facts facts = facts_of(p, q);
	facts.skipped = kind == PIPELINE_SKIPPED ? why : NULL;
	facts.error = kind == PIPELINE_FAILED ? why : NULL;
	tell(p, kind, q, &facts, &(struct pipeline_result){0});
}

/* Mask as PNG and snapshot, where the file asks for them. */
struct extras {
	void *mask, *snapshot; /* owned */
	size_t mask_bytes, snapshot_bytes;
};

static void extras_free(struct extras *extras)
{
	free(extras->mask);
	free(extras->snapshot);
}

/* Nobody looks at the picture after this. */
static bool is_last_look(const struct pipeline *p, const struct question *q)
{
	bool last = q->material->refs == 1;
	for (size_t i = q->stage + 1; i < p->recipe->n_stages; i++) {
		last &= p->recipe->stages[i].parent != q->stage;
	}
	return last;
}

/* A large picture is not copied where nobody misses what it was. */
static int snapshot_make(struct pipeline *p, const struct question *q,
	const struct findings *findings, struct extras *extras, struct error *err)
{
	owned_image struct image copy = {0};
	const struct recipe_post_keys *post = &p->recipe->stages[q->stage].post;
	struct image *image = &q->material->image;
	/* Findings are places of the whole picture: only that one can show them. */
	bool whole = q->material->frame.width == 1 && q->material->frame.height == 1;
	int r = 0;
	if (whole && !is_last_look(p, q)) {
		r = image_crop(image, 0, 0, image->width, image->height, &copy, err);
		image = &copy;
	}
	r = r < 0 || !whole ? r : draw_findings(image, findings, post->point_threshold, NULL, err);
	if (r < 0) {
		return r;
	}
	return post->snapshot == RECIPE_SNAPSHOT_JPEG
		? image_jpeg_encode(image, &extras->snapshot, &extras->snapshot_bytes, err)
		: image_png_encode(image, &extras->snapshot, &extras->snapshot_bytes, err);
}

static int extras_make(struct pipeline *p, const struct question *q,
	const struct findings *findings, struct extras *extras, struct error *err)
{
	const struct recipe_post_keys *post = &p->recipe->stages[q->stage].post;
	int r = 0;
	if (post->show_mask && findings->mask.width) {
		const struct image mask = {
			findings->mask.classes, findings->mask.width, findings->mask.height, 1};
		r = image_png_encode(&mask, &extras->mask, &extras->mask_bytes, err);
	}
	return r == 0 && post->snapshot && q->material->kind == MATERIAL_PICTURE
		? snapshot_make(p, q, findings, extras, err)
		: r;
}

int telling_result(struct pipeline *p, const struct question *q, const struct findings *findings,
	const struct decision_verdict *verdict, struct error *err)
{
	__attribute__((cleanup(extras_free))) struct extras extras = {0};
	const struct recipe_stage *recipe = &p->recipe->stages[q->stage];
	struct result_facts facts = facts_of(p, q);
	int r = verdict->told ? extras_make(p, q, findings, &extras, err) : 0;
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
	result.quiet = !verdict->told;
	result.event = !result.quiet && recipe->decision.given &&
		(verdict->n_changes > 0 || !isnan(recipe->decision.change));
	tell(p, PIPELINE_RESULT, q, &facts, &result);
	return 0;
}
