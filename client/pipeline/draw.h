/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draw - what was found, painted into a picture
 *
 * A font of 5 x 7 dots, drawn for this file: letters as capitals, digits, some signs; what it does not
 * have is a box.
 */
#ifndef CLIENT_PIPELINE_DRAW_H
#define CLIENT_PIPELINE_DRAW_H

#include "client/pipeline/findings.h"
#include "client/pipeline/image.h"

#define DRAW_GLYPH_WIDTH 6 /* with the gap */
#define DRAW_GLYPH_HEIGHT 8

/* Colours of classes, far from each other. @ret_rgb: 3 bytes. */
void draw_colour(size_t index, uint8_t *ret_rgb);

/* The outline of a rectangle of @thick pixels inwards; what lies outside of the picture is not drawn.
 * The picture has 3 channels. */
void draw_box(struct image *image, int64_t left, int64_t top, int64_t right, int64_t bottom,
	uint32_t thick, const uint8_t *rgb);

/* A filled rectangle; right and bottom do not belong to it. */
void draw_fill(struct image *image, int64_t left, int64_t top, int64_t right, int64_t bottom,
	const uint8_t *rgb);

/* Dots of @scale pixels. Bytes of UTF-8 beyond ASCII count as one sign together. Returns the width. */
int64_t draw_text(struct image *image, int64_t x, int64_t y, uint32_t scale, const char *text,
	const uint8_t *rgb);

/* Of the text of a picture of that size. */
int64_t draw_line_height(const struct image *image);

/* Where classes without a place are listed: pixels. */
struct draw_list {
	int64_t x, y;
};

/*
 * Boxes with label and score, key points above @point_threshold, a mask's classes but 0 as colour over
 * the picture; classes without boxes are listed from @list on, NULL: at the top. Places are shares of the
 * picture, which becomes RGB. -ENOMEM.
 */
int must_check draw_findings(struct image *image, const struct findings *findings,
	double point_threshold, const struct draw_list *list, struct error *err);

#endif
