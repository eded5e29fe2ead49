/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postprocess - converts output tensors to findings, as the [post] section describes
 *
 * classes         one output; its elements are scores, through the activation. The best top-k.
 * detections      TFLite_Detection_PostProcess: boxes [1, N, 4] (top, left, bottom, right),
 *                 classes [1, N], scores [1, N], count [1].
 * ssd             boxes [1, N, 4] and scores [1, N, C] of a single-shot detector without that
 *                 operator: centre y = y / 10 * h + cy and height = exp(h' / 5) * h of anchor
 *                 (cy, cx, h, w). Each anchor gives its best class; softmax covers all classes
 *                 of an anchor with the background. Source: Liu et al., SSD, 2.2.
 * yolov5          [1, N, 5 + C]: centre x, y, width, height, object score, class scores; the score
 *                 is object score * class score.
 * yolov8          [1, 4 + C, N] or [1, N, 4 + C]: without object score. A dimension of 4 or less is
 *                 N, one equal to 4 + number of labels is 4 + C; else N is the larger dimension.
 * keypoints       [1, 1, K, 3] or [1, K, 3]: y, x, score of each point (MoveNet). One finding; its
 *                 score is the mean over the points, its box encloses those above point-threshold.
 * poses           poses [1, N, K, 2] (y, x), point scores [1, N, K], scores [1, N], count [1]
 *                 (PosenetDecoderOp); coordinates are pixels of the input.
 * mask            [1, H, W] classes, or [1, H, W, C] scores with the class by argmax. One finding
 *                 for each class present; its score is its fraction of the pixels.
 * numbers         each element times gain plus offset.
 * reconstruction  mean squared difference of output and input.
 * embedding       the output scaled to norm 1; the label of the nearest example (few_shot.h).
 * tensors         no findings.
 */
#ifndef CLIENT_PIPELINE_POSTPROCESS_H
#define CLIENT_PIPELINE_POSTPROCESS_H

#include "base/few_shot.h"
#include "client/media/labels.h"
#include "client/media/tensor.h"
#include "client/media/tensor_spec.h"
#include "client/pipeline/config/pipeline_config.h"
#include "client/pipeline/findings.h"

struct postprocess {
	const struct pipeline_config_post_keys *keys;
	const struct labels *labels; /* may be empty */
	const double *anchors; /* n_anchors rows of y, x, height, width */
	size_t n_anchors;
	const struct few_shot *examples;
	uint32_t input_width, input_height; /* size of the image tensor in pixels; 0: none */
};

/* Type and quantization are in the specs, shapes in the tensors. -EBADMSG: the outputs do not
 * have the form of the kind; the message says why. -ENOMEM. */
int must_check postprocess_read(const struct postprocess *post, const struct tensor_spec *inputs,
	const struct tensor_bytes *input_bytes, uint32_t n_inputs,
	const struct tensor_spec *outputs, const struct tensor_bytes *output_bytes,
	uint32_t n_outputs, struct findings *ret_findings, struct error *err);

/* One output tensor, for the files that implement a kind. */
struct postprocess_view {
	struct tensor_spec spec; /* with the tensor's actual shape */
	const void *data;
	size_t n; /* number of elements */
	size_t dim[4]; /* without leading ones: [.., dim[rank - 1]] */
	uint32_t rank;
};
struct postprocess_outputs {
	struct postprocess_view views[4];
	uint32_t n; /* at most 4, also if the model has more outputs */
};
double postprocess_get(const struct postprocess_view *view, size_t index);
/* Returns the file's threshold, else the model's, else the lowest double. */
double postprocess_threshold(const struct postprocess *post, const struct postprocess_view *view);
const char *postprocess_label(const struct postprocess *post, size_t index);
/* Terms of a softmax over elements @first to @first + @n - 1; only used if the activation is
 * softmax. */
struct postprocess_softmax {
	double largest, sum; /* sum of exp(x - largest) */
};
struct postprocess_softmax postprocess_softmax(const struct postprocess *post,
	const struct postprocess_view *view, size_t first, size_t n);
/* Applies the activation to @x. @terms is read for softmax only. */
double postprocess_score(
	const struct postprocess *post, const struct postprocess_softmax *terms, double x);
/* Returns the index of the best of @n elements from @first on, @step apart. */
size_t postprocess_best(
	const struct postprocess_view *view, size_t first, size_t step, size_t n, double *ret_best);
/* True if @label is listed in `skip`. */
bool postprocess_is_skipped(const struct postprocess *post, const char *label);

int must_check postprocess_boxes_read(const struct postprocess *post,
	const struct postprocess_outputs *outputs, struct findings *findings, struct error *err);
int must_check postprocess_points_read(const struct postprocess *post,
	const struct postprocess_outputs *outputs, struct findings *findings, struct error *err);
int must_check postprocess_mask_read(const struct postprocess *post,
	const struct postprocess_outputs *outputs, struct findings *findings, struct error *err);

#endif
