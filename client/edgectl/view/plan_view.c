/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/view/plan_view.h"

#include <inttypes.h>
#include <string.h>

#include "client/edgectl/view/text_columns.h"

#define MAP_COLUMNS 24

/* Sums over all steps. */
struct totals {
	uint64_t macs, arena_end;
	double microseconds;
};

struct view {
	struct totals totals;
	struct grid grid;
	struct json_document *document;
};

static int add_up(void *context, const struct edge_step *step)
{
	struct totals *totals = context;
	uint64_t end = step->place == EDGE_PLACE_ARENA ? step->offset + step->bytes : 0;
	totals->macs += step->macs;
	totals->microseconds += step->microseconds;
	totals->arena_end = end > totals->arena_end ? end : totals->arena_end;
	return 0;
}

static const char *place_name(enum edge_place place)
{
	static const char *const names[] = {
		[EDGE_PLACE_NONE] = "-",
		[EDGE_PLACE_CONSTANT] = "constant",
		[EDGE_PLACE_INPUT] = "input",
		[EDGE_PLACE_ARENA] = "arena",
		[EDGE_PLACE_VARIABLE] = "state",
		[EDGE_PLACE_INNER] = "inner",
		[EDGE_PLACE_RUN_TIME] = "run time",
	};
	return names[place];
}

/* The place in the table. JSON keeps its older words. */
static const char *place_title(enum edge_place place)
{
	return place == EDGE_PLACE_INNER       ? "fused"
		: place == EDGE_PLACE_RUN_TIME ? "dynamic"
					       : place_name(place);
}

/* Draws the output's range in the arena as a bar over the arena's length. */
static void draw_map(
	const struct view *view, const struct edge_step *step, char out[MAP_COLUMNS + 1])
{
	uint64_t end = view->totals.arena_end;
	memset(out, '.', MAP_COLUMNS);
	out[MAP_COLUMNS] = 0;
	if (step->place != EDGE_PLACE_ARENA || end == 0) {
		return;
	}
	uint64_t first = step->offset * MAP_COLUMNS / end;
	uint64_t last = step->bytes ? (step->offset + step->bytes - 1) * MAP_COLUMNS / end : first;
	for (uint64_t i = first; i <= last && i < MAP_COLUMNS; i++) {
		out[i] = '#';
	}
}

static double share_of(const struct view *view, const struct edge_step *step)
{
	double total = view->totals.microseconds;
	return total > 0 ? 100 * step->microseconds / total : 0;
}

static int add_step_row(void *context, const struct edge_step *step)
{
	struct view *view = context;
	struct grid *grid = &view->grid;
	char shape[SHAPE_TEXT_SIZE], map[MAP_COLUMNS + 1];
	grid_add(grid, "%u.%u", step->subgraph, step->node);
	grid_add(grid, "%*s%s", (int)(2 * (step->depth < 16 ? step->depth : 16)), "", step->op);
	grid_add(grid, "%s", dtype_name(step->type));
	grid_add(grid, "%s", shape_format(shape, sizeof(shape), &step->output));
	grid_add(grid, "%" PRIu64, step->bytes);
	if (step->place == EDGE_PLACE_ARENA) {
		grid_add(grid, "%" PRIu64, step->offset);
	} else {
		grid_add(grid, "%s", place_title(step->place));
	}
	draw_map(view, step, map);
	grid_add(grid, "%s", map);
	grid_add(grid, "%" PRIu64, step->macs);
	grid_add(grid, "%.1f", step->microseconds);
	grid_add(grid, "%.1f%%", share_of(view, step));
	grid_add(grid, "%s", step->detail);
	return 0;
}

static void begin_plan_grid(struct grid *grid)
{
	/* right-aligned: BYTES, OFFSET, MACS, us, SHARE */
	grid_begin(grid, "STEP|OP|TYPE|OUTPUT|BYTES|OFFSET|ARENA|MACS|us|SHARE|KERNEL",
		1u << 4 | 1u << 5 | 1u << 7 | 1u << 8 | 1u << 9);
}

static void print_totals(const struct edge_model *model, const struct totals *totals)
{
	const struct edge_model_info *info = edge_model_info(model);
	printf("\nparameters %" PRIu64 ", file %" PRIu64 " bytes, prepared %" PRIu64
	       " bytes; a session takes %" PRIu64 " bytes, its arena %" PRIu64 "\n",
		info->parameters, info->file_bytes, info->prepared_bytes, info->session_bytes,
		info->arena_bytes);
	printf("multiply-accumulates %" PRIu64
	       ", expected time %.3f ms on the core that the rates were measured on\n\n",
		totals->macs, totals->microseconds / 1000);
}

int plan_view_print(
	const struct edge_model *model, uint32_t signature, const struct settings *settings)
{
	struct view view = {0};
	int r = edge_model_steps(model, signature, add_up, &view.totals);
	if (r < 0) {
		return r;
	}
	print_totals(model, &view.totals);
	begin_plan_grid(&view.grid);
	r = edge_model_steps(model, signature, add_step_row, &view);
	if (r == 0) {
		r = grid_print(&view.grid, stdout, true, settings);
	}
	grid_deinit(&view.grid);
	return r;
}

static int add_step_json(void *context, const struct edge_step *step)
{
	struct view *view = context;
	struct json_document *d = view->document;
	char shape[SHAPE_TEXT_SIZE];
	json_builder_begin_object(d, NULL);
	json_builder_put_integer(d, "subgraph", step->subgraph);
	json_builder_put_integer(d, "node", step->node);
	json_builder_put_integer(d, "depth", step->depth);
	json_builder_put_text(d, "op", step->op);
	json_builder_put_text(d, "type", dtype_name(step->type));
	json_builder_put_text(d, "output", shape_format(shape, sizeof(shape), &step->output));
	json_builder_put_integer(d, "bytes", (int64_t)step->bytes);
	json_builder_put_text(d, "place", place_name(step->place));
	if (step->place == EDGE_PLACE_ARENA) {
		json_builder_put_integer(d, "offset", (int64_t)step->offset);
	}
	json_builder_put_integer(d, "macs", (int64_t)step->macs);
	json_builder_put_integer(d, "moved_bytes", (int64_t)step->moved_bytes);
	json_builder_put_real(d, "expected_us", step->microseconds);
	json_builder_put_real(d, "share", share_of(view, step) / 100);
	json_builder_put_text(d, "kernel", step->detail);
	json_builder_end(d);
	return 0;
}

int plan_view_put(
	struct json_document *document, const struct edge_model *model, uint32_t signature)
{
	struct view view = {.document = document};
	const struct edge_model_info *info = edge_model_info(model);
	int r = edge_model_steps(model, signature, add_up, &view.totals);
	if (r < 0) {
		return r;
	}
	json_builder_put_integer(document, "parameters", (int64_t)info->parameters);
	json_builder_put_integer(document, "session_bytes", (int64_t)info->session_bytes);
	json_builder_put_real(document, "expected_us", view.totals.microseconds);
	json_builder_begin_list(document, "plan");
	r = edge_model_steps(model, signature, add_step_json, &view);
	json_builder_end(document);
	return r;
}
