/* SPDX-License-Identifier: Apache-2.0 */
/* show: describes a model of the daemon or of a file. */
#include <errno.h>
#include <string.h>

#include "client/edgectl/commands.h"
#include "client/edgectl/remote.h"
#include "client/edgectl/report.h"
#include "client/edgectl/target.h"
#include "client/edgectl/view/fields.h"
#include "client/edgectl/view/node_view.h"
#include "client/edgectl/view/plan_view.h"
#include "engine/edge.h"

#define TEXT_SIZE 256

/* Numbers and texts about the whole model. */
struct figures {
	const struct edge_client_model *model; /* only the numbers; of @file or @served */
	struct edge_client_model file;
	struct edge_client_model *served; /* owned; NULL: a file */
	char title[TEXT_SIZE], description[TEXT_SIZE]; /* escaped */
	char keys[TEXT_SIZE]; /* of the signatures, separated by commas; truncated if too long */
	struct edge_client_power power; /* without runs if the machine has no power meter */
};

static void figures_deinit(struct figures *figures)
{
	edge_client_model_free(figures->served);
}

static void add_key(struct figures *f, const char *key, size_t length)
{
	const size_t used = strlen(f->keys);
	if (length > 0) {
		snprintf(f->keys + used, sizeof(f->keys) - used, "%s%.*s", used ? ", " : "",
			(int)length, key);
	}
}

static void local_figures(struct edge_model *model, struct figures *f)
{
	const struct edge_model_info *info = edge_model_info(model);
	struct edge_signature_info signature;
	error_escape(f->title, TEXT_SIZE, info->name.data, info->name.length);
	error_escape(f->description, TEXT_SIZE, info->description.data, info->description.length);
	f->file = (struct edge_client_model){.file_bytes = info->file_bytes,
		.arena_bytes = info->arena_bytes,
		.prepared_bytes = info->prepared_bytes,
		.macs = info->macs,
		.n_nodes = info->n_nodes,
		.n_subgraphs = info->n_subgraphs,
		.n_signatures = info->n_signatures};
	f->model = &f->file;
	for (uint32_t i = 0; edge_model_signature(model, i, &signature) == 0; i++) {
		add_key(f, signature.key.data, signature.key.length);
	}
}

static int remote_figures(const struct cli_settings *s, struct figures *f, struct error *err)
{
	owned(edge_client_close) struct edge_client *client = NULL;
	const char *name = s->arguments[0];
	struct edge_client_error why = {0};
	uint32_t timeout_ms = remote_timeout_ms(s->timeout_ms);
	int r = remote_open(s->socket, s->timeout_ms, &client, err);
	if (r < 0) {
		return r;
	}
	if (edge_client_describe(client, name, NULL, timeout_ms, &f->served, &why) < 0) {
		return remote_error(&why, err);
	}
	const struct edge_client_model *model = f->model = f->served;
	error_escape(f->title, TEXT_SIZE, model->title, strlen(model->title));
	error_escape(f->description, TEXT_SIZE, model->description, strlen(model->description));
	for (uint32_t i = 0; i < model->n_signatures; i++) {
		add_key(f, model->signatures[i].key, strlen(model->signatures[i].key));
	}
	if (edge_client_power(client, name, timeout_ms, &f->power, NULL) < 0) {
		f->power.model_runs = 0;
	}
	return 0;
}

static void escaped_text(struct fields *f, const char *title, const char *key, const char *text)
{
	if (text[0]) {
		fields_cell(f, title, false, "%s", text);
		fields_text(f, NULL, key, text);
	}
}

static void figure_fields(
	struct fields *f, const struct target *target, const struct figures *figures)
{
	const struct edge_client_model *m = figures->model;
	const struct edge_client_power *power = &figures->power;
	const uint32_t with_key = m->n_signatures ? m->n_signatures - 1 : 0;
	char keys[TEXT_SIZE];
	fields_cell(f, "model", false, "%s%s%s", target->name, target->version[0] ? " " : "",
		target->version);
	fields_text(f, NULL, "model", target->name);
	fields_text(f, NULL, "version", target->version);
	escaped_text(f, "title", "title", figures->title);
	escaped_text(f, "description", "description", figures->description);
	if (figures->served) {
		fields_integer(f, "generation", "generation", (int64_t)m->generation);
	}
	fields_integer(f, "file bytes", "file_bytes", (int64_t)m->file_bytes);
	fields_integer(f, "arena bytes", "arena_bytes", (int64_t)m->arena_bytes);
	fields_integer(f, "prepared bytes", "prepared_bytes", (int64_t)m->prepared_bytes);
	fields_integer(f, "multiply-accumulates", "macs", (int64_t)m->macs);
	fields_integer(f, "operators", "operators", m->n_nodes);
	fields_integer(f, "subgraphs", "subgraphs", m->n_subgraphs);
	fields_integer(f, "signatures", "signatures", with_key);
	escaped_text(f, "signature keys", "signature_keys",
		error_escape(keys, sizeof(keys), figures->keys, strlen(figures->keys)));
	if (power->model_runs > 0) {
		fields_integer(f, "microjoules of a run, estimated", "run_uj",
			(int64_t)power->model_nj / 1000);
	}
}

static size_t count_lines(const struct tensor_spec *spec)
{
	size_t n = 0;
	for (size_t i = 0; spec->labels && i < spec->labels_bytes; i++) {
		n += spec->labels[i] == '\n' || i + 1 == spec->labels_bytes;
	}
	return n;
}

static void add_spec_row(
	struct grid *grid, const char *kind, uint32_t i, const struct tensor_spec *spec)
{
	char shape[SHAPE_TEXT_SIZE];
	size_t labels = count_lines(spec);
	grid_add(grid, "%s %u", kind, i);
	grid_add(grid, "%s", spec->name);
	grid_add(grid, "%s", dtype_name(spec->type));
	grid_add(grid, "%s", shape_format(shape, sizeof(shape), &spec->declared));
	if (spec->scale > 0) {
		grid_add(grid, "%.6g * (q %c %lld)", spec->scale, spec->zero_point < 0 ? '+' : '-',
			llabs((long long)spec->zero_point));
	} else {
		grid_add(grid, "-");
	}
	if (spec->n_mean || spec->n_std) {
		grid_add(grid, "(x - %.6g) / %.6g", spec->n_mean ? (double)spec->mean[0] : 0,
			spec->n_std ? (double)spec->std[0] : 1);
	} else {
		grid_add(grid, "-");
	}
	if (labels) {
		grid_add(grid, "%zu", labels);
	} else {
		grid_add(grid, "-");
	}
}

static int print_figures(
	const struct target *target, const struct figures *figures, const struct cli_settings *s)
{
	owned_grid struct grid grid = {0};
	grid_init(&grid, 2, 0);
	figure_fields(&(struct fields){.grid = &grid, .vertical = true}, target, figures);
	return grid_print(&grid, stdout, false, s);
}

static int print_tensors(const struct tensor_spec *inputs, uint32_t n_inputs,
	const struct tensor_spec *outputs, uint32_t n_outputs, const struct cli_settings *s)
{
	owned_grid struct grid grid = {0};
	grid_init_with_titles(&grid, "TENSOR|NAME|TYPE|SHAPE|REAL VALUE|NORMALISED|LABELS", 0);
	for (uint32_t i = 0; i < n_inputs; i++) {
		add_spec_row(&grid, "input", i, &inputs[i]);
	}
	for (uint32_t i = 0; i < n_outputs; i++) {
		add_spec_row(&grid, "output", i, &outputs[i]);
	}
	return grid_print(&grid, stdout, true, s);
}

/* Prints the signatures with a key, in the order of the file. */
static int print_signatures(const struct target *target, const struct cli_settings *s)
{
	struct error err = {0};
	for (uint32_t i = 1;; i++) {
		owned_signature struct target_signature one = {0};
		int r = target_signature(target, i, &one, &err);
		if (r < 0) {
			return r == -ENOENT ? 0 : r;
		}
		printf("\nsignature %s\n", one.key);
		r = print_tensors(one.inputs, one.n_inputs, one.outputs, one.n_outputs, s);
		if (r < 0) {
			return r;
		}
	}
}

/* Returns the index of --signature, which target_open_file() has checked. */
static uint32_t signature_of(const struct edge_model *model, const struct cli_settings *s)
{
	int found = s->signature ? edge_model_find_signature(model, s->signature) : 0;
	return found > 0 ? (uint32_t)found : 0;
}

static int show_table(
	const struct target *target, const struct figures *figures, const struct cli_settings *s)
{
	const struct edge_model *model = target->model;
	int r = print_figures(target, figures, s);
	putchar('\n');
	r = r < 0 ? r
		  : print_tensors(target->inputs, target->n_inputs, target->outputs,
			    target->n_outputs, s);
	if (r == 0 && !s->signature) {
		r = print_signatures(target, s);
	}
	if (r == 0 && model && s->plan) {
		r = plan_view_print(model, signature_of(model, s), s);
	} else if (r == 0 && model) {
		putchar('\n');
		r = node_view_print(model, signature_of(model, s), NULL, s);
	}
	if (r < 0) {
		report_line("%s", strerror(-r));
	}
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

static void put_spec(struct json_document *d, const struct tensor_spec *spec)
{
	json_builder_begin_object(d, NULL);
	json_builder_put_text(d, "name", spec->name);
	json_builder_put_text(d, "type", dtype_name(spec->type));
	json_builder_put_integers(d, "shape", spec->declared.dim, spec->declared.rank);
	json_builder_put_integer(d, "bytes", (int64_t)spec->bytes);
	if (spec->scale > 0) {
		json_builder_put_real(d, "scale", spec->scale);
		json_builder_put_integer(d, "zero_point", spec->zero_point);
	}
	if (spec->n_mean || spec->n_std) {
		json_builder_put_reals(d, "mean", spec->mean, spec->n_mean);
		json_builder_put_reals(d, "std", spec->std, spec->n_std);
	}
	if (spec->labels) {
		json_builder_put_integer(d, "labels", (int64_t)count_lines(spec));
	}
	json_builder_end(d);
}

static void put_specs(
	struct json_document *d, const char *key, const struct tensor_spec *specs, uint32_t n)
{
	json_builder_begin_list(d, key);
	for (uint32_t i = 0; i < n; i++) {
		put_spec(d, &specs[i]);
	}
	json_builder_end(d);
}

/* Stops silently at an error; the document is then incomplete. */
static void put_signatures(struct json_document *d, const struct target *target)
{
	json_builder_begin_list(d, "signature_list");
	for (uint32_t i = 1;; i++) {
		owned_signature struct target_signature one = {0};
		if (target_signature(target, i, &one, NULL) < 0) {
			break;
		}
		json_builder_begin_object(d, NULL);
		json_builder_put_text(d, "key", one.key);
		put_specs(d, "inputs", one.inputs, one.n_inputs);
		put_specs(d, "outputs", one.outputs, one.n_outputs);
		json_builder_end(d);
	}
	json_builder_end(d);
}

static int show_json(
	const struct target *target, const struct figures *figures, const struct cli_settings *s)
{
	owned_json struct json_document *d = json_builder_document_new(false);
	figure_fields(&(struct fields){.json = d}, target, figures);
	put_specs(d, "inputs", target->inputs, target->n_inputs);
	put_specs(d, "outputs", target->outputs, target->n_outputs);
	if (!s->signature) {
		put_signatures(d, target);
	}
	const struct edge_model *model = target->model;
	int r = 0;
	if (model && s->plan) {
		r = plan_view_put(d, model, signature_of(model, s));
	} else if (model) {
		node_view_put(d, model, signature_of(model, s), NULL);
	}
	r = r < 0 ? r : json_builder_print(d, stdout, s->format == CLI_FORMAT_JSON);
	return report_output(r);
}

int cmd_show(const struct cli_settings *s)
{
	owned(target_free) struct target *target = NULL;
	__attribute__((cleanup(figures_deinit))) struct figures figures = {0};
	struct error err = {0};
	struct target_options options = {
		.socket = s->socket,
		.signature = s->signature,
		.timeout_ms = s->timeout_ms,
		.cpu = s->cpu,
	};
	const char *name = s->arguments[0];
	bool local = s->local || target_names_file(name);
	if (s->plan && !local) {
		report_line("show: --plan needs a file");
		return EXIT_USAGE;
	}
	int r = local ? target_open_file(name, &options, &target, &err)
		      : target_open_model(name, &options, &target, &err);
	if (r == 0 && !local) {
		r = remote_figures(s, &figures, &err);
	}
	if (r < 0) {
		return report_failed(name, &err);
	}
	if (local) {
		local_figures(target->model, &figures);
	}
	return s->format == CLI_FORMAT_TABLE ? show_table(target, &figures, s)
					     : show_json(target, &figures, s);
}
