/* SPDX-License-Identifier: Apache-2.0 */
/* The door of libturbojpeg. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

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
	int r = image_new((uint32_t)width, (uint32_t)height, channels, &image, err);
	if (r < 0) {
		error_prefix(err, "JPEG");
		return r;
	}
	/* Decoding goes on past warnings (a photo that was cut short), so unset rows are black. A
	 * limit on scans keeps a small progressive file from costing minutes. */
	memset(image.pixels, 0, (size_t)width * (size_t)height * channels);
	r = tjDecompress2(handle, data, (unsigned long)size, image.pixels, width, 0, height,
		channels == 1 ? TJPF_GRAY : TJPF_RGB, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS);
	if (r < 0 && tjGetErrorCode(handle) != TJERR_WARNING) {
		return is_short_of_memory(handle)
			? error_set(err, -ENOMEM,
				  "JPEG: no memory for %dx%d pixels (a progressive one takes two "
				  "to three times as much)",
				  width, height)
			: refused(handle, err);
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
