/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/inference_queue.h"

#include <string.h>

void question_free(struct question *question)
{
	if (question) {
		input_data_unref(question->input_data);
		tensor_free(&question->input);
		free(question);
	}
}

void inference_queue_deinit(struct inference_queue *queue)
{
	for (size_t i = 0; i < PIPELINE_MAX_QUESTIONS; i++) {
		question_free(queue->items[i]);
	}
	*queue = (struct inference_queue){0};
}

/* Input data shared by several requests counts for each of them. */
static size_t bytes_of(const struct question *question)
{
	const struct input_data *m = question->input_data;
	return (size_t)question->input.bytes + m->n_bytes +
		(size_t)m->image.width * m->image.height * m->image.channels +
		m->rows * m->columns * sizeof(m->values[0]);
}

static bool is_of(const struct question *one, size_t stage, const struct stream_source *source)
{
	return one && one->stage == stage && stream_is_same(&one->source, source);
}

static struct question *remove_at(struct inference_queue *queue, size_t i)
{
	queue->n--;
	queue->bytes -= queue->items[i]->bytes;
	return take(queue->items[i]);
}

bool inference_queue_add(struct inference_queue *queue, struct question *question)
{
	question->bytes = bytes_of(question);
	if (queue->n > 0 && queue->bytes + question->bytes > PIPELINE_MAX_HELD_BYTES) {
		return false;
	}
	for (size_t i = 0; i < PIPELINE_MAX_QUESTIONS; i++) {
		if (!queue->items[i]) {
			question->shown.id = ++queue->last_id;
			queue->items[i] = question;
			queue->bytes += question->bytes;
			queue->n++;
			return true;
		}
	}
	return false;
}

static bool must_wait(const struct inference_queue *queue, const struct question *question)
{
	for (size_t i = 0; i < PIPELINE_MAX_QUESTIONS && question->serial; i++) {
		const struct question *one = queue->items[i];
		if (is_of(one, question->stage, &question->source) && one->given) {
			return true;
		}
	}
	return false;
}

struct question *inference_queue_next(const struct inference_queue *queue)
{
	struct question *oldest = NULL;
	for (size_t i = 0; i < PIPELINE_MAX_QUESTIONS; i++) {
		struct question *one = queue->items[i];
		bool older = one && (!oldest || one->shown.id < oldest->shown.id);
		if (older && !one->given && !must_wait(queue, one)) {
			oldest = one;
		}
	}
	return oldest;
}

struct question *inference_queue_take(
	struct inference_queue *queue, const struct pipeline_question *shown)
{
	for (size_t i = 0; i < PIPELINE_MAX_QUESTIONS; i++) {
		if (queue->items[i] && &queue->items[i]->shown == shown) {
			return remove_at(queue, i);
		}
	}
	return NULL;
}

size_t inference_queue_drop(
	struct inference_queue *queue, size_t stage, const struct stream_source *source)
{
	size_t dropped = 0;
	for (size_t i = 0; i < PIPELINE_MAX_QUESTIONS; i++) {
		if (is_of(queue->items[i], stage, source) && !queue->items[i]->given) {
			question_free(remove_at(queue, i));
			dropped++;
		}
	}
	return dropped;
}

void inference_queue_note_lost(struct inference_queue *queue, size_t stage,
	const struct stream_source *source, uint64_t id)
{
	for (size_t i = 0; i < PIPELINE_MAX_QUESTIONS; i++) {
		struct question *one = queue->items[i];
		if (is_of(one, stage, source) && one->shown.id > id) {
			one->lost++;
		}
	}
}
