/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "client/pipeline/nearest_example.h"
#include "client/pipeline/postprocess.h"

/* The keys as a file that says only the kind has them. */
static struct pipeline_config_post_keys keys_of(enum pipeline_config_post kind)
{
	return (struct pipeline_config_post_keys){.kind = kind,
		.top_k = 5,
		.threshold = NAN,
		.nms = 0.45,
		.max_boxes = 100,
		.box_scales = {4, {10, 10, 5, 5}},
		.background = 1,
		.gain = 1,
		.max_distance = NAN};
}

static struct tensor_spec float_spec(void)
{
	return (struct tensor_spec){.name = "out", .type = DTYPE_FLOAT32, .score_threshold = NAN};
}

static struct tensor_bytes floats(const float *data, uint8_t rank, const int32_t *dims)
{
	struct tensor_bytes tensor = {.type = DTYPE_FLOAT32, .data = (void *)(uintptr_t)data};
	tensor.shape.rank = rank;
	tensor.bytes = 4;
	for (uint8_t i = 0; i < rank; i++) {
		tensor.shape.dim[i] = dims[i];
		tensor.bytes *= (uint64_t)dims[i];
	}
	return tensor;
}
#define FLOATS(data, ...)                                                                          \
	floats(data, sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t), (int32_t[]){__VA_ARGS__})

static const struct labels no_labels;

static int read_outputs(const struct postprocess *post, const struct tensor_bytes *outputs,
	uint32_t n, struct findings *ret_findings, struct error *err)
{
	struct tensor_spec specs[4] = {float_spec(), float_spec(), float_spec(), float_spec()};
	struct tensor_spec input = float_spec();
	struct tensor_bytes in = {.type = DTYPE_FLOAT32};
	return postprocess_read(post, &input, &in, 1, specs, outputs, n, ret_findings, err);
}

static void must_read(const struct postprocess *post, const struct tensor_bytes *outputs,
	uint32_t n, struct findings *ret_findings)
{
	struct error err = {0};
	if (read_outputs(post, outputs, n, ret_findings, &err) < 0) {
		fail_msg("%s", err.text);
	}
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-6;
}

static bool box_is(const struct finding *one, double x1, double y1, double x2, double y2)
{
	return one->has_box && near(one->x1, x1) && near(one->y1, y1) && near(one->x2, x2) &&
		near(one->y2, y2);
}

static void softmax_makes_scores_of_logits(void **state)
{
	(void)state;
	const float logits[3] = {1, 3, 2};
	struct tensor_bytes out = FLOATS(logits, 1, 3);
	struct pipeline_config_post_keys keys = keys_of(PIPELINE_CONFIG_POST_CLASSES);
	struct postprocess post = {.keys = &keys, .labels = &no_labels};
	owned_findings struct findings f = {0};
	keys.activation = PIPELINE_CONFIG_SOFTMAX;
	keys.top_k = 2;
	must_read(&post, &out, 1, &f);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.items[0].index, 1);
	assert_true(near(f.items[0].score, 0.6652409557748219));
	assert_true(near(f.items[1].score, 0.24472847105479767));
}

static void labels_that_are_skipped_are_never_found(void **state)
{
	(void)state;
	const float scores[3] = {0.9f, 0.5f, 0.7f};
	struct tensor_bytes out = FLOATS(scores, 1, 3);
	struct pipeline_config_post_keys keys = keys_of(PIPELINE_CONFIG_POST_CLASSES);
	owned_labels struct labels labels = {0};
	assert_int_equal(labels_parse("background\ncat\ndog", 18, &labels, NULL), 0);
	struct postprocess post = {.keys = &keys, .labels = &labels};
	owned_findings struct findings f = {0};
	strcpy(keys.skip, "background");
	keys.threshold = 0.6;
	must_read(&post, &out, 1, &f);
	assert_int_equal(f.n, 1);
	assert_string_equal(f.items[0].label, "dog");
}

static void detections_are_as_the_operator_says(void **state)
{
	(void)state;
	const float boxes[12] = {0.1f, 0.2f, 0.5f, 0.6f, 0, 0, 1, 1, 0, 0, 1, 1};
	const float classes[3] = {7, 2, 1}, scores[3] = {0.9f, 0.3f, 0.8f}, count[1] = {2};
	const struct tensor_bytes outs[4] = {FLOATS(boxes, 1, 3, 4), FLOATS(classes, 1, 3),
		FLOATS(scores, 1, 3), FLOATS(count, 1)};
	struct pipeline_config_post_keys keys = keys_of(PIPELINE_CONFIG_POST_DETECTIONS);
	struct postprocess post = {.keys = &keys, .labels = &no_labels};
	owned_findings struct findings f = {0};
	keys.threshold = 0.2;
	must_read(&post, outs, 4, &f);
	assert_int_equal(f.n, 2); /* the third is beyond the count */
	assert_int_equal(f.items[0].index, 7);
	assert_true(box_is(&f.items[0], 0.2f, 0.1f, 0.6f, 0.5f));
}

static void outputs_in_another_order_are_named(void **state)
{
	(void)state;
	const float boxes[4] = {0, 0, 1, 1}, classes[1] = {3}, scores[1] = {0.9f}, count[1] = {1};
	const struct tensor_bytes outs[4] = {FLOATS(scores, 1, 1), FLOATS(boxes, 1, 1, 4),
		FLOATS(count, 1), FLOATS(classes, 1, 1)};
	struct pipeline_config_post_keys keys = keys_of(PIPELINE_CONFIG_POST_DETECTIONS);
	struct postprocess post = {.keys = &keys, .labels = &no_labels};
	owned_findings struct findings f = {0};
	struct error err = {0};
	assert_int_equal(read_outputs(&post, outs, 4, &f, &err), -EBADMSG);
	keys.outputs = (struct pipeline_config_reals){4, {1, 3, 0, 2}};
	must_read(&post, outs, 4, &f);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.items[0].index, 3);
}

static void ssd_boxes_are_laid_around_their_anchors(void **state)
{
	(void)state;
	/* The first is its anchor; the second is moved by a tenth and twice as large. */
	const float boxes[8] = {0, 0, 0, 0, 1, 2, 3.46573590f, 3.46573590f};
	const float scores[6] = {0.9f, 0.1f, 0.6f, 0.1f, 0.7f, 0.2f};
	const double anchors[8] = {0.5, 0.5, 0.2, 0.4, 0.3, 0.3, 0.1, 0.1};
	const struct tensor_bytes outs[2] = {FLOATS(boxes, 1, 2, 4), FLOATS(scores, 1, 2, 3)};
	struct pipeline_config_post_keys keys = keys_of(PIPELINE_CONFIG_POST_SSD);
	struct postprocess post = {
		.keys = &keys, .labels = &no_labels, .anchors = anchors, .n_anchors = 2};
	owned_findings struct findings f = {0};
	keys.threshold = 0.5;
	must_read(&post, outs, 2, &f);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.items[0].index, 0); /* without the background */
	assert_true(near(f.items[0].score, 0.7f));
	assert_true(box_is(&f.items[0], 0.32 - 0.1, 0.31 - 0.1, 0.32 + 0.1, 0.31 + 0.1));
	assert_int_equal(f.items[1].index, 1);
	assert_true(box_is(&f.items[1], 0.3, 0.4, 0.7, 0.6));
}

/* The background takes its part of the sum, though it is never found. */
static void softmax_of_an_anchor_is_of_all_its_classes(void **state)
{
	(void)state;
	const float boxes[8] = {0}, scores[6] = {0, 3, 1, 5, 3, 1};
	const double anchors[8] = {0.2, 0.2, 0.2, 0.2, 0.7, 0.7, 0.2, 0.2};
	const struct tensor_bytes outs[2] = {FLOATS(boxes, 1, 2, 4), FLOATS(scores, 1, 2, 3)};
	struct pipeline_config_post_keys keys = keys_of(PIPELINE_CONFIG_POST_SSD);
	struct postprocess post = {
		.keys = &keys, .labels = &no_labels, .anchors = anchors, .n_anchors = 2};
	owned_findings struct findings f = {0};
	keys.activation = PIPELINE_CONFIG_SOFTMAX;
	must_read(&post, outs, 2, &f);
	assert_int_equal(f.n, 2);
	assert_true(near(f.items[0].score, 0.8437947344813395));
	assert_true(near(f.items[1].score, 0.1173104278261984));
	assert_true(box_is(&f.items[0], 0.1, 0.1, 0.3, 0.3));
}

static void yolov5_multiplies_the_objects_score(void **state)
{
	(void)state;
	const float rows[14] = {32, 16, 16, 8, 0.5f, 0.2f, 0.9f, 32, 16, 16, 8, 0.1f, 0.9f, 0.9f};
	struct tensor_bytes out = FLOATS(rows, 1, 2, 7);
	struct pipeline_config_post_keys keys = keys_of(PIPELINE_CONFIG_POST_YOLOV5);
	struct postprocess post = {
		.keys = &keys, .labels = &no_labels, .input_width = 64, .input_height = 32};
	owned_findings struct findings f = {0};
	keys.threshold = 0.25;
	keys.pixels = 1;
	must_read(&post, &out, 1, &f);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.items[0].index, 1);
	assert_true(near(f.items[0].score, 0.5 * (double)0.9f));
	assert_true(box_is(&f.items[0], 0.375, 0.375, 0.625, 0.625));
}

static void yolov8_is_read_across_and_along(void **state)
{
	(void)state;
	/* Three boxes of 4 + 2 numbers, in columns; the same in rows. */
	const float across[18] = {0.5f, 0.52f, 0.2f, 0.5f, 0.5f, 0.2f, 0.2f, 0.2f, 0.1f, 0.2f, 0.2f,
		0.1f, 0.9f, 0.8f, 0.1f, 0.1f, 0.1f, 0.7f};
	float along[18];
	for (int box = 0; box < 3; box++) {
		for (int k = 0; k < 6; k++) {
			along[box * 6 + k] = across[k * 3 + box];
		}
	}
	owned_labels struct labels labels = {0};
	assert_int_equal(labels_parse("a\nb", 3, &labels, NULL), 0);
	struct tensor_bytes outs[2] = {FLOATS(across, 1, 6, 3), FLOATS(along, 1, 3, 6)};
	struct pipeline_config_post_keys keys = keys_of(PIPELINE_CONFIG_POST_YOLOV8);
	struct postprocess post = {.keys = &keys, .labels = &labels};
	keys.threshold = 0.5;
	for (int i = 0; i < 2; i++) {
		owned_findings struct findings f = {0};
		must_read(&post, &outs[i], 1, &f);
		assert_int_equal(f.n, 2); /* the second covers the first */
		assert_true(near(f.items[0].score, 0.9f));
		assert_true(box_is(&f.items[0], 0.4f, 0.4f, 0.6f, 0.6f));
		assert_string_equal(f.items[1].label, "b");
	}
}

/* A box has five numbers or more, so that what is shorter is the boxes. */
static void fewer_boxes_than_numbers_of_one_are_found(void **state)
{
	(void)state;
	const float one[6] = {0.5f, 0.5f, 0.2f, 0.2f, 0.1f, 0.9f};
	const float scored[7] = {0.5f, 0.5f, 0.2f, 0.2f, 1, 0.1f, 0.9f};
	const struct {
		enum pipeline_config_post kind;
		struct tensor_bytes out;
	} shapes[] = {
		{PIPELINE_CONFIG_POST_YOLOV8, FLOATS(one, 1, 1, 6)},
		{PIPELINE_CONFIG_POST_YOLOV8, FLOATS(one, 1, 6, 1)},
		{PIPELINE_CONFIG_POST_YOLOV5, FLOATS(scored, 1, 1, 7)},
	};
	owned_labels struct labels labels = {0};
	assert_int_equal(labels_parse("a\nb", 3, &labels, NULL), 0);
	for (size_t i = 0; i < 2 * sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct pipeline_config_post_keys keys = keys_of(shapes[i / 2].kind);
		struct postprocess post = {.keys = &keys, .labels = i % 2 ? &labels : &no_labels};
		owned_findings struct findings f = {0};
		must_read(&post, &shapes[i / 2].out, 1, &f);
		assert_int_equal(f.n, 1);
		assert_int_equal(f.items[0].index, 1);
		assert_true(box_is(&f.items[0], 0.4, 0.4, 0.6, 0.6));
	}
}

/* A list of scores is no box; with as many labels as it has room for it is. */
static void a_flat_output_is_a_box_by_its_labels_only(void **state)
{
	(void)state;
	const float one[8] = {0.5f, 0.5f, 0.2f, 0.2f, 0.1f, 0.9f, 0, 0};
	const struct tensor_bytes flat[2] = {FLOATS(one, 1, 6), FLOATS(one, 6)};
	const struct tensor_bytes other[3] = {
		FLOATS(one, 1, 8), FLOATS(one, 1, 1, 8), FLOATS(one, 1, 8, 1)};
	owned_labels struct labels labels = {0};
	assert_int_equal(labels_parse("a\nb", 3, &labels, NULL), 0);
	struct pipeline_config_post_keys keys = keys_of(PIPELINE_CONFIG_POST_YOLOV8);
	struct postprocess post = {.keys = &keys, .labels = &no_labels};
	struct findings none = {0};
	for (size_t i = 0; i < 2; i++) {
		owned_findings struct findings f = {0};
		post.labels = &no_labels;
		assert_int_equal(read_outputs(&post, &flat[i], 1, &none, NULL), -EBADMSG);
		post.labels = &labels;
		must_read(&post, &flat[i], 1, &f);
		assert_int_equal(f.n, 1);
		assert_string_equal(f.items[0].label, "b");
	}
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(read_outputs(&post, &other[i], 1, &none, NULL), -EBADMSG);
	}
}

static void four_boxes_of_seven_numbers_are_read_across_and_along(void **state)
{
	(void)state;
	float along[28] = {0}, across[28];
	for (int box = 0; box < 4; box++) {
		along[7 * box] = 0.25f * (float)box;
		along[7 * box + 4 + box % 3] = 0.9f - 0.1f * (float)box;
	}
	for (int i = 0; i < 28; i++) {
		across[i] = along[i % 4 * 7 + i / 4];
	}
	struct tensor_bytes outs[2] = {FLOATS(across, 1, 7, 4), FLOATS(along, 1, 4, 7)};
	struct pipeline_config_post_keys keys = keys_of(PIPELINE_CONFIG_POST_YOLOV8);
	struct postprocess post = {.keys = &keys, .labels = &no_labels};
	for (int i = 0; i < 2; i++) {
		owned_findings struct findings f = {0};
		must_read(&post, &outs[i], 1, &f);
		assert_int_equal(f.n, 4);
		for (size_t box = 0; box < 4; box++) {
			assert_int_equal(f.items[box].index, box % 3);
			assert_true(near(f.items[box].x1, 0.25 * (double)box));
		}
	}
}

static void no_box_has_too_few_numbers(void **state)
{
	(void)state;
	const float numbers[20] = {0};
	struct tensor_bytes outs[] = {FLOATS(numbers, 1, 1, 4), FLOATS(numbers, 1, 4, 1),
		FLOATS(numbers, 1, 4, 4), FLOATS(numbers, 6), FLOATS(numbers, 2, 2, 5)};
	struct pipeline_config_post_keys keys = keys_of(PIPELINE_CONFIG_POST_YOLOV8);
	struct postprocess post = {.keys = &keys, .labels = &no_labels};
	for (size_t i = 0; i < sizeof(outs) / sizeof(outs[0]); i++) {
		owned_findings struct findings f = {0};
		assert_int_equal(read_outputs(&post, &outs[i], 1, &f, NULL), -EBADMSG);
	}
}

static void a_box_of_another_class_stays_unless_classes_do_not_matter(void **state)
{
	(void)state;
	for (int agnostic = 0; agnostic < 2; agnostic++) {
		owned_findings struct findings f = {0};
		*findings_add(&f) = (struct finding){
			.index = 1, .score = 0.9, .has_box = true, .x2 = 1, .y2 = 1};
		*findings_add(&f) = (struct finding){
			.index = 2, .score = 0.8, .has_box = true, .x2 = 1, .y2 = 0.9};
		findings_suppress(&f, 0.5, agnostic, 10);
		assert_int_equal(f.n, agnostic ? 1 : 2);
	}
}

static void overlap_is_intersection_over_union(void **state)
{
	(void)state;
	struct finding a = {.x2 = 2, .y2 = 2}, b = {.x1 = 1, .y1 = 1, .x2 = 3, .y2 = 3};
	assert_true(near(findings_overlap(&a, &b), 1.0 / 7));
	b.x1 = b.x2;
	assert_true(findings_overlap(&a, &b) == 0);
}

static void key_points_have_a_box_around_the_good_ones(void **state)
{
	(void)state;
	const float points[9] = {0.1f, 0.2f, 0.9f, 0.5f, 0.6f, 0.8f, 0.9f, 0.9f, 0.1f};
	struct tensor_bytes out = FLOATS(points, 1, 1, 3, 3);
	struct pipeline_config_post_keys keys = keys_of(PIPELINE_CONFIG_POST_KEYPOINTS);
	struct postprocess post = {.keys = &keys, .labels = &no_labels};
	owned_findings struct findings f = {0};
	keys.point_threshold = 0.5;
	must_read(&post, &out, 1, &f);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.items[0].n_points, 3);
	assert_true(near(f.items[0].score, 0.6));
	assert_true(box_is(&f.items[0], 0.2f, 0.1f, 0.6f, 0.5f));
}

static void a_mask_is_summed_up_by_class(void **state)
{
	(void)state;
	/* 2 x 2 pixels of three scores: classes 0, 2, 2, 1. */
	const float scores[12] = {9, 1, 1, 0, 1, 2, 0, 1, 2, 0, 5, 2};
	struct tensor_bytes out = FLOATS(scores, 1, 2, 2, 3);
	struct pipeline_config_post_keys keys = keys_of(PIPELINE_CONFIG_POST_MASK);
	struct postprocess post = {.keys = &keys, .labels = &no_labels};
	owned_findings struct findings f = {0};
	must_read(&post, &out, 1, &f);
	assert_int_equal(f.mask.width, 2);
	assert_memory_equal(f.mask.classes, ((uint8_t[]){0, 2, 2, 1}), 4);
	assert_int_equal(f.n, 3);
	assert_int_equal(f.items[0].index, 2);
	assert_true(f.items[0].score == 0.5);
}

static void numbers_have_gain_and_offset(void **state)
{
	(void)state;
	const float values[2] = {2, -1};
	struct tensor_bytes out = FLOATS(values, 1, 2);
	struct pipeline_config_post_keys keys = keys_of(PIPELINE_CONFIG_POST_NUMBERS);
	struct postprocess post = {.keys = &keys, .labels = &no_labels};
	owned_findings struct findings f = {0};
	keys.gain = 10;
	keys.offset = 0.5;
	must_read(&post, &out, 1, &f);
	assert_int_equal(f.n, 2);
	assert_true(f.items[0].score == 20.5 && f.items[1].score == -9.5);
}

static void a_reconstruction_is_compared_with_its_input(void **state)
{
	(void)state;
	const float in[2] = {1, 2}, out[2] = {2, 4};
	struct tensor_bytes input = FLOATS(in, 1, 2), output = FLOATS(out, 1, 2);
	struct tensor_spec spec = float_spec();
	struct pipeline_config_post_keys keys = keys_of(PIPELINE_CONFIG_POST_RECONSTRUCTION);
	struct postprocess post = {.keys = &keys, .labels = &no_labels};
	owned_findings struct findings f = {0};
	assert_int_equal(postprocess_read(&post, &spec, &input, 1, &spec, &output, 1, &f, NULL), 0);
	assert_true(f.items[0].score == 2.5);
}

static void the_nearest_example_gives_its_label(void **state)
{
	(void)state;
	static const char text[] = "north\t0 1\neast\t1 0\n";
	const float out[2] = {3, 4};
	struct tensor_bytes output = FLOATS(out, 1, 2);
	owned_examples struct few_shot examples = {0};
	assert_int_equal(few_shot_parse(text, sizeof(text) - 1, &examples, NULL), 0);
	struct pipeline_config_post_keys keys = keys_of(PIPELINE_CONFIG_POST_EMBEDDING);
	struct postprocess post = {.keys = &keys, .labels = &no_labels, .examples = &examples};
	owned_findings struct findings f = {0}, far = {0};
	must_read(&post, &output, 1, &f);
	assert_int_equal(f.n, 1);
	assert_string_equal(f.items[0].label, "north");
	assert_true(near(f.items[0].score, 0.8f));
	assert_int_equal(f.n_vector, 2);
	keys.max_distance = 0.1;
	must_read(&post, &output, 1, &far);
	assert_int_equal(far.n, 0);
}

/* Of a list that somebody else has written. */
static void the_length_of_an_example_makes_it_no_nearer(void **state)
{
	(void)state;
	static const char text[] = "long\t800 600\nnear\t0.3 0.4\nnone\t0 0\n";
	const float vector[2] = {0.6f, 0.8f};
	double distance = 0;
	owned_examples struct few_shot examples = {0};
	assert_int_equal(few_shot_parse(text, sizeof(text) - 1, &examples, NULL), 0);
	const struct few_shot_example *one =
		nearest_example_find(&examples, NEAREST_COSINE, vector, &distance);
	assert_string_equal(one->label, "near");
	assert_true(near(distance, 0));
	examples.n = 1;
	one = nearest_example_find(&examples, NEAREST_COSINE, vector, &distance);
	assert_true(near(distance, 0.04f));
	examples.n = 3;
	one = nearest_example_find(&examples, NEAREST_EUCLIDEAN, vector, &distance);
	assert_string_equal(one->label, "near");
	assert_true(near(distance, 0.5f));
}

static void outputs_of_another_form_are_refused(void **state)
{
	(void)state;
	const float data[16] = {0};
	const enum pipeline_config_post kinds[] = {PIPELINE_CONFIG_POST_DETECTIONS,
		PIPELINE_CONFIG_POST_SSD, PIPELINE_CONFIG_POST_YOLOV5, PIPELINE_CONFIG_POST_YOLOV8,
		PIPELINE_CONFIG_POST_KEYPOINTS, PIPELINE_CONFIG_POST_POSES,
		PIPELINE_CONFIG_POST_MASK, PIPELINE_CONFIG_POST_EMBEDDING,
		PIPELINE_CONFIG_POST_RECONSTRUCTION};
	const struct tensor_bytes outs[4] = {
		FLOATS(data, 16), FLOATS(data, 7), FLOATS(data, 3), FLOATS(data, 2)};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct pipeline_config_post_keys keys = keys_of(kinds[i]);
		struct postprocess post = {.keys = &keys, .labels = &no_labels};
		struct findings f = {0};
		struct error err = {0};
		assert_int_equal(read_outputs(&post, outs, 4, &f, &err), -EBADMSG);
		assert_null(f.items);
	}
	struct pipeline_config_post_keys keys = keys_of(PIPELINE_CONFIG_POST_SSD);
	struct postprocess post = {.keys = &keys, .labels = &no_labels};
	struct findings f = {0};
	assert_int_equal(read_outputs(&post, outs, 1, &f, NULL), -EBADMSG);
}

static void scores_that_are_no_numbers_are_not_found(void **state)
{
	(void)state;
	const float boxes[8] = {NAN, 0, 1, 1, 0, 0, 1, INFINITY};
	const float classes[2] = {1, -5}, scores[2] = {0.9f, NAN}, count[1] = {NAN};
	const struct tensor_bytes outs[4] = {FLOATS(boxes, 1, 2, 4), FLOATS(classes, 1, 2),
		FLOATS(scores, 1, 2), FLOATS(count, 1)};
	struct pipeline_config_post_keys keys = keys_of(PIPELINE_CONFIG_POST_DETECTIONS);
	struct postprocess post = {.keys = &keys, .labels = &no_labels};
	owned_findings struct findings f = {0};
	must_read(&post, outs, 4, &f);
	assert_int_equal(f.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(softmax_makes_scores_of_logits),
		cmocka_unit_test(labels_that_are_skipped_are_never_found),
		cmocka_unit_test(detections_are_as_the_operator_says),
		cmocka_unit_test(outputs_in_another_order_are_named),
		cmocka_unit_test(ssd_boxes_are_laid_around_their_anchors),
		cmocka_unit_test(softmax_of_an_anchor_is_of_all_its_classes),
		cmocka_unit_test(yolov5_multiplies_the_objects_score),
		cmocka_unit_test(yolov8_is_read_across_and_along),
		cmocka_unit_test(a_flat_output_is_a_box_by_its_labels_only),
		cmocka_unit_test(fewer_boxes_than_numbers_of_one_are_found),
		cmocka_unit_test(four_boxes_of_seven_numbers_are_read_across_and_along),
		cmocka_unit_test(no_box_has_too_few_numbers),
		cmocka_unit_test(a_box_of_another_class_stays_unless_classes_do_not_matter),
		cmocka_unit_test(overlap_is_intersection_over_union),
		cmocka_unit_test(key_points_have_a_box_around_the_good_ones),
		cmocka_unit_test(a_mask_is_summed_up_by_class),
		cmocka_unit_test(numbers_have_gain_and_offset),
		cmocka_unit_test(a_reconstruction_is_compared_with_its_input),
		cmocka_unit_test(the_nearest_example_gives_its_label),
		cmocka_unit_test(the_length_of_an_example_makes_it_no_nearer),
		cmocka_unit_test(outputs_of_another_form_are_refused),
		cmocka_unit_test(scores_that_are_no_numbers_are_not_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
