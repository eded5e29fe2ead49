/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draw - draws findings into an image
 *
 * The font has 5 x 7 dots and was drawn for this file: capital letters, digits and some signs. Any
 * other character is drawn as a box.
 */
#ifndef CLIENT_PIPELINE_DRAW_H
#define CLIENT_PIPELINE_DRAW_H

#include "client/media/image.h"
#include "client/pipeline/findings.h"

#define DRAW_GLYPH_WIDTH 6 /* includes the gap */
#define DRAW_GLYPH_HEIGHT 8

/* Sets @ret_rgb, 3 bytes, to the colour of class @index. Neighbouring classes get distinct
 * colours. */
void draw_colour(size_t index, uint8_t *ret_rgb);

/* Draws a rectangle's outline, @thick pixels inwards, clipped to the image. The image has 3
 * channels. */
void draw_box(struct image *image, int64_t left, int64_t top, int64_t right, int64_t bottom,
	uint32_t thick, const uint8_t *rgb);

/* Fills a rectangle. @right and @bottom are exclusive. */
void draw_fill(struct image *image, int64_t left, int64_t top, int64_t right, int64_t bottom,
	const uint8_t *rgb);

/* Draws text with dots of @scale pixels. Consecutive non-ASCII bytes are drawn as one character.
 * Returns the width in pixels. */
int64_t draw_text(struct image *image, int64_t x, int64_t y, uint32_t scale, const char *text,
	const uint8_t *rgb);

/* Returns the height of a text line in pixels, for an image of this size. */
int64_t draw_line_height(const struct image *image);

/* Position of the next line in the list of classes, in pixels. */
struct draw_list {
	int64_t x, y;
};

/*
 * Draws boxes with label and score, key points above @point_threshold, and a mask's classes except
 * 0 as a colour overlay. Classes without a box are listed from @list on; NULL: at the top.
 * Coordinates of findings are fractions of the image, which is converted to RGB. -ENOMEM.
 */
int must_check draw_findings(struct image *image, const struct findings *findings,
	double point_threshold, const struct draw_list *list, struct error *err);

#endif
