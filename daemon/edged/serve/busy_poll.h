/* SPDX-License-Identifier: Apache-2.0 */
/*
 * busy_poll - after a request the loop looks for the next one before it sleeps
 *
 * With spin-us set the loop polls for that long, because waking a sleeping core takes longer than
 * most short runs. This takes a core for as long as requests come.
 *
 * Otherwise the loop yields the core once (sched_yield()), because the client may share it and send
 * its next request as soon as it runs. A request that is there afterwards is taken without a sleep
 * and a wake-up. After yields without a request the next ones are skipped for a while.
 */
#ifndef DAEMON_EDGED_SERVE_BUSY_POLL_H
#define DAEMON_EDGED_SERVE_BUSY_POLL_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct busy_poll {
	uv_idle_t idle; /* active: the loop polls without sleeping */
	/* end of polling, on clock_now_ns(); 0: the loop yields the core instead */
	uint64_t until_ns;
	const void *connection; /* of the last inline run; only compared */
	bool alone; /* only @connection sends requests, and it waits for each answer */
	/* time that yields may still give to other processes; no yields at 0 or less */
	int64_t credit_ns;
	unsigned int skips; /* how many of the next yields are skipped */
	/* value of @skips after the last yield without a request; 0 after a yield with one */
	unsigned int last_skips;
	bool (*poll)(void *context, bool thoroughly);
	void (*sleep)(void *context, bool asleep);
	void *context;
};

/* @poll takes requests and returns true if it found any. It is called often without @thoroughly,
 * and with @thoroughly after a yield, where it may make system calls. @sleep is called with
 * false when polling or yielding begins and with true when it ends. */
void busy_poll_init(struct busy_poll *busy_poll, uv_loop_t *loop,
	bool (*poll)(void *context, bool thoroughly), void (*sleep)(void *context, bool asleep),
	void *context);

/* A request came: the loop polls for @us. 0: no change. */
void busy_poll_on(struct busy_poll *busy_poll, uint64_t us);

/* A request of @bytes from @connection ran inline and nothing else is to be done: begins to yield,
 * unless the loop polls already or the request before was another connection's. */
void busy_poll_yield_after(struct busy_poll *busy_poll, const void *connection, uint32_t bytes);

#endif
