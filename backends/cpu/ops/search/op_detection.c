/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TFLite_Detection_PostProcess: boxes from codes and anchors, of which few that do not overlap
 * remain. Fast: a box has its best class, and those that come next. Regular: each class by itself,
 * the best of all classes together. Outputs beyond what is found are 0; so is what the reference
 * does not write. Source: tflite kernels/detection_postprocess.cc.
 */
#include <errno.h>
#include <string.h>

#include "backends/cpu/operand/real.h"
#include "backends/cpu/operand/sort.h"
#include "backends/cpu/tiles.h"
#include "kernels/search/detection.h"
#include "kernels/search/rank.h"

#define BOXES_BETWEEN_CHECKS 4096
#define PAIRS_BETWEEN_CHECKS 65536

struct detection_state {
	size_t n, classes, background; /* boxes; classes with scores; 1 when the first is none */
	size_t most; /* selected at a time */
};

/* Scratch of a run. */
struct work {
	struct ek_box *boxes;
	float *scores; /* of one class, or the best of each box */
	struct ek_suppression s;
	uint32_t *selected; /* n */
	uint32_t *order; /* classes */
	/* Regular: the best so far, and with one more class; max_detections each. */
	uint32_t *found, *sorted;
	float *found_scores, *sorted_scores, *row;
};

/* The elements of all of them, in the order of work_of(). */
static uint64_t work_words(const struct detection_state *s, uint64_t max_detections)
{
	return 4 * s->n + 6 * s->n + 2 * s->classes + 4 * max_detections;
}

static void *take_words(uint32_t **at, size_t n)
{
	void *words = *at;
	*at += n;
	return words;
}

static struct work work_of(const struct op_call *call)
{
	const struct detection_state *s = call->state;
	size_t lists = (size_t)call->node->options.detection.max_detections;
	uint32_t *at = call->scratch;
	struct work w = {.boxes = take_words(&at, 4 * s->n)};
	w.scores = take_words(&at, s->n);
	w.s.kept_scores = take_words(&at, s->n);
	w.s.kept = take_words(&at, s->n);
	w.s.order = take_words(&at, s->n);
	w.s.work = take_words(&at, s->n);
	w.selected = take_words(&at, s->n);
	w.order = take_words(&at, s->classes);
	w.found = take_words(&at, lists);
	w.sorted = take_words(&at, lists);
	w.found_scores = take_words(&at, lists);
	w.sorted_scores = take_words(&at, lists);
	w.row = take_words(&at, s->classes);
	return w;
}

static void detection_init(struct op_setup *setup)
{
	const struct options_detection *o = &setup->node->options.detection;
	struct detection_state *s = setup->state;
	s->n = (size_t)op_shape_in(setup, 0)->dim[1];
	s->classes = (size_t)op_shape_in(setup, 1)->dim[2];
	s->background = s->classes - (size_t)o->num_classes;
	s->most = (size_t)(o->use_regular_nms ? o->detections_per_class : o->max_detections);
	setup->scratch_bytes = work_words(s, (uint64_t)o->max_detections) * sizeof(uint32_t);
}

static struct ek_box_code code_at(const struct real *r, size_t at)
{
	return (struct ek_box_code){
		real_at(r, at), real_at(r, at + 1), real_at(r, at + 2), real_at(r, at + 3)};
}

/* Looks at the control when @done of something have been done, now and then. */
static int check(const struct op_call *call, size_t done, struct error *err)
{
	int r = done % BOXES_BETWEEN_CHECKS ? 0 : run_control_check(call->control);
	return r < 0 ? error_set(err, r, "given up in the middle of the operator") : 0;
}

static int decode_boxes(const struct op_call *call, struct ek_box *boxes, struct error *err)
{
	const struct detection_state *s = call->state;
	const struct options_detection *o = &call->node->options.detection;
	const struct ek_box_code scale = {o->y_scale, o->x_scale, o->h_scale, o->w_scale};
	const struct real codes = real_of(call, 0, 1), anchors = real_of(call, 2, 1);
	size_t width = (size_t)op_in(call, 0)->shape.dim[2];
	for (size_t i = 0; i < s->n; i++) {
		int r = check(call, i, err);
		if (r < 0) {
			return r;
		}
		const struct ek_box_code code = code_at(&codes, i * width);
		const struct ek_box_code anchor = code_at(&anchors, i * 4);
		boxes[i] = ek_box_decode(&code, &anchor, &scale);
		if (!ek_box_is_valid(&boxes[i])) {
			return error_set(
				err, -EINVAL, "box %zu of %zu ends before it begins", i, s->n);
		}
	}
	return 0;
}

static void emit(
	const struct op_call *call, size_t at, const struct ek_box *box, size_t class, float score)
{
	memcpy((float *)op_out(call, 0)->data + 4 * at, box, sizeof(*box));
	((float *)op_out(call, 1)->data)[at] = (float)class;
	((float *)op_out(call, 2)->data)[at] = score;
}

/* Goes through the boxes, best first (of equals the first), and selects those that overlap none
 * selected before. */
static int select_boxes(const struct op_call *call, struct work *w, size_t n_kept,
	size_t *ret_selected, struct error *err)
{
	const struct detection_state *s = call->state;
	size_t n = 0;
	uint64_t compared = 0;
	for (size_t i = 0; i < n_kept && n < s->most; i++) {
		uint32_t box = w->s.kept[w->s.order[i]];
		if (!ek_suppress_box(&w->s, box, w->selected, n)) {
			w->selected[n++] = box;
		}
		compared += n;
		if (compared > PAIRS_BETWEEN_CHECKS) {
			int r = check(call, 0, err);
			if (r < 0) {
				return r;
			}
			compared = 0;
		}
	}
	*ret_selected = n;
	return 0;
}

/* w->selected: those of w->scores that are left, best first. */
static int suppress(
	const struct op_call *call, struct work *w, size_t *ret_selected, struct error *err)
{
	const struct detection_state *s = call->state;
	const struct options_detection *o = &call->node->options.detection;
	w->s.boxes = w->boxes;
	w->s.scores = w->scores;
	w->s.n = s->n;
	w->s.score_threshold = o->score_threshold;
	w->s.iou_threshold = o->iou_threshold;
	size_t n_kept = ek_suppress_weak(&w->s);
	int r = sort_ranks(w->s.order, w->s.kept_scores, n_kept, w->s.work, call->control, err);
	return r < 0 ? r : select_boxes(call, w, n_kept, ret_selected, err);
}

/* The classes of box @box, the best @count of them first, into w->order; scores into w->row. */
static void order_classes(const struct op_call *call, struct work *w, const struct real *scores,
	size_t box, size_t count)
{
	const struct detection_state *s = call->state;
	size_t classes = s->classes - s->background;
	for (size_t k = 0; k < classes; k++) {
		w->row[k] = real_at(scores, box * s->classes + s->background + k);
	}
	if (count == 1) { /* of equal ones the first */
		w->order[0] = 0;
		for (size_t k = 1; k < classes; k++) {
			w->order[0] = w->row[k] > w->row[w->order[0]] ? (uint32_t)k : w->order[0];
		}
	} else {
		ek_rank_greatest(w->order, w->row, classes, count);
	}
}

static int run_fast(const struct op_call *call, struct work *w, struct error *err)
{
	const struct detection_state *s = call->state;
	const struct options_detection *o = &call->node->options.detection;
	const struct real scores = real_of(call, 1, 1);
	size_t rows = (size_t)o->max_classes_per_detection;
	size_t classes = s->classes - s->background, count = rows < classes ? rows : classes;
	size_t each = 1 + BOXES_BETWEEN_CHECKS / (classes + 1), n = 0;
	int r = 0;
	for (size_t i = 0; r == 0 && i < s->n; i++) {
		order_classes(call, w, &scores, i, 1);
		w->scores[i] = w->row[w->order[0]];
		r = i % each ? 0 : check(call, 0, err);
	}
	r = r < 0 ? r : suppress(call, w, &n, err);
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = i % each ? 0 : check(call, 0, err);
		order_classes(call, w, &scores, w->selected[i], count);
		for (size_t k = 0; k < count; k++) {
			emit(call, i * rows + k, &w->boxes[w->selected[i]], w->order[k],
				w->row[w->order[k]]);
		}
	}
	*(float *)op_out(call, 3)->data = (float)n;
	return r;
}

/* Merges what one class adds, best first, with the best @n so far, of which @max stay; of equal ones
 * those that were there come first. *io_n: how many there are. */
static int add_class(const struct op_call *call, struct work *w, size_t class, size_t *io_n,
	size_t max, struct error *err)
{
	const struct detection_state *s = call->state;
	size_t n = *io_n, added = 0, old = 0, new = 0, kept = 0;
	int r = suppress(call, w, &added, err);
	if (r < 0) {
		return r;
	}
	for (; kept < max && (old < n || new < added); kept++) {
		if (new < added &&
			(old == n || w->scores[w->selected[new]] > w->found_scores[old])) {
			w->sorted_scores[kept] = w->scores[w->selected[new]];
			w->sorted[kept] = (uint32_t)(w->selected[new ++] * s->classes + class);
		} else {
			w->sorted_scores[kept] = w->found_scores[old];
			w->sorted[kept] = w->found[old++];
		}
	}
	memcpy(w->found, w->sorted, kept * sizeof(*w->found));
	memcpy(w->found_scores, w->sorted_scores, kept * sizeof(*w->found_scores));
	*io_n = kept;
	return 0;
}

static int run_regular(const struct op_call *call, struct work *w, struct error *err)
{
	const struct detection_state *s = call->state;
	const struct real scores = real_of(call, 1, 1);
	size_t n = 0, max = (size_t)call->node->options.detection.max_detections;
	for (size_t class = 0; class < s->classes - s->background; class ++) {
		int r = check(call, 0, err);
		if (r < 0) {
			return r;
		}
		for (size_t i = 0; i < s->n; i++) {
			w->scores[i] = real_at(&scores, i * s->classes + s->background + class);
		}
		r = add_class(call, w, class, &n, max, err);
		if (r < 0) {
			return r;
		}
	}
	for (size_t i = 0; i < n; i++) {
		emit(call, i, &w->boxes[w->found[i] / s->classes], w->found[i] % s->classes,
			w->found_scores[i]);
	}
	*(float *)op_out(call, 3)->data = (float)n;
	return 0;
}

static int detection_run(const struct op_call *call, struct error *err)
{
	struct work w = work_of(call);
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < 3; i++) {
		const struct value *out = op_out(call, i);
		r = tiles_result(tiles_clear(out->data, out->bytes, call->control), err);
	}
	r = r < 0 ? r : decode_boxes(call, w.boxes, err);
	if (r < 0) {
		return r;
	}
	return call->node->options.detection.use_regular_nms ? run_regular(call, &w, err)
							     : run_fast(call, &w, err);
}

const struct cpu_op op_tflite_detection_postprocess = {.op = OP_TFLITE_DETECTION_POSTPROCESS,
	.state_bytes = sizeof(struct detection_state),
	.init = detection_init,
	.run = detection_run};
