/* SPDX-License-Identifier: Apache-2.0 */
/* queue - the questions of a pipeline that wait or are under way */
#ifndef CLIENT_PIPELINE_QUEUE_H
#define CLIENT_PIPELINE_QUEUE_H

#include "client/pipeline/material.h"
#include "client/pipeline/pipeline.h"
#include "client/pipeline/stream.h"

struct question {
	struct pipeline_question shown; /* first, so that callers' pointers lead back here */
	bool given; /* pipeline_next() has shown it */
	bool serial; /* answers must come in order */
	size_t stage;
	struct stream_source source;
	struct material *material; /* a reference */
	struct tensor_bytes input; /* owned */
	struct findings_frame frame;
	uint64_t time_us, tag;
	uint64_t lost; /* questions of its stage and source, before it, that have no answer */
	uint64_t pushed_ns, deadline_ns; /* of the input */
	uint64_t asked_ns;
	size_t bytes; /* of material and tensor; the queue's */
};

struct queue {
	struct question *items[PIPELINE_MAX_QUESTIONS]; /* owned; NULL where there is room */
	size_t n;
	uint64_t last_id;
	size_t bytes; /* that they hold */
};

void queue_deinit(struct queue *queue); /* zeroed is fine */

/* Moves @question in, with an id. False when there is no room, or too many bytes wait already. */
bool must_check queue_add(struct queue *queue, struct question *question);

/* The oldest that nobody was shown; NULL. One that is @serial waits while another one of its stage
 * and source is under way. */
struct question *queue_next(const struct queue *queue);

/* Moves it out. NULL for one that is not there. */
struct question *queue_take(struct queue *queue, const struct pipeline_question *shown);

/* Drops what nobody was shown of @stage and @source. Returns how many. */
size_t queue_drop(struct queue *queue, size_t stage, const struct stream_source *source);

/* One more has no answer before each of @stage and @source whose id is above @id. */
void queue_note_lost(
	struct queue *queue, size_t stage, const struct stream_source *source, uint64_t id);

void question_free(struct question *question); /* NULL is fine */
DEFINE_OWNED(struct question *, question_free)

#endif
