/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <spng.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <turbojpeg.h>
#include <unistd.h>

#include "base/bytes.h"
#include "client/media/image.h"
#include "tests/unit/memory.h"

/* A bitmap's headers of 54 bytes. */
static void write_bmp(struct bytes_writer *w, int32_t width, int32_t height, uint16_t bits,
	uint32_t colours, uint32_t pixels_at)
{
	bytes_write(w, "BM", 2);
	bytes_write_u32(w, 0);
	bytes_write_u32(w, 0);
	bytes_write_u32(w, pixels_at);
	bytes_write_u32(w, 40);
	bytes_write_u32(w, (uint32_t)width);
	bytes_write_u32(w, (uint32_t)height);
	bytes_write_u16(w, 1);
	bytes_write_u16(w, bits);
	bytes_write_u32(w, 0);
	bytes_reserve(w, 12);
	bytes_write_u32(w, colours);
	bytes_write_u32(w, 0);
}

static void bmp_of_24_bits_is_turned_upright_and_to_rgb(void **state)
{
	(void)state;
	struct bytes_writer w = {0};
	owned_image struct image image = {0};
	write_bmp(&w, 1, 2, 24, 0, 54);
	const uint8_t rows[8] = {3, 2, 1, 0, 6, 5, 4, 0}; /* the lower row first, blue first */
	bytes_write(&w, rows, sizeof(rows));
	assert_int_equal(image_decode(SOURCE_BMP, w.data, w.size, &image, NULL), 0);
	assert_int_equal(image.width, 1);
	assert_int_equal(image.height, 2);
	assert_int_equal(image.channels, 3);
	const uint8_t wanted[6] = {4, 5, 6, 1, 2, 3};
	assert_memory_equal(image.pixels, wanted, sizeof(wanted));
	bytes_writer_deinit(&w);
}

static void bmp_with_a_grey_palette_is_grey_and_top_down_when_its_height_is_negative(void **state)
{
	(void)state;
	struct bytes_writer w = {0};
	owned_image struct image image = {0};
	write_bmp(&w, 3, -2, 4, 2, 54 + 8);
	const uint8_t palette[8] = {10, 10, 10, 0, 200, 200, 200, 0};
	const uint8_t rows[8] = {0x10, 0x10, 0, 0, 0x01, 0x00, 0, 0};
	bytes_write(&w, palette, sizeof(palette));
	bytes_write(&w, rows, sizeof(rows));
	assert_int_equal(image_bmp_decode(w.data, w.size, &image, NULL), 0);
	assert_int_equal(image.channels, 1);
	const uint8_t wanted[6] = {200, 10, 200, 10, 200, 10};
	assert_memory_equal(image.pixels, wanted, sizeof(wanted));
	bytes_writer_deinit(&w);
}

static void bmp_that_claims_more_than_it_has_is_refused(void **state)
{
	(void)state;
	struct error err = {0};
	struct image image = {0};
	struct bytes_writer w = {0};
	write_bmp(&w, 100, 100, 24, 0, 54);
	assert_int_equal(image_bmp_decode(w.data, w.size, &image, &err), -EBADMSG);
	assert_string_equal(err.text, "BMP: pixels beyond the end of the file");
	assert_int_equal(image_bmp_decode(w.data, 30, &image, &err), -EBADMSG);
	bytes_writer_deinit(&w);
	write_bmp(&w, 1, 1, 8, 256, 54);
	assert_int_equal(image_bmp_decode(w.data, w.size, &image, &err), -EBADMSG);
	assert_string_equal(err.text, "BMP: palette beyond the end of the file");
	bytes_writer_deinit(&w);
	write_bmp(&w, INT32_MAX, INT32_MIN, 24, 0, 54);
	assert_int_equal(image_bmp_decode(w.data, w.size, &image, &err), -EBADMSG);
	bytes_writer_deinit(&w);
	write_bmp(&w, 1, 1, 16, 0, 54);
	assert_int_equal(image_bmp_decode(w.data, w.size, &image, &err), -EOPNOTSUPP);
	bytes_writer_deinit(&w);
	assert_null(image.pixels);
}

static int decode_pnm(const char *text, size_t size, struct image *image, struct error *err)
{
	return image_pnm_decode(text, size, image, err);
}

static void pnm_reads_text_bytes_comments_and_depths(void **state)
{
	(void)state;
	owned_image struct image grey = {0}, colour = {0}, deep = {0};
	const char text[] = "P2 # a comment\n2 1\n# another\n100\n50 100";
	assert_int_equal(decode_pnm(text, sizeof(text) - 1, &grey, NULL), 0);
	assert_int_equal(grey.pixels[0], 128); /* 50 of 100, rounded */
	assert_int_equal(grey.pixels[1], 255);
	const char bytes[] = "P6 1 1 255\n\x01\x02\x03";
	assert_int_equal(decode_pnm(bytes, sizeof(bytes) - 1, &colour, NULL), 0);
	assert_int_equal(colour.channels, 3);
	assert_memory_equal(colour.pixels, "\x01\x02\x03", 3);
	const char wide[] = "P5 1 1 65535\n\x80\x00";
	assert_int_equal(decode_pnm(wide, sizeof(wide) - 1, &deep, NULL), 0);
	assert_int_equal(deep.pixels[0], 128);
}

static void pnm_that_ends_early_or_lies_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {"P5", "P5 2", "P5 2 2 255\n\x01\x02", "P2 1 1 10 11",
		"P5 0 0 255\n", "P5 99999999 1 255\n", "P7 1 1 255\n.", "P2 1 1 0 0",
		"P5 65535 65535 255\n"};
	struct image image = {0};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_true(decode_pnm(texts[i], strlen(texts[i]), &image, NULL) < 0);
	}
}

static void png_that_libspng_wrote_comes_back_and_alpha_is_laid_on_black(void **state)
{
	(void)state;
	const uint8_t rgba[8] = {255, 100, 0, 255, 200, 100, 50, 128};
	owned_image struct image image = {0};
	struct spng_ihdr header = {.width = 2,
		.height = 1,
		.bit_depth = 8,
		.color_type = SPNG_COLOR_TYPE_TRUECOLOR_ALPHA};
	size_t size = 0;
	int code = 0;
	spng_ctx *ctx = spng_ctx_new(SPNG_CTX_ENCODER);
	assert_int_equal(spng_set_option(ctx, SPNG_ENCODE_TO_BUFFER, 1), 0);
	assert_int_equal(spng_set_ihdr(ctx, &header), 0);
	assert_int_equal(
		spng_encode_image(ctx, rgba, sizeof(rgba), SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE), 0);
	uint8_t *png = spng_get_png_buffer(ctx, &size, &code);
	assert_non_null(png);
	assert_int_equal(image_decode(SOURCE_PNG, png, size, &image, NULL), 0);
	const uint8_t wanted[6] = {255, 100, 0, 100, 50, 25};
	assert_memory_equal(image.pixels, wanted, sizeof(wanted));
	struct image none = {0};
	struct error err = {0};
	for (size_t cut = 0; cut < size - 16;
		cut++) { /* the last checksum and IEND are not missed */
		assert_true(image_png_decode(png, cut, &none, &err) < 0);
	}
	memcpy(png + 16, "\x7f\xff\xff\xff", 4); /* a width that breaks the checksum too */
	assert_true(image_png_decode(png, size, &none, &err) < 0);
	free(png);
	spng_ctx_free(ctx);
}

static void a_jpeg_of_ours_comes_back_nearly(void **state)
{
	(void)state;
	uint8_t pixels[48 * 32 * 3];
	for (uint32_t channels = 1; channels <= 3; channels += 2) {
		const struct image from = {pixels, 48, 32, channels};
		owned_image struct image image = {0};
		void *data = NULL;
		size_t size = 0;
		for (size_t i = 0; i < sizeof(pixels); i++) {
			pixels[i] = (uint8_t)(i / channels % 48 * 5);
		}
		assert_int_equal(image_jpeg_encode(&from, &data, &size, NULL), 0);
		assert_int_equal(image_jpeg_decode(data, size, &image, NULL), 0);
		assert_int_equal(image.width, 48);
		assert_int_equal(image.height, 32);
		assert_int_equal(image.channels, channels);
		for (size_t i = 0; i < (size_t)48 * 32 * channels; i++) {
			assert_in_range(image.pixels[i] + 12 - pixels[i], 0, 24);
		}
		free(data);
	}
}

static void jpeg_that_libjpeg_wrote_comes_back_nearly(void **state)
{
	(void)state;
	uint8_t grey[64 * 64];
	owned_image struct image image = {0};
	unsigned char *jpeg = NULL;
	unsigned long size = 0;
	for (size_t i = 0; i < sizeof(grey); i++) {
		grey[i] = (uint8_t)(i % 64 * 4);
	}
	tjhandle handle = tjInitCompress();
	assert_int_equal(
		tjCompress2(handle, grey, 64, 0, 64, TJPF_GRAY, &jpeg, &size, TJSAMP_GRAY, 95, 0),
		0);
	assert_int_equal(image_decode(SOURCE_JPEG, jpeg, size, &image, NULL), 0);
	assert_int_equal(image.width, 64);
	assert_int_equal(image.channels, 1);
	for (size_t i = 0; i < sizeof(grey); i++) {
		assert_in_range(image.pixels[i] + 10, grey[i], grey[i] + 20);
	}
	struct image none = {0};
	struct error err = {0};
	assert_int_equal(image_jpeg_decode(jpeg, 20, &none, &err), -EBADMSG);
	for (unsigned long cut = 20; cut < size - 2;
		cut++) { /* the mark of the end is not missed */
		assert_int_equal(image_jpeg_decode(jpeg, cut, &none, &err), -EBADMSG);
	}
	assert_string_equal(err.text, "JPEG: the data of the picture are cut off or damaged");
	owned_image struct image unmarked = {0};
	assert_int_equal(image_jpeg_decode(jpeg, size - 2, &unmarked, NULL), 0);
	assert_memory_equal(unmarked.pixels, image.pixels, 64 * 64);
	assert_true(strncmp(err.text, "JPEG: ", 6) == 0);
	tjFree(jpeg);
	tjDestroy(handle);
}

static void too_many_pixels_are_refused_before_memory_is_taken(void **state)
{
	(void)state;
	struct image image = {0};
	assert_int_equal(image_new(IMAGE_MAX_SIDE + 1, 1, 1, &image, NULL), -EFBIG);
	assert_int_equal(image_new(IMAGE_MAX_SIDE, IMAGE_MAX_SIDE, 3, &image, NULL), -EFBIG);
	assert_int_equal(image_new(0, 5, 3, &image, NULL), -EINVAL);
}

static void grey_weights_keep_white_white(void **state)
{
	(void)state;
	owned_image struct image image = {0};
	assert_int_equal(image_new(4, 1, 3, &image, NULL), 0);
	const uint8_t rgb[12] = {255, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255};
	memcpy(image.pixels, rgb, sizeof(rgb));
	assert_int_equal(image_set_channels(&image, 1, NULL), 0);
	const uint8_t wanted[4] = {255, 76, 150, 29};
	assert_memory_equal(image.pixels, wanted, sizeof(wanted));
	assert_int_equal(image_set_channels(&image, 3, NULL), 0);
	assert_memory_equal(image.pixels + 3, "\x4c\x4c\x4c", 3);
}

static void shrinking_takes_the_mean_of_the_area(void **state)
{
	(void)state;
	owned_image struct image image = {0}, half = {0}, third = {0};
	assert_int_equal(image_new(4, 2, 1, &image, NULL), 0);
	const uint8_t pixels[8] = {0, 100, 10, 20, 100, 200, 30, 41};
	memcpy(image.pixels, pixels, sizeof(pixels));
	assert_int_equal(image_resize(&image, 2, 1, &half, NULL), 0);
	assert_int_equal(half.pixels[0], 100);
	assert_int_equal(half.pixels[1], 25); /* 25.25 */
	assert_int_equal(image_resize(&image, 3, 2, &third, NULL), 0);
	assert_int_equal(third.pixels[0], 25); /* (0 + 100 / 3) / (4 / 3) */
}

static void enlarging_interpolates_between_centres(void **state)
{
	(void)state;
	owned_image struct image image = {0}, wide = {0};
	assert_int_equal(image_new(2, 1, 1, &image, NULL), 0);
	image.pixels[0] = 0;
	image.pixels[1] = 100;
	assert_int_equal(image_resize(&image, 4, 1, &wide, NULL), 0);
	const uint8_t wanted[4] = {0, 25, 75, 100};
	assert_memory_equal(wide.pixels, wanted, sizeof(wanted));
}

static void the_same_size_changes_nothing(void **state)
{
	(void)state;
	owned_image struct image image = {0}, same = {0};
	assert_int_equal(image_new(7, 5, 3, &image, NULL), 0);
	for (size_t i = 0; i < 105; i++) {
		image.pixels[i] = (uint8_t)(i * 37);
	}
	assert_int_equal(image_resize(&image, 7, 5, &same, NULL), 0);
	assert_memory_equal(same.pixels, image.pixels, 105);
}

/* The weight of old pixel @k for new pixel @i of one axis, as image.h defines it. */
static float weight_of(uint32_t i, uint32_t k, uint32_t old, uint32_t new)
{
	double step = (double)old / new;
	if (old > new) {
		double from = fmax(i * step, k), to = fmin((i + 1) * step, k + 1.0);
		return to > from ? (float)((to - from) / ((i + 1) * step - i * step)) : 0;
	}
	double at = fmin(fmax((i + 0.5) * step - 0.5, 0), old - 1.0);
	uint32_t first = (uint32_t)at;
	float second = first + 1 < old ? (float)(at - first) : 0;
	return k == first ? 1 - second : k == first + 1 ? second : 0;
}

/* One channel of one new pixel: columns of weighted rows, in float. */
static uint8_t defined_pixel(const struct image *from, uint32_t x, uint32_t y, uint32_t c,
	uint32_t width, uint32_t height)
{
	float sum = 0;
	for (uint32_t i = 0; i < from->width; i++) {
		float across = weight_of(x, i, from->width, width), column = 0;
		for (uint32_t k = 0; k < from->height && across != 0; k++) {
			float down = weight_of(y, k, from->height, height);
			size_t at = ((size_t)k * from->width + i) * from->channels + c;
			column += down != 0 ? down * from->pixels[at] : 0;
		}
		sum += across * column;
	}
	return (uint8_t)fminf(fmaxf(sum + 0.5f, 0), 255);
}

static void resizing_is_its_definition_to_the_bit(void **state)
{
	(void)state;
	static const uint32_t sizes[][4] = {{17, 13, 5, 4}, {17, 13, 40, 31}, {9, 30, 20, 7},
		{8, 8, 4, 4}, {1, 1, 3, 2}, {3, 2, 1, 1}, {31, 1, 7, 3}, {96, 64, 37, 63}};
	uint32_t seed = 7;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		uint32_t width = sizes[s][2], height = sizes[s][3];
		owned_image struct image from = {0}, to = {0};
		assert_int_equal(image_new(sizes[s][0], sizes[s][1], 3, &from, NULL), 0);
		for (size_t i = 0; i < (size_t)from.width * from.height * 3; i++) {
			seed = seed * 1664525u + 1013904223u;
			from.pixels[i] = (uint8_t)(seed >> 24);
		}
		assert_int_equal(image_resize(&from, width, height, &to, NULL), 0);
		for (uint32_t i = 0; i < width * height * 3; i++) {
			uint32_t x = i / 3 % width, y = i / 3 / width;
			assert_int_equal(
				to.pixels[i], defined_pixel(&from, x, y, i % 3, width, height));
		}
	}
}

/* Sides that are no multiples of 8, so that passes end in the middle. */
static void an_interlaced_png_is_the_picture_that_it_was(void **state)
{
	(void)state;
	enum {
		WIDTH = 19,
		HEIGHT = 13
	};
	uint8_t rgba[HEIGHT][WIDTH][4];
	struct spng_ihdr header = {.width = WIDTH,
		.height = HEIGHT,
		.bit_depth = 8,
		.color_type = SPNG_COLOR_TYPE_TRUECOLOR_ALPHA,
		.interlace_method = SPNG_INTERLACE_ADAM7};
	for (uint32_t y = 0; y < HEIGHT; y++) {
		for (uint32_t x = 0; x < WIDTH; x++) {
			const uint8_t pixel[4] = {(uint8_t)(x * 13), (uint8_t)(y * 19),
				(uint8_t)(x * y), x % 3 ? 255 : 0};
			memcpy(rgba[y][x], pixel, 4);
		}
	}
	size_t size = 0;
	int code = 0;
	spng_ctx *ctx = spng_ctx_new(SPNG_CTX_ENCODER);
	assert_int_equal(spng_set_option(ctx, SPNG_ENCODE_TO_BUFFER, 1), 0);
	assert_int_equal(spng_set_ihdr(ctx, &header), 0);
	assert_int_equal(
		spng_encode_image(ctx, rgba, sizeof(rgba), SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE), 0);
	owned_mem uint8_t *png = spng_get_png_buffer(ctx, &size, &code);
	owned_image struct image image = {0};
	assert_int_equal(image_png_decode(png, size, &image, NULL), 0);
	spng_ctx_free(ctx);
	for (uint32_t y = 0; y < HEIGHT; y++) {
		for (uint32_t x = 0; x < WIDTH; x++) {
			for (uint32_t c = 0; c < 3; c++) {
				assert_int_equal(image.pixels[(y * WIDTH + x) * 3 + c],
					x % 3 ? rgba[y][x][c] : 0);
			}
		}
	}
}

/* 25 million pixels are 75 MB: decoding takes that and little more, in a process of its own. */
static void a_large_png_takes_little_more_than_its_pixels(void **state)
{
	(void)state;
	owned_image struct image from = {0};
	owned_mem void *data = NULL;
	size_t size = 0;
	int status = 0;
	assert_int_equal(image_new(5000, 5000, 3, &from, NULL), 0);
	memset(from.pixels, 77, (size_t)75000000);
	assert_int_equal(image_png_encode(&from, &data, &size, NULL), 0);
	image_free(&from);
	pid_t child = fork();
	if (child == 0) {
		owned_image struct image to = {0};
		const uint64_t before = memory_kb("VmPeak");
		bool same = image_png_decode(data, size, &to, NULL) == 0 && to.width == 5000 &&
			to.height == 5000 && to.pixels[0] == 77 && to.pixels[74999999] == 77;
		_exit(!same ? 1 : memory_kb("VmPeak") - before > 100000 ? 2 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

enum outcome {
	DECODED,
	TOO_MUCH,
	UNLIMITED, /* qemu and sanitizers do not hold to it */
	ANOTHER
};

/* What becomes of @jpeg where there is room for that many bytes more. */
static enum outcome decode_within(const void *jpeg, size_t size, size_t room, const char *why)
{
	owned_image struct image image = {0};
	struct error err = {0};
	const struct rlimit limit = {(rlim_t)(memory_kb("VmData") * 1024 + room), RLIM_INFINITY};
	if (setrlimit(RLIMIT_DATA, &limit) < 0) {
		return ANOTHER;
	}
	void *volatile more = SANITIZED ? NULL : malloc(room + (1u << 20));
	if (more || SANITIZED) {
		return UNLIMITED;
	}
	int r = image_jpeg_decode(jpeg, size, &image, &err);
	return r == 0 ? DECODED : r == -ENOMEM && strcmp(err.text, why) == 0 ? TOO_MUCH : ANOTHER;
}

static enum outcome decode_apart(const void *jpeg, size_t size, size_t room, const char *why)
{
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		_exit((int)decode_within(jpeg, size, room, why));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return (enum outcome)WEXITSTATUS(status);
}

/* 12 million bytes of pixels, and as many of coefficients with half the colours, twice with all. */
static void a_progressive_jpeg_says_how_much_it_takes(void **state)
{
	(void)state;
	static const char half[] = "JPEG: no memory for 2000x2000 pixels, 23 MiB: 12 MiB of it as "
				   "it comes in several scans (progressive)";
	static const char full[] = "JPEG: no memory for 2000x2000 pixels, 35 MiB: 23 MiB of it as "
				   "it comes in several scans (progressive)";
	static const struct {
		int sampling, flags;
		size_t room;
		const char *why;
	} tries[] = {{TJSAMP_420, TJFLAG_PROGRESSIVE, 20u << 20, half},
		{TJSAMP_420, TJFLAG_PROGRESSIVE, 28u << 20, NULL},
		{TJSAMP_444, TJFLAG_PROGRESSIVE, 32u << 20, full},
		{TJSAMP_444, TJFLAG_PROGRESSIVE, 40u << 20, NULL},
		{TJSAMP_444, 0, 20u << 20, NULL}};
	owned_mem uint8_t *rgb = calloc(2000 * 2000, 3);
	assert_non_null(rgb);
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		/* One that wrote a progressive one writes a broken one next that is not. */
		tjhandle handle = tjInitCompress();
		assert_non_null(handle);
		unsigned char *jpeg = NULL;
		unsigned long size = 0;
		assert_int_equal(tjCompress2(handle, rgb, 2000, 0, 2000, TJPF_RGB, &jpeg, &size,
					 tries[i].sampling, 85, tries[i].flags),
			0);
		enum outcome outcome =
			decode_apart(jpeg, size, tries[i].room, tries[i].why ? tries[i].why : "");
		tjFree(jpeg);
		tjDestroy(handle);
		if (outcome == UNLIMITED) {
			print_message("SKIPPED: nothing limits memory here\n");
			break;
		}
		assert_int_equal(outcome, tries[i].why ? TOO_MUCH : DECODED);
	}
}

/* Nor does it take room for the worst case to write one of them as a JPEG. */
static void a_large_jpeg_is_written_in_little_memory(void **state)
{
	(void)state;
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		owned_image struct image from = {0};
		owned_mem void *data = NULL;
		size_t size = 0;
		bool made = image_new(5000, 5000, 3, &from, NULL) == 0;
		memset(from.pixels, 77, (size_t)75000000);
		const uint64_t before = memory_kb("VmPeak");
		made = made && image_jpeg_encode(&from, &data, &size, NULL) == 0 && size > 1000;
		_exit(!made ? 1 : memory_kb("VmPeak") - before > 30000 ? 2 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_part_is_resized_as_if_it_were_cut_out(void **state)
{
	(void)state;
	static const struct image_part parts[] = {
		{0, 0, 17, 13}, {3, 2, 11, 7}, {16, 12, 1, 1}, {0, 5, 17, 8}};
	owned_image struct image from = {0};
	assert_int_equal(image_new(17, 13, 3, &from, NULL), 0);
	for (uint32_t i = 0; i < 17 * 13 * 3; i++) {
		from.pixels[i] = (uint8_t)(i * i * 31 + i);
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const struct image_part *p = &parts[i];
		owned_image struct image cut = {0}, wanted = {0}, got = {0};
		assert_int_equal(image_crop(&from, p->x, p->y, p->width, p->height, &cut, NULL), 0);
		assert_int_equal(image_resize(&cut, 5, 9, &wanted, NULL), 0);
		assert_int_equal(image_resize_part(&from, p, 5, 9, &got, NULL), 0);
		assert_memory_equal(got.pixels, wanted.pixels, 5 * 9 * 3);
	}
}

static void a_png_that_is_written_comes_back(void **state)
{
	(void)state;
	for (uint32_t channels = 1; channels <= 3; channels += 2) {
		owned_image struct image from = {0}, to = {0};
		owned_mem void *data = NULL;
		size_t size = 0;
		assert_int_equal(image_new(5, 3, channels, &from, NULL), 0);
		for (uint32_t i = 0; i < 15 * channels; i++) {
			from.pixels[i] = (uint8_t)(i * 37);
		}
		assert_int_equal(image_png_encode(&from, &data, &size, NULL), 0);
		assert_int_equal(image_png_decode(data, size, &to, NULL), 0);
		assert_int_equal(to.channels, channels);
		assert_memory_equal(to.pixels, from.pixels, 15 * channels);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bmp_of_24_bits_is_turned_upright_and_to_rgb),
		cmocka_unit_test(
			bmp_with_a_grey_palette_is_grey_and_top_down_when_its_height_is_negative),
		cmocka_unit_test(bmp_that_claims_more_than_it_has_is_refused),
		cmocka_unit_test(pnm_reads_text_bytes_comments_and_depths),
		cmocka_unit_test(pnm_that_ends_early_or_lies_is_refused),
		cmocka_unit_test(png_that_libspng_wrote_comes_back_and_alpha_is_laid_on_black),
		cmocka_unit_test(a_jpeg_of_ours_comes_back_nearly),
		cmocka_unit_test(jpeg_that_libjpeg_wrote_comes_back_nearly),
		cmocka_unit_test(too_many_pixels_are_refused_before_memory_is_taken),
		cmocka_unit_test(grey_weights_keep_white_white),
		cmocka_unit_test(shrinking_takes_the_mean_of_the_area),
		cmocka_unit_test(enlarging_interpolates_between_centres),
		cmocka_unit_test(the_same_size_changes_nothing),
		cmocka_unit_test(resizing_is_its_definition_to_the_bit),
		cmocka_unit_test(a_png_that_is_written_comes_back),
		cmocka_unit_test(an_interlaced_png_is_the_picture_that_it_was),
		cmocka_unit_test(a_large_png_takes_little_more_than_its_pixels),
		cmocka_unit_test(a_large_jpeg_is_written_in_little_memory),
		cmocka_unit_test(a_progressive_jpeg_says_how_much_it_takes),
		cmocka_unit_test(a_part_is_resized_as_if_it_were_cut_out),
	};
	mallopt(M_MMAP_THRESHOLD, 65536); /* what was freed is no room for what comes */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
