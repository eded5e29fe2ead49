/* SPDX-License-Identifier: Apache-2.0 */
/*
 * screen - shows pages of text one after the other
 *
 * On a terminal each page replaces the last one, clipped to the window. A key or a signal ends the
 * display, and the terminal's settings are restored in every case. Elsewhere pages are separated
 * by an empty line, and only signals end the display. Uses escape sequences of ECMA-48 and xterm
 * only.
 */
#ifndef CLIENT_EDGECTL_VIEW_SCREEN_H
#define CLIENT_EDGECTL_VIEW_SCREEN_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

#include "base/own.h"

struct screen {
	bool terminal; /* standard output is a terminal */
	bool keys; /* standard input is a terminal */
	bool shown;
	int signals; /* signalfd of SIGINT, SIGTERM, SIGHUP; -1: not caught */
	struct termios before;
	sigset_t mask;
};

void screen_begin(struct screen *screen);
void screen_end(struct screen *screen);

/* Returns a negative errno if writing failed. */
int must_check screen_show(struct screen *screen, const char *page);

/* Waits @ms. Returns false when the display shall end: q, end of input, or a signal. */
bool screen_wait(struct screen *screen, uint32_t ms);

#endif
