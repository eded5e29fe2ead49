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

#define BOXES 4
#define ROWS 6

/* Boxes 0 and 1 overlap by 9 / 11 of their union, 2 and 3 stand apart. Two classes and background. */
struct detection_bench {
	struct op_bench b;
	float codes[BOXES][5], anchors[BOXES][4], scores[BOXES][3];
	float boxes[ROWS][4], classes[ROWS], found[ROWS], count;
};

static void detection_init(struct detection_bench *d, int32_t detections, int32_t classes)
{
	const float anchors[BOXES][4] = {
		{0.5f, 0.5f, 1, 1}, {0.5f, 0.6f, 1, 1}, {5, 5, 2, 4}, {9, 9, 1, 1}};
	const float scores[BOXES][3] = {
		{0, 0.9f, 0.3f}, {0, 0.8f, 0.85f}, {0, 0.1f, 0.7f}, {0.9f, 0.05f, 0.05f}};
	memset(d->codes, 0, sizeof(d->codes));
	memcpy(d->anchors, anchors, sizeof(anchors));
	memcpy(d->scores, scores, sizeof(scores));
	op_bench_init(&d->b, OP_TFLITE_DETECTION_POSTPROCESS);
	op_bench_input(&d->b, DTYPE_FLOAT32, SHAPE(1, BOXES, 5), d->codes);
	op_bench_input(&d->b, DTYPE_FLOAT32, SHAPE(1, BOXES, 3), d->scores);
	op_bench_constant(&d->b, DTYPE_FLOAT32, SHAPE(BOXES, 4), d->anchors);
	int32_t rows = detections * classes;
	op_bench_output(&d->b, DTYPE_FLOAT32, SHAPE(1, rows, 4), d->boxes);
	op_bench_output(&d->b, DTYPE_FLOAT32, SHAPE(1, rows), d->classes);
	op_bench_output(&d->b, DTYPE_FLOAT32, SHAPE(1, rows), d->found);
	op_bench_output(&d->b, DTYPE_FLOAT32, SHAPE(1), &d->count);
	d->b.node.options.detection = (struct options_detection){.max_detections = detections,
		.max_classes_per_detection = classes,
		.detections_per_class = 100,
		.num_classes = 2,
		.score_threshold = 0.2f,
		.iou_threshold = 0.5f,
		.y_scale = 10,
		.x_scale = 10,
		.h_scale = 5,
		.w_scale = 5};
}

static void fast_keeps_the_best_of_those_that_overlap(void **state)
{
	(void)state;
	struct detection_bench d;
	detection_init(&d, 3, 2);
	assert_int_equal(op_bench_run(&d.b), 0);
	assert_true(d.count == 2);
	assert_true(d.classes[0] == 0 && d.classes[1] == 1);
	assert_true(d.found[0] == 0.9f && d.found[1] == 0.3f);
	assert_memory_equal(d.boxes[1], ((float[]){0, 0, 1, 1}), 16);
	assert_true(d.classes[2] == 1 && d.found[2] == 0.7f && d.found[3] == 0.1f);
	assert_memory_equal(d.boxes[2], ((float[]){4, 3, 6, 7}), 16);
	assert_memory_equal(d.boxes[4], ((float[8]){0}), 32); /* nothing was found for these */
	assert_true(d.found[4] == 0 && d.classes[5] == 0);
}

static void regular_looks_at_each_class_by_itself(void **state)
{
	(void)state;
	struct detection_bench d;
	detection_init(&d, 3, 1);
	d.b.node.options.detection.use_regular_nms = true;
	assert_int_equal(op_bench_run(&d.b), 0);
	assert_true(d.count == 3);
	assert_true(d.found[0] == 0.9f && d.found[1] == 0.85f && d.found[2] == 0.7f);
	assert_true(d.classes[0] == 0 && d.classes[1] == 1 && d.classes[2] == 1);
	assert_float_equal(d.boxes[1][1], 0.1f, 1e-6f);
	d.b.node.options.detection.detections_per_class = 1;
	assert_int_equal(op_bench_run(&d.b), 0);
	assert_true(d.count == 2 && d.found[2] == 0);
}

static void equal_scores_keep_the_order_of_classes(void **state)
{
	(void)state;
	struct detection_bench d;
	detection_init(&d, 4, 1);
	d.b.node.options.detection.use_regular_nms = true;
	for (int i = 0; i < BOXES; i++) {
		d.scores[i][1] = d.scores[i][2] = 0.5f;
	}
	assert_int_equal(op_bench_run(&d.b), 0);
	assert_true(d.count == 4);
	assert_memory_equal(d.classes, ((float[]){0, 0, 0, 1}), 16);
}

static void codes_move_and_stretch_the_anchors(void **state)
{
	(void)state;
	struct detection_bench d;
	detection_init(&d, 1, 1);
	d.codes[0][0] = 10; /* by one height down */
	d.codes[0][3] = 5 * logf(2); /* twice as wide */
	assert_int_equal(op_bench_run(&d.b), 0);
	assert_float_equal(d.boxes[0][0], 1, 1e-6f);
	assert_float_equal(d.boxes[0][1], -0.5f, 1e-6f);
	assert_float_equal(d.boxes[0][2], 2, 1e-6f);
	assert_float_equal(d.boxes[0][3], 1.5f, 1e-6f);
}

static void bytes_are_dequantised(void **state)
{
	(void)state;
	const uint8_t codes[4] = {20, 10, 10, 10}, anchors[4] = {1, 1, 2, 2}, scores[2] = {0, 200};
	float boxes[4], class, score, count;
	struct op_bench b;
	op_bench_init(&b, OP_TFLITE_DETECTION_POSTPROCESS);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_UINT8, SHAPE(1, 1, 4), codes), 1, 10);
	op_bench_scale(&b, op_bench_input(&b, DTYPE_UINT8, SHAPE(1, 1, 2), scores), 1 / 256.f, 0);
	op_bench_scale(&b, op_bench_constant(&b, DTYPE_UINT8, SHAPE(1, 4), anchors), 0.5f, 0);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 1, 4), boxes);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 1), &class);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1, 1), &score);
	op_bench_output(&b, DTYPE_FLOAT32, SHAPE(1), &count);
	b.node.options.detection = (struct options_detection){.max_detections = 1,
		.max_classes_per_detection = 1,
		.num_classes = 1,
		.iou_threshold = 0.5f,
		.y_scale = 10,
		.x_scale = 10,
		.h_scale = 5,
		.w_scale = 5};
	assert_int_equal(op_bench_run(&b), 0);
	assert_memory_equal(boxes, ((float[]){1, 0, 2, 1}), 16);
	assert_true(count == 1 && class == 0 && score == 200 / 256.f);
}

static void a_box_that_ends_before_it_begins_is_refused(void **state)
{
	(void)state;
	struct detection_bench d;
	detection_init(&d, 3, 2);
	d.anchors[3][2] = -1;
	assert_int_equal(op_bench_run(&d.b), -EINVAL);
	assert_string_equal(
		d.b.err.text, "TFLite_Detection_PostProcess: box 3 of 4 ends before it begins");
}

static void nan_everywhere_is_no_detection(void **state)
{
	(void)state;
	struct detection_bench d;
	detection_init(&d, 3, 2);
	for (int i = 0; i < BOXES; i++) {
		d.codes[i][i] = NAN;
		d.scores[i][1] = d.scores[i][2] = NAN;
	}
	assert_int_equal(op_bench_run(&d.b), 0);
	assert_true(d.count == 0);
	d.b.node.options.detection.use_regular_nms = true;
	assert_int_equal(op_bench_run(&d.b), 0);
	assert_true(d.count == 0);
}

#define H 5
#define W 6

/* One person whose parts are all where the map is hot, offsets of 0. */
struct pose_bench {
	struct op_bench b;
	float heat[H * W * 17], near[H * W * 34], far[H * W * 64];
	float points[2][17][2], scores[2][17], poses[2], count;
};

static void pose_init(struct pose_bench *p)
{
	memset(p, 0, sizeof(*p));
	for (int i = 0; i < H * W * 17; i++) {
		p->heat[i] = -20;
	}
	op_bench_init(&p->b, OP_POSENET_DECODER);
	op_bench_input(&p->b, DTYPE_FLOAT32, SHAPE(1, H, W, 17), p->heat);
	op_bench_input(&p->b, DTYPE_FLOAT32, SHAPE(1, H, W, 34), p->near);
	op_bench_input(&p->b, DTYPE_FLOAT32, SHAPE(1, H, W, 64), p->far);
	op_bench_output(&p->b, DTYPE_FLOAT32, SHAPE(1, 2, 17, 2), p->points);
	op_bench_output(&p->b, DTYPE_FLOAT32, SHAPE(1, 2, 17), p->scores);
	op_bench_output(&p->b, DTYPE_FLOAT32, SHAPE(1, 2), p->poses);
	op_bench_output(&p->b, DTYPE_FLOAT32, SHAPE(1), &p->count);
	p->b.node.options.posenet = (struct options_posenet){2, 16, 0.3f, 10};
}

/* All parts of a person at one cell, the nose a little hotter. */
static void put_person(struct pose_bench *p, int y, int x, float heat)
{
	float *cell = p->heat + (y * W + x) * 17;
	for (int k = 0; k < 17; k++) {
		cell[k] = heat;
	}
	cell[0] += 1;
}

static void poses_are_found_best_first(void **state)
{
	(void)state;
	static struct pose_bench p;
	pose_init(&p);
	put_person(&p, 1, 1, 3);
	put_person(&p, 3, 4, 4);
	assert_int_equal(op_bench_run(&p.b), 0);
	assert_true(p.count == 2);
	assert_true(p.poses[0] > p.poses[1] && p.poses[1] > 0.9f);
	for (int k = 0; k < 17; k++) {
		assert_true(p.points[0][k][0] == 48 && p.points[0][k][1] == 64);
		assert_true(p.points[1][k][0] == 16 && p.points[1][k][1] == 16);
	}
	assert_float_equal(p.scores[0][1], 1 / (1 + expf(-4)), 1e-6f);
}

static void poses_follow_their_offsets(void **state)
{
	(void)state;
	static struct pose_bench p;
	pose_init(&p);
	put_person(&p, 2, 2, 3);
	float *heat = p.heat + (2 * W + 2) * 17, *ear = p.heat + (0 * W + 4) * 17;
	heat[3] = -20;
	ear[3] = 2; /* the left ear is elsewhere: edge 1 from the left eye */
	p.far[(2 * W + 2) * 64 + 1] = -1.5f * 16;
	p.far[(2 * W + 2) * 64 + 17] = 2 * 16;
	p.near[(0 * W + 4) * 34 + 3] = -1 * 16; /* and held at the edge of the map */
	assert_int_equal(op_bench_run(&p.b), 0);
	assert_true(p.count == 1);
	assert_true(p.points[0][3][0] == 0 && p.points[0][3][1] == 64);
	assert_true(p.points[0][4][0] == 32 && p.points[0][4][1] == 32);
	assert_float_equal(p.scores[0][3], 1 / (1 + expf(-2)), 1e-6f);
	assert_true(p.poses[1] == 0 && p.scores[1][0] == 0);
}

static void poses_of_nan_maps_stay_inside(void **state)
{
	(void)state;
	static struct pose_bench p;
	pose_init(&p);
	put_person(&p, 2, 2, 3);
	for (int i = 0; i < H * W * 64; i++) {
		p.far[i] = i % 3 ? NAN : INFINITY;
	}
	for (int i = 0; i < H * W * 34; i++) {
		p.near[i] = i % 2 ? NAN : -INFINITY;
	}
	assert_int_equal(op_bench_run(&p.b), 0);
	for (int i = 0; i < H * W * 17; i++) {
		p.heat[i] = NAN;
	}
	assert_int_equal(op_bench_run(&p.b), 0);
	assert_true(p.count == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fast_keeps_the_best_of_those_that_overlap),
		cmocka_unit_test(regular_looks_at_each_class_by_itself),
		cmocka_unit_test(equal_scores_keep_the_order_of_classes),
		cmocka_unit_test(codes_move_and_stretch_the_anchors),
		cmocka_unit_test(bytes_are_dequantised),
		cmocka_unit_test(a_box_that_ends_before_it_begins_is_refused),
		cmocka_unit_test(nan_everywhere_is_no_detection),
		cmocka_unit_test(poses_are_found_best_first),
		cmocka_unit_test(poses_follow_their_offsets),
		cmocka_unit_test(poses_of_nan_maps_stay_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
