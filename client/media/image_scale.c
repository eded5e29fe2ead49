/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "client/media/image.h"

/* A new pixel is the weighted sum of @n old pixels from @first on. */
struct tap {
	uint32_t first, n;
	const float *weight;
};

struct axis {
	struct tap *taps;
	float *weights;
};

static void axis_free(struct axis *axis)
{
	free(axis->taps);
	free(axis->weights);
}

/* Computes which fraction of the new pixel's interval [from, to) each old pixel [i, i+1) covers. */
static uint32_t area_taps(double from, double to, uint32_t old, uint32_t *ret_first, float *weight)
{
	uint32_t first = (uint32_t)from, n = 0;
	for (uint32_t i = first; i < old && i < to; i++, n++) {
		double covered = fmin(to, i + 1.0) - fmax(from, i);
		weight[n] = (float)(covered / (to - from));
	}
	*ret_first = first;
	return n;
}

static uint32_t linear_taps(double centre, uint32_t old, uint32_t *ret_first, float *weight)
{
	double at = fmin(fmax(centre - 0.5, 0), old - 1.0);
	uint32_t first = (uint32_t)at;
	*ret_first = first;
	if (first + 1 >= old) {
		weight[0] = 1;
		return 1;
	}
	weight[1] = (float)(at - first);
	weight[0] = 1 - weight[1];
	return 2;
}

static int axis_init(struct axis *axis, uint32_t old, uint32_t new)
{
	double step = (double)old / new;
	uint32_t most =
		(uint32_t)step + 3; /* an interval of length step touches at most step + 3 pixels */
	axis->taps = calloc(new, sizeof(axis->taps[0]));
	axis->weights = calloc((size_t) new *most, sizeof(axis->weights[0]));
	if (!axis->taps || !axis->weights) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < new; i++) {
		struct tap *tap = &axis->taps[i];
		float *weight = axis->weights + (size_t)i * most;
		tap->weight = weight;
		tap->n = old > new ? area_taps(i * step, (i + 1) * step, old, &tap->first, weight)
				   : linear_taps((i + 0.5) * step, old, &tap->first, weight);
	}
	return 0;
}

/* Computes one row of the new height at the part's width. */
static void mix_rows(
	const struct image *image, const struct image_part *part, const struct tap *tap, float *row)
{
	const size_t n = image->channels, width = part->width * n;
	memset(row, 0, width * sizeof(row[0]));
	for (uint32_t k = 0; k < tap->n; k++) {
		const size_t y = part->y + tap->first + k;
		const uint8_t *from = image->pixels + (y * image->width + part->x) * n;
		float weight = tap->weight[k];
		for (size_t i = 0; i < width; i++) {
			row[i] += weight * from[i];
		}
	}
}

static void mix_columns(
	const float *row, const struct tap *taps, uint32_t width, uint32_t channels, uint8_t *out)
{
	for (uint32_t x = 0; x < width; x++) {
		for (uint32_t c = 0; c < channels; c++) {
			float sum = 0;
			for (uint32_t k = 0; k < taps[x].n; k++) {
				sum += taps[x].weight[k] * row[(taps[x].first + k) * channels + c];
			}
			*out++ = (uint8_t)fminf(fmaxf(sum + 0.5f, 0), 255);
		}
	}
}

int image_resize_part(const struct image *image, const struct image_part *part, uint32_t width,
	uint32_t height, struct image *ret_image, struct error *err)
{
	__attribute__((cleanup(axis_free))) struct axis across = {0}, down = {0};
	owned_image struct image out = {0};
	owned_mem float *row = NULL;
	int r = image_new(width, height, image->channels, &out, err);
	if (r < 0) {
		return r;
	}
	row = malloc((size_t)part->width * image->channels * sizeof(row[0]));
	if (!row || axis_init(&across, part->width, width) < 0 ||
		axis_init(&down, part->height, height) < 0) {
		return error_no_memory(err);
	}
	for (uint32_t y = 0; y < height; y++) {
		mix_rows(image, part, &down.taps[y], row);
		mix_columns(row, across.taps, width, image->channels,
			out.pixels + (size_t)y * width * image->channels);
	}
	*ret_image = out;
	out = (struct image){0};
	return 0;
}

int image_resize(const struct image *image, uint32_t width, uint32_t height,
	struct image *ret_image, struct error *err)
{
	const struct image_part whole = {0, 0, image->width, image->height};
	return image_resize_part(image, &whole, width, height, ret_image, err);
}
