/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input_data - one decoded input: an image, samples, rows of numbers, or a tensor's bytes
 *
 * Reference counted, shared by the stages that use it. Not thread-safe.
 */
#ifndef CLIENT_PIPELINE_INPUT_DATA_H
#define CLIENT_PIPELINE_INPUT_DATA_H

#include "base/error.h"
#include "client/media/image.h"
#include "client/pipeline/config/pipeline_config.h"
#include "client/pipeline/findings.h"
#include "client/pipeline/pipeline_types.h"

enum input_data_kind {
	INPUT_DATA_PICTURE,
	INPUT_DATA_SOUND,
	INPUT_DATA_NUMBERS,
	INPUT_DATA_TENSOR
};

struct input_data {
	unsigned int refs;
	enum input_data_kind kind;
	struct image image; /* owned */
	struct findings_frame frame; /* position of the image in the received image */
	size_t listed; /* classes already listed in the drawing */
	float *values; /* owned; samples, or rows of numbers */
	size_t rows, columns;
	uint32_t rate; /* samples a second; 0: numbers */
	uint8_t *bytes; /* owned; of a tensor */
	size_t n_bytes;
	uint64_t first_row; /* of a window: index of its first row since the source began */
	bool windowed;
	double to_s; /* end of the data in seconds since the source began; NaN: unknown */
};

struct input_data *input_data_ref(struct input_data *input_data);
void input_data_unref(struct input_data *input_data); /* may be NULL */
DEFINE_OWNED(struct input_data *, input_data_unref)

/* Decodes the input of pipeline_push(). */
int must_check input_data_decode(const struct pipeline_config_source *source,
	const struct pipeline_input *input, struct input_data **ret_input_data, struct error *err);

/* Crops the image to @box (fractions of the received image), enlarged by @grow on each side and
 * clipped to the image. -ERANGE: the crop is empty. */
int must_check input_data_crop(const struct input_data *from, const struct finding *box,
	double grow, struct input_data **ret_input_data, struct error *err);

/* Creates empty input data with one reference. */
int must_check input_data_new(
	enum input_data_kind kind, struct input_data **ret_input_data, struct error *err);

#endif
