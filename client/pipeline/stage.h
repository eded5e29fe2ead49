/* SPDX-License-Identifier: Apache-2.0 */
/* stage - one [stage] of a running pipeline: input data to tensors, outputs to findings */
#ifndef CLIENT_PIPELINE_STAGE_H
#define CLIENT_PIPELINE_STAGE_H

#include "base/few_shot.h"
#include "client/media/labels.h"
#include "client/media/sound.h"
#include "client/pipeline/config/pipeline_config.h"
#include "client/pipeline/features.h"
#include "client/pipeline/findings.h"
#include "client/pipeline/input_data.h"

struct stage {
	struct pipeline_config_stage *config; /* borrowed */
	bool described;
	struct pipeline_model model;
	struct labels labels; /* from the file, else from the model */
	bool own_labels; /* the labels are from the file */
	/* owned; rows of 4: from the file, else generated for an image of size anchors_of */
	double *anchors;
	size_t n_anchors;
	uint32_t anchors_of[2]; /* width, height in pixels; 0: anchors are from the file */
	struct few_shot examples;
	struct features *features; /* owned; NULL: none */
	struct sound_filter filter; /* resampler for the last input rate, if it differs from `sr` */
};

/* Reads the files that the config names. On failure the message begins with the key, and
 * *ret_line is the key's line. -EBADMSG and others. */
int must_check stage_init(struct stage *stage, struct pipeline_config_stage *config,
	unsigned int *ret_line, struct error *err);
/* Checks that `skip`, `labels`, `ignore` and `when` name labels that exist, if the labels are
 * from a file. `when` names labels of stage @before. -EINVAL: the message has the word, and
 * *ret_line is the key's line. */
int must_check stage_check_labels(const struct stage *stage, const struct stage *before,
	unsigned int *ret_line, struct error *err);
void stage_deinit(struct stage *stage); /* @stage may be zeroed */

/* Calls models->describe unless the model is known. */
int must_check stage_describe(
	struct stage *stage, const struct pipeline_models *models, struct error *err);
void stage_forget_model(struct stage *stage);

/* The window and hop in rows, for a stream of @columns columns at @rate (0: numbers). The stage
 * is described. -EINVAL: neither the file nor the model gives the window, or @columns is 0. */
struct stage_window {
	size_t rows, hop;
};
int must_check stage_window(const struct stage *stage, size_t columns, uint32_t rate,
	struct stage_window *ret_window, struct error *err);

/* Makes the tensor for the model's only input. *ret_frame: its position in the received image. */
int must_check stage_prepare(struct stage *stage, const struct input_data *input_data,
	struct tensor_bytes *ret_tensor, struct findings_frame *ret_frame, struct error *err);

/* Converts outputs to findings. @input and @frame are from stage_prepare(). */
int must_check stage_read(struct stage *stage, const struct tensor_bytes *input,
	const struct findings_frame *frame, const struct tensor_bytes *outputs, uint32_t n_outputs,
	struct findings *ret_findings, struct error *err);

#endif
