/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/post.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "client/pipeline/nearest.h"
#include "client/pipeline/values.h"

double post_get(const struct post_view *view, size_t index)
{
	return values_get(&view->spec, view->data, index);
}

double post_threshold(const struct post *post, const struct post_view *view)
{
	double own = (double)view->spec.score_threshold;
	double said = post->keys->threshold;
	return !isnan(said) ? said : !isnan(own) ? own : -INFINITY;
}

const char *post_label(const struct post *post, size_t index)
{
	return labels_get(post->labels, index);
}

bool post_is_skipped(const struct post *post, const char *label)
{
	return label && recipe_list_has(post->keys->skip, label);
}

/* Leading dimensions of 1 say nothing, but the last is always there. */
static void dims_of(const struct shape *shape, struct post_view *view)
{
	uint32_t first = 0;
	while (first + 1 < shape->rank && shape->dim[first] == 1) {
		first++;
	}
	if (shape->rank - first > 4) {
		return; /* rank stays 0, which no kind takes */
	}
	for (uint32_t i = first; i < shape->rank; i++) {
		view->dim[view->rank++] = (size_t)shape->dim[i];
	}
}

static int view_make(const struct spec *spec, const struct tensor_bytes *bytes, uint32_t index,
	struct post_view *ret_view, struct error *err)
{
	struct post_view view = {.spec = *spec, .data = bytes->data};
	uint64_t n = 0, wanted = 0;
	view.spec.shape = bytes->shape;
	if (bytes->type != spec->type || !values_are_numbers(spec->type) ||
		shape_elements(&bytes->shape, &n) < 0 ||
		shape_bytes(&bytes->shape, bytes->type, &wanted) < 0 || wanted != bytes->bytes) {
		return error_set(err, -EBADMSG, "output %u is no tensor of numbers", index);
	}
	view.n = (size_t)n;
	dims_of(&bytes->shape, &view);
	*ret_view = view;
	return 0;
}

/* @wanted outputs: those that `outputs` names, else the first ones. */
static int views_make(const struct post *post, const struct spec *specs,
	const struct tensor_bytes *bytes, uint32_t n, uint32_t wanted,
	struct post_outputs *ret_outputs, struct error *err)
{
	struct post_outputs outputs = {.n = wanted};
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

struct post_softmax post_softmax(
	const struct post *post, const struct post_view *view, size_t first, size_t n)
{
	struct post_softmax terms = {-INFINITY, 0};
	if (post->keys->activation != RECIPE_SOFTMAX) {
		return terms;
	}
	for (size_t i = first; i < first + n; i++) {
		terms.largest = fmax(terms.largest, post_get(view, i));
	}
	for (size_t i = first; i < first + n; i++) {
		terms.sum += exp(post_get(view, i) - terms.largest);
	}
	return terms;
}

double post_score(const struct post *post, const struct post_softmax *terms, double x)
{
	switch (post->keys->activation) {
	case RECIPE_SOFTMAX:
		return exp(x - terms->largest) / terms->sum;
	case RECIPE_SIGMOID:
		return 1 / (1 + exp(-x));
	default:
		return x;
	}
}

static int classes_read(const struct post *post, const struct post_view *view,
	struct findings *findings, struct error *err)
{
	const double threshold = post_threshold(post, view);
	const struct post_softmax terms = post_softmax(post, view, 0, view->n);
	for (size_t i = 0; i < view->n; i++) {
		double score = post_score(post, &terms, post_get(view, i));
		const char *label = post_label(post, i);
		if (!(score >= threshold) || post_is_skipped(post, label)) {
			continue;
		}
		struct finding *one = findings_add(findings);
		if (!one) {
			return error_no_memory(err);
		}
		one->index = i;
		one->label = label;
		one->score = score;
	}
	findings_sort(findings, (size_t)post->keys->top_k);
	return 0;
}

static int numbers_read(const struct post *post, const struct post_view *view,
	struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < view->n && i < 1024; i++) {
		struct finding *one = findings_add(findings);
		if (!one) {
			return error_no_memory(err);
		}
		one->index = i;
		one->label = post_label(post, i);
		one->score = post_get(view, i) * post->keys->gain + post->keys->offset;
	}
	return 0;
}

static int reconstruction_read(const struct post_view *in, const struct post_view *out,
	struct findings *findings, struct error *err)
{
	if (in->n != out->n || in->n == 0) {
		return error_set(
			err, -EBADMSG, "a reconstruction of %zu numbers has %zu", in->n, out->n);
	}
	double sum = 0;
	for (size_t i = 0; i < in->n; i++) {
		double difference = post_get(in, i) - post_get(out, i);
		sum += difference * difference;
	}
	struct finding *one = findings_add(findings);
	if (!one) {
		return error_no_memory(err);
	}
	one->score = sum / (double)in->n;
	one->label = "anomaly";
	return 0;
}

static int vector_make(const struct post_view *view, struct findings *findings, struct error *err)
{
	double square = 0;
	findings->vector = calloc(view->n ? view->n : 1, sizeof(findings->vector[0]));
	if (!findings->vector) {
		return error_no_memory(err);
	}
	for (size_t i = 0; i < view->n; i++) {
		square += post_get(view, i) * post_get(view, i);
	}
	if (!(square > 0) || !isfinite(square)) {
		return error_set(err, -EBADMSG, "an embedding of length %g", sqrt(square));
	}
	for (size_t i = 0; i < view->n; i++) {
		findings->vector[i] = (float)(post_get(view, i) / sqrt(square));
	}
	findings->n_vector = view->n;
	return 0;
}

static int embedding_read(const struct post *post, const struct post_view *view,
	struct findings *findings, struct error *err)
{
	const struct examples *examples = post->examples;
	double distance = 0;
	int r = vector_make(view, findings, err);
	if (r < 0 || !examples || examples->n == 0) {
		return r;
	}
	if (examples->length != view->n) {
		return error_set(err, -EBADMSG, "the examples have %zu numbers, the embedding %zu",
			examples->length, view->n);
	}
	const struct example *near = nearest_find(
		examples, (enum nearest_distance)post->keys->distance, findings->vector, &distance);
	if (!near || distance > post->keys->max_distance) {
		return 0;
	}
	struct finding *one = findings_add(findings);
	if (!one) {
		return error_no_memory(err);
	}
	one->index = (size_t)(near - examples->items);
	one->label = near->label;
	one->score = 1 - distance;
	return 0;
}

static bool is_classes(const struct post_view *view, uint32_t n_outputs)
{
	return n_outputs == 1 && view->rank == 1 && view->n >= 2;
}

/* What `auto` means here, by the same rules as answer.h. */
static enum recipe_post kind_of(const struct post *post, const struct spec *inputs,
	uint32_t n_inputs, const struct spec *outputs, uint32_t n_outputs,
	const struct post_outputs *views)
{
	enum recipe_post kind = (enum recipe_post)post->keys->kind;
	if (kind != RECIPE_POST_AUTO) {
		return kind;
	}
	if (n_inputs == 1 && n_outputs == 1 && strcmp(outputs->name, "reconstruction") == 0 &&
		shape_equal(&inputs->shape, &outputs->shape)) {
		return RECIPE_POST_RECONSTRUCTION;
	}
	return is_classes(&views->views[0], n_outputs) ? RECIPE_POST_CLASSES : RECIPE_POST_TENSORS;
}

static uint32_t outputs_of(enum recipe_post kind)
{
	switch (kind) {
	case RECIPE_POST_DETECTIONS:
	case RECIPE_POST_POSES:
		return 4;
	case RECIPE_POST_SSD:
		return 2;
	case RECIPE_POST_TENSORS:
		return 0;
	default:
		return 1;
	}
}

int post_read(const struct post *post, const struct spec *inputs,
	const struct tensor_bytes *input_bytes, uint32_t n_inputs, const struct spec *outputs,
	const struct tensor_bytes *output_bytes, uint32_t n_outputs, struct findings *ret_findings,
	struct error *err)
{
	owned_findings struct findings findings = {0};
	struct post_outputs views = {0};
	struct post_view in = {0};
	enum recipe_post kind = (enum recipe_post)post->keys->kind;
	int r = kind == RECIPE_POST_TENSORS ||
			(kind == RECIPE_POST_AUTO &&
				(n_outputs != 1 || !values_are_numbers(outputs->type)))
		? 0
		: views_make(post, outputs, output_bytes, n_outputs, outputs_of(kind), &views, err);
	kind = kind_of(post, inputs, n_inputs, outputs, n_outputs, &views);
	if (r == 0 && kind == RECIPE_POST_RECONSTRUCTION) {
		r = n_inputs == 1 ? view_make(inputs, input_bytes, 0, &in, err)
				  : error_set(err, -EBADMSG, "a reconstruction has one input");
		r = r < 0 ? r : reconstruction_read(&in, &views.views[0], &findings, err);
	} else if (r == 0 && kind == RECIPE_POST_CLASSES) {
		r = classes_read(post, &views.views[0], &findings, err);
	} else if (r == 0 && kind == RECIPE_POST_NUMBERS) {
		r = numbers_read(post, &views.views[0], &findings, err);
	} else if (r == 0 && kind == RECIPE_POST_EMBEDDING) {
		r = embedding_read(post, &views.views[0], &findings, err);
	} else if (r == 0 && kind == RECIPE_POST_MASK) {
		r = post_mask_read(post, &views, &findings, err);
	} else if (r == 0 && (kind == RECIPE_POST_KEYPOINTS || kind == RECIPE_POST_POSES)) {
		r = post_points_read(post, &views, &findings, err);
	} else if (r == 0 && kind != RECIPE_POST_TENSORS) {
		r = post_boxes_read(post, &views, &findings, err);
	}
	if (r < 0) {
		return r;
	}
	*ret_findings = findings;
	findings = (struct findings){0};
	return 0;
}
