/* SPDX-License-Identifier: Apache-2.0 */
/*
 * screen - pages of text one after the other
 *
 * On a terminal each takes the place of the one before, cut to the window, and a key or a signal ends
 * it; whatever happens, the terminal is given back as it was. Anywhere else pages follow each other with
 * an empty line between, and only signals are heeded. Escapes are those of ECMA-48 and xterm that every
 * terminal knows.
 */
#ifndef CLIENT_SCREEN_H
#define CLIENT_SCREEN_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

#include "base/own.h"

struct screen {
	bool terminal; /* standard output is one */
	bool keys; /* standard input is one */
	bool shown;
	int signals; /* SIGINT, SIGTERM, SIGHUP; -1: they do what they do */
	struct termios before;
	sigset_t mask;
};

void screen_begin(struct screen *screen);
void screen_end(struct screen *screen);

/* A negative errno when it cannot be written. */
int must_check screen_show(struct screen *screen, const char *page);

/* False when somebody wants to end it: q, the end of input, or a signal. */
bool screen_wait(struct screen *screen, uint32_t ms);

#endif
