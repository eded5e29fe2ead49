/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "client/media/preprocess.h"
#include "client/media/tensor_values.h"

/* The roles of the dimensions; -1: the shape has no such dimension. */
struct frame {
	int height_axis, width_axis, channel_axis;
	uint32_t height, width, channels; /* 0: dynamic, the image's own */
	bool planar;
};

static bool is_colour(int32_t dim)
{
	return dim == 1 || dim == 3;
}

static bool pick_axes(const struct shape *s, enum preprocess_layout layout, struct frame *f)
{
	bool nhwc = s->rank == 4 && is_colour(s->dim[3]) && layout != PREPROCESS_LAYOUT_NCHW;
	bool nchw = s->rank == 4 && is_colour(s->dim[1]) && layout != PREPROCESS_LAYOUT_NHWC;
	bool grey = s->rank == 3 && s->dim[0] == 1;
	bool hwc = s->rank == 3 && !grey && is_colour(s->dim[2]);
	if (s->rank == 4 && s->dim[0] != 1) {
		return false;
	}
	if (nhwc) {
		*f = (struct frame){.height_axis = 1, .width_axis = 2, .channel_axis = 3};
	} else if (nchw) {
		*f = (struct frame){
			.height_axis = 2, .width_axis = 3, .channel_axis = 1, .planar = true};
	} else if (grey) {
		*f = (struct frame){.height_axis = 1, .width_axis = 2, .channel_axis = -1};
	} else if (hwc) {
		*f = (struct frame){.height_axis = 0, .width_axis = 1, .channel_axis = 2};
	}
	return nhwc || nchw || grey || hwc;
}

void preprocess_picture_size(const struct shape *shape, enum preprocess_layout layout,
	uint32_t *ret_width, uint32_t *ret_height)
{
	struct frame f = {0};
	bool found = pick_axes(shape, layout, &f);
	if (!found && shape->rank == 4) {
		f.height_axis = layout == PREPROCESS_LAYOUT_NCHW ? 2 : 1;
		f.width_axis = f.height_axis + 1;
		found = true;
	}
	*ret_width = found ? (uint32_t)shape->dim[f.width_axis] : 0;
	*ret_height = found ? (uint32_t)shape->dim[f.height_axis] : 0;
}

static uint32_t side(const struct tensor_spec *spec, int axis)
{
	bool is_free = spec->declared.rank == spec->shape.rank && spec->declared.dim[axis] == -1;
	return is_free ? 0 : (uint32_t)spec->shape.dim[axis];
}

static int find_frame(const struct tensor_spec *spec, enum preprocess_layout layout,
	struct frame *ret_frame, struct error *err)
{
	char shown[SHAPE_TEXT_SIZE];
	struct frame f = {0};
	if (!tensor_values_are_numbers(spec->type) || !pick_axes(&spec->shape, layout, &f)) {
		return error_set(err, -EINVAL, "a tensor of %s %s takes no picture",
			dtype_name(spec->type), shape_format(shown, sizeof(shown), &spec->shape));
	}
	f.height = side(spec, f.height_axis);
	f.width = side(spec, f.width_axis);
	f.channels = f.channel_axis < 0 ? 1 : (uint32_t)spec->shape.dim[f.channel_axis];
	*ret_frame = f;
	return 0;
}

/* Crops @of to the largest centred part with the aspect ratio of @width x @height and resizes
 * it. */
static int crop_to(const struct image *image, const struct image_part *of, uint32_t width,
	uint32_t height, struct image *ret_image, struct preprocess_frame *ret_frame,
	struct error *err)
{
	uint64_t w = of->width, h = of->height;
	if (w * height > h * width) {
		w = (h * width + height / 2) / height;
	} else {
		h = (w * height + width / 2) / width;
	}
	w = w ? w : 1;
	h = h ? h : 1;
	const uint32_t x = (uint32_t)(of->width - w) / 2, y = (uint32_t)(of->height - h) / 2;
	const struct image_part part = {of->x + x, of->y + y, (uint32_t)w, (uint32_t)h};
	*ret_frame = (struct preprocess_frame){(double)x / of->width, (double)y / of->height,
		(double)w / of->width, (double)h / of->height};
	return image_resize_part(image, &part, width, height, ret_image, err);
}

/* Resizes all of @of to the largest size that fits, centred on grey @pad. */
static int pad_to(const struct image *image, const struct image_part *of, uint32_t width,
	uint32_t height, uint8_t pad, struct image *ret_image, struct preprocess_frame *ret_frame,
	struct error *err)
{
	owned_image struct image small = {0};
	uint64_t w = width, h = height;
	if ((uint64_t)of->width * height > (uint64_t)of->height * width) {
		h = ((uint64_t)of->height * width + of->width / 2) / of->width;
	} else {
		w = ((uint64_t)of->width * height + of->height / 2) / of->height;
	}
	w = w ? w : 1;
	h = h ? h : 1;
	int r = image_resize_part(image, of, (uint32_t)w, (uint32_t)h, &small, err);
	r = r < 0 ? r : image_new(width, height, image->channels, ret_image, err);
	if (r < 0) {
		return r;
	}
	uint32_t n = image->channels, left = (width - small.width) / 2;
	uint32_t top = (height - small.height) / 2;
	*ret_frame =
		(struct preprocess_frame){-(double)left / small.width, -(double)top / small.height,
			(double)width / small.width, (double)height / small.height};
	memset(ret_image->pixels, pad, (size_t)width * height * n);
	for (uint32_t y = 0; y < small.height; y++) {
		memcpy(ret_image->pixels + ((size_t)(top + y) * width + left) * n,
			small.pixels + (size_t)y * small.width * n, (size_t)small.width * n);
	}
	return 0;
}

static int scale_to(const struct image *image, const struct image_part *of, uint32_t width,
	uint32_t height, const struct preprocess_options *options, struct image *ret_image,
	struct preprocess_frame *ret_frame, struct error *err)
{
	*ret_frame = (struct preprocess_frame){0, 0, 1, 1};
	if (options->resize == PREPROCESS_PAD) {
		return pad_to(image, of, width, height, options->pad, ret_image, ret_frame, err);
	}
	return options->resize == PREPROCESS_STRETCH
		? image_resize_part(image, of, width, height, ret_image, err)
		: crop_to(image, of, width, height, ret_image, ret_frame, err);
}

/* Guesses the normalization from the type's range (see preprocess.h). */
static void guess_norm(const struct tensor_spec *spec, struct preprocess_norm *norm)
{
	int64_t lowest = 0, highest = 0;
	double mean = 127.5, std = 127.5;
	tensor_spec_range(spec->type, &lowest, &highest);
	double low = spec->scale * (double)(lowest - spec->zero_point);
	double high = spec->scale * (double)(highest - spec->zero_point);
	bool is_byte = spec->type == DTYPE_INT8 || spec->type == DTYPE_UINT8;
	if (highest != 0 && spec->scale <= 0) {
		mean = spec->type == DTYPE_INT8 ? 128 : 0;
		std = 1;
	} else if (is_byte && fabs(low) < 0.05 && high > 0.9 && high < 1.1) {
		mean = 0;
		std = 255;
	} else if (is_byte && fabs(low) < 2 && high > 230 && high < 280) {
		mean = 0;
		std = 1;
	} else if (is_byte && !(fabs(low + 1) < 0.1 && fabs(high - 1) < 0.1)) {
		/* p - mean equals q - zero_point */
		mean = (double)(spec->zero_point - lowest);
		std = 1 / spec->scale;
	}
	*norm = (struct preprocess_norm){.set = true};
	for (uint32_t c = 0; c < PREPROCESS_MAX_CHANNELS; c++) {
		norm->mean[c] = mean;
		norm->std[c] = std;
	}
}

static int fill(const struct tensor_spec *spec, const struct frame *f,
	const struct preprocess_norm *norm, const struct image *image, bool bgr,
	struct tensor_bytes *tensor, struct error *err)
{
	size_t pixels = (size_t)image->width * image->height, n = image->channels;
	for (uint32_t c = 0; c < n; c++) {
		size_t from = bgr ? n - 1 - c : c;
		for (size_t i = 0; i < pixels; i++) {
			double real = (image->pixels[i * n + from] - norm->mean[c]) / norm->std[c];
			size_t index = f->planar ? c * pixels + i : i * n + c;
			if (!tensor_values_put(spec, tensor->data, index, real)) {
				return error_set(err, -EINVAL, "a pixel of %g does not fit into %s",
					real, dtype_name(spec->type));
			}
		}
	}
	return 0;
}

/* @image has the frame's size and channels. */
static int to_tensor(const struct tensor_spec *spec, const struct preprocess_options *options,
	const struct frame *f, const struct image *image, struct tensor_bytes *ret_tensor,
	struct error *err)
{
	owned_tensor struct tensor_bytes tensor = {0};
	struct shape shape = spec->shape;
	struct preprocess_norm norm = {0};
	shape.dim[f->height_axis] = (int32_t)image->height;
	shape.dim[f->width_axis] = (int32_t)image->width;
	int r = preprocess_norm_find(spec, options, f->channels, &norm, err);
	if (r == 0 && !norm.set) {
		guess_norm(spec, &norm);
	}
	r = r < 0 ? r : tensor_new(spec->type, &shape, &tensor, err);
	r = r < 0 ? r : fill(spec, f, &norm, image, options->bgr, &tensor, err);
	if (r < 0) {
		return r;
	}
	*ret_tensor = tensor;
	tensor = (struct tensor_bytes){0};
	return 0;
}

int preprocess_image_part(const struct tensor_spec *spec, const struct preprocess_options *options,
	const struct image *image, const struct image_part *part, struct tensor_bytes *ret_tensor,
	struct preprocess_frame *ret_frame, struct error *err)
{
	owned_image struct image scaled = {0};
	struct preprocess_frame place = {0};
	struct frame f = {0};
	int r = find_frame(spec, options->layout, &f, err);
	if (r < 0) {
		return r;
	}
	uint32_t width = f.width ? f.width : part->width;
	uint32_t height = f.height ? f.height : part->height;
	r = scale_to(image, part, width, height, options, &scaled, &place, err);
	r = r < 0 ? r : image_set_channels(&scaled, f.channels, err);
	r = r < 0 ? r : to_tensor(spec, options, &f, &scaled, ret_tensor, err);
	if (r == 0) {
		*ret_frame = place;
	}
	return r;
}

int preprocess_image(const struct tensor_spec *spec, const struct preprocess_options *options,
	const struct image *image, struct tensor_bytes *ret_tensor, struct error *err)
{
	const struct image_part whole = {0, 0, image->width, image->height};
	struct preprocess_frame place = {0};
	return preprocess_image_part(spec, options, image, &whole, ret_tensor, &place, err);
}
