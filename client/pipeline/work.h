/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work - a pipeline from inside, for the files that do its work
 *
 * pipeline.c is what callers see; windowing.c makes windows of streams; asking.c makes questions of material; answering.c reads answers and asks
 * the stages that follow; telling.c tells the sink; drawing.c paints.
 */
#ifndef CLIENT_PIPELINE_WORK_H
#define CLIENT_PIPELINE_WORK_H

#include "client/pipeline/decision.h"
#include "client/pipeline/pipeline.h"
#include "client/pipeline/queue.h"
#include "client/pipeline/stage.h"
#include "client/pipeline/stream.h"

#define WORK_NS_PER_MS 1000000
#define WORK_US_PER_MS 1000

struct pipeline {
	struct recipe *recipe; /* owned */
	struct pipeline_models models;
	struct pipeline_sink sink;
	struct stage stages[RECIPE_MAX_STAGES];
	struct stream streams[PIPELINE_MAX_SOURCES];
	size_t n_streams;
	uint64_t uses;
	size_t next_stream; /* whose window is looked at first, so that each gets its turn */
	struct queue queue;
	struct pipeline_counts counts;
	bool wants_drawing;
	struct image drawing; /* owned; empty: no picture was looked at */
};

/* NULL: nothing was heard of it. */
struct stream *asking_source_find(const struct pipeline *p, const struct stream_source *source);
/* The same, or a new one in place of the one not heard of for longest. */
struct stream *asking_source(struct pipeline *p, const struct stream_source *source);

/* Must its answers come in order, for a stage that collects them, or that stays awake after one? */
bool asking_is_followed(const struct pipeline *p, size_t stage);

/* A question about @material, which is shared. @from: the question whose answer led to it, NULL for one
 * from outside. NULL without memory. */
struct question *asking_new(const struct pipeline *p, size_t stage,
	const struct stream_source *source, struct material *material, uint64_t time_us,
	const struct question *from, uint64_t deadline_ns);

/* Makes the tensors and moves @taken into the queue; it is gone also on failure. -ENOSPC when there is no
 * room, else what describing and preparing gave. */
int must_check asking_put(struct pipeline *p, struct question *taken, struct error *err);

/* A question of @stage has no answer, now or ever, or none was made: what collects the answers begins
 * anew. @id: its own; UINT64_MAX where it is newer than all that wait. */
void asking_lost(struct pipeline *p, size_t stage, const struct stream_source *source, uint64_t id);

/* A newer one takes the place of what waits of @stream; @windows that were never asked go too. */
void asking_drop(struct pipeline *p, const struct stream *stream, size_t windows);

/* Samples and rows wait: windowing_next() makes questions of them. Returns as pipeline_push(). */
int must_check windowing_push(struct pipeline *p, struct stream *stream,
	const struct material *material, uint64_t time_us, struct error *err);
/* Windows of all sources by turns, until one has become a question; NULL: there is none. */
struct question *windowing_next(struct pipeline *p);
/* Silence behind what waits of a sound, to the end of a window. */
int must_check windowing_end(struct pipeline *p, struct stream *stream, struct error *err);

/* Reads outputs, judges, tells, and asks the stages that follow. */
int must_check answering_take(struct pipeline *p, const struct question *q,
	const struct tensor_bytes *outputs, uint32_t n_outputs, struct error *err);

/* What a stage found, for pipeline_drawing(). */
int must_check drawing_add(struct pipeline *p, const struct question *q,
	const struct findings *findings, struct error *err);

void telling_trouble(
	struct pipeline *p, enum pipeline_kind kind, const struct question *q, const char *why);
int must_check telling_result(struct pipeline *p, const struct question *q,
	const struct findings *findings, const struct decision_verdict *verdict, struct error *err);

#endif
