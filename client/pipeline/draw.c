/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROWS 7
#define COLUMNS 5
#define N_COLOURS 8
#define LINE 160 /* bytes of a label with its score */

struct glyph {
	char sign;
	uint8_t rows[ROWS]; /* top to bottom; bit 4 is the left dot */
};

/* clang-format off */
static const struct glyph glyphs[] = {
	{'A', {0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11}},
	{'B', {0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e}},
	{'C', {0x0f, 0x10, 0x10, 0x10, 0x10, 0x10, 0x0f}},
	{'D', {0x1c, 0x12, 0x11, 0x11, 0x11, 0x12, 0x1c}},
	{'E', {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f}},
	{'F', {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10}},
	{'G', {0x0f, 0x10, 0x10, 0x13, 0x11, 0x11, 0x0f}},
	{'H', {0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11}},
	{'I', {0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e}},
	{'J', {0x07, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0c}},
	{'K', {0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11}},
	{'L', {0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f}},
	{'M', {0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11}},
	{'N', {0x11, 0x19, 0x19, 0x15, 0x13, 0x13, 0x11}},
	{'O', {0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e}},
	{'P', {0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10}},
	{'Q', {0x0e, 0x11, 0x11, 0x11, 0x15, 0x12, 0x0d}},
	{'R', {0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11}},
	{'S', {0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e}},
	{'T', {0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04}},
	{'U', {0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e}},
	{'V', {0x11, 0x11, 0x11, 0x11, 0x0a, 0x0a, 0x04}},
	{'W', {0x11, 0x11, 0x11, 0x15, 0x15, 0x1b, 0x11}},
	{'X', {0x11, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x11}},
	{'Y', {0x11, 0x11, 0x0a, 0x04, 0x04, 0x04, 0x04}},
	{'Z', {0x1f, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1f}},
	{'0', {0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e}},
	{'1', {0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e}},
	{'2', {0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f}},
	{'3', {0x1e, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x1e}},
	{'4', {0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02}},
	{'5', {0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e}},
	{'6', {0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e}},
	{'7', {0x1f, 0x01, 0x02, 0x02, 0x04, 0x04, 0x04}},
	{'8', {0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e}},
	{'9', {0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c}},
	{' ', {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
	{'.', {0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c}},
	{',', {0x00, 0x00, 0x00, 0x00, 0x04, 0x04, 0x08}},
	{'-', {0x00, 0x00, 0x00, 0x0e, 0x00, 0x00, 0x00}},
	{'_', {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1f}},
	{':', {0x00, 0x04, 0x04, 0x00, 0x04, 0x04, 0x00}},
	{'/', {0x01, 0x01, 0x02, 0x04, 0x08, 0x10, 0x10}},
	{'%', {0x19, 0x1a, 0x02, 0x04, 0x08, 0x0b, 0x13}},
	{'+', {0x00, 0x04, 0x04, 0x1f, 0x04, 0x04, 0x00}},
	{'(', {0x02, 0x04, 0x08, 0x08, 0x08, 0x04, 0x02}},
	{')', {0x08, 0x04, 0x02, 0x02, 0x02, 0x04, 0x08}},
	{'\'', {0x04, 0x04, 0x08, 0x00, 0x00, 0x00, 0x00}},
};
/* clang-format on */

static const struct glyph unknown = {0, {0x1f, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1f}};

void draw_colour(size_t index, uint8_t *ret_rgb)
{
	static const uint8_t colours[N_COLOURS][3] = {{230, 57, 70}, {42, 157, 143}, {244, 162, 97},
		{69, 123, 230}, {160, 90, 200}, {120, 190, 60}, {240, 200, 40}, {200, 80, 140}};
	memcpy(ret_rgb, colours[index % N_COLOURS], 3);
}

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
	return v < low ? low : v > high ? high : v;
}

void draw_fill(struct image *image, int64_t left, int64_t top, int64_t right, int64_t bottom,
	const uint8_t *rgb)
{
	left = clamp(left, 0, image->width);
	right = clamp(right, 0, image->width);
	top = clamp(top, 0, image->height);
	bottom = clamp(bottom, 0, image->height);
	for (int64_t y = top; y < bottom; y++) {
		for (int64_t x = left; x < right; x++) {
			memcpy(image->pixels + ((size_t)y * image->width + (size_t)x) * 3, rgb, 3);
		}
	}
}

void draw_box(struct image *image, int64_t left, int64_t top, int64_t right, int64_t bottom,
	uint32_t thick, const uint8_t *rgb)
{
	int64_t t = thick;
	draw_fill(image, left, top, right, top + t, rgb);
	draw_fill(image, left, bottom - t, right, bottom, rgb);
	draw_fill(image, left, top, left + t, bottom, rgb);
	draw_fill(image, right - t, top, right, bottom, rgb);
}

static const struct glyph *glyph_find(char sign)
{
	char capital = sign >= 'a' && sign <= 'z' ? (char)(sign - 'a' + 'A') : sign;
	for (size_t i = 0; i < sizeof(glyphs) / sizeof(glyphs[0]); i++) {
		if (glyphs[i].sign == capital) {
			return &glyphs[i];
		}
	}
	return &unknown;
}

static void glyph_draw(struct image *image, int64_t x, int64_t y, int64_t scale,
	const struct glyph *glyph, const uint8_t *rgb)
{
	for (int64_t row = 0; row < ROWS; row++) {
		for (int64_t column = 0; column < COLUMNS; column++) {
			if (glyph->rows[row] >> (COLUMNS - 1 - column) & 1) {
				draw_fill(image, x + column * scale, y + row * scale,
					x + (column + 1) * scale, y + (row + 1) * scale, rgb);
			}
		}
	}
}

int64_t draw_text(struct image *image, int64_t x, int64_t y, uint32_t scale, const char *text,
	const uint8_t *rgb)
{
	int64_t start = x;
	for (; *text; text++) {
		if (((unsigned char)*text & 0xc0) == 0x80) {
			continue; /* continuation byte of a UTF-8 character */
		}
		glyph_draw(image, x, y, scale, glyph_find(*text), rgb);
		x += DRAW_GLYPH_WIDTH * (int64_t)scale;
	}
	return x - start;
}

static int64_t text_width(uint32_t scale, const char *text)
{
	int64_t n = 0;
	for (; *text; text++) {
		n += ((unsigned char)*text & 0xc0) != 0x80;
	}
	return n * DRAW_GLYPH_WIDTH * scale;
}

/* Chooses black or white, whichever is readable on @rgb. */
static void ink_for(const uint8_t *rgb, uint8_t *ret_ink)
{
	uint32_t light = 299u * rgb[0] + 587u * rgb[1] + 114u * rgb[2];
	memset(ret_ink, light > 128000 ? 0 : 255, 3);
}

static void plate_draw(struct image *image, int64_t x, int64_t y, uint32_t scale, const char *text,
	const uint8_t *rgb)
{
	uint8_t ink[3];
	int64_t high = (DRAW_GLYPH_HEIGHT + 1) * (int64_t)scale;
	ink_for(rgb, ink);
	draw_fill(image, x, y, x + text_width(scale, text) + scale, y + high, rgb);
	draw_text(image, x + scale, y + scale, scale, text, ink);
}

static void label_of(const struct finding *one, char *out, size_t size)
{
	if (one->label) {
		snprintf(out, size, "%.120s %.2f", one->label, one->score);
	} else {
		snprintf(out, size, "%zu %.2f", one->index, one->score);
	}
}

/* Converts a fraction to pixels, limited to +-65536. */
static int64_t pixel_of(double share, uint32_t size)
{
	return (int64_t)fmin(fmax(round(share * size), -65536), 65536);
}

static void finding_draw(struct image *image, const struct findings *f, const struct finding *one,
	uint32_t scale, double point_threshold)
{
	uint8_t rgb[3];
	char text[LINE];
	uint32_t w = image->width, h = image->height;
	int64_t left = pixel_of(one->x1, w), top = pixel_of(one->y1, h);
	draw_colour(one->index, rgb);
	if (one->has_box) {
		int64_t high = (DRAW_GLYPH_HEIGHT + 1) * (int64_t)scale;
		draw_box(image, left, top, pixel_of(one->x2, w), pixel_of(one->y2, h), 2 * scale,
			rgb);
		label_of(one, text, sizeof(text));
		plate_draw(image, left > 0 ? left : 0,
			top >= high       ? top - high
				: top > 0 ? top
					  : 0,
			scale, text, rgb);
	}
	for (uint32_t k = 0; k < one->n_points; k++) {
		const struct finding_point *p = &f->points[one->first_point + k];
		int64_t x = pixel_of(p->x, w), y = pixel_of(p->y, h), r = 2 * (int64_t)scale;
		draw_colour(k, rgb);
		if (p->score >= point_threshold) {
			draw_fill(image, x - r, y - r, x + r + 1, y + r + 1, rgb);
		}
	}
}

/* Blends each class except 0 half transparently over the image. */
static void mask_draw(struct image *image, const struct findings_mask *mask)
{
	uint8_t rgb[3];
	for (uint32_t y = 0; y < image->height; y++) {
		size_t from = (size_t)((uint64_t)y * mask->height / image->height) * mask->width;
		for (uint32_t x = 0; x < image->width; x++) {
			uint8_t class = mask->classes[from +
				(size_t)((uint64_t)x * mask->width / image->width)];
			uint8_t *pixel = image->pixels + ((size_t)y * image->width + x) * 3;
			draw_colour(class, rgb);
			for (int c = 0; c < 3 && class; c++) {
				pixel[c] = (uint8_t)((pixel[c] + rgb[c]) / 2);
			}
		}
	}
}

static uint32_t scale_of(const struct image *image)
{
	return (image->width < image->height ? image->width : image->height) / 320 + 1;
}

int64_t draw_line_height(const struct image *image)
{
	return (DRAW_GLYPH_HEIGHT + 1) * (int64_t)scale_of(image);
}

int draw_findings(struct image *image, const struct findings *f, double point_threshold,
	const struct draw_list *list, struct error *err)
{
	uint32_t scale = scale_of(image);
	int64_t x = list ? list->x : 0, y = list ? list->y : 0;
	int r = image_set_channels(image, 3, err);
	if (r < 0) {
		return r;
	}
	if (f->mask.width) {
		mask_draw(image, &f->mask);
	}
	/* The best finding is drawn last, on top. */
	for (size_t i = f->n; i > 0; i--) {
		finding_draw(image, f, &f->items[i - 1], scale, point_threshold);
	}
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *one = &f->items[i];
		char text[LINE];
		uint8_t rgb[3];
		if (one->has_box || one->n_points) {
			continue;
		}
		draw_colour(one->index, rgb);
		label_of(one, text, sizeof(text));
		plate_draw(image, x, y, scale, text, rgb);
		y += draw_line_height(image);
	}
	return 0;
}
