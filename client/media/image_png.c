/* SPDX-License-Identifier: Apache-2.0 */
/* Wraps libspng. */
#include <errno.h>
#include <spng.h>
#include <string.h>

#include "client/media/image.h"

/* Most bytes of one ancillary chunk, and of all: text and colour profiles, which are not used. */
#define CHUNK_BYTES (1u << 20)
#define CHUNKS_BYTES (8u << 20)

static void close_context(spng_ctx **ctx)
{
	spng_ctx_free(*ctx);
}

static int refused(int code, struct error *err)
{
	return error_set(
		err, code == SPNG_EMEM ? -ENOMEM : -EBADMSG, "PNG: %s", spng_strerror(code));
}

static int open_png(spng_ctx *ctx, const void *data, size_t size, struct spng_ihdr *ret_header,
	struct error *err)
{
	int e = spng_set_image_limits(ctx, IMAGE_MAX_SIDE, IMAGE_MAX_SIDE);
	e = e ? e : spng_set_chunk_limits(ctx, CHUNK_BYTES, CHUNKS_BYTES);
	e = e ? e : spng_set_png_buffer(ctx, data, size);
	e = e ? e : spng_get_ihdr(ctx, ret_header);
	return e ? refused(e, err) : 0;
}

/* Returns the first column of a row: 0, or with Adam7 the first one of the pass. Source: PNG,
 * 8.2. */
static uint32_t column_first(bool interlaced, unsigned int pass)
{
	static const uint8_t first[7] = {0, 4, 0, 2, 0, 1, 0};
	return interlaced ? first[pass % 7] : 0;
}

static uint32_t column_step(bool interlaced, unsigned int pass)
{
	static const uint8_t step[7] = {8, 8, 4, 4, 2, 2, 1};
	return interlaced ? step[pass % 7] : 1;
}

/* Blends RGBA over black. */
static void flatten(
	const uint8_t *rgba, uint32_t first, uint32_t step, uint32_t row, struct image *image)
{
	uint8_t *out = image->pixels + (size_t)row * image->width * image->channels;
	for (uint32_t x = first; x < image->width; x += step) {
		uint32_t alpha = rgba[4 * (size_t)x + 3];
		for (uint32_t c = 0; c < image->channels; c++) {
			uint32_t v = rgba[4 * (size_t)x + c];
			out[(size_t)x * image->channels + c] = (uint8_t)((v * alpha + 127) / 255);
		}
	}
}

/* Decodes row by row, so that memory beyond the pixels is small. */
static int read_rows(spng_ctx *ctx, bool interlaced, struct image *image, struct error *err)
{
	const size_t bytes = 4 * (size_t)image->width;
	owned_mem uint8_t *rgba = malloc(bytes);
	struct spng_row_info info = {0};
	if (!rgba) {
		return error_no_memory(err);
	}
	int e = spng_decode_image(
		ctx, NULL, 0, SPNG_FMT_RGBA8, SPNG_DECODE_TRNS | SPNG_DECODE_PROGRESSIVE);
	while (e == 0) {
		e = spng_get_row_info(ctx, &info);
		e = e ? e : spng_decode_row(ctx, rgba, bytes);
		if ((e == 0 || e == SPNG_EOI) && info.row_num < image->height) {
			flatten(rgba, column_first(interlaced, info.pass),
				column_step(interlaced, info.pass), info.row_num, image);
		}
	}
	return e == SPNG_EOI ? 0 : refused(e, err);
}

int image_png_decode(const void *data, size_t size, struct image *ret_image, struct error *err)
{
	__attribute__((cleanup(close_context))) spng_ctx *ctx = spng_ctx_new(0);
	owned_image struct image image = {0};
	struct spng_ihdr header = {0};
	if (!ctx) {
		return error_no_memory(err);
	}
	int r = open_png(ctx, data, size, &header, err);
	if (r < 0) {
		return r;
	}
	bool grey = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE ||
		header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
	r = image_new(header.width, header.height, grey ? 1 : 3, &image, err);
	if (r < 0) {
		error_prefix(err, "PNG");
		return r;
	}
	r = read_rows(ctx, header.interlace_method != 0, &image, err);
	if (r < 0) {
		return r;
	}
	*ret_image = image;
	image = (struct image){0};
	return 0;
}

int image_png_encode(
	const struct image *image, void **ret_data, size_t *ret_size, struct error *err)
{
	__attribute__((cleanup(close_context))) spng_ctx *ctx = spng_ctx_new(SPNG_CTX_ENCODER);
	struct spng_ihdr header = {.width = image->width,
		.height = image->height,
		.bit_depth = 8,
		.color_type = image->channels == 1 ? SPNG_COLOR_TYPE_GRAYSCALE
						   : SPNG_COLOR_TYPE_TRUECOLOR};
	size_t bytes = (size_t)image->width * image->height * image->channels;
	if (!ctx) {
		return error_no_memory(err);
	}
	int e = spng_set_option(ctx, SPNG_ENCODE_TO_BUFFER, 1);
	e = e ? e : spng_set_ihdr(ctx, &header);
	e = e ? e
	      : spng_encode_image(ctx, image->pixels, bytes, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
	void *data = e ? NULL : spng_get_png_buffer(ctx, ret_size, &e);
	if (e || !data) {
		return error_set(err, e == SPNG_EMEM ? -ENOMEM : -EIO, "PNG: %s", spng_strerror(e));
	}
	*ret_data = data;
	return 0;
}
