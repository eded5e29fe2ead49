/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/result_json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "client/pipeline/json_builder.h"

#define COCO_POINTS 17

const char *result_json_point_name(const struct stage *stage, size_t index, size_t n)
{
	static const char *const names[COCO_POINTS] = {"nose", "left eye", "right eye", "left ear",
		"right ear", "left shoulder", "right shoulder", "left elbow", "right elbow",
		"left wrist", "right wrist", "left hip", "right hip", "left knee", "right knee",
		"left ankle", "right ankle"};
	const char *label = labels_get(&stage->labels, index);
	return label ? label : n == COCO_POINTS && index < n ? names[index] : NULL;
}

double result_json_threshold(const struct stage *stage)
{
	double configured = stage->config->post.threshold;
	bool own = stage->described && stage->model.n_outputs > 0;
	return !isnan(configured) ? configured
		: own             ? (double)stage->model.outputs[0].score_threshold
				  : NAN;
}

void result_json_picture_size(const struct input_data *m, double *ret_width, double *ret_height)
{
	bool picture = m && m->kind == INPUT_DATA_PICTURE && m->frame.width > 0;
	*ret_width = picture ? round(m->image.width / m->frame.width) : 0;
	*ret_height = picture ? round(m->image.height / m->frame.height) : 0;
}

static void put_corners(struct json_document *d, const char *key, double left, double top,
	double right, double bottom)
{
	json_builder_begin_list(d, key);
	json_builder_put_real(d, NULL, left);
	json_builder_put_real(d, NULL, top);
	json_builder_put_real(d, NULL, right);
	json_builder_put_real(d, NULL, bottom);
	json_builder_end(d);
}

static void put_box(struct json_document *d, const struct finding *one, double width, double height)
{
	if (width > 0) {
		put_corners(d, "box", round(one->x1 * width), round(one->y1 * height),
			round(one->x2 * width), round(one->y2 * height));
	}
	put_corners(d, "box_norm", one->x1, one->y1, one->x2, one->y2);
}

static void put_points(struct json_document *d, const struct result_json_facts *facts,
	const struct finding *one, double width, double height)
{
	json_builder_begin_list(d, "points");
	for (uint32_t k = 0; k < one->n_points; k++) {
		const struct finding_point *p = &facts->findings->points[one->first_point + k];
		const char *name = result_json_point_name(facts->stage, k, one->n_points);
		if (p->score < facts->stage->config->post.point_threshold) {
			continue;
		}
		json_builder_begin_object(d, NULL);
		json_builder_put_integer(d, "index", k);
		json_builder_put_text(d, "name", name);
		if (width > 0) {
			json_builder_put_real(d, "x", p->x * width);
			json_builder_put_real(d, "y", p->y * height);
		}
		json_builder_put_real(d, "x_norm", p->x);
		json_builder_put_real(d, "y_norm", p->y);
		json_builder_put_real(d, "score", p->score);
		json_builder_end(d);
	}
	json_builder_end(d);
}

static void put_findings(struct json_document *d, const struct result_json_facts *facts)
{
	double width = 0, height = 0;
	result_json_picture_size(facts->input_data, &width, &height);
	json_builder_begin_list(d, "results");
	for (size_t i = 0; i < facts->findings->n; i++) {
		const struct finding *one = &facts->findings->items[i];
		json_builder_begin_object(d, NULL);
		json_builder_put_text(d, "label", one->label);
		json_builder_put_integer(d, "index", (int64_t)one->index);
		json_builder_put_real(d, "score", one->score);
		if (one->has_box) {
			put_box(d, one, width, height);
		}
		json_builder_put_text(d, "zone", one->zone);
		if (one->n_points) {
			put_points(d, facts, one, width, height);
		}
		json_builder_end(d);
	}
	json_builder_end(d);
}

size_t result_json_number_name(
	const char *names, size_t index, size_t n, char *ret_name, size_t size)
{
	char name[PIPELINE_CONFIG_TEXT_SIZE] = "";
	for (size_t i = 0; i <= index; i++) {
		names = pipeline_config_list_next(names, name);
	}
	int length = name[0] ? snprintf(ret_name, size, "%s", name)
		: n == 1     ? snprintf(ret_name, size, "value")
			     : snprintf(ret_name, size, "value_%zu", index);
	return length > 0 ? (size_t)length : 0;
}

void result_json_put_numbers(struct json_document *d, const struct result_json_facts *facts)
{
	const struct pipeline_config_post_keys *post = &facts->stage->config->post;
	char name[PIPELINE_CONFIG_TEXT_SIZE];
	for (size_t i = 0; i < facts->findings->n; i++) {
		result_json_number_name(post->names, i, facts->findings->n, name, sizeof(name));
		json_builder_put_real(d, name, facts->findings->items[i].score);
	}
	if (post->unit[0]) {
		json_builder_put_text(d, "unit", post->unit);
	}
}

/* Repeats the best finding in top-level members, for dashboards. */
static void put_best(struct json_document *d, const struct result_json_facts *facts)
{
	const struct findings *f = facts->findings;
	json_builder_put_integer(d, "count", (int64_t)f->n);
	if (f->n == 0) {
		return;
	}
	json_builder_put_text(d, "label", f->items[0].label);
	json_builder_put_real(d, "score", f->items[0].score);
	double threshold = result_json_threshold(facts->stage);
	bool anomaly = f->items[0].label && strcmp(f->items[0].label, "anomaly") == 0;
	if (anomaly && !isnan(threshold)) {
		json_builder_put_bool(d, "anomaly", f->items[0].score > threshold);
		json_builder_put_real(d, "threshold", threshold);
	}
	if (f->mask.width) {
		json_builder_put_integer(d, "mask_width", f->mask.width);
		json_builder_put_integer(d, "mask_height", f->mask.height);
	}
}

static void put_events(struct json_document *d, const struct decision_verdict *verdict)
{
	if (verdict->n_changes == 0) {
		return;
	}
	json_builder_put_text(d, "event", decision_has_begun(verdict) ? "begin" : "end");
	json_builder_begin_list(d, "events");
	for (size_t i = 0; i < verdict->n_changes; i++) {
		const struct decision_change *change = &verdict->changes[i];
		json_builder_begin_object(d, NULL);
		json_builder_put_text(d, "event", change->began ? "begin" : "end");
		json_builder_put_text(d, "label", change->label);
		json_builder_put_integer(d, "index", (int64_t)change->index);
		json_builder_put_real(d, "score", change->score);
		json_builder_put_integer(d, "count", (int64_t)change->count);
		json_builder_put_text(d, "zone", change->zone);
		json_builder_end(d);
	}
	json_builder_end(d);
}

static void put_window(struct json_document *d, const struct input_data *m)
{
	if (!m || !m->windowed) {
		return;
	}
	if (m->rate) {
		json_builder_put_real(d, "from_s", (double)m->first_row / m->rate);
	}
	if (!isnan(m->to_s)) {
		json_builder_put_real(d, "to_s", m->to_s);
	} else {
		json_builder_put_integer(d, "from_row", (int64_t)m->first_row);
		json_builder_put_integer(d, "to_row", (int64_t)(m->first_row + m->rows));
	}
}

void result_json_put_head(struct json_document *d, const struct result_json_facts *facts)
{
	json_builder_put_text(d, "pipeline", facts->pipeline);
	json_builder_put_text(d, "stage", facts->stage->config->name);
	json_builder_put_text(d, "model", facts->stage->config->model);
	if (facts->stage->model.version[0]) {
		json_builder_put_text(d, "version", facts->stage->model.version);
	}
	json_builder_put_text(d, "source", facts->source);
	put_window(d, facts->input_data);
	json_builder_put_text(d, "skipped", facts->skipped);
	json_builder_put_text(d, "error", facts->error);
}

char *result_json(const struct result_json_facts *facts)
{
	owned_json struct json_document *d = json_builder_document_new(false);
	result_json_put_head(d, facts);
	json_builder_put_integer(d, "time_us", (int64_t)facts->time_us);
	if (facts->verdict) {
		put_events(d, facts->verdict);
	}
	if (facts->findings) {
		json_builder_put_real(
			d, "infer_ms", (double)facts->infer_ns / (double)NSEC_PER_MSEC);
		if (facts->stage->config->post.kind == PIPELINE_CONFIG_POST_NUMBERS) {
			result_json_put_numbers(d, facts);
		} else {
			put_best(d, facts);
		}
		put_findings(d, facts);
	}
	return json_builder_text(d);
}

struct line {
	char *out;
	size_t size, used;
	bool full; /* a part did not fit; CUT was appended */
};

#define CUT " ..."

/* Appends the whole text, or CUT and from then on nothing. */
static void printf_like(2, 3) add(struct line *line, const char *format, ...)
{
	const size_t room = line->size - line->used - sizeof(CUT) + 1;
	va_list arguments;
	if (line->full) {
		return;
	}
	va_start(arguments, format);
	int n = vsnprintf(line->out + line->used, room, format, arguments);
	va_end(arguments);
	line->full = n < 0 || (size_t)n >= room;
	line->used += line->full ? 0 : (size_t)n;
	if (line->full) {
		memcpy(line->out + line->used, CUT, sizeof(CUT));
	}
}

static void add_name(struct line *line, const char *name, size_t index)
{
	char shown[160];
	if (name && name[0]) {
		add(line, " %s", error_escape(shown, sizeof(shown), name, strlen(name)));
	} else {
		add(line, " %zu", index);
	}
}

static void add_events(struct line *line, const struct decision_verdict *verdict)
{
	for (size_t i = 0; i < verdict->n_changes; i++) {
		const struct decision_change *change = &verdict->changes[i];
		add(line, "%s %s", i ? "," : "", change->began ? "begin" : "end");
		add_name(line, change->label, change->index);
		add(line, " %.3f", change->score);
		if (change->zone) {
			add(line, " in %s", change->zone);
		}
	}
}

static void add_findings(struct line *line, const struct result_json_facts *facts)
{
	const struct pipeline_config_post_keys *post = &facts->stage->config->post;
	double width = 0, height = 0;
	char name[PIPELINE_CONFIG_TEXT_SIZE], unit[4 * PIPELINE_CONFIG_NAME_SIZE];
	result_json_picture_size(facts->input_data, &width, &height);
	for (size_t i = 0; i < facts->findings->n; i++) {
		const struct finding *one = &facts->findings->items[i];
		add(line, "%s", i ? "," : "");
		if (post->kind == PIPELINE_CONFIG_POST_NUMBERS) {
			result_json_number_name(
				post->names, i, facts->findings->n, name, sizeof(name));
			add_name(line, name, i);
			add(line, " %.6g", one->score);
			add(line, post->unit[0] ? " %s" : "%s",
				error_escape(unit, sizeof(unit), post->unit, strlen(post->unit)));
			continue;
		}
		add_name(line, one->label, one->index);
		add(line, " %.4f", one->score);
		if (one->has_box && width > 0) {
			add(line, " [%.0f %.0f %.0f %.0f]", one->x1 * width, one->y1 * height,
				one->x2 * width, one->y2 * height);
		}
	}
	if (facts->findings->n == 0) {
		add(line, " nothing");
	}
}

char *result_json_text(const struct result_json_facts *facts, char *out, size_t size)
{
	struct line line = {out, size, 0, false};
	char shown[160];
	const struct input_data *m = facts->input_data;
	out[0] = 0;
	if (m && m->windowed && !isnan(m->to_s)) {
		add(&line, "%.2f s", m->to_s);
	} else if (m && m->windowed) {
		add(&line, "row %zu", (size_t)m->first_row + m->rows);
	} else {
		add(&line, "%s",
			error_escape(shown, sizeof(shown), facts->source, strlen(facts->source)));
	}
	add(&line, "  %s:", facts->stage->config->name);
	if (facts->skipped) {
		add(&line, " skipped: %s", facts->skipped);
	} else if (facts->error) {
		add(&line, " failed: %s", facts->error);
	} else if (facts->verdict && facts->verdict->n_changes) {
		add_events(&line, facts->verdict);
	} else if (facts->findings) {
		add_findings(&line, facts);
	}
	return out;
}
