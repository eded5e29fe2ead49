/* SPDX-License-Identifier: Apache-2.0 */
/* A part of a picture becomes a tensor where it lies: as if it were cut out, and without the copy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/media/preprocess.h"
#include "client/pipeline/pipeline.h"
#include "tests/unit/client/pipeline/float_models.h"
#include "tests/unit/memory.h"

static void a_part_becomes_what_it_would_cut_out(void **state)
{
	(void)state;
	static const struct image_part parts[] = {
		{0, 0, 17, 13}, {3, 2, 11, 7}, {16, 12, 1, 1}, {0, 5, 17, 8}};
	const struct tensor_spec spec = {.type = DTYPE_FLOAT32,
		.shape = {4, {1, 6, 4, 3}},
		.declared = {4, {1, 6, 4, 3}},
		.bytes = 288};
	owned_image struct image from = {0};
	assert_int_equal(image_new(17, 13, 3, &from, NULL), 0);
	for (uint32_t i = 0; i < 17 * 13 * 3; i++) {
		from.pixels[i] = (uint8_t)(i * i * 31 + i);
	}
	for (size_t i = 0; i < 3 * sizeof(parts) / sizeof(parts[0]); i++) {
		const struct image_part *p = &parts[i / 3];
		const struct preprocess_options options = {
			.resize = (enum preprocess_resize)(i % 3), .pad = 9};
		const struct image_part whole = {0, 0, p->width, p->height};
		owned_image struct image cut = {0};
		owned_tensor struct tensor_bytes wanted = {0}, got = {0};
		struct preprocess_frame of_cut = {0}, of_part = {0};
		assert_int_equal(image_crop(&from, p->x, p->y, p->width, p->height, &cut, NULL), 0);
		assert_int_equal(preprocess_image_part(
					 &spec, &options, &cut, &whole, &wanted, &of_cut, NULL),
			0);
		assert_int_equal(
			preprocess_image_part(&spec, &options, &from, p, &got, &of_part, NULL), 0);
		assert_memory_equal(got.data, wanted.data, 288);
		assert_memory_equal(&of_part, &of_cut, sizeof(of_cut));
	}
}

static int describe(void *context, const char *model, const char *signature,
	struct pipeline_model *ret_model, struct error *err)
{
	(void)context;
	(void)model;
	(void)signature;
	(void)err;
	*ret_model = float_model((struct shape){4, {1, 4, 4, 1}}, 1);
	ret_model->outputs[0].shape = (struct shape){2, {1, 2}};
	return 0;
}

static int crop_ask(const void *png, size_t size)
{
	static const char text[] = "[source]\nkind = picture\n[model]\nname = m\n"
				   "[pre]\ncrop = 0,0,1,0.99\nmean = 0\nstd = 1\n";
	const struct pipeline_models models = {.describe = describe};
	const struct pipeline_input input = {.data = png, .size = size};
	owned(pipeline_close) struct pipeline *p = NULL;
	const uint64_t before = memory_kb("VmPeak");
	if (pipeline_open_text("t.conf", text, strlen(text), &models, NULL, &p, NULL) < 0 ||
		pipeline_push(p, &input, NULL) < 0) {
		return 1;
	}
	const struct pipeline_question *q = pipeline_next(p);
	const float *pixels = q ? q->inputs[0].data : NULL;
	if (!pixels || pixels[0] != 77 || pixels[15] != 77) {
		return 2;
	}
	return memory_kb("VmPeak") - before > 50000 ? 3 : 0;
}

/* 33 million bytes of grey pixels, once, and little more; in a process of its own. */
static void a_crop_takes_no_memory_of_its_own(void **state)
{
	(void)state;
	owned_image struct image from = {0};
	owned_mem void *png = NULL;
	size_t size = 0;
	int status = 0;
	assert_int_equal(image_new(5500, 6000, 1, &from, NULL), 0);
	memset(from.pixels, 77, (size_t)33000000);
	assert_int_equal(image_png_encode(&from, &png, &size, NULL), 0);
	image_free(&from);
	pid_t child = fork();
	if (child == 0) {
		_exit(crop_ask(png, size));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_part_becomes_what_it_would_cut_out),
		cmocka_unit_test(a_crop_takes_no_memory_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
