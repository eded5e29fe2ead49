/* SPDX-License-Identifier: Apache-2.0 */
/* The door of libturbojpeg. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include "base/bytes.h"
#include "client/pipeline/image.h"

#define QUALITY 85

static void close_handle(tjhandle *handle)
{
	if (*handle) {
		tjDestroy(*handle);
	}
}

/* The library's text is ours to print: it holds numbers of the file, no bytes of it. */
static int refused(tjhandle handle, struct error *err)
{
	return error_set(err, -EBADMSG, "JPEG: %s", tjGetErrorStr2(handle));
}

/* It says so in words alone. */
static bool is_short_of_memory(tjhandle handle)
{
	static const char words[] = "Insufficient memory";
	return strncmp(tjGetErrorStr2(handle), words, sizeof(words) - 1) == 0;
}

#define MAX_COMPONENTS 4
#define BLOCK_SIDE 8
#define BLOCK_BYTES (BLOCK_SIDE * BLOCK_SIDE * sizeof(int16_t))

/* What a frame header says. Source: ITU-T T.81, B.2.2. */
struct frame {
	bool progressive;
	uint32_t width, height, components;
	uint32_t across[MAX_COMPONENTS], down[MAX_COMPONENTS]; /* sampling factors */
};

static uint32_t read_be16(struct bytes_reader *r)
{
	uint32_t high = bytes_read_u8(r);
	return high << 8 | bytes_read_u8(r);
}

static void frame_read(struct bytes_reader *r, uint8_t marker, struct frame *frame)
{
	*frame = (struct frame){.progressive = marker % 4 == 2};
	(void)bytes_read_u8(r); /* bits of a sample */
	frame->height = read_be16(r);
	frame->width = read_be16(r);
	frame->components = bytes_read_u8(r);
	r->failed |= frame->components > MAX_COMPONENTS;
	for (uint32_t i = 0; i < frame->components && !r->failed; i++) {
		(void)bytes_read_u8(r); /* name */
		uint8_t factors = bytes_read_u8(r);
		frame->across[i] = factors >> 4;
		frame->down[i] = factors & 15;
		(void)bytes_read_u8(r); /* table */
	}
}

/* Of all components, as whole blocks of whole units. */
static uint64_t frame_bytes(const struct frame *frame)
{
	uint32_t across = 1, down = 1;
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < frame->components; i++) {
		across = frame->across[i] > across ? frame->across[i] : across;
		down = frame->down[i] > down ? frame->down[i] : down;
	}
	const uint64_t wide = (frame->width + BLOCK_SIDE * across - 1) / (BLOCK_SIDE * across);
	const uint64_t high = (frame->height + BLOCK_SIDE * down - 1) / (BLOCK_SIDE * down);
	for (uint32_t i = 0; i < frame->components; i++) {
		bytes += wide * high * frame->across[i] * frame->down[i] * BLOCK_BYTES;
	}
	return bytes;
}

static bool is_frame(uint8_t marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
		marker != 0xcc;
}

/* The library keeps the coefficients of the whole picture where they come in several scans (progressive,
 * or a colour at a time): their bytes; 0 of another. */
static uint64_t kept_bytes(const void *data, size_t size, uint32_t width, uint32_t height)
{
	struct bytes_reader r = bytes_reader_of(data, size);
	struct frame frame = {0};
	(void)read_be16(&r); /* the start of the picture */
	while (!r.failed) {
		const uint32_t marker = read_be16(&r), length = read_be16(&r);
		const size_t next = r.at + length - 2;
		if (marker == 0xffda) { /* the first scan, and how many components it has */
			bool all = bytes_read_u8(&r) == frame.components;
			bool this = frame.width == width && frame.height == height;
			bool once = all && !frame.progressive;
			return r.failed || once || !this ? 0 : frame_bytes(&frame);
		}
		if (marker >> 8 != 0xff || length < 2 || next > size) {
			return 0;
		}
		if (is_frame((uint8_t)marker)) {
			frame_read(&r, (uint8_t)marker, &frame);
		}
		r.at = next;
	}
	return 0;
}

/* Room for the pixels, if there is also room for what decoding keeps beside them: nobody has to write to
 * memory to learn that there is too little. */
static int room_make(const void *data, size_t size, uint32_t width, uint32_t height,
	uint32_t channels, struct image *ret_image, struct error *err)
{
	owned_image struct image image = {0};
	const uint64_t kept = kept_bytes(data, size, width, height);
	const uint64_t pixels = (uint64_t)width * height * channels;
	int r = image_new(width, height, channels, &image, err);
	void *volatile beside = r == 0 && kept ? malloc((size_t)kept) : NULL;
	r = r == 0 && kept && !beside ? -ENOMEM : r;
	free(beside);
	if (r == -ENOMEM && kept) {
		return error_set(err, -ENOMEM,
			"JPEG: no memory for %ux%u pixels, %llu MiB: %llu MiB of it as it comes in "
			"several scans (progressive)",
			width, height, (unsigned long long)((kept + pixels) >> 20) + 1,
			(unsigned long long)(kept >> 20) + 1);
	}
	if (r < 0) {
		error_prefix(err, "JPEG");
		return r;
	}
	*ret_image = image;
	image = (struct image){0};
	return 0;
}

/* -1, which may be for a warning alone. A limit on scans keeps a small progressive file from costing minutes. */
static int pixels_read(tjhandle handle, const void *data, size_t size, struct image *image)
{
	const int pitch = 0, format = image->channels == 1 ? TJPF_GRAY : TJPF_RGB;
	return tjDecompress2(handle, data, (unsigned long)size, image->pixels, (int)image->width,
		pitch, (int)image->height, format, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS);
}

/* The same with the mark of the end behind the data, which some cameras leave out: the library then says whether
 * more than that is missing. */
static int marked_read(tjhandle handle, const void *data, size_t size, struct image *image)
{
	owned_mem uint8_t *marked = malloc(size + 2);
	if (!marked) {
		return -ENOMEM;
	}
	memcpy(marked, data, size);
	memcpy(marked + size, "\xff\xd9", 2);
	return pixels_read(handle, marked, size + 2, image);
}

static bool is_warned(tjhandle handle, int r, const char *words)
{
	return r == -1 && tjGetErrorCode(handle) == TJERR_WARNING &&
		strncmp(tjGetErrorStr2(handle), words, strlen(words)) == 0;
}

int image_jpeg_decode(const void *data, size_t size, struct image *ret_image, struct error *err)
{
	__attribute__((cleanup(close_handle))) tjhandle handle = tjInitDecompress();
	owned_image struct image image = {0};
	int width = 0, height = 0, subsampling = 0, colours = 0;
	if (!handle) {
		return error_no_memory(err);
	}
	if (tjDecompressHeader3(handle, data, (unsigned long)size, &width, &height, &subsampling,
		    &colours) < 0) {
		return refused(handle, err);
	}
	if (width <= 0 || height <= 0) {
		return error_set(err, -EBADMSG, "JPEG: no size before the end of the file");
	}
	if (colours == TJCS_CMYK || colours == TJCS_YCCK) {
		return error_set(err, -EOPNOTSUPP, "JPEG: CMYK colours are not read here");
	}
	uint32_t channels = colours == TJCS_GRAY ? 1 : 3;
	int r = room_make(data, size, (uint32_t)width, (uint32_t)height, channels, &image, err);
	if (r < 0) {
		return r;
	}
	memset(image.pixels, 0, (size_t)width * (size_t)height * channels);
	r = pixels_read(handle, data, size, &image);
	if (is_warned(handle, r, "Premature end of JPEG file")) {
		r = marked_read(handle, data, size, &image);
	}
	if (is_warned(handle, r, "Corrupt JPEG data: premature end of data segment")) {
		return error_set(
			err, -EBADMSG, "JPEG: the data of the picture are cut off or damaged");
	}
	if (r == -ENOMEM || (r < 0 && is_short_of_memory(handle))) {
		return error_set(
			err, -ENOMEM, "JPEG: no memory to decode %dx%d pixels", width, height);
	}
	if (r < 0 && tjGetErrorCode(handle) != TJERR_WARNING) {
		return refused(handle, err);
	}
	*ret_image = image;
	image = (struct image){0};
	return 0;
}

int image_jpeg_encode(
	const struct image *image, void **ret_data, size_t *ret_size, struct error *err)
{
	__attribute__((cleanup(close_handle))) tjhandle handle = tjInitCompress();
	const bool grey = image->channels == 1;
	const int sampling = grey ? TJSAMP_GRAY : TJSAMP_420;
	const int width = (int)image->width, height = (int)image->height;
	unsigned long size = 0;
	owned_mem unsigned char *data = NULL; /* grows: room for the worst is that of the pixels */
	if (!handle) {
		return error_no_memory(err);
	}
	if (tjCompress2(handle, image->pixels, width, 0, height, grey ? TJPF_GRAY : TJPF_RGB, &data,
		    &size, sampling, QUALITY, 0) < 0) {
		return error_set(err, is_short_of_memory(handle) ? -ENOMEM : -EIO, "JPEG: %s",
			tjGetErrorStr2(handle));
	}
	unsigned char *small = realloc(data, size);
	data = small ? small : data;
	*ret_data = take(data);
	*ret_size = size;
	return 0;
}
