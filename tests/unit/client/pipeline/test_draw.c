/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "client/pipeline/draw.h"

static const uint8_t red[3] = {255, 0, 0};

static struct image black(uint32_t width, uint32_t height)
{
	struct image image = {0};
	assert_int_equal(image_new(width, height, 3, &image, NULL), 0);
	memset(image.pixels, 0, (size_t)width * height * 3);
	return image;
}

/* '#' where there is something. */
static void check(const struct image *image, const char *const *rows)
{
	for (uint32_t y = 0; y < image->height; y++) {
		for (uint32_t x = 0; x < image->width; x++) {
			const uint8_t *p = image->pixels + ((size_t)y * image->width + x) * 3;
			bool drawn = (p[0] | p[1] | p[2]) != 0;
			if (drawn != (rows[y][x] == '#')) {
				fail_msg("pixel %u %u", x, y);
			}
		}
	}
}

static void a_box_is_its_outline(void **state)
{
	(void)state;
	owned_image struct image image = black(7, 5);
	draw_box(&image, 1, 1, 6, 4, 1, red);
	check(&image, (const char *const[]){"       ", " ##### ", " #   # ", " ##### ", "       "});
}

static void a_letter_is_made_of_dots(void **state)
{
	(void)state;
	owned_image struct image image = black(11, 8);
	assert_int_equal(draw_text(&image, 0, 0, 1, "T1", red), 12);
	check(&image,
		(const char *const[]){"#####   #  ", "  #    ##  ", "  #     #  ", "  #     #  ",
			"  #     #  ", "  #     #  ", "  #    ### ", "           "});
}

static void capitals_stand_for_all_letters_and_other_signs_are_boxes(void **state)
{
	(void)state;
	owned_image struct image a = black(6, 8), b = black(6, 8), c = black(6, 8), d = black(6, 8);
	draw_text(&a, 0, 0, 1, "k", red);
	draw_text(&b, 0, 0, 1, "K", red);
	assert_memory_equal(a.pixels, b.pixels, 6 * 8 * 3);
	assert_int_equal(draw_text(&c, 0, 0, 1, "\xc3\xa4", red), 6);
	draw_text(&d, 0, 0, 1, "@", red);
	assert_memory_equal(c.pixels, d.pixels, 6 * 8 * 3);
}

static void what_lies_outside_is_not_drawn(void **state)
{
	(void)state;
	owned_image struct image image = black(4, 4);
	draw_box(&image, -100, -100, 100, 100, 1, red);
	draw_text(&image, -80, 2, 3, "MMMM", red);
	draw_text(&image, 100, -200, 1, "M", red);
	draw_fill(&image, 3, 3, 1, 1, red);
	check(&image, (const char *const[]){"    ", "    ", "    ", "    "});
}

static void findings_anywhere_are_drawn_without_harm(void **state)
{
	(void)state;
	static const double places[] = {-1e300, -1, 0, 0.5, 1, 1e300, INFINITY, NAN};
	owned_image struct image image = {0};
	struct findings f = {0};
	assert_int_equal(image_new(16, 16, 1, &image, NULL), 0);
	memset(image.pixels, 0, 256);
	f.points = calloc(8, sizeof(f.points[0]));
	f.n_points = 8;
	assert_non_null(f.points);
	for (size_t i = 0; i < 8; i++) {
		f.points[i] = (struct finding_point){places[i], places[7 - i], 1};
		*findings_add(&f) = (struct finding){.label = i % 2 ? "x" : NULL,
			.index = i,
			.has_box = i != 3,
			.x1 = places[i],
			.y1 = places[(i + 3) % 8],
			.x2 = places[(i + 5) % 8],
			.y2 = places[(i + 1) % 8],
			.first_point = i,
			.n_points = 1};
	}
	assert_int_equal(draw_findings(&image, &f, 0, NULL, NULL), 0);
	assert_int_equal(image.channels, 3);
	findings_free(&f);
}

static void a_mask_colours_all_but_class_0(void **state)
{
	(void)state;
	owned_image struct image image = black(4, 2);
	uint8_t classes[2] = {0, 5};
	struct findings f = {.mask = {classes, 2, 1}};
	assert_int_equal(draw_findings(&image, &f, 0, NULL, NULL), 0);
	check(&image, (const char *const[]){"  ##", "  ##"});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_box_is_its_outline),
		cmocka_unit_test(a_letter_is_made_of_dots),
		cmocka_unit_test(capitals_stand_for_all_letters_and_other_signs_are_boxes),
		cmocka_unit_test(what_lies_outside_is_not_drawn),
		cmocka_unit_test(findings_anywhere_are_drawn_without_harm),
		cmocka_unit_test(a_mask_colours_all_but_class_0),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
