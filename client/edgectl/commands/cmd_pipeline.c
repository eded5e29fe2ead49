/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline: check, list, show and run; and infer on a model that has a pipeline. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "client/edgectl/commands.h"
#include "client/edgectl/pipeline_files.h"
#include "client/edgectl/pipeline_targets.h"
#include "client/edgectl/report.h"
#include "client/edgectl/view/grid.h"
#include "client/media/byte_source.h"
#include "client/media/csv.h"

#define LINE_BYTES 8192 /* longest line of numbers, with the zero byte */
/* most bytes of a stream pushed at once: a quarter of a second at 16 kHz */
#define PIECE_BYTES 8192

struct work {
	const struct cli_settings *settings;
	struct pipeline_targets targets;
	struct pipeline *pipeline;
	size_t n_results;
	bool everything; /* infer: print every result, and treat each input by itself */
	bool has_mask; /* a result had a mask, for --mask */
	bool write_failed;
	bool output_is_lost; /* writing to standard output failed */
};

static void work_deinit(struct work *work)
{
	pipeline_close(work->pipeline);
	pipeline_targets_deinit(&work->targets);
}

/* Returns the daemon's exit code for a refusal by the model, else the input's. */
static int exit_of(const struct error *err)
{
	bool asked = err->code == -ENOTCONN || err->status == EDGE_NOT_FOUND ||
		err->status == EDGE_OVERLOADED || err->status == EDGE_DRAINING ||
		err->status == EDGE_DEADLINE || err->status == EDGE_DENIED;
	return asked ? report_exit_of(err) : EXIT_UNREADABLE;
}

/* Writes the whole file, or removes it: no truncated image stays. Links and devices are kept. */
static int file_fill(const char *path, const void *data, size_t bytes)
{
	owned_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH);
	struct stat st;
	int r = fd < 0 ? -errno : 0;
	r = r < 0 ? r : file_write(fd, data, bytes);
	if (r < 0 && fd >= 0 && ftruncate(fd, 0) == 0 && lstat(path, &st) == 0 &&
		S_ISREG(st.st_mode)) {
		(void)unlink(path); /* the caller reports the write error */
	}
	return r;
}

static void image_write(struct work *work, const char *path, const void *data, size_t bytes)
{
	int r = file_fill(path, data, bytes);
	if (r < 0) {
		report_line("%s: %s", path, strerror(-r));
		work->write_failed = true;
	}
}

/* Reports the write error while errno is set, and discards the buffer, so that it is not
 * reported again at exit. */
static void output_failed(struct work *work)
{
	if (errno != EPIPE) {
		report_line("standard output: %s", strerror(errno));
	}
	work->write_failed = true;
	work->output_is_lost = true;
	owned_fd int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (nowhere >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0) {
		clearerr(stdout);
	}
}

static void result_print(void *context, const struct pipeline_result *result)
{
	struct work *work = context;
	int format = work->settings->format;
	const char *before = work->n_results ? ",\n" : "[\n";
	const char *shown = format == CLI_FORMAT_TABLE ? result->text : result->json;
	if (work->output_is_lost) {
		return;
	}
	/* Flushes, because readers of a stream want events at once. */
	if (fputs(format == CLI_FORMAT_JSON ? before : "", stdout) < 0 || puts(shown) < 0 ||
		fflush(stdout) < 0) {
		output_failed(work);
		return;
	}
	work->n_results++;
	if (work->settings->mask && result->mask_png) {
		work->has_mask = true;
		image_write(work, work->settings->mask, result->mask_png, result->mask_bytes);
	}
}

static int open_path(struct work *work, const char *path, struct error *err)
{
	const struct cli_settings *s = work->settings;
	const struct pipeline_models models = pipeline_targets_models(&work->targets);
	const struct pipeline_sink sink = {.result = result_print, .context = work};
	work->targets.options =
		(struct target_options){.socket = s->socket, .timeout_ms = s->timeout_ms};
	int r = pipeline_open(path, &models, &sink, &work->pipeline, err);
	if (r == 0 && work->everything) {
		pipeline_want_everything(work->pipeline);
		pipeline_want_found(work->pipeline, s->top_k, s->threshold);
	} else if (r == 0 && !isnan(s->threshold)) {
		r = pipeline_set_threshold(work->pipeline, s->threshold, err);
	}
	if (r == 0 && s->draw) {
		pipeline_want_drawing(work->pipeline);
	}
	return r;
}

/* Writes the drawing of image @path. @code: exit code of the run. */
static int drawing_write(struct work *work, const char *path, int code)
{
	owned_mem void *png = NULL;
	struct error err = {0};
	size_t bytes = 0;
	int r = pipeline_drawing(work->pipeline, &png, &bytes, &err);
	if (r == 0 && !png && code) {
		return code;
	}
	if (r == 0 && !png) {
		r = error_set(&err, -EINVAL, "no picture was looked at that --draw could draw in");
	}
	if (r < 0) {
		report_error(path, &err);
		return code ? code : EXIT_UNREADABLE;
	}
	image_write(work, work->settings->draw, png, bytes);
	return code;
}

static int file_push(struct work *work, const char *path, const char *source)
{
	owned_source struct source bytes = {0};
	struct error err = {0};
	int code = EXIT_DONE;
	if (source_open(path, PIPELINE_MAX_INPUT_BYTES, &bytes, &err) < 0) {
		report_error(path, &err);
		return EXIT_UNREADABLE;
	}
	const struct pipeline_input input = {.data = bytes.data,
		.size = bytes.size,
		.content_type = source_is_table_name(path) ? "text/csv" : NULL,
		.source = source};
	if (pipeline_run(work->pipeline, &input, &err) < 0) {
		report_error(path, &err);
		code = exit_of(&err);
	}
	return work->settings->draw ? drawing_write(work, path, code) : code;
}

/* Reports a read error. @code: exit code of the input before it. */
static int input_fail(int code, int why)
{
	report_line("standard input: %s", strerror(why));
	return code ? code : EXIT_UNREADABLE;
}

/* Pushes standard input as it arrives, in multiples of @unit bytes. */
static int stream_push(struct work *work, size_t unit, const char *type)
{
	char piece[PIECE_BYTES];
	size_t there = 0;
	int code = EXIT_DONE;
	while (!work->output_is_lost) {
		ssize_t n = read(STDIN_FILENO, piece + there, sizeof(piece) - there);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return input_fail(code, errno);
		}
		if (n == 0) {
			break;
		}
		there += (size_t)n;
		size_t whole = there - there % unit;
		struct error err = {0};
		const struct pipeline_input input = {
			.data = piece, .size = whole, .content_type = type, .source = "-"};
		if (whole > 0 && pipeline_run(work->pipeline, &input, &err) < 0) {
			report_error("-", &err);
			code = code ? code : exit_of(&err);
			if (code == EXIT_UNREACHABLE) {
				break;
			}
		}
		memmove(piece, piece + whole, there - whole);
		there -= whole;
	}
	return code;
}

/* Reads the next line of standard input, zero-terminated. Returns its length, 0 at the end,
 * -EFBIG for a line that is too long and was skipped, else the read error. */
static int line_read(char line[LINE_BYTES])
{
	int n = 0, c = 0;
	while (c != '\n' && (c = getc(stdin)) != EOF) {
		line[n] = (char)c;
		n += n < LINE_BYTES - 1;
	}
	if (c == EOF && ferror(stdin)) {
		return -errno;
	}
	line[n] = 0;
	return n < LINE_BYTES - 1 ? n : -EFBIG;
}

/* @first: true for the first line, which may have a byte order mark or be a header. */
static int line_push(
	struct work *work, const char *line, size_t length, bool first, struct error *err)
{
	const size_t mark = first ? csv_bom_size(line, length) : 0;
	const char *text = line + mark;
	const struct pipeline_input input = {
		.data = text, .size = length - mark, .content_type = "text/csv", .source = "-"};
	const char *begin = text + strspn(text, " \r");
	const bool nothing = strspn(text, " \r\n") == input.size || *begin == '#';
	return nothing || (first && csv_is_header(text))
		? 0
		: pipeline_run(work->pipeline, &input, err);
}

/* Pushes lines of numbers as they arrive. */
static int lines_push(struct work *work)
{
	char line[LINE_BYTES];
	int code = EXIT_DONE, length = 0;
	for (unsigned long long at = 1; !work->output_is_lost && (length = line_read(line)); at++) {
		struct error err = {0};
		int r = 0;
		if (length > 0) {
			r = line_push(work, line, (size_t)length, at == 1, &err);
		} else if (length == -EFBIG) {
			r = error_set(&err, length, "more than %d bytes", LINE_BYTES - 2);
		} else {
			return input_fail(code, -length);
		}
		if (r < 0) {
			error_prefix(&err, "line %llu", at);
			report_error("-", &err);
			code = code ? code : exit_of(&err);
		}
		if (code == EXIT_UNREACHABLE) {
			break;
		}
	}
	return code;
}

/* Pushes a file that is a complete stream: it gives a result even if the sound is shorter than a
 * window. */
static int whole_stream_push(struct work *work, const char *path)
{
	const char *source = strlen(path) < PIPELINE_SOURCE_SIZE ? path : "-";
	const size_t results = work->n_results;
	const uint64_t failed = pipeline_counts(work->pipeline).failed;
	struct error err = {0};
	int code = file_push(work, path, source);
	if (code == EXIT_DONE && work->n_results == results && !work->output_is_lost &&
		pipeline_run_rest(work->pipeline, source, &err) < 0) {
		report_error(path, &err);
		code = exit_of(&err);
	}
	if (code == EXIT_DONE && work->n_results == results && !work->output_is_lost &&
		pipeline_counts(work->pipeline).failed == failed) {
		error_set(&err, -EINVAL, "too short for a result");
		report_error(path, &err);
		code = EXIT_UNREADABLE;
	}
	pipeline_forget_source(work->pipeline, source);
	return code;
}

static int one_push(struct work *work, const char *argument)
{
	uint32_t rate = 0, channels = 0;
	enum pipeline_input_mode feed = pipeline_input_mode(work->pipeline, &rate, &channels);
	bool standard = strcmp(argument, "-") == 0;
	if (work->everything && feed != PIPELINE_SINGLE) {
		return whole_stream_push(work, argument);
	}
	if (standard && feed == PIPELINE_STREAM_SOUND) {
		return stream_push(work, 2 * (size_t)channels, "audio/l16");
	}
	if (standard && feed == PIPELINE_STREAM_NUMBERS) {
		return lines_push(work);
	}
	if (feed == PIPELINE_SINGLE) {
		return file_push(work, argument, argument);
	}
	/* Several files are pieces of one stream. */
	return file_push(work, argument, "-");
}

static int run_all(struct work *work, char **arguments)
{
	int code = EXIT_DONE;
	for (; *arguments && code != EXIT_UNREACHABLE && !work->output_is_lost; arguments++) {
		int one = one_push(work, *arguments);
		code = code ? code : one;
	}
	if (work->settings->format == CLI_FORMAT_JSON && !work->output_is_lost) {
		fputs(work->n_results ? "]\n" : "[]\n", stdout);
	}
	struct pipeline_counts counts = pipeline_counts(work->pipeline);
	code = code == EXIT_DONE && (counts.failed || work->write_failed) ? EXIT_FAILED : code;
	if (code == EXIT_DONE && work->settings->mask && !work->has_mask) {
		report_line("no result had a mask that --mask could write");
		code = EXIT_UNREADABLE;
	}
	if (work->settings->verbose) {
		report_line("%llu questions, %llu results, %llu events, %llu skipped, %llu failed",
			(unsigned long long)counts.questions, (unsigned long long)counts.results,
			(unsigned long long)counts.events, (unsigned long long)counts.skipped,
			(unsigned long long)counts.failed);
	}
	return code;
}

static int open_and_run(
	const struct cli_settings *settings, const char *path, char **inputs, bool everything)
{
	__attribute__((cleanup(work_deinit))) struct work work = {
		.settings = settings, .everything = everything};
	struct error err = {0};
	if (open_path(&work, path, &err) < 0) {
		report_error(NULL, &err);
		return EXIT_UNREADABLE;
	}
	uint32_t rate = 0, channels = 0;
	if (settings->draw &&
		pipeline_input_mode(work.pipeline, &rate, &channels) != PIPELINE_SINGLE) {
		report_line("--draw: pipeline %s takes no pictures", pipeline_name(work.pipeline));
		return EXIT_USAGE;
	}
	if (settings->mask && !pipeline_want_masks(work.pipeline)) {
		report_line("--mask: pipeline %s has no stage of kind = mask",
			pipeline_name(work.pipeline));
		return EXIT_USAGE;
	}
	return run_all(&work, inputs);
}

int cmd_pipeline_infer(const struct cli_settings *settings, const char *path)
{
	return open_and_run(settings, path, settings->arguments + 1, true);
}

#define TEXT_SIZE 320

static void row_add(struct grid *grid, const struct pipeline *p)
{
	char models[TEXT_SIZE] = "";
	size_t used = 0;
	for (size_t i = 0; pipeline_model_name(p, i); i++) {
		int n = snprintf(models + used, sizeof(models) - used, "%s%s", i ? ", " : "",
			pipeline_model_name(p, i));
		used += n > 0 && (size_t)n < sizeof(models) - used ? (size_t)n : 0;
	}
	grid_add(grid, "%s", pipeline_name(p));
	grid_add_escaped(grid, models);
	grid_add_escaped(grid, pipeline_description(p));
}

/* Reads a file. Adds a row to @grid and prints its keys to @shown; both may be NULL. */
static int file_check(const char *path, struct grid *grid, FILE *shown)
{
	owned(pipeline_close) struct pipeline *p = NULL;
	const struct pipeline_models nobody = {0};
	struct error err = {0};
	if (pipeline_open(path, &nobody, NULL, &p, &err) < 0) {
		report_error(NULL, &err);
		return EXIT_FAILED;
	}
	if (grid) {
		row_add(grid, p);
	}
	if (shown) {
		pipeline_print(p, shown);
	}
	return EXIT_DONE;
}

/* Checks all pipelines. @grid may be NULL. */
static int all_check(const struct cli_settings *settings, struct grid *grid)
{
	__attribute__((cleanup(pipeline_files_free))) struct pipeline_files files = {0};
	struct error err = {0};
	int code = EXIT_DONE;
	if (pipeline_files_list(settings->pipelines, &files, &err) < 0) {
		report_error(NULL, &err);
		return EXIT_UNREADABLE;
	}
	for (size_t i = 0; i < files.n; i++) {
		int one = file_check(files.paths[i], grid, NULL);
		code = code ? code : one;
	}
	return code;
}

static int find(const struct cli_settings *settings, const char *name, char *ret_path)
{
	struct error err = {0};
	if (pipeline_files_find(settings->pipelines, name, ret_path, &err) < 0) {
		report_error(NULL, &err);
		return EXIT_NO_MODEL;
	}
	return EXIT_DONE;
}

static int list(const struct cli_settings *settings)
{
	owned_grid struct grid grid = {0};
	grid_init_with_titles(&grid, "PIPELINE|MODELS|DESCRIPTION", 0);
	int code = all_check(settings, &grid);
	return grid_print(&grid, stdout, true, settings) < 0 ? EXIT_FAILED : code;
}

static int each_named(const struct cli_settings *settings, FILE *shown)
{
	char path[PIPELINE_FILES_PATH_SIZE];
	int code = EXIT_DONE;
	for (char **name = settings->arguments + 1; *name; name++) {
		int one = find(settings, *name, path);
		one = one ? one : file_check(path, NULL, shown);
		code = code ? code : one;
	}
	return code;
}

static int usage(const char *text)
{
	report_line("pipeline: %s", text);
	return EXIT_USAGE;
}

int cmd_pipeline(const struct cli_settings *settings)
{
	char path[PIPELINE_FILES_PATH_SIZE];
	const char *verb = settings->arguments[0];
	int n = settings->n_arguments - 1;
	if (strcmp(verb, "list") == 0) {
		return n == 0 ? list(settings) : usage("list takes no name");
	}
	if (strcmp(verb, "check") == 0) {
		return n == 0 ? all_check(settings, NULL) : each_named(settings, NULL);
	}
	if (strcmp(verb, "show") == 0) {
		return n == 0 ? usage("show NAME...") : each_named(settings, stdout);
	}
	if (strcmp(verb, "run") != 0) {
		return usage("check, list, run or show");
	}
	if (n < 2) {
		return usage("run NAME INPUT...");
	}
	int code = find(settings, settings->arguments[1], path);
	return code ? code : open_and_run(settings, path, settings->arguments + 2, false);
}
