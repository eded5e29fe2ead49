/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image - pictures as rows of 8-bit pixels
 *
 * Grey (1 channel) or RGB (3 channels, red first), rows from top to bottom without padding. A
 * decoder refuses before it allocates: sides up to IMAGE_MAX_SIDE, IMAGE_MAX_PIXELS in all.
 * Transparent pixels are laid over black.
 */
#ifndef CLIENT_PIPELINE_IMAGE_H
#define CLIENT_PIPELINE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "client/pipeline/source.h"

#define IMAGE_MAX_SIDE 32768u
#define IMAGE_MAX_PIXELS (1u << 25) /* 33 million: a frame of 8K video */

struct image {
	uint8_t *pixels; /* owned, height * width * channels */
	uint32_t width, height, channels;
};

/* An image of undefined content. -EFBIG beyond the limits above, -EINVAL for an empty one, -ENOMEM
 * with the size. */
int must_check image_new(uint32_t width, uint32_t height, uint32_t channels,
	struct image *ret_image, struct error *err);
void image_free(struct image *image); /* zeroed is fine */

/* Decodes @size bytes of the given format. -EBADMSG for bytes that are not what they say,
 * -EOPNOTSUPP for forms that are not read here (named in the text), -EFBIG beyond the limits. */
int must_check image_decode(enum source_format format, const void *data, size_t size,
	struct image *ret_image, struct error *err);

/* One per format, as above. A picture whose data end before it does is -EBADMSG; a JPEG may lack the mark of its
 * end. */
int must_check image_jpeg_decode(
	const void *data, size_t size, struct image *ret_image, struct error *err);
int must_check image_png_decode(
	const void *data, size_t size, struct image *ret_image, struct error *err);
int must_check image_bmp_decode(
	const void *data, size_t size, struct image *ret_image, struct error *err);
int must_check image_pnm_decode(
	const void *data, size_t size, struct image *ret_image, struct error *err);

/* The picture as a PNG of its channels; the bytes are malloc'ed. -ENOMEM, -EIO. */
int must_check image_png_encode(
	const struct image *image, void **ret_data, size_t *ret_size, struct error *err);

/* The same as a JPEG that looks alike (quality 85, colours at half the size). -ENOMEM, -EIO. */
int must_check image_jpeg_encode(
	const struct image *image, void **ret_data, size_t *ret_size, struct error *err);

/* Grey to RGB repeats the value; RGB to grey is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), rounded
 * to nearest. @channels is 1 or 3. */
int must_check image_set_channels(struct image *image, uint32_t channels, struct error *err);

/* The rectangle at @x, @y, which lies inside the image. */
int must_check image_crop(const struct image *image, uint32_t x, uint32_t y, uint32_t width,
	uint32_t height, struct image *ret_image, struct error *err);

/*
 * Another size. Per axis: when shrinking each new pixel is the mean of the area it covers, when
 * enlarging it is interpolated between the two nearest centres (edges repeat), rounded to nearest.
 * Weights are floats; rows are weighted first, from top to bottom, then columns from left to right, and
 * all sums are floats: tests/unit/client/test_image.c has the definition in full.
 */
int must_check image_resize(const struct image *image, uint32_t width, uint32_t height,
	struct image *ret_image, struct error *err);

/* The same of a rectangle of it, which lies inside: as image_crop() and image_resize() would make it. */
struct image_part {
	uint32_t x, y, width, height;
};
int must_check image_resize_part(const struct image *image, const struct image_part *part,
	uint32_t width, uint32_t height, struct image *ret_image, struct error *err);

#define owned_image __attribute__((cleanup(image_free)))

#endif
