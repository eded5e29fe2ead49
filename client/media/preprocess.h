/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preprocess - converts an image, a sound or numbers to a model's input tensor
 *
 * Images. A tensor takes an image if its shape is [1, H, W, C] or [1, C, H, W] with C 1 or 3, or
 * [1, H, W] or [H, W, C]. The image is converted to C channels and resized to H x W; where the
 * model leaves H and W dynamic it keeps its size. A pixel p becomes the real number (p - mean) /
 * std. Mean and std come from the options, else from the model's metadata, else from the tensor:
 * float tensors get (p - 127.5) / 127.5; quantized 8-bit tensors get the scaling that their range
 * implies (-1..1: like float; 0..1: p / 255; 0..255: p; any other: the pixel range mapped to the
 * type's range); integers that are not quantized get p (int8: p - 128).
 *
 * Sounds. A tensor takes a sound if at most one of its dimensions is not 1. The sound is resampled
 * to the model's rate, and cropped or padded with silence on both sides equally to the tensor's
 * length. Samples are -1..1; 8-bit and 16-bit integers that are not quantized get their full
 * scale.
 *
 * Numbers. One real value for each element of the tensor, in its order; (x - mean) / std if the
 * options or the metadata give them.
 */
#ifndef CLIENT_MEDIA_PREPROCESS_H
#define CLIENT_MEDIA_PREPROCESS_H

#include "client/media/image.h"
#include "client/media/sound.h"
#include "client/media/tensor.h"
#include "client/media/tensor_spec.h"

enum preprocess_layout {
	PREPROCESS_LAYOUT_AUTO, /* NHWC, unless only NCHW fits the shape */
	PREPROCESS_LAYOUT_NHWC,
	PREPROCESS_LAYOUT_NCHW
};

enum preprocess_resize {
	PREPROCESS_STRETCH, /* both axes to the model's size, as TFLite's examples do */
	PREPROCESS_CROP, /* the largest centred part with the model's aspect ratio */
	PREPROCESS_PAD /* the whole image, centred, with a border */
};

#define PREPROCESS_MAX_CHANNELS SPEC_MAX_CHANNELS

struct preprocess_options {
	enum preprocess_layout layout;
	enum preprocess_resize resize;
	uint32_t n_mean, n_std; /* number of values; 0: not given */
	double mean[PREPROCESS_MAX_CHANNELS], std[PREPROCESS_MAX_CHANNELS];
	uint32_t rate; /* sample rate that the model expects, in Hz */
	bool bgr; /* a tensor of 3 channels has blue first */
	uint8_t pad; /* grey value of the border of PREPROCESS_PAD */
};

/* Part of an image, or of a rectangle of it, that the tensor shows, as fractions of width and
 * height; below 0 or above 1 where there is a border. */
struct preprocess_frame {
	double left, top, width, height;
};

/* Converts an image. -EINVAL: the tensor takes no image (the message has the shape), or mean and
 * std do not have one value or one for each channel. */
int must_check preprocess_image(const struct tensor_spec *spec,
	const struct preprocess_options *options, const struct image *image,
	struct tensor_bytes *ret_tensor, struct error *err);
/* Converts a rectangle of @image, which must be inside, without copying it. *ret_frame: position
 * of the tensor in the rectangle. */
int must_check preprocess_image_part(const struct tensor_spec *spec,
	const struct preprocess_options *options, const struct image *image,
	const struct image_part *part, struct tensor_bytes *ret_tensor,
	struct preprocess_frame *ret_frame, struct error *err);
/* Returns width and height of a tensor that takes an image, or of any tensor with four
 * dimensions in @layout's order; 0 for others. */
void preprocess_picture_size(const struct shape *shape, enum preprocess_layout layout,
	uint32_t *ret_width, uint32_t *ret_height);
int must_check preprocess_sound(const struct tensor_spec *spec,
	const struct preprocess_options *options, const struct sound *sound,
	struct tensor_bytes *ret_tensor, struct error *err);
int must_check preprocess_numbers(const struct tensor_spec *spec,
	const struct preprocess_options *options, const double *values, size_t n,
	struct tensor_bytes *ret_tensor, struct error *err);

/* Normalization (x - mean) / std for each channel; @set is false if none is given. */
struct preprocess_norm {
	bool set;
	double mean[PREPROCESS_MAX_CHANNELS], std[PREPROCESS_MAX_CHANNELS];
};

/* Finds the normalization: options first, then metadata. -EINVAL: the number of values is
 * neither 1 nor @channels, or a std is 0. */
int must_check preprocess_norm_find(const struct tensor_spec *spec,
	const struct preprocess_options *options, uint32_t channels,
	struct preprocess_norm *ret_norm, struct error *err);

/*
 * String tensors: preprocess_lines() takes one string for each line (\n or \r\n, optional after the
 * last), preprocess_string() all bytes as one string, preprocess_string_table() a table as in base/strings.h.
 * The number of strings must be the tensor's number of elements, unless its only dimension or one
 * dimension is dynamic.
 */
int must_check preprocess_lines(const struct tensor_spec *spec, const uint8_t *data, size_t size,
	struct tensor_bytes *ret_tensor, struct error *err);
int must_check preprocess_string(const struct tensor_spec *spec, const uint8_t *data, size_t size,
	struct tensor_bytes *ret_tensor, struct error *err);
int must_check preprocess_string_table(const struct tensor_spec *spec, const uint8_t *data,
	size_t size, struct tensor_bytes *ret_tensor, struct error *err);

#endif
