/* SPDX-License-Identifier: Apache-2.0 */
/* A result without nesting, for dashboards, Home Assistant and Telegraf. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "client/pipeline/json_builder.h"
#include "client/pipeline/result_json.h"

/* Returns "x1" for the best finding, "x1_2" for the second. */
static const char *flat_key(const char *key, size_t position, char *out, size_t size)
{
	if (position == 0) {
		return key;
	}
	snprintf(out, size, "%s_%zu", key, position + 1);
	return out;
}

static void put_flat_box(struct json_document *d, const struct finding *one, size_t position,
	double width, double height)
{
	static const char *const keys[] = {"x1", "y1", "x2", "y2"};
	const double shares[] = {one->x1, one->y1, one->x2, one->y2};
	char key[32];
	for (size_t i = 0; i < 4; i++) {
		double size = i % 2 ? height : width;
		json_builder_put_real(d, flat_key(keys[i], position, key, sizeof(key)),
			size > 0 ? round(shares[i] * size) : shares[i]);
	}
}

/* Adds members such as "left_wrist_x". */
static void put_flat_points(struct json_document *d, const struct result_json_facts *facts,
	const struct finding *one, double width, double height)
{
	char key[PIPELINE_CONFIG_NAME_SIZE];
	for (uint32_t k = 0; k < one->n_points; k++) {
		const struct finding_point *p = &facts->findings->points[one->first_point + k];
		const char *name = result_json_point_name(facts->stage, k, one->n_points);
		const double values[] = {width > 0 ? p->x * width : p->x,
			height > 0 ? p->y * height : p->y, p->score};
		if (p->score < facts->stage->config->post.point_threshold) {
			continue;
		}
		for (size_t i = 0; i < 3; i++) {
			static const char *const ends[] = {"x", "y", "score"};
			char number[24];
			snprintf(number, sizeof(number), "point_%u", k);
			snprintf(key, sizeof(key), "%.40s_%s", name ? name : number, ends[i]);
			for (char *at = key; *at; at++) {
				*at = *at == ' ' ? '_' : *at;
			}
			json_builder_put_real(d, key, values[i]);
		}
	}
}

static void put_flat_findings(struct json_document *d, const struct result_json_facts *facts)
{
	const struct findings *f = facts->findings;
	double width = 0, height = 0;
	char key[32];
	result_json_picture_size(facts->input_data, &width, &height);
	json_builder_put_integer(d, "count", (int64_t)f->n);
	for (size_t i = 0; i < f->n && i < RESULT_FLAT_FINDINGS; i++) {
		const struct finding *one = &f->items[i];
		json_builder_put_text(d, flat_key("label", i, key, sizeof(key)), one->label);
		json_builder_put_integer(
			d, flat_key("index", i, key, sizeof(key)), (int64_t)one->index);
		json_builder_put_real(d, flat_key("score", i, key, sizeof(key)), one->score);
		json_builder_put_text(d, flat_key("zone", i, key, sizeof(key)), one->zone);
		if (one->has_box) {
			put_flat_box(d, one, i, width, height);
		}
	}
	if (f->n > 0 && f->items[0].n_points) {
		put_flat_points(d, facts, &f->items[0], width, height);
	}
	double threshold = result_json_threshold(facts->stage);
	bool anomaly = f->n > 0 && f->items[0].label && strcmp(f->items[0].label, "anomaly") == 0;
	if (anomaly && !isnan(threshold)) {
		json_builder_put_integer(d, "anomaly", f->items[0].score > threshold);
		json_builder_put_real(d, "threshold", threshold);
	}
}

/* Adds the first label that began, else the first that ended. */
static void put_flat_event(struct json_document *d, const struct result_json_facts *facts)
{
	const struct decision_verdict *verdict = facts->verdict;
	const struct decision_change *shown = NULL;
	for (size_t i = 0; i < verdict->n_changes; i++) {
		const struct decision_change *change = &verdict->changes[i];
		shown = !shown || (change->began && !shown->began) ? change : shown;
	}
	if (isnan(facts->stage->config->decision.change)) {
		json_builder_put_integer(d, "active", (int64_t)verdict->n_on);
	}
	if (!shown) {
		return;
	}
	json_builder_put_text(d, "event", shown->began ? "begin" : "end");
	json_builder_put_text(d, "event_label", shown->label);
	json_builder_put_real(d, "event_score", shown->score);
	json_builder_put_integer(d, "event_count", (int64_t)shown->count);
	json_builder_put_text(d, "event_zone", shown->zone);
}

char *result_json_flat(const struct result_json_facts *facts)
{
	owned_json struct json_document *d = json_builder_document_new(false);
	result_json_put_head(d, facts);
	if (facts->verdict) {
		put_flat_event(d, facts);
	}
	if (facts->findings) {
		json_builder_put_real(
			d, "infer_ms", (double)facts->infer_ns / (double)NSEC_PER_MSEC);
		if (facts->stage->config->post.kind == PIPELINE_CONFIG_POST_NUMBERS) {
			result_json_put_numbers(d, facts);
		} else {
			put_flat_findings(d, facts);
		}
	}
	return json_builder_text(d);
}
