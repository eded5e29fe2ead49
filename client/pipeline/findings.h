/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings - decoded outputs for one input: classes, boxes, key points, numbers
 *
 * Coordinates are fractions of a width and height. postprocess gives fractions of the input
 * tensor; findings_place() converts them to fractions of the whole image.
 */
#ifndef CLIENT_PIPELINE_FINDINGS_H
#define CLIENT_PIPELINE_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define FINDINGS_MAX_POINTS 64 /* most key points of one finding */

struct finding_point {
	double x, y, score;
};

struct finding {
	size_t index; /* index of the class, or of the number */
	const char *label; /* borrowed from the labels; NULL: no label */
	double score; /* the score, or the number itself */
	bool has_box;
	double x1, y1, x2, y2; /* left, top, right, bottom */
	size_t first_point; /* index in findings->points */
	uint32_t n_points;
	const char *zone; /* borrowed from the decision; NULL: in no zone */
	bool began; /* the label's begin is emitted because of this finding */
};

/* One class for each pixel. */
struct findings_mask {
	uint8_t *classes; /* owned, width * height bytes */
	uint32_t width, height;
};

struct findings {
	struct finding *items; /* owned; best first; numbers in the order of the outputs */
	size_t n;
	struct finding_point *points; /* owned */
	size_t n_points;
	struct findings_mask mask; /* width 0: no mask */
	float *vector; /* owned; an embedding of norm 1, or NULL */
	size_t n_vector;
};

void findings_free(struct findings *findings); /* @findings may be zeroed */
#define owned_findings __attribute__((cleanup(findings_free)))

/* Appends a zeroed finding. The pointer is valid until the next call. NULL: no memory. */
struct finding *findings_add(struct findings *findings);
/* Appends a copy of @one. -ENOMEM. */
int must_check findings_put(
	struct findings *findings, const struct finding *one, struct error *err);

/* Sorts by falling score, then by index, stable. Keeps the first @most findings. */
void findings_sort(struct findings *findings, size_t most);

/* Non-maximum suppression: drops each box whose intersection over union with a better box
 * exceeds @overlap. Compares boxes of one class only, unless @any_class. Findings must be
 * sorted. Keeps at most @most. */
void findings_suppress(struct findings *findings, double overlap, bool any_class, size_t most);

/* Position of a tensor in the image. A coordinate x of the tensor is x * width + left in the
 * image; both are fractions. */
struct findings_frame {
	double left, top, width, height;
};
void findings_place(struct findings *findings, const struct findings_frame *frame);

/* Returns the intersection over union of two boxes; 0 if one is empty. */
double findings_overlap(const struct finding *a, const struct finding *b);

#endif
