/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "client/pipeline/answer.h"

static struct tensor_spec make_spec(struct shape shape)
{
	struct tensor_spec spec = {.name = "scores",
		.type = DTYPE_UINT8,
		.shape = shape,
		.scale = 0.5,
		.score_threshold = NAN};
	return spec;
}

static struct tensor_bytes view(const struct tensor_spec *spec, void *data, uint64_t bytes)
{
	return (struct tensor_bytes){spec->type, spec->shape, data, bytes};
}

static void classes_are_ranked_by_score_then_by_number(void **state)
{
	(void)state;
	uint8_t scores[5] = {4, 9, 4, 0, 9};
	struct tensor_spec out = make_spec((struct shape){2, {1, 5}});
	struct tensor_bytes bytes = view(&out, scores, 5);
	owned_labels struct labels labels = {0};
	owned_answer struct answer answer = {0};
	assert_int_equal(labels_parse("a\nb", 3, &labels, NULL), 0);
	struct answer_options options = {&labels, 3, NAN};
	assert_int_equal(answer_make(&options, &out, NULL, 1, &out, &bytes, 1, &answer, NULL), 0);
	assert_int_equal(answer.kind, ANSWER_CLASSES);
	assert_int_equal(answer.n_classes, 3);
	assert_int_equal(answer.classes[0].index, 1);
	assert_string_equal(answer.classes[0].label, "b");
	assert_true(answer.classes[0].score == 4.5);
	assert_int_equal(answer.classes[1].index, 4);
	assert_null(answer.classes[1].label);
	assert_int_equal(answer.classes[2].index, 0);
}

static void a_threshold_of_the_user_goes_before_the_models(void **state)
{
	(void)state;
	uint8_t scores[3] = {1, 2, 3};
	struct tensor_spec out = make_spec((struct shape){3, {1, 1, 3}});
	struct tensor_bytes bytes = view(&out, scores, 3);
	struct labels none = {0};
	struct answer_options options = {&none, 9, NAN};
	owned_answer struct answer own = {0}, asked = {0};
	out.score_threshold = 1.5f;
	assert_int_equal(answer_make(&options, &out, NULL, 1, &out, &bytes, 1, &own, NULL), 0);
	assert_int_equal(own.n_classes, 1);
	options.threshold = 1;
	assert_int_equal(answer_make(&options, &out, NULL, 1, &out, &bytes, 1, &asked, NULL), 0);
	assert_int_equal(asked.n_classes, 2);
}

static void a_reconstruction_gives_the_mean_square_of_the_difference(void **state)
{
	(void)state;
	uint8_t in_q[2] = {2, 4}, out_q[2] = {4, 0};
	struct tensor_spec in = make_spec((struct shape){2, {1, 2}}), out = in;
	strcpy(out.name, "reconstruction");
	struct tensor_bytes in_bytes = view(&in, in_q, 2), out_bytes = view(&out, out_q, 2);
	struct labels none = {0};
	struct answer_options options = {&none, 5, 2};
	owned_answer struct answer answer = {0};
	assert_int_equal(
		answer_make(&options, &in, &in_bytes, 1, &out, &out_bytes, 1, &answer, NULL), 0);
	assert_int_equal(answer.kind, ANSWER_ANOMALY);
	assert_true(answer.anomaly == (1 * 1 + 2 * 2) / 2.0);
	assert_true(answer.threshold == 2);
}

static void everything_else_is_shown_as_tensors(void **state)
{
	(void)state;
	uint8_t q[4] = {0, 2, 4, 6};
	struct tensor_spec out = make_spec((struct shape){2, {2, 2}});
	struct tensor_bytes bytes = view(&out, q, 4);
	struct labels none = {0};
	struct answer_options options = {&none, 5, NAN};
	owned_answer struct answer answer = {0};
	assert_int_equal(answer_make(&options, &out, NULL, 1, &out, &bytes, 1, &answer, NULL), 0);
	assert_int_equal(answer.kind, ANSWER_TENSORS);
	struct answer_summary s = answer_summarise(&out, &bytes);
	assert_true(s.lowest == 0 && s.highest == 3 && s.mean == 1.5);
	out.type = DTYPE_STRING;
	assert_true(isnan(answer_summarise(&out, &bytes).mean));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_are_ranked_by_score_then_by_number),
		cmocka_unit_test(a_threshold_of_the_user_goes_before_the_models),
		cmocka_unit_test(a_reconstruction_gives_the_mean_square_of_the_difference),
		cmocka_unit_test(everything_else_is_shown_as_tensors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
