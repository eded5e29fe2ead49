/* SPDX-License-Identifier: Apache-2.0 */
#include "client/media/preprocess.h"

#include <errno.h>
#include <math.h>

#include "client/media/tensor_values.h"

/* Expands one value to all channels, or copies one for each channel. With @n 0 uses @otherwise. */
static int spread(uint32_t n, const double *given, double otherwise, uint32_t channels,
	double *ret_values, struct error *err)
{
	if (n > 1 && n != channels) {
		return error_set(
			err, -EINVAL, "%u values of mean or std for %u channels", n, channels);
	}
	for (uint32_t c = 0; c < PREPROCESS_MAX_CHANNELS; c++) {
		ret_values[c] = n == 0 ? otherwise : given[n > 1 && c < n ? c : 0];
	}
	return 0;
}

int preprocess_norm_find(const struct tensor_spec *spec, const struct preprocess_options *options,
	uint32_t channels, struct preprocess_norm *ret_norm, struct error *err)
{
	struct preprocess_norm norm = {.set = true};
	double mean[PREPROCESS_MAX_CHANNELS] = {0}, std[PREPROCESS_MAX_CHANNELS] = {0};
	for (uint32_t c = 0; c < PREPROCESS_MAX_CHANNELS; c++) {
		mean[c] = options->n_mean ? options->mean[c] : (double)spec->mean[c];
		std[c] = options->n_std ? options->std[c] : (double)spec->std[c];
	}
	bool said = options->n_mean || options->n_std;
	uint32_t n_mean = options->n_mean ? options->n_mean : said ? 0 : spec->n_mean;
	uint32_t n_std = options->n_std ? options->n_std : said ? 0 : spec->n_std;
	if (n_mean == 0 && n_std == 0) {
		*ret_norm = (struct preprocess_norm){0};
		return 0;
	}
	int r = spread(n_mean, mean, 0, channels, norm.mean, err);
	r = r < 0 ? r : spread(n_std, std, 1, channels, norm.std, err);
	if (r < 0) {
		return r;
	}
	for (uint32_t c = 0; c < PREPROCESS_MAX_CHANNELS; c++) {
		if (!isfinite(norm.mean[c]) || !isfinite(norm.std[c]) || norm.std[c] == 0) {
			return error_set(
				err, -EINVAL, "mean %g and std %g", norm.mean[c], norm.std[c]);
		}
	}
	*ret_norm = norm;
	return 0;
}

/* Writes @real to element @index. The error message says why a value does not fit. */
static int put(const struct tensor_spec *spec, struct tensor_bytes *tensor, size_t index,
	double real, struct error *err)
{
	if (tensor_values_put(spec, tensor->data, index, real)) {
		return 0;
	}
	return error_set(err, -EINVAL, "number %zu, %g, does not fit into %s", index + 1, real,
		dtype_name(spec->type));
}

int preprocess_numbers(const struct tensor_spec *spec, const struct preprocess_options *options,
	const double *values, size_t n, struct tensor_bytes *ret_tensor, struct error *err)
{
	owned_tensor struct tensor_bytes tensor = {0};
	char shown[SHAPE_TEXT_SIZE];
	struct preprocess_norm norm = {0};
	uint64_t wanted = tensor_spec_elements(spec);
	uint32_t last = spec->shape.rank ? (uint32_t)spec->shape.dim[spec->shape.rank - 1] : 1;
	uint32_t channels = last >= 1 && last <= PREPROCESS_MAX_CHANNELS ? last : 1;
	if (n != wanted) {
		return error_set(err, -EINVAL, "%zu numbers for %llu elements (%s)", n,
			(unsigned long long)wanted,
			shape_format(shown, sizeof(shown), &spec->shape));
	}
	if (!tensor_values_are_numbers(spec->type)) {
		return error_set(err, -EOPNOTSUPP, "numbers do not make a %s tensor",
			dtype_name(spec->type));
	}
	int r = preprocess_norm_find(spec, options, channels, &norm, err);
	r = r < 0 ? r : tensor_new(spec->type, &spec->shape, &tensor, err);
	for (size_t i = 0; i < n && r == 0; i++) {
		uint32_t c = (uint32_t)(i % channels);
		double real = norm.set ? (values[i] - norm.mean[c]) / norm.std[c] : values[i];
		r = put(spec, &tensor, i, real, err);
	}
	if (r < 0) {
		return r;
	}
	*ret_tensor = tensor;
	tensor = (struct tensor_bytes){0};
	return 0;
}
