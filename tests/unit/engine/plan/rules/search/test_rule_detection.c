/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void build_detection(struct node_builder *b)
{
	node_builder_init(b, OP_TFLITE_DETECTION_POSTPROCESS, OPTIONS_TFLITE_DETECTION_POSTPROCESS);
	node_builder_input(b, DTYPE_FLOAT32, SHAPE(1, 40, 4));
	node_builder_input(b, DTYPE_FLOAT32, SHAPE(1, 40, 6));
	node_builder_input(b, DTYPE_FLOAT32, SHAPE(40, 4));
	for (int i = 0; i < 4; i++) {
		node_builder_output(b, DTYPE_FLOAT32);
	}
	b->node.options.detection = (struct options_detection){.max_detections = 5,
		.max_classes_per_detection = 3,
		.detections_per_class = 100,
		.num_classes = 5,
		.iou_threshold = 0.5f,
		.y_scale = 10,
		.x_scale = 10,
		.h_scale = 5,
		.w_scale = 5};
}

static void detections_are_as_many_as_the_options_say(void **state)
{
	(void)state;
	struct node_builder b;
	build_detection(&b);
	node_builder_accepts(&b, 0, SHAPE(1, 15, 4));
	node_builder_accepts(&b, 2, SHAPE(1, 15));
	node_builder_accepts(&b, 3, SHAPE(1));
	b.node.options.detection.num_classes = 6;
	node_builder_accepts(&b, 0, SHAPE(1, 15, 4));
	b.node.options.detection.num_classes = 4;
	node_builder_refuses(&b, -EBADMSG, "scores of 6 classes, num_classes is 4");
	b.node.options.detection.num_classes = 7;
	node_builder_refuses(&b, -EBADMSG, "scores of 6 classes, num_classes is 7");
	build_detection(&b);
	b.node.options.detection.max_detections = -1;
	node_builder_refuses(&b, -EBADMSG, "max_detections is -1, must be 0..65536");
	build_detection(&b);
	b.node.options.detection.iou_threshold = 1.5f;
	node_builder_refuses(&b, -EBADMSG, "nms_iou_threshold is 1.5");
	build_detection(&b);
	b.node.options.detection.use_regular_nms = true;
	b.node.options.detection.detections_per_class = 0;
	node_builder_refuses(&b, -EBADMSG, "detections_per_class is 0");
	build_detection(&b);
	b.node.options.detection.max_detections = 60000;
	b.node.options.detection.max_classes_per_detection = 60000;
	node_builder_refuses(&b, -EBADMSG, "60000 detections of 60000 classes");
}

static void boxes_classes_and_anchors_agree(void **state)
{
	(void)state;
	struct node_builder b;
	build_detection(&b);
	b.shapes[2] = SHAPE(39, 4);
	node_builder_refuses(&b, -EBADMSG, "40 boxes, classes for 40, 39 anchors");
	b.shapes[2] = SHAPE(40, 5);
	node_builder_refuses(&b, -EBADMSG, "boxes of 4 numbers, anchors of 5");
	build_detection(&b);
	b.shapes[0] = SHAPE(2, 40, 4);
	node_builder_refuses(&b, -EBADMSG, "a batch of 2, must be 1");
	build_detection(&b);
	b.tensors[0].type = DTYPE_UINT8;
	node_builder_quantise(&b, 0, 0.1f, 3);
	node_builder_refuses(&b, -EBADMSG, "anchors is float32, must be uint8");
	build_detection(&b);
	b.tensors[1].type = DTYPE_INT8;
	node_builder_refuses(&b, -EOPNOTSUPP, "TFLite_Detection_PostProcess v1 with int8 classes");
}

static void poses_have_maps_of_one_grid(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_POSENET_DECODER, OPTIONS_POSENET_DECODER);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(1, 23, 31, 17));
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(1, 23, 31, 34));
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(1, 23, 31, 64));
	for (int i = 0; i < 4; i++) {
		node_builder_output(&b, DTYPE_FLOAT32);
	}
	b.node.options.posenet = (struct options_posenet){20, 16, 0.2f, 10};
	node_builder_accepts(&b, 0, SHAPE(1, 20, 17, 2));
	node_builder_accepts(&b, 1, SHAPE(1, 20, 17));
	b.node.options.posenet.stride = 0;
	node_builder_refuses(&b, -EBADMSG, "stride is 0");
	b.shapes[1] = SHAPE(1, 23, 30, 34);
	node_builder_refuses(&b, -EBADMSG, "input 1 is 1x23x30x34, must be 1x23x31x34");
}

static void sounds_have_windows_and_channels(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_AUDIO_SPECTROGRAM, OPTIONS_AUDIO_SPECTROGRAM);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(300, 2));
	node_builder_output(&b, DTYPE_FLOAT32);
	b.node.options.spectrogram = (struct options_spectrogram){50, 25, true};
	node_builder_accepts(&b, 0, SHAPE(2, 11, 33));
	b.shapes[0] = SHAPE(49, 2);
	node_builder_accepts(&b, 0, SHAPE(2, 0, 33));
	b.node.options.spectrogram.window_size = 1;
	node_builder_refuses(&b, -EBADMSG, "window_size is 1, must be 2..1048576");
	node_builder_init(&b, OP_MFCC, OPTIONS_MFCC);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(1, 3, 257));
	node_builder_input(&b, DTYPE_INT32, SHAPE(1));
	node_builder_output(&b, DTYPE_FLOAT32);
	b.node.options.mfcc = (struct options_mfcc){4000, 20, 40, 13};
	node_builder_accepts(&b, 0, SHAPE(1, 3, 13));
	b.node.options.mfcc.dct_coefficient_count = 41;
	node_builder_refuses(&b, -EBADMSG, "dct_coefficient_count is 41, must be 1..40");
	b.node.options.mfcc.lower_frequency_limit = 4000;
	node_builder_refuses(&b, -EBADMSG, "upper_frequency_limit is 4000, must be 4001");
}

static void unpooling_makes_what_was_pooled(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_MAX_UNPOOLING_2D, OPTIONS_MAX_UNPOOLING_2D);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(2, 2, 4, 2));
	node_builder_input(&b, DTYPE_INT32, SHAPE(2, 2, 4, 2));
	node_builder_output(&b, DTYPE_FLOAT32);
	b.node.options.pool = (struct options_pool){.stride_h = 2,
		.stride_w = 3,
		.filter_h = 2,
		.filter_w = 2,
		.padding = PADDING_VALID};
	node_builder_accepts(&b, 0, SHAPE(2, 4, 11, 2));
	b.node.options.pool.padding = PADDING_SAME;
	node_builder_accepts(&b, 0, SHAPE(2, 4, 12, 2));
	b.tensors[1].type = DTYPE_FLOAT32;
	node_builder_accepts(&b, 0, SHAPE(2, 4, 8, 2));
	b.shapes[1] = SHAPE(2, 2, 4, 3);
	node_builder_refuses(&b, -EBADMSG, "input 1 (places) is 2x2x4x3");
	b.shapes[1] = b.shapes[0];
	b.node.options.pool.filter_w = 0;
	node_builder_refuses(&b, -EBADMSG, "filter width is 0");
	node_builder_init(&b, OP_MAX_POOLING_WITH_ARGMAX_2D, OPTIONS_MAX_POOLING_WITH_ARGMAX_2D);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(1, 5, 4, 3));
	node_builder_output(&b, DTYPE_FLOAT32);
	node_builder_output(&b, DTYPE_INT32);
	b.node.options.pool =
		(struct options_pool){.stride_h = 2, .stride_w = 2, .filter_h = 2, .filter_w = 2};
	node_builder_accepts(&b, 1, SHAPE(1, 3, 2, 3));
}

static void transposed_convolution_has_a_bias(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(
		&b, OP_CONVOLUTION_2D_TRANSPOSE_BIAS, OPTIONS_CONVOLUTION_2D_TRANSPOSE_BIAS);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(1, 4, 5, 8));
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(6, 3, 3, 8));
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(6));
	node_builder_output(&b, DTYPE_FLOAT32);
	b.node.options.conv =
		(struct options_conv){.stride_h = 2, .stride_w = 2, .padding = PADDING_VALID};
	node_builder_accepts(&b, 0, SHAPE(1, 9, 11, 6));
	b.node.options.conv.padding = PADDING_SAME;
	node_builder_accepts(&b, 0, SHAPE(1, 8, 9, 6));
	node_builder_costs(&b, 4 * 5 * 8 * 6 * 9);
	b.shapes[2] = SHAPE(5);
	node_builder_refuses(&b, -EBADMSG, "weights from 8 to 6 channels, input has 8, bias 5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(detections_are_as_many_as_the_options_say),
		cmocka_unit_test(boxes_classes_and_anchors_agree),
		cmocka_unit_test(poses_have_maps_of_one_grid),
		cmocka_unit_test(sounds_have_windows_and_channels),
		cmocka_unit_test(unpooling_makes_what_was_pooled),
		cmocka_unit_test(transposed_convolution_has_a_bias),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
