/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "client/media/image.h"
#include "client/pipeline/pipeline.h"
#include "tests/unit/client/pipeline/float_models.h"

#define SIDE 128

/* "boxes" finds one in the right lower quarter of any picture, "class" finds class 3 in what it sees. */
static int describe(void *context, const char *model, const char *signature,
	struct pipeline_model *ret_model, struct error *err)
{
	(void)context;
	(void)signature;
	(void)err;
	bool boxes = strcmp(model, "boxes") == 0;
	struct pipeline_model m = float_model((struct shape){4, {1, 4, 4, 3}}, boxes ? 4 : 1);
	for (uint32_t i = 0; i < m.n_outputs; i++) {
		m.outputs[i].shape = (struct shape){2, {1, 4}};
	}
	*ret_model = m;
	return 0;
}

static int run(void *context, const struct pipeline_question *q, struct tensor_bytes *outputs,
	uint32_t n_outputs, struct error *err)
{
	(void)context;
	(void)n_outputs;
	(void)err;
	if (strcmp(q->model, "class") == 0) {
		float_output(&outputs[0], (struct shape){2, {1, 4}}, (const float[]){0, 0, 0, 1});
		return 0;
	}
	float_output(&outputs[0], (struct shape){3, {1, 1, 4}}, (const float[]){0.5f, 0.5f, 1, 1});
	float_output(&outputs[1], (struct shape){2, {1, 1}}, (const float[]){0});
	float_output(&outputs[2], (struct shape){2, {1, 1}}, (const float[]){0.9f});
	float_output(&outputs[3], (struct shape){1, {1}}, (const float[]){1});
	return 0;
}

#define BOXES "[model]\nname = boxes\n[post]\nkind = detections\n"
#define CLASS(input) "[stage s]\ninput = " input "\n[model]\nname = class\n[post]\ntop-k = 1\n"

static int draw(const char *text, const char *input, size_t bytes, struct image *ret_image)
{
	const struct pipeline_models models = {.describe = describe, .run = run};
	owned(pipeline_close) struct pipeline *p = NULL;
	const struct pipeline_input in = {.data = input, .size = bytes};
	owned_mem void *png = NULL, *again = NULL;
	size_t size = 0;
	assert_int_equal(
		pipeline_open_text("t.conf", text, strlen(text), &models, NULL, &p, NULL), 0);
	pipeline_want_drawing(p);
	assert_int_equal(pipeline_run(p, &in, NULL), 0);
	assert_int_equal(pipeline_drawing(p, &png, &size, NULL), 0);
	assert_int_equal(pipeline_drawing(p, &again, &bytes, NULL), 0);
	assert_null(again);
	return png ? image_png_decode(png, size, ret_image, NULL) : -ENOENT;
}

static struct image drawn(const char *text)
{
	static char picture[SIDE * SIDE + 20];
	struct image image = {0};
	int n = sprintf(picture, "P5\n%d %d\n255\n", SIDE, SIDE);
	assert_int_equal(draw(text, picture, (size_t)n + SIDE * SIDE, &image), 0);
	assert_true(image.width == SIDE && image.height == SIDE && image.channels == 3);
	return image;
}

static size_t painted(const struct image *image, uint32_t x, uint32_t y)
{
	size_t n = 0;
	for (uint32_t row = y; row < y + SIDE / 2; row++) {
		for (uint32_t column = x; column < x + SIDE / 2; column++) {
			const uint8_t *pixel = image->pixels + (row * SIDE + column) * 3;
			n += pixel[0] || pixel[1] || pixel[2];
		}
	}
	return n;
}

static void boxes_of_the_first_stage_stay_when_another_looks_at_them(void **state)
{
	(void)state;
	owned_image struct image one = drawn(BOXES), both = drawn(BOXES CLASS("crop"));
	const size_t half = SIDE / 2;
	/* The label of the box stands above it, that of its class inside of it. */
	assert_true(painted(&one, half, 0) > 0 && painted(&one, half, half) >= 4 * half);
	assert_int_equal(painted(&both, half, 0), painted(&one, half, 0));
	assert_true(painted(&both, half, half) > painted(&one, half, half));
	assert_int_equal(painted(&both, 0, 0), 0);
	assert_int_equal(painted(&both, 0, half), 0);
}

static void classes_of_several_stages_stand_below_each_other(void **state)
{
	(void)state;
	owned_image struct image one = drawn("[model]\nname = class\n[post]\ntop-k = 1\n");
	owned_image struct image two =
		drawn("[model]\nname = class\n[post]\ntop-k = 1\n" CLASS("whole"));
	assert_true(painted(&one, 0, 0) > 0);
	assert_int_equal(painted(&two, 0, 0), 2 * painted(&one, 0, 0));
}

static void what_is_no_picture_has_no_drawing(void **state)
{
	(void)state;
	struct image none = {0};
	static char zeros[192];
	assert_int_equal(draw("[source]\nkind = tensor\n[model]\nname = class\n", zeros,
				 sizeof(zeros), &none),
		-ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boxes_of_the_first_stage_stay_when_another_looks_at_them),
		cmocka_unit_test(classes_of_several_stages_stand_below_each_other),
		cmocka_unit_test(what_is_no_picture_has_no_drawing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
