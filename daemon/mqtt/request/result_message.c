/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/result.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client/pipeline/answer.h"
#include "client/pipeline/values.h"
#include "daemon/mqtt/base64.h"
#include "daemon/mqtt/flat.h"

#define US_PER_MS 1e3
#define NS_PER_MS 1e6
#define VALUES 16 /* of an output in flat JSON */
#define DIGITS 7
#define DIGITS_F32 9
#define DIGITS_F64 17

/* The outputs of one answer, as answer.h wants them. */
struct view {
	struct spec specs[MODELS_MAX_OUTPUTS];
	struct tensor_bytes bytes[MODELS_MAX_OUTPUTS];
	uint32_t n;
};

static int look(struct view *view, const struct model_entry *model,
	const struct edge_client_answer *answer, struct error *err)
{
	view->n = answer->n_outputs;
	if (view->n != model->n_outputs) {
		return error_set(
			err, -EPROTO, "%u outputs instead of %u", view->n, model->n_outputs);
	}
	for (uint32_t i = 0; i < view->n; i++) {
		const struct edge_client_tensor *from = &answer->outputs[i];
		struct shape shape = {.rank = (uint8_t)from->shape.rank};
		memcpy(shape.dim, from->shape.dim, sizeof(shape.dim));
		if (from->type != model->outputs[i].type) {
			return error_set(err, -EPROTO, "output %u has another type", i);
		}
		view->specs[i] = model->outputs[i];
		view->specs[i].shape = shape;
		view->bytes[i] = (struct tensor_bytes){.type = from->type,
			.shape = shape,
			.data = (void *)(uintptr_t)from->data,
			.bytes = from->bytes};
	}
	return 0;
}

/* A key out of a tensor's name. */
static void key_of(char *out, size_t size, const char *name, const char *suffix)
{
	int n = snprintf(out, size, "%.80s_%s", name[0] ? name : "output", suffix);
	for (int i = 0; i < n && out[i]; i++) {
		out[i] = isalnum((unsigned char)out[i]) ? out[i] : '_';
	}
}

static void write_classes(struct bytes_writer *w, const struct answer *answer)
{
	flat_integer(w, "count", (int64_t)answer->n_classes);
	for (size_t i = 0; i < answer->n_classes; i++) {
		const struct answer_class *one = &answer->classes[i];
		char key[32], number[24] = "";
		if (i > 0) {
			snprintf(number, sizeof(number), "_%zu", i + 1);
		}
		snprintf(key, sizeof(key), "label%s", number);
		if (one->label) {
			flat_text(w, key, one->label);
		}
		snprintf(key, sizeof(key), "index%s", number);
		flat_integer(w, key, (int64_t)one->index);
		snprintf(key, sizeof(key), "score%s", number);
		flat_real(w, key, one->score, DIGITS);
	}
}

static void write_anomaly(struct bytes_writer *w, const struct answer *answer)
{
	flat_real(w, "anomaly_score", answer->anomaly, DIGITS);
	if (!isnan(answer->threshold)) {
		flat_real(w, "threshold", answer->threshold, DIGITS);
		flat_integer(w, "anomalous", answer->anomaly > answer->threshold);
	}
}

static void write_tensor(
	struct bytes_writer *w, const struct spec *spec, const struct tensor_bytes *bytes)
{
	char key[128], number[24];
	struct answer_summary s = answer_summarise(spec, bytes);
	uint64_t n = values_are_numbers(spec->type) ? spec_elements(spec) : 0;
	if (n == 0) {
		return;
	}
	key_of(key, sizeof(key), spec->name, "min");
	flat_real(w, key, s.lowest, DIGITS);
	key_of(key, sizeof(key), spec->name, "mean");
	flat_real(w, key, s.mean, DIGITS);
	key_of(key, sizeof(key), spec->name, "max");
	flat_real(w, key, s.highest, DIGITS);
	for (size_t i = 0; i < n && n <= VALUES; i++) {
		snprintf(number, sizeof(number), "%zu", i);
		key_of(key, sizeof(key), spec->name, number);
		flat_real(w, key, values_get(spec, bytes->data, i), DIGITS);
	}
}

static void write_head(struct bytes_writer *w, const struct ask *ask, const char *version,
	const struct result_options *options)
{
	flat_begin(w, NULL, '{');
	flat_text(w, ask->of_pipeline ? "pipeline" : "model", ask->model);
	if (version) {
		flat_text(w, "version", version);
	}
	flat_text(w, "gw", options->gateway);
	flat_text(w, "source", ask->source);
	if (ask->id[0]) {
		flat_text(w, "id", ask->id);
	}
	if (options->sequence) {
		flat_integer(w, "seq", (int64_t)options->sequence);
	}
	flat_time(w);
}

static void write_times(struct bytes_writer *w, const struct ask *ask,
	const struct edge_client_answer *answer, const struct result_options *options)
{
	flat_real(w, "infer_ms", (double)answer->run_us / US_PER_MS, DIGITS);
	flat_real(w, "queue_ms", (double)answer->queue_us / US_PER_MS, DIGITS);
	flat_real(w, "total_ms", (double)(options->now_ns - ask->arrived_ns) / NS_PER_MS, DIGITS);
}

static int write_flat(struct bytes_writer *w, const struct ask *ask,
	const struct model_entry *model, const struct edge_client_answer *from,
	const struct view *view, const struct result_options *options, struct error *err)
{
	owned_answer struct answer answer = {0};
	const struct answer_options how = {
		.labels = &model->labels, .top_k = options->top_k, .threshold = model->threshold};
	struct spec input = model->inputs[0];
	input.shape = ask->tensors.tensors[0].shape;
	int r = answer_make(&how, &input, ask->tensors.tensors, model->n_inputs, view->specs,
		view->bytes, view->n, &answer, err);
	if (r < 0) {
		return r;
	}
	write_head(w, ask, from->version, options);
	write_times(w, ask, from, options);
	switch (answer.kind) {
	case ANSWER_CLASSES:
		write_classes(w, &answer);
		break;
	case ANSWER_ANOMALY:
		write_anomaly(w, &answer);
		break;
	case ANSWER_TENSORS:
		for (uint32_t i = 0; i < view->n; i++) {
			write_tensor(w, &view->specs[i], &view->bytes[i]);
		}
		break;
	}
	flat_end(w, '}');
	return 0;
}

static void write_raw(struct bytes_writer *w, const struct view *view)
{
	for (uint32_t i = 0; i < view->n; i++) {
		bytes_write(w, view->bytes[i].data, (size_t)view->bytes[i].bytes);
	}
}

static void write_base64(struct bytes_writer *w, const struct ask *ask,
	const struct edge_client_answer *from, const struct view *view,
	const struct result_options *options)
{
	struct bytes_writer raw = {0};
	write_raw(&raw, view);
	write_head(w, ask, from->version, options);
	write_times(w, ask, from, options);
	flat_text(w, "content_type", "application/octet-stream");
	flat_text(w, "data", "");
	w->size -= w->size > 0; /* the text goes on */
	base64_write(w, raw.data, raw.size);
	bytes_write_u8(w, '"');
	flat_end(w, '}');
	w->failed |= raw.failed;
	bytes_writer_deinit(&raw);
}

/* Names of the Open Inference Protocol, v2; NULL: it has none. */
static const char *oip_name(unsigned int type)
{
	static const char *const names[DTYPE_COUNT] = {
		[DTYPE_FLOAT32] = "FP32",
		[DTYPE_FLOAT16] = "FP16",
		[DTYPE_FLOAT64] = "FP64",
		[DTYPE_INT8] = "INT8",
		[DTYPE_INT16] = "INT16",
		[DTYPE_INT32] = "INT32",
		[DTYPE_INT64] = "INT64",
		[DTYPE_UINT8] = "UINT8",
		[DTYPE_UINT16] = "UINT16",
		[DTYPE_UINT32] = "UINT32",
		[DTYPE_UINT64] = "UINT64",
		[DTYPE_BOOL] = "BOOL",
	};
	return type < DTYPE_COUNT && values_are_numbers(type) ? names[type] : NULL;
}

/* Numbers as they are stored: integers are not made real. */
static void write_oip_output(
	struct bytes_writer *w, const struct spec *spec, const struct tensor_bytes *bytes)
{
	struct spec stored = *spec;
	stored.scale = 0;
	int digits = spec->type == DTYPE_FLOAT64 ? DIGITS_F64 : DIGITS_F32;
	bool real = spec->type == DTYPE_FLOAT32 || spec->type == DTYPE_FLOAT16 ||
		spec->type == DTYPE_FLOAT64;
	flat_begin(w, NULL, '{');
	flat_text(w, "name", spec->name);
	flat_text(w, "datatype", oip_name(spec->type));
	flat_begin(w, "shape", '[');
	for (unsigned int i = 0; i < spec->shape.rank; i++) {
		flat_integer(w, NULL, spec->shape.dim[i]);
	}
	flat_end(w, ']');
	flat_begin(w, "data", '[');
	uint64_t n = spec_elements(spec);
	for (size_t i = 0; i < n; i++) {
		double value = values_get(&stored, bytes->data, i);
		if (real) {
			flat_real(w, NULL, value, digits);
		} else {
			flat_integer(w, NULL, (int64_t)value);
		}
	}
	flat_end(w, ']');
	flat_end(w, '}');
}

static int write_oip(struct bytes_writer *w, const struct ask *ask,
	const struct edge_client_answer *from, const struct view *view, struct error *err)
{
	for (uint32_t i = 0; i < view->n; i++) {
		if (!oip_name(view->specs[i].type)) {
			return error_set(err, -EOPNOTSUPP, "output %u, of %s, has no form in JSON",
				i, dtype_name(view->specs[i].type));
		}
	}
	flat_begin(w, NULL, '{');
	flat_text(w, "model_name", ask->model);
	flat_text(w, "model_version", from->version);
	if (ask->id[0]) {
		flat_text(w, "id", ask->id);
	}
	flat_begin(w, "outputs", '[');
	for (uint32_t i = 0; i < view->n; i++) {
		write_oip_output(w, &view->specs[i], &view->bytes[i]);
	}
	flat_end(w, ']');
	flat_end(w, '}');
	return 0;
}

int result_write(struct bytes_writer *w, enum ask_answer form, const struct ask *ask,
	const struct model_entry *model, const struct edge_client_answer *answer,
	const struct result_options *options, struct error *err)
{
	struct view view;
	int r = look(&view, model, answer, err);
	if (r < 0) {
		return r;
	}
	switch (form) {
	case ASK_RAW:
		write_raw(w, &view);
		break;
	case ASK_BASE64:
		write_base64(w, ask, answer, &view, options);
		break;
	case ASK_OIP:
		r = write_oip(w, ask, answer, &view, err);
		break;
	case ASK_JSON:
		r = write_flat(w, ask, model, answer, &view, options, err);
		break;
	}
	return r == 0 && w->failed ? error_no_memory(err) : r;
}

void result_write_error(struct bytes_writer *w, const struct ask *ask, unsigned int status,
	const char *text, const struct result_options *options)
{
	write_head(w, ask, NULL, options);
	flat_text(w, "error", edge_client_code_name(status));
	flat_integer(w, "code", status);
	flat_told(w, "message", text);
	flat_end(w, '}');
}

void result_tensors(const struct model_entry *model, const struct edge_client_answer *answer,
	char *out, size_t size)
{
	size_t used = 0;
	out[0] = 0;
	for (uint32_t i = 0; i < answer->n_outputs && i < model->n_outputs; i++) {
		const struct edge_client_tensor *t = &answer->outputs[i];
		char dims[96] = "";
		size_t at = 0;
		for (uint32_t k = 0; k < t->shape.rank; k++) {
			at += (size_t)snprintf(dims + at, sizeof(dims) - at, "%s%d", k ? "," : "",
				t->shape.dim[k]);
		}
		int n = snprintf(out + used, size - used, "%s%.80s:%s[%s]", i ? " " : "",
			model->outputs[i].name, dtype_name(t->type), dims);
		if (n < 0 || (size_t)n >= size - used) {
			out[used] = 0;
			return;
		}
		used += (size_t)n;
	}
}
