/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "client/pipeline/pipeline_internal.h"

bool pipeline_requests_is_followed(const struct pipeline *p, size_t stage)
{
	bool followed = false;
	for (size_t i = stage + 1; i < p->config->n_stages; i++) {
		const struct pipeline_config_stage *config = &p->config->stages[i];
		followed |= config->parent == stage &&
			(config->input == PIPELINE_CONFIG_INPUT_OUTPUTS || config->for_ms > 0);
	}
	return followed;
}

void pipeline_requests_lost(
	struct pipeline *p, size_t stage, const struct stream_source *source, uint64_t id)
{
	struct stream *stream = pipeline_requests_source_find(p, source);
	if (stream) {
		stream->lost[stage]++;
		inference_queue_note_lost(&p->queue, stage, source, id);
	}
}

void pipeline_requests_drop(struct pipeline *p, const struct stream *stream, size_t windows)
{
	size_t dropped = inference_queue_drop(&p->queue, 0, &stream->source) + windows;
	p->counts.sampled_out += dropped;
	if (dropped > 0) {
		pipeline_requests_lost(p, 0, &stream->source, UINT64_MAX);
	}
}

/* True if the stage's outputs must come in order. */
static bool is_serial(const struct pipeline *p, size_t stage)
{
	const struct pipeline_config_stage *config = &p->config->stages[stage];
	return config->decision.given || config->session || pipeline_requests_is_followed(p, stage);
}

struct question *pipeline_requests_new(const struct pipeline *p, size_t stage,
	const struct stream_source *source, struct input_data *input_data, uint64_t time_us,
	const struct question *from, uint64_t deadline_ns)
{
	struct question *q = calloc(1, sizeof(*q));
	if (!q) {
		return NULL;
	}
	q->stage = stage;
	q->serial = is_serial(p, stage);
	q->source = *source;
	const struct stream *stream = pipeline_requests_source_find(p, source);
	q->lost = stream ? stream->lost[stage] : 0;
	q->input_data = input_data_ref(input_data);
	q->time_us = time_us;
	q->tag = from ? from->tag : 0;
	q->pushed_ns = from ? from->pushed_ns : clock_now_ns();
	q->deadline_ns = from ? from->deadline_ns : deadline_ns;
	return q;
}

struct stream *pipeline_requests_source_find(
	const struct pipeline *p, const struct stream_source *source)
{
	for (size_t i = 0; i < p->n_streams; i++) {
		if (stream_is_same(&p->streams[i].source, source)) {
			return (struct stream *)&p->streams[i];
		}
	}
	return NULL;
}

struct stream *pipeline_requests_source(struct pipeline *p, const struct stream_source *source)
{
	struct stream *stream = pipeline_requests_source_find(p, source);
	if (!stream && p->n_streams < PIPELINE_MAX_SOURCES) {
		stream = &p->streams[p->n_streams++];
	} else if (!stream) {
		stream = &p->streams[0];
		for (size_t i = 1; i < p->n_streams; i++) {
			if (p->streams[i].last_used < stream->last_used) {
				stream = &p->streams[i];
			}
		}
		stream_deinit(stream);
	}
	stream->last_used = ++p->uses;
	if (stream->id == 0) {
		stream->source = *source;
		stream->id = stream->last_used;
	}
	return stream;
}

static uint64_t session_of(struct pipeline *p, const struct question *q)
{
	return pipeline_requests_source(p, &q->source)->id * PIPELINE_CONFIG_MAX_STAGES + q->stage;
}

/* Tensors are made now, so that invalid input is refused by pipeline_push(). */
int pipeline_requests_put(struct pipeline *p, struct question *taken, struct error *err)
{
	owned(question_free) struct question *q = taken;
	struct stage *stage = &p->stages[q->stage];
	int r = stage_describe(stage, &p->models, err);
	r = r < 0 ? r : stage_prepare(stage, q->input_data, &q->input, &q->frame, err);
	if (r < 0) {
		return r;
	}
	uint64_t budget_ns = stage->config->budget_ms * NSEC_PER_MSEC;
	uint64_t deadline_ns = budget_ns ? q->pushed_ns + budget_ns : 0;
	if (q->deadline_ns && (!deadline_ns || q->deadline_ns < deadline_ns)) {
		deadline_ns = q->deadline_ns;
	}
	q->asked_ns = clock_now_ns();
	q->shown = (struct pipeline_question){.model = stage->config->model,
		.signature = stage->config->signature[0] ? stage->config->signature : NULL,
		.inputs = &q->input,
		.n_inputs = 1,
		.n_outputs = stage->model.n_outputs,
		.deadline_ns = deadline_ns,
		.source = q->source.name,
		.origin = q->source.origin,
		.priority = (unsigned int)p->config->priority,
		.session = stage->config->session ? session_of(p, q) : 0};
	if (!inference_queue_add(&p->queue, q)) {
		return error_set(err, -ENOSPC, "%d questions wait already", PIPELINE_MAX_QUESTIONS);
	}
	q = NULL;
	p->counts.questions++;
	return 0;
}

/* ---- sources */
