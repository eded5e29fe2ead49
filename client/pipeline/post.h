/* SPDX-License-Identifier: Apache-2.0 */
/*
 * post - output tensors become findings, as the [post] section says what they mean
 *
 * classes         one output; its elements are scores, through the activation. Best top-k.
 * detections      TFLite_Detection_PostProcess: boxes [1, N, 4] (top, left, bottom, right),
 *                 classes [1, N], scores [1, N], count [1].
 * ssd             boxes [1, N, 4] and scores [1, N, C] of a single-shot detector without that
 *                 operator: centre y = y / 10 * h + cy and height = exp(h' / 5) * h of anchor
 *                 (cy, cx, h, w). Each anchor gives its best class; softmax is of all classes of an
 *                 anchor, with the background. Source: Liu et al., SSD, 2.2.
 * yolov5          [1, N, 5 + C]: centre x, y, width, height, object's score, classes' scores; the
 *                 score is their product.
 * yolov8          [1, 4 + C, N], or [1, N, 4 + C]: without the object's score. A dimension of 4 or less
 *                 is N, one of 4 and the labels is 4 + C; else N is the larger one.
 * keypoints       [1, 1, K, 3] or [1, K, 3]: y, x, score of each point (MoveNet). One finding; its
 *                 score is the points' mean, its box goes around those above point-threshold.
 * poses           poses [1, N, K, 2] (y, x), points' scores [1, N, K], scores [1, N], count [1]
 *                 (PosenetDecoderOp); coordinates are the input's pixels.
 * mask            [1, H, W] classes, or [1, H, W, C] scores of which the largest is taken. A finding
 *                 for each class that is there; its score is its share of the pixels.
 * numbers         each element is one, times gain plus offset.
 * reconstruction  mean of the squared differences of output and input.
 * embedding       the output brought to norm 1; the nearest example's label (examples.h).
 * tensors         nothing.
 */
#ifndef CLIENT_PIPELINE_POST_H
#define CLIENT_PIPELINE_POST_H

#include "base/examples.h"
#include "client/pipeline/findings.h"
#include "client/pipeline/labels.h"
#include "client/pipeline/recipe.h"
#include "client/pipeline/spec.h"
#include "client/pipeline/tensor.h"

struct post {
	const struct recipe_post_keys *keys;
	const struct labels *labels; /* may be empty */
	const double *anchors; /* n_anchors rows of y, x, height, width */
	size_t n_anchors;
	const struct examples *examples;
	uint32_t input_width, input_height; /* of the picture tensor; 0: there is none */
};

/* Specs say type and quantisation, tensors the shapes. -EBADMSG when the outputs are not of that
 * form, naming what is wrong; -ENOMEM. */
int must_check post_read(const struct post *post, const struct spec *inputs,
	const struct tensor_bytes *input_bytes, uint32_t n_inputs, const struct spec *outputs,
	const struct tensor_bytes *output_bytes, uint32_t n_outputs, struct findings *ret_findings,
	struct error *err);

/* For those who implement a kind. */
struct post_view {
	struct spec spec; /* with the tensor's shape */
	const void *data;
	size_t n; /* elements */
	size_t dim[4]; /* without leading ones: [.., dim[rank - 1]] */
	uint32_t rank;
};
struct post_outputs {
	struct post_view views[4];
	uint32_t n; /* of the model, at most 4 are looked at */
};
double post_get(const struct post_view *view, size_t index);
/* The threshold that counts: the file's, the model's, else the lowest number there is. */
double post_threshold(const struct post *post, const struct post_view *view);
const char *post_label(const struct post *post, size_t index);
/* What a softmax of elements @first to @first + @n needs, where the activation is one. */
struct post_softmax {
	double largest, sum; /* of exp(x - largest) */
};
struct post_softmax post_softmax(
	const struct post *post, const struct post_view *view, size_t first, size_t n);
/* The activation of @x; @terms only for softmax. */
double post_score(const struct post *post, const struct post_softmax *terms, double x);
/* Is its label one of those never found? */
bool post_is_skipped(const struct post *post, const char *label);

int must_check post_boxes_read(const struct post *post, const struct post_outputs *outputs,
	struct findings *findings, struct error *err);
int must_check post_points_read(const struct post *post, const struct post_outputs *outputs,
	struct findings *findings, struct error *err);
int must_check post_mask_read(const struct post *post, const struct post_outputs *outputs,
	struct findings *findings, struct error *err);

#endif
