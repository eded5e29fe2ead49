/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline_internal - struct pipeline and the functions shared by its source files
 *
 * pipeline.c has the public functions, pipeline_windows.c cuts streams into windows,
 * pipeline_requests.c makes inference requests from input data, pipeline_results.c reads outputs
 * and starts the following stages, pipeline_emit.c calls the sink, pipeline_draw.c draws.
 */
#ifndef CLIENT_PIPELINE_PIPELINE_INTERNAL_H
#define CLIENT_PIPELINE_PIPELINE_INTERNAL_H

#include "client/pipeline/decision.h"
#include "client/pipeline/inference_queue.h"
#include "client/pipeline/pipeline_types.h"
#include "client/pipeline/stage.h"
#include "client/pipeline/stream.h"

struct pipeline {
	struct pipeline_config *config; /* owned */
	struct pipeline_models models;
	struct pipeline_sink sink;
	struct stage stages[PIPELINE_CONFIG_MAX_STAGES];
	struct stream streams[PIPELINE_MAX_SOURCES];
	size_t n_streams;
	uint64_t uses;
	size_t next_stream; /* index of the stream whose window is checked first, for fairness */
	struct inference_queue queue;
	struct pipeline_counts counts;
	bool wants_drawing;
	struct image drawing; /* owned; empty: no image yet */
};

/* Returns NULL for an unknown source. */
struct stream *pipeline_requests_source_find(
	const struct pipeline *p, const struct stream_source *source);
/* Returns the stream of @source. A new source replaces the least recently used one. */
struct stream *pipeline_requests_source(struct pipeline *p, const struct stream_source *source);

/* True if outputs must come in order: a later stage collects them, or stays active after a
 * finding. */
bool pipeline_requests_is_followed(const struct pipeline *p, size_t stage);

/* Creates a request about @input_data and takes a reference. @from: the request whose outputs led
 * here, NULL for an input from outside. NULL: no memory. */
struct question *pipeline_requests_new(const struct pipeline *p, size_t stage,
	const struct stream_source *source, struct input_data *input_data, uint64_t time_us,
	const struct question *from, uint64_t deadline_ns);

/* Makes the tensors and moves @taken into the queue. @taken is freed on failure. -ENOSPC: the
 * queue is full; else the error of describing or preparing. */
int must_check pipeline_requests_put(struct pipeline *p, struct question *taken, struct error *err);

/* A request of @stage got no outputs, or could not be queued: a window that collects the outputs
 * starts again. @id: of the request; UINT64_MAX: newer than all queued requests. */
void pipeline_requests_lost(
	struct pipeline *p, size_t stage, const struct stream_source *source, uint64_t id);

/* `latest-only`: drops the queued requests of @stream and @windows full windows. */
void pipeline_requests_drop(struct pipeline *p, const struct stream *stream, size_t windows);

/* Appends samples or rows; pipeline_windows_next() makes requests of them. Returns like
 * pipeline_push(). */
int must_check pipeline_windows_push(struct pipeline *p, struct stream *stream,
	const struct input_data *input_data, uint64_t time_us, struct error *err);
/* Makes a request of the next full window, round robin over the sources. NULL: no full window. */
struct question *pipeline_windows_next(struct pipeline *p);
/* Pads a sound's partial window with silence. */
int must_check pipeline_windows_end(struct pipeline *p, struct stream *stream, struct error *err);

/* Reads the outputs, applies the decision, emits the result and starts the following stages. */
int must_check pipeline_results_take(struct pipeline *p, const struct question *q,
	const struct tensor_bytes *outputs, uint32_t n_outputs, struct error *err);

/* Draws a stage's findings for pipeline_drawing(). */
int must_check pipeline_draw_add(struct pipeline *p, const struct question *q,
	const struct findings *findings, struct error *err);

void pipeline_emit_trouble(
	struct pipeline *p, enum pipeline_kind kind, const struct question *q, const char *why);
int must_check pipeline_emit_result(struct pipeline *p, const struct question *q,
	const struct findings *findings, const struct decision_verdict *verdict, struct error *err);

#endif
