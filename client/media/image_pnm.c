/* SPDX-License-Identifier: Apache-2.0 */
/* Netpbm: P2 and P3 (text), P5 and P6 (bytes), maximum value up to 65535. Source: pgm(5),
 * ppm(5). */
#include <errno.h>

#include "base/bytes.h"
#include "client/media/image.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

/* Returns the next byte outside of blanks and comments. At the end returns 0 and sets r->failed. */
static uint8_t next_byte(struct bytes_reader *r)
{
	uint8_t c = bytes_read_u8(r);
	while (!r->failed && (is_blank(c) || c == '#')) {
		while (c == '#' && !r->failed) {
			uint8_t in_comment = bytes_read_u8(r);
			c = in_comment == '\n' ? ' ' : '#';
		}
		c = bytes_read_u8(r);
	}
	return c;
}

/* Reads a decimal number and the byte after it. Sets r->failed if there is no number or it is
 * above 65535. */
static uint32_t read_number(struct bytes_reader *r)
{
	uint32_t value = 0, digits = 0;
	uint8_t c = next_byte(r);
	for (; c >= '0' && c <= '9' && value <= 65535; digits++) {
		value = 10 * value + (c - '0');
		if (r->at == r->size) { /* the last byte of the file may be a digit */
			return value;
		}
		c = bytes_read_u8(r);
	}
	r->failed |= digits == 0 || value > 65535 || !is_blank(c);
	return value;
}

static uint32_t read_sample(struct bytes_reader *r, bool text, uint32_t largest)
{
	if (text) {
		return read_number(r);
	}
	uint32_t high = bytes_read_u8(r);
	return largest < 256 ? high : high << 8 | bytes_read_u8(r);
}

static int read_samples(
	struct bytes_reader *r, bool text, uint32_t largest, struct image *image, struct error *err)
{
	size_t n = (size_t)image->width * image->height * image->channels;
	for (size_t i = 0; i < n; i++) {
		uint32_t v = read_sample(r, text, largest);
		if (r->failed) {
			return error_set(err, -EBADMSG, "PNM: %zu of %zu samples", i, n);
		}
		if (v > largest) {
			return error_set(
				err, -EBADMSG, "PNM: sample %zu is %u of %u", i, v, largest);
		}
		image->pixels[i] = (uint8_t)((v * 255 + largest / 2) / largest);
	}
	return 0;
}

int image_pnm_decode(const void *data, size_t size, struct image *ret_image, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(data, size);
	owned_image struct image image = {0};
	const uint8_t *magic = bytes_read(&r, 2);
	if (!magic || magic[0] != 'P' ||
		!(magic[1] == '2' || magic[1] == '3' || magic[1] == '5' || magic[1] == '6')) {
		return error_set(err, -EOPNOTSUPP, "PNM: only P2, P3, P5 and P6 are read here");
	}
	bool text = magic[1] < '5', colour = magic[1] == '3' || magic[1] == '6';
	uint32_t width = read_number(&r), height = read_number(&r), largest = read_number(&r);
	if (r.failed || largest == 0) {
		return error_set(err, -EBADMSG, "PNM: header");
	}
	/* Each sample takes at least one byte: a short file is refused before pixels are
	 * allocated. */
	uint64_t samples = (uint64_t)width * height * (colour ? 3 : 1);
	if (samples > size) {
		return error_set(
			err, -EBADMSG, "PNM: %ux%u pixels in %zu bytes", width, height, size);
	}
	int e = image_new(width, height, colour ? 3 : 1, &image, err);
	if (e == 0) {
		e = read_samples(&r, text, largest, &image, err);
	}
	if (e < 0) {
		return e;
	}
	*ret_image = image;
	image = (struct image){0};
	return 0;
}
