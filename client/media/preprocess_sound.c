/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>

#include "client/media/preprocess.h"
#include "client/media/tensor_values.h"

static bool is_free(const struct tensor_spec *spec, int axis)
{
	return spec->declared.rank == spec->shape.rank && spec->declared.dim[axis] == -1;
}

/* Returns the dimension with the length; -1 if more than one dimension is not 1. A tensor of [1,
 * 1] has its length in the last dimension. */
static int length_axis(const struct tensor_spec *spec)
{
	int axis = -1;
	for (int i = 0; i < spec->shape.rank; i++) {
		if (spec->shape.dim[i] == 1 && !(i > 0 && is_free(spec, i))) {
			continue;
		}
		if (axis >= 0) {
			return -1;
		}
		axis = i;
	}
	return axis < 0 ? spec->shape.rank - 1 : axis;
}

/* Returns the value of a sample of 1. */
static double full_scale(const struct tensor_spec *spec)
{
	if (spec->scale > 0) {
		return 1;
	}
	return spec->type == DTYPE_INT16 ? 32767 : spec->type == DTYPE_INT8 ? 127 : 1;
}

static int fill(const struct tensor_spec *spec, const struct preprocess_options *options,
	const struct sound *sound, struct tensor_bytes *tensor, size_t length, struct error *err)
{
	struct preprocess_norm norm = {0};
	int r = preprocess_norm_find(spec, options, 1, &norm, err);
	if (r < 0) {
		return r;
	}
	double scale = full_scale(spec);
	int64_t shift = ((int64_t)sound->n - (int64_t)length) / 2;
	for (size_t i = 0; i < length; i++) {
		int64_t at = (int64_t)i + shift;
		bool inside = at >= 0 && at < (int64_t)sound->n;
		double sample = inside ? fmin(fmax((double)sound->samples[at], -1), 1) : 0;
		double real = norm.set ? (sample - norm.mean[0]) / norm.std[0] : sample * scale;
		if (!tensor_values_put(spec, tensor->data, i, real)) {
			return error_set(
				err, -EINVAL, "samples do not fit into %s", dtype_name(spec->type));
		}
	}
	return 0;
}

int preprocess_sound(const struct tensor_spec *spec, const struct preprocess_options *options,
	const struct sound *sound, struct tensor_bytes *ret_tensor, struct error *err)
{
	owned_tensor struct tensor_bytes tensor = {0};
	owned_sound struct sound resampled = {0};
	char shown[SHAPE_TEXT_SIZE];
	int axis = length_axis(spec);
	if (axis < 0 || !tensor_values_are_numbers(spec->type)) {
		return error_set(err, -EINVAL, "a tensor of %s %s takes no sound",
			dtype_name(spec->type), shape_format(shown, sizeof(shown), &spec->shape));
	}
	if (sound->rate != options->rate) {
		int r = sound_resample(sound, options->rate, &resampled, err);
		if (r < 0) {
			return r;
		}
		sound = &resampled;
	}
	struct shape shape = spec->shape;
	if (is_free(spec, axis)) {
		shape.dim[axis] = sound->n > 0 ? (int32_t)sound->n : 1;
	}
	int r = tensor_new(spec->type, &shape, &tensor, err);
	r = r < 0 ? r : fill(spec, options, sound, &tensor, (size_t)shape.dim[axis], err);
	if (r < 0) {
		return r;
	}
	*ret_tensor = tensor;
	tensor = (struct tensor_bytes){0};
	return 0;
}
