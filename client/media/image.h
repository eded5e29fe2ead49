/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image - images as rows of 8-bit pixels
 *
 * Grey (1 channel) or RGB (3 channels, red first), rows from top to bottom without padding.
 * Decoders check IMAGE_MAX_SIDE and IMAGE_MAX_PIXELS before they allocate memory. Transparent
 * pixels are blended over black.
 */
#ifndef CLIENT_MEDIA_IMAGE_H
#define CLIENT_MEDIA_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "client/media/byte_source.h"

#define IMAGE_MAX_SIDE 32768u
#define IMAGE_MAX_PIXELS (1u << 25) /* 33 million: a frame of 8K video */

struct image {
	uint8_t *pixels; /* owned, height * width * channels bytes */
	uint32_t width, height, channels;
};

/* Allocates an image with undefined content. -EFBIG: above the limits. -EINVAL: a side is 0.
 * -ENOMEM: the message has the size. */
int must_check image_new(uint32_t width, uint32_t height, uint32_t channels,
	struct image *ret_image, struct error *err);
void image_free(struct image *image); /* @image may be zeroed */

/* Decodes @size bytes of @format. -EBADMSG: damaged data. -EOPNOTSUPP: a variant that is not
 * supported; the message names it. -EFBIG: above the limits. */
int must_check image_decode(enum source_format format, const void *data, size_t size,
	struct image *ret_image, struct error *err);

/* Decoders of the single formats; errors like image_decode(). Truncated pixel data is -EBADMSG;
 * a JPEG may lack its end marker. */
int must_check image_jpeg_decode(
	const void *data, size_t size, struct image *ret_image, struct error *err);
int must_check image_png_decode(
	const void *data, size_t size, struct image *ret_image, struct error *err);
int must_check image_bmp_decode(
	const void *data, size_t size, struct image *ret_image, struct error *err);
int must_check image_pnm_decode(
	const void *data, size_t size, struct image *ret_image, struct error *err);

/* Encodes a PNG with the image's channels. The caller frees *ret_data. -ENOMEM, -EIO. */
int must_check image_png_encode(
	const struct image *image, void **ret_data, size_t *ret_size, struct error *err);

/* Encodes a JPEG of quality 85 with colour subsampled 2:1. The caller frees *ret_data. -ENOMEM,
 * -EIO. */
int must_check image_jpeg_encode(
	const struct image *image, void **ret_data, size_t *ret_size, struct error *err);

/* Converts to @channels, 1 or 3. Grey to RGB repeats the value. RGB to grey is 0.299 R + 0.587 G
 * + 0.114 B (ITU-R BT.601), rounded to nearest. */
int must_check image_set_channels(struct image *image, uint32_t channels, struct error *err);

/* Copies the rectangle at @x, @y, which must be inside the image. */
int must_check image_crop(const struct image *image, uint32_t x, uint32_t y, uint32_t width,
	uint32_t height, struct image *ret_image, struct error *err);

/*
 * Resizes an image. On each axis, shrinking takes the mean over the covered area, enlarging
 * interpolates linearly between the two nearest pixel centres (edges repeat). Results are rounded
 * to nearest. Weights and sums are floats; rows are weighted first, top to bottom, then columns,
 * left to right. tests/unit/client/media/test_image.c has the full definition.
 */
int must_check image_resize(const struct image *image, uint32_t width, uint32_t height,
	struct image *ret_image, struct error *err);

/* Resizes a rectangle, which must be inside the image. Same result as image_crop() followed by
 * image_resize(). */
struct image_part {
	uint32_t x, y, width, height;
};
int must_check image_resize_part(const struct image *image, const struct image_part *part,
	uint32_t width, uint32_t height, struct image *ret_image, struct error *err);

#define owned_image __attribute__((cleanup(image_free)))

#endif
