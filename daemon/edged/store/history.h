/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history - what happened to a model: a file of lines, each with its time
 *
 * Lines are appended; a crash may leave half a line, which the next one ends. Beyond 64 KiB the older
 * half goes.
 */
#ifndef DAEMON_HISTORY_H
#define DAEMON_HISTORY_H

#include "base/error.h"

#define HISTORY_LINE 320

/* "2026-01-31T12:00:00Z text". Errors are dropped: nothing depends on it. */
void history_add(int folder, const char *name, const char *text);

/* Whole lines from the end, at most @size - 1 bytes, 0-terminated; malloc'ed, the caller's. Empty
 * when there is none. */
int must_check history_read(
	int folder, const char *name, size_t size, char **ret_text, struct error *err);

#endif
