/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer - guesses the meaning of a model's outputs
 *
 * One output with at least two elements along one dimension: classes, best first. One input and
 * one output of the same shape, the output named "reconstruction": an anomaly score, the mean
 * squared difference of the dequantized values. Everything else: plain tensors.
 */
#ifndef CLIENT_PIPELINE_ANSWER_H
#define CLIENT_PIPELINE_ANSWER_H

#include "client/media/labels.h"
#include "client/media/tensor.h"
#include "client/media/tensor_spec.h"

enum answer_kind {
	ANSWER_TENSORS,
	ANSWER_CLASSES,
	ANSWER_ANOMALY
};

struct answer_class {
	size_t index;
	double score;
	const char *label; /* borrowed from the labels; NULL: no label */
};

struct answer {
	enum answer_kind kind;
	struct answer_class *classes; /* owned; sorted by falling score, then rising index */
	size_t n_classes;
	double anomaly;
	double threshold; /* scores above it are anomalous; NaN: unknown */
};

struct answer_options {
	const struct labels *labels; /* may be empty */
	uint32_t top_k;
	/* of classes, or of the anomaly score; NaN: from the output's metadata, else none */
	double threshold;
};

/* @inputs and @outputs have the actual shapes of the tensors. Fails only with -ENOMEM. */
int must_check answer_make(const struct answer_options *options, const struct tensor_spec *inputs,
	const struct tensor_bytes *input_bytes, uint32_t n_inputs,
	const struct tensor_spec *outputs, const struct tensor_bytes *output_bytes,
	uint32_t n_outputs, struct answer *ret_answer, struct error *err);
void answer_free(struct answer *answer); /* @answer may be zeroed */

/* Statistics of a tensor. NaN for a tensor without elements. */
struct answer_summary {
	double lowest, highest, mean;
};
struct answer_summary answer_summarise(
	const struct tensor_spec *spec, const struct tensor_bytes *bytes);

#define owned_answer __attribute__((cleanup(answer_free)))

#endif
