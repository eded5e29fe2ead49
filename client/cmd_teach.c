/* SPDX-License-Identifier: Apache-2.0 */
/* teach: a pipeline of embeddings learns a label from a few files. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/commands.h"
#include "client/pipeline/examples.h"
#include "client/pipeline/source.h"
#include "client/pipeline_files.h"
#include "client/pipeline_targets.h"
#include "client/report.h"

struct lesson {
	const char *label;
	struct pipeline_targets targets;
	struct pipeline *pipeline;
	FILE *file; /* of examples, at its end */
	size_t n; /* vectors written */
	struct error err; /* of writing */
};

static void lesson_deinit(struct lesson *lesson)
{
	pipeline_close(lesson->pipeline);
	pipeline_targets_deinit(&lesson->targets);
	if (lesson->file) {
		fclose(lesson->file);
	}
}

static void vector_write(void *context, const struct pipeline_result *result)
{
	struct lesson *lesson = context;
	if (!result->vector || lesson->err.code) {
		return;
	}
	if (examples_write(lesson->file, lesson->label, result->vector, result->n_vector,
		    &lesson->err) == 0) {
		lesson->n++;
	}
}

static int lesson_open(struct lesson *lesson, const char *path, struct error *err)
{
	const struct pipeline_models models = pipeline_targets_models(&lesson->targets);
	const struct pipeline_sink sink = {.result = vector_write, .context = lesson};
	int r = pipeline_open(path, &models, &sink, &lesson->pipeline, err);
	if (r < 0) {
		return r;
	}
	const char *examples = pipeline_examples(lesson->pipeline);
	if (!examples[0]) {
		return error_set(err, -EINVAL, "%s: its [post] has no examples to write to", path);
	}
	lesson->file = fopen(examples, "ae");
	return lesson->file ? 0 : error_set(err, -errno, "%s: %s", examples, strerror(errno));
}

static int file_learn(struct lesson *lesson, const char *path)
{
	owned_source struct source bytes = {0};
	struct error err = {0};
	size_t before = lesson->n;
	if (source_open(path, PIPELINE_MAX_INPUT_BYTES, &bytes, &err) < 0) {
		report_error(path, &err);
		return EXIT_UNREADABLE;
	}
	const struct pipeline_input input = {
		.data = bytes.data, .size = bytes.size, .source = path};
	int r = pipeline_run(lesson->pipeline, &input, &err);
	if (r == 0 && lesson->err.code) {
		err = lesson->err;
		r = err.code;
	}
	if (r == 0 && lesson->n == before) {
		r = error_set(&err, -EINVAL, "gave no embedding");
	}
	if (r < 0) {
		report_error(path, &err);
		return report_exit_of(&err);
	}
	return EXIT_DONE;
}

int cmd_teach(const struct settings *settings)
{
	__attribute__((cleanup(lesson_deinit))) struct lesson lesson = {
		.label = settings->arguments[1]};
	char path[PIPELINE_FILES_PATH_SIZE];
	struct error err = {0};
	lesson.targets.options = (struct target_options){
		.socket = settings->socket, .timeout_ms = settings->timeout_ms};
	int r = pipeline_files_find(settings->pipelines, settings->arguments[0], path, &err);
	r = r < 0 ? r : lesson_open(&lesson, path, &err);
	if (r < 0) {
		report_error(NULL, &err);
		return r == -ENOENT ? EXIT_NO_MODEL : EXIT_UNREADABLE;
	}
	int code = EXIT_DONE;
	for (char **file = settings->arguments + 2; *file; file++) {
		int one = file_learn(&lesson, *file);
		code = code ? code : one;
	}
	if (fflush(lesson.file) != 0) {
		report_line("the examples: %s", strerror(errno));
		code = code ? code : EXIT_NEGATIVE;
	}
	if (!settings->quiet) {
		report_line("%zu examples of %s", lesson.n, lesson.label);
	}
	return code;
}
