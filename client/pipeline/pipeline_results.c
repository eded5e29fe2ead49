/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "client/media/tensor_values.h"
#include "client/pipeline/pipeline_internal.h"
#include "client/pipeline/result_json.h"

#define MAX_ROW (1u << 16) /* most numbers in an output that another stage collects */

static bool is_condition_met(const struct pipeline_config_stage *stage, const struct finding *one)
{
	const char *label = one->label ? one->label : "";
	return (!stage->when[0] || pipeline_config_list_has(stage->when, label)) &&
		!(one->score < stage->min_score);
}

/* Emits that stage @index does not look at @input_data of @parent. */
static void child_refuse(struct pipeline *p, size_t index, const struct question *parent,
	struct input_data *input_data, enum pipeline_kind kind, const char *why)
{
	struct question shown = {.stage = index,
		.source = parent->source,
		.input_data = input_data,
		.time_us = parent->time_us,
		.tag = parent->tag};
	pipeline_emit_trouble(p, kind, &shown, why);
}

/* Queues a request for stage @index, or emits why not. */
static void child_ask(struct pipeline *p, size_t index, const struct question *parent,
	struct input_data *input_data)
{
	struct error err = {0};
	const struct pipeline_config_stage *config = &p->config->stages[index];
	uint64_t passed_ns = clock_now_ns() - parent->pushed_ns;
	if (config->budget_ms && passed_ns > config->budget_ms * NSEC_PER_MSEC) {
		child_refuse(p, index, parent, input_data, PIPELINE_SKIPPED, "budget");
		pipeline_requests_lost(p, index, &parent->source, UINT64_MAX);
		return;
	}
	struct question *q = pipeline_requests_new(
		p, index, &parent->source, input_data, parent->time_us, parent, 0);
	int r = q ? pipeline_requests_put(p, q, &err) : error_no_memory(&err);
	if (r < 0) {
		child_refuse(p, index, parent, input_data,
			r == -ENOSPC ? PIPELINE_SKIPPED : PIPELINE_FAILED, err.text);
		pipeline_requests_lost(p, index, &parent->source, UINT64_MAX);
	}
}

static void crop_ask(
	struct pipeline *p, size_t index, const struct question *parent, const struct finding *one)
{
	owned(input_data_unref) struct input_data *part = NULL;
	struct error err = {0};
	const double grow = p->config->stages[index].grow;
	if (input_data_crop(parent->input_data, one, grow, &part, &err) < 0) {
		child_refuse(p, index, parent, parent->input_data, PIPELINE_SKIPPED, err.text);
		return;
	}
	child_ask(p, index, parent, part);
}

/* True if the finding triggers stage @index. */
static bool is_looked_at(const struct pipeline_config_stage *stage, const struct finding *one)
{
	return is_condition_met(stage, one) &&
		(stage->on != PIPELINE_CONFIG_ON_EVENT || one->began);
}

/* Runs a stage on the whole input if one of @findings triggers it, and for the time of `for`
 * afterwards. */
static void whole_run(struct pipeline *p, size_t index, const struct question *parent,
	const struct findings *findings)
{
	const struct pipeline_config_stage *config = &p->config->stages[index];
	uint64_t *awake_us = &pipeline_requests_source(p, &parent->source)->awake_us[index];
	bool asked = false;
	for (size_t i = 0; i < findings->n && !asked; i++) {
		asked = is_looked_at(config, &findings->items[i]);
	}
	if (asked && config->for_ms > 0) {
		*awake_us = parent->time_us + config->for_ms * USEC_PER_MSEC;
	}
	if (asked || parent->time_us < *awake_us) {
		child_ask(p, index, parent, parent->input_data);
	}
}

static void crops_run(struct pipeline *p, size_t index, const struct question *parent,
	const struct findings *findings)
{
	const struct pipeline_config_stage *config = &p->config->stages[index];
	size_t asked = 0, left = 0;
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *one = &findings->items[i];
		if (!is_looked_at(config, one) || !one->has_box) {
			continue;
		}
		if (asked++ < config->max_crops) {
			crop_ask(p, index, parent, one);
		} else {
			left++;
		}
	}
	if (left > 0) {
		char why[64];
		snprintf(why, sizeof(why), "max-crops: %zu more boxes", left);
		child_refuse(p, index, parent, parent->input_data, PIPELINE_SKIPPED, why);
	}
}

/* Appends the first output as a row to the rows that stage @index collects. */
static int output_collect(struct pipeline *p, size_t index, const struct question *parent,
	const struct tensor_bytes *output, struct rows *rows, struct error *err)
{
	const struct stage *before = &p->stages[parent->stage];
	owned(input_data_unref) struct input_data *row = NULL;
	struct tensor_spec spec = before->model.outputs[0];
	spec.shape = output->shape;
	size_t n = (size_t)tensor_spec_elements(&spec);
	if (!tensor_values_are_numbers(spec.type) || n == 0 || n > MAX_ROW) {
		return error_set(err, -EINVAL, "stage %s gives no row of numbers to stage %s",
			before->config->name, p->config->stages[index].name);
	}
	int r = input_data_new(INPUT_DATA_NUMBERS, &row, err);
	if (r < 0) {
		return r;
	}
	row->values = calloc(n, sizeof(row->values[0]));
	if (!row->values) {
		return error_no_memory(err);
	}
	for (size_t i = 0; i < n; i++) {
		row->values[i] = (float)tensor_values_get(&spec, output->data, i);
	}
	row->rows = 1;
	row->columns = n;
	char why[ROWS_WHY_SIZE];
	r = rows_restart(rows, row, SIZE_MAX, why, err);
	if (r == 0 && why[0]) {
		struct question shown = {.stage = index, .time_us = parent->time_us};
		shown.source = parent->source;
		pipeline_emit_trouble(p, PIPELINE_SKIPPED, &shown, why);
		pipeline_requests_lost(p, index, &parent->source, UINT64_MAX);
	}
	return r < 0 ? r : rows_append(rows, row, 2 * MAX_ROW, parent->time_us, err);
}

static int outputs_run(struct pipeline *p, size_t index, const struct question *parent,
	const struct tensor_bytes *output, struct error *err)
{
	owned(input_data_unref) struct input_data *input_data = NULL;
	struct rows *rows = &pipeline_requests_source(p, &parent->source)->outputs[index];
	struct stage_window window = {0};
	uint64_t time_us = 0;
	int r = 0;
	/* an output is missing between these rows: neither rows nor outputs continue the earlier
	 * ones */
	if (rows->lost != parent->lost) {
		r = rows_break(rows, SIZE_MAX, err); /* every full window was taken before */
		rows->lost = parent->lost;
		pipeline_requests_lost(p, index, &parent->source, UINT64_MAX);
	}
	r = r < 0 ? r : output_collect(p, index, parent, output, rows, err);
	r = r < 0 ? r : stage_describe(&p->stages[index], &p->models, err);
	r = r < 0 ? r : stage_window(&p->stages[index], rows->open.columns, 0, &window, err);
	r = r < 0 ? r : rows_take(rows, &window, &input_data, &time_us, err);
	if (r == 0 && input_data) {
		input_data->to_s = parent->input_data->to_s;
		child_ask(p, index, parent, input_data);
	}
	return r;
}

/* Feeds the outputs to stages with `input = outputs`. */
static int collectors_run(struct pipeline *p, const struct question *parent,
	const struct tensor_bytes *outputs, struct error *err)
{
	int r = 0;
	for (size_t i = parent->stage + 1; i < p->config->n_stages && r == 0; i++) {
		const struct pipeline_config_stage *config = &p->config->stages[i];
		if (config->parent == parent->stage &&
			config->input == PIPELINE_CONFIG_INPUT_OUTPUTS) {
			r = outputs_run(p, i, parent, outputs, err);
		}
	}
	return r;
}

static void children_run(
	struct pipeline *p, const struct question *parent, const struct findings *findings)
{
	for (size_t i = parent->stage + 1; i < p->config->n_stages; i++) {
		const struct pipeline_config_stage *config = &p->config->stages[i];
		if (config->parent == parent->stage &&
			config->input != PIPELINE_CONFIG_INPUT_OUTPUTS) {
			if (config->input == PIPELINE_CONFIG_INPUT_WHOLE) {
				whole_run(p, i, parent, findings);
			} else {
				crops_run(p, i, parent, findings);
			}
		}
	}
}

int pipeline_results_take(struct pipeline *p, const struct question *q,
	const struct tensor_bytes *outputs, uint32_t n_outputs, struct error *err)
{
	owned_findings struct findings findings = {0};
	struct decision_verdict verdict = {.emitted = true};
	struct stage *stage = &p->stages[q->stage];
	const struct pipeline_config_decision *decision = &stage->config->decision;
	int r = stage_read(stage, &q->input, &q->frame, outputs, n_outputs, &findings, err);
	r = r < 0 ? r : pipeline_draw_add(p, q, &findings, err);
	if (r == 0 && decision->given) {
		struct stream *stream = pipeline_requests_source(p, &q->source);
		r = decision_judge(decision, result_json_threshold(stage),
			&stream->decisions[q->stage], &findings, q->time_us, &verdict, err);
	}
	/* An output that only feeds another stage is no result. */
	bool silent = stage->config->post.kind == PIPELINE_CONFIG_POST_TENSORS && q->serial &&
		!decision->given;
	if (r == 0 && (verdict.emitted || q->tag) && !silent) {
		struct decision_verdict shown = verdict;
		if (verdict.only_ends) {
			decision_leave_ends(&shown);
		}
		r = pipeline_emit_result(p, q, &findings, &shown, err);
	}
	if (r == 0) {
		children_run(p, q, &findings);
		r = collectors_run(p, q, outputs, err);
	}
	return r;
}
