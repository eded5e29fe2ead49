/* SPDX-License-Identifier: Apache-2.0 */
/* Draws the findings of all stages into a copy of the last image. */
#include <errno.h>
#include <math.h>

#include "client/pipeline/draw.h"
#include "client/pipeline/pipeline.h"
#include "client/pipeline/pipeline_internal.h"

void pipeline_want_drawing(struct pipeline *p)
{
	p->wants_drawing = true;
}

/* Classes of a crop are listed inside the crop, below the label of its box if that is inside
 * too. */
static struct draw_list list_of(const struct image *image, const struct input_data *m)
{
	const int64_t line = draw_line_height(image);
	const struct findings_frame *f = &m->frame;
	struct draw_list list = {
		(int64_t)round(f->left * image->width), (int64_t)round(f->top * image->height)};
	const bool part = f->width < 1 || f->height < 1;
	list.y += (part && list.y < line ? line : 0) + m->listed * line;
	return list;
}

int pipeline_draw_add(struct pipeline *p, const struct question *q, const struct findings *findings,
	struct error *err)
{
	struct input_data *m = q->input_data;
	struct image *image = &p->drawing;
	int r = 0;
	if (!p->wants_drawing || !m || m->kind != INPUT_DATA_PICTURE) {
		return 0;
	}
	if (q->stage == 0) {
		image_free(image);
		r = image_crop(&m->image, 0, 0, m->image.width, m->image.height, image, err);
	}
	if (r < 0 || !image->pixels) {
		return r;
	}
	struct findings shown = *findings;
	if (m->frame.width < 1 || m->frame.height < 1) {
		shown.mask.width = 0; /* the mask covers only the crop */
	}
	struct draw_list list = list_of(image, m);
	const double points = p->config->stages[q->stage].post.point_threshold;
	r = draw_findings(image, &shown, points, &list, err);
	for (size_t i = 0; i < shown.n && r == 0; i++) {
		m->listed += !shown.items[i].has_box && !shown.items[i].n_points;
	}
	return r;
}

int pipeline_drawing(struct pipeline *p, void **ret_png, size_t *ret_size, struct error *err)
{
	owned_image struct image image = p->drawing;
	p->drawing = (struct image){0};
	*ret_png = NULL;
	return image.pixels ? image_png_encode(&image, ret_png, ret_size, err) : 0;
}
