/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "client/pipeline/work.h"

bool asking_is_followed(const struct pipeline *p, size_t stage)
{
	bool followed = false;
	for (size_t i = stage + 1; i < p->recipe->n_stages; i++) {
		const struct recipe_stage *recipe = &p->recipe->stages[i];
		followed |= recipe->parent == stage &&
			(recipe->input == RECIPE_INPUT_OUTPUTS || recipe->for_ms > 0);
	}
	return followed;
}

void asking_lost(struct pipeline *p, size_t stage, const struct stream_source *source, uint64_t id)
{
	struct stream *stream = asking_source_find(p, source);
	if (stream) {
		stream->lost[stage]++;
		queue_note_lost(&p->queue, stage, source, id);
	}
}

void asking_drop(struct pipeline *p, const struct stream *stream, size_t windows)
{
	size_t dropped = queue_drop(&p->queue, 0, &stream->source) + windows;
	p->counts.sampled_out += dropped;
	if (dropped > 0) {
		asking_lost(p, 0, &stream->source, UINT64_MAX);
	}
}

/* Must its answers come in order? */
static bool is_serial(const struct pipeline *p, size_t stage)
{
	const struct recipe_stage *recipe = &p->recipe->stages[stage];
	return recipe->decision.given || recipe->session || asking_is_followed(p, stage);
}

/* What every question of one input has in common. @from NULL: it comes from outside. */
struct question *asking_new(const struct pipeline *p, size_t stage,
	const struct stream_source *source, struct material *material, uint64_t time_us,
	const struct question *from, uint64_t deadline_ns)
{
	struct question *q = calloc(1, sizeof(*q));
	if (!q) {
		return NULL;
	}
	q->stage = stage;
	q->serial = is_serial(p, stage);
	q->source = *source;
	const struct stream *stream = asking_source_find(p, source);
	q->lost = stream ? stream->lost[stage] : 0;
	q->material = material_ref(material);
	q->time_us = time_us;
	q->tag = from ? from->tag : 0;
	q->pushed_ns = from ? from->pushed_ns : clock_now_ns();
	q->deadline_ns = from ? from->deadline_ns : deadline_ns;
	return q;
}

struct stream *asking_source_find(const struct pipeline *p, const struct stream_source *source)
{
	for (size_t i = 0; i < p->n_streams; i++) {
		if (stream_is_same(&p->streams[i].source, source)) {
			return (struct stream *)&p->streams[i];
		}
	}
	return NULL;
}

/* That source's, or a new one in place of the one not heard of for longest. */
struct stream *asking_source(struct pipeline *p, const struct stream_source *source)
{
	struct stream *stream = asking_source_find(p, source);
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
	return asking_source(p, &q->source)->id * RECIPE_MAX_STAGES + q->stage;
}

/* Tensors are made at once: what is no good is refused while its sender listens. Takes @q. */
int asking_put(struct pipeline *p, struct question *taken, struct error *err)
{
	owned(question_free) struct question *q = taken;
	struct stage *stage = &p->stages[q->stage];
	int r = stage_describe(stage, &p->models, err);
	r = r < 0 ? r : stage_prepare(stage, q->material, &q->input, &q->frame, err);
	if (r < 0) {
		return r;
	}
	uint64_t budget_ns = stage->recipe->budget_ms * WORK_NS_PER_MS;
	uint64_t deadline_ns = budget_ns ? q->pushed_ns + budget_ns : 0;
	if (q->deadline_ns && (!deadline_ns || q->deadline_ns < deadline_ns)) {
		deadline_ns = q->deadline_ns;
	}
	q->asked_ns = clock_now_ns();
	q->shown = (struct pipeline_question){.model = stage->recipe->model,
		.signature = stage->recipe->signature[0] ? stage->recipe->signature : NULL,
		.inputs = &q->input,
		.n_inputs = 1,
		.n_outputs = stage->model.n_outputs,
		.deadline_ns = deadline_ns,
		.source = q->source.name,
		.origin = q->source.origin,
		.priority = (unsigned int)p->recipe->priority,
		.session = stage->recipe->session ? session_of(p, q) : 0};
	if (!queue_add(&p->queue, q)) {
		return error_set(err, -ENOSPC, "%d questions wait already", PIPELINE_MAX_QUESTIONS);
	}
	q = NULL;
	p->counts.questions++;
	return 0;
}

/* ---- sources */
