/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_session - a session with state that a client has opened
 *
 * Belongs to its connection and pins the model that it was opened on. Its requests run one at a
 * time in the order in which they came: the first is in the scheduler's queue or with a worker, the
 * others wait here. Opening is itself its first request, so what comes behind it may name it at
 * once. Closed, by the client or because the connection ends, it cannot be named any more, and is
 * freed with its last request. Loop thread only, but for @state.
 */
#ifndef DAEMON_CLIENT_SESSION_H
#define DAEMON_CLIENT_SESSION_H

#include "daemon/account.h"
#include "daemon/served.h"

struct request;

/* Those of one connection; zeroed at first. */
struct client_sessions {
	struct client_session *first;
	uint32_t n; /* open, or being opened */
	uint32_t last_id;
};

struct client_session {
	struct client_session *next;
	struct client_sessions *list; /* NULL once it is closed */
	unsigned int refs; /* the list's, and one per request */
	uint32_t id;
	struct served *served;
	struct account *account;
	uint64_t charged;
	struct request *first, *last; /* waiting, linked by queue_next */
	bool busy; /* one of its requests is in the queue or with a worker */

	/* Of the worker that has its request; NULL until it is opened, for ever if that failed. */
	struct served_session *state;
};

/*
 * A session in @list without state, charged to @account with what the state will take. The caller
 * has a reference of its own. -EAGAIN above @most sessions or what the account may hold, -EFBIG
 * when there are no ids left, -ENOMEM.
 */
int must_check client_session_new(struct client_sessions *list, struct served *served,
	struct account *account, uint64_t most, struct client_session **ret_session,
	struct error *err);
struct client_session *client_session_ref(struct client_session *session);
void client_session_unref(struct client_session *session); /* NULL is fine */

/* Charges what it holds after a run, which may be more than was planned. -EAGAIN when that is too
 * much. */
int must_check client_session_recharge(struct client_session *session, struct error *err);

/* Takes it out of its list, if it is still there. */
void client_session_close(struct client_session *session);
/* All of @list: the connection ends. */
void client_sessions_close(struct client_sessions *list);

/* Borrowed. -ENOENT with the text when @list has none of that id. */
int must_check client_session_find(const struct client_sessions *list, uint32_t id,
	struct client_session **ret_session, struct error *err);

/* The line of those that wait. _remove() is for one that does; _next() gives NULL at its end. */
void client_session_wait(struct client_session *session, struct request *request);
void client_session_remove(struct client_session *session, struct request *request);
struct request *client_session_next(struct client_session *session);

#endif
