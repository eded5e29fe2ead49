/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "client/pipeline/result.h"
#include "client/pipeline/values.h"
#include "client/pipeline/work.h"

#define MAX_ROW (1u << 16) /* numbers of an output that a stage collects */

static bool is_condition_met(const struct recipe_stage *stage, const struct finding *one)
{
	const char *label = one->label ? one->label : "";
	return (!stage->when[0] || recipe_list_has(stage->when, label)) &&
		!(one->score < stage->min_score);
}

/* Stage @index looks at @material, or says why it does not. */
static void child_ask(
	struct pipeline *p, size_t index, const struct question *parent, struct material *material)
{
	struct error err = {0};
	struct question told = {.stage = index,
		.material = material,
		.time_us = parent->time_us,
		.tag = parent->tag};
	const struct recipe_stage *recipe = &p->recipe->stages[index];
	uint64_t passed_ns = clock_now_ns() - parent->pushed_ns;
	told.source = parent->source;
	if (recipe->budget_ms && passed_ns > recipe->budget_ms * WORK_NS_PER_MS) {
		telling_trouble(p, PIPELINE_SKIPPED, &told, "budget");
		asking_lost(p, index, &parent->source, UINT64_MAX);
		return;
	}
	struct question *q =
		asking_new(p, index, &parent->source, material, parent->time_us, parent, 0);
	int r = q ? asking_put(p, q, &err) : error_no_memory(&err);
	if (r < 0) {
		telling_trouble(
			p, r == -ENOSPC ? PIPELINE_SKIPPED : PIPELINE_FAILED, &told, err.text);
		asking_lost(p, index, &parent->source, UINT64_MAX);
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
	struct question told = {.stage = index,
		.material = parent->material,
		.time_us = parent->time_us,
		.tag = parent->tag};
	told.source = parent->source;
	telling_trouble(p, PIPELINE_SKIPPED, &told, err.text);
}

/* Is it one of what stage @index looks at? */
static bool is_looked_at(const struct recipe_stage *stage, const struct finding *one)
{
	return is_condition_met(stage, one) && (stage->on != RECIPE_ON_EVENT || one->began);
}

/* Where one of @findings is, and for a while after. */
static void whole_run(struct pipeline *p, size_t index, const struct question *parent,
	const struct findings *findings)
{
	const struct recipe_stage *recipe = &p->recipe->stages[index];
	uint64_t *awake_us = &asking_source(p, &parent->source)->awake_us[index];
	bool asked = false;
	for (size_t i = 0; i < findings->n && !asked; i++) {
		asked = is_looked_at(recipe, &findings->items[i]);
	}
	if (asked && recipe->for_ms > 0) {
		*awake_us = parent->time_us + recipe->for_ms * WORK_US_PER_MS;
	}
	if (asked || parent->time_us < *awake_us) {
		child_ask(p, index, parent, parent->material);
	}
}

static void crops_run(struct pipeline *p, size_t index, const struct question *parent,
	const struct findings *findings)
{
	const struct recipe_stage *recipe = &p->recipe->stages[index];
	size_t asked = 0, left = 0;
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *one = &findings->items[i];
		if (!is_looked_at(recipe, one) || !one->has_box) {
			continue;
		}
		if (asked++ < recipe->max_crops) {
			crop_ask(p, index, parent, one);
		} else {
			left++;
		}
	}
	if (left > 0) {
		struct question told = {.stage = index,
			.material = parent->material,
			.time_us = parent->time_us,
			.tag = parent->tag};
		char why[64];
		told.source = parent->source;
		snprintf(why, sizeof(why), "max-crops: %zu more boxes", left);
		telling_trouble(p, PIPELINE_SKIPPED, &told, why);
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
	char why[ROWS_WHY_SIZE];
	r = rows_restart(rows, row, SIZE_MAX, why, err);
	if (r == 0 && why[0]) {
		struct question told = {.stage = index, .time_us = parent->time_us};
		told.source = parent->source;
		telling_trouble(p, PIPELINE_SKIPPED, &told, why);
		asking_lost(p, index, &parent->source, UINT64_MAX);
	}
	return r < 0 ? r : rows_append(rows, row, 2 * MAX_ROW, parent->time_us, err);
}

static int outputs_run(struct pipeline *p, size_t index, const struct question *parent,
	const struct tensor_bytes *output, struct error *err)
{
	owned(material_unref) struct material *material = NULL;
	struct rows *rows = &asking_source(p, &parent->source)->outputs[index];
	struct stage_window window = {0};
	uint64_t time_us = 0;
	int r = 0;
	if (rows->lost !=
		parent->lost) { /* of what it does not follow any more, nor do its answers */
		r = rows_break(rows, SIZE_MAX, err); /* every full window was taken */
		rows->lost = parent->lost;
		asking_lost(p, index, &parent->source, UINT64_MAX);
	}
	r = r < 0 ? r : output_collect(p, index, parent, output, rows, err);
	r = r < 0 ? r : stage_describe(&p->stages[index], &p->models, err);
	r = r < 0 ? r : stage_window(&p->stages[index], rows->open.columns, 0, &window, err);
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

static void children_run(
	struct pipeline *p, const struct question *parent, const struct findings *findings)
{
	for (size_t i = parent->stage + 1; i < p->recipe->n_stages; i++) {
		const struct recipe_stage *recipe = &p->recipe->stages[i];
		if (recipe->parent == parent->stage && recipe->input != RECIPE_INPUT_OUTPUTS) {
			if (recipe->input == RECIPE_INPUT_WHOLE) {
				whole_run(p, i, parent, findings);
			} else {
				crops_run(p, i, parent, findings);
			}
		}
	}
}

int answering_take(struct pipeline *p, const struct question *q, const struct tensor_bytes *outputs,
	uint32_t n_outputs, struct error *err)
{
	owned_findings struct findings findings = {0};
	struct decision_verdict verdict = {.told = true};
	struct stage *stage = &p->stages[q->stage];
	const struct recipe_decision *decision = &stage->recipe->decision;
	int r = stage_read(stage, &q->input, &q->frame, outputs, n_outputs, &findings, err);
	r = r < 0 ? r : drawing_add(p, q, &findings, err);
	if (r == 0 && decision->given) {
		struct stream *stream = asking_source(p, &q->source);
		r = decision_judge(decision, result_threshold(stage), &stream->decisions[q->stage],
			&findings, q->time_us, &verdict, err);
	}
	/* Rows for another stage are no result. */
	bool silent =
		stage->recipe->post.kind == RECIPE_POST_TENSORS && q->serial && !decision->given;
	if (r == 0 && (verdict.told || q->tag) && !silent) {
		struct decision_verdict told = verdict;
		if (verdict.only_ends) {
			decision_leave_ends(&told);
		}
		r = telling_result(p, q, &findings, &told, err);
	}
	if (r == 0) {
		children_run(p, q, &findings);
		r = collectors_run(p, q, outputs, err);
	}
	return r;
}
