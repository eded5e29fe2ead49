/* SPDX-License-Identifier: Apache-2.0 */
/* Windows bitmaps without compression: 1, 4 and 8 bits with a palette, 24 and 32 bits. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "client/media/image.h"

#define FILE_HEADER 14
#define BI_RGB 0
#define BI_BITFIELDS 3

struct bmp {
	const uint8_t *data;
	size_t size;
	uint32_t pixels_at, header_bytes, compression, colours;
	uint32_t width, height, bits;
	bool top_down;
	uint8_t palette[256][3];
	bool grey; /* every palette entry has red = green = blue */
};

static int read_header(struct bmp *b, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(b->data, b->size);
	bytes_read(&r, 10);
	b->pixels_at = bytes_read_u32(&r);
	b->header_bytes = bytes_read_u32(&r);
	int32_t width = (int32_t)bytes_read_u32(&r), height = (int32_t)bytes_read_u32(&r);
	bytes_read_u16(&r); /* planes */
	b->bits = bytes_read_u16(&r);
	b->compression = bytes_read_u32(&r);
	bytes_read(&r, 12); /* size of the pixel data, pixels per metre */
	b->colours = bytes_read_u32(&r);
	bytes_read_u32(&r); /* number of important colours */
	if (r.failed || b->header_bytes < 40) {
		return error_set(err, -EBADMSG, "BMP: header of %u bytes", b->header_bytes);
	}
	if (width <= 0 || height == 0 || height == INT32_MIN) {
		return error_set(err, -EBADMSG, "BMP: %dx%d pixels", (int)width, (int)height);
	}
	b->top_down = height < 0;
	b->width = (uint32_t)width;
	b->height = (uint32_t)(b->top_down ? -height : height);
	return 0;
}

static int check_form(const struct bmp *b, struct error *err)
{
	/* The masks of BI_BITFIELDS follow the 40 bytes; only the order blue, green, red is
	 * supported. */
	static const uint8_t masks[12] = {0, 0, 0xff, 0, 0, 0xff, 0, 0, 0xff, 0, 0, 0};
	bool fields = b->compression == BI_BITFIELDS && b->bits == 32 &&
		b->size >= FILE_HEADER + 40 + 12 &&
		memcmp(b->data + FILE_HEADER + 40, masks, sizeof(masks)) == 0;
	if (b->compression != BI_RGB && !fields) {
		return error_set(
			err, -EOPNOTSUPP, "BMP: compression %u is not read here", b->compression);
	}
	if (b->bits != 1 && b->bits != 4 && b->bits != 8 && b->bits != 24 && b->bits != 32) {
		return error_set(
			err, -EOPNOTSUPP, "BMP: %u bits a pixel are not read here", b->bits);
	}
	return 0;
}

/* Entries missing in the file stay black. */
static int read_palette(struct bmp *b, struct error *err)
{
	uint32_t n = b->colours ? b->colours : 1u << b->bits;
	uint64_t at = (uint64_t)FILE_HEADER + b->header_bytes;
	if (n > 1u << b->bits) {
		return error_set(err, -EBADMSG, "BMP: %u colours for %u bits", n, b->bits);
	}
	if (at + 4 * (uint64_t)n > b->size) {
		return error_set(err, -EBADMSG, "BMP: palette beyond the end of the file");
	}
	b->grey = true;
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *bgr = b->data + at + 4 * (size_t)i;
		b->palette[i][0] = bgr[2];
		b->palette[i][1] = bgr[1];
		b->palette[i][2] = bgr[0];
		b->grey &= bgr[0] == bgr[1] && bgr[1] == bgr[2];
	}
	return 0;
}

static void palette_row(const struct bmp *b, const uint8_t *row, uint8_t *out)
{
	uint32_t per_byte = 8 / b->bits, mask = (1u << b->bits) - 1;
	for (uint32_t x = 0; x < b->width; x++) {
		uint32_t shift = 8 - b->bits * (x % per_byte + 1);
		const uint8_t *rgb = b->palette[row[x / per_byte] >> shift & mask];
		if (b->grey) {
			*out++ = rgb[0];
		} else {
			memcpy(out, rgb, 3);
			out += 3;
		}
	}
}

static void colour_row(const struct bmp *b, const uint8_t *row, uint8_t *out)
{
	for (uint32_t x = 0; x < b->width; x++, row += b->bits / 8) {
		*out++ = row[2];
		*out++ = row[1];
		*out++ = row[0];
	}
}

int image_bmp_decode(const void *data, size_t size, struct image *ret_image, struct error *err)
{
	struct bmp b = {.data = data, .size = size};
	struct image image = {0};
	int r = read_header(&b, err);
	r = r < 0 ? r : check_form(&b, err);
	r = r < 0 || b.bits > 8 ? r : read_palette(&b, err);
	if (r < 0) {
		return r;
	}
	uint64_t stride = ((uint64_t)b.width * b.bits + 31) / 32 * 4;
	if (b.pixels_at > size || stride * b.height > size - b.pixels_at) {
		return error_set(err, -EBADMSG, "BMP: pixels beyond the end of the file");
	}
	r = image_new(b.width, b.height, b.grey ? 1 : 3, &image, err);
	if (r < 0) {
		error_prefix(err, "BMP");
		return r;
	}
	for (uint32_t y = 0; y < b.height; y++) {
		uint32_t from = b.top_down ? y : b.height - 1 - y;
		const uint8_t *row = b.data + b.pixels_at + (size_t)stride * from;
		uint8_t *out = image.pixels + (size_t)y * b.width * image.channels;
		if (b.bits <= 8) {
			palette_row(&b, row, out);
		} else {
			colour_row(&b, row, out);
		}
	}
	*ret_image = image;
	return 0;
}
