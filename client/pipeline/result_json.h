/* SPDX-License-Identifier: Apache-2.0 */
/* result_json - formats results of a pipeline as JSON (docs/pipelines.md) */
#ifndef CLIENT_PIPELINE_RESULT_JSON_H
#define CLIENT_PIPELINE_RESULT_JSON_H

#include "client/pipeline/decision.h"
#include "client/pipeline/input_data.h"
#include "client/pipeline/stage.h"

struct result_json_facts {
	const char *pipeline, *source;
	const struct stage *stage;
	const struct input_data *input_data; /* input data of the stage */
	uint64_t time_us;
	uint64_t infer_ns; /* from request to outputs */
	const struct findings *findings; /* NULL: no outputs */
	const struct decision_verdict *verdict; /* NULL: no decision */
	const char *skipped, *error; /* the reason, or NULL */
};

/* Returns one line, which the caller frees. NULL: no memory. */
char *result_json(const struct result_json_facts *facts);

/* Returns JSON without nesting, at most RESULT_FLAT_FINDINGS findings: "label", "score", "x1"
 * ... of the best, "label_2" ... of the others. The caller frees the text. */
#define RESULT_FLAT_FINDINGS 5
char *result_json_flat(const struct result_json_facts *facts);

/* Formats the result for people; " ..." marks omitted findings. Control characters are escaped.
 * Returns @out. */
#define RESULT_TEXT_SIZE 512
char *result_json_text(const struct result_json_facts *facts, char *out, size_t size);

/* Returns the stage's threshold from the decision or [post]; NaN: none. */
double result_json_threshold(const struct stage *stage);

/* Shared by both formats: members of every result, numbers with their names, and the received
 * image's size in pixels, 0 without an image. */
struct json_document;
void result_json_put_head(struct json_document *document, const struct result_json_facts *facts);
void result_json_put_numbers(struct json_document *document, const struct result_json_facts *facts);
void result_json_picture_size(
	const struct input_data *input_data, double *ret_width, double *ret_height);

/* Returns the name of key point @index of @n: from the labels, else for 17 points from COCO,
 * else NULL. */
const char *result_json_point_name(const struct stage *stage, size_t index, size_t n);

#endif
