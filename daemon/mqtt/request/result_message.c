/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/request/result_message.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "client/media/tensor_values.h"
#include "client/pipeline/answer.h"
#include "daemon/mqtt/request/edged_client.h"
#include "daemon/mqtt/text/json_writer.h"
#include "daemon/system/base64.h"

#define VALUES 16 /* outputs with more values have none in flat JSON */
#define DIGITS 7
#define DIGITS_F32 9
#define DIGITS_F64 17

struct result {
	struct bytes_writer *w;
	const struct settings *settings;
	uint64_t sequence;
	const struct mqtt_request *request;
	const struct model_entry *model;
	const struct edge_client_answer *from; /* NULL: an error */
	struct tensor_spec specs[MODELS_MAX_OUTPUTS]; /* of the outputs */
	struct tensor_bytes bytes[MODELS_MAX_OUTPUTS];
	uint32_t n;
};

static int take_outputs(struct result *result, struct error *err)
{
	const struct model_entry *model = result->model;
	result->n = result->from->n_outputs;
	if (result->n != model->n_outputs) {
		return error_set(
			err, -EPROTO, "%u outputs instead of %u", result->n, model->n_outputs);
	}
	for (uint32_t i = 0; i < result->n; i++) {
		result->bytes[i] = edged_client_tensor(&result->from->outputs[i]);
		if (result->bytes[i].type != model->outputs[i].type) {
			return error_set(err, -EPROTO, "output %u has another type", i);
		}
		result->specs[i] = model->outputs[i];
		result->specs[i].shape = result->bytes[i].shape;
	}
	return 0;
}

/* Makes a JSON key from a tensor's name. */
static void key_of(char *out, size_t size, const char *name, const char *suffix)
{
	int n = snprintf(out, size, "%.80s_%s", name[0] ? name : "output", suffix);
	for (int i = 0; i < n && out[i]; i++) {
		out[i] = isalnum((unsigned char)out[i]) ? out[i] : '_';
	}
}

static void write_classes(struct bytes_writer *w, const struct answer *answer)
{
	json_writer_integer(w, "count", (int64_t)answer->n_classes);
	for (size_t i = 0; i < answer->n_classes; i++) {
		const struct answer_class *one = &answer->classes[i];
		char key[32], number[24] = "";
		if (i > 0) {
			snprintf(number, sizeof(number), "_%zu", i + 1);
		}
		snprintf(key, sizeof(key), "label%s", number);
		if (one->label) {
			json_writer_text(w, key, one->label);
		}
		snprintf(key, sizeof(key), "index%s", number);
		json_writer_integer(w, key, (int64_t)one->index);
		snprintf(key, sizeof(key), "score%s", number);
		json_writer_real(w, key, one->score, DIGITS);
	}
}

static void write_anomaly(struct bytes_writer *w, const struct answer *answer)
{
	json_writer_real(w, "anomaly_score", answer->anomaly, DIGITS);
	if (!isnan(answer->threshold)) {
		json_writer_real(w, "threshold", answer->threshold, DIGITS);
		json_writer_integer(w, "anomalous", answer->anomaly > answer->threshold);
	}
}

static void write_tensor(
	struct bytes_writer *w, const struct tensor_spec *spec, const struct tensor_bytes *bytes)
{
	char key[128], number[24];
	struct answer_summary s = answer_summarise(spec, bytes);
	uint64_t n = tensor_values_are_numbers(spec->type) ? tensor_spec_elements(spec) : 0;
	if (n == 0) {
		return;
	}
	key_of(key, sizeof(key), spec->name, "min");
	json_writer_real(w, key, s.lowest, DIGITS);
	key_of(key, sizeof(key), spec->name, "mean");
	json_writer_real(w, key, s.mean, DIGITS);
	key_of(key, sizeof(key), spec->name, "max");
	json_writer_real(w, key, s.highest, DIGITS);
	for (size_t i = 0; i < n && n <= VALUES; i++) {
		snprintf(number, sizeof(number), "%zu", i);
		key_of(key, sizeof(key), spec->name, number);
		json_writer_real(w, key, tensor_values_get(spec, bytes->data, i), DIGITS);
	}
}

static void write_header(const struct result *result)
{
	struct bytes_writer *w = result->w;
	const struct mqtt_request *request = result->request;
	const struct edge_client_answer *from = result->from;
	json_writer_begin(w, NULL, '{');
	json_writer_text(w, request->of_pipeline ? "pipeline" : "model", request->target);
	if (from) {
		json_writer_text(w, "version", from->version);
	}
	json_writer_text(w, "gw", result->settings->gateway);
	json_writer_text(w, "source", request->source);
	if (request->id[0]) {
		json_writer_text(w, "id", request->id);
	}
	if (result->sequence) {
		json_writer_integer(w, "seq", (int64_t)result->sequence);
	}
	json_writer_time(w);
	if (!from) {
		return;
	}
	json_writer_real(w, "infer_ms", (double)from->run_us / (double)USEC_PER_MSEC, DIGITS);
	json_writer_real(w, "queue_ms", (double)from->queue_us / (double)USEC_PER_MSEC, DIGITS);
	json_writer_real(w, "total_ms",
		(double)(clock_now_ns() - request->arrived_ns) / (double)NSEC_PER_MSEC, DIGITS);
}

static int write_flat(const struct result *result, struct error *err)
{
	owned_answer struct answer answer = {0};
	struct bytes_writer *w = result->w;
	const struct model_entry *model = result->model;
	const struct tensor_bytes *inputs = result->request->tensors.tensors;
	const struct answer_options how = {.labels = &model->labels,
		.top_k = (uint32_t)result->settings->top_k,
		.threshold = model->threshold};
	struct tensor_spec input = model->inputs[0];
	input.shape = inputs[0].shape;
	int r = answer_make(&how, &input, inputs, model->n_inputs, result->specs, result->bytes,
		result->n, &answer, err);
	if (r < 0) {
		return r;
	}
	write_header(result);
	switch (answer.kind) {
	case ANSWER_CLASSES:
		write_classes(w, &answer);
		break;
	case ANSWER_ANOMALY:
		write_anomaly(w, &answer);
		break;
	case ANSWER_TENSORS:
		for (uint32_t i = 0; i < result->n; i++) {
			write_tensor(w, &result->specs[i], &result->bytes[i]);
		}
		break;
	}
	json_writer_end(w, '}');
	return 0;
}

static void write_raw(struct bytes_writer *w, const struct result *result)
{
	for (uint32_t i = 0; i < result->n; i++) {
		bytes_write(w, result->bytes[i].data, (size_t)result->bytes[i].bytes);
	}
}

static void write_base64(const struct result *result)
{
	struct bytes_writer raw = {0}, *w = result->w;
	write_raw(&raw, result);
	write_header(result);
	json_writer_text(w, "content_type", "application/octet-stream");
	json_writer_text(w, "data", "");
	w->size -= w->size > 0; /* removes the closing quote */
	base64_write(w, raw.data, raw.size);
	bytes_write_u8(w, '"');
	json_writer_end(w, '}');
	w->failed |= raw.failed;
	bytes_writer_deinit(&raw);
}

/* Writes stored values: quantized integers are not dequantized. */
static void write_oip_output(
	struct bytes_writer *w, const struct tensor_spec *spec, const struct tensor_bytes *bytes)
{
	struct tensor_spec stored = *spec;
	stored.scale = 0;
	int digits = spec->type == DTYPE_FLOAT64 ? DIGITS_F64 : DIGITS_F32;
	bool real = spec->type == DTYPE_FLOAT32 || spec->type == DTYPE_FLOAT16 ||
		spec->type == DTYPE_FLOAT64;
	json_writer_begin(w, NULL, '{');
	json_writer_text(w, "name", spec->name);
	json_writer_text(w, "datatype", decode_oip_type(spec->type));
	json_writer_begin(w, "shape", '[');
	for (unsigned int i = 0; i < spec->shape.rank; i++) {
		json_writer_integer(w, NULL, spec->shape.dim[i]);
	}
	json_writer_end(w, ']');
	json_writer_begin(w, "data", '[');
	uint64_t n = tensor_spec_elements(spec);
	for (size_t i = 0; i < n; i++) {
		double value = tensor_values_get(&stored, bytes->data, i);
		if (real) {
			json_writer_real(w, NULL, value, digits);
		} else {
			json_writer_integer(w, NULL, (int64_t)value);
		}
	}
	json_writer_end(w, ']');
	json_writer_end(w, '}');
}

static int write_oip(const struct result *result, struct error *err)
{
	struct bytes_writer *w = result->w;
	for (uint32_t i = 0; i < result->n; i++) {
		if (!decode_oip_type(result->specs[i].type)) {
			return error_set(err, -EOPNOTSUPP, "output %u, of %s, has no form in JSON",
				i, dtype_name(result->specs[i].type));
		}
	}
	json_writer_begin(w, NULL, '{');
	json_writer_text(w, "model_name", result->request->target);
	json_writer_text(w, "model_version", result->from->version);
	if (result->request->id[0]) {
		json_writer_text(w, "id", result->request->id);
	}
	json_writer_begin(w, "outputs", '[');
	for (uint32_t i = 0; i < result->n; i++) {
		write_oip_output(w, &result->specs[i], &result->bytes[i]);
	}
	json_writer_end(w, ']');
	json_writer_end(w, '}');
	return 0;
}

int result_message_write(struct bytes_writer *w, enum mqtt_request_response form,
	const struct settings *settings, uint64_t sequence, const struct mqtt_request *request,
	const struct model_entry *model, const struct edge_client_answer *answer, struct error *err)
{
	struct result result = {.w = w,
		.settings = settings,
		.sequence = sequence,
		.request = request,
		.model = model,
		.from = answer};
	int r = take_outputs(&result, err);
	if (r < 0) {
		return r;
	}
	switch (form) {
	case MQTT_REQUEST_RAW:
		write_raw(w, &result);
		break;
	case MQTT_REQUEST_BASE64:
		write_base64(&result);
		break;
	case MQTT_REQUEST_OIP:
		r = write_oip(&result, err);
		break;
	case MQTT_REQUEST_JSON:
		r = write_flat(&result, err);
		break;
	}
	return r == 0 && w->failed ? error_no_memory(err) : r;
}

void result_message_write_error(struct bytes_writer *w, const struct settings *settings,
	const struct mqtt_request *request, unsigned int status, const char *text)
{
	const struct result result = {.w = w, .settings = settings, .request = request};
	write_header(&result);
	json_writer_text(w, "error", edge_client_code_name(status));
	json_writer_integer(w, "code", status);
	json_writer_escaped(w, "message", text);
	json_writer_end(w, '}');
}

void result_message_tensors(const struct model_entry *model,
	const struct edge_client_answer *answer, char *out, size_t size)
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
