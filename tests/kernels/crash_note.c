/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/kernels/crash_note.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char note[256];

static void on_crash(int number)
{
	static const char text[] = "crashed in: ";
	ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);
	n += write(STDERR_FILENO, note, strlen(note));
	n += write(STDERR_FILENO, "\n", 1);
	(void)n;
	raise(number); /* the default action is back: SA_RESETHAND */
}

void crash_watch(void)
{
	const struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_RESETHAND};
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		sigaction(numbers[i], &action, NULL);
	}
}

void crash_note(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(note, sizeof(note), format, args);
	va_end(args);
}
