/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static const struct shape scalar = {0};

static void build(struct node_builder *b, enum op op)
{
	node_builder_init(b, op, (uint16_t)op);
}

static void window_fits_into_the_input(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_SIGNAL_WINDOW);
	node_builder_input(&b, DTYPE_INT16, SHAPE(2, 480));
	node_builder_input(&b, DTYPE_INT16, SHAPE(480));
	node_builder_output(&b, DTYPE_INT16);
	node_builder_accepts(&b, 0, SHAPE(2, 480));
	b.shapes[1] = SHAPE(481);
	node_builder_refuses(&b, -EBADMSG, "input of 960 elements, window of 481");
	b.shapes[1] = SHAPE(0);
	node_builder_refuses(&b, -EBADMSG, "window");
	b.shapes[1] = SHAPE(480);
	b.node.options.signal_window.shift = 32;
	node_builder_refuses(&b, -EBADMSG, "shift is 32, must be 0..31");
	b.node.options.table = 0;
	node_builder_refuses(&b, -EBADMSG, "options are missing");
}

static void build_fft(struct node_builder *b, enum op op, int32_t width)
{
	build(b, op);
	node_builder_input(b, DTYPE_INT16, SHAPE(3, width));
	node_builder_output(b, DTYPE_INT16);
	b->node.options.signal_fft = (struct options_signal_fft){DTYPE_INT16, 512};
}

static void fft_lengths_are_powers_of_two(void **state)
{
	(void)state;
	struct node_builder b;
	build_fft(&b, OP_SIGNAL_RFFT, 480);
	node_builder_accepts(&b, 0, SHAPE(3, 514));
	b.node.options.signal_fft.length = 480;
	node_builder_refuses(&b, -EOPNOTSUPP, "fft_length 480, no power of two, is not there yet");
	b.node.options.signal_fft.length = 256;
	node_builder_refuses(&b, -EBADMSG, "480 samples in a transform of 256");
	b.node.options.signal_fft.length = 2;
	node_builder_refuses(&b, -EBADMSG, "fft_length is 2, must be 4..1048576");
	b.node.options.signal_fft.length = 512;
	b.node.options.signal_fft.type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EBADMSG, "T is float32, input is int16");
	b.tensors[0].type = DTYPE_INT8;
	node_builder_refuses(&b, -EOPNOTSUPP, "SignalRfft v1 with int8 input is not there yet");
	build_fft(&b, OP_SIGNAL_IRFFT, 514);
	node_builder_accepts(&b, 0, SHAPE(3, 512));
	b.shapes[0] = SHAPE(514, 3);
	node_builder_refuses(&b, -EBADMSG, "3 numbers of a transform of 512, must be 514");
}

static void energy_stays_within_the_bins(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_SIGNAL_ENERGY);
	node_builder_input(&b, DTYPE_INT16, SHAPE(514));
	node_builder_output(&b, DTYPE_UINT32);
	b.node.options.signal_energy = (struct options_signal_energy){5, 241};
	node_builder_accepts(&b, 0, SHAPE(257));
	b.node.options.signal_energy.end_index = 258;
	node_builder_refuses(&b, -EBADMSG, "end_index is 258, must be 0..257");
	b.node.options.signal_energy.end_index = 4;
	node_builder_refuses(&b, -EBADMSG, "start_index is 5, must be 0..4");
	b.shapes[0] = SHAPE(513);
	b.node.options.signal_energy.end_index = 5;
	node_builder_refuses(&b, -EBADMSG, "513 numbers are no complex ones");
}

static void filter_bank_has_a_list_for_each_channel(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_SIGNAL_FILTER_BANK);
	node_builder_input(&b, DTYPE_UINT32, SHAPE(257));
	for (int i = 0; i < 2; i++) {
		node_builder_input(&b, DTYPE_INT16, SHAPE(316));
	}
	for (int i = 0; i < 3; i++) {
		node_builder_input(&b, DTYPE_INT16, SHAPE(41));
	}
	node_builder_output(&b, DTYPE_UINT64);
	b.node.options.signal_filter_bank.num_channels = 40;
	node_builder_accepts(&b, 0, SHAPE(40));
	b.shapes[4] = SHAPE(40);
	node_builder_refuses(&b, -EBADMSG, "input 4 has 40 elements for 40 channels");
	b.shapes[4] = SHAPE(41);
	b.node.options.signal_filter_bank.num_channels = 0;
	node_builder_refuses(&b, -EBADMSG, "num_channels is 0, must be 1..32767");
}

static void filter_bank_costs_as_much_as_its_channels_are_wide(void **state)
{
	(void)state;
	const int16_t widths[4] = {3, -2, 100, 5};
	struct node_builder b;
	build(&b, OP_SIGNAL_FILTER_BANK);
	node_builder_input(&b, DTYPE_UINT32, SHAPE(50));
	node_builder_input(&b, DTYPE_INT16, SHAPE(40));
	node_builder_input(&b, DTYPE_INT16, SHAPE(30));
	for (int i = 0; i < 2; i++) {
		node_builder_input(&b, DTYPE_INT16, SHAPE(4));
	}
	int32_t t = node_builder_input(&b, DTYPE_INT16, SHAPE(4));
	node_builder_output(&b, DTYPE_UINT64);
	b.node.options.signal_filter_bank.num_channels = 3;
	/* Only a run knows the widths: each channel may have 30 weights and 30 unweights. */
	node_builder_costs(&b, 4 + 4 * 2 * 30);
	b.constants[t] = (const uint8_t *)widths;
	node_builder_costs(&b, 4 + 2 * (3 + 30 + 5));
	/* 32,000 operations were counted for these. */
	b.constants[t] = NULL;
	b.shapes[0] = b.shapes[1] = b.shapes[2] = SHAPE(16000);
	b.shapes[3] = b.shapes[4] = b.shapes[5] = SHAPE(32001);
	b.node.options.signal_filter_bank.num_channels = 32000;
	node_builder_costs(&b, 32001 + 32001ull * 2 * 16000);
}

static void root_noise_gain_and_logarithm_check_their_numbers(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_SIGNAL_FILTER_BANK_SQUARE_ROOT, 0);
	node_builder_input(&b, DTYPE_UINT64, SHAPE(40));
	node_builder_input(&b, DTYPE_INT32, scalar);
	node_builder_output(&b, DTYPE_UINT32);
	node_builder_accepts(&b, 0, SHAPE(40));
	b.shapes[1] = SHAPE(2);
	node_builder_refuses(&b, -EBADMSG, "scale has 2 elements, must be one");
	build(&b, OP_SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION);
	node_builder_input(&b, DTYPE_UINT32, SHAPE(40));
	node_builder_output(&b, DTYPE_UINT32);
	node_builder_output(&b, DTYPE_UINT32);
	b.node.options.signal_subtraction.num_channels = 40;
	node_builder_accepts(&b, 1, SHAPE(40));
	b.node.options.signal_subtraction.smoothing_bits = -1;
	node_builder_refuses(&b, -EBADMSG, "smoothing_bits is -1, must be 0..31");
	b.node.options.signal_subtraction.smoothing_bits = 10;
	b.node.options.signal_subtraction.smoothing = -1;
	node_builder_refuses(&b, -EBADMSG, "a factor of the smoothing is negative");
	build(&b, OP_SIGNAL_PCAN);
	node_builder_input(&b, DTYPE_UINT32, SHAPE(40));
	node_builder_input(&b, DTYPE_UINT32, SHAPE(40));
	node_builder_input(&b, DTYPE_INT16, SHAPE(125));
	node_builder_output(&b, DTYPE_UINT32);
	node_builder_accepts(&b, 0, SHAPE(40));
	b.shapes[2] = SHAPE(124);
	node_builder_refuses(&b, -EBADMSG, "gains has 124 elements, must have 125");
	b.shapes[1] = SHAPE(39);
	node_builder_refuses(&b, -EBADMSG, "noise of 39 channels, input of 40");
	build(&b, OP_SIGNAL_FILTER_BANK_LOG);
	node_builder_input(&b, DTYPE_UINT32, SHAPE(40));
	node_builder_output(&b, DTYPE_INT16);
	node_builder_accepts(&b, 0, SHAPE(40));
	b.node.options.signal_log.input_correction_bits = 99;
	node_builder_refuses(&b, -EBADMSG, "input_correction_bits is 99, must be 0..31");
}

static void framer_cuts_whole_steps(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_SIGNAL_FRAMER);
	node_builder_input(&b, DTYPE_INT16, SHAPE(2, 320));
	node_builder_output(&b, DTYPE_INT16);
	node_builder_output(&b, DTYPE_BOOL);
	b.node.options.signal_framer = (struct options_signal_framer){400, 160, false};
	node_builder_accepts(&b, 0, SHAPE(2, 2, 400));
	node_builder_accepts(&b, 1, scalar);
	b.node.options.signal_framer.frame_step = 170;
	node_builder_refuses(&b, -EBADMSG, "input of 320 samples in steps of 170");
	b.node.options.signal_framer = (struct options_signal_framer){80, 160, true};
	node_builder_refuses(&b, -EBADMSG, "frame_step is 160, must be 1..80");
	b.node.options.signal_framer = (struct options_signal_framer){0, 160, false};
	node_builder_refuses(&b, -EBADMSG, "frame_size is 0");
	b.tensors[b.outputs[1]].type = DTYPE_INT8;
	node_builder_refuses(&b, -EBADMSG, "output 1 (valid) is int8, must be bool");
}

static void stacker_steps_within_its_stack(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_SIGNAL_STACKER);
	node_builder_input(&b, DTYPE_INT16, SHAPE(32));
	node_builder_output(&b, DTYPE_INT16);
	node_builder_output(&b, DTYPE_BOOL);
	b.node.options.signal_stacker = (struct options_signal_stacker){32, 1, 1, 2};
	node_builder_accepts(&b, 0, SHAPE(96));
	b.node.options.signal_stacker.step = 4;
	node_builder_refuses(&b, -EBADMSG, "stacker_step is 4, must be 1..3");
	b.node.options.signal_stacker = (struct options_signal_stacker){31, 1, 1, 2};
	node_builder_refuses(&b, -EBADMSG, "num_channels is 31, must be 32..32");
	b.node.options.signal_stacker = (struct options_signal_stacker){1 << 20, 30000, 0, 1};
	b.shapes[0] = SHAPE(1 << 20);
	node_builder_refuses(&b, -EBADMSG, "30001 frames of 1048576 channels");
}

static void delay_and_overlap_keep_their_sizes(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_SIGNAL_DELAY);
	node_builder_input(&b, DTYPE_INT16, SHAPE(2, 7));
	node_builder_output(&b, DTYPE_INT16);
	node_builder_accepts(&b, 0, SHAPE(2, 7));
	b.node.options.signal_delay.length = 1000; /* kept of each stream, and moved up */
	node_builder_costs(&b, 14 + 2 * 1000);
	b.node.options.signal_delay.length = -1;
	node_builder_refuses(&b, -EBADMSG, "delay_length is -1");
	build(&b, OP_SIGNAL_OVERLAP_ADD);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(3, 4, 10));
	node_builder_output(&b, DTYPE_FLOAT32);
	b.node.options.signal_overlap_add = (struct options_signal_overlap_add){DTYPE_FLOAT32, 5};
	node_builder_accepts(&b, 0, SHAPE(3, 20));
	b.node.options.signal_overlap_add.frame_step = 11;
	node_builder_refuses(&b, -EBADMSG, "frame_step is 11, must be 1..10");
	b.shapes[0] = SHAPE(10);
	node_builder_refuses(&b, -EBADMSG, "input has rank 1, must have 2 or more");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window_fits_into_the_input),
		cmocka_unit_test(fft_lengths_are_powers_of_two),
		cmocka_unit_test(energy_stays_within_the_bins),
		cmocka_unit_test(filter_bank_has_a_list_for_each_channel),
		cmocka_unit_test(filter_bank_costs_as_much_as_its_channels_are_wide),
		cmocka_unit_test(root_noise_gain_and_logarithm_check_their_numbers),
		cmocka_unit_test(framer_cuts_whole_steps),
		cmocka_unit_test(stacker_steps_within_its_stack),
		cmocka_unit_test(delay_and_overlap_keep_their_sizes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
