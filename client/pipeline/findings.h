/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings - what a model said of one input: classes, boxes, key points, numbers
 *
 * Places are shares of a width and height: of the tensor as the outputs are read, of the whole picture
 * once findings_place() has been told where the tensor lay in it.
 */
#ifndef CLIENT_PIPELINE_FINDINGS_H
#define CLIENT_PIPELINE_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define FINDINGS_MAX_POINTS 64 /* of one finding */

struct finding_point {
	double x, y, score;
};

struct finding {
	size_t index; /* the class, or the number's position */
	const char *label; /* borrowed of the labels; NULL when there is none */
	double score; /* of a number: the number */
	bool has_box;
	double x1, y1, x2, y2; /* left, top, right, bottom */
	size_t first_point; /* of findings->points */
	uint32_t n_points;
	const char *zone; /* borrowed of the decision's; NULL: in none */
	bool began; /* the decision tells that its label began with it */
};

/* A class per pixel. */
struct findings_mask {
	uint8_t *classes; /* owned, width * height */
	uint32_t width, height;
};

struct findings {
	struct finding *items; /* owned; best first, or in the outputs' order for numbers */
	size_t n, room;
	struct finding_point *points; /* owned */
	size_t n_points;
	struct findings_mask mask; /* width 0: none */
	float *vector; /* owned; an embedding of norm 1, or NULL */
	size_t n_vector;
};

void findings_free(struct findings *findings); /* zeroed is fine */
#define owned_findings __attribute__((cleanup(findings_free)))

/* A zeroed finding at the end; NULL without memory. Borrowed until the next. */
struct finding *findings_add(struct findings *findings);

/* Best score first, then by index, then as they came; the first @most stay. */
void findings_sort(struct findings *findings, size_t most);

/* Drops each box that covers a better one by more than @overlap (intersection over union), of the same
 * class or of any. Sorted before; @most stay. */
void findings_suppress(struct findings *findings, double overlap, bool any_class, size_t most);

/* Shares of a tensor become shares of the picture: x * width + left. */
struct findings_frame {
	double left, top, width, height;
};
void findings_place(struct findings *findings, const struct findings_frame *frame);

/* Intersection over union of two boxes; 0 where one is empty. */
double findings_overlap(const struct finding *a, const struct finding *b);

#endif
