/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/search/detection.h"

#include <math.h>

struct ek_box ek_box_decode(const struct ek_box_code *code, const struct ek_box_code *anchor,
	const struct ek_box_code *scale)
{
	double h = anchor->h, w = anchor->w;
	float y = (float)((double)code->y / (double)scale->y * h + (double)anchor->y);
	float x = (float)((double)code->x / (double)scale->x * w + (double)anchor->x);
	float half_h = (float)(0.5 * exp((double)code->h / (double)scale->h) * h);
	float half_w = (float)(0.5 * exp((double)code->w / (double)scale->w) * w);
	return (struct ek_box){y - half_h, x - half_w, y + half_h, x + half_w};
}

/* std::min and std::max: the first of equals, and of a NaN and a number. */
static float least(float a, float b)
{
	return b < a ? b : a;
}

static float greatest(float a, float b)
{
	return a < b ? b : a;
}

struct ek_box ek_box_between(const float corners[static 4])
{
	return (struct ek_box){
		.ymin = least(corners[0], corners[2]),
		.xmin = least(corners[1], corners[3]),
		.ymax = greatest(corners[0], corners[2]),
		.xmax = greatest(corners[1], corners[3]),
	};
}

float ek_box_overlap(const struct ek_box *a, const struct ek_box *b)
{
	float area_a = (a->ymax - a->ymin) * (a->xmax - a->xmin);
	float area_b = (b->ymax - b->ymin) * (b->xmax - b->xmin);
	if (area_a <= 0 || area_b <= 0) {
		return 0;
	}
	float h = least(a->ymax, b->ymax) - greatest(a->ymin, b->ymin);
	float w = least(a->xmax, b->xmax) - greatest(a->xmin, b->xmin);
	float common = greatest(h, 0) * greatest(w, 0);
	return common / (area_a + area_b - common);
}

bool ek_suppress_box(
	const struct ek_suppression *s, uint32_t box, const uint32_t *selected, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (ek_box_overlap(&s->boxes[selected[i]], &s->boxes[box]) > s->iou_threshold) {
			return true;
		}
	}
	return false;
}

size_t ek_suppress_weak(const struct ek_suppression *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++) {
		if (s->scores[i] >= s->score_threshold) {
			s->kept_scores[n] = s->scores[i];
			s->kept[n++] = (uint32_t)i;
		}
	}
	return n;
}
