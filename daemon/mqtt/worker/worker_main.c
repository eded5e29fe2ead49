/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/worker/worker_main.h"

#include <errno.h>
#include <string.h>

#include "client/pipeline/pipeline.h"
#include "daemon/mqtt/worker/decode.h"
#include "daemon/mqtt/worker/envelope.h"
#include "daemon/mqtt/worker/worker_frames.h"
#include "daemon/system/child_sandbox.h"

#define CPU_SECONDS (1 << 30) /* not used; the parent limits the time of each command */

/* The last WORKER_COMMAND_MODEL command of a model. */
struct pipelines_model {
	struct pipelines_model *next;
	char name[PIPELINES_MODEL_SIZE], signature[PIPELINES_MODEL_SIZE];
	uint8_t *frame; /* owned */
	size_t size;
};

/* The few-shot examples of a model. */
struct pipelines_examples {
	struct pipelines_examples *next;
	char model[PIPELINES_MODEL_SIZE];
	char *text; /* owned */
};

struct world;

struct pipelines_own {
	struct world *world;
	struct pipeline *pipeline; /* owned; NULL: opening failed, the index stays used */
	uint32_t index;
};

struct world {
	struct pipelines_own items[PIPELINES_MAX];
	uint32_t n;
	struct pipelines_model *models;
	struct pipelines_examples *examples;
	struct {
		uint32_t pipeline;
		const struct pipeline_question *question;
	} given[PIPELINES_MAX_QUESTIONS];
	uint32_t n_given, max_given;
	uint32_t next; /* index of the pipeline whose requests are sent next */
	bool broken; /* the parent is gone */
};

/* Sends and frees @frame. Returns false if it lacks memory; nothing was sent then. */
static bool send_frame(struct world *world, struct bytes_writer *frame)
{
	bool whole = !frame->failed;
	if (whole) {
		world->broken |= !worker_frames_write(frame);
	}
	bytes_writer_deinit(frame);
	return whole;
}

static struct pipeline *find(const struct world *world, uint32_t index)
{
	return index < world->n ? world->items[index].pipeline : NULL;
}

/* ---- models */

static struct pipelines_model *model_find(
	const struct world *world, const char *name, const char *signature)
{
	struct pipelines_model *model = world->models;
	while (model && (strcmp(model->name, name) || strcmp(model->signature, signature))) {
		model = model->next;
	}
	return model;
}

static int describe(void *context, const char *name, const char *signature,
	struct pipeline_model *ret_model, struct error *err)
{
	const struct pipelines_own *own = context;
	const struct pipelines_model *model =
		model_find(own->world, name, signature ? signature : "");
	char names[2][PIPELINES_MODEL_SIZE];
	bool there = false;
	struct pipeline_model found = {0};
	if (model) {
		struct bytes_reader r = bytes_reader_of(model->frame, model->size);
		int code = worker_frames_model_read(&r, names[0], names[1], &there, &found, err);
		if (code < 0) {
			return code;
		}
	}
	if (!there) {
		return error_set(err, -ENOENT, "there is no model %s", name);
	}
	*ret_model = found;
	return 0;
}

/* The pipelines request the descriptions again. */
static void forget_models(struct world *world)
{
	for (uint32_t i = 0; i < world->n; i++) {
		if (world->items[i].pipeline) {
			pipeline_forget_models(world->items[i].pipeline);
		}
	}
}

/* Resets the pipelines of a model that edged no longer serves. The parent has published the
 * reset. */
static void forget_sources(struct world *world, const char *model)
{
	for (uint32_t i = 0; i < world->n; i++) {
		struct pipeline *p = world->items[i].pipeline;
		const char *name = NULL;
		for (size_t k = 0; p && (name = pipeline_model_name(p, k)); k++) {
			if (strcmp(name, model) == 0) {
				pipeline_forget_sources(p);
			}
		}
	}
}

static int model_take(struct world *world, struct bytes_reader *r, struct error *err)
{
	struct pipeline_model unused = {0};
	struct bytes_reader again = *r;
	char name[PIPELINES_MODEL_SIZE], signature[PIPELINES_MODEL_SIZE];
	bool there = false;
	int code = worker_frames_model_read(&again, name, signature, &there, &unused, err);
	if (code < 0) {
		return code;
	}
	pipeline_model_free(&unused);
	struct pipelines_model *model = model_find(world, name, signature);
	if (!model) {
		model = calloc(1, sizeof(*model));
		if (!model) {
			return error_no_memory(err);
		}
		memcpy(model->name, name, sizeof(name));
		memcpy(model->signature, signature, sizeof(signature));
		model->next = world->models;
		world->models = model;
	}
	free(model->frame);
	model->size = r->size - r->at;
	model->frame = malloc(model->size);
	if (!model->frame) {
		model->size = 0;
		return error_no_memory(err);
	}
	memcpy(model->frame, r->data + r->at, model->size);
	forget_models(world);
	if (!there) {
		forget_sources(world, name);
	}
	return 0;
}

static struct pipelines_examples *examples_find(const struct world *world, const char *model)
{
	struct pipelines_examples *examples = world->examples;
	while (examples && strcmp(examples->model, model) != 0) {
		examples = examples->next;
	}
	return examples;
}

static int examples_take(struct world *world, struct bytes_reader *r, struct error *err)
{
	char model[PIPELINES_MODEL_SIZE];
	const char *text = NULL;
	int code = worker_frames_examples_read(r, model, &text, err);
	if (code < 0) {
		return code;
	}
	struct pipelines_examples *examples = examples_find(world, model);
	owned_mem char *copy = strdup(text);
	if (!copy || (!examples && !(examples = calloc(1, sizeof(*examples))))) {
		return error_no_memory(err);
	}
	if (!examples->text) {
		memcpy(examples->model, model, sizeof(model));
		examples->next = world->examples;
		world->examples = examples;
	}
	free(examples->text);
	examples->text = take(copy);
	forget_models(world);
	return 0;
}

static int examples_copy(void *context, const char *model, char **ret_text, struct error *err)
{
	const struct pipelines_own *own = context;
	const struct pipelines_examples *examples = examples_find(own->world, model);
	*ret_text = strdup(examples ? examples->text : "");
	return *ret_text ? 0 : error_no_memory(err);
}

/* ---- results and model requests */

static void on_result(void *context, const struct pipeline_result *result)
{
	const struct pipelines_own *own = context;
	struct bytes_writer w = {0};
	worker_frames_result_write(&w, own->index, result);
	if (!send_frame(own->world, &w)) {
		struct pipeline_result small = *result;
		struct bytes_writer again = {0};
		small.snapshot = NULL;
		small.snapshot_bytes = 0;
		worker_frames_result_write(&again, own->index, &small);
		bool sent = send_frame(own->world, &again);
		(void)sent; /* without memory the result is lost */
	}
}

/* Sends model requests of all pipelines in turn, up to the parent's limit. */
static void request(struct world *world)
{
	uint32_t idle = 0;
	while (idle < world->n && world->n_given < world->max_given && !world->broken) {
		struct pipelines_own *own = &world->items[world->next++ % world->n];
		const struct pipeline_question *q =
			own->pipeline ? pipeline_next(own->pipeline) : NULL;
		idle = q ? 0 : idle + 1;
		if (!q) {
			continue;
		}
		struct bytes_writer w = {0};
		worker_frames_model_request_write(&w, own->index, q);
		if (q->n_inputs > PIPELINES_MAX_TENSORS || w.failed) {
			struct error err = {0};
			error_set(&err, w.failed ? -ENOMEM : -EOPNOTSUPP, "%s",
				w.failed ? "no memory" : "too many inputs");
			bytes_writer_deinit(&w);
			pipeline_fail(own->pipeline, q, &err);
			continue;
		}
		bool sent = send_frame(world, &w);
		(void)sent; /* cannot fail: w.failed is false */
		world->given[world->n_given].pipeline = own->index;
		world->given[world->n_given++].question = q;
	}
}

static int answer_take(struct world *world, struct bytes_reader *r, struct error *err)
{
	struct pipelines_answer answer;
	int code = worker_frames_answer_read(r, &answer, err);
	if (code < 0) {
		return code;
	}
	uint32_t i = 0;
	while (i < world->n_given &&
		(world->given[i].pipeline != answer.pipeline ||
			world->given[i].question->id != answer.question)) {
		i++;
	}
	if (i < world->n_given) {
		struct pipeline *p = world->items[answer.pipeline].pipeline;
		const struct pipeline_question *q = world->given[i].question;
		world->given[i] = world->given[--world->n_given];
		if (!answer.error.code && answer.n != q->n_outputs) {
			error_set(&answer.error, -EPROTO, "%u outputs instead of %u", answer.n,
				q->n_outputs);
		}
		if (answer.error.code) {
			pipeline_fail(p, q, &answer.error);
		} else {
			int sent = pipeline_answer(p, q, answer.tensors, answer.n, NULL);
			(void)sent; /* errors are reported to the sink */
		}
	}
	worker_frames_answer_deinit(&answer);
	return 0;
}

/* ---- commands */

static int open_take(struct world *world, struct bytes_reader *r, struct error *err)
{
	struct pipelines_text text;
	int code = worker_frames_open_read(r, &text, err);
	if (world->n == PIPELINES_MAX) {
		return error_set(err, -EFBIG, "too many pipelines");
	}
	struct pipelines_own *own = &world->items[world->n];
	own->world = world;
	own->index = world->n++; /* the parent counts rejected pipelines, too */
	if (code < 0) {
		return code;
	}
	const struct pipeline_models models = {
		.describe = describe, .context = own, .examples = examples_copy};
	const struct pipeline_sink sink = {.result = on_result, .context = own};
	return pipeline_open_text(
		text.path, text.text, text.size, &models, &sink, &own->pipeline, err);
}

/* Returns true if the input may be a JSON envelope. */
static bool may_be_envelope(const struct pipelines_input *input)
{
	const char *text = input->data, *type = input->content_type;
	size_t at = 0;
	while (at < input->size && text[at] && strchr(" \t\r\n", text[at])) {
		at++;
	}
	return at < input->size && text[at] == '{' && !input->fields[0] &&
		(!type[0] || strcmp(type, "application/json") == 0);
}

/* Replaces @push by the data of an envelope. *ret_wait: sends the envelope; the parent sends the
 * input again, because it needs the response topic first. */
static int input_open(struct world *world, const struct pipelines_input *input,
	struct pipeline_input *push, uint8_t **ret_data, bool *ret_wait, struct error *err)
{
	struct decode_envelope envelope = {0};
	enum decode_format format = DECODE_AUTO;
	size_t bytes = 0;
	int code =
		envelope_open(input->data, input->size, &envelope, ret_data, &bytes, &format, err);
	if (envelope.there && !input->envelope_parsed) {
		struct bytes_writer w = {0};
		*ret_wait = true;
		worker_frames_envelope_write(&w, &envelope);
		return send_frame(world, &w) ? code : error_no_memory(err);
	}
	if (code == 0 && envelope.there) {
		const char *type = decode_content_type(format);
		push->data = *ret_data;
		push->size = bytes;
		push->content_type = type[0] ? type : NULL;
	}
	return code;
}

static int input_take(struct world *world, struct bytes_reader *r, struct error *err)
{
	struct pipelines_input input;
	owned_mem char *line = NULL;
	owned_mem uint8_t *envelope_parsed = NULL;
	bool wait = false;
	uint32_t rate = 0, channels = 0;
	int code = worker_frames_input_read(r, &input, err);
	struct pipeline *p = code < 0 ? NULL : find(world, input.pipeline);
	if (!p) {
		return code < 0 ? code : error_set(err, -ENOENT, "no such pipeline");
	}
	bool sound = pipeline_feed(p, &rate, &channels) == PIPELINE_STREAM_SOUND;
	struct pipeline_input push = {.data = input.data,
		.size = input.size,
		.content_type = input.content_type[0] ? input.content_type : NULL,
		.source = input.source,
		.origin = input.connection_id,
		.time_us = sound ? 0 : input.time_us, /* the number of samples is a better clock */
		.deadline_ns = input.deadline_ns,
		.tag = input.tag};
	if (input.fields[0]) {
		code = envelope_fields(
			input.data, input.size, input.fields, &line, &push.size, err);
		push.data = line;
		push.content_type = "text/csv";
	} else if (may_be_envelope(&input)) {
		code = input_open(world, &input, &push, &envelope_parsed, &wait, err);
	}
	return code < 0 || wait ? code : pipeline_push(p, &push, err);
}

static int set_take(struct world *world, struct bytes_reader *r, struct error *err)
{
	uint32_t index = bytes_read_u32(r);
	uint64_t bits = bytes_read_u64(r);
	double threshold = 0;
	memcpy(&threshold, &bits, sizeof(threshold));
	struct pipeline *p = find(world, index);
	return p ? pipeline_set_threshold(p, threshold, err)
		 : error_set(err, -ENOENT, "no such pipeline");
}

/* Decodes the payload of a request to a model. */
static int decode_take(struct world *world, struct bytes_reader *r, struct error *err)
{
	static struct tensor_spec specs[DECODE_MAX_INPUTS]; /* too large for the stack */
	struct decode_job job;
	struct decode_result result = {0};
	int code = worker_frames_decode_read(r, specs, &job, err);
	code = code < 0 ? code : decode_run(&job, &result, err);
	if (result.envelope.there) { /* also if it has a mistake: it may name the response topic */
		struct bytes_writer w = {0};
		worker_frames_envelope_write(&w, &result.envelope);
		code = send_frame(world, &w) ? code : error_no_memory(err);
	}
	if (code == 0) {
		struct bytes_writer w = {0};
		worker_frames_tensors_write(&w, &result);
		code = send_frame(world, &w) ? code : error_no_memory(err);
	}
	decode_result_free(&result);
	return code;
}

static int begin_take(
	struct world *world, struct bytes_reader *r, uint64_t memory_bytes, struct error *err)
{
	world->max_given = bytes_read_u32(r);
	if (r->failed || world->max_given > PIPELINES_MAX_QUESTIONS) {
		return error_set(err, -EPROTO, "too many questions");
	}
	child_sandbox_enter(CPU_SECONDS, memory_bytes);
	return 0;
}

static int order_take(
	struct world *world, struct bytes_reader *r, uint64_t memory_bytes, struct error *err)
{
	switch (bytes_read_u8(r)) {
	case WORKER_COMMAND_OPEN:
		return open_take(world, r, err);
	case WORKER_COMMAND_BEGIN:
		return begin_take(world, r, memory_bytes, err);
	case WORKER_COMMAND_MODEL:
		return model_take(world, r, err);
	case WORKER_COMMAND_EXAMPLES:
		return examples_take(world, r, err);
	case WORKER_COMMAND_INPUT:
		return input_take(world, r, err);
	case WORKER_COMMAND_ANSWER:
		return answer_take(world, r, err);
	case WORKER_COMMAND_SET_THRESHOLD:
		return set_take(world, r, err);
	case WORKER_COMMAND_DECODE:
		return decode_take(world, r, err);
	default:
		return error_set(err, -EPROTO, "no such command");
	}
}

/* The parent's limit of running inputs keeps the tags within PIPELINES_MAX_TAGS. */
static void done_write(struct world *world, const struct error *err, struct bytes_writer *w)
{
	uint64_t tags[PIPELINES_MAX_TAGS], some[PIPELINE_MAX_QUESTIONS];
	uint32_t n = 0;
	for (uint32_t i = 0; i < world->n; i++) {
		const struct pipeline *p = world->items[i].pipeline;
		const size_t more = p ? pipeline_tags(p, some) : 0;
		for (size_t k = 0; k < more && n < PIPELINES_MAX_TAGS; k++) {
			bool known = false;
			for (uint32_t j = 0; j < n && !known; j++) {
				known = tags[j] == some[k];
			}
			tags[n] = some[k];
			n += !known;
		}
	}
	worker_frames_done_write(w, err, tags, n);
}

int worker_main(uint64_t memory_bytes)
{
	static struct world world; /* one per process; too large for the stack */
	for (;;) {
		struct error err = {0};
		struct bytes_writer w = {0};
		size_t size = 0;
		owned_mem uint8_t *frame = worker_frames_read(&size);
		if (!frame || world.broken) {
			return 0; /* the exit frees everything */
		}
		struct bytes_reader r = bytes_reader_of(frame, size);
		int code = order_take(&world, &r, memory_bytes, &err);
		if (code == -ENOMEM) { /* the text names the setting to raise */
			error_prefix(&err, "decode-memory");
		}
		request(&world);
		done_write(&world, &err, &w);
		if (!send_frame(&world, &w)) {
			return 1; /* the parent sees the end of the process */
		}
	}
}
