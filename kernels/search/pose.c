/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/search/pose.h"

#include <math.h>
#include <stdbool.h>

#define REFINEMENTS 5 /* steps along the short offsets */

enum part {
	NOSE,
	EYE_L,
	EYE_R,
	EAR_L,
	EAR_R,
	SHOULDER_L,
	SHOULDER_R,
	ELBOW_L,
	ELBOW_R,
	WRIST_L,
	WRIST_R,
	HIP_L,
	HIP_R,
	KNEE_L,
	KNEE_R,
	ANKLE_L,
	ANKLE_R
};

/* The skeleton, a tree with the nose as its root: edge i goes from the first to the second. */
static const uint8_t edges[EK_POSE_EDGES][2] = {
	{NOSE, EYE_L},
	{EYE_L, EAR_L},
	{NOSE, EYE_R},
	{EYE_R, EAR_R},
	{NOSE, SHOULDER_L},
	{SHOULDER_L, ELBOW_L},
	{ELBOW_L, WRIST_L},
	{SHOULDER_L, HIP_L},
	{HIP_L, KNEE_L},
	{KNEE_L, ANKLE_L},
	{NOSE, SHOULDER_R},
	{SHOULDER_R, ELBOW_R},
	{ELBOW_R, WRIST_R},
	{SHOULDER_R, HIP_R},
	{HIP_R, KNEE_R},
	{KNEE_R, ANKLE_R},
};

/* 0..n - 1; NaN is 0. */
static float clamp_to(float x, size_t n)
{
	float last = (float)n - 1;
	return !(x > 0) ? 0 : x > last ? last : x;
}

/* A place between four cells: offsets of the cells and how far it is from the first. */
struct cell {
	size_t at[2][2];
	float y, x;
};

/* 0 <= y <= height - 1, and so x. */
static struct cell cell_at(const struct ek_pose_maps *m, float y, float x, size_t depth)
{
	size_t top = (size_t)floorf(y), bottom = (size_t)ceilf(y);
	size_t left = (size_t)floorf(x), right = (size_t)ceilf(x);
	return (struct cell){
		.at = {{(top * m->width + left) * depth, (top * m->width + right) * depth},
			{(bottom * m->width + left) * depth, (bottom * m->width + right) * depth}},
		.y = y - (float)top,
		.x = x - (float)left,
	};
}

static float sample(const float *map, const struct cell *c, size_t channel)
{
	map += channel;
	return (1 - c->y) * ((1 - c->x) * map[c->at[0][0]] + c->x * map[c->at[0][1]]) +
		c->y * ((1 - c->x) * map[c->at[1][0]] + c->x * map[c->at[1][1]]);
}

static float heat_at(const struct ek_pose_maps *m, float y, float x, uint32_t id)
{
	const struct cell c = cell_at(m, y, x, EK_POSE_KEYPOINTS);
	return sample(m->heat, &c, id);
}

/* Moves the place by the offsets that stand there. */
static void follow(const struct ek_pose_maps *m, const float *map, size_t depth, size_t channel_y,
	size_t channel_x, struct ek_pose_root *point)
{
	const struct cell c = cell_at(m, point->y, point->x, depth);
	point->y = clamp_to(point->y + sample(map, &c, channel_y), m->height);
	point->x = clamp_to(point->x + sample(map, &c, channel_x), m->width);
}

/* From @from along @edge (16 and above: back along edge - 16) to keypoint @id. */
static struct ek_pose_root step(
	const struct ek_pose_maps *m, const struct ek_pose_root *from, size_t edge, uint32_t id)
{
	struct ek_pose_root to = {from->y, from->x, 0, id};
	/* Offsets back begin behind all those forward, 32; the source does so only from the second
	 * edge back on. */
	size_t channel = edge > EK_POSE_EDGES ? edge + EK_POSE_EDGES : edge;
	follow(m, m->far, 4 * EK_POSE_EDGES, channel, channel + EK_POSE_EDGES, &to);
	for (int i = 0; i < REFINEMENTS; i++) {
		follow(m, m->near, 2 * EK_POSE_KEYPOINTS, id, EK_POSE_KEYPOINTS + id, &to);
	}
	to.score = heat_at(m, to.y, to.x, id);
	return to;
}

static bool is_peak(const struct ek_pose_maps *m, size_t y, size_t x, size_t id, float score)
{
	size_t y_end = y + 2 < m->height ? y + 2 : m->height;
	size_t x_end = x + 2 < m->width ? x + 2 : m->width;
	for (size_t i = y > 0 ? y - 1 : 0; i < y_end; i++) {
		for (size_t j = x > 0 ? x - 1 : 0; j < x_end; j++) {
			if (m->heat[(i * m->width + j) * EK_POSE_KEYPOINTS + id] > score) {
				return false;
			}
		}
	}
	return true;
}

size_t ek_pose_roots(
	const struct ek_pose_maps *maps, size_t y, size_t end, struct ek_pose_root *roots)
{
	double odds = 1.0 / ((double)maps->threshold + 1e-6) - 1;
	float least = (float)-log(odds);
	size_t n = 0, row = maps->width * EK_POSE_KEYPOINTS;
	for (size_t i = y * row; i < end * row; i++) {
		size_t cell = i / EK_POSE_KEYPOINTS, id = i % EK_POSE_KEYPOINTS;
		size_t x = cell % maps->width;
		y = cell / maps->width;
		if (maps->heat[i] >= least && is_peak(maps, y, x, id, maps->heat[i])) {
			const float *near = maps->near + cell * 2 * EK_POSE_KEYPOINTS + id;
			roots[n++] =
				(struct ek_pose_root){clamp_to((float)y + near[0], maps->height),
					clamp_to((float)x + near[EK_POSE_KEYPOINTS], maps->width),
					maps->heat[i], (uint32_t)id};
		}
	}
	return n;
}

static bool is_near(float ay, float ax, float by, float bx, float radius)
{
	float dy = by - ay, dx = bx - ax;
	return dy * dy + dx * dx <= radius * radius;
}

/* Takes the best of the @n waiting out; of equals the one that waits longest. */
static struct ek_pose_root take_best(struct ek_pose_root *waiting, size_t *n)
{
	size_t best = 0;
	for (size_t i = 1; i < *n; i++) {
		best = waiting[i].score > waiting[best].score ? i : best;
	}
	struct ek_pose_root taken = waiting[best];
	--*n;
	for (size_t i = best; i < *n; i++) {
		waiting[i] = waiting[i + 1];
	}
	return taken;
}

/* All keypoints, from the root on. Each edge is gone once at most, so 17 are never passed. */
static void trace(
	const struct ek_pose_maps *m, const struct ek_pose_root *root, struct ek_pose *pose)
{
	struct ek_pose_root waiting[EK_POSE_KEYPOINTS] = {*root};
	size_t n = 1;
	uint32_t seen = 1u << root->id;
	waiting[0].score = heat_at(m, root->y, root->x, root->id);
	while (n > 0) {
		struct ek_pose_root point = take_best(waiting, &n);
		pose->y[point.id] = point.y;
		pose->x[point.id] = point.x;
		pose->scores[point.id] = 1.0f / (1.0f + expf(-point.score));
		for (size_t i = 0; i < 2 * EK_POSE_EDGES; i++) {
			const uint8_t *edge = edges[i % EK_POSE_EDGES];
			bool back = i >= EK_POSE_EDGES;
			uint32_t to = edge[!back];
			if (edge[back] == point.id && !(seen >> to & 1)) {
				seen |= 1u << to;
				waiting[n++] = step(m, &point, i, to);
			}
		}
	}
}

/* Mean of the scores that @hidden does not have, summed from the greatest on. */
static float mean_score(const struct ek_pose *pose, uint32_t hidden)
{
	float sum = 0;
	uint32_t left = (1u << EK_POSE_KEYPOINTS) - 1;
	for (int i = 0; i < EK_POSE_KEYPOINTS; i++) {
		int best = __builtin_ctz(left);
		for (int k = best + 1; k < EK_POSE_KEYPOINTS; k++) {
			best = (left >> k & 1) && pose->scores[k] > pose->scores[best] ? k : best;
		}
		left &= ~(1u << best);
		sum += hidden >> best & 1 ? 0 : pose->scores[best];
	}
	return sum / EK_POSE_KEYPOINTS;
}

int ek_pose_decode(const struct ek_pose_maps *maps, const struct ek_pose_root *root,
	const struct ek_pose *poses, size_t n, struct ek_pose *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (is_near(root->y, root->x, poses[i].y[root->id], poses[i].x[root->id],
			    maps->radius)) {
			return 0;
		}
	}
	trace(maps, root, ret);
	ret->score = mean_score(ret, 0);
	return ret->score >= maps->threshold;
}

void ek_pose_rescore(struct ek_pose *poses, const uint32_t *order, size_t i, float radius)
{
	struct ek_pose *pose = &poses[order[i]];
	uint32_t hidden = 0;
	for (size_t j = 0; j < i; j++) {
		const struct ek_pose *other = &poses[order[j]];
		for (int k = 0; k < EK_POSE_KEYPOINTS; k++) {
			bool near =
				is_near(pose->y[k], pose->x[k], other->y[k], other->x[k], radius);
			hidden |= (uint32_t)near << k;
		}
	}
	pose->score = mean_score(pose, hidden);
}
