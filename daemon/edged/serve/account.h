/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account - what one user id makes edged hold, and how much it may say in the log
 *
 * Every connection has the account of its peer's user id. Bytes of requests and replies are charged
 * before they are allocated and released when they are freed. Loop thread only.
 */
#ifndef DAEMON_ACCOUNT_H
#define DAEMON_ACCOUNT_H

#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"
#include "daemon/config.h"
#include "daemon/queue.h"

struct account {
	struct account *next;
	struct accounts *accounts;
	uid_t uid;
	unsigned int refs; /* connections and what they left behind in the queue */
	unsigned int clients; /* connections */
	unsigned int n_sharing; /* of these, that agreed on shared memory */
	unsigned int n_memfds; /* that exist and were shared */
	uint64_t charged;
	uint64_t requests, run_ns; /* that were answered OK, for STATS */
	struct queue_user queue; /* its part of what waits */
	uint32_t queued; /* how many waited when STATS was asked last */
	int64_t look_ns; /* of the loop's time that it has saved up for what is no run; below 0: it owes */
	uint64_t looked_ns; /* when that was true */
	uint64_t window_ns; /* when the log's current minute began */
	uint64_t lines, suppressed; /* in this minute */
	uint64_t offences; /* in this minute */
};

struct accounts {
	const struct config *config;
	const struct log *log;
	struct memfds *memfds; /* heard before anybody is turned away; may be NULL */
	struct account *first;
	unsigned int clients;
	uint64_t charged, peak; /* peak since account_peak_take() */
};

void accounts_init(struct accounts *accounts, const struct config *config, const struct log *log);
void accounts_deinit(struct accounts *accounts);

/* A connection of @uid. -EAGAIN when there are too many of it or of all, or it has offended too often,
 * -ENOMEM. */
int must_check account_open(
	struct accounts *accounts, uid_t uid, struct account **ret_account, struct error *err);
/* The connection is gone. */
void account_close(struct account *account);

/* One of its connections broke the protocol or a time. Above max-offences in a minute no new ones are let in
 * for the rest of it, but those of root and of edged's own user. */
void account_offend(struct account *account);

/*
 * What the loop answers itself, lists and numbers, takes time that no run gets. While others are
 * there a user may have a twentieth of it, and save up 10 ms; root and edged's own user have no such limit. -EAGAIN when that is
 * used up: ask again in err->retry_after_us. The other one: so much was taken.
 */
int must_check account_may_look(struct account *account, uint64_t now_ns, struct error *err);
void account_note_look(struct account *account, uint64_t ns);

/* -EAGAIN above max-bytes-per-user, or above half of what max-bytes leaves to the user beside all others;
 * the latter is not for root and edged's own user. A charge keeps the account alive. */
int must_check account_charge(struct account *account, uint64_t bytes, struct error *err);
void account_release(struct account *account, uint64_t bytes);
/* Changes one of its charges from @before to @now bytes. On error it stays as it was. */
int must_check account_recharge(
	struct account *account, uint64_t before, uint64_t now, struct error *err);

/* The most that was charged at a time since the last call. */
uint64_t account_peak_take(struct accounts *accounts);

/* A line that @account caused; dropped and counted above log-lines-per-user. Foreign text is
 * escaped by the caller. */
void account_log(struct account *account, enum log_level level, const char *format, ...)
	printf_like(3, 4);

#endif
