/* SPDX-License-Identifier: Apache-2.0 */
/* Wraps libturbojpeg. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include "base/bytes.h"
#include "client/media/image.h"

#define QUALITY 85

static void close_handle(tjhandle *handle)
{
	if (*handle) {
		tjDestroy(*handle);
	}
}

/* The library's message is safe to print: it has numbers from the file, but no bytes of it. */
static int set_tj_error(tjhandle handle, struct error *err)
{
	return error_set(err, -EBADMSG, "JPEG: %s", tjGetErrorStr2(handle));
}

/* The library reports this only in its message. */
static bool is_out_of_memory(tjhandle handle)
{
	static const char words[] = "Insufficient memory";
	return strncmp(tjGetErrorStr2(handle), words, sizeof(words) - 1) == 0;
}

#define MAX_COMPONENTS 4
#define BLOCK_SIDE 8
#define BLOCK_BYTES (BLOCK_SIDE * BLOCK_SIDE * sizeof(int16_t))

/* Contents of a frame header. Source: ITU-T T.81, B.2.2. */
struct frame {
	bool progressive;
	uint32_t width, height, components;
	uint32_t h_samp[MAX_COMPONENTS], v_samp[MAX_COMPONENTS]; /* sampling factors */
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
		(void)bytes_read_u8(r); /* component id */
		uint8_t factors = bytes_read_u8(r);
		frame->h_samp[i] = factors >> 4;
		frame->v_samp[i] = factors & 15;
		(void)bytes_read_u8(r); /* quantization table */
	}
}

/* Returns the bytes of all components' coefficients. The image is rounded up to whole MCUs (minimum
 * coded units). */
static uint64_t frame_bytes(const struct frame *frame)
{
	uint32_t h_samp = 1, v_samp = 1;
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < frame->components; i++) {
		h_samp = frame->h_samp[i] > h_samp ? frame->h_samp[i] : h_samp;
		v_samp = frame->v_samp[i] > v_samp ? frame->v_samp[i] : v_samp;
	}
	const uint64_t mcus_x = (frame->width + BLOCK_SIDE * h_samp - 1) / (BLOCK_SIDE * h_samp);
	const uint64_t mcus_y = (frame->height + BLOCK_SIDE * v_samp - 1) / (BLOCK_SIDE * v_samp);
	for (uint32_t i = 0; i < frame->components; i++) {
		bytes += mcus_x * mcus_y * frame->h_samp[i] * frame->v_samp[i] * BLOCK_BYTES;
	}
	return bytes;
}

static bool is_sof(uint8_t marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
		marker != 0xcc;
}

/* Returns the bytes of the coefficients that the library keeps for the whole image if it comes
 * in several scans (progressive, or one scan for each component); 0 for a single scan. */
static uint64_t coefficient_bytes(const void *data, size_t size, uint32_t width, uint32_t height)
{
	struct bytes_reader r = bytes_reader_of(data, size);
	struct frame frame = {0};
	(void)read_be16(&r); /* start of image marker */
	while (!r.failed) {
		const uint32_t marker = read_be16(&r), length = read_be16(&r);
		const size_t next = r.at + length - 2;
		if (marker == 0xffda) { /* start of the first scan, and its number of components */
			bool interleaved = bytes_read_u8(&r) == frame.components;
			bool same_frame = frame.width == width && frame.height == height;
			bool single_scan = interleaved && !frame.progressive;
			return r.failed || single_scan || !same_frame ? 0 : frame_bytes(&frame);
		}
		if (marker >> 8 != 0xff || length < 2 || next > size) {
			return 0;
		}
		if (is_sof((uint8_t)marker)) {
			frame_read(&r, (uint8_t)marker, &frame);
		}
		r.at = next;
	}
	return 0;
}

/* Allocates the pixels, if there is memory for the coefficients too. The probe allocates and frees
 * them: a limit on the address space then fails here and not inside the library. */
static int alloc_pixels(const void *data, size_t size, uint32_t width, uint32_t height,
	uint32_t channels, struct image *ret_image, struct error *err)
{
	owned_image struct image image = {0};
	const uint64_t coefficients = coefficient_bytes(data, size, width, height);
	const uint64_t pixels = (uint64_t)width * height * channels;
	int r = image_new(width, height, channels, &image, err);
	void *volatile probe = r == 0 && coefficients ? malloc((size_t)coefficients) : NULL;
	r = r == 0 && coefficients && !probe ? -ENOMEM : r;
	free(probe);
	if (r == -ENOMEM && coefficients) {
		return error_set(err, -ENOMEM,
			"JPEG: no memory for %ux%u pixels, %llu MiB: %llu MiB of it as it comes in "
			"several scans (progressive)",
			width, height, (unsigned long long)((coefficients + pixels) >> 20) + 1,
			(unsigned long long)(coefficients >> 20) + 1);
	}
	if (r < 0) {
		error_prefix(err, "JPEG");
		return r;
	}
	*ret_image = image;
	image = (struct image){0};
	return 0;
}

/* Returns -1 on an error, possibly only a warning. The limit on scans bounds the time for a
 * small progressive file. */
static int pixels_read(tjhandle handle, const void *data, size_t size, struct image *image)
{
	const int pitch = 0, format = image->channels == 1 ? TJPF_GRAY : TJPF_RGB;
	return tjDecompress2(handle, data, (unsigned long)size, image->pixels, (int)image->width,
		pitch, (int)image->height, format, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS);
}

/* Decodes again with an end marker appended. Some cameras omit it; the library then reports
 * whether anything else is missing. */
static int decode_with_eoi(tjhandle handle, const void *data, size_t size, struct image *image)
{
	owned_mem uint8_t *copy = malloc(size + 2);
	if (!copy) {
		return -ENOMEM;
	}
	memcpy(copy, data, size);
	memcpy(copy + size, "\xff\xd9", 2);
	return pixels_read(handle, copy, size + 2, image);
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
		return set_tj_error(handle, err);
	}
	if (width <= 0 || height <= 0) {
		return error_set(err, -EBADMSG, "JPEG: no frame header");
	}
	if (colours == TJCS_CMYK || colours == TJCS_YCCK) {
		return error_set(err, -EOPNOTSUPP, "JPEG: CMYK is not supported");
	}
	uint32_t channels = colours == TJCS_GRAY ? 1 : 3;
	int r = alloc_pixels(data, size, (uint32_t)width, (uint32_t)height, channels, &image, err);
	if (r < 0) {
		return r;
	}
	memset(image.pixels, 0, (size_t)width * (size_t)height * channels);
	r = pixels_read(handle, data, size, &image);
	if (is_warned(handle, r, "Premature end of JPEG file")) {
		r = decode_with_eoi(handle, data, size, &image);
	}
	if (is_warned(handle, r, "Corrupt JPEG data: premature end of data segment")) {
		return error_set(
			err, -EBADMSG, "JPEG: the data of the picture are cut off or damaged");
	}
	if (r == -ENOMEM || (r < 0 && is_out_of_memory(handle))) {
		return error_set(
			err, -ENOMEM, "JPEG: no memory to decode %dx%d pixels", width, height);
	}
	if (r < 0 && tjGetErrorCode(handle) != TJERR_WARNING) {
		return set_tj_error(handle, err);
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
	/* grows as needed: the worst case is as large as the pixels */
	owned_mem unsigned char *data = NULL;
	if (!handle) {
		return error_no_memory(err);
	}
	if (tjCompress2(handle, image->pixels, width, 0, height, grey ? TJPF_GRAY : TJPF_RGB, &data,
		    &size, sampling, QUALITY, 0) < 0) {
		return error_set(err, is_out_of_memory(handle) ? -ENOMEM : -EIO, "JPEG: %s",
			tjGetErrorStr2(handle));
	}
	unsigned char *small = realloc(data, size);
	data = small ? small : data;
	*ret_data = take(data);
	*ret_size = size;
	return 0;
}
