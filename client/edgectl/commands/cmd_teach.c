/* SPDX-License-Identifier: Apache-2.0 */
/* teach: adds few-shot examples of a label to a pipeline's model, or removes them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/few_shot.h"
#include "client/edgectl/commands.h"
#include "client/edgectl/few_shot_file.h"
#include "client/edgectl/pipeline_files.h"
#include "client/edgectl/pipeline_targets.h"
#include "client/edgectl/remote.h"
#include "client/edgectl/report.h"
#include "client/edgectl/target.h"
#include "client/media/byte_source.h"

/* Waiting for the lock of a file of examples: time in ms until a message, and until an error. */
#define REPORT_MS 1000
#define LIMIT_MS 10000

struct teaching {
	const char *label;
	struct pipeline_targets targets;
	struct pipeline *pipeline;
	const char *model; /* the model that gets the examples */
	const char *path; /* file of examples; "": the daemon keeps them */
	FILE *file; /* memory stream of the new examples */
	char *text; /* owned; the examples for a file, valid after fflush() */
	size_t text_size;
	int memory; /* memfd with the examples for the daemon, else -1 */
	size_t n; /* embeddings written */
	struct error err; /* of writing the embeddings */
};

static void teaching_deinit(struct teaching *teaching)
{
	pipeline_close(teaching->pipeline);
	pipeline_targets_deinit(&teaching->targets);
	if (teaching->file) {
		fclose(teaching->file);
	}
	free(teaching->text);
	own_close_fd(&teaching->memory);
}

static void vector_write(void *context, const struct pipeline_result *result)
{
	struct teaching *teaching = context;
	if (!result->vector || teaching->err.code || strcmp(result->model, teaching->model) != 0) {
		return;
	}
	if (few_shot_write(teaching->file, teaching->label, result->vector, result->n_vector,
		    &teaching->err) == 0) {
		teaching->n++;
	}
}

static int teaching_open(struct teaching *teaching, const char *path, struct error *err)
{
	struct pipeline_models models = pipeline_targets_models(&teaching->targets);
	const struct pipeline_sink sink = {.result = vector_write, .context = teaching};
	models.examples = NULL; /* existing examples are not needed */
	int r = pipeline_open(path, &models, &sink, &teaching->pipeline, err);
	if (r < 0) {
		return r;
	}
	pipeline_want_everything(teaching->pipeline);
	teaching->model = pipeline_set_few_shot(teaching->pipeline, &teaching->path);
	if (!teaching->model) {
		return error_set(err, -EINVAL, "%s: it has no embeddings", path);
	}
	return !teaching->path[0] && target_names_file(teaching->model)
		? error_set(
			  err, -EINVAL, "%s: its model is a file, and [post] has no examples", path)
		: 0;
}

/* Opens the buffer that collects the examples. */
static int examples_open(struct teaching *teaching, struct error *err)
{
	if (teaching->path[0]) {
		teaching->file = open_memstream(&teaching->text, &teaching->text_size);
		return teaching->file ? 0 : error_no_memory(err);
	}
	teaching->memory = memfd_create("examples", MFD_CLOEXEC);
	owned_fd int copy = teaching->memory < 0 ? -1 : fcntl(teaching->memory, F_DUPFD_CLOEXEC, 0);
	teaching->file = copy < 0 ? NULL : fdopen(copy, "w");
	if (!teaching->file) {
		return error_set(err, -errno, "%s", strerror(errno));
	}
	copy = -1; /* owned by the stream */
	return 0;
}

static int file_embed(struct teaching *teaching, const char *path)
{
	owned_source struct source bytes = {0};
	struct error err = {0};
	size_t before = teaching->n;
	if (source_open(path, PIPELINE_MAX_INPUT_BYTES, &bytes, &err) < 0) {
		report_error(path, &err);
		return EXIT_UNREADABLE;
	}
	const struct pipeline_input input = {
		.data = bytes.data, .size = bytes.size, .source = path};
	int r = pipeline_run(teaching->pipeline, &input, &err);
	if (r == 0 && teaching->err.code) {
		err = teaching->err;
		r = err.code;
	}
	if (r == 0 && teaching->n == before) {
		r = error_set(&err, -EINVAL, "gave no embedding");
	}
	if (r < 0) {
		return report_failed(path, &err);
	}
	return EXIT_DONE;
}

/* Returns the model's version that computed the embeddings. */
static const char *version_of(const struct teaching *teaching)
{
	const struct pipeline_targets *targets = &teaching->targets;
	const size_t length = strlen(teaching->model);
	for (size_t i = 0; i < targets->n; i++) {
		const char *key = targets->items[i].key;
		if (strncmp(key, teaching->model, length) == 0 && key[length] == '\n') {
			return targets->items[i].target->version;
		}
	}
	return NULL;
}

/* @fd -1: removes the examples of the label. */
static int examples_send(const struct cli_settings *s, const struct teaching *teaching, int fd)
{
	owned(edge_client_text_free) char *text = NULL;
	const bool adds = fd >= 0;
	struct error err = {0};
	char shown[256];
	int r = remote_store(s->socket, remote_timeout_ms(s->timeout_ms),
		adds ? EDGE_CLIENT_STORE_TEACH : EDGE_CLIENT_STORE_UNTEACH, teaching->model,
		adds ? version_of(teaching) : teaching->label, fd, &text, &err);
	if (r < 0) {
		return report_failed(r == -ENOTCONN ? NULL : teaching->model, &err);
	}
	if (!s->quiet) {
		report_line("%s", error_escape(shown, sizeof(shown), text, strcspn(text, "\n")));
	}
	return EXIT_DONE;
}

static void report_waiting(void *context, const char *path)
{
	const struct cli_settings *s = context;
	if (!s->quiet) {
		report_line("waiting for who else writes to %s", path);
	}
}

static int examples_append(const struct cli_settings *s, const struct teaching *teaching)
{
	struct error err = {0};
	char shown[4 * FEW_SHOT_LABEL_SIZE];
	const struct few_shot_file_wait wait = {.report_ms = REPORT_MS,
		.limit_ms = LIMIT_MS,
		.report = report_waiting,
		.context = (void *)s};
	if (few_shot_file_add(teaching->path, teaching->text, teaching->text_size, &wait, &err) <
		0) {
		report_error(NULL, &err);
		return err.code == -EBUSY ? report_exit_of(&err) : EXIT_FAILED;
	}
	if (!s->quiet) {
		report_line("%zu examples of %s", teaching->n,
			error_escape(
				shown, sizeof(shown), teaching->label, strlen(teaching->label)));
	}
	return EXIT_DONE;
}

static int examples_add(const struct cli_settings *s, struct teaching *teaching)
{
	int code = EXIT_DONE;
	for (char **file = s->arguments + 2; *file; file++) {
		int one = file_embed(teaching, *file);
		code = code ? code : one;
	}
	if (fflush(teaching->file) != 0) {
		report_line("the examples: %s", strerror(errno));
		return code ? code : EXIT_FAILED;
	}
	int kept = teaching->n == 0 ? EXIT_DONE
		: teaching->path[0] ? examples_append(s, teaching)
				    : examples_send(s, teaching, teaching->memory);
	return code ? code : kept;
}

/* A file of examples has one example a line, which users remove with an editor. */
static int forget(const struct cli_settings *s, const struct teaching *teaching)
{
	if (teaching->path[0]) {
		report_line("%s: its lines are the examples", teaching->path);
		return EXIT_USAGE;
	}
	return examples_send(s, teaching, -1);
}

int cmd_teach(const struct cli_settings *s)
{
	__attribute__((cleanup(teaching_deinit))) struct teaching teaching = {
		.label = s->arguments[1], .memory = -1};
	char path[PIPELINE_FILES_PATH_SIZE];
	struct error err = {0};
	teaching.targets.options = (struct target_options){
		.socket = s->socket, .timeout_ms = s->timeout_ms, .one_version = true};
	if (s->forget == (s->arguments[2] != NULL)) {
		report_line("teach: %s", s->forget ? "--forget takes no INPUT" : "no INPUT");
		return EXIT_USAGE;
	}
	if (!few_shot_is_label(teaching.label, strlen(teaching.label))) {
		report_line("teach: a label has 1 to %d bytes, no control characters",
			FEW_SHOT_LABEL_SIZE - 1);
		return EXIT_USAGE;
	}
	int r = pipeline_files_find(s->pipelines, s->arguments[0], path, &err);
	r = r < 0 ? r : teaching_open(&teaching, path, &err);
	r = r < 0 || s->forget ? r : examples_open(&teaching, &err);
	if (r < 0) {
		report_error(NULL, &err);
		return r == -ENOENT ? EXIT_NO_MODEL : EXIT_UNREADABLE;
	}
	return s->forget ? forget(s, &teaching) : examples_add(s, &teaching);
}
