/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/strings.h"
#include "client/media/input_file.h"

static struct tensor_spec make_spec(unsigned int type, struct shape shape, double scale, int zero)
{
	struct tensor_spec spec = {.type = type,
		.shape = shape,
		.declared = shape,
		.scale = scale,
		.zero_point = zero,
		.score_threshold = NAN};
	assert_int_equal(shape_bytes(&shape, type, &spec.bytes), 0);
	return spec;
}

static const struct preprocess_options plain = {.rate = 16000};

/* A picture of 2 x 1 pixels, one grey value each, becomes @wanted. */
static void check_pixels(const struct tensor_spec *spec, const struct preprocess_options *options,
	const void *wanted)
{
	uint8_t pixels[2] = {0, 200};
	struct image image = {pixels, 2, 1, 1};
	owned_tensor struct tensor_bytes t = {0};
	assert_int_equal(preprocess_image(spec, options, &image, &t, NULL), 0);
	assert_int_equal(t.bytes, spec->bytes);
	assert_memory_equal(t.data, wanted, (size_t)t.bytes);
}

static const struct shape pixels_2 = {4, {1, 1, 2, 1}};

static void pixels_follow_the_range_that_the_tensor_shows(void **state)
{
	(void)state;
	struct tensor_spec spec = make_spec(DTYPE_UINT8, pixels_2, 1 / 128.0, 128);
	check_pixels(&spec, &plain, (const uint8_t[]){0, 201}); /* -1..1 */
	spec = make_spec(DTYPE_INT8, pixels_2, 1 / 255.0, -128);
	check_pixels(&spec, &plain, (const int8_t[]){-128, 72}); /* 0..1 */
	spec = make_spec(DTYPE_UINT8, pixels_2, 1, 0);
	check_pixels(&spec, &plain, (const uint8_t[]){0, 200}); /* 0..255 */
	spec = make_spec(DTYPE_INT8, pixels_2, 0.02, -13);
	check_pixels(&spec, &plain, (const int8_t[]){-128, 72}); /* laid on the type's range */
	spec = make_spec(DTYPE_INT8, pixels_2, 0, 0);
	check_pixels(&spec, &plain, (const int8_t[]){-128, 72});
	spec = make_spec(DTYPE_FLOAT32, pixels_2, 0, 0);
	check_pixels(&spec, &plain, (const float[]){-1, (float)(72.5 / 127.5)});
	spec = make_spec(DTYPE_INT32, pixels_2, 0, 0);
	check_pixels(&spec, &plain, (const int32_t[]){0, 200});
}

static void normalisation_is_said_by_the_user_before_the_metadata(void **state)
{
	(void)state;
	struct tensor_spec spec = make_spec(DTYPE_FLOAT32, pixels_2, 0, 0);
	spec.n_mean = spec.n_std = 1;
	spec.mean[0] = 100;
	spec.std[0] = 50;
	check_pixels(&spec, &plain, (const float[]){-2, 2});
	struct preprocess_options options = plain;
	options.n_std = 1;
	options.std[0] = 255;
	check_pixels(&spec, &options, (const float[]){0, (float)(200 / 255.0)});
	options.std[0] = 0;
	uint8_t pixels[2] = {0};
	struct tensor_bytes t = {0};
	assert_int_equal(
		preprocess_image(&spec, &options, &(struct image){pixels, 2, 1, 1}, &t, NULL),
		-EINVAL);
	options.n_std = 3;
	assert_int_equal(
		preprocess_image(&spec, &options, &(struct image){pixels, 2, 1, 1}, &t, NULL),
		-EINVAL);
}

static void planes_come_one_after_the_other(void **state)
{
	(void)state;
	struct tensor_spec spec = make_spec(DTYPE_UINT8, (struct shape){4, {1, 3, 1, 2}}, 1, 0);
	uint8_t pixels[6] = {1, 2, 3, 4, 5, 6};
	struct image image = {pixels, 2, 1, 3};
	owned_tensor struct tensor_bytes t = {0};
	assert_int_equal(preprocess_image(&spec, &plain, &image, &t, NULL), 0);
	assert_memory_equal(t.data, ((const uint8_t[]){1, 4, 2, 5, 3, 6}), 6);
	struct preprocess_options nhwc = plain;
	nhwc.layout = PREPROCESS_LAYOUT_NHWC;
	struct tensor_bytes none = {0};
	struct error err = {0};
	assert_int_equal(preprocess_image(&spec, &nhwc, &image, &none, &err), -EINVAL);
	assert_string_equal(err.text, "a tensor of uint8 1x3x1x2 takes no picture");
}

static void free_sides_take_the_size_of_the_picture(void **state)
{
	(void)state;
	struct tensor_spec spec = make_spec(DTYPE_UINT8, (struct shape){4, {1, 1, 1, 3}}, 1, 0);
	spec.declared = (struct shape){4, {-1, -1, -1, 3}};
	uint8_t pixels[6] = {1, 2, 3, 4, 5, 6};
	struct image image = {pixels, 3, 2, 1};
	owned_tensor struct tensor_bytes t = {0};
	assert_int_equal(preprocess_image(&spec, &plain, &image, &t, NULL), 0);
	assert_true(shape_equal(&t.shape, &(struct shape){4, {1, 2, 3, 3}}));
	assert_memory_equal(t.data, ((const uint8_t[]){1, 1, 1, 2, 2, 2}), 6);
}

static void crop_keeps_the_middle_and_pad_keeps_all(void **state)
{
	(void)state;
	struct tensor_spec spec = make_spec(DTYPE_UINT8, (struct shape){4, {1, 2, 2, 1}}, 1, 0);
	uint8_t pixels[8] = {1, 20, 30, 4, 5, 60, 70, 8};
	struct image image = {pixels, 4, 2, 1};
	owned_tensor struct tensor_bytes cropped = {0}, padded = {0};
	struct preprocess_options options = plain;
	options.resize = PREPROCESS_CROP;
	assert_int_equal(preprocess_image(&spec, &options, &image, &cropped, NULL), 0);
	assert_memory_equal(cropped.data, ((const uint8_t[]){20, 30, 60, 70}), 4);
	options.resize = PREPROCESS_PAD;
	assert_int_equal(preprocess_image(&spec, &options, &image, &padded, NULL), 0);
	assert_memory_equal(padded.data, ((const uint8_t[]){22, 28, 0, 0}), 4);
}

static void sound_is_centred_in_the_tensor(void **state)
{
	(void)state;
	struct tensor_spec spec = make_spec(DTYPE_FLOAT32, (struct shape){3, {1, 4, 1}}, 0, 0);
	float samples[6] = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 2};
	owned_tensor struct tensor_bytes cut = {0}, padded = {0};
	assert_int_equal(
		preprocess_sound(&spec, &plain, &(struct sound){samples, 6, 16000}, &cut, NULL), 0);
	assert_memory_equal(cut.data, samples + 1, 16);
	assert_int_equal(
		preprocess_sound(&spec, &plain, &(struct sound){samples, 2, 16000}, &padded, NULL),
		0);
	assert_memory_equal(padded.data, ((const float[]){0, 0.1f, 0.2f, 0}), 16);
}

static void sound_fills_the_scale_of_its_type(void **state)
{
	(void)state;
	float samples[2] = {-1, 3};
	struct sound sound = {samples, 2, 16000};
	owned_tensor struct tensor_bytes s8 = {0}, s16 = {0};
	struct tensor_spec spec = make_spec(DTYPE_INT8, (struct shape){2, {1, 2}}, 1 / 128.0, 0);
	assert_int_equal(preprocess_sound(&spec, &plain, &sound, &s8, NULL), 0);
	assert_memory_equal(s8.data, ((const int8_t[]){-128, 127}), 2);
	spec = make_spec(DTYPE_INT16, (struct shape){2, {1, 2}}, 0, 0);
	assert_int_equal(preprocess_sound(&spec, &plain, &sound, &s16, NULL), 0);
	assert_memory_equal(s16.data, ((const int16_t[]){-32767, 32767}), 4);
	spec = make_spec(DTYPE_FLOAT32, (struct shape){3, {1, 2, 2}}, 0, 0);
	struct tensor_bytes none = {0};
	assert_int_equal(preprocess_sound(&spec, &plain, &sound, &none, NULL), -EINVAL);
}

static int read_bytes(const struct tensor_spec *spec, enum input_format format, const char *path,
	const void *data, size_t size, struct tensor_bytes *t, struct error *err)
{
	char copy[512] = {0};
	memcpy(copy, data, size);
	struct source source = {path, (uint8_t *)copy, size};
	return input_file_read(spec, &plain, format, &source, t, err);
}

static void a_table_is_normalised_by_column(void **state)
{
	(void)state;
	struct tensor_spec spec = make_spec(DTYPE_INT8, (struct shape){3, {1, 2, 3}}, 0.5, 1);
	spec.n_mean = spec.n_std = 3;
	memcpy(spec.mean, ((const float[]){10, 20, 30}), 12);
	memcpy(spec.std, ((const float[]){1, 2, 4}), 12);
	const char text[] = "x,y,z\n11,20,26\n10,22,30\n";
	owned_tensor struct tensor_bytes t = {0};
	assert_int_equal(read_bytes(&spec, INPUT_AUTO, "a.csv", text, strlen(text), &t, NULL), 0);
	assert_memory_equal(t.data, ((const int8_t[]){3, 1, -1, 1, 3, 1}), 6);
	struct tensor_bytes none = {0};
	struct error err = {0};
	assert_int_equal(read_bytes(&spec, INPUT_AUTO, "a.csv", "1,2", 3, &none, &err), -EINVAL);
	assert_string_equal(err.text, "2 numbers for 6 elements (1x2x3)");
}

static void raw_bytes_are_exactly_the_tensors(void **state)
{
	(void)state;
	struct tensor_spec spec = make_spec(DTYPE_INT16, (struct shape){1, {2}}, 0, 0);
	owned_tensor struct tensor_bytes t = {0};
	assert_int_equal(read_bytes(&spec, INPUT_AUTO, "-", "\1\2\3\4", 4, &t, NULL), 0);
	assert_memory_equal(t.data, "\1\2\3\4", 4);
	struct tensor_bytes none = {0};
	assert_int_equal(read_bytes(&spec, INPUT_AUTO, "-", "\1\2\3", 3, &none, NULL), -EINVAL);
	assert_int_equal(read_bytes(&spec, INPUT_RAW, "-", "\1\2\3", 3, &none, NULL), -EINVAL);
}

static size_t make_npy(const char *header, const void *data, size_t size, char out[256])
{
	size_t n = strlen(header);
	memcpy(out, "\x93NUMPY\1\0", 8);
	out[8] = (char)n;
	out[9] = 0;
	memcpy(out + 10, header, n);
	memcpy(out + 10 + n, data, size);
	return 10 + n + size;
}

static void an_array_of_the_same_type_is_taken_as_stored_and_another_is_quantised(void **state)
{
	(void)state;
	char file[256];
	struct tensor_spec spec = make_spec(DTYPE_INT8, (struct shape){2, {1, 2}}, 0.5, 10);
	owned_tensor struct tensor_bytes a = {0}, b = {0};
	const float real[2] = {1, -2};
	size_t size =
		make_npy("{'descr':'|i1','fortran_order':False,'shape':(2,)}", "\5\6", 2, file);
	assert_int_equal(read_bytes(&spec, INPUT_AUTO, "a", file, size, &a, NULL), 0);
	assert_memory_equal(a.data, "\5\6", 2);
	size = make_npy(
		"{'descr':'<f4','fortran_order':False,'shape':(2,1)}", real, sizeof(real), file);
	assert_int_equal(read_bytes(&spec, INPUT_AUTO, "b", file, size, &b, NULL), 0);
	assert_memory_equal(b.data, "\x0c\x06", 2);
	assert_true(shape_equal(&b.shape, &spec.shape));
}

/* What is read becomes @n strings in @shape; 0 for refused. */
static void check_strings(struct shape declared, enum input_format format, const char *path,
	const void *data, size_t size, uint32_t n, struct shape shape)
{
	struct tensor_spec spec = {.type = DTYPE_STRING, .shape = declared, .declared = declared};
	struct strings strings;
	for (unsigned int i = 0; i < declared.rank; i++) {
		spec.shape.dim[i] = declared.dim[i] < 0 ? 1 : declared.dim[i];
	}
	struct source source = {.path = path, .data = malloc(size + 1), .size = size};
	assert_non_null(source.data);
	memcpy(source.data, data, size);
	owned_tensor struct tensor_bytes t = {0};
	int r = input_file_read(&spec, &plain, format, &source, &t, NULL);
	source_close(&source);
	if (shape.rank == 9) {
		assert_int_equal(r, -EINVAL);
		return;
	}
	assert_int_equal(r, 0);
	assert_true(shape_equal(&t.shape, &shape));
	assert_int_equal(strings_open(&strings, t.data, t.bytes, n, NULL), 0);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t length = 0;
		const char *text = strings_get(&strings, i, &length);
		assert_int_equal(length, i + 1);
		assert_memory_equal(text, "xyzw", length);
	}
}

static void strings_are_lines_a_text_or_a_table(void **state)
{
	(void)state;
	const struct shape none = {9, {0}}, list = {1, {-1}}, scalar = {0, {0}}, pair = {1, {2}};
	const struct shape rows = {2, {-1, 2}}, one_by_two = {2, {1, 2}}, square = {2, {3, 2}};
	check_strings(list, INPUT_AUTO, "a.txt", "x\nxy\r\nxyz", 9, 3, (struct shape){1, {3}});
	check_strings(list, INPUT_AUTO, "a.txt", "x\n", 2, 1, (struct shape){1, {1}});
	check_strings(list, INPUT_AUTO, "a.txt", "", 0, 0, (struct shape){1, {0}});
	check_strings(pair, INPUT_AUTO, "-", "x\nxy\n", 5, 2, pair);
	check_strings(pair, INPUT_AUTO, "-", "x\n", 2, 1, (struct shape){1, {1}});
	check_strings(rows, INPUT_AUTO, "-", "x\nxy\n", 5, 2, one_by_two);
	check_strings(rows, INPUT_AUTO, "-", "x\nxy\nxyz\n", 9, 3, none);
	check_strings(square, INPUT_AUTO, "-", "x\nxy\n", 5, 2, none);
	check_strings(scalar, INPUT_AUTO, "text:x", "x", 1, 1, scalar);
	check_strings(scalar, INPUT_AUTO, "-", "x\nxy\n", 5, 2, none);
	check_strings(scalar, INPUT_CSV, "-", "x", 1, 1, none);
	const uint8_t table[] = {1, 0, 0, 0, 12, 0, 0, 0, 13, 0, 0, 0, 'x'};
	check_strings(scalar, INPUT_RAW, "-", table, sizeof(table), 1, scalar);
	owned_tensor struct tensor_bytes t = {0};
	struct tensor_spec spec = {.type = DTYPE_STRING};
	struct source cut = {.path = "-", .data = (uint8_t *)(uintptr_t)table, .size = 12};
	assert_int_equal(input_file_read(&spec, &plain, INPUT_RAW, &cut, &t, NULL), -EBADMSG);
}

static void a_text_of_the_command_line_has_numbers_as_well(void **state)
{
	(void)state;
	owned_source struct source source = {0};
	owned_tensor struct tensor_bytes t = {0};
	struct tensor_spec spec = make_spec(DTYPE_FLOAT32, (struct shape){1, {3}}, 0, 0);
	assert_int_equal(source_open("text:1, -2,3.5", 0, &source, NULL), 0);
	assert_int_equal(input_file_read(&spec, &plain, INPUT_AUTO, &source, &t, NULL), 0);
	assert_memory_equal(t.data, ((const float[]){1, -2, 3.5f}), 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pixels_follow_the_range_that_the_tensor_shows),
		cmocka_unit_test(normalisation_is_said_by_the_user_before_the_metadata),
		cmocka_unit_test(planes_come_one_after_the_other),
		cmocka_unit_test(free_sides_take_the_size_of_the_picture),
		cmocka_unit_test(crop_keeps_the_middle_and_pad_keeps_all),
		cmocka_unit_test(sound_is_centred_in_the_tensor),
		cmocka_unit_test(sound_fills_the_scale_of_its_type),
		cmocka_unit_test(a_table_is_normalised_by_column),
		cmocka_unit_test(raw_bytes_are_exactly_the_tensors),
		cmocka_unit_test(strings_are_lines_a_text_or_a_table),
		cmocka_unit_test(a_text_of_the_command_line_has_numbers_as_well),
		cmocka_unit_test(
			an_array_of_the_same_type_is_taken_as_stored_and_another_is_quantised),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
