/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>

#include "client/pipeline/postprocess.h"

/* Computes the box around the points above point-threshold; no box without such a point. */
static void box_around(
	const struct postprocess *post, const struct findings *f, struct finding *one)
{
	double sum = 0;
	for (uint32_t k = 0; k < one->n_points; k++) {
		const struct finding_point *p = &f->points[one->first_point + k];
		sum += p->score;
		if (!(p->score >= post->keys->point_threshold)) {
			continue;
		}
		one->x1 = one->has_box ? fmin(one->x1, p->x) : p->x;
		one->y1 = one->has_box ? fmin(one->y1, p->y) : p->y;
		one->x2 = one->has_box ? fmax(one->x2, p->x) : p->x;
		one->y2 = one->has_box ? fmax(one->y2, p->y) : p->y;
		one->has_box = true;
	}
	one->score = one->n_points ? sum / one->n_points : 0;
}

static int room_make(struct findings *f, size_t n, struct error *err)
{
	f->points = calloc(n ? n : 1, sizeof(f->points[0]));
	f->n_points = n;
	return f->points ? 0 : error_no_memory(err);
}

static int keypoints_read(const struct postprocess *post, const struct postprocess_view *view,
	struct findings *f, struct error *err)
{
	size_t n = view->n / 3;
	char shown[SHAPE_TEXT_SIZE];
	if (view->rank != 2 || view->dim[1] != 3 || n > FINDINGS_MAX_POINTS) {
		return error_set(err, -EBADMSG, "a tensor of %s is not y, x, score of key points",
			shape_format(shown, sizeof(shown), &view->spec.shape));
	}
	struct finding *one = findings_add(f);
	if (!one || room_make(f, n, err) < 0) {
		return error_no_memory(err);
	}
	for (size_t k = 0; k < n; k++) {
		f->points[k] = (struct finding_point){.y = postprocess_get(view, 3 * k),
			.x = postprocess_get(view, 3 * k + 1),
			.score = postprocess_get(view, 3 * k + 2)};
	}
	one->n_points = (uint32_t)n;
	box_around(post, f, one);
	f->n = one->score >= postprocess_threshold(post, view) ? 1 : 0;
	return 0;
}

static int poses_read(const struct postprocess *post, const struct postprocess_outputs *outputs,
	struct findings *f, struct error *err)
{
	const struct postprocess_view *poses = &outputs->views[0], *points = &outputs->views[1];
	const struct postprocess_view *scores = &outputs->views[2], *count = &outputs->views[3];
	size_t n = scores->n, k = n ? points->n / n : 0;
	if (count->n != 1 || n == 0 || points->n != n * k || poses->n != 2 * points->n || k == 0 ||
		k > FINDINGS_MAX_POINTS || !post->input_width || !post->input_height) {
		return error_set(err, -EBADMSG, "the outputs are not those of PosenetDecoderOp");
	}
	double declared = postprocess_get(count, 0);
	n = declared >= 0 && declared < (double)n ? (size_t)declared : n;
	if (room_make(f, n * k, err) < 0) {
		return error_no_memory(err);
	}
	for (size_t i = 0; i < n * k; i++) {
		f->points[i] = (struct finding_point){
			.y = postprocess_get(poses, 2 * i) / post->input_height,
			.x = postprocess_get(poses, 2 * i + 1) / post->input_width,
			.score = postprocess_get(points, i)};
	}
	for (size_t i = 0; i < n; i++) {
		if (!(postprocess_get(scores, i) >= postprocess_threshold(post, scores))) {
			continue;
		}
		struct finding *one = findings_add(f);
		if (!one) {
			return error_no_memory(err);
		}
		one->first_point = i * k;
		one->n_points = (uint32_t)k;
		box_around(post, f, one);
		one->score = postprocess_get(scores, i);
	}
	findings_sort(f, (size_t)post->keys->max_boxes);
	return 0;
}

int postprocess_points_read(const struct postprocess *post,
	const struct postprocess_outputs *outputs, struct findings *findings, struct error *err)
{
	return post->keys->kind == PIPELINE_CONFIG_POST_POSES
		? poses_read(post, outputs, findings, err)
		: keypoints_read(post, &outputs->views[0], findings, err);
}
