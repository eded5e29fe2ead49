/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/slicing.h"
#include "tests/fakes/graph_builder.h" /* SHAPE() */

/* A result of "start:stride:size" for each dimension, and its shape. */
static void resolves(
	const struct slicing *s, struct shape shape, const char *ranges, const char *out)
{
	struct slicing_range got[SHAPE_MAX_RANK];
	struct shape result;
	struct error err = {0};
	char text[200] = "", of[SHAPE_TEXT_SIZE];
	int r = slicing_resolve(s, &shape, got, &result, &err);
	assert_string_equal(err.text, "");
	assert_int_equal(r, 0);
	for (unsigned int i = 0, at = 0; i < shape.rank; i++) {
		at += (unsigned int)snprintf(text + at, sizeof(text) - at, "%s%d:%d:%d",
			i ? " " : "", (int)got[i].start, (int)got[i].stride, (int)got[i].size);
	}
	assert_string_equal(text, ranges);
	assert_string_equal(shape_format(of, sizeof(of), &result), out);
}

static void refused(const struct slicing *s, struct shape shape, const char *text)
{
	struct slicing_range got[SHAPE_MAX_RANK];
	struct shape result;
	struct error err = {0};
	assert_int_equal(slicing_resolve(s, &shape, got, &result, &err), -EBADMSG);
	assert_string_equal(err.text, text);
}

static void ranges_are_clamped_and_counted_from_the_end(void **state)
{
	(void)state;
	struct slicing s = {.count = 1, .begin = {1}, .end = {5}, .stride = {2}};
	resolves(&s, SHAPE(7), "1:2:2", "2");
	s.begin[0] = -3;
	s.end[0] = INT64_MAX;
	resolves(&s, SHAPE(7), "4:2:2", "2");
	s.begin[0] = INT64_MIN;
	resolves(&s, SHAPE(7), "0:2:4", "4");
	s.end[0] = INT64_MIN;
	resolves(&s, SHAPE(7), "0:2:0", "0");
	s.begin[0] = 9;
	resolves(&s, SHAPE(0), "0:2:0", "0");
}

static void negative_strides_go_back(void **state)
{
	(void)state;
	struct slicing s = {.count = 1, .begin = {5}, .end = {0}, .stride = {-2}};
	resolves(&s, SHAPE(7), "5:-2:3", "3");
	s.end_mask = 1;
	resolves(&s, SHAPE(6), "5:-2:3", "3");
	s.begin_mask = 1;
	resolves(&s, SHAPE(7), "6:-2:4", "4");
	resolves(&s, SHAPE(0), "-1:-2:0", "0");
	s.stride[0] = -INT32_MAX;
	resolves(&s, SHAPE(7), "6:-2147483647:1", "1");
}

static void masks_take_everything(void **state)
{
	(void)state;
	const struct slicing s = {.count = 2,
		.begin = {4, 1},
		.end = {1, 2},
		.stride = {1, 1},
		.begin_mask = 1,
		.end_mask = 1};
	resolves(&s, SHAPE(3, 4, 5), "0:1:3 1:1:1 0:1:5", "3x1x5");
}

static void ends_may_be_counted_from_the_begins(void **state)
{
	(void)state;
	struct slicing s = {.count = 1, .begin = {-5}, .end = {3}, .stride = {1}, .offset = true};
	resolves(&s, SHAPE(7), "2:1:3", "3");
	s.end[0] = INT64_MAX;
	resolves(&s, SHAPE(7), "2:1:5", "5");
	s.end[0] = INT64_MIN;
	resolves(&s, SHAPE(7), "2:1:0", "0");
	s.stride[0] = -1;
	resolves(&s, SHAPE(7), "2:-1:3", "3");
}

static void ellipsis_takes_what_the_others_leave(void **state)
{
	(void)state;
	struct slicing s = {.count = 2, .end = {0, 1}, .stride = {1, 1}, .ellipsis_mask = 1};
	resolves(&s, SHAPE(2, 3, 4), "0:1:2 0:1:3 0:1:1", "2x3x1");
	resolves(&s, SHAPE(4), "0:1:1", "1");
	s.ellipsis_mask = 2;
	s.end[0] = 1;
	resolves(&s, SHAPE(2, 3, 4), "0:1:1 0:1:3 0:1:4", "1x3x4");
	s.ellipsis_mask = 3;
	refused(&s, SHAPE(2, 3), "more than one ellipsis");
	s.ellipsis_mask = 4; /* beyond the entries */
	refused(&s, SHAPE(2), "2 indices for a tensor of rank 1");
}

static void new_axes_and_dropped_ones_change_the_rank(void **state)
{
	(void)state;
	struct slicing s = {.count = 3,
		.begin = {0, 0, -1},
		.end = {0, 2, 0},
		.stride = {1, 1, 1},
		.new_axis_mask = 1,
		.shrink_axis_mask = 5}; /* a new axis is not dropped */
	resolves(&s, SHAPE(3, 4), "0:1:2 3:1:1", "1x2");
	s.begin[2] = -5;
	refused(&s, SHAPE(3, 4), "index -5 of a dimension of 4");
	s.begin[2] = 4;
	refused(&s, SHAPE(3, 4), "index 4 of a dimension of 4");
	s.begin_mask = 4;
	resolves(&s, SHAPE(3, 4), "0:1:2 0:1:1", "1x2");
	s.stride[2] = -1;
	refused(&s, SHAPE(3, 4), "stride -1 of a dimension to be dropped");
	s.stride[1] = 0;
	refused(&s, SHAPE(3, 4), "stride 0");
	s.new_axis_mask = 7;
	refused(&s, SHAPE(1, 1, 1, 1, 1, 1), "a result of rank 9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_clamped_and_counted_from_the_end),
		cmocka_unit_test(negative_strides_go_back),
		cmocka_unit_test(masks_take_everything),
		cmocka_unit_test(ends_may_be_counted_from_the_begins),
		cmocka_unit_test(ellipsis_takes_what_the_others_leave),
		cmocka_unit_test(new_axes_and_dropped_ones_change_the_rank),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
