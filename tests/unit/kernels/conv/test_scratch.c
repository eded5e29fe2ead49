/* SPDX-License-Identifier: Apache-2.0 */
/* Scratch follows from what a filter sees, whatever its dilation and the output's size are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernels/conv/conv.h"
#include "kernels/depthwise/depthwise.h"

#define MOST_BYTES 16384

static struct ek_window window(struct ek_window_axis y, struct ek_window_axis x)
{
	return (struct ek_window){.batch = 1, .y = y, .x = x};
}

/* Two taps far apart on a picture of one pixel, either way. */
static const struct ek_window_axis one = {.in = 1, .out = 1, .taps = 1, .stride = 1, .dilation = 1};
static const struct ek_window_axis far = {
	.in = 1, .out = 1, .taps = 2, .stride = 1, .dilation = 32767, .pad = 16383};
/* A filter larger than the picture, without padding. */
static const struct ek_window_axis none = {
	.in = 2, .out = 0, .taps = 3, .stride = 1, .dilation = 1};

static void assert_conv_is_small(struct ek_window w)
{
	const struct ek_conv_shape s = {.window = w, .in_c = 1, .out_c = 1, .groups = 1};
	for (size_t i = 0; i < ek_conv_s8_count; i++) {
		assert_true(ek_conv_s8[i].scratch_bytes(&s) <= MOST_BYTES);
	}
	for (size_t i = 0; i < ek_conv_u8_count; i++) {
		assert_true(ek_conv_u8[i].scratch_bytes(&s) <= MOST_BYTES);
	}
	for (size_t i = 0; i < ek_conv_s16_count; i++) {
		assert_true(ek_conv_s16[i].scratch_bytes(&s) <= MOST_BYTES);
	}
	for (size_t i = 0; i < ek_conv_f32_count; i++) {
		assert_true(ek_conv_f32[i].scratch_bytes(&s) <= MOST_BYTES);
	}
	for (size_t i = 0; i < ek_conv_h8_count; i++) {
		assert_true(ek_conv_h8[i].scratch_bytes(&s) <= MOST_BYTES);
	}
}

static void assert_depthwise_is_small(struct ek_window w)
{
	const struct ek_conv_shape s = {.window = w, .in_c = 8, .out_c = 8};
	for (size_t i = 0; i < ek_depthwise_s8_count; i++) {
		assert_true(ek_depthwise_s8[i].scratch_bytes(&s) <= MOST_BYTES);
	}
	for (size_t i = 0; i < ek_depthwise_u8_count; i++) {
		assert_true(ek_depthwise_u8[i].scratch_bytes(&s) <= MOST_BYTES);
	}
	for (size_t i = 0; i < ek_depthwise_s16_count; i++) {
		assert_true(ek_depthwise_s16[i].scratch_bytes(&s) <= MOST_BYTES);
	}
	for (size_t i = 0; i < ek_depthwise_f32_count; i++) {
		assert_true(ek_depthwise_f32[i].scratch_bytes(&s) <= MOST_BYTES);
	}
}

static void conv_needs_little_for_taps_that_are_far_apart(void **state)
{
	(void)state;
	assert_conv_is_small(window(far, one));
	assert_conv_is_small(window(one, far));
	assert_conv_is_small(window(far, far));
}

static void conv_needs_little_for_an_output_without_pixels(void **state)
{
	(void)state;
	assert_conv_is_small(window(none, one));
	assert_conv_is_small(window(one, none));
}

static void depthwise_needs_little_for_an_output_without_pixels(void **state)
{
	(void)state;
	assert_depthwise_is_small(window(none, one));
	assert_depthwise_is_small(window(one, none));
}

static void depthwise_needs_little_for_taps_that_are_far_apart_both_ways(void **state)
{
	(void)state;
	assert_depthwise_is_small(window(far, far));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conv_needs_little_for_taps_that_are_far_apart),
		cmocka_unit_test(conv_needs_little_for_an_output_without_pixels),
		cmocka_unit_test(depthwise_needs_little_for_an_output_without_pixels),
		cmocka_unit_test(depthwise_needs_little_for_taps_that_are_far_apart_both_ways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
