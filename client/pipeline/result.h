/* SPDX-License-Identifier: Apache-2.0 */
/* result - what a pipeline tells, as JSON (docs/pipelines.md) */
#ifndef CLIENT_PIPELINE_RESULT_H
#define CLIENT_PIPELINE_RESULT_H

#include "client/pipeline/decision.h"
#include "client/pipeline/material.h"
#include "client/pipeline/stage.h"

struct result_facts {
	const char *pipeline, *source;
	const struct stage *stage;
	const struct material *material; /* that the stage saw */
	uint64_t time_us;
	uint64_t infer_ns; /* from question to answer */
	const struct findings *findings; /* NULL where there is no answer */
	const struct decision_verdict *verdict; /* NULL: no decision */
	const char *skipped, *error; /* why; or NULL */
};

/* One line, malloc'ed; NULL without memory. */
char *result_json(const struct result_facts *facts);

/* The same of one level, of at most RESULT_FLAT_FINDINGS findings: "label", "score", "x1" ... of the best,
 * "label_2" ... of the others. */
#define RESULT_FLAT_FINDINGS 5
char *result_flat(const struct result_facts *facts);

/* The same for a person; " ..." stands for what there is no room for. Foreign bytes are escaped. Returns @out. */
#define RESULT_TEXT_SIZE 512
char *result_text(const struct result_facts *facts, char *out, size_t size);

/* Its threshold, as the decision and the file have it; NaN. */
double result_threshold(const struct stage *stage);

/* For both of them: what every result has, numbers by their names, and the pixels of the picture that came
 * in, 0 where there was none. */
struct json_document;
void result_put_head(struct json_document *document, const struct result_facts *facts);
void result_put_numbers(struct json_document *document, const struct result_facts *facts);
void result_picture_size(const struct material *material, double *ret_width, double *ret_height);

/* The name of key point @index of @n: the labels', else for 17 points those of COCO, else NULL. */
const char *result_point_name(const struct stage *stage, size_t index, size_t n);

#endif
