/* SPDX-License-Identifier: Apache-2.0 */
/* Anchors from scales: rows by hand from the definition, and those that files of models have. The files lie
 * beside the source tree; without them the test skips, and says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "client/pipeline/anchors.h"
#include "client/pipeline/pipeline.h"
#include "engine/model/model.h"
#include "engine/operators.h"
#include "tests/unit/client/pipeline/float_models.h"

#define NETS "../shared/golden/nets/"
#define EXIT_SKIPPED 77 /* as meson reads it */

struct made {
	double *rows;
	size_t n;
};

static void made_free(struct made *made)
{
	free(made->rows);
}

#define owned_made __attribute__((cleanup(made_free)))

/* The keys as a file of @text in [post] has them. */
static struct pipeline_config_post_keys keys_of(const char *text)
{
	char all[512];
	struct error err = {0};
	owned_mem struct pipeline_config *config = NULL;
	int n = snprintf(all, sizeof(all), "[model]\nname = m\n[post]\nkind = ssd\n%s", text);
	FILE *file = fmemopen(all, (size_t)n, "r");
	assert_non_null(file);
	if (pipeline_config_read(file, "a.conf", &config, &err) < 0) {
		fail_msg("%s", err.text);
	}
	fclose(file);
	return config->stages[0].post;
}

static struct made make(const char *text, uint32_t width, uint32_t height)
{
	const struct pipeline_config_post_keys keys = keys_of(text);
	struct made made = {0};
	struct error err = {0};
	if (anchors_make(&keys, width, height, &made.rows, &made.n, &err) < 0) {
		fail_msg("%s", err.text);
	}
	return made;
}

static void assert_row(const struct made *made, size_t row, double y, double x, double h, double w)
{
	const double wanted[4] = {y, x, h, w};
	assert_true(row < made->n);
	for (size_t i = 0; i < 4; i++) {
		double got = made->rows[4 * row + i];
		if (!(fabs(got - wanted[i]) < 1e-8)) {
			fail_msg("row %zu has %.9f at %zu, not %.9f", row, got, i, wanted[i]);
		}
	}
}

/* 19, 10, 5, 3, 2 and 1 cells across. */
static void without_keys_they_are_those_of_ssd_mobilenet(void **state)
{
	(void)state;
	owned_made struct made made = make("", 300, 300);
	assert_int_equal(made.n, 1917);
	assert_row(&made, 0, 0.026315789, 0.026315789, 0.1, 0.1);
	assert_row(&made, 1, 0.026315789, 0.026315789, 0.141421356, 0.282842712);
	assert_row(&made, 2, 0.026315789, 0.026315789, 0.282842712, 0.141421356);
	assert_row(&made, 3, 0.026315789, 0.078947368, 0.1, 0.1);
	assert_row(&made, 1082, 0.973684211, 0.973684211, 0.282842712, 0.141421356);
	assert_row(&made, 1083, 0.05, 0.05, 0.35, 0.35);
	assert_row(&made, 1084, 0.05, 0.05, 0.247487373, 0.494974747);
	assert_row(&made, 1087, 0.05, 0.05, 0.606248096, 0.202062490);
	assert_row(&made, 1088, 0.05, 0.05, 0.418330013, 0.418330013);
	assert_row(&made, 1683, 0.1, 0.1, 0.5, 0.5);
	assert_row(&made, 1911, 0.5, 0.5, 0.95, 0.95);
	assert_row(&made, 1915, 0.5, 0.5, 1.645530546, 0.548455331);
	assert_row(&made, 1916, 0.5, 0.5, 0.974679434, 0.974679434);
}

static void scales_are_shares_of_the_shorter_side(void **state)
{
	(void)state;
	owned_made struct made made = make("", 320, 240);
	assert_int_equal(made.n, 1554);
	assert_row(&made, 1, 0.033333333, 0.025, 0.141421356, 0.212132034);
	owned_made struct made turned = make("", 240, 320);
	assert_int_equal(turned.n, 1554);
	assert_row(&turned, 1, 0.025, 0.033333333, 0.106066017, 0.282842712);
}

static void one_layer_has_the_least_scale(void **state)
{
	(void)state;
	owned_made struct made made = make("anchor-layers = 1\nanchor-scales = 0.25,0.9\n"
					   "anchor-lowest = full\nanchor-ratios = 4\n",
		17, 16);
	assert_int_equal(made.n, 4);
	assert_row(&made, 0, 0.5, 0.25, 0.125, 0.470588235);
	assert_row(&made, 3, 0.5, 0.75, 0.5, 0.470588235); /* up to 1, the scale behind the last */
}

static void an_input_without_pixels_or_with_too_many_has_none(void **state)
{
	(void)state;
	const struct pipeline_config_post_keys keys = keys_of("anchor-stride = 1\n");
	struct made made = {0};
	struct error err = {0};
	assert_int_equal(anchors_make(&keys, 0, 300, &made.rows, &made.n, &err), -EINVAL);
	assert_int_equal(anchors_make(&keys, 1024, 1024, &made.rows, &made.n, &err), -EINVAL);
	assert_string_equal(err.text, "no anchors of an input of 1024 x 1024 pixels");
	assert_null(made.rows);
}

/* Of its only TFLite_Detection_PostProcess. */
static const struct tensor *anchors_of(const struct model *model)
{
	const struct subgraph *graph = &model_graph(model)->subgraphs[0];
	for (uint32_t i = 0; i < graph->n_nodes; i++) {
		if (graph->nodes[i].op == OP_TFLITE_DETECTION_POSTPROCESS) {
			return &graph->tensors[graph->nodes[i].inputs[2]];
		}
	}
	fail_msg("the model has no TFLite_Detection_PostProcess");
	return NULL;
}

static struct model *model_at(const char *path)
{
	struct model *model = NULL;
	struct error err = {0};
	owned_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || model_open_fd(fd, NULL, &model, &err) < 0) {
		fail_msg("%s: %s", path, err.text);
	}
	return model;
}

static void rows_are_those_of_the_models(void **state)
{
	(void)state;
	if (access(NETS, R_OK) != 0) {
		print_message("SKIPPED: no " NETS ", so no rows of models\n");
		return;
	}
	static const char *const nets[] = {"ssd__f32", "ssd__dyn", "ssd__i8f", "ssd__u8"};
	owned_made struct made made =
		make("anchor-layers = 2\nanchor-stride = 4\nanchor-scales = 0.25,0.5\n"
		     "anchor-ratios = 1,2\nanchor-interpolated = 0\nanchor-lowest = full\n",
			32, 32);
	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
		char path[128];
		snprintf(path, sizeof(path), NETS "%s/model.tflite", nets[i]);
		owned(model_free) struct model *model = model_at(path);
		const struct tensor *anchors = anchors_of(model);
		assert_int_equal(anchors->data_bytes, 4 * made.n * sizeof(float));
		for (size_t k = 0; k < 4 * made.n; k++) {
			float wanted = 0;
			memcpy(&wanted, anchors->data + k * sizeof(float), sizeof(float));
			if (!(fabs(made.rows[k] - (double)wanted) < 1e-4)) {
				fail_msg("%s: row %zu has %.9f at %zu, the model %.9f", nets[i],
					k / 4, made.rows[k], k % 4, (double)wanted);
			}
		}
	}
}

/* ---- in a pipeline */

#define BOXES 6

/* A model of a picture of 32 x 16 pixels, with BOXES boxes of two classes. */
static int describe(void *context, const char *name, const char *signature,
	struct pipeline_model *ret_model, struct error *err)
{
	(void)context;
	(void)name;
	(void)signature;
	(void)err;
	*ret_model = float_model((struct shape){4, {1, 16, 32, 3}}, 2);
	ret_model->outputs[0].shape = (struct shape){3, {1, BOXES, 4}};
	ret_model->outputs[1].shape = (struct shape){3, {1, BOXES, 2}};
	return 0;
}

static void hear(void *context, const struct pipeline_result *result)
{
	char *told = context;
	const char *from = strstr(result->json, "\"box_norm\":");
	from = from ? from : strstr(result->json, "\"error\":");
	snprintf(told, 128, "%.*s", from ? (int)strcspn(from, "]}") : 0, from ? from : "");
}

/* Every box is its anchor; the fifth one is found. */
static void asked(const char *text, char told[128])
{
	static const float pixels[16 * 32 * 3];
	float places[BOXES * 4] = {0}, scores[BOXES * 2] = {[9] = 1};
	struct tensor_bytes outs[2] = {{0}};
	float_output(&outs[0], (struct shape){3, {1, BOXES, 4}}, places);
	float_output(&outs[1], (struct shape){3, {1, BOXES, 2}}, scores);
	const struct pipeline_models models = {.describe = describe};
	const struct pipeline_sink sink = {.result = hear, .context = told};
	owned(pipeline_close) struct pipeline *p = NULL;
	struct error err = {0};
	if (pipeline_open_text("t.conf", text, strlen(text), &models, &sink, &p, &err) < 0) {
		fail_msg("%s", err.text);
	}
	const struct pipeline_input input = {
		.data = pixels, .size = sizeof(pixels), .content_type = "application/octet-stream"};
	assert_int_equal(pipeline_push(p, &input, NULL), 0);
	int r = pipeline_answer(p, pipeline_next(p), outs, 2, &err);
	assert_int_equal(r, strstr(told, "error") ? -EBADMSG : 0);
	tensor_free(&outs[0]);
	tensor_free(&outs[1]);
}

#define SSD                                                                                        \
	"[source]\nkind = tensor\n[model]\nname = m\n[post]\nkind = ssd\nthreshold = 0.5\n"        \
	"anchor-layers = 1\n"

static void boxes_are_laid_around_anchors_of_the_models_picture(void **state)
{
	(void)state;
	char told[128] = "";
	asked(SSD, told);
	assert_string_equal(told, "\"box_norm\":[0.6792893,0.4292893,0.8207107,0.5707107");
}

static void another_number_of_boxes_is_told(void **state)
{
	(void)state;
	char told[128] = "";
	asked(SSD "anchor-lowest = full\n", told);
	assert_non_null(strstr(told, "24 numbers of boxes and 12 of scores for 12 anchors"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_keys_they_are_those_of_ssd_mobilenet),
		cmocka_unit_test(scales_are_shares_of_the_shorter_side),
		cmocka_unit_test(one_layer_has_the_least_scale),
		cmocka_unit_test(an_input_without_pixels_or_with_too_many_has_none),
		cmocka_unit_test(rows_are_those_of_the_models),
		cmocka_unit_test(boxes_are_laid_around_anchors_of_the_models_picture),
		cmocka_unit_test(another_number_of_boxes_is_told),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	return failed == 0 && access(NETS, R_OK) != 0 ? EXIT_SKIPPED : failed;
}
