/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/postprocess.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "client/media/tensor_values.h"
#include "client/pipeline/nearest_example.h"

double postprocess_get(const struct postprocess_view *view, size_t index)
{
	return tensor_values_get(&view->spec, view->data, index);
}

double postprocess_threshold(const struct postprocess *post, const struct postprocess_view *view)
{
	double own = (double)view->spec.score_threshold;
	double configured = post->keys->threshold;
	return !isnan(configured) ? configured : !isnan(own) ? own : -INFINITY;
}

const char *postprocess_label(const struct postprocess *post, size_t index)
{
	return labels_get(post->labels, index);
}

bool postprocess_is_skipped(const struct postprocess *post, const char *label)
{
	return label && pipeline_config_list_has(post->keys->skip, label);
}

/* Drops leading dimensions of 1; the last dimension is always kept. */
static void dims_of(const struct shape *shape, struct postprocess_view *view)
{
	uint32_t first = 0;
	while (first + 1 < shape->rank && shape->dim[first] == 1) {
		first++;
	}
	if (shape->rank - first > 4) {
		return; /* rank stays 0, which every kind refuses */
	}
	for (uint32_t i = first; i < shape->rank; i++) {
		view->dim[view->rank++] = (size_t)shape->dim[i];
	}
}

static int view_make(const struct tensor_spec *spec, const struct tensor_bytes *bytes,
	uint32_t index, struct postprocess_view *ret_view, struct error *err)
{
	struct postprocess_view view = {.spec = *spec, .data = bytes->data};
	uint64_t n = 0, wanted = 0;
	view.spec.shape = bytes->shape;
	if (bytes->type != spec->type || !tensor_values_are_numbers(spec->type) ||
		shape_elements(&bytes->shape, &n) < 0 ||
		shape_bytes(&bytes->shape, bytes->type, &wanted) < 0 || wanted != bytes->bytes) {
		return error_set(err, -EBADMSG, "output %u is no tensor of numbers", index);
	}
	view.n = (size_t)n;
	dims_of(&bytes->shape, &view);
	*ret_view = view;
	return 0;
}

/* Makes views of @wanted outputs: those that `outputs` lists, else the first ones. */
static int views_make(const struct postprocess *post, const struct tensor_spec *specs,
	const struct tensor_bytes *bytes, uint32_t n, uint32_t wanted,
	struct postprocess_outputs *ret_outputs, struct error *err)
{
	struct postprocess_outputs outputs = {.n = wanted};
	for (uint32_t i = 0; i < wanted; i++) {
		uint32_t index = i < post->keys->outputs.n ? (uint32_t)post->keys->outputs.v[i] : i;
		if (index >= n) {
			return error_set(err, -EBADMSG, "the model has no output %u", index);
		}
		int r = view_make(&specs[index], &bytes[index], index, &outputs.views[i], err);
		if (r < 0) {
			return r;
		}
	}
	*ret_outputs = outputs;
	return 0;
}

struct postprocess_softmax postprocess_softmax(
	const struct postprocess *post, const struct postprocess_view *view, size_t first, size_t n)
{
	struct postprocess_softmax terms = {-INFINITY, 0};
	if (post->keys->activation != PIPELINE_CONFIG_SOFTMAX) {
		return terms;
	}
	for (size_t i = first; i < first + n; i++) {
		terms.largest = fmax(terms.largest, postprocess_get(view, i));
	}
	for (size_t i = first; i < first + n; i++) {
		terms.sum += exp(postprocess_get(view, i) - terms.largest);
	}
	return terms;
}

double postprocess_score(
	const struct postprocess *post, const struct postprocess_softmax *terms, double x)
{
	switch (post->keys->activation) {
	case PIPELINE_CONFIG_SOFTMAX:
		return exp(x - terms->largest) / terms->sum;
	case PIPELINE_CONFIG_SIGMOID:
		return 1 / (1 + exp(-x));
	default:
		return x;
	}
}

size_t postprocess_best(
	const struct postprocess_view *view, size_t first, size_t step, size_t n, double *ret_best)
{
	size_t best = 0;
	double most = -INFINITY;
	for (size_t c = 0; c < n; c++) {
		double score = postprocess_get(view, first + c * step);
		if (score > most) {
			most = score;
			best = c;
		}
	}
	*ret_best = most;
	return best;
}

static int classes_read(const struct postprocess *post, const struct postprocess_view *view,
	struct findings *findings, struct error *err)
{
	const double threshold = postprocess_threshold(post, view);
	const struct postprocess_softmax terms = postprocess_softmax(post, view, 0, view->n);
	for (size_t i = 0; i < view->n; i++) {
		double score = postprocess_score(post, &terms, postprocess_get(view, i));
		const char *label = postprocess_label(post, i);
		if (!(score >= threshold) || postprocess_is_skipped(post, label)) {
			continue;
		}
		const struct finding one = {.index = i, .label = label, .score = score};
		int r = findings_put(findings, &one, err);
		if (r < 0) {
			return r;
		}
	}
	findings_sort(findings, (size_t)post->keys->top_k);
	return 0;
}

static int numbers_read(const struct postprocess *post, const struct postprocess_view *view,
	struct findings *findings, struct error *err)
{
	int r = 0;
	for (size_t i = 0; i < view->n && i < 1024 && r == 0; i++) {
		const struct finding one = {.index = i,
			.label = postprocess_label(post, i),
			.score = postprocess_get(view, i) * post->keys->gain + post->keys->offset};
		r = findings_put(findings, &one, err);
	}
	return r;
}

static int reconstruction_read(const struct postprocess_view *in,
	const struct postprocess_view *out, struct findings *findings, struct error *err)
{
	if (in->n != out->n || in->n == 0) {
		return error_set(
			err, -EBADMSG, "a reconstruction of %zu numbers has %zu", in->n, out->n);
	}
	double sum = 0;
	for (size_t i = 0; i < in->n; i++) {
		double difference = postprocess_get(in, i) - postprocess_get(out, i);
		sum += difference * difference;
	}
	const struct finding one = {.score = sum / (double)in->n, .label = "anomaly"};
	return findings_put(findings, &one, err);
}

static int vector_make(
	const struct postprocess_view *view, struct findings *findings, struct error *err)
{
	double square = 0;
	findings->vector = calloc(view->n ? view->n : 1, sizeof(findings->vector[0]));
	if (!findings->vector) {
		return error_no_memory(err);
	}
	for (size_t i = 0; i < view->n; i++) {
		square += postprocess_get(view, i) * postprocess_get(view, i);
	}
	if (!(square > 0) || !isfinite(square)) {
		return error_set(err, -EBADMSG, "an embedding of length %g", sqrt(square));
	}
	for (size_t i = 0; i < view->n; i++) {
		findings->vector[i] = (float)(postprocess_get(view, i) / sqrt(square));
	}
	findings->n_vector = view->n;
	return 0;
}

static int embedding_read(const struct postprocess *post, const struct postprocess_view *view,
	struct findings *findings, struct error *err)
{
	const struct few_shot *examples = post->examples;
	double distance = 0;
	int r = vector_make(view, findings, err);
	if (r < 0 || !examples || examples->n == 0) {
		return r;
	}
	if (examples->length != view->n) {
		return error_set(err, -EBADMSG, "the examples have %zu numbers, the embedding %zu",
			examples->length, view->n);
	}
	const struct few_shot_example *near = nearest_example_find(examples,
		(enum nearest_example_distance)post->keys->distance, findings->vector, &distance);
	if (!near || distance > post->keys->max_distance) {
		return 0;
	}
	const struct finding one = {.index = (size_t)(near - examples->items),
		.label = near->label,
		.score = 1 - distance};
	return findings_put(findings, &one, err);
}

static bool is_classes(const struct postprocess_view *view, uint32_t n_outputs)
{
	return n_outputs == 1 && view->rank == 1 && view->n >= 2;
}

/* Resolves `auto` by the rules of answer.h. */
static enum pipeline_config_post kind_of(const struct postprocess *post,
	const struct tensor_spec *inputs, uint32_t n_inputs, const struct tensor_spec *outputs,
	uint32_t n_outputs, const struct postprocess_outputs *views)
{
	enum pipeline_config_post kind = (enum pipeline_config_post)post->keys->kind;
	if (kind != PIPELINE_CONFIG_POST_AUTO) {
		return kind;
	}
	if (n_inputs == 1 && n_outputs == 1 && strcmp(outputs->name, "reconstruction") == 0 &&
		shape_equal(&inputs->shape, &outputs->shape)) {
		return PIPELINE_CONFIG_POST_RECONSTRUCTION;
	}
	return is_classes(&views->views[0], n_outputs) ? PIPELINE_CONFIG_POST_CLASSES
						       : PIPELINE_CONFIG_POST_TENSORS;
}

static uint32_t outputs_of(enum pipeline_config_post kind)
{
	switch (kind) {
	case PIPELINE_CONFIG_POST_DETECTIONS:
	case PIPELINE_CONFIG_POST_POSES:
		return 4;
	case PIPELINE_CONFIG_POST_SSD:
		return 2;
	case PIPELINE_CONFIG_POST_TENSORS:
		return 0;
	default:
		return 1;
	}
}

int postprocess_read(const struct postprocess *post, const struct tensor_spec *inputs,
	const struct tensor_bytes *input_bytes, uint32_t n_inputs,
	const struct tensor_spec *outputs, const struct tensor_bytes *output_bytes,
	uint32_t n_outputs, struct findings *ret_findings, struct error *err)
{
	owned_findings struct findings findings = {0};
	struct postprocess_outputs views = {0};
	struct postprocess_view in = {0};
	enum pipeline_config_post kind = (enum pipeline_config_post)post->keys->kind;
	int r = kind == PIPELINE_CONFIG_POST_TENSORS ||
			(kind == PIPELINE_CONFIG_POST_AUTO &&
				(n_outputs != 1 || !tensor_values_are_numbers(outputs->type)))
		? 0
		: views_make(post, outputs, output_bytes, n_outputs, outputs_of(kind), &views, err);
	kind = kind_of(post, inputs, n_inputs, outputs, n_outputs, &views);
	if (r == 0 && kind == PIPELINE_CONFIG_POST_RECONSTRUCTION) {
		r = n_inputs == 1 ? view_make(inputs, input_bytes, 0, &in, err)
				  : error_set(err, -EBADMSG, "a reconstruction has one input");
		r = r < 0 ? r : reconstruction_read(&in, &views.views[0], &findings, err);
	} else if (r == 0 && kind == PIPELINE_CONFIG_POST_CLASSES) {
		r = classes_read(post, &views.views[0], &findings, err);
	} else if (r == 0 && kind == PIPELINE_CONFIG_POST_NUMBERS) {
		r = numbers_read(post, &views.views[0], &findings, err);
	} else if (r == 0 && kind == PIPELINE_CONFIG_POST_EMBEDDING) {
		r = embedding_read(post, &views.views[0], &findings, err);
	} else if (r == 0 && kind == PIPELINE_CONFIG_POST_MASK) {
		r = postprocess_mask_read(post, &views, &findings, err);
	} else if (r == 0 &&
		(kind == PIPELINE_CONFIG_POST_KEYPOINTS || kind == PIPELINE_CONFIG_POST_POSES)) {
		r = postprocess_points_read(post, &views, &findings, err);
	} else if (r == 0 && kind != PIPELINE_CONFIG_POST_TENSORS) {
		r = postprocess_boxes_read(post, &views, &findings, err);
	}
	if (r < 0) {
		return r;
	}
	*ret_findings = findings;
	findings = (struct findings){0};
	return 0;
}
