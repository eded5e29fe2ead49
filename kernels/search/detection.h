/* SPDX-License-Identifier: Apache-2.0 */
/* detection - boxes of objects: decoding, overlap, suppression of those that overlap a better one.
 * Source: tflite kernels/detection_postprocess.cc. */
#ifndef KERNELS_SEARCH_DETECTION_H
#define KERNELS_SEARCH_DETECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ek_box {
	float ymin, xmin, ymax, xmax;
};

/* Centre and size: y, x, h, w. */
struct ek_box_code {
	float y, x, h, w;
};

/* centre = code / scale * anchor's size + anchor's centre; size = exp(code / scale) * anchor's. In
 * double, each of the four rounded once; the corners are their sums and differences in float. */
struct ek_box ek_box_decode(const struct ek_box_code *code, const struct ek_box_code *anchor,
	const struct ek_box_code *scale);

/* Neither side is negative. */
static inline bool ek_box_is_valid(const struct ek_box *box)
{
	return !(box->ymin > box->ymax || box->xmin > box->xmax);
}

/* The box between two opposite corners: y, x, y, x. */
struct ek_box ek_box_between(const float corners[static 4]);

/* Intersection over union; 0 where one of the areas is not above 0. */
float ek_box_overlap(const struct ek_box *a, const struct ek_box *b);

struct ek_suppression {
	const struct ek_box *boxes;
	const float *scores; /* one per box */
	size_t n;
	float score_threshold, iou_threshold;
	float *kept_scores; /* scratch: n */
	uint32_t *kept, *order, *work; /* scratch: n each */
};

/* Fills kept and kept_scores with the boxes of at least @score_threshold; gives how many. */
size_t ek_suppress_weak(const struct ek_suppression *s);

/* True when @box overlaps one of the @n @selected by more than @iou_threshold. */
bool ek_suppress_box(
	const struct ek_suppression *s, uint32_t box, const uint32_t *selected, size_t n);

#endif
