/* SPDX-License-Identifier: Apache-2.0 */
#include "client/media/image.h"

#include <errno.h>
#include <string.h>

int image_new(uint32_t width, uint32_t height, uint32_t channels, struct image *ret_image,
	struct error *err)
{
	if (width == 0 || height == 0) {
		return error_set(err, -EINVAL, "a picture of %ux%u pixels", width, height);
	}
	if (width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE ||
		(uint64_t)width * height > IMAGE_MAX_PIXELS) {
		return error_set(err, -EFBIG, "%ux%u pixels, limit %u a side and %u in all", width,
			height, IMAGE_MAX_SIDE, IMAGE_MAX_PIXELS);
	}
	const size_t bytes = (size_t)width * height * channels;
	uint8_t *pixels = malloc(bytes);
	if (!pixels) {
		return error_set(err, -ENOMEM, "no memory for %ux%u pixels, %zu MiB", width, height,
			(bytes >> 20) + 1);
	}
	*ret_image = (struct image){
		.pixels = pixels, .width = width, .height = height, .channels = channels};
	return 0;
}

void image_free(struct image *image)
{
	free(image->pixels);
	*image = (struct image){0};
}

int image_decode(enum source_format format, const void *data, size_t size, struct image *ret_image,
	struct error *err)
{
	switch (format) {
	case SOURCE_JPEG:
		return image_jpeg_decode(data, size, ret_image, err);
	case SOURCE_PNG:
		return image_png_decode(data, size, ret_image, err);
	case SOURCE_BMP:
		return image_bmp_decode(data, size, ret_image, err);
	case SOURCE_PNM:
		return image_pnm_decode(data, size, ret_image, err);
	default:
		return error_set(err, -EOPNOTSUPP, "not a JPEG, PNG, BMP, PPM or PGM picture");
	}
}

/* Weights in 1/65536, so that white stays 255: 19595 + 38470 + 7471 = 65536. */
static uint8_t grey_of(const uint8_t *rgb)
{
	return (uint8_t)((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
}

int image_set_channels(struct image *image, uint32_t channels, struct error *err)
{
	owned_image struct image other = {0};
	if (image->channels == channels) {
		return 0;
	}
	int r = image_new(image->width, image->height, channels, &other, err);
	if (r < 0) {
		return r;
	}
	size_t pixels = (size_t)image->width * image->height;
	for (size_t i = 0; i < pixels; i++) {
		if (channels == 1) {
			other.pixels[i] = grey_of(image->pixels + 3 * i);
		} else {
			memset(other.pixels + 3 * i, image->pixels[i], 3);
		}
	}
	struct image old = *image;
	*image = other;
	other = old;
	return 0;
}

int image_crop(const struct image *image, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
	struct image *ret_image, struct error *err)
{
	struct image part = {0};
	int r = image_new(width, height, image->channels, &part, err);
	if (r < 0) {
		return r;
	}
	size_t row = (size_t)width * image->channels;
	for (uint32_t i = 0; i < height; i++) {
		size_t from = ((size_t)(y + i) * image->width + x) * image->channels;
		memcpy(part.pixels + i * row, image->pixels + from, row);
	}
	*ret_image = part;
	return 0;
}
