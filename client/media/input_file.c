/* SPDX-License-Identifier: Apache-2.0 */
#include "client/media/input_file.h"

#include <errno.h>
#include <string.h>

#include "client/media/csv.h"
#include "client/media/npy.h"
#include "client/media/tensor_values.h"

static int read_image(const struct tensor_spec *spec, const struct preprocess_options *options,
	const struct source *source, struct tensor_bytes *ret_tensor, struct error *err)
{
	owned_image struct image image = {0};
	int r = image_decode(source_format_of(source), source->data, source->size, &image, err);
	return r < 0 ? r : preprocess_image(spec, options, &image, ret_tensor, err);
}

static int read_sound(const struct tensor_spec *spec, const struct preprocess_options *options,
	bool headerless, const struct source *source, struct tensor_bytes *ret_tensor,
	struct error *err)
{
	owned_sound struct sound sound = {0};
	int r = headerless
		? sound_s16_decode(source->data, source->size, options->rate, 1, &sound, err)
		: sound_wav_decode(source->data, source->size, &sound, err);
	return r < 0 ? r : preprocess_sound(spec, options, &sound, ret_tensor, err);
}

static int read_csv(const struct tensor_spec *spec, const struct preprocess_options *options,
	const struct source *source, struct tensor_bytes *ret_tensor, struct error *err)
{
	owned_table struct number_table table = {0};
	int r = csv_parse((const char *)source->data, source->size, 0, &table, err);
	return r < 0 ? r
		     : preprocess_numbers(spec, options, table.values, table.n, ret_tensor, err);
}

static int read_raw(const struct tensor_spec *spec, const struct source *source,
	struct tensor_bytes *ret_tensor, struct error *err)
{
	if (source->size != spec->bytes) {
		return error_set(err, -EINVAL, "%zu bytes for a tensor of %llu", source->size,
			(unsigned long long)spec->bytes);
	}
	return tensor_copy(spec->type, &spec->shape, source->data, source->size, ret_tensor, err);
}

/* True if the array's shape can be used: it matches the model's dimensions, dynamic ones have
 * any size. Otherwise only the number of elements must match. */
static bool takes_shape(const struct tensor_spec *spec, const struct shape *shape)
{
	if (shape->rank != spec->declared.rank) {
		return false;
	}
	for (unsigned int i = 0; i < shape->rank; i++) {
		if (spec->declared.dim[i] != -1 && spec->declared.dim[i] != shape->dim[i]) {
			return false;
		}
	}
	return true;
}

static int convert_npy(const struct tensor_spec *spec, const struct npy *npy,
	struct tensor_bytes *tensor, struct error *err)
{
	struct tensor_spec stored = {.type = npy->type, .shape = npy->shape};
	size_t n = (size_t)tensor_spec_elements(&stored);
	if (!tensor_values_are_numbers(npy->type) || !tensor_values_are_numbers(spec->type)) {
		return error_set(err, -EINVAL, "npy: %s where the model takes %s",
			dtype_name(npy->type), dtype_name(spec->type));
	}
	for (size_t i = 0; i < n; i++) {
		double real = tensor_values_get(&stored, npy->data, i);
		if (!tensor_values_put(spec, tensor->data, i, real)) {
			return error_set(err, -EINVAL, "npy: element %zu, %g, does not fit into %s",
				i, real, dtype_name(spec->type));
		}
	}
	return 0;
}

static int read_npy(const struct tensor_spec *spec, const struct source *source,
	struct tensor_bytes *ret_tensor, struct error *err)
{
	struct npy npy = {0};
	uint64_t elements = 0;
	char have[SHAPE_TEXT_SIZE], want[SHAPE_TEXT_SIZE];
	int r = npy_parse(source->data, source->size, &npy, err);
	if (r < 0) {
		return r;
	}
	bool own_shape = takes_shape(spec, &npy.shape);
	if (shape_elements(&npy.shape, &elements) < 0 ||
		(!own_shape && elements != tensor_spec_elements(spec))) {
		return error_set(err, -EINVAL, "npy: shape %s where the model takes %s",
			shape_format(have, sizeof(have), &npy.shape),
			shape_format(want, sizeof(want), &spec->declared));
	}
	const struct shape *shape = own_shape ? &npy.shape : &spec->shape;
	if (npy.type == spec->type) {
		return tensor_copy(npy.type, shape, npy.data, npy.bytes, ret_tensor, err);
	}
	owned_tensor struct tensor_bytes tensor = {0};
	r = tensor_new(spec->type, shape, &tensor, err);
	r = r < 0 ? r : convert_npy(spec, &npy, &tensor, err);
	if (r < 0) {
		return r;
	}
	*ret_tensor = tensor;
	tensor = (struct tensor_bytes){0};
	return 0;
}

static int read_strings(const struct tensor_spec *spec, enum input_format format,
	const struct source *source, struct tensor_bytes *ret_tensor, struct error *err)
{
	if (format == INPUT_RAW) {
		return preprocess_string_table(spec, source->data, source->size, ret_tensor, err);
	}
	if (format != INPUT_AUTO) {
		return error_set(err, -EINVAL, "the model takes strings: text:... or lines");
	}
	return source_is_text(source)
		? preprocess_string(spec, source->data, source->size, ret_tensor, err)
		: preprocess_lines(spec, source->data, source->size, ret_tensor, err);
}

/* Detects by the first bytes, then by the raw size, then by the name. */
static enum input_format detect(const struct tensor_spec *spec, const struct source *source)
{
	enum source_format format = source_format_of(source);
	if (source_is_text(source)) {
		return INPUT_CSV;
	}
	if (source_is_image(format)) {
		return INPUT_IMAGE;
	}
	if (format == SOURCE_WAV) {
		return INPUT_WAV;
	}
	if (format == SOURCE_NPY) {
		return INPUT_NPY;
	}
	if (format == SOURCE_CSV &&
		(source->size != spec->bytes || source_is_table_name(source->path))) {
		return INPUT_CSV;
	}
	return source->size == spec->bytes ? INPUT_RAW : INPUT_AUTO;
}

int input_file_read(const struct tensor_spec *spec, const struct preprocess_options *options,
	enum input_format format, const struct source *source, struct tensor_bytes *ret_tensor,
	struct error *err)
{
	if (spec->type == DTYPE_STRING) {
		return read_strings(spec, format, source, ret_tensor, err);
	}
	format = format == INPUT_AUTO ? detect(spec, source) : format;
	switch (format) {
	case INPUT_IMAGE:
		return read_image(spec, options, source, ret_tensor, err);
	case INPUT_WAV:
	case INPUT_S16LE:
		return read_sound(spec, options, format == INPUT_S16LE, source, ret_tensor, err);
	case INPUT_CSV:
		return read_csv(spec, options, source, ret_tensor, err);
	case INPUT_NPY:
		return read_npy(spec, source, ret_tensor, err);
	case INPUT_RAW:
		return read_raw(spec, source, ret_tensor, err);
	default:
		return error_set(err, -EINVAL,
			"neither a format that is known nor the tensor's %llu bytes, but %zu",
			(unsigned long long)spec->bytes, source->size);
	}
}
