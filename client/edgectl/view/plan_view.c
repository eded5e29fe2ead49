/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/view/plan_view.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "client/edgectl/view/fields.h"

#define MAP_COLUMNS 24

struct steps {
	struct edge_step *items; /* owned */
	size_t n;
	uint64_t macs; /* sum over all steps */
	uint64_t arena_end; /* highest end of an output in the arena */
	double microseconds;
};

static void steps_deinit(struct steps *steps)
{
	free(steps->items);
}

static int step_append(void *context, const struct edge_step *step)
{
	struct steps *steps = context;
	uint64_t end = step->place == EDGE_PLACE_ARENA ? step->offset + step->bytes : 0;
	struct edge_step *kept = array_add(&steps->items, &steps->n, sizeof(*kept));
	if (!kept) {
		return -ENOMEM;
	}
	*kept = *step;
	steps->macs += step->macs;
	steps->microseconds += step->microseconds;
	steps->arena_end = end > steps->arena_end ? end : steps->arena_end;
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
	const struct steps *steps, const struct edge_step *step, char out[MAP_COLUMNS + 1])
{
	uint64_t end = steps->arena_end;
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

static void step_fields(struct fields *f, const void *record, const void *context)
{
	const struct edge_step *step = record;
	const struct steps *all = context;
	const double share = all->microseconds > 0 ? step->microseconds / all->microseconds : 0;
	const bool in_arena = step->place == EDGE_PLACE_ARENA;
	char shape[SHAPE_TEXT_SIZE], map[MAP_COLUMNS + 1], offset[24];
	draw_map(all, step, map);
	snprintf(offset, sizeof(offset), "%" PRIu64, step->offset);
	fields_cell(f, "STEP", false, "%u.%u", step->subgraph, step->node);
	fields_integer(f, NULL, "subgraph", step->subgraph);
	fields_integer(f, NULL, "node", step->node);
	fields_integer(f, NULL, "depth", step->depth);
	fields_cell(f, "OP", false, "%*s%s", (int)(2 * (step->depth < 16 ? step->depth : 16)), "",
		step->op);
	fields_text(f, NULL, "op", step->op);
	fields_text(f, "TYPE", "type", dtype_name(step->type));
	fields_text(f, "OUTPUT", "output", shape_format(shape, sizeof(shape), &step->output));
	fields_integer(f, "BYTES", "bytes", (int64_t)step->bytes);
	fields_cell(f, "OFFSET", true, "%s", in_arena ? offset : place_title(step->place));
	fields_text(f, NULL, "place", place_name(step->place));
	if (in_arena) {
		fields_integer(f, NULL, "offset", (int64_t)step->offset);
	}
	fields_cell(f, "ARENA", false, "%s", map);
	fields_integer(f, "MACS", "macs", (int64_t)step->macs);
	fields_integer(f, NULL, "moved_bytes", (int64_t)step->moved_bytes);
	fields_real(f, "us", "expected_us", 1, step->microseconds);
	fields_cell(f, "SHARE", true, "%.1f%%", 100 * share);
	fields_real(f, NULL, "share", 0, share);
	fields_text(f, "KERNEL", "kernel", step->detail);
}

static void print_totals(const struct edge_model *model, const struct steps *steps)
{
	const struct edge_model_info *info = edge_model_info(model);
	printf("\nparameters %" PRIu64 ", file %" PRIu64 " bytes, prepared %" PRIu64
	       " bytes; a session takes %" PRIu64 " bytes, its arena %" PRIu64 "\n",
		info->parameters, info->file_bytes, info->prepared_bytes, info->session_bytes,
		info->arena_bytes);
	printf("multiply-accumulates %" PRIu64
	       ", expected time %.3f ms on the core that edged's cost table was measured on\n\n",
		steps->macs, steps->microseconds / 1000);
}

int plan_view_print(
	const struct edge_model *model, uint32_t signature, const struct cli_settings *settings)
{
	__attribute__((cleanup(steps_deinit))) struct steps steps = {0};
	int r = edge_model_steps(model, signature, step_append, &steps);
	if (r < 0) {
		return r;
	}
	print_totals(model, &steps);
	return fields_print_table(
		FIELDS_LIST(step_fields, &steps, steps.items, steps.n), stdout, settings);
}

int plan_view_put(
	struct json_document *document, const struct edge_model *model, uint32_t signature)
{
	__attribute__((cleanup(steps_deinit))) struct steps steps = {0};
	const struct edge_model_info *info = edge_model_info(model);
	int r = edge_model_steps(model, signature, step_append, &steps);
	if (r < 0) {
		return r;
	}
	json_builder_put_integer(document, "parameters", (int64_t)info->parameters);
	json_builder_put_integer(document, "session_bytes", (int64_t)info->session_bytes);
	json_builder_put_real(document, "expected_us", steps.microseconds);
	fields_put_list(document, "plan", FIELDS_LIST(step_fields, &steps, steps.items, steps.n));
	return 0;
}
