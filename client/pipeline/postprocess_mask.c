/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>

#include "client/pipeline/postprocess.h"

#define MAX_CLASSES 256 /* a mask has one byte for each pixel */

static int mask_fill(const struct postprocess_view *view, struct findings_mask *mask,
	size_t classes, struct error *err)
{
	size_t pixels = (size_t)mask->width * mask->height;
	double best = 0;
	for (size_t i = 0; i < pixels; i++) {
		if (classes > 0) {
			mask->classes[i] =
				(uint8_t)postprocess_best(view, i * classes, 1, classes, &best);
			continue;
		}
		double class = postprocess_get(view, i);
		if (!(class >= 0 && class < MAX_CLASSES)) {
			return error_set(err, -EBADMSG, "class %g of a pixel", class);
		}
		mask->classes[i] = (uint8_t) class;
	}
	return 0;
}

static int summarise(const struct postprocess *post, struct findings *f, struct error *err)
{
	size_t counts[MAX_CLASSES] = {0};
	size_t pixels = (size_t)f->mask.width * f->mask.height;
	for (size_t i = 0; i < pixels; i++) {
		counts[f->mask.classes[i]]++;
	}
	for (size_t c = 0; c < MAX_CLASSES; c++) {
		const char *label = postprocess_label(post, c);
		double share = (double)counts[c] / (double)pixels;
		if (counts[c] == 0 || postprocess_is_skipped(post, label) ||
			share < post->keys->threshold) {
			continue;
		}
		const struct finding one = {.index = c, .label = label, .score = share};
		int r = findings_put(f, &one, err);
		if (r < 0) {
			return r;
		}
	}
	findings_sort(f, (size_t)post->keys->top_k);
	return 0;
}

int postprocess_mask_read(const struct postprocess *post, const struct postprocess_outputs *outputs,
	struct findings *f, struct error *err)
{
	const struct postprocess_view *view = &outputs->views[0];
	bool floats = view->spec.type == DTYPE_FLOAT32 || view->spec.type == DTYPE_FLOAT16;
	bool labelled = view->rank == 2 || (view->rank == 3 && view->dim[2] == 1 && !floats);
	size_t classes = labelled ? 0 : view->dim[2];
	char shown[SHAPE_TEXT_SIZE];
	if ((view->rank != 2 && view->rank != 3) || classes > MAX_CLASSES || view->n == 0) {
		return error_set(err, -EBADMSG, "a tensor of %s is no mask",
			shape_format(shown, sizeof(shown), &view->spec.shape));
	}
	f->mask = (struct findings_mask){
		.width = (uint32_t)view->dim[1], .height = (uint32_t)view->dim[0]};
	f->mask.classes = calloc(view->dim[0], view->dim[1]);
	if (!f->mask.classes) {
		return error_no_memory(err);
	}
	int r = mask_fill(view, &f->mask, classes, err);
	return r < 0 ? r : summarise(post, f, err);
}
