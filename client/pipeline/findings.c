/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/findings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

void findings_free(struct findings *f)
{
	free(f->items);
	free(f->points);
	free(f->mask.classes);
	free(f->vector);
	*f = (struct findings){0};
}

struct finding *findings_add(struct findings *f)
{
	return array_add(&f->items, &f->n, sizeof(f->items[0]));
}

int findings_put(struct findings *f, const struct finding *one, struct error *err)
{
	struct finding *added = findings_add(f);
	if (!added) {
		return error_no_memory(err);
	}
	*added = *one;
	return 0;
}

/* qsort is not stable; the position as the last key makes the order unique. */
static int by_score(const void *a_, const void *b_)
{
	const struct finding *a = a_, *b = b_;
	if (a->score != b->score) {
		return a->score > b->score ? -1 : 1;
	}
	if (a->index != b->index) {
		return a->index < b->index ? -1 : 1;
	}
	if (a->y1 != b->y1) {
		return a->y1 < b->y1 ? -1 : 1;
	}
	return a->x1 < b->x1 ? -1 : a->x1 > b->x1;
}

void findings_sort(struct findings *f, size_t most)
{
	if (f->n > 0) {
		qsort(f->items, f->n, sizeof(f->items[0]), by_score);
	}
	f->n = f->n < most ? f->n : most;
}

static double area(const struct finding *f)
{
	return fmax(f->x2 - f->x1, 0) * fmax(f->y2 - f->y1, 0);
}

double findings_overlap(const struct finding *a, const struct finding *b)
{
	double width = fmin(a->x2, b->x2) - fmax(a->x1, b->x1);
	double height = fmin(a->y2, b->y2) - fmax(a->y1, b->y1);
	double both = fmax(width, 0) * fmax(height, 0);
	double all = area(a) + area(b) - both;
	return area(a) > 0 && area(b) > 0 && all > 0 ? both / all : 0;
}

void findings_suppress(struct findings *f, double overlap, bool any_class, size_t most)
{
	size_t kept = 0;
	for (size_t i = 0; i < f->n && kept < most; i++) {
		bool covered = false;
		for (size_t k = 0; k < kept && !covered; k++) {
			covered = (any_class || f->items[k].index == f->items[i].index) &&
				findings_overlap(&f->items[k], &f->items[i]) > overlap;
		}
		if (!covered) {
			f->items[kept++] = f->items[i];
		}
	}
	f->n = kept;
}

void findings_place(struct findings *f, const struct findings_frame *frame)
{
	for (size_t i = 0; i < f->n; i++) {
		struct finding *one = &f->items[i];
		one->x1 = one->x1 * frame->width + frame->left;
		one->x2 = one->x2 * frame->width + frame->left;
		one->y1 = one->y1 * frame->height + frame->top;
		one->y2 = one->y2 * frame->height + frame->top;
	}
	for (size_t i = 0; i < f->n_points; i++) {
		f->points[i].x = f->points[i].x * frame->width + frame->left;
		f->points[i].y = f->points[i].y * frame->height + frame->top;
	}
}
