/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>

#include "client/pipeline/postprocess.h"

/* A box by centre and size, in any unit; @scale_* convert it to fractions. */
struct centred {
	double x, y, width, height;
};

static struct finding corners(const struct centred *box)
{
	return (struct finding){.has_box = true,
		.x1 = box->x - box->width / 2,
		.y1 = box->y - box->height / 2,
		.x2 = box->x + box->width / 2,
		.y2 = box->y + box->height / 2};
}

static int add(const struct postprocess *post, struct findings *findings, size_t index,
	double score, struct finding box, struct error *err)
{
	box.index = index;
	box.label = postprocess_label(post, index);
	box.score = score;
	return postprocess_is_skipped(post, box.label) ? 0 : findings_put(findings, &box, err);
}

static bool is_sound(const struct centred *box)
{
	return isfinite(box->x) && isfinite(box->y) && box->width >= 0 && box->height >= 0 &&
		isfinite(box->width) && isfinite(box->height);
}

static void finish(const struct postprocess *post, struct findings *findings)
{
	findings_sort(findings, findings->n);
	findings_suppress(findings, post->keys->nms, post->keys->class_agnostic,
		(size_t)post->keys->max_boxes);
}

static int detections_read(const struct postprocess *post,
	const struct postprocess_outputs *outputs, struct findings *findings, struct error *err)
{
	const struct postprocess_view *boxes = &outputs->views[0], *classes = &outputs->views[1];
	const struct postprocess_view *scores = &outputs->views[2], *count = &outputs->views[3];
	double threshold = postprocess_threshold(post, scores);
	if (boxes->n != 4 * scores->n || classes->n != scores->n || count->n != 1) {
		return error_set(err, -EBADMSG,
			"%zu, %zu, %zu and %zu numbers are no boxes, classes, scores and count",
			boxes->n, classes->n, scores->n, count->n);
	}
	double declared = postprocess_get(count, 0);
	size_t n = declared >= 0 && declared < (double)scores->n ? (size_t)declared : scores->n;
	for (size_t i = 0; i < n; i++) {
		struct finding box = {.has_box = true,
			.y1 = postprocess_get(boxes, 4 * i),
			.x1 = postprocess_get(boxes, 4 * i + 1),
			.y2 = postprocess_get(boxes, 4 * i + 2),
			.x2 = postprocess_get(boxes, 4 * i + 3)};
		double class = postprocess_get(classes, i), score = postprocess_get(scores, i);
		bool sound = isfinite(box.x1 + box.y1 + box.x2 + box.y2);
		if (!(score >= threshold) || !(class >= 0 && class < LABELS_MAX) || !sound) {
			continue;
		}
		int r = add(post, findings, (size_t) class, score, box, err);
		if (r < 0) {
			return r;
		}
	}
	findings_sort(findings, (size_t)post->keys->max_boxes);
	return 0;
}

static struct centred anchored(
	const struct postprocess *post, const struct postprocess_view *boxes, size_t i)
{
	const double *anchor = post->anchors + 4 * i, *scale = post->keys->box_scales.v;
	return (struct centred){
		.y = postprocess_get(boxes, 4 * i) / scale[0] * anchor[2] + anchor[0],
		.x = postprocess_get(boxes, 4 * i + 1) / scale[1] * anchor[3] + anchor[1],
		.height = exp(postprocess_get(boxes, 4 * i + 2) / scale[2]) * anchor[2],
		.width = exp(postprocess_get(boxes, 4 * i + 3) / scale[3]) * anchor[3]};
}

static int ssd_read(const struct postprocess *post, const struct postprocess_outputs *outputs,
	struct findings *findings, struct error *err)
{
	const struct postprocess_view *boxes = &outputs->views[0], *scores = &outputs->views[1];
	size_t n = post->n_anchors, first = post->keys->background ? 1 : 0;
	double threshold = postprocess_threshold(post, scores);
	if (n == 0 || boxes->n != 4 * n || scores->n % n || scores->n / n <= first) {
		return error_set(err, -EBADMSG,
			"%zu numbers of boxes and %zu of scores for %zu anchors", boxes->n,
			scores->n, n);
	}
	size_t classes = scores->n / n;
	for (size_t i = 0; i < n; i++) {
		double score = 0;
		size_t class =
			postprocess_best(scores, i * classes + first, 1, classes - first, &score);
		struct centred box = anchored(post, boxes, i);
		const struct postprocess_softmax terms =
			postprocess_softmax(post, scores, i * classes, classes);
		score = postprocess_score(post, &terms, score);
		int r = score >= threshold && is_sound(&box)
			? add(post, findings, class, score, corners(&box), err)
			: 0;
		if (r < 0) {
			return r;
		}
	}
	finish(post, findings);
	return 0;
}

/* Layout of the boxes: number @k of box @i is at i * box + k * number. */
struct layout {
	size_t n, numbers;
	size_t box, number;
};

static bool layout_find(const struct postprocess *post, const struct postprocess_view *view,
	size_t head, struct layout *ret_layout)
{
	const size_t labelled = post->labels->n ? head + post->labels->n : 0;
	/* A single box is [1, 1, N] or [1, N, 1]. [1, N] is ambiguous unless the number of
	 * labels is known. */
	const bool single = view->rank == 1 && (labelled || view->spec.shape.rank > 2);
	if (view->rank != 2 && !single) {
		return false;
	}
	size_t rows = single ? 1 : view->dim[0], columns = view->dim[view->rank - 1];
	bool v8 = post->keys->kind == PIPELINE_CONFIG_POST_YOLOV8;
	bool longer = columns != labelled && (rows == labelled || rows <= columns);
	bool across = v8 && rows > head && (columns <= head || longer);
	*ret_layout = across ? (struct layout){columns, rows, 1, columns}
			     : (struct layout){rows, columns, columns, 1};
	const bool other = ret_layout->n == 1 && labelled && ret_layout->numbers != labelled;
	return ret_layout->numbers > head && !other;
}

static int yolo_read(const struct postprocess *post, const struct postprocess_outputs *outputs,
	struct findings *findings, struct error *err)
{
	const struct postprocess_view *view = &outputs->views[0];
	size_t head = post->keys->kind == PIPELINE_CONFIG_POST_YOLOV5 ? 5 : 4;
	double threshold = postprocess_threshold(post, view);
	struct layout at = {0};
	char shown[SHAPE_TEXT_SIZE];
	if (!layout_find(post, view, head, &at) ||
		(post->keys->pixels && (!post->input_width || !post->input_height))) {
		return error_set(err, -EBADMSG, "a tensor of %s has no such boxes",
			shape_format(shown, sizeof(shown), &view->spec.shape));
	}
	double across = post->keys->pixels ? post->input_width : 1;
	double down = post->keys->pixels ? post->input_height : 1;
	for (size_t i = 0; i < at.n; i++) {
		size_t first = i * at.box;
		double score = 0;
		size_t class = postprocess_best(
			view, first + head * at.number, at.number, at.numbers - head, &score);
		score = postprocess_score(post, NULL, score);
		score *= head == 5 ? postprocess_score(post, NULL,
					     postprocess_get(view, first + 4 * at.number))
				   : 1;
		struct centred box = {postprocess_get(view, first) / across,
			postprocess_get(view, first + at.number) / down,
			postprocess_get(view, first + 2 * at.number) / across,
			postprocess_get(view, first + 3 * at.number) / down};
		int r = score >= threshold && is_sound(&box)
			? add(post, findings, class, score, corners(&box), err)
			: 0;
		if (r < 0) {
			return r;
		}
	}
	finish(post, findings);
	return 0;
}

int postprocess_boxes_read(const struct postprocess *post,
	const struct postprocess_outputs *outputs, struct findings *findings, struct error *err)
{
	switch (post->keys->kind) {
	case PIPELINE_CONFIG_POST_DETECTIONS:
		return detections_read(post, outputs, findings, err);
	case PIPELINE_CONFIG_POST_SSD:
		return ssd_read(post, outputs, findings, err);
	default:
		return yolo_read(post, outputs, findings, err);
	}
}
