/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/account.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"

#define QUERY_PARTS 20
#define QUERY_MAX_NS INT64_C(10000000)

void accounts_init(struct accounts *accounts, const struct config *config, const struct log *log)
{
	*accounts = (struct accounts){.config = config, .log = log};
}

void accounts_deinit(struct accounts *accounts)
{
	/* Connections, requests and replies are freed before. */
	assert(accounts->clients == 0 && accounts->charged == 0);
	while (accounts->first) {
		struct account *next = accounts->first->next;
		free(accounts->first);
		accounts->first = next;
	}
}

/* Frees accounts without references whose counts of log lines and offences are zero or older
 * than a minute. There are about as many accounts as users with connections, so a walk is cheap. */
static void sweep(struct accounts *accounts)
{
	struct account **link = &accounts->first;
	while (*link) {
		struct account *account = *link;
		bool quiet = clock_now_ns() - account->window_ns > NSEC_PER_MIN;
		if (account->refs == 0 &&
			(quiet || (account->lines == 0 && account->offences == 0))) {
			*link = account->next;
			free(account);
		} else {
			link = &account->next;
		}
	}
}

static struct account *find(const struct accounts *accounts, uid_t uid)
{
	struct account *account = accounts->first;
	while (account && account->uid != uid) {
		account = account->next;
	}
	return account;
}

static struct account *account_new(struct accounts *accounts, uid_t uid)
{
	struct account *account = calloc(1, sizeof(*account));
	if (account) {
		account->accounts = accounts;
		account->uid = uid;
		account->next = accounts->first;
		accounts->first = account;
	}
	return account;
}

static bool is_shut_out(const struct account *account)
{
	const uint64_t max = account->accounts->config->max_offences;
	return max > 0 && account->offences > max &&
		clock_now_ns() - account->window_ns <= NSEC_PER_MIN;
}

int account_open(
	struct accounts *accounts, uid_t uid, struct account **ret_account, struct error *err)
{
	sweep(accounts);
	if (accounts->clients >= accounts->config->max_clients) {
		return error_set(err, -EAGAIN, "edged has %u clients, which is its limit",
			accounts->clients);
	}
	struct account *account = find(accounts, uid);
	if (account && account->clients >= accounts->config->max_clients_per_user) {
		return error_set(err, -EAGAIN, "this user has %u connections, which is the limit",
			account->clients);
	}
	if (account && is_shut_out(account)) {
		return error_set(err, -EAGAIN, "this user broke the protocol %llu times lately",
			(unsigned long long)account->offences);
	}
	account = account ? account : account_new(accounts, uid);
	if (!account) {
		return error_no_memory(err);
	}
	account->refs++;
	account->clients++;
	accounts->clients++;
	*ret_account = account;
	return 0;
}

void account_close(struct account *account)
{
	assert(account->clients > 0 && account->refs > 0);
	account->clients--;
	account->refs--;
	account->accounts->clients--;
	sweep(account->accounts);
}

/* A reload may have lowered @limit below @held. */
static bool above(uint64_t held, uint64_t bytes, uint64_t limit)
{
	return held > limit || bytes > limit - held;
}

/* Root and edged's own user may not be locked out by others: they operate edged. */
static bool is_trusted(const struct account *account)
{
	return account->uid == 0 || account->uid == geteuid();
}

/* ---- loop time */

int account_may_query(struct account *account, uint64_t now_ns, struct error *err)
{
	const uint64_t gained = (now_ns - account->query_refilled_ns) / QUERY_PARTS;
	const bool alone = account->accounts->first == account && !account->next;
	const bool full = gained >= (uint64_t)(QUERY_MAX_NS - account->query_ns);
	account->query_ns = full ? QUERY_MAX_NS : account->query_ns + (int64_t)gained;
	account->query_refilled_ns = now_ns;
	if (account->query_ns > 0 || alone || is_trusted(account)) {
		return 0;
	}
	const uint64_t wait_us = (uint64_t)-account->query_ns * QUERY_PARTS / 1000 + 1;
	error_set(err, -EAGAIN, "this user asks for lists and numbers all the time");
	if (err) {
		err->retry_after_us = (uint32_t)wait_us;
	}
	return -EAGAIN;
}

void account_note_query(struct account *account, uint64_t ns)
{
	const int64_t rest = account->query_ns + QUERY_MAX_NS;
	account->query_ns = ns < (uint64_t)rest ? account->query_ns - (int64_t)ns : -QUERY_MAX_NS;
}

/* ---- charges of bytes */

/* Bytes that @account may hold beside the other accounts: never more than it leaves free, so
 * that one more user always gets some. */
static uint64_t part_of(const struct account *account)
{
	const struct accounts *accounts = account->accounts;
	const uint64_t max = accounts->config->max_bytes;
	const uint64_t others = accounts->charged - account->charged;
	return others < max ? (max - others) / 2 : 0;
}

static int compare(const struct account *account, uint64_t bytes, struct error *err)
{
	const struct accounts *accounts = account->accounts;
	if (above(account->charged, bytes, accounts->config->max_bytes_per_user)) {
		return error_set(err, -EAGAIN,
			"this user's requests, replies, sessions and regions hold %llu bytes "
			"already, %llu "
			"more are too many",
			(unsigned long long)account->charged, (unsigned long long)bytes);
	}
	if (above(account->charged, bytes, part_of(account)) && !is_trusted(account)) {
		return error_set(err, -EAGAIN,
			"edged holds %llu bytes for its clients already, %llu more for this user "
			"are too many",
			(unsigned long long)accounts->charged, (unsigned long long)bytes);
	}
	return 0;
}

/* A memfd freed a moment ago may not be released yet: asks inotify before the charge is refused. */
static int check_room(const struct account *account, uint64_t bytes, struct error *err)
{
	if (compare(account, bytes, NULL) == 0) {
		return 0;
	}
	if (account->accounts->release) {
		account->accounts->release(account->accounts->context);
	}
	return compare(account, bytes, err);
}

static void add(struct account *account, uint64_t bytes)
{
	struct accounts *accounts = account->accounts;
	account->charged += bytes;
	accounts->charged += bytes;
}

int account_charge(struct account *account, uint64_t bytes, struct error *err)
{
	int code = check_room(account, bytes, err);
	if (code == 0) {
		add(account, bytes);
		account->refs++;
	}
	return code;
}

int account_recharge(struct account *account, uint64_t before, uint64_t now, struct error *err)
{
	assert(account->charged >= before);
	int code = now > before ? check_room(account, now - before, err) : 0;
	if (code == 0 && now > before) {
		add(account, now - before);
	} else if (code == 0) {
		account->charged -= before - now;
		account->accounts->charged -= before - now;
	}
	return code;
}

void account_release(struct account *account, uint64_t bytes)
{
	assert(account->charged >= bytes && account->refs > 0);
	account->charged -= bytes;
	account->refs--;
	account->accounts->charged -= bytes;
}

int account_check_ids(
	const char *what, uint32_t n, uint64_t max, uint32_t last_id, struct error *err)
{
	if (n >= max) {
		return error_set(err, -EAGAIN, "this connection has %u %s, the limit is %llu", n,
			what, (unsigned long long)max);
	}
	return last_id == UINT32_MAX
		? error_set(err, -EFBIG, "this connection has used all ids of %s", what)
		: 0;
}

static void window_turn(struct account *account)
{
	uint64_t now = clock_now_ns();
	if (account->window_ns && now - account->window_ns <= NSEC_PER_MIN) {
		return;
	}
	if (account->suppressed) {
		log_notice(account->accounts->log, "user %u: suppressed %llu lines",
			(unsigned int)account->uid, (unsigned long long)account->suppressed);
	}
	account->window_ns = now;
	account->lines = account->suppressed = account->offences = 0;
}

void account_log(struct account *account, enum log_level level, const char *format, ...)
{
	const struct accounts *accounts = account->accounts;
	char text[512];
	if ((int)level > accounts->log->level) {
		return;
	}
	window_turn(account);
	if (account->lines >= accounts->config->log_lines_per_user) {
		account->suppressed++;
		return;
	}
	account->lines++;
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_write(accounts->log, level, "user %u: %s", (unsigned int)account->uid, text);
}

void account_offend(struct account *account)
{
	if (!is_trusted(account)) {
		window_turn(account);
		account->offences++;
	}
}
