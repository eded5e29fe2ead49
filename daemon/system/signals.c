/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/signals.h"

#include <assert.h>
#include <signal.h>

#include "daemon/edged.h"

static void on_terminate(struct edged *edged, int number)
{
	if (edged->draining) {
		_exit(128 + number);
	}
	edged_drain(edged);
}

static void on_hangup(struct edged *edged, int number)
{
	(void)number;
	edged_reload(edged);
}

static void on_user(struct edged *edged, int number)
{
	(void)number;
	flight_write(edged);
}

static const struct {
	int number;
	void (*act)(struct edged *edged, int number);
} table[] = {
	{SIGTERM, on_terminate},
	{SIGINT, on_terminate},
	{SIGHUP, on_hangup},
	{SIGUSR1, on_user},
};

#define N_SIGNALS (sizeof(table) / sizeof(table[0]))

static void on_signal(uv_signal_t *handle, int number)
{
	for (size_t i = 0; i < N_SIGNALS; i++) {
		if (table[i].number == number) {
			table[i].act(handle->data, number);
		}
	}
}

int signals_start(struct signals *signals, struct edged *edged, struct error *err)
{
	static_assert(N_SIGNALS == SIGNALS_MAX, "a handle each");
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < N_SIGNALS; i++) {
		uv_signal_init(&edged->loop, &signals->handles[i]);
		signals->handles[i].data = edged;
		int code = uv_signal_start(&signals->handles[i], on_signal, table[i].number);
		if (code < 0) {
			return error_set(err, code, "signals: %s", uv_strerror(code));
		}
	}
	return 0;
}

void signals_release(void)
{
	for (size_t i = 0; i < N_SIGNALS; i++) {
		bool ends = table[i].act == on_terminate;
		signal(table[i].number, ends ? SIG_DFL : SIG_IGN);
	}
}
