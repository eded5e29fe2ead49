/* SPDX-License-Identifier: Apache-2.0 */
/* The door of libspng. */
#include <errno.h>
#include <spng.h>
#include <string.h>

#include "client/pipeline/image.h"

/* What an ancillary chunk, and all of them, may hold: text and colour profiles that nobody reads
 * here. */
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

/* RGBA over black. */
static void flatten(const uint8_t *rgba, struct image *image)
{
	size_t pixels = (size_t)image->width * image->height;
	for (size_t i = 0; i < pixels; i++) {
		uint32_t alpha = rgba[4 * i + 3];
		for (uint32_t c = 0; c < image->channels; c++) {
			uint32_t v = rgba[4 * i + c];
			image->pixels[image->channels * i + c] = (uint8_t)((v * alpha + 127) / 255);
		}
	}
}

int image_png_decode(const void *data, size_t size, struct image *ret_image, struct error *err)
{
	__attribute__((cleanup(close_context))) spng_ctx *ctx = spng_ctx_new(0);
	owned_image struct image image = {0};
	owned_mem uint8_t *rgba = NULL;
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
	size_t bytes = 4 * (size_t)header.width * header.height;
	rgba = malloc(bytes);
	if (!rgba) {
		return error_no_memory(err);
	}
	int e = spng_decode_image(ctx, rgba, bytes, SPNG_FMT_RGBA8, SPNG_DECODE_TRNS);
	if (e) {
		return refused(e, err);
	}
	flatten(rgba, &image);
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
