/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pose - people from the maps of a PoseNet: heat, short offsets, offsets to neighbours
 *
 * From the hottest keypoint on, a pose is followed along the edges of the skeleton, the most
 * confident keypoint first; each step is corrected by the short offsets. Keypoints near to those of
 * a pose found before start none, and do not count in its score.
 * Source: Papandreou et al., "PersonLab", 2018; parameters and order of sums as in Coral's
 * posenet_decoder.cc.
 */
#ifndef KERNELS_SEARCH_POSE_H
#define KERNELS_SEARCH_POSE_H

#include <stddef.h>
#include <stdint.h>

#define EK_POSE_KEYPOINTS 17
#define EK_POSE_EDGES 16

struct ek_pose {
	float y[EK_POSE_KEYPOINTS], x[EK_POSE_KEYPOINTS], scores[EK_POSE_KEYPOINTS];
	float score;
};

/* A keypoint that may be the first of a pose. */
struct ek_pose_root {
	float y, x, score;
	uint32_t id;
};

struct ek_pose_maps {
	const float *heat; /* [height, width, 17], log odds */
	const float *near; /* [height, width, 34]: 17 of y, 17 of x; in units of the grid, as all */
	const float *far; /* [height, width, 64]: y and x along the 16 edges, then back */
	size_t height, width;
	float radius; /* within which keypoints are the same */
	float threshold; /* of scores, 0..1 */
};

/* Keypoints of the rows @y to @end - 1 whose heat passes the threshold and is the greatest around; at
 * most 17 for each place, in the order of the map. */
size_t ek_pose_roots(
	const struct ek_pose_maps *maps, size_t y, size_t end, struct ek_pose_root *roots);

/*
 * The pose that begins at @root, and 1; 0 where one of the @n @poses found before has that keypoint
 * near, or the mean score is too low.
 */
int ek_pose_decode(const struct ek_pose_maps *maps, const struct ek_pose_root *root,
	const struct ek_pose *poses, size_t n, struct ek_pose *ret);

/* Score of @poses[order[i]]: the mean over its keypoints, where those count 0 that are near the same
 * one of a pose that comes before it in @order. */
void ek_pose_rescore(struct ek_pose *poses, const uint32_t *order, size_t i, float radius);

#endif
