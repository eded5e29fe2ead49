/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history - log of changes of one model: a file of lines with time stamps
 *
 * Lines are appended. After a crash the next line first ends an incomplete one. Above 64 KiB the
 * older half is removed.
 */
#ifndef DAEMON_EDGED_STORE_HISTORY_H
#define DAEMON_EDGED_STORE_HISTORY_H

#include "base/error.h"

#define HISTORY_LINE 320

/* Appends "2026-01-31T12:00:00Z text". Ignores errors, because nothing depends on the history. */
void history_add(int folder, const char *name, const char *text);

/* Reads the newest whole lines, at most @size - 1 bytes with a 0 after them; empty if there are
 * none. The caller frees *ret_text. */
int must_check history_read(
	int folder, const char *name, size_t size, char **ret_text, struct error *err);

#endif
