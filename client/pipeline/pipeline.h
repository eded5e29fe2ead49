/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline - turns sensor data into decisions, as pipelines.d/NAME.conf describes
 *
 * Each input (a JPEG, a piece of PCM, a line of numbers) is decoded, collected into windows for
 * each source and converted to tensors. A model runs on the tensors. Its outputs are read as
 * classes, boxes, key points and so on; the decision turns them into events, and further stages
 * may run on them.
 *
 * A pipeline runs no model itself. It hands out inference requests and takes the outputs, so it
 * works with a daemon, a model in this process, another process or a test. It does no I/O after it
 * was opened. One thread at a time may use a pipeline.
 *
 *   pipeline_open(path, &models, &sink, &p, err)      reads and checks the file
 *   pipeline_push(p, &input, err)                     queues 0 .. n requests
 *   while ((q = pipeline_next(p)))                    run q->model; several may run at once
 *           pipeline_answer(p, q, outputs, n, err)    results go to sink; may queue more requests
 *
 * pipeline_run() replaces the last three lines where blocking is allowed.
 *
 * Memory is bounded by the file and the limits below, whatever is pushed.
 */
#ifndef CLIENT_PIPELINE_PIPELINE_H
#define CLIENT_PIPELINE_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "client/pipeline/pipeline_types.h"

/* ---- life */

/*
 * Reads and checks the file. Calls no function of @models. Both structs are copied; @sink may be
 * NULL.
 *
 * -EINVAL: unknown section or key, value out of range, duplicate key, or contradicting keys; the
 * message begins with "file:line: ". Otherwise the error of opening the file.
 */
int must_check pipeline_open(const char *path, const struct pipeline_models *models,
	const struct pipeline_sink *sink, struct pipeline **ret_pipeline, struct error *err);

/* Like pipeline_open() with a text in memory; @name replaces the path. Files that the text names
 * (labels, examples) are opened by the path as written. */
int must_check pipeline_open_text(const char *name, const char *text, size_t size,
	const struct pipeline_models *models, const struct pipeline_sink *sink,
	struct pipeline **ret_pipeline, struct error *err);
void pipeline_close(struct pipeline *pipeline); /* may be NULL; must not be called from a sink */
DEFINE_OWNED(struct pipeline *, pipeline_close)

/* Returns the name of the file without .conf. */
const char *pipeline_name(const struct pipeline *pipeline);

/* Returns `description`; "" without one. */
const char *pipeline_description(const struct pipeline *pipeline);

/* Returns the model of stage @index, from 0; NULL after the last stage. Stages may share a
 * model. */
const char *pipeline_model_name(const struct pipeline *pipeline, size_t index);

/* Returns the signature of stage @index; NULL: the default signature, or no such stage. */
const char *pipeline_signature_name(const struct pipeline *pipeline, size_t index);

/* Facts that a front end needs before the first input. Of the first stage unless stated
 * otherwise. */
struct pipeline_about {
	bool latest_only;
	bool decides; /* has a [decision]: results are events */
	bool tells_ends; /* the decision emits ends */
	/* any stage keeps state between inputs: decision, window, `for`, session or `every` */
	bool remembers;
	bool numbers, anomaly; /* by `kind`; both false: labels */
	const char *names, *unit; /* of numbers; "" */
	uint32_t output; /* index of the model's output that has the numbers */
	bool snapshot; /* any stage makes snapshots */
	bool snapshot_jpeg; /* the first stage with snapshots makes JPEG */
	bool has_threshold; /* pipeline_set_threshold() is supported */
};
struct pipeline_about pipeline_about(const struct pipeline *pipeline);

/* Prints every key with its value, defaults included, as a file (`edgectl pipeline show`). */
void pipeline_print(const struct pipeline *pipeline, FILE *out);

/* Models may have changed: describe is called again. The state of sources is kept. */
void pipeline_forget_models(struct pipeline *pipeline);

/* ---- inputs and requests */

/*
 * Takes one input. Returns 0 if it was taken, also if it queued no request (sampling, window not
 * full).
 *
 * -EBADMSG, -EINVAL, -EOPNOTSUPP, -EFBIG: the input is invalid. -ENOSPC: PIPELINE_MAX_QUESTIONS
 * requests or too many bytes are queued. On failure nothing has changed, and the sink is not
 * called.
 */
int must_check pipeline_push(
	struct pipeline *pipeline, const struct pipeline_input *input, struct error *err);

/* For a stream that ends: drops the partial window and the decisions of @source with origin 0. */
void pipeline_forget_source(struct pipeline *pipeline, const char *source);

/* Drops the partial windows and decisions of all sources of any origin. */
void pipeline_forget_sources(struct pipeline *pipeline);

/* Returns the oldest request that was not returned before; NULL: none. With `latest-only` a push
 * drops older requests of its source that were not returned yet. */
const struct pipeline_question *pipeline_next(struct pipeline *pipeline);

/* Returns the number of requests that are queued or running. */
size_t pipeline_pending(const struct pipeline *pipeline);

/* Returns the tags of the inputs with queued or running requests, possibly repeated; at most
 * PIPELINE_MAX_QUESTIONS. An input whose tag is missing has no more results. */
size_t pipeline_tags(const struct pipeline *pipeline, uint64_t ret_tags[PIPELINE_MAX_QUESTIONS]);

/*
 * Takes the outputs of a request, calls the sink and may queue more requests. @outputs: all
 * outputs of the model, in its order, borrowed during the call. @question is freed, also on
 * failure. -EBADMSG: the outputs do not have the form that the file demands; the sink gets
 * PIPELINE_FAILED.
 */
int must_check pipeline_answer(struct pipeline *pipeline, const struct pipeline_question *question,
	const struct tensor_bytes *outputs, uint32_t n_outputs, struct error *err);

/* Ends a request without outputs. The sink gets PIPELINE_SKIPPED for -EBUSY, -EAGAIN and
 * -ETIMEDOUT, else PIPELINE_FAILED. @question is freed. */
void pipeline_fail(struct pipeline *pipeline, const struct pipeline_question *question,
	const struct error *why);

/*
 * Pushes @input, then runs models->run for every queued request. Returns the first error. A failed
 * request is reported to the sink too, and the other requests still run.
 */
int must_check pipeline_run(
	struct pipeline *pipeline, const struct pipeline_input *input, struct error *err);

/* For a sound stream that ends: pads the partial window of @source (origin 0) with silence and
 * runs it like pipeline_run(). Does nothing without a partial window. */
int must_check pipeline_run_rest(struct pipeline *pipeline, const char *source, struct error *err);

/* ---- settings at run time */

/* The `threshold` of the first stage's decision, else of its [post]; NaN: none. Setting NaN
 * restores the model's threshold. -EINVAL: out of the file's range. -EOPNOTSUPP: no threshold
 * here. Decisions keep their state. */
double pipeline_threshold(const struct pipeline *pipeline);
int must_check pipeline_set_threshold(
	struct pipeline *pipeline, double threshold, struct error *err);

/* From now on the findings of every stage are drawn into a copy of the last received image,
 * whatever decisions emit. For callers of pipeline_run(), one image at a time. Findings in a
 * crop are drawn at their place in the whole image. */
void pipeline_want_drawing(struct pipeline *pipeline);
/* Returns this drawing as PNG; the caller frees it. NULL: no image since the last call. -ENOMEM,
 * -EIO. */
int must_check pipeline_drawing(
	struct pipeline *pipeline, void **ret_png, size_t *ret_size, struct error *err);

/* Adds a mask to every result, like `show-mask = yes`. Returns false if no stage has masks. */
bool pipeline_want_masks(struct pipeline *pipeline);
/* Emits every result of every input, like `publish = all` without `rate-limit` in each stage. */
void pipeline_want_everything(struct pipeline *pipeline);
/* Overrides `top-k` (0: as in the file) and `threshold` of [post] (NaN: as in the file) in every
 * stage that has them. */
void pipeline_want_found(struct pipeline *pipeline, uint32_t top_k, double threshold);

/* How [source] is fed: PIPELINE_STREAM_SOUND (PCM without header has *ret_rate and
 * *ret_channels) and PIPELINE_STREAM_NUMBERS in pieces of any size, PIPELINE_SINGLE one input at
 * a time. */
enum pipeline_input_mode {
	PIPELINE_SINGLE,
	PIPELINE_STREAM_SOUND,
	PIPELINE_STREAM_NUMBERS
};
enum pipeline_input_mode pipeline_input_mode(
	const struct pipeline *pipeline, uint32_t *ret_rate, uint32_t *ret_channels);

/* Returns the model of the first stage of `kind = embedding`, NULL without such a stage.
 * *ret_examples: its `examples` file, "" for none. */
const char *pipeline_set_few_shot(const struct pipeline *pipeline, const char **ret_examples);

struct pipeline_counts pipeline_counts(const struct pipeline *pipeline);

/* ---- models of a daemon */

struct edge_client_model;
struct edge_client_shape;
struct edge_client_tensor_info;

void pipeline_model_shape(const struct edge_client_shape *from, struct shape *to);

/* Fills @spec; its labels point into @info, or are @labels if @info has none. */
void pipeline_model_spec(
	const struct edge_client_tensor_info *info, const char *labels, struct tensor_spec *spec);

/* Copies the labels of the outputs to memory of @model; those of the inputs are dropped. -ENOMEM. */
int must_check pipeline_model_own_labels(struct pipeline_model *model);

/* Converts a daemon's description of a model, for event loops. @signature NULL: the default
 * signature. -ENOENT: no such signature. */
int must_check pipeline_model_of(const struct edge_client_model *from, const char *signature,
	struct pipeline_model *ret_model, struct error *err);

#endif
