/* SPDX-License-Identifier: Apache-2.0 */
/* verify: one line for each file, in order. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/backends.h"
#include "base/clock.h"
#include "client/edgectl/commands.h"
#include "client/edgectl/report.h"
#include "client/golden/golden_case.h"
#include "client/golden/golden_find.h"
#include "client/golden/golden_run.h"
#include "client/media/tensor_spec.h"
#include "engine/edge.h"

/* Time for loading a file and running it. A run that takes longer is cut short; the file passes all
 * the same. */
#define FILE_LIMIT_NS 500000000u
#define RUN_AT_LEAST_NS 100000000u

/* A golden case's folder and the identity of its model file. */
struct golden_index_entry {
	const char *folder;
	dev_t device;
	ino_t inode;
};

struct golden_index {
	struct golden_list list; /* owns the folders' names */
	struct golden_index_entry *entries; /* owned */
	size_t n;
};

struct check {
	const struct cli_settings *settings;
	const char *path;
	uint64_t started_ns; /* start of the work on this file, in ns */
	struct edge_options options;
	const struct golden_index *golden; /* NULL: run no golden cases */
};

/* Converts "MODEL_REFUSED" to "model_refused". */
static void code_name(enum edge_status status, char *out, size_t size)
{
	snprintf(out, size, "%s", status_name(status));
	for (; *out; out++) {
		*out = (char)tolower((unsigned char)*out);
	}
}

/* The name is printed on a terminal with several files, or with --verbose: a script knows by the
 * line's number which file it is about. */
static void print_name(const struct check *check)
{
	const struct cli_settings *s = check->settings;
	char escaped[4096];
	if (s->verbose || (s->n_arguments > 1 && isatty(STDOUT_FILENO))) {
		error_escape(escaped, sizeof(escaped), check->path, strlen(check->path));
		printf("%s: ", escaped);
	}
}

static int check_failed(const struct check *check, const struct error *err)
{
	char code[32];
	code_name(err->status, code, sizeof(code));
	print_name(check);
	printf("refused: %s: %s\n", code, err->text);
	return EXIT_FAILED;
}

static int unreadable(const struct check *check, int code)
{
	struct error err = {0};
	error_set(&err, code, "%s", code == -EINVAL ? "not a file" : strerror(-code));
	print_name(check);
	printf("unreadable: %s\n", err.text);
	return EXIT_UNREADABLE;
}

static bool is_integer(unsigned int type)
{
	int64_t lowest, highest;
	tensor_spec_range(type, &lowest, &highest);
	return lowest < highest && dtype_bits(type) >= 8;
}

/* Sets every integer of the inputs to 1. */
static int fill_ones(struct edge_session *session, uint32_t n_inputs, struct error *err)
{
	for (uint32_t i = 0; i < n_inputs; i++) {
		struct edge_tensor_info info;
		uint64_t bytes = 0;
		int r = edge_session_input_info(session, i, &info, err);
		if (r < 0) {
			return r;
		}
		uint8_t *data = edge_session_input(session, i, &bytes);
		for (uint64_t k = 0; data && is_integer(info.type) && k < bytes;
			k += dtype_bits(info.type) / 8) {
			data[k] = 1;
		}
	}
	return 0;
}

/* Runs with the initial inputs, which are zeros. A model that divides by an integer input refuses
 * them: it runs with ones. */
static int run_with_dummy_inputs(struct edge_session *session, const struct edge_model *model,
	const struct run_control *control, struct error *err)
{
	struct edge_signature_info signature;
	int r = edge_session_run(session, control, err);
	if (r != -EINVAL || edge_model_signature(model, 0, &signature) < 0) {
		return r;
	}
	r = fill_ones(session, signature.n_inputs, err);
	return r < 0 ? r : edge_session_run(session, control, err);
}

static int run_once(const struct check *check, struct edge_model *model, struct error *err)
{
	owned(edge_session_free) struct edge_session *session = NULL;
	int r = edge_session_new(model, 0, &session, err);
	if (r < 0) {
		return r;
	}
	uint64_t limit_ns = check->started_ns + FILE_LIMIT_NS;
	uint64_t least_ns = clock_now_ns() + RUN_AT_LEAST_NS;
	struct run_control control = {.deadline_ns = limit_ns > least_ns ? limit_ns : least_ns};
	r = run_with_dummy_inputs(session, model, &control, err);
	if (r == -ETIMEDOUT) {
		if (!check->settings->quiet) {
			report_error(check->path, &(struct error){.text = "the run was cut short"});
		}
		return 0;
	}
	if (r < 0) {
		error_prefix(err, "run");
	}
	return r;
}

static void index_deinit(struct golden_index *index)
{
	golden_list_deinit(&index->list);
	free(index->entries);
}

/* Stats the file named in the case's first line. */
static int stat_model(const char *folder, struct stat *ret_stat)
{
	char path[4096], line[2048];
	snprintf(path, sizeof(path), "%s/case.txt", folder);
	FILE *file = fopen(path, "re");
	if (!file) {
		return -errno;
	}
	bool read = fgets(line, sizeof(line), file) && strncmp(line, "model ", 6) == 0;
	fclose(file);
	line[read ? strcspn(line, "\r\n") : 0] = 0;
	int n = read ? snprintf(path, sizeof(path), "%s/%s", folder, line + 6) : -1;
	if (n < 0 || (size_t)n >= sizeof(path)) {
		return -EBADMSG;
	}
	return stat(path, ret_stat) < 0 ? -errno : 0;
}

static int index_init(struct golden_index *index, const char *folder, struct error *err)
{
	int r = golden_find(folder, &index->list);
	if (r < 0) {
		return error_set(err, r, "%s", strerror(-r));
	}
	index->entries = calloc(index->list.count + 1, sizeof(index->entries[0]));
	if (!index->entries) {
		return error_no_memory(err);
	}
	for (size_t i = 0; i < index->list.count; i++) {
		struct stat st;
		if (stat_model(index->list.folders[i], &st) == 0) {
			index->entries[index->n++] = (struct golden_index_entry){
				index->list.folders[i], st.st_dev, st.st_ino};
		}
	}
	return 0;
}

static int run_case(const struct check *check, const char *folder, struct error *err)
{
	owned(golden_case_free) struct golden_case *golden = NULL;
	struct golden_result result;
	char escaped[160];
	error_escape(escaped, sizeof(escaped), folder, strlen(folder));
	int r = golden_case_read(folder, &golden, err);
	if (r < 0) {
		error_prefix(err, "golden %s", escaped);
		return r;
	}
	golden_run(golden, &check->options.cpu_features, 1, 1, 1, 0, &result);
	return result.verdict == GOLDEN_PASSED
		? 0
		: error_set(err, -EIO, "golden %s: %s", escaped, result.text);
}

/* Runs all golden cases of the file at @fd; reports the first failure. */
static int run_golden(const struct check *check, int fd, struct error *err)
{
	struct stat st;
	size_t cases = 0;
	if (fstat(fd, &st) < 0) {
		return error_set(err, -errno, "%s", strerror(errno));
	}
	for (size_t i = 0; i < check->golden->n; i++) {
		const struct golden_index_entry *entry = &check->golden->entries[i];
		if (entry->device == st.st_dev && entry->inode == st.st_ino) {
			int r = run_case(check, entry->folder, err);
			if (r < 0) {
				return r;
			}
			cases++;
		}
	}
	if (!check->settings->quiet) {
		char escaped[512];
		report_line("%s: %zu golden cases",
			error_escape(escaped, sizeof(escaped), check->path, strlen(check->path)),
			cases);
	}
	return 0;
}

static int open_regular(const char *path)
{
	struct stat st;
	owned_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0) {
		return -errno;
	}
	return S_ISDIR(st.st_mode) ? -EISDIR : !S_ISREG(st.st_mode) ? -EINVAL : take_fd(fd);
}

static int check_file(const struct check *check)
{
	owned(edge_model_unref) struct edge_model *model = NULL;
	struct error err = {0};
	owned_fd int fd = open_regular(check->path);
	if (fd < 0) {
		return unreadable(check, fd);
	}
	int r = edge_model_open_fd(fd, &check->options, &model, &err);
	if (r == 0 && check->settings->run) {
		r = run_once(check, model, &err);
	}
	if (r == 0 && check->golden) {
		r = run_golden(check, fd, &err);
	}
	if (r < 0) {
		return check_failed(check, &err);
	}
	print_name(check);
	puts("ok");
	return EXIT_DONE;
}

int cmd_verify(const struct cli_settings *settings)
{
	struct check check = {
		.settings = settings,
		.options = {.backends = backends_builtin(), .cpu_features = ~(uint64_t)0},
	};
	__attribute__((cleanup(index_deinit))) struct golden_index index = {0};
	struct error err = {0};
	uint64_t progress_ns = 0;
	int code = EXIT_DONE;
	if (settings->cpu &&
		backends_cpu_mask(settings->cpu, &check.options.cpu_features, &err) < 0) {
		report_error("--cpu", &err);
		return EXIT_USAGE;
	}
	if (settings->golden) {
		if (index_init(&index, settings->golden, &err) < 0) {
			report_error(settings->golden, &err);
			return EXIT_UNREADABLE;
		}
		check.golden = &index;
	}
	for (int i = 0; i < settings->n_arguments; i++) {
		check.path = settings->arguments[i];
		check.started_ns = clock_now_ns();
		int one = check_file(&check);
		/* unreadable takes precedence over refused, refused over ok */
		code = one > code ? one : code;
		if (!settings->quiet) {
			report_progress("files", (uint64_t)i + 1, (uint64_t)settings->n_arguments,
				&progress_ns);
		}
	}
	report_progress_end(progress_ns);
	return code;
}
