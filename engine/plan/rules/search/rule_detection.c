/* SPDX-License-Identifier: Apache-2.0 */
/* rule_detection - TFLite_Detection_PostProcess (TFLite kernels/detection_postprocess.cc) and
 * PosenetDecoderOp (Coral's posenet_decoder_op.cc) */
#include <errno.h>
#include <math.h>

#include "engine/plan/rules/signal/rule_signal.h"

#define MAX_DETECTIONS 65536
#define KEYPOINTS 17
#define EDGES 16

static int check_floats(const struct op_context *ctx, struct error *err)
{
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < ctx->node->n_outputs; i++) {
		r = rule_type_is(rule_output(ctx, i), "output", DTYPE_FLOAT32, err);
	}
	return r;
}

/* float32, or uint8 with a scale. */
static int check_real(const struct op_context *ctx, uint32_t i, const char *name, unsigned int rank,
	struct error *err)
{
	const struct tensor *t = op_context_input(ctx, i);
	int r = rule_type_among(ctx, t, name, RULE_TYPE(FLOAT32) | RULE_TYPE(UINT8), err);
	r = r < 0 ? r : rule_rank_is(rule_shape(ctx, i), name, rank, err);
	r = r < 0 ? r : rule_not_empty(rule_shape(ctx, i), name, err);
	return r < 0 || t->type == DTYPE_FLOAT32 ? r : rule_per_tensor(t, name, err);
}

static int check_detection_options(const struct options_detection *o, struct error *err)
{
	int r = rule_option("max_detections", o->max_detections, 0, MAX_DETECTIONS, err);
	r = r < 0 ? r
		  : rule_option("max_classes_per_detection", o->max_classes_per_detection, 1,
			    MAX_DETECTIONS, err);
	r = r < 0 || !o->use_regular_nms
		? r
		: rule_option("detections_per_class", o->detections_per_class, 1, INT32_MAX, err);
	r = r < 0 ? r : rule_option("num_classes", o->num_classes, 1, SHAPE_MAX_DIM, err);
	if (r == 0 && !(o->iou_threshold > 0 && o->iou_threshold <= 1)) {
		r = error_set(err, -EBADMSG, "nms_iou_threshold is %g, must be above 0, at most 1",
			(double)o->iou_threshold);
	}
	if (r == 0 && (int64_t)o->max_detections * o->max_classes_per_detection > SHAPE_MAX_DIM) {
		r = error_set(err, -EBADMSG, "%d detections of %d classes", (int)o->max_detections,
			(int)o->max_classes_per_detection);
	}
	return r;
}

/* boxes [1, n, 4 or more], classes [1, n, classes, with or without a background], anchors [n, 4] */
static int check_detection_shapes(const struct op_context *ctx, struct error *err)
{
	const struct shape *boxes = rule_shape(ctx, 0), *classes = rule_shape(ctx, 1),
			   *anchors = rule_shape(ctx, 2);
	int32_t n = boxes->dim[1], named = ctx->node->options.detection.num_classes;
	if (boxes->dim[0] != 1 || classes->dim[0] != 1) {
		return error_set(err, -EBADMSG, "a batch of %d, must be 1", (int)boxes->dim[0]);
	}
	if (boxes->dim[2] < 4 || anchors->dim[1] != 4) {
		return error_set(err, -EBADMSG, "boxes of %d numbers, anchors of %d, must be 4",
			(int)boxes->dim[2], (int)anchors->dim[1]);
	}
	if (classes->dim[1] != n || anchors->dim[0] != n) {
		return error_set(err, -EBADMSG, "%d boxes, classes for %d, %d anchors", (int)n,
			(int)classes->dim[1], (int)anchors->dim[0]);
	}
	if (classes->dim[2] != named && classes->dim[2] != named + 1) {
		return error_set(err, -EBADMSG, "scores of %d classes, num_classes is %d",
			(int)classes->dim[2], (int)named);
	}
	return 0;
}

int rule_detection(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_detection *o = &ctx->node->options.detection;
	int r = check_real(ctx, 0, "boxes", 3, err);
	r = r < 0 ? r : check_real(ctx, 1, "classes", 3, err);
	r = r < 0 ? r : check_real(ctx, 2, "anchors", 2, err);
	r = r < 0 ? r
		  : rule_type_is(op_context_input(ctx, 2), "anchors",
			    op_context_input(ctx, 0)->type, err);
	r = r < 0 ? r : check_floats(ctx, err);
	r = r < 0 ? r : check_detection_options(o, err);
	r = r < 0 ? r : check_detection_shapes(ctx, err);
	if (r < 0) {
		return r;
	}
	int32_t rows = o->max_detections * o->max_classes_per_detection;
	ret->shapes[0] = (struct shape){.rank = 3, .dim = {1, rows, 4}};
	ret->shapes[1] = ret->shapes[2] = (struct shape){.rank = 2, .dim = {1, rows}};
	ret->shapes[3] = (struct shape){.rank = 1, .dim = {1}};
	/* Sorting and comparing with all that has been selected, for each class. */
	uint64_t n = (uint64_t)rule_shape(ctx, 0)->dim[1];
	uint64_t most =
		(uint64_t)(o->use_regular_nms ? o->detections_per_class : o->max_detections);
	ret->macs = rule_cost_mul(rule_cost_mul(n, 20 + (most < n ? most : n)),
		o->use_regular_nms ? (uint64_t)o->num_classes : 1);
	return 0;
}

/* heatmaps [1, h, w, 17], short offsets [1, h, w, 34], mid offsets [1, h, w, 64] */
static int check_pose_shapes(const struct op_context *ctx, struct error *err)
{
	static const int32_t depths[] = {KEYPOINTS, 2 * KEYPOINTS, 4 * EDGES};
	const struct shape *heatmaps = rule_shape(ctx, 0);
	for (uint32_t i = 0; i < 3; i++) {
		const struct shape *s = rule_shape(ctx, i);
		if (s->dim[0] != 1 || s->dim[1] != heatmaps->dim[1] ||
			s->dim[2] != heatmaps->dim[2] || s->dim[3] != depths[i]) {
			char text[SHAPE_TEXT_SIZE];
			return error_set(err, -EBADMSG, "input %u is %s, must be 1x%dx%dx%d", i,
				shape_format(text, sizeof(text), s), (int)heatmaps->dim[1],
				(int)heatmaps->dim[2], (int)depths[i]);
		}
	}
	return 0;
}

int rule_posenet_decoder(const struct op_context *ctx, struct op_result *ret, struct error *err)
{
	const struct options_posenet *o = &ctx->node->options.posenet;
	int r = check_real(ctx, 0, "heatmaps", 4, err);
	r = r < 0 ? r : check_real(ctx, 1, "short offsets", 4, err);
	r = r < 0 ? r : check_real(ctx, 2, "mid offsets", 4, err);
	r = r < 0 ? r : check_floats(ctx, err);
	r = r < 0 ? r : check_pose_shapes(ctx, err);
	r = r < 0 ? r : rule_option("max_detections", o->max_detections, 0, MAX_DETECTIONS, err);
	r = r < 0 ? r : rule_option("stride", o->stride, 1, RULE_MAX_STEP, err);
	if (r < 0) {
		return r;
	}
	int32_t n = o->max_detections;
	ret->shapes[0] = (struct shape){.rank = 4, .dim = {1, n, KEYPOINTS, 2}};
	ret->shapes[1] = (struct shape){.rank = 3, .dim = {1, n, KEYPOINTS}};
	ret->shapes[2] = (struct shape){.rank = 2, .dim = {1, n}};
	ret->shapes[3] = (struct shape){.rank = 1, .dim = {1}};
	/* Candidates are compared with the poses there are; poses with each other. */
	uint64_t poses = (uint64_t)n;
	ret->macs = rule_cost_add(rule_cost_mul(rule_elements(rule_shape(ctx, 0)), 30 + poses),
		rule_cost_mul(poses, 20000 + poses * KEYPOINTS));
	return 0;
}
