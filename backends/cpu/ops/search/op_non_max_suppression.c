/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NON_MAX_SUPPRESSION_V4 and _V5. Source: tflite kernels/non_max_suppression.cc,
 * reference/non_max_suppression.h.
 *
 * The best candidate is compared with the boxes selected since it was last looked at, the newest
 * first. One that overlaps too much is dropped. With a sigma (V5) its score falls with each overlap;
 * when it has fallen it waits again, else it is selected. A selected box waits again as well, and is
 * dropped for overlapping itself, unless the threshold is above 1 or it has no area: then it is
 * selected once more. So the reference does it.
 */
#include <math.h>

#include "backends/cpu/op.h"
#include "backends/cpu/tiles.h"
#include "kernels/search/candidates.h"
#include "kernels/search/detection.h"

struct suppression_state {
	uint64_t boxes, limit; /* candidates at most; elements of the outputs */
};

/* What one run knows. */
struct suppression {
	const float *boxes;
	float iou_threshold, score_threshold, sigma;
	struct ek_candidate *heap;
	uint64_t waiting; /* in the heap */
	int32_t *selected;
	float *scores; /* of the selected; NULL in V4 */
	int32_t n_selected;
	uint64_t compared; /* since the control was looked at */
	const struct run_control *control;
};

static void suppression_init(struct op_setup *setup)
{
	struct suppression_state *s = setup->state;
	s->boxes = (uint64_t)op_shape_in(setup, 0)->dim[0];
	s->limit = (uint64_t)op_shape_out(setup, 0)->dim[0];
	setup->scratch_bytes = s->boxes * sizeof(struct ek_candidate);
}

/* The control is looked at when some comparisons have been made. */
static int look(struct suppression *s, uint64_t work)
{
	s->compared += work;
	if (s->compared < TILE_ELEMENTS) {
		return 0;
	}
	s->compared = 0;
	return run_control_check(s->control);
}

static float scalar_of(const struct op_call *call, uint32_t i)
{
	const struct value *v = op_in(call, i);
	return v ? *(const float *)v->data : 0;
}

static int suppression_open(const struct op_call *call, struct suppression *s, struct error *err)
{
	const struct suppression_state *state = call->state;
	bool soft = call->node->n_outputs == 3;
	*s = (struct suppression){
		.boxes = op_in(call, 0)->data,
		.iou_threshold = scalar_of(call, 3),
		.score_threshold = scalar_of(call, 4),
		.sigma = soft ? scalar_of(call, 5) : 0,
		.heap = call->scratch,
		.selected = op_out(call, 0)->data,
		.scores = soft ? op_out(call, 1)->data : NULL,
		.control = call->control,
	};
	if (s->sigma < 0) {
		return error_set(
			err, -EINVAL, "sigma is %g, must not be negative", (double)s->sigma);
	}
	uint64_t bytes = (uint64_t)state->limit * sizeof(int32_t); /* floats are as wide */
	int r = tiles_clear(s->selected, bytes, call->control);
	if (r == 0 && s->scores) {
		r = tiles_clear(s->scores, bytes, call->control);
	}
	return tiles_result(r, err);
}

static int gather_candidates(struct suppression *s, const float *scores, uint64_t n)
{
	int r = 0;
	for (uint64_t i = 0; r == 0 && i < n; i++) {
		if (scores[i] > s->score_threshold) {
			ek_candidates_push(s->heap, (size_t)s->waiting++,
				(struct ek_candidate){(int32_t)i, scores[i], 0});
		}
		r = look(s, 1);
	}
	return r;
}

/* How much of a score an overlap leaves. In double and rounded once: the same on every CPU. */
static float decay(const struct suppression *s, float iou)
{
	float exponent = -0.5f / s->sigma * iou * iou;
	return (float)exp((double)exponent);
}

/* False when a selected box drops @c. Its score falls with each that does not. */
static bool survives(struct suppression *s, struct ek_candidate *c)
{
	const struct ek_box box = ek_box_between(s->boxes + 4 * (size_t)c->box);
	for (int32_t j = s->n_selected; j-- > c->seen;) {
		const struct ek_box other = ek_box_between(s->boxes + 4 * (size_t)s->selected[j]);
		float iou = ek_box_overlap(&box, &other);
		if (iou >= s->iou_threshold) {
			return false;
		}
		if (s->sigma > 0) {
			c->score *= decay(s, iou);
		}
		if (c->score <= s->score_threshold) {
			break;
		}
	}
	return true;
}

static void consider(struct suppression *s, struct ek_candidate c)
{
	float before = c.score;
	bool stays = survives(s, &c);
	c.seen = s->n_selected;
	if (!stays) {
		return;
	}
	if (c.score == before) {
		s->selected[s->n_selected] = c.box;
		if (s->scores) {
			s->scores[s->n_selected] = c.score;
		}
		s->n_selected++;
	}
	if (c.score > s->score_threshold) {
		ek_candidates_push(s->heap, (size_t)s->waiting++, c);
	}
}

static int suppression_run(const struct op_call *call, struct error *err)
{
	const struct suppression_state *state = call->state;
	struct suppression s;
	int r = suppression_open(call, &s, err);
	if (r < 0) {
		return r;
	}
	r = gather_candidates(&s, op_in(call, 1)->data, state->boxes);
	uint64_t limit = s.waiting < state->limit ? s.waiting : state->limit;
	while (r == 0 && (uint64_t)s.n_selected < limit && s.waiting > 0) {
		struct ek_candidate best = ek_candidates_pop(s.heap, (size_t)s.waiting--);
		r = look(&s, 1 + (uint64_t)(s.n_selected - best.seen));
		if (r == 0) {
			consider(&s, best);
		}
	}
	*(int32_t *)op_out(call, call->node->n_outputs - 1)->data = s.n_selected;
	return r < 0 ? error_set(err, r, "given up in the middle of the operator") : 0;
}

const struct cpu_op op_non_max_suppression = {.op = OP_NON_MAX_SUPPRESSION_V4,
	.also = OP_ALSO(OP_NON_MAX_SUPPRESSION_V5),
	.state_bytes = sizeof(struct suppression_state),
	.init = suppression_init,
	.run = suppression_run};
