/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer - what the outputs mean
 *
 * One output of at least two elements along one dimension: classes, best first. One input and one
 * output of the same shape, the output called "reconstruction": an anomaly score, the mean of the
 * squared differences of real values. Everything else: the tensors themselves.
 */
#ifndef CLIENT_PIPELINE_ANSWER_H
#define CLIENT_PIPELINE_ANSWER_H

#include "client/pipeline/labels.h"
#include "client/pipeline/spec.h"
#include "client/pipeline/tensor.h"

enum answer_kind {
	ANSWER_TENSORS,
	ANSWER_CLASSES,
	ANSWER_ANOMALY
};

struct answer_class {
	size_t index;
	double score;
	const char *label; /* of the labels given; NULL when there is none */
};

struct answer {
	enum answer_kind kind;
	struct answer_class *classes; /* owned; score falling, then index rising */
	size_t n_classes;
	double anomaly;
	double threshold; /* above which a window is anomalous; NaN when nobody says */
};

struct answer_options {
	const struct labels *labels; /* may be empty */
	uint32_t top_k;
	double threshold; /* of classes, or of an anomaly; NaN: the output's own, else none */
};

/* Specs carry the shapes of the tensors beside them. Only -ENOMEM. */
int must_check answer_make(const struct answer_options *options, const struct spec *inputs,
	const struct tensor_bytes *input_bytes, uint32_t n_inputs, const struct spec *outputs,
	const struct tensor_bytes *output_bytes, uint32_t n_outputs, struct answer *ret_answer,
	struct error *err);
void answer_free(struct answer *answer); /* zeroed is fine */

/* What a person sees of a tensor that is not an answer. NaN where there are no elements. */
struct answer_summary {
	double lowest, highest, mean;
};
struct answer_summary answer_summarise(const struct spec *spec, const struct tensor_bytes *bytes);

#define owned_answer __attribute__((cleanup(answer_free)))

#endif
