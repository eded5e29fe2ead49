/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anchors - generates the anchor boxes of a single-shot detector from scales and ratios
 *
 * Same result as ssd_anchor_generator of TensorFlow's object detection API. Layer i has one cell
 * for each anchor-stride * 2^i pixels of the input; the last cell of a row or column is smaller.
 * Scales grow in equal steps from the first layer to the last. Each cell, row by row, has one box
 * for each ratio r: height scale / sqrt(r), width scale * sqrt(r). One box of ratio
 * anchor-interpolated follows; its scale is the geometric mean of this layer's scale and the next
 * one's (1 after the last). The reduced lowest layer has three boxes instead: a square of 0.1, and
 * its scale at ratios 2 and 1/2. A scale is a fraction of the shorter side. Source:
 * create_ssd_anchors() in anchor_generators/multiple_grid_anchor_generator.py of the TensorFlow
 * models.
 */
#ifndef CLIENT_PIPELINE_ANCHORS_H
#define CLIENT_PIPELINE_ANCHORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "client/pipeline/config/pipeline_config.h"

#define ANCHORS_MAX (1u << 20)

/* Returns rows of y, x, height, width as fractions of an input of @width x @height pixels. The
 * caller frees *ret_rows. -EINVAL: a dimension is 0, or more than ANCHORS_MAX anchors. -ENOMEM. */
int must_check anchors_make(const struct pipeline_config_post_keys *keys, uint32_t width,
	uint32_t height, double **ret_rows, size_t *ret_n, struct error *err);

#endif
