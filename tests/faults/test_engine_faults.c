/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation, mapping and read of loading a model and of running it fails once in turn. Each
 * failure must give an error, must free what was made (the address sanitizer's build sees leaks),
 * and must leave the next attempt right.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backends/backends.h"
#include "engine/edge.h"
#include "tests/fakes/fault.h"

#define MOST_CALLS 100000

static const char *const models[] = {
	"packaging/models/digits.tflite",
	"packaging/models/keyword.tflite",
	"packaging/models/vibration.tflite",
	"tests/data/WHILE_s32/model.tflite",
	"tests/data/CALL_ONCE_add/model.tflite",
	"tests/data/STABLEHLO_COMPOSITE_f32/model.tflite",
	"tests/data/REWRITE_strips_s8/model.tflite",
	"tests/data/REWRITE_pads_u8/model.tflite",
	"tests/data/REWRITE_views/model.tflite",
	/* From here on runs allocate: only they know shapes and sizes. */
	"tests/data/IF_shapes/model.tflite",
	"tests/data/WHILE_shapes/model.tflite",
	"tests/data/RANGE_chain/model.tflite",
	"tests/data/WHERE_chain/model.tflite",
	"tests/data/HASHTABLE_str_to_s64/model.tflite",
};
#define STATIC_MODELS 9

/* Opens, runs once on zeros, and gives a checksum of all outputs. */
static int open_and_run(const char *path, uint64_t *ret_sum, struct error *err)
{
	const struct edge_options options = {.backends = backends_builtin(),
		.cpu_features = ~0ull,
		.disabled_rewrites = REWRITE_EAGER};
	owned(edge_model_unref) struct edge_model *model = NULL;
	owned(edge_session_free) struct edge_session *session = NULL;
	int r = edge_model_open_file(path, &options, &model, err);
	if (r == 0) {
		r = edge_session_new(model, 0, &session, err);
	}
	if (r == 0) {
		r = edge_session_run(session, NULL, err);
	}
	if (r < 0) {
		return r;
	}
	uint64_t bytes = 0, sum = 0;
	const uint8_t *output = edge_session_output(session, 0, &bytes);
	for (uint64_t i = 0; i < bytes; i++) {
		sum = sum * 31 + output[i];
	}
	*ret_sum = sum;
	return 0;
}

static void each_failure_is_an_error_and_nothing_more(void **state)
{
	(void)state;
	for (size_t m = 0; m < sizeof(models) / sizeof(models[0]); m++) {
		uint64_t right = 0, sum = 0;
		struct error err = {0};
		fault_arm(0);
		assert_int_equal(open_and_run(models[m], &right, &err), 0);
		unsigned long calls = fault_calls();
		assert_in_range(calls, 3, MOST_CALLS);
		for (unsigned long nth = 1; nth <= calls; nth++) {
			err = (struct error){0};
			fault_arm(nth);
			int r = open_and_run(models[m], &sum, &err);
			assert_true(fault_fired());
			if (r == 0) { /* a call that may fail without harm, such as a hint to the
					 kernel */
				assert_int_equal(sum, right);
				continue;
			}
			assert_true(r < 0);
			assert_true(err.code == r && err.text[0] != 0);
		}
		fault_arm(0);
		assert_int_equal(open_and_run(models[m], &sum, &err), 0);
		assert_int_equal(sum, right);
	}
}

static void a_run_after_the_first_allocates_nothing(void **state)
{
	(void)state;
	const struct edge_options options = {.backends = backends_builtin(),
		.cpu_features = ~0ull,
		.disabled_rewrites = REWRITE_EAGER};
	for (size_t m = 0; m < STATIC_MODELS; m++) {
		owned(edge_model_unref) struct edge_model *model = NULL;
		owned(edge_session_free) struct edge_session *session = NULL;
		assert_int_equal(edge_model_open_file(models[m], &options, &model, NULL), 0);
		assert_int_equal(edge_session_new(model, 0, &session, NULL), 0);
		/* The first makes what is made when it is first needed. */
		assert_int_equal(edge_session_run(session, NULL, NULL), 0);
		fault_arm(0);
		assert_int_equal(edge_session_run(session, NULL, NULL), 0);
		assert_int_equal(edge_session_run(session, NULL, NULL), 0);
		assert_int_equal(fault_calls(), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_failure_is_an_error_and_nothing_more),
		cmocka_unit_test(a_run_after_the_first_allocates_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
