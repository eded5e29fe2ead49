/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anchors - the boxes that a single-shot detector's numbers are laid around, made from scales
 *
 * As ssd_anchor_generator of TensorFlow's object detection API makes them. Layer i has a cell for each
 * anchor-stride * 2^i pixels of the input, the last of a row or column smaller. Scales go in equal steps from
 * the first layer's to the last one's. Each cell, row by row, has a box for each of the ratios r: height
 * scale / sqrt(r), width scale * sqrt(r); then one of anchor-interpolated, of the geometric mean of its scale and
 * the next (1 behind the last). The reduced lowest layer has three in their place: 0.1 square, and its scale at
 * 2 and at 1/2. A scale is a share of the shorter side. Source: anchor_generators/multiple_grid_anchor_generator.py
 * of its models, create_ssd_anchors().
 */
#ifndef CLIENT_PIPELINE_ANCHORS_H
#define CLIENT_PIPELINE_ANCHORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "client/pipeline/recipe.h"

#define ANCHORS_MAX (1u << 20)

/* Rows of y, x, height, width, shares of an input of @width x @height pixels, malloc'ed. -EINVAL where one of
 * them is 0 or there would be more than ANCHORS_MAX; -ENOMEM. */
int must_check anchors_make(const struct recipe_post_keys *keys, uint32_t width, uint32_t height,
	double **ret_rows, size_t *ret_n, struct error *err);

#endif
