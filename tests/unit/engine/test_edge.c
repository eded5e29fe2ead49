/* SPDX-License-Identifier: Apache-2.0 */
/* The library's interface on real files. They lie beside the source tree; without them the tests
 * skip, and say so. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "backends/backends.h"
#include "engine/edge.h"

#define MODELS "../shared/models/"
#define DIGITS "packaging/models/digits.tflite"
#define SHAPE(...)                                                                                 \
	((struct shape){                                                                           \
		.rank = sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t), .dim = {__VA_ARGS__}})

static struct edge_options usual_options(void)
{
	return (struct edge_options){.backends = backends_builtin(), .cpu_features = ~0ull};
}

static struct edge_model *open_model(const char *path)
{
	const struct edge_options options = usual_options();
	struct edge_model *model = NULL;
	struct error err = {0};
	if (edge_model_open_file(path, &options, &model, &err) < 0) {
		fail_msg("%s: %s", path, err.text);
	}
	return model;
}

static void assert_text(struct text text, const char *expected)
{
	assert_int_equal(text.length, strlen(expected));
	assert_memory_equal(text.data, expected, text.length);
}

static void a_model_tells_what_it_is(void **state)
{
	(void)state;
	struct edge_tensor_info info;
	struct edge_node_info node;
	owned(edge_model_unref) struct edge_model *model =
		open_model(MODELS "mlperf_tiny/vww_96_int8.tflite");
	const struct edge_model_info *about = edge_model_info(model);
	assert_int_equal(about->n_signatures, 1);
	assert_int_equal(about->n_nodes, 31);
	assert_int_equal(edge_model_node_count(model), 31);
	assert_false(about->has_float);
	assert_false(about->has_state);
	/* 55,296 bytes are the two largest neighbours; the scratch of a kernel may stand beside them. */
	assert_in_range(about->arena_bytes, 55296, 55296 + 16384);
	assert_true(about->macs > 7000000);
	assert_int_equal(edge_model_input(model, 0, 0, &info), 0);
	assert_true(shape_equal(&info.shape, &SHAPE(1, 96, 96, 3)));
	assert_int_equal(info.bytes, 27648);
	assert_int_equal(info.type, DTYPE_INT8);
	assert_int_equal(info.zero_point, -128);
	assert_true(info.scale > 0.0039f && info.scale < 0.00393f);
	assert_true(isnan(info.score_threshold));
	assert_int_equal(edge_model_input(model, 0, 1, &info), -ENOENT);
	assert_int_equal(edge_model_input(model, 1, 0, &info), -ENOENT);
	assert_int_equal(edge_model_node(model, 0, 0, &node), 0);
	assert_string_equal(node.op, "CONV_2D");
	assert_true(shape_equal(&node.output, &SHAPE(1, 48, 48, 8)));
	assert_int_equal(edge_model_node(model, 0, 31, &node), -ENOENT);
}

static void every_budget_refuses_a_model(void **state)
{
	(void)state;
	static const struct edge_limits limits[] = {
		{.file_bytes = 1000},
		{.arena_bytes = 1000},
		{.macs = 1000},
		{.prepared_bytes = 1000},
		{.nodes = 1},
	};
	struct edge_options options = usual_options();
	struct edge_model *model = NULL;
	edge_model_unref(open_model(DIGITS));
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct error err = {0};
		options.limits = limits[i];
		assert_int_equal(edge_model_open_file(DIGITS, &options, &model, &err), -EFBIG);
		assert_int_equal(err.status, EDGE_TOO_LARGE);
		assert_true(err.text[0] != 0);
		assert_null(model);
	}
	assert_int_equal(edge_model_open_file(MODELS "none", &options, &model, NULL), -ENOENT);
	assert_null(model);
}

static void a_missing_operator_is_named_with_version_and_place(void **state)
{
	(void)state;
	const struct edge_options options = usual_options();
	struct edge_model *model = NULL;
	struct error err = {0};
	edge_model_unref(open_model(MODELS "litert/add_10x10.tflite"));
	assert_int_equal(
		edge_model_open_file(MODELS "edgetpu/mobilenet_v1_0.25_128_quant_edgetpu.tflite",
			&options, &model, &err),
		-EOPNOTSUPP);
	assert_int_equal(err.status, EDGE_UNSUPPORTED);
	assert_non_null(strstr(err.text, "subgraph 0, node 0 (CUSTOM edgetpu-custom-op v"));
	assert_null(model);
}

static void a_signature_has_its_own_names_and_order(void **state)
{
	(void)state;
	struct edge_signature_info signature;
	struct edge_tensor_info info;
	uint64_t bytes = 0;
	owned(edge_model_unref) struct edge_model *model =
		open_model(MODELS "litert/reverse_signature_model.tflite");
	owned(edge_session_free) struct edge_session *session = NULL;
	int index = edge_model_find_signature(model, "serving_default");
	assert_int_equal(index, 1);
	assert_int_equal(edge_model_find_signature(model, "serving"), -1);
	assert_int_equal(edge_model_signature(model, 1, &signature), 0);
	assert_text(signature.key, "serving_default");
	assert_int_equal(edge_model_signature(model, 2, &signature), -ENOENT);
	assert_int_equal(edge_model_input(model, 1, 0, &info), 0);
	assert_text(info.name, "x");
	assert_int_equal(edge_model_input(model, 0, 0, &info), 0);
	assert_text(info.name, "serving_default_y:0");
	assert_int_equal(edge_model_output(model, 1, 0, &info), 0);
	assert_text(info.name, "prod");
	assert_int_equal(edge_session_new(model, 1, &session, NULL), 0);
	float *x = edge_session_input(session, 0, &bytes);
	float *y = edge_session_input(session, 1, &bytes);
	assert_int_equal(bytes, 32);
	x[7] = 3;
	y[7] = 5;
	assert_int_equal(edge_session_run(session, NULL, NULL), 0);
	const float *product = edge_session_output(session, 0, &bytes);
	const float *sum = edge_session_output(session, 1, &bytes);
	assert_true(product[7] == 15 && sum[7] == 8);
}

static void a_free_dimension_follows_the_resize(void **state)
{
	(void)state;
	struct edge_tensor_info info;
	struct error err = {0};
	uint64_t bytes = 0;
	owned(edge_model_unref) struct edge_model *model =
		open_model(MODELS "litert/simple_add_dynamic_shape.tflite");
	owned(edge_session_free) struct edge_session *session = NULL;
	assert_int_equal(edge_model_input(model, 0, 0, &info), 0);
	assert_true(shape_equal(&info.declared, &SHAPE(-1, 128, 4)));
	assert_true(shape_equal(&info.shape, &SHAPE(1, 128, 4)));
	assert_int_equal(edge_session_new(model, 0, &session, NULL), 0);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(edge_session_resize(session, i, &SHAPE(3, 128, 4), &err), 0);
	}
	assert_int_equal(edge_session_input_info(session, 0, &info, &err), 0);
	assert_int_equal(info.bytes, 6144);
	assert_int_equal(edge_session_output_info(session, 0, &info, &err), 0);
	assert_true(shape_equal(&info.shape, &SHAPE(3, 128, 4)));
	assert_int_equal(edge_session_output_info(session, 1, &info, &err), -EINVAL);
	assert_int_equal(edge_session_run(session, NULL, &err), 0);
	assert_non_null(edge_session_output(session, 0, &bytes));
	assert_int_equal(bytes, 6144);
	assert_int_equal(edge_session_resize(session, 2, &SHAPE(1), &err), -EINVAL);
	assert_string_equal(err.text, "input 2 of 2");
}

static void a_session_keeps_its_model(void **state)
{
	(void)state;
	struct edge_model *model = open_model(MODELS "litert/add_10x10.tflite");
	owned(edge_session_free) struct edge_session *session = NULL;
	assert_int_equal(edge_session_new(model, 0, &session, NULL), 0);
	edge_model_unref(model);
	assert_int_equal(edge_session_run(session, NULL, NULL), 0);
}

#define EXIT_SKIPPED 77 /* as meson reads it */

static void rewrites_have_names(void **state)
{
	(void)state;
	struct error err = {0};
	uint32_t mask = 0;
	assert_int_equal(edge_rewrites("strips,views", &mask, &err), 0);
	assert_int_equal(mask, REWRITE_ROW_FUSION | REWRITE_VIEWS);
	assert_int_equal(edge_rewrites("all,eager", &mask, &err), 0);
	assert_int_equal(mask, REWRITES_ALL | REWRITE_EAGER);
	assert_int_equal(edge_rewrites("none", &mask, &err), 0);
	assert_int_equal(mask, 0);
	assert_int_equal(edge_rewrites("strips,stripes", &mask, &err), -EINVAL);
	assert_string_equal(err.text, "no rewrite is called \"stripes\"");
}

int main(void)
{
	if (access(MODELS, R_OK) < 0) {
		fprintf(stderr, "SKIPPED: no " MODELS ", so no real file to test with\n");
		return EXIT_SKIPPED;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_model_tells_what_it_is),
		cmocka_unit_test(rewrites_have_names),
		cmocka_unit_test(every_budget_refuses_a_model),
		cmocka_unit_test(a_missing_operator_is_named_with_version_and_place),
		cmocka_unit_test(a_signature_has_its_own_names_and_order),
		cmocka_unit_test(a_free_dimension_follows_the_resize),
		cmocka_unit_test(a_session_keeps_its_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
