/* SPDX-License-Identifier: Apache-2.0 */
/* infer and run: inference on files. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/wire/wire.h"
#include "client/edgectl/commands.h"
#include "client/edgectl/pipeline_files.h"
#include "client/edgectl/report.h"
#include "client/edgectl/view/print.h"
#include "client/media/input_file.h"
#include "client/media/npy.h"

#define TOP_K 5 /* default number of classes */

/* The state of one infer or run command. */
struct inference {
	const struct cli_settings *settings;
	struct target *target;
	struct labels labels;
	struct preprocess_options preprocess;
	struct tensor_bytes *inputs; /* target->n_inputs */
	struct tensor_bytes *outputs; /* borrowed views, target->n_outputs */
	struct json_document *all_results; /* -o json: all results */
	FILE *selftest_file; /* --record: the self-test that is written; NULL: none */
	uint64_t progress_ns;
};

static void inference_deinit(struct inference *inference)
{
	for (uint32_t i = 0; inference->inputs && i < inference->target->n_inputs; i++) {
		tensor_free(&inference->inputs[i]);
	}
	free(inference->inputs);
	free(inference->outputs);
	labels_free(&inference->labels);
	json_builder_document_free(inference->all_results);
	target_free(inference->target);
	if (inference->selftest_file) {
		fclose(inference->selftest_file);
	}
}

static int open_target(const struct cli_settings *s, struct target **ret_target, struct error *err)
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
static int load_labels(struct inference *inference, struct error *err)
{
	owned_source struct source source = {0};
	const struct tensor_spec *output = inference->target->outputs;
	if (inference->settings->labels) {
		int r = source_open(inference->settings->labels, 0, &source, err);
		return r < 0 ? r
			     : labels_parse((const char *)source.data, source.size,
				       &inference->labels, err);
	}
	if (inference->target->n_outputs == 1 && output->labels) {
		return labels_parse(output->labels, output->labels_bytes, &inference->labels, err);
	}
	return 0;
}

static void set_preprocess_options(struct inference *inference)
{
	const struct cli_settings *s = inference->settings;
	inference->preprocess =
		(struct preprocess_options){.layout = (enum preprocess_layout)s->layout,
			.resize = (enum preprocess_resize)s->resize,
			.n_mean = s->mean.n,
			.n_std = s->std.n,
			.rate = s->rate};
	memcpy(inference->preprocess.mean, s->mean.value, sizeof(s->mean.value));
	memcpy(inference->preprocess.std, s->std.value, sizeof(s->std.value));
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

static int read_input(
	struct inference *inference, uint32_t index, const char *path, struct error *err)
{
	owned_source struct source source = {0};
	struct tensor_bytes *tensor = &inference->inputs[index];
	char shape[SHAPE_TEXT_SIZE];
	tensor_free(tensor);
	int r = source_open(path, 0, &source, err);
	if (r == -ENOENT && strchr(path, '=')) {
		error_set(err, r, "no such file, and no input of that name: input %u is %s", index,
			inference->target->inputs[index].name);
	}
	r = r < 0 ? r
		  : input_file_read(&inference->target->inputs[index], &inference->preprocess,
			    (enum input_format)inference->settings->input_format, &source, tensor,
			    err);
	if (r == 0 && inference->settings->verbose) {
		report_line("input %u: %zu bytes become %s %s", index, source.size,
			dtype_name(tensor->type),
			shape_format(shape, sizeof(shape), &tensor->shape));
	}
	return r;
}

/* Builds the path of an output file: [SOURCE.]INDEX-NAME.npy */
static void output_path(const struct inference *inference, const char *source, uint32_t index,
	char *out, size_t size)
{
	const char *slash = strrchr(source, '/');
	const char *base = slash ? slash + 1 : source;
	bool several_files =
		inference->target->n_inputs == 1 && inference->settings->n_arguments > 2;
	int n = snprintf(out, size, "%s/", inference->settings->output_dir);
	char *name = out + (n > 0 && (size_t)n < size ? n : 0);
	snprintf(name, size - (size_t)(name - out), "%s%s%u-%s.npy", several_files ? base : "",
		several_files ? "." : "", index, inference->target->outputs[index].name);
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
	const struct inference *inference, const char *source, uint32_t index, struct error *err)
{
	char path[4096];
	const struct tensor_bytes *bytes = &inference->outputs[index];
	struct npy npy = {.type = bytes->type,
		.shape = bytes->shape,
		.data = bytes->data,
		.bytes = bytes->bytes};
	output_path(inference, source, index, path, sizeof(path));
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

static int write_tensors(const struct inference *inference, const char *source, struct error *err)
{
	for (uint32_t i = 0; i < inference->target->n_outputs; i++) {
		const struct tensor_bytes *bytes = &inference->outputs[i];
		if (inference->settings->raw && bytes->bytes &&
			fwrite(bytes->data, (size_t)bytes->bytes, 1, stdout) != 1) {
			return error_set(err, -EIO, "standard output: %s", strerror(errno));
		}
		int r = inference->settings->output_dir ? write_output(inference, source, i, err)
							: 0;
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int print_result_json(
	const struct inference *inference, const struct print_result *result, struct error *err)
{
	if (inference->all_results) {
		json_builder_begin_object(inference->all_results, NULL);
		print_json(result, inference->all_results);
		json_builder_end(inference->all_results);
		return 0;
	}
	owned_json struct json_document *document = json_builder_document_new(false);
	print_json(result, document);
	int r = json_builder_print(
		document, stdout, inference->settings->format == CLI_FORMAT_JSON);
	return r < 0 ? error_set(err, r, "standard output: %s", strerror(-r)) : 0;
}

/* Prints the result, or writes its tensors, as the options ask. */
static int print_or_write_result(struct inference *inference, const char *source, uint64_t ns,
	const struct answer *answer, struct error *err)
{
	struct print_result result = {.target = inference->target,
		.answer = answer,
		.outputs = inference->outputs,
		.source = source,
		.ns = ns};
	if (inference->settings->raw || inference->settings->output_dir) {
		int r = write_tensors(inference, source, err);
		if (r < 0 || inference->settings->raw) {
			return r;
		}
	}
	if (inference->settings->format != CLI_FORMAT_TABLE) {
		return print_result_json(inference, &result, err);
	}
	int r = print_table(&result, stdout, inference->settings);
	return r < 0 ? error_no_memory(err) : 0;
}

/* Makes the answer from the outputs. The first input gets the shape that was sent, because the
 * model's own shape may have dynamic dimensions. */
static int make_answer(struct inference *inference, struct answer *ret_answer, struct error *err)
{
	const struct target *t = inference->target;
	struct answer_options options = {.labels = &inference->labels,
		.top_k = inference->settings->top_k ? inference->settings->top_k : TOP_K,
		.threshold = inference->settings->threshold};
	struct tensor_spec first = {0};
	if (t->n_inputs > 0) {
		first = t->inputs[0];
		first.shape = inference->inputs[0].shape;
	}
	return answer_make(&options, &first, inference->inputs, t->n_inputs, t->outputs,
		inference->outputs, t->n_outputs, ret_answer, err);
}

static int tensors_fill(
	struct wire_tensor *out, const struct tensor_bytes *tensors, uint32_t n, struct error *err)
{
	if (n > WIRE_MAX_TENSORS) {
		return error_set(err, -E2BIG, "more than %d tensors", WIRE_MAX_TENSORS);
	}
	for (uint32_t i = 0; i < n; i++) {
		if (tensors[i].bytes > UINT32_MAX) {
			return error_set(err, -EFBIG, "tensor %u is too large", i);
		}
		out[i] = (struct wire_tensor){.index = (uint16_t)i,
			.name = wire_text_of(""),
			.type = (uint8_t)tensors[i].type,
			.shape = tensors[i].shape,
			.bytes = (uint32_t)tensors[i].bytes,
			.data = tensors[i].data};
	}
	return 0;
}

/* Takes @body. */
static int frame_write(FILE *out, uint16_t type, struct bytes_writer *body, struct error *err)
{
	uint8_t bytes[WIRE_HEADER_BYTES];
	const struct wire_header header = {
		.type = type, .id = 1, .body_bytes = (uint32_t)body->size};
	const bool built = !body->failed && body->size <= UINT32_MAX;
	wire_header_encode(&header, bytes);
	const bool written = built && fwrite(bytes, 1, sizeof(bytes), out) == sizeof(bytes) &&
		fwrite(body->data, 1, body->size, out) == body->size;
	const int why = errno;
	bytes_writer_deinit(body);
	return !built      ? error_no_memory(err)
		: !written ? error_set(err, -EIO, "writing: %s", strerror(why))
			   : 0;
}

/* Appends a request and its reply as frames, for a model's self-test (docs/models.md). @key: the
 * signature; NULL: the default. */
static int selftest_write(FILE *out, const struct target *target, const char *key,
	const struct tensor_bytes *inputs, const struct tensor_bytes *outputs, struct error *err)
{
	owned_mem struct wire_infer *infer = calloc(1, sizeof(*infer));
	owned_mem struct wire_infer_reply *reply = calloc(1, sizeof(*reply));
	struct bytes_writer request_bytes = {0}, reply_bytes = {0};
	if (!infer || !reply) {
		return error_no_memory(err);
	}
	infer->model = wire_text_of("");
	infer->version = wire_text_of("");
	infer->signature = wire_text_of(key ? key : "");
	infer->n_wanted = WIRE_ALL_OUTPUTS;
	infer->n_inputs = target->n_inputs;
	reply->version = wire_text_of("");
	reply->n_outputs = target->n_outputs;
	int code = tensors_fill(infer->inputs, inputs, target->n_inputs, err);
	code = code < 0 ? code : tensors_fill(reply->outputs, outputs, target->n_outputs, err);
	if (code < 0) {
		return code;
	}
	wire_infer_encode(&request_bytes, infer);
	code = frame_write(out, WIRE_INFER, &request_bytes, err);
	if (code < 0) {
		return code;
	}
	wire_infer_reply_encode(&reply_bytes, reply);
	return frame_write(out, WIRE_INFER | WIRE_REPLY, &reply_bytes, err);
}

/* Runs the model and prints the result. All inputs are set. */
static int infer(struct inference *inference, const char *source)
{
	owned_answer struct answer answer = {0};
	struct error err = {0};
	uint64_t ns = 0;
	int r = target_run(inference->target, inference->inputs, &ns, &err);
	for (uint32_t i = 0; i < inference->target->n_outputs && r == 0; i++) {
		inference->outputs[i] = target_output(inference->target, i);
	}
	if (r == 0 && inference->selftest_file) {
		r = selftest_write(inference->selftest_file, inference->target,
			inference->settings->signature, inference->inputs, inference->outputs,
			&err);
	}
	r = r < 0 ? r : make_answer(inference, &answer, &err);
	if (r < 0) {
		return report_failed(source, &err);
	}
	if (print_or_write_result(inference, source, ns, &answer, &err) < 0) {
		report_error(source, &err);
		return EXIT_FAILED;
	}
	bool no_class = answer.kind == ANSWER_CLASSES && answer.n_classes == 0;
	return no_class && inference->settings->exit_status ? EXIT_FAILED : EXIT_DONE;
}

static int report_missing_input(const struct target *target, uint32_t index)
{
	report_line("input %s is missing; give it as %s=FILE", target->inputs[index].name,
		target->inputs[index].name);
	return EXIT_USAGE;
}

/* Runs the model for each argument. Continues after a failure, and returns the exit code of the
 * first failure. */
static int infer_each(struct inference *inference)
{
	int first_failure = EXIT_DONE;
	int n = inference->settings->n_arguments - 1;
	if (n == 0) {
		return report_missing_input(inference->target, 0);
	}
	for (int i = 0; i < n; i++) {
		struct error err = {0};
		uint32_t index = 0;
		const char *path = split_name(
			inference->target, inference->settings->arguments[1 + i], &index);
		int exit_code = EXIT_DONE;
		if (read_input(inference, index, path, &err) < 0) {
			report_error(path, &err);
			exit_code = EXIT_UNREADABLE;
		} else {
			exit_code = infer(inference, path);
		}
		first_failure = first_failure ? first_failure : exit_code;
		if (exit_code == EXIT_UNREACHABLE) {
			break;
		}
		if (!inference->settings->quiet && n > 1) {
			report_progress(
				"inputs", (uint64_t)i + 1, (uint64_t)n, &inference->progress_ns);
		}
	}
	report_progress_end(inference->progress_ns);
	return first_failure;
}

/* Runs the model once with all arguments, by name or in the model's order. */
static int infer_together(struct inference *inference)
{
	uint32_t next = 0;
	char source[1024] = "";
	size_t used = 0;
	for (int i = 1; i < inference->settings->n_arguments; i++) {
		struct error err = {0};
		const char *argument = inference->settings->arguments[i];
		uint32_t index = UINT32_MAX;
		const char *path = split_name(inference->target, argument, &index);
		if (index == UINT32_MAX) {
			while (next < inference->target->n_inputs && inference->inputs[next].data) {
				next++;
			}
			index = next;
		}
		if (index >= inference->target->n_inputs) {
			report_line("more inputs than the model's %u", inference->target->n_inputs);
			return EXIT_USAGE;
		}
		if (read_input(inference, index, path, &err) < 0) {
			report_error(argument, &err);
			return EXIT_UNREADABLE;
		}
		int w = snprintf(
			source + used, sizeof(source) - used, "%s%s", used ? " " : "", argument);
		used += w > 0 && (size_t)w < sizeof(source) - used ? (size_t)w : 0;
	}
	for (uint32_t i = 0; i < inference->target->n_inputs; i++) {
		if (!inference->inputs[i].data) {
			return report_missing_input(inference->target, i);
		}
	}
	return infer(inference, source);
}

static int prepare(struct inference *inference, struct error *err)
{
	bool several_files =
		inference->target->n_inputs == 1 && inference->settings->n_arguments > 2;
	set_preprocess_options(inference);
	inference->inputs =
		calloc((size_t)inference->target->n_inputs + 1, sizeof(inference->inputs[0]));
	inference->outputs =
		calloc((size_t)inference->target->n_outputs + 1, sizeof(inference->outputs[0]));
	if (several_files && inference->settings->format == CLI_FORMAT_JSON) {
		inference->all_results = json_builder_document_new(true);
	}
	if (!inference->inputs || !inference->outputs ||
		(several_files && inference->settings->format == CLI_FORMAT_JSON &&
			!inference->all_results)) {
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
static bool has_pipeline(const struct cli_settings *s, char *ret_path)
{
	bool overridden = s->raw || s->output_dir || s->labels || s->signature || s->record ||
		s->keep_state || s->mean.n || s->std.n || s->layout || s->resize ||
		s->input_format || s->exit_status || s->no_pipeline;
	return s->command == CLI_INFER && s->n_arguments > 1 && !overridden &&
		!target_names_file(s->arguments[0]) &&
		pipeline_files_find(s->pipelines, s->arguments[0], ret_path, NULL) == 0;
}

int cmd_infer(const struct cli_settings *settings)
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
	__attribute__((cleanup(inference_deinit))) struct inference inference = {
		.settings = settings};
	struct error err = {0};
	if (open_target(settings, &inference.target, &err) < 0 || prepare(&inference, &err) < 0) {
		return report_failed(settings->arguments[0], &err);
	}
	if (settings->output_dir && make_output_dir(settings->output_dir, &err) < 0) {
		report_error(settings->output_dir, &err);
		return EXIT_FAILED;
	}
	if (settings->record && !(inference.selftest_file = fopen(settings->record, "we"))) {
		report_line("%s: %s", settings->record, strerror(errno));
		return EXIT_FAILED;
	}
	if (load_labels(&inference, &err) < 0) {
		report_error(settings->labels ? settings->labels : "labels", &err);
		return EXIT_UNREADABLE;
	}
	bool each = inference.target->n_inputs == 1 && settings->n_arguments > 1;
	int code = each ? infer_each(&inference) : infer_together(&inference);
	if (inference.selftest_file && fflush(inference.selftest_file) != 0) {
		report_line("%s: %s", settings->record, strerror(errno));
		return code ? code : EXIT_FAILED;
	}
	if (inference.all_results && !settings->raw &&
		json_builder_print(inference.all_results, stdout, true) < 0) {
		report_line("standard output: %s", strerror(errno));
		return code ? code : EXIT_FAILED;
	}
	return code;
}
