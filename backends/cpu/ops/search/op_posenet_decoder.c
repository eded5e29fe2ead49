/* SPDX-License-Identifier: Apache-2.0 */
/* PosenetDecoderOp: keypoints of people, in pixels, and how sure they are. Rows beyond the number of
 * poses are 0. Source: Coral's posenet_decoder_op.cc. */
#include <string.h>

#include "backends/cpu/operand/real.h"
#include "backends/cpu/operand/sort.h"
#include "backends/cpu/tiles.h"
#include "kernels/search/pose.h"

struct posenet_state {
	uint64_t roots; /* at most */
	uint64_t at_roots, at_scores, at_order, at_work, at_poses; /* in the scratch */
	uint64_t at_maps[3];
};

static uint64_t reserve(struct op_setup *setup, uint64_t bytes)
{
	uint64_t at = setup->scratch_bytes;
	setup->scratch_bytes += (bytes + 63) / 64 * 64;
	return at;
}

static void posenet_init(struct op_setup *setup)
{
	uint64_t poses = (uint64_t)setup->node->options.posenet.max_detections;
	struct posenet_state *s = setup->state;
	s->roots = op_elements(op_shape_in(setup, 0));
	uint64_t most = s->roots > poses ? s->roots : poses;
	s->at_roots = reserve(setup, s->roots * sizeof(struct ek_pose_root));
	s->at_scores = reserve(setup, most * sizeof(float));
	s->at_order = reserve(setup, most * sizeof(uint32_t));
	s->at_work = reserve(setup, most * sizeof(uint32_t));
	s->at_poses = reserve(setup, poses * sizeof(struct ek_pose));
	for (uint32_t i = 0; i < 3; i++) {
		s->at_maps[i] = reserve(setup, op_elements(op_shape_in(setup, i)) * sizeof(float));
	}
}

/* Operand @i as float; offsets are given in pixels and wanted in units of the grid. */
static int make_map(const struct op_call *call, uint32_t i, float factor, const float **ret_map,
	struct error *err)
{
	const struct posenet_state *s = call->state;
	const struct real real = real_of(call, i, factor);
	float *map = (float *)((char *)call->scratch + s->at_maps[i]);
	struct tiles t = {.total = op_elements(&op_in(call, i)->shape), .control = call->control};
	while (tiles_next(&t)) {
		for (uint64_t k = t.at; k < t.at + t.count; k++) {
			map[k] = real_at(&real, (size_t)k);
		}
	}
	*ret_map = map;
	return tiles_end(&t, err);
}

static int find_roots(const struct op_call *call, const struct ek_pose_maps *maps,
	struct ek_pose_root *roots, size_t *ret_n, struct error *err)
{
	struct tiles t = {.total = maps->height,
		.control = call->control,
		.each = tiles_rows(maps->width * EK_POSE_KEYPOINTS)};
	*ret_n = 0;
	while (tiles_next(&t)) {
		*ret_n +=
			ek_pose_roots(maps, (size_t)t.at, (size_t)(t.at + t.count), roots + *ret_n);
	}
	return tiles_end(&t, err);
}

static int check(const struct op_call *call, struct error *err)
{
	int r = run_control_check(call->control);
	return r < 0 ? error_set(err, r, "given up in the middle of the operator") : 0;
}

/* Poses in the order of their first keypoints' scores. */
static int find_poses(const struct op_call *call, const struct ek_pose_maps *maps,
	struct ek_pose *poses, size_t *ret_n, struct error *err)
{
	const struct posenet_state *s = call->state;
	char *scratch = call->scratch;
	struct ek_pose_root *roots = (struct ek_pose_root *)(scratch + s->at_roots);
	float *scores = (float *)(scratch + s->at_scores);
	uint32_t *order = (uint32_t *)(scratch + s->at_order);
	size_t n_roots = 0, n = 0;
	int r = find_roots(call, maps, roots, &n_roots, err);
	size_t max = (size_t)call->node->options.posenet.max_detections;
	for (size_t i = 0; i < n_roots; i++) {
		scores[i] = roots[i].score;
	}
	r = r < 0 ? r
		  : sort_ranks(order, scores, n_roots, (uint32_t *)(scratch + s->at_work),
			    call->control, err);
	if (r < 0) {
		return r;
	}
	for (size_t i = 0; i < n_roots && n < max; i++) {
		r = check(call, err);
		if (r < 0) {
			return r;
		}
		n += (size_t)ek_pose_decode(maps, &roots[order[i]], poses, n, &poses[n]);
	}
	*ret_n = n;
	return 0;
}

/* Indices of the poses, best first. */
static int order_poses(const struct op_call *call, const struct ek_pose *poses, size_t n,
	const uint32_t **ret_order, struct error *err)
{
	const struct posenet_state *s = call->state;
	char *scratch = call->scratch;
	float *scores = (float *)(scratch + s->at_scores);
	uint32_t *order = (uint32_t *)(scratch + s->at_order);
	for (size_t i = 0; i < n; i++) {
		scores[i] = poses[i].score;
	}
	*ret_order = order;
	return sort_ranks(order, scores, n, (uint32_t *)(scratch + s->at_work), call->control, err);
}

/* The scores that count, and their order. */
static int rescore(const struct op_call *call, struct ek_pose *poses, size_t n, float radius,
	const uint32_t **ret_order, struct error *err)
{
	int r = order_poses(call, poses, n, ret_order, err);
	for (size_t i = 0; r == 0 && i < n; i++) {
		ek_pose_rescore(poses, *ret_order, i, radius);
		r = check(call, err);
	}
	return r < 0 ? r : order_poses(call, poses, n, ret_order, err);
}

static void emit(const struct op_call *call, size_t at, const struct ek_pose *pose)
{
	float stride = (float)call->node->options.posenet.stride;
	float *points = (float *)op_out(call, 0)->data + at * EK_POSE_KEYPOINTS * 2;
	for (size_t k = 0; k < EK_POSE_KEYPOINTS; k++) {
		points[2 * k] = pose->y[k] * stride;
		points[2 * k + 1] = pose->x[k] * stride;
	}
	memcpy((float *)op_out(call, 1)->data + at * EK_POSE_KEYPOINTS, pose->scores,
		sizeof(pose->scores));
	((float *)op_out(call, 2)->data)[at] = pose->score;
}

static int posenet_run(const struct op_call *call, struct error *err)
{
	const struct options_posenet *o = &call->node->options.posenet;
	const struct posenet_state *s = call->state;
	const struct shape *grid = &op_in(call, 0)->shape;
	float step = (float)(1.0 / o->stride);
	struct ek_pose_maps maps = {
		.height = (size_t)grid->dim[1],
		.width = (size_t)grid->dim[2],
		.radius = o->nms_radius / (float)o->stride,
		.threshold = o->score_threshold,
	};
	struct ek_pose *poses = (struct ek_pose *)((char *)call->scratch + s->at_poses);
	const uint32_t *order = NULL;
	size_t n = 0, written = 0;
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < 3; i++) {
		const struct value *out = op_out(call, i);
		r = tiles_result(tiles_clear(out->data, out->bytes, call->control), err);
	}
	r = r < 0 ? r : make_map(call, 0, 1, &maps.heat, err);
	r = r < 0 ? r : make_map(call, 1, step, &maps.near, err);
	r = r < 0 ? r : make_map(call, 2, step, &maps.far, err);
	r = r < 0 ? r : find_poses(call, &maps, poses, &n, err);
	r = r < 0 ? r : rescore(call, poses, n, maps.radius, &order, err);
	if (r < 0) {
		return r;
	}
	while (written < n && poses[order[written]].score >= o->score_threshold) {
		emit(call, written, &poses[order[written]]);
		written++;
	}
	*(float *)op_out(call, 3)->data = (float)written;
	return 0;
}

const struct cpu_op op_posenet_decoder = {.op = OP_POSENET_DECODER,
	.state_bytes = sizeof(struct posenet_state),
	.init = posenet_init,
	.run = posenet_run};
