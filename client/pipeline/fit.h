/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fit - a picture, a sound or numbers become the tensor that a model asks for
 *
 * Pictures. A tensor takes a picture when its shape is [1, H, W, C] or [1, C, H, W] with C 1 or 3,
 * or [1, H, W] or [H, W, C]. The picture is brought to C channels and to H x W; where the model
 * leaves H and W free it keeps its size. A pixel p becomes the real number (p - mean) / std by, in
 * this order: what the caller says, the model's metadata, else a guess from the tensor: float
 * tensors get (p - 127.5) / 127.5; quantised 8-bit ones the scaling that their range shows (-1..1:
 * as float; 0..1: p / 255; 0..255: p; any other: the pixel's range laid on the type's); integers
 * that are not quantised get p (int8: p - 128).
 *
 * Sounds. A tensor takes a sound when at most one of its dimensions is not 1. The sound is brought
 * to the model's rate, and cut or padded with silence on both sides alike to the tensor's length.
 * Samples are -1..1; integers of 8 and 16 bits that are not quantised get their full scale.
 *
 * Numbers. As many as the tensor has elements, in its order, as real values; (x - mean) / std where
 * the caller or the metadata says so.
 */
#ifndef CLIENT_PIPELINE_FIT_H
#define CLIENT_PIPELINE_FIT_H

#include "client/pipeline/image.h"
#include "client/pipeline/sound.h"
#include "client/pipeline/spec.h"
#include "client/pipeline/tensor.h"

enum fit_layout {
	FIT_LAYOUT_AUTO, /* NHWC unless only NCHW makes sense */
	FIT_LAYOUT_NHWC,
	FIT_LAYOUT_NCHW
};

enum fit_resize {
	FIT_STRETCH, /* both axes to the model's size, as TFLite's own examples do */
	FIT_CROP, /* the largest centred part of the model's proportions */
	FIT_PAD /* the whole picture, centred on a border */
};

#define FIT_MAX_CHANNELS SPEC_MAX_CHANNELS

struct fit_options {
	enum fit_layout layout;
	enum fit_resize resize;
	uint32_t n_mean, n_std; /* 0: not said */
	double mean[FIT_MAX_CHANNELS], std[FIT_MAX_CHANNELS];
	uint32_t rate; /* samples a second that the model expects */
	bool bgr; /* a tensor of 3 channels has blue first */
	uint8_t pad; /* grey of the border of FIT_PAD */
};

/* Which part of a picture, or of a rectangle of it, the tensor shows, in shares of its width and height;
 * beyond 0 and 1 where there is a border. */
struct fit_frame {
	double left, top, width, height;
};

/* -EINVAL, naming the shape, when the tensor takes no such thing, or when mean and std are not one
 * or one per channel. */
int must_check fit_image(const struct spec *spec, const struct fit_options *options,
	const struct image *image, struct tensor_bytes *ret_tensor, struct error *err);
/* The same of a rectangle of @image, which lies inside and is not copied; says where the tensor lies in
 * that rectangle. */
int must_check fit_image_part(const struct spec *spec, const struct fit_options *options,
	const struct image *image, const struct image_part *part, struct tensor_bytes *ret_tensor,
	struct fit_frame *ret_frame, struct error *err);
/* Width and height of a tensor that takes a picture, or has four dimensions in @layout's order; 0 of any
 * other. */
void fit_picture_size(const struct shape *shape, enum fit_layout layout, uint32_t *ret_width,
	uint32_t *ret_height);
int must_check fit_sound(const struct spec *spec, const struct fit_options *options,
	const struct sound *sound, struct tensor_bytes *ret_tensor, struct error *err);
int must_check fit_numbers(const struct spec *spec, const struct fit_options *options,
	const double *values, size_t n, struct tensor_bytes *ret_tensor, struct error *err);

/* (x - mean) / std of channel @channel; @set is false when nobody says anything. */
struct fit_norm {
	bool set;
	double mean[FIT_MAX_CHANNELS], std[FIT_MAX_CHANNELS];
};

/* Options before metadata. -EINVAL when there are neither 1 nor @channels of each, or a std of 0.
 */
int must_check fit_norm_find(const struct spec *spec, const struct fit_options *options,
	uint32_t channels, struct fit_norm *ret_norm, struct error *err);

/*
 * Strings: one for each line (\n or \r\n; the last may have no end), the bytes as one, or a table as
 * base/strings.h has it. As many as the tensor has elements, or as fit into its only dimension or
 * the only one that the model leaves free.
 */
int must_check fit_lines(const struct spec *spec, const uint8_t *data, size_t size,
	struct tensor_bytes *ret_tensor, struct error *err);
int must_check fit_string(const struct spec *spec, const uint8_t *data, size_t size,
	struct tensor_bytes *ret_tensor, struct error *err);
int must_check fit_string_table(const struct spec *spec, const uint8_t *data, size_t size,
	struct tensor_bytes *ret_tensor, struct error *err);

#endif
