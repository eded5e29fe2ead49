/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/anchors.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* The boxes of one cell: one for each ratio, and the interpolated one. */
struct cell {
	size_t n;
	double height[PIPELINE_CONFIG_MAX_REALS + 1], width[PIPELINE_CONFIG_MAX_REALS + 1];
};

static void cell_add(struct cell *cell, double scale, double ratio)
{
	cell->height[cell->n] = scale / sqrt(ratio);
	cell->width[cell->n++] = scale * sqrt(ratio);
}

/* Returns the scale of layer @layer; 1 after the last layer. */
static double scale_of(const struct pipeline_config_post_keys *keys, size_t layer)
{
	const double *ends = keys->anchor_scales.v;
	const size_t n = (size_t)keys->anchor_layers;
	if (layer == n) {
		return 1;
	}
	return n == 1 ? ends[0] : ends[0] + (ends[1] - ends[0]) * (double)layer / (double)(n - 1);
}

static struct cell cell_of(const struct pipeline_config_post_keys *keys, size_t layer)
{
	const double scale = scale_of(keys, layer);
	struct cell cell = {0};
	if (layer == 0 && keys->anchor_lowest == PIPELINE_CONFIG_LOWEST_REDUCED) {
		cell_add(&cell, 0.1, 1);
		cell_add(&cell, scale, 2);
		cell_add(&cell, scale, 0.5);
		return cell;
	}
	for (uint32_t i = 0; i < keys->anchor_ratios.n; i++) {
		cell_add(&cell, scale, keys->anchor_ratios.v[i]);
	}
	if (keys->anchor_interpolated > 0) {
		cell_add(&cell, sqrt(scale * scale_of(keys, layer + 1)), keys->anchor_interpolated);
	}
	return cell;
}

static uint64_t cells_across(
	const struct pipeline_config_post_keys *keys, size_t layer, uint32_t pixels)
{
	const uint64_t stride = keys->anchor_stride << layer;
	return (pixels + stride - 1) / stride;
}

static uint64_t count(const struct pipeline_config_post_keys *keys, uint32_t width, uint32_t height)
{
	uint64_t n = 0;
	for (size_t i = 0; i < keys->anchor_layers; i++) {
		n += cells_across(keys, i, width) * cells_across(keys, i, height) *
			cell_of(keys, i).n;
	}
	return n;
}

int anchors_make(const struct pipeline_config_post_keys *keys, uint32_t width, uint32_t height,
	double **ret_rows, size_t *ret_n, struct error *err)
{
	const uint64_t n = count(keys, width, height);
	if (n == 0 || n > ANCHORS_MAX) {
		return error_set(
			err, -EINVAL, "no anchors of an input of %u x %u pixels", width, height);
	}
	double *rows = calloc((size_t)n, 4 * sizeof(rows[0])), *at = rows;
	if (!rows) {
		return error_no_memory(err);
	}
	const double shorter = width < height ? width : height;
	for (size_t layer = 0; layer < keys->anchor_layers; layer++) {
		const struct cell cell = cell_of(keys, layer);
		const uint64_t across = cells_across(keys, layer, width);
		const uint64_t cells = across * cells_across(keys, layer, height);
		const double down = (double)(cells / across);
		for (uint64_t i = 0; i < cells * cell.n; i++, at += 4) {
			const uint64_t place = i / cell.n, box = i % cell.n;
			at[0] = ((double)(place / across) + 0.5) / down;
			at[1] = ((double)(place % across) + 0.5) / (double)across;
			at[2] = cell.height[box] * shorter / height;
			at[3] = cell.width[box] * shorter / width;
		}
	}
	*ret_rows = rows;
	*ret_n = (size_t)n;
	return 0;
}
