/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/view/print.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/strings.h"
#include "client/edgectl/view/fields.h"
#include "client/media/tensor_values.h"

#define VALUES_IN_TABLE 6
#define VALUES_IN_JSON 4096 /* larger outputs are better written with --output-dir */

static void print_legend(
	const struct print_result *r, FILE *out, const struct cli_settings *settings)
{
	char source[512];
	error_escape(source, sizeof(source), r->source, strlen(r->source));
	if (!settings->no_legend) {
		fprintf(out, "%s  %s  %.2f ms\n", source, r->target->name,
			(double)r->ns / (double)NSEC_PER_MSEC);
	}
}

static void class_fields(struct fields *f, const void *record, const void *context)
{
	const struct answer_class *one = record;
	(void)context;
	if (one->label) {
		fields_text(f, NULL, "label", one->label);
	}
	fields_cell(f, "SCORE", true, "%.4f", one->score);
	fields_integer(f, "INDEX", "index", (int64_t)one->index);
	fields_text(f, "LABEL", NULL, one->label ? one->label : "");
	fields_real(f, NULL, "score", 0, one->score);
}

/* Formats the first few values into @out. */
static void show_numbers(const struct tensor_spec *spec, const struct tensor_bytes *bytes, size_t n,
	char *out, size_t size)
{
	size_t used = 0;
	out[0] = 0;
	for (size_t k = 0; k < n && k < VALUES_IN_TABLE; k++) {
		int w = snprintf(out + used, size - used, "%s%.4g", k ? " " : "",
			tensor_values_get(spec, bytes->data, k));
		used += w > 0 && (size_t)w < size - used ? (size_t)w : 0;
	}
}

static void show_strings(const struct strings *strings, char *out, size_t size)
{
	size_t used = 0;
	out[0] = 0;
	for (uint32_t k = 0; k < strings->count && k < VALUES_IN_TABLE; k++) {
		char shown[80];
		uint32_t length = 0;
		const void *text = strings_get(strings, k, &length);
		error_escape(shown, sizeof(shown), text, length);
		int w = snprintf(out + used, size - used, "%s\"%s\"", k ? " " : "", shown);
		used += w > 0 && (size_t)w < size - used ? (size_t)w : 0;
	}
}

/* Returns an empty table if the bytes are not a valid one. */
static struct strings open_strings(const struct tensor_spec *spec, const struct tensor_bytes *bytes)
{
	struct strings strings = {0};
	return strings_open(
		       &strings, bytes->data, bytes->bytes, tensor_spec_elements(spec), NULL) == 0
		? strings
		: (struct strings){0};
}

static void add_number(struct grid *grid, double number)
{
	if (isnan(number)) {
		grid_add(grid, "-");
	} else {
		grid_add(grid, "%.4g", number);
	}
}

static void add_tensor_rows(struct grid *grid, const struct print_result *r)
{
	char shape[SHAPE_TEXT_SIZE];
	for (uint32_t i = 0; i < r->target->n_outputs; i++) {
		const struct tensor_spec *spec = &r->target->outputs[i];
		struct answer_summary s = answer_summarise(spec, &r->outputs[i]);
		char values[600] = "";
		size_t n = (size_t)tensor_spec_elements(spec);
		bool numbers = tensor_values_are_numbers(spec->type);
		if (numbers) {
			show_numbers(spec, &r->outputs[i], n, values, sizeof(values));
		} else if (spec->type == DTYPE_STRING) {
			struct strings strings = open_strings(spec, &r->outputs[i]);
			show_strings(&strings, values, sizeof(values));
		}
		grid_add(grid, "%s", spec->name);
		grid_add(grid, "%s", dtype_name(spec->type));
		grid_add(grid, "%s", shape_format(shape, sizeof(shape), &spec->shape));
		add_number(grid, s.lowest);
		add_number(grid, s.mean);
		add_number(grid, s.highest);
		grid_add(grid, "%s%s", values, values[0] && n > VALUES_IN_TABLE ? " ..." : "");
	}
}

static void print_anomaly(const struct answer *answer, FILE *out)
{
	fprintf(out, "anomaly score  %.6g", answer->anomaly);
	if (!isnan(answer->threshold)) {
		fprintf(out, "  %s (threshold %.6g)",
			answer->anomaly > answer->threshold ? "anomalous" : "normal",
			answer->threshold);
	}
	fputc('\n', out);
}

int print_table(const struct print_result *r, FILE *out, const struct cli_settings *settings)
{
	owned_grid struct grid grid = {0};
	print_legend(r, out, settings);
	switch (r->answer->kind) {
	case ANSWER_ANOMALY:
		print_anomaly(r->answer, out);
		return 0;
	case ANSWER_CLASSES:
		return fields_print_table(
			FIELDS_LIST(class_fields, NULL, r->answer->classes, r->answer->n_classes),
			out, settings);
	case ANSWER_TENSORS:
		grid_init_with_titles(&grid, "OUTPUT|TYPE|SHAPE|MIN|MEAN|MAX|VALUES", 7u << 3);
		add_tensor_rows(&grid, r);
		break;
	}
	return grid_print(&grid, out, true, settings);
}

static void put_strings(const struct tensor_spec *spec, const struct tensor_bytes *bytes,
	struct json_document *document)
{
	struct strings strings = open_strings(spec, bytes);
	if (strings.count > VALUES_IN_JSON) {
		return;
	}
	json_builder_begin_list(document, "values");
	for (uint32_t i = 0; i < strings.count; i++) {
		uint32_t length = 0;
		const void *text = strings_get(&strings, i, &length);
		json_builder_put_bytes(document, NULL, text, length);
	}
	json_builder_end(document);
}

static void put_output(const struct tensor_spec *spec, const struct tensor_bytes *bytes,
	struct json_document *document)
{
	struct answer_summary s = answer_summarise(spec, bytes);
	size_t n = (size_t)tensor_spec_elements(spec);
	json_builder_begin_object(document, NULL);
	json_builder_put_text(document, "name", spec->name);
	json_builder_put_text(document, "type", dtype_name(spec->type));
	json_builder_put_integers(document, "shape", spec->shape.dim, spec->shape.rank);
	if (spec->type == DTYPE_STRING) {
		put_strings(spec, bytes, document);
		json_builder_end(document);
		return;
	}
	json_builder_put_real(document, "min", s.lowest);
	json_builder_put_real(document, "mean", s.mean);
	json_builder_put_real(document, "max", s.highest);
	if (tensor_values_are_numbers(spec->type) && n <= VALUES_IN_JSON) {
		json_builder_begin_list(document, "values");
		for (size_t i = 0; i < n; i++) {
			json_builder_put_real(
				document, NULL, tensor_values_get(spec, bytes->data, i));
		}
		json_builder_end(document);
	}
	json_builder_end(document);
}

void print_json(const struct print_result *r, struct json_document *document)
{
	json_builder_put_text(document, "model", r->target->name);
	json_builder_put_text(document, "version", r->target->version);
	json_builder_put_text(document, "source", r->source);
	json_builder_put_real(document, "infer_ms", (double)r->ns / (double)NSEC_PER_MSEC);
	switch (r->answer->kind) {
	case ANSWER_CLASSES:
		fields_put_list(document, "results",
			FIELDS_LIST(class_fields, NULL, r->answer->classes, r->answer->n_classes));
		break;
	case ANSWER_ANOMALY:
		json_builder_put_real(document, "anomaly_score", r->answer->anomaly);
		if (!isnan(r->answer->threshold)) {
			json_builder_put_real(document, "threshold", r->answer->threshold);
			json_builder_put_bool(
				document, "anomalous", r->answer->anomaly > r->answer->threshold);
		}
		break;
	case ANSWER_TENSORS:
		json_builder_begin_list(document, "outputs");
		for (uint32_t i = 0; i < r->target->n_outputs; i++) {
			put_output(&r->target->outputs[i], &r->outputs[i], document);
		}
		json_builder_end(document);
		break;
	}
}
