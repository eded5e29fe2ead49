/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_session - a session with state that a client has opened
 *
 * A session belongs to its connection and keeps the loaded model on which it was opened. Its
 * requests run one at a time, in the order in which they came: the first is in the scheduler's
 * queue or with a worker, the others wait in the session. SESSION_OPEN is its first request, so
 * later requests may name the session at once.
 *
 * The client or the end of the connection closes a session. A closed session cannot be named any
 * more and is freed with its last request. Loop thread only, but for @model_session.
 */
#ifndef DAEMON_EDGED_SERVE_CLIENT_SESSION_H
#define DAEMON_EDGED_SERVE_CLIENT_SESSION_H

#include "daemon/edged/model/loaded_model.h"
#include "daemon/edged/serve/account.h"

/* The sessions of one connection; zeroed at first. */
struct client_sessions {
	struct client_session *first;
	uint32_t n; /* sessions open or being opened */
	uint32_t last_id;
};

struct client_session {
	struct client_session *next;
	struct client_sessions *list; /* NULL after the session is closed */
	unsigned int refs; /* one of the list and one per request */
	uint32_t id;
	struct loaded_model *loaded;
	struct account *account;
	uint64_t charged; /* bytes */
	struct queue_list waiting; /* requests that wait for the session */
	bool busy; /* a request of the session is in the queue or with a worker */

	/* Used by the worker that has the session's request. NULL until SESSION_OPEN ran; stays
	 * NULL if SESSION_OPEN failed. */
	struct loaded_model_session *model_session;
};

/*
 * Adds a session without state to @list and charges @account the bytes that the state will take.
 * The caller gets a reference of its own. -EAGAIN above @max sessions or above the account's
 * limits, -EFBIG when all ids are used, -ENOMEM.
 */
int must_check client_session_new(struct client_sessions *list, struct loaded_model *loaded,
	struct account *account, uint64_t max, struct client_session **ret_session,
	struct error *err);
struct client_session *client_session_ref(struct client_session *session);
void client_session_unref(struct client_session *session); /* NULL is fine */

/* Charges the bytes that the session holds after a run, which may be more than planned. -EAGAIN
 * above the account's limits. */
int must_check client_session_update_charge(struct client_session *session, struct error *err);

/* Takes the session out of its list. A second call does nothing. */
void client_session_close(struct client_session *session);
/* Closes all sessions of @list: the connection ends. */
void client_sessions_close(struct client_sessions *list);

/* Borrows session @id of @list. -ENOENT if there is none. */
int must_check client_session_find(const struct client_sessions *list, uint32_t id,
	struct client_session **ret_session, struct error *err);

#endif
