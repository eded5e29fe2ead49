/* SPDX-License-Identifier: Apache-2.0 */
/*
 * material - what came in, decoded: a picture, samples, rows of numbers, or a tensor's bytes
 *
 * Shared by the stages that look at it. Not for several threads.
 */
#ifndef CLIENT_PIPELINE_MATERIAL_H
#define CLIENT_PIPELINE_MATERIAL_H

#include "base/error.h"
#include "client/pipeline/findings.h"
#include "client/pipeline/image.h"
#include "client/pipeline/pipeline.h"
#include "client/pipeline/recipe.h"

enum material_kind {
	MATERIAL_PICTURE,
	MATERIAL_SOUND,
	MATERIAL_NUMBERS,
	MATERIAL_TENSOR
};

struct material {
	unsigned int refs;
	enum material_kind kind;
	struct image image; /* owned */
	struct findings_frame frame; /* where the image lies in the picture that came in */
	size_t listed; /* classes of it that stand in the drawing */
	float *values; /* owned; samples, or rows of numbers */
	size_t rows, columns;
	uint32_t rate; /* samples a second; 0 for numbers */
	uint8_t *bytes; /* owned; of a tensor */
	size_t n_bytes;
	uint64_t first_row; /* of a window: since the source began */
	bool windowed;
	double to_s; /* where it ends, seconds since the source began; NaN: nobody knows */
};

struct material *material_ref(struct material *material);
void material_unref(struct material *material); /* NULL is fine */
DEFINE_OWNED(struct material *, material_unref)

/* As pipeline_push() takes it. */
int must_check material_decode(const struct recipe_source *source,
	const struct pipeline_input *input, struct material **ret_material, struct error *err);

/* The part of a picture that @box (shares of the picture that came in) covers, made larger by @grow on
 * each side and kept inside. -ERANGE when nothing is left of it. */
int must_check material_crop(const struct material *from, const struct finding *box, double grow,
	struct material **ret_material, struct error *err);

/* An empty one with one reference. */
int must_check material_new(
	enum material_kind kind, struct material **ret_material, struct error *err);

#endif
