/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account - bytes, connections, loop time and log lines of one user id
 *
 * Every connection refers to the account of its peer's user id. Bytes of requests and replies are
 * charged before they are allocated and released when they are freed. Loop thread only.
 */
#ifndef DAEMON_EDGED_SERVE_ACCOUNT_H
#define DAEMON_EDGED_SERVE_ACCOUNT_H

#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"
#include "daemon/edged/config/config.h"
#include "daemon/edged/serve/priority_queue.h"

struct account {
	struct account *next;
	struct accounts *accounts;
	uid_t uid;
	unsigned int refs; /* one per connection and per charge; at 0 the account may be freed */
	unsigned int clients; /* open connections */
	unsigned int n_fd_passing; /* connections that agreed on shared memory */
	unsigned int n_memfds; /* shared memfds that the kernel has not freed yet */
	uint64_t charged; /* bytes of all charges */
	uint64_t requests, run_ns; /* requests answered OK and their run time, for STATS */
	struct queue_user queue; /* the user's part of the scheduler's queue */
	uint32_t queued; /* requests in the queue when STATS was last encoded */
	int64_t query_ns; /* loop time left for lists and numbers, in ns; negative: overdrawn */
	uint64_t query_refilled_ns; /* when @query_ns was last refilled, on clock_now_ns() */
	uint64_t window_ns; /* start of the minute that the counters below are of */
	uint64_t lines, suppressed; /* log lines written and dropped in this minute */
	uint64_t offences; /* breaches of protocol or time limits in this minute */
};

struct accounts {
	const struct config *config;
	const struct log *log;
	/* Called before a refusal: releases charges of memory that was freed meanwhile (memfd.h).
	 * NULL: there are none. */
	void (*release)(void *context);
	void *context;
	struct account *first;
	unsigned int clients;
	uint64_t charged; /* bytes */
};

void accounts_init(struct accounts *accounts, const struct config *config, const struct log *log);
void accounts_deinit(struct accounts *accounts);

/* Opens a connection of @uid. -EAGAIN when edged or the user has too many connections, or the
 * user offended too often in the last minute; -ENOMEM. */
int must_check account_open(
	struct accounts *accounts, uid_t uid, struct account **ret_account, struct error *err);
/* Closes a connection that account_open() counted. */
void account_close(struct account *account);

/* Counts a breach of the protocol or of a time limit. Above max-offences in a minute the user's
 * new connections are refused for the rest of that minute. Not counted for root and edged's own
 * user. */
void account_offend(struct account *account);

/*
 * Lists and numbers are answered by the loop itself, which delays requests. While other users have
 * accounts, a user may take a twentieth of the loop's time for them and save up 10 ms. Root and
 * edged's own user have no such limit.
 *
 * account_may_query() returns -EAGAIN and sets err->retry_after_us when the time is used up.
 * account_note_query() subtracts the time that an answer took.
 */
int must_check account_may_query(struct account *account, uint64_t now_ns, struct error *err);
void account_note_query(struct account *account, uint64_t ns);

/* Judges if a connection may have one more of @what, of which it has @n: -EAGAIN for @max, -EFBIG if
 * all ids are used. */
int must_check account_check_ids(
	const char *what, uint32_t n, uint64_t max, uint32_t last_id, struct error *err);

/* Charges @bytes. -EAGAIN above max-bytes-per-user, or above half of the part of max-bytes that
 * the other users leave; the second limit is not for root and edged's own user. A charge keeps
 * the account alive until account_release(). */
int must_check account_charge(struct account *account, uint64_t bytes, struct error *err);
void account_release(struct account *account, uint64_t bytes);
/* Changes a charge from @before to @now bytes. On error the charge stays as it was. */
int must_check account_recharge(
	struct account *account, uint64_t before, uint64_t now, struct error *err);

/* Logs a line that the user caused. Above log-lines-per-user in a minute lines are dropped and
 * counted. The caller escapes foreign text. */
void account_log(struct account *account, enum log_level level, const char *format, ...)
	printf_like(3, 4);

#endif
