/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/answer.h"

#include <math.h>
#include <string.h>

#include "client/media/tensor_values.h"

static bool is_classes(const struct tensor_spec *spec, uint32_t n_outputs)
{
	uint32_t wide = 0;
	for (unsigned int i = 0; i < spec->shape.rank; i++) {
		wide += spec->shape.dim[i] != 1;
	}
	return n_outputs == 1 && wide == 1 && tensor_spec_elements(spec) >= 2 &&
		tensor_values_are_numbers(spec->type);
}

static bool is_reconstruction(const struct tensor_spec *input, uint32_t n_inputs,
	const struct tensor_spec *output, uint32_t n_outputs)
{
	return n_inputs == 1 && n_outputs == 1 && shape_equal(&input->shape, &output->shape) &&
		tensor_values_are_numbers(input->type) && tensor_values_are_numbers(output->type) &&
		strcmp(output->name, "reconstruction") == 0;
}

static double mean_square(const struct tensor_spec *a, const void *a_data,
	const struct tensor_spec *b, const void *b_data)
{
	uint64_t n = tensor_spec_elements(a);
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		double difference =
			tensor_values_get(a, a_data, i) - tensor_values_get(b, b_data, i);
		sum += difference * difference;
	}
	return n ? sum / (double)n : 0;
}

static bool is_better(const struct answer_class *a, const struct answer_class *b)
{
	return a->score > b->score || (a->score == b->score && a->index < b->index);
}

/* Inserts a class into the sorted list of the best @most. */
static void insert(struct answer_class *best, size_t *n, size_t most, struct answer_class one)
{
	if (*n == most && !is_better(&one, &best[most - 1])) {
		return;
	}
	size_t at = *n < most ? (*n)++ : most - 1;
	for (; at > 0 && is_better(&one, &best[at - 1]); at--) {
		best[at] = best[at - 1];
	}
	best[at] = one;
}

static int rank_classes(const struct answer_options *options, const struct tensor_spec *spec,
	const void *data, struct answer *answer, struct error *err)
{
	size_t n = (size_t)tensor_spec_elements(spec);
	size_t most = options->top_k < n ? options->top_k : n;
	answer->classes = calloc(most, sizeof(answer->classes[0]));
	if (!answer->classes) {
		return error_no_memory(err);
	}
	for (size_t i = 0; i < n; i++) {
		double score = tensor_values_get(spec, data, i);
		if (isnan(score) || score < answer->threshold) {
			continue;
		}
		insert(answer->classes, &answer->n_classes, most,
			(struct answer_class){i, score, labels_get(options->labels, i)});
	}
	return 0;
}

int answer_make(const struct answer_options *options, const struct tensor_spec *inputs,
	const struct tensor_bytes *input_bytes, uint32_t n_inputs,
	const struct tensor_spec *outputs, const struct tensor_bytes *output_bytes,
	uint32_t n_outputs, struct answer *ret_answer, struct error *err)
{
	struct answer answer = {.kind = ANSWER_TENSORS, .threshold = options->threshold};
	if (n_outputs > 0 && isnan(answer.threshold)) {
		answer.threshold = (double)outputs->score_threshold;
	}
	if (is_reconstruction(inputs, n_inputs, outputs, n_outputs)) {
		answer.kind = ANSWER_ANOMALY;
		answer.anomaly =
			mean_square(inputs, input_bytes->data, outputs, output_bytes->data);
	} else if (n_outputs > 0 && is_classes(outputs, n_outputs)) {
		answer.kind = ANSWER_CLASSES;
		int r = rank_classes(options, outputs, output_bytes->data, &answer, err);
		if (r < 0) {
			return r;
		}
	}
	*ret_answer = answer;
	return 0;
}

void answer_free(struct answer *answer)
{
	free(answer->classes);
	*answer = (struct answer){0};
}

struct answer_summary answer_summarise(
	const struct tensor_spec *spec, const struct tensor_bytes *bytes)
{
	struct answer_summary s = {.lowest = NAN, .highest = NAN, .mean = NAN};
	uint64_t n = tensor_values_are_numbers(spec->type) ? tensor_spec_elements(spec) : 0;
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		double value = tensor_values_get(spec, bytes->data, i);
		s.lowest = fmin(s.lowest, value);
		s.highest = fmax(s.highest, value);
		sum += value;
	}
	s.mean = n ? sum / (double)n : NAN;
	return s;
}
