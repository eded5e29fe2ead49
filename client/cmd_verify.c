/* SPDX-License-Identifier: Apache-2.0 */
/* verify: one line for each file, in order, whatever happens. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "backends/backends.h"
#include "base/clock.h"
#include "client/commands.h"
#include "client/report.h"
#include "engine/edge.h"

#define RUN_LIMIT_NS                                                                               \
	500000000u /* a run that takes longer was admitted: it is not the file's fault */

struct check {
	const struct settings *settings;
	const char *path;
	struct edge_options options;
};

/* "model_refused" of "MODEL_REFUSED". */
static void code_name(enum edge_status status, char *out, size_t size)
{
	snprintf(out, size, "%s", status_name(status));
	for (; *out; out++) {
		*out = (char)tolower((unsigned char)*out);
	}
}

static void print_name(const struct check *check)
{
	char shown[4096];
	if (check->settings->n_arguments > 1) {
		error_escape(shown, sizeof(shown), check->path, strlen(check->path));
		printf("%s: ", shown);
	}
}

static int refuse(const struct check *check, const struct error *err)
{
	char code[32];
	code_name(err->status, code, sizeof(code));
	print_name(check);
	printf("refused: %s: %s\n", code, err->text);
	return EXIT_NEGATIVE;
}

static int unreadable(const struct check *check, int code)
{
	struct error err = {0};
	error_set(&err, code, "%s", strerror(-code));
	print_name(check);
	printf("unreadable: %s\n", err.text);
	return EXIT_UNREADABLE;
}

/* On the zeros that a session's own inputs start as. */
static int run_once(const struct check *check, struct edge_model *model, struct error *err)
{
	owned(edge_session_free) struct edge_session *session = NULL;
	int r = edge_session_new(model, 0, &session, err);
	if (r < 0) {
		return r;
	}
	struct run_control control = {.deadline_ns = clock_now_ns() + RUN_LIMIT_NS};
	r = edge_session_run(session, &control, err);
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
	if (r < 0) {
		return refuse(check, &err);
	}
	print_name(check);
	puts("ok");
	return EXIT_DONE;
}

int cmd_verify(const struct settings *settings)
{
	struct check check = {
		.settings = settings,
		.options = {.backends = backends_builtin(), .cpu_features = ~(uint64_t)0},
	};
	struct error err = {0};
	uint64_t progress_ns = 0;
	int code = EXIT_DONE;
	if (settings->cpu &&
		backends_cpu_mask(settings->cpu, &check.options.cpu_features, &err) < 0) {
		report_error("--cpu", &err);
		return EXIT_USAGE;
	}
	for (int i = 0; i < settings->n_arguments; i++) {
		check.path = settings->arguments[i];
		int one = check_file(&check);
		code = one > code ? one : code; /* unreadable before refused before ok */
		if (!settings->quiet) {
			report_progress("files", (uint64_t)i + 1, (uint64_t)settings->n_arguments,
				&progress_ns);
		}
	}
	report_progress_end(progress_ns);
	return code;
}
