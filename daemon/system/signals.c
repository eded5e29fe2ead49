/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/signals.h"

#include <assert.h>
#include <signal.h>
#include <stdbool.h>

static const struct {
	int number;
	bool terminates; /* true: restored to SIG_DFL during shutdown; false: ignored then */
} table[] = {{SIGTERM, true}, {SIGINT, true}, {SIGHUP, false}, {SIGUSR1, false}};

#define N_SIGNALS (sizeof(table) / sizeof(table[0]))

static void on_signal(uv_signal_t *handle, int number)
{
	const struct signals *signals = handle->data;
	signals->callback(signals->context, number);
}

int signals_start(struct signals *signals, uv_loop_t *loop,
	void (*callback)(void *context, int number), void *context, struct error *err)
{
	static_assert(N_SIGNALS == SIGNALS_MAX, "a handle each");
	signals->callback = callback;
	signals->context = context;
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < N_SIGNALS; i++) {
		uv_signal_init(loop, &signals->handles[i]);
		signals->handles[i].data = signals;
		int code = uv_signal_start(&signals->handles[i], on_signal, table[i].number);
		if (code < 0) {
			return error_set(err, code, "signals: %s", uv_strerror(code));
		}
	}
	return 0;
}

void signals_reset(void)
{
	for (size_t i = 0; i < N_SIGNALS; i++) {
		signal(table[i].number, table[i].terminates ? SIG_DFL : SIG_IGN);
	}
}
