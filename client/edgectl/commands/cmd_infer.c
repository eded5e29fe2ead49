/* SPDX-License-Identifier: Apache-2.0 */
/* infer and run: inference on files. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "client/edgectl/commands.h"
#include "client/edgectl/pipeline_files.h"
#include "client/edgectl/report.h"
#include "client/edgectl/selftest_record.h"
#include "client/edgectl/view/print.h"
#include "client/media/input_file.h"
#include "client/media/npy.h"

#define TOP_K 5 /* default number of classes */

struct job {
	const struct settings *settings;
	struct target *target;
	struct labels labels;
	struct preprocess_options fit;
	struct tensor_bytes *inputs; /* target->n_inputs */
	struct tensor_bytes *outputs; /* borrowed views, target->n_outputs */
	struct json_document *list; /* -o json: all results */
	FILE *record; /* --record: the self-test that is written; NULL: none */
	uint64_t progress_ns;
};

static void job_deinit(struct job *job)
{
	for (uint32_t i = 0; job->inputs && i < job->target->n_inputs; i++) {
		tensor_free(&job->inputs[i]);
	}
	free(job->inputs);
	free(job->outputs);
	labels_free(&job->labels);
	json_builder_document_free(job->list);
	target_free(job->target);
	if (job->record) {
		fclose(job->record);
	}
}

static int open_target(const struct settings *s, struct target **ret_target, struct error *err)
{
	struct target_options options = {.socket = s->socket,
		.priority = (unsigned int)s->priority,
		.latest_key = s->latest_key,
		.timeout_ms = s->timeout_ms,
		.signature = s->signature,
		.cpu = s->cpu,
		.keep_state = s->keep_state,
		.state = s->state};
	const char *name = s->arguments[0];
	return s->command == CLI_RUN ? target_open_file(name, &options, ret_target, err)
				     : target_open_model(name, &options, ret_target, err);
}

/* Loads -l FILE, else the labels of the model's only output. */
static int load_labels(struct job *job, struct error *err)
{
	owned_source struct source source = {0};
	const struct tensor_spec *output = job->target->outputs;
	if (job->settings->labels) {
		int r = source_open(job->settings->labels, 0, &source, err);
		return r < 0
			? r
			: labels_parse((const char *)source.data, source.size, &job->labels, err);
	}
	if (job->target->n_outputs == 1 && output->labels) {
		return labels_parse(output->labels, output->labels_bytes, &job->labels, err);
	}
	return 0;
}

static void set_fit(struct job *job)
{
	const struct settings *s = job->settings;
	job->fit = (struct preprocess_options){.layout = (enum preprocess_layout)s->layout,
		.resize = (enum preprocess_resize)s->resize,
		.n_mean = s->mean.n,
		.n_std = s->std.n,
		.rate = s->rate};
	memcpy(job->fit.mean, s->mean.value, sizeof(s->mean.value));
	memcpy(job->fit.std, s->std.value, sizeof(s->std.value));
}

/* Splits NAME=FILE if NAME is an input of the model; a file name may contain '='. */
static const char *split_name(
	const struct target *target, const char *argument, uint32_t *ret_index)
{
	const char *equals = strchr(argument, '=');
	size_t length = equals ? (size_t)(equals - argument) : 0;
	for (uint32_t i = 0; equals && i < target->n_inputs; i++) {
		const char *name = target->inputs[i].name;
		if (strlen(name) == length && memcmp(name, argument, length) == 0) {
			*ret_index = i;
			return equals + 1;
		}
	}
	return argument;
}

static int read_input(struct job *job, uint32_t index, const char *path, struct error *err)
{
	owned_source struct source source = {0};
	struct tensor_bytes *tensor = &job->inputs[index];
	char shape[SHAPE_TEXT_SIZE];
	tensor_free(tensor);
	int r = source_open(path, 0, &source, err);
	if (r == -ENOENT && strchr(path, '=')) {
		error_set(err, r, "no such file, and no input of that name: input %u is %s", index,
			job->target->inputs[index].name);
	}
	r = r < 0 ? r
		  : input_file_read(&job->target->inputs[index], &job->fit,
			    (enum input_format)job->settings->input_format, &source, tensor, err);
	if (r == 0 && job->settings->verbose) {
		report_line("input %u: %zu bytes become %s %s", index, source.size,
			dtype_name(tensor->type),
			shape_format(shape, sizeof(shape), &tensor->shape));
	}
	return r;
}

/* Builds the path of an output file: [SOURCE.]INDEX-NAME.npy */
static void output_path(
	const struct job *job, const char *source, uint32_t index, char *out, size_t size)
{
	const char *slash = strrchr(source, '/');
	const char *base = slash ? slash + 1 : source;
	bool many = job->target->n_inputs == 1 && job->settings->n_arguments > 2;
	int n = snprintf(out, size, "%s/", job->settings->output_dir);
	char *name = out + (n > 0 && (size_t)n < size ? n : 0);
	snprintf(name, size - (size_t)(name - out), "%s%s%u-%s.npy", many ? base : "",
		many ? "." : "", index, job->target->outputs[index].name);
	for (char *p = name; *p; p++) {
		bool plain = (*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') ||
			(*p >= 'a' && *p <= 'z') || strchr("._-", *p);
		*p = plain ? *p : '_';
	}
}

static void close_file(FILE **file)
{
	if (*file) {
		fclose(*file);
	}
}

static int write_output(
	const struct job *job, const char *source, uint32_t index, struct error *err)
{
	char path[4096];
	const struct tensor_bytes *bytes = &job->outputs[index];
	struct npy npy = {.type = bytes->type,
		.shape = bytes->shape,
		.data = bytes->data,
		.bytes = bytes->bytes};
	output_path(job, source, index, path, sizeof(path));
	__attribute__((cleanup(close_file))) FILE *file = fopen(path, "wbe");
	if (!file) {
		return error_set(err, -errno, "output %u: %s", index, strerror(errno));
	}
	int r = npy_write(file, &npy, err);
	if (r == 0 && fflush(file) != 0) {
		return error_set(err, -EIO, "output %u: %s", index, strerror(errno));
	}
	return r;
}

static int write_bytes(const struct job *job, const char *source, struct error *err)
{
	for (uint32_t i = 0; i < job->target->n_outputs; i++) {
		const struct tensor_bytes *bytes = &job->outputs[i];
		if (job->settings->raw && bytes->bytes &&
			fwrite(bytes->data, (size_t)bytes->bytes, 1, stdout) != 1) {
			return error_set(err, -EIO, "standard output: %s", strerror(errno));
		}
		int r = job->settings->output_dir ? write_output(job, source, i, err) : 0;
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int print_result_json(
	const struct job *job, const struct print_result *result, struct error *err)
{
	if (job->list) {
		json_builder_begin_object(job->list, NULL);
		print_json(result, job->list);
		json_builder_end(job->list);
		return 0;
	}
	owned_json struct json_document *one = json_builder_document_new(false);
	print_json(result, one);
	int r = json_builder_print(one, stdout, job->settings->format == CLI_FORMAT_JSON);
	return r < 0 ? error_set(err, r, "standard output: %s", strerror(-r)) : 0;
}

static int show(struct job *job, const char *source, uint64_t ns, const struct answer *answer,
	struct error *err)
{
	struct print_result result = {.target = job->target,
		.answer = answer,
		.outputs = job->outputs,
		.source = source,
		.ns = ns};
	if (job->settings->raw || job->settings->output_dir) {
		int r = write_bytes(job, source, err);
		if (r < 0 || job->settings->raw) {
			return r;
		}
	}
	if (job->settings->format != CLI_FORMAT_TABLE) {
		return print_result_json(job, &result, err);
	}
	int r = print_table(&result, stdout, job->settings);
	return r < 0 ? error_no_memory(err) : 0;
}

/* Makes the answer from the outputs. The first input gets the shape that was sent, because the
 * model's own shape may have dynamic dimensions. */
static int make_answer(struct job *job, struct answer *ret_answer, struct error *err)
{
	const struct target *t = job->target;
	struct answer_options options = {.labels = &job->labels,
		.top_k = job->settings->top_k ? job->settings->top_k : TOP_K,
		.threshold = job->settings->threshold};
	struct tensor_spec first = {0};
	if (t->n_inputs > 0) {
		first = t->inputs[0];
		first.shape = job->inputs[0].shape;
	}
	return answer_make(&options, &first, job->inputs, t->n_inputs, t->outputs, job->outputs,
		t->n_outputs, ret_answer, err);
}

/* Runs the model and prints the result. All inputs are set. */
static int infer(struct job *job, const char *source)
{
	owned_answer struct answer answer = {0};
	struct error err = {0};
	uint64_t ns = 0;
	int r = target_run(job->target, job->inputs, &ns, &err);
	for (uint32_t i = 0; i < job->target->n_outputs && r == 0; i++) {
		job->outputs[i] = target_output(job->target, i);
	}
	if (r == 0 && job->record) {
		r = selftest_record_write(job->record, job->target, job->settings->signature,
			job->inputs, job->outputs, &err);
	}
	r = r < 0 ? r : make_answer(job, &answer, &err);
	if (r < 0) {
		return report_failed(source, &err);
	}
	if (show(job, source, ns, &answer, &err) < 0) {
		report_error(source, &err);
		return EXIT_NEGATIVE;
	}
	bool negative = answer.kind == ANSWER_CLASSES && answer.n_classes == 0;
	return negative && job->settings->exit_status ? EXIT_NEGATIVE : EXIT_DONE;
}

static int report_missing_input(const struct target *target, uint32_t index)
{
	report_line("input %s is missing; give it as %s=FILE", target->inputs[index].name,
		target->inputs[index].name);
	return EXIT_USAGE;
}

/* Runs the model for each argument. Continues after a failure and returns its exit code. */
static int infer_each(struct job *job)
{
	int code = EXIT_DONE;
	int n = job->settings->n_arguments - 1;
	if (n == 0) {
		return report_missing_input(job->target, 0);
	}
	for (int i = 0; i < n; i++) {
		struct error err = {0};
		uint32_t index = 0;
		const char *path = split_name(job->target, job->settings->arguments[1 + i], &index);
		int one = EXIT_DONE;
		if (read_input(job, index, path, &err) < 0) {
			report_error(path, &err);
			one = EXIT_UNREADABLE;
		} else {
			one = infer(job, path);
		}
		code = code ? code : one;
		if (one == EXIT_UNREACHABLE) {
			break;
		}
		if (!job->settings->quiet && n > 1) {
			report_progress("inputs", (uint64_t)i + 1, (uint64_t)n, &job->progress_ns);
		}
	}
	report_progress_end(job->progress_ns);
	return code;
}

/* Runs the model once with all arguments, by name or in the model's order. */
static int infer_together(struct job *job)
{
	uint32_t next = 0;
	char source[1024] = "";
	size_t used = 0;
	for (int i = 1; i < job->settings->n_arguments; i++) {
		struct error err = {0};
		const char *argument = job->settings->arguments[i];
		uint32_t index = UINT32_MAX;
		const char *path = split_name(job->target, argument, &index);
		if (index == UINT32_MAX) {
			while (next < job->target->n_inputs && job->inputs[next].data) {
				next++;
			}
			index = next;
		}
		if (index >= job->target->n_inputs) {
			report_line("more inputs than the model's %u", job->target->n_inputs);
			return EXIT_USAGE;
		}
		if (read_input(job, index, path, &err) < 0) {
			report_error(argument, &err);
			return EXIT_UNREADABLE;
		}
		int w = snprintf(
			source + used, sizeof(source) - used, "%s%s", used ? " " : "", argument);
		used += w > 0 && (size_t)w < sizeof(source) - used ? (size_t)w : 0;
	}
	for (uint32_t i = 0; i < job->target->n_inputs; i++) {
		if (!job->inputs[i].data) {
			return report_missing_input(job->target, i);
		}
	}
	return infer(job, source);
}

static int prepare(struct job *job, struct error *err)
{
	bool many = job->target->n_inputs == 1 && job->settings->n_arguments > 2;
	set_fit(job);
	job->inputs = calloc((size_t)job->target->n_inputs + 1, sizeof(job->inputs[0]));
	job->outputs = calloc((size_t)job->target->n_outputs + 1, sizeof(job->outputs[0]));
	if (many && job->settings->format == CLI_FORMAT_JSON) {
		job->list = json_builder_document_new(true);
	}
	if (!job->inputs || !job->outputs ||
		(many && job->settings->format == CLI_FORMAT_JSON && !job->list)) {
		return error_no_memory(err);
	}
	return 0;
}

/* Call before the first run: runs may take long, and an error should come before them. */
static int make_output_dir(const char *folder, struct error *err)
{
	struct stat st;
	if (mkdir(folder, 0777) < 0 && (stat(folder, &st) < 0 || !S_ISDIR(st.st_mode))) {
		return error_set(err, -errno, "cannot create the directory");
	}
	return 0;
}

/* Returns true if a pipeline has the model's name and no option overrides it. Options that define
 * inputs or outputs themselves, or ask for tensors, override it. */
static bool has_pipeline(const struct settings *s, char *ret_path)
{
	bool overridden = s->raw || s->output_dir || s->labels || s->signature || s->record ||
		s->keep_state || s->mean.n || s->std.n || s->layout || s->resize ||
		s->input_format || s->exit_status || s->no_pipeline;
	return s->command == CLI_INFER && s->n_arguments > 1 && !overridden &&
		!target_names_file(s->arguments[0]) &&
		pipeline_files_find(s->pipelines, s->arguments[0], ret_path, NULL) == 0;
}

int cmd_infer(const struct settings *settings)
{
	char path[PIPELINE_FILES_PATH_SIZE];
	if (has_pipeline(settings, path)) {
		return cmd_pipeline_infer(settings, path);
	}
	if (settings->draw || settings->mask) {
		report_line("--draw and --mask: model %s has no pipeline that says what to draw",
			settings->arguments[0]);
		return EXIT_USAGE;
	}
	__attribute__((cleanup(job_deinit))) struct job job = {.settings = settings};
	struct error err = {0};
	if (open_target(settings, &job.target, &err) < 0 || prepare(&job, &err) < 0) {
		return report_failed(settings->arguments[0], &err);
	}
	if (settings->output_dir && make_output_dir(settings->output_dir, &err) < 0) {
		report_error(settings->output_dir, &err);
		return EXIT_NEGATIVE;
	}
	if (settings->record && !(job.record = fopen(settings->record, "we"))) {
		report_line("%s: %s", settings->record, strerror(errno));
		return EXIT_NEGATIVE;
	}
	if (load_labels(&job, &err) < 0) {
		report_error(settings->labels ? settings->labels : "labels", &err);
		return EXIT_UNREADABLE;
	}
	bool each = job.target->n_inputs == 1 && settings->n_arguments > 1;
	int code = each ? infer_each(&job) : infer_together(&job);
	if (job.record && fflush(job.record) != 0) {
		report_line("%s: %s", settings->record, strerror(errno));
		return code ? code : EXIT_NEGATIVE;
	}
	if (job.list && !settings->raw && json_builder_print(job.list, stdout, true) < 0) {
		report_line("standard output: %s", strerror(errno));
		return code ? code : EXIT_NEGATIVE;
	}
	return code;
}
