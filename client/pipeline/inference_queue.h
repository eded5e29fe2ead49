/* SPDX-License-Identifier: Apache-2.0 */
/* inference_queue - inference requests of a pipeline that wait for pipeline_next() or for
 * outputs */
#ifndef CLIENT_PIPELINE_INFERENCE_QUEUE_H
#define CLIENT_PIPELINE_INFERENCE_QUEUE_H

#include "client/pipeline/input_data.h"
#include "client/pipeline/pipeline_types.h"
#include "client/pipeline/stream.h"

struct question {
	/* first, so that the pointers callers hold can be converted back */
	struct pipeline_question shown;
	bool given; /* pipeline_next() has returned it */
	bool serial; /* outputs must come in order */
	size_t stage;
	struct stream_source source;
	struct input_data *input_data; /* a reference */
	struct tensor_bytes input; /* owned */
	struct findings_frame frame;
	uint64_t time_us, tag;
	uint64_t lost; /* earlier requests of the same stage and source that got no outputs */
	uint64_t pushed_ns, deadline_ns; /* of the input, on CLOCK_MONOTONIC */
	uint64_t asked_ns;
	size_t bytes; /* bytes of the input data and the tensor; set by the queue */
};

struct inference_queue {
	struct question *items[PIPELINE_MAX_QUESTIONS]; /* owned; NULL: a free slot */
	size_t n;
	uint64_t last_id;
	size_t bytes; /* bytes of all requests in the queue */
};

void inference_queue_deinit(struct inference_queue *queue); /* @queue may be zeroed */

/* Moves @question into the queue and gives it an id. Returns false if the queue is full or holds
 * too many bytes. */
bool must_check inference_queue_add(struct inference_queue *queue, struct question *question);

/* Returns the oldest request that pipeline_next() has not returned, or NULL. Skips a serial
 * request while an earlier request of its stage and source waits for outputs. */
struct question *inference_queue_next(const struct inference_queue *queue);

/* Removes a request from the queue. NULL: not in the queue. */
struct question *inference_queue_take(
	struct inference_queue *queue, const struct pipeline_question *shown);

/* Drops the requests of @stage and @source that pipeline_next() has not returned. Returns their
 * number. */
size_t inference_queue_drop(
	struct inference_queue *queue, size_t stage, const struct stream_source *source);

/* Increments `lost` of each request of @stage and @source whose id is above @id. */
void inference_queue_note_lost(struct inference_queue *queue, size_t stage,
	const struct stream_source *source, uint64_t id);

void question_free(struct question *question); /* may be NULL */
DEFINE_OWNED(struct question *, question_free)

#endif
