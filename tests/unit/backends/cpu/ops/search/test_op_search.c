/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "tests/fakes/op_bench.h"

#define SCALAR ((struct shape){0})

static void the_first_of_equals_is_on_top(void **state)
{
	(void)state;
	const float x[6] = {1, -0.0f, 3, 0, 3, NAN};
	const int32_t k = 5;
	float values[5];
	int16_t indices[5];
	struct op_bench b;
	op_bench_init(&b, OP_TOPK_V2);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(6), x);
	op_bench_constant(&b, DTYPE_INT32, SCALAR, &k);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(5), values);
	op_bench_output(&b, DTYPE_INT16, SHAPE(5), indices);
	assert_int_equal(op_bench_run(&b), 0);
	const int16_t order[5] = {2, 4, 0, 1, 3};
	assert_memory_equal(indices, order, sizeof(order));
	assert_true(values[0] == 3 && values[2] == 1 && signbit(values[3]) && !signbit(values[4]));
}

static void a_few_of_many_are_found_row_by_row(void **state)
{
	(void)state;
	int64_t x[400];
	const int32_t k = 2;
	int64_t values[4];
	int32_t indices[4];
	for (int i = 0; i < 400; i++) {
		x[i] = (int64_t)(i * 7919 % 401) << 40;
	}
	x[150] = INT64_MAX;
	x[399] = INT64_MAX;
	struct op_bench b;
	op_bench_init(&b, OP_TOPK_V2);
	op_bench_input(&b, DTYPE_INT64, SHAPE(2, 200), x);
	op_bench_constant(&b, DTYPE_INT32, SCALAR, &k);
	op_bench_output(&b, DTYPE_INT64, SHAPE(2, 2), values);
	op_bench_output(&b, DTYPE_INT32, SHAPE(2, 2), indices);
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(indices[0] == 150 && indices[2] == 199 && values[2] == INT64_MAX);
	assert_true(values[1] == x[indices[1]] && values[3] == x[200 + indices[3]]);
	for (int i = 0; i < 200; i++) {
		assert_true(x[i] <= values[1] || i == 150);
	}
}

static void values_are_numbered_as_they_appear(void **state)
{
	(void)state;
	const float x[7] = {3, NAN, -0.0f, 3, 0, -7, NAN};
	int64_t indices[7];
	struct op_bench b;
	op_bench_init(&b, OP_UNIQUE);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(7), x);
	int32_t out = op_bench_given(&b, DTYPE_FLOAT32);
	op_bench_output(&b, DTYPE_INT64, SHAPE(7), indices);
	assert_int_equal(op_bench_run(&b), 0);
	const int64_t numbers[7] = {0, 0, 1, 0, 1, 2, 2}; /* NaN: the smallest so far */
	const float values[3] = {3, -0.0f, -7};
	assert_memory_equal(indices, numbers, sizeof(numbers));
	assert_true(shape_equal(&b.values[out].shape, &SHAPE(3)));
	assert_memory_equal(b.values[out].data, values, sizeof(values));
}

static void places_are_in_row_major_order(void **state)
{
	(void)state;
	const float x[6] = {0, NAN, -0.0f, 1, 0, -1};
	struct op_bench b;
	op_bench_init(&b, OP_WHERE);
	op_bench_input(&b, DTYPE_FLOAT32, SHAPE(2, 3), x);
	int32_t out = op_bench_given(&b, DTYPE_INT64);
	assert_int_equal(op_bench_run(&b), 0);
	const int64_t places[6] = {0, 1, 1, 0, 1, 2};
	assert_true(shape_equal(&b.values[out].shape, &SHAPE(3, 2)));
	assert_memory_equal(b.values[out].data, places, sizeof(places));
}

struct suppression {
	struct op_bench b;
	float boxes[16], scores[4], iou, least, sigma;
	int32_t most, selected[6], count;
	float kept[6];
};

static void build_suppression(struct suppression *s)
{
	static const float boxes[16] = {0, 0, 1, 1, 1, 1, 0, 0, 5, 5, 6, 6, 8, 8, 8, 9};
	static const float scores[4] = {0.5f, 0.75f, 0.5f, 0.25f};
	*s = (struct suppression){.iou = 0.5f, .least = 0.1f, .most = 6};
	memcpy(s->boxes, boxes, sizeof(boxes));
	memcpy(s->scores, scores, sizeof(scores));
	op_bench_init(&s->b, OP_NON_MAX_SUPPRESSION_V5);
	op_bench_input(&s->b, DTYPE_FLOAT32, SHAPE(4, 4), s->boxes);
	op_bench_input(&s->b, DTYPE_FLOAT32, SHAPE(4), s->scores);
	op_bench_constant(&s->b, DTYPE_INT32, SCALAR, &s->most);
	op_bench_input(&s->b, DTYPE_FLOAT32, SCALAR, &s->iou);
	op_bench_input(&s->b, DTYPE_FLOAT32, SCALAR, &s->least);
	op_bench_input(&s->b, DTYPE_FLOAT32, SCALAR, &s->sigma);
	op_bench_output(&s->b, DTYPE_INT32, SHAPE(6), s->selected);
	op_bench_output(&s->b, DTYPE_FLOAT32, SHAPE(6), s->kept);
	op_bench_output(&s->b, DTYPE_INT32, SCALAR, &s->count);
}

static void boxes_that_overlap_are_dropped(void **state)
{
	(void)state;
	struct suppression s;
	build_suppression(&s);
	s.boxes[15] = 8;
	s.scores[3] = 0;
	assert_int_equal(op_bench_run(&s.b), 0);
	assert_int_equal(s.count, 2);
	assert_true(s.selected[0] == 1 && s.selected[1] == 2 && s.selected[2] == 0);
	assert_true(s.kept[0] == 0.75f && s.kept[1] == 0.5f && s.kept[2] == 0);
}

/* It overlaps nothing, not even itself. */
static void a_box_without_area_is_selected_until_all_places_are_taken(void **state)
{
	(void)state;
	struct suppression s;
	build_suppression(&s);
	s.scores[3] = 0.6f;
	assert_int_equal(op_bench_run(&s.b), 0);
	assert_int_equal(s.count, 4);
	assert_true(s.selected[0] == 1 && s.selected[1] == 3 && s.selected[2] == 3);
}

static void scores_fall_with_overlaps(void **state)
{
	(void)state;
	struct suppression s;
	build_suppression(&s);
	s.iou = 1;
	s.sigma = 0.5f;
	s.least = 0.2f;
	s.scores[3] = 0;
	s.boxes[0] = -1; /* box 0 is twice as high: half of it is shared */
	assert_int_equal(op_bench_run(&s.b), 0);
	assert_int_equal(s.count, 3);
	assert_true(s.selected[0] == 1 && s.selected[1] == 2 && s.selected[2] == 0);
	assert_true(fabsf(s.kept[2] - 0.5f * 0.7788008f) < 1e-6f); /* exp(-0.25) */
	s.sigma = -1;
	assert_int_equal(op_bench_run(&s.b), -EINVAL);
	assert_non_null(strstr(s.b.err.text, "sigma is -1, must not be negative"));
}

static void buckets_begin_at_their_boundary(void **state)
{
	(void)state;
	const float boundaries[3] = {-1, 2, 2};
	const double x[5] = {-1.5, -1, 1.99999999999, 2, NAN};
	int32_t z[5];
	struct op_bench b;
	op_bench_init(&b, OP_BUCKETIZE);
	op_bench_input(&b, DTYPE_FLOAT64, SHAPE(5), x);
	op_bench_output(&b, DTYPE_INT32, SHAPE(5), z);
	b.node.options.bucketize.boundaries = (struct options_list){(const uint8_t *)boundaries, 3};
	assert_int_equal(op_bench_run(&b), 0);
	assert_true(z[0] == 0 && z[1] == 1 && z[2] == 1 && z[3] == 3 && z[4] == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_of_equals_is_on_top),
		cmocka_unit_test(a_few_of_many_are_found_row_by_row),
		cmocka_unit_test(values_are_numbered_as_they_appear),
		cmocka_unit_test(places_are_in_row_major_order),
		cmocka_unit_test(boxes_that_overlap_are_dropped),
		cmocka_unit_test(a_box_without_area_is_selected_until_all_places_are_taken),
		cmocka_unit_test(scores_fall_with_overlaps),
		cmocka_unit_test(buckets_begin_at_their_boundary),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
