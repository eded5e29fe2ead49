/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define PROGRESS_INTERVAL_NS 100000000u

/* True if @text begins with edged's "model WHAT: ". */
static bool names(const char *text, const char *what)
{
	const size_t length = strlen(what);
	return strncmp(text, "model ", 6) == 0 && strncmp(text + 6, what, length) == 0 &&
		text[6 + length] == ':';
}

void report_error(const char *what, const struct error *err)
{
	char shown[512] = "";
	if (what) {
		error_escape(shown, sizeof(shown), what, strlen(what));
	}
	if (what && !names(err->text, shown)) {
		fprintf(stderr, "edgectl: %s: %s\n", shown, err->text);
	} else {
		fprintf(stderr, "edgectl: %s\n", err->text);
	}
}

void report_line(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("edgectl: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

enum report_exit report_exit_of(const struct error *err)
{
	if (err->code == -ENOTCONN) {
		return EXIT_UNREACHABLE;
	}
	switch (err->status) {
	case EDGE_NOT_FOUND:
		return EXIT_NO_MODEL;
	case EDGE_OVERLOADED:
	case EDGE_DRAINING:
		return EXIT_OVERLOADED;
	case EDGE_DEADLINE:
		return EXIT_TIMEOUT;
	default:
		return EXIT_REFUSED;
	}
}

int report_failed(const char *what, const struct error *err)
{
	report_error(what, err);
	return (int)report_exit_of(err);
}

int report_output(int code)
{
	if (code < 0) {
		report_line("standard output: %s", strerror(-code));
	}
	return code < 0 ? EXIT_FAILED : EXIT_DONE;
}

void report_progress(const char *what, uint64_t done, uint64_t total, uint64_t *last_ns)
{
	uint64_t now = clock_now_ns();
	if (now - *last_ns < PROGRESS_INTERVAL_NS || !isatty(STDERR_FILENO)) {
		return;
	}
	/* The first call only sets the time, so that short work shows nothing. */
	if (*last_ns != 0) {
		fprintf(stderr, "\r%s: %llu of %llu\033[K", what, (unsigned long long)done,
			(unsigned long long)total);
	}
	*last_ns = now;
}

void report_progress_end(uint64_t last_ns)
{
	if (last_ns != 0 && isatty(STDERR_FILENO)) {
		fputs("\r\033[K", stderr);
	}
}
