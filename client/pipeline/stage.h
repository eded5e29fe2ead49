/* SPDX-License-Identifier: Apache-2.0 */
/* stage - one [stage] of a pipeline at work: material becomes tensors, outputs become findings */
#ifndef CLIENT_PIPELINE_STAGE_H
#define CLIENT_PIPELINE_STAGE_H

#include "base/examples.h"
#include "client/pipeline/features.h"
#include "client/pipeline/findings.h"
#include "client/pipeline/labels.h"
#include "client/pipeline/material.h"
#include "client/pipeline/recipe.h"
#include "client/pipeline/sound.h"

struct stage {
	struct recipe_stage *recipe; /* borrowed */
	bool described;
	struct pipeline_model model;
	struct labels labels; /* the file's, else the model's */
	bool own_labels; /* of the file */
	double *anchors; /* owned; rows of 4: of the file, else for a picture of `anchors_of` */
	size_t n_anchors;
	uint32_t anchors_of[2]; /* width, height; 0: of the file */
	struct examples examples;
	struct features *features; /* owned; NULL: none */
	struct sound_filter filter; /* of the rate that came in last, where it is not `sr` */
};

/* Reads the files that the recipe names: -EBADMSG and others with the key before the reason, and its
 * line in *ret_line, which only a failure sets. */
int must_check stage_init(struct stage *stage, struct recipe_stage *recipe, unsigned int *ret_line,
	struct error *err);
/* Where a file says which labels there are: does each name one that `skip`, `labels`, `ignore` and, of stage
 * @before, `when` name? -EINVAL with the word, and *ret_line as above. */
int must_check stage_check_labels(const struct stage *stage, const struct stage *before,
	unsigned int *ret_line, struct error *err);
void stage_deinit(struct stage *stage); /* zeroed is fine */

/* Asks who knows what the model is, once. */
int must_check stage_describe(
	struct stage *stage, const struct pipeline_models *models, struct error *err);
void stage_forget_model(struct stage *stage);

/* The window of a stream of @columns columns at @rate (0: numbers): rows of the source. -EINVAL when
 * neither file nor model say, or @columns is 0. The stage is described. */
struct stage_window {
	size_t rows, hop;
};
int must_check stage_window(const struct stage *stage, size_t columns, uint32_t rate,
	struct stage_window *ret_window, struct error *err);

/* The tensor for the model's only input. *ret_frame: where it lies in the picture that came in. */
int must_check stage_prepare(struct stage *stage, const struct material *material,
	struct tensor_bytes *ret_tensor, struct findings_frame *ret_frame, struct error *err);

/* @input is what stage_prepare() gave, @frame too. */
int must_check stage_read(struct stage *stage, const struct tensor_bytes *input,
	const struct findings_frame *frame, const struct tensor_bytes *outputs, uint32_t n_outputs,
	struct findings *ret_findings, struct error *err);

#endif
