/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/client_session.h"

#include <assert.h>
#include <errno.h>

int client_session_new(struct client_sessions *list, struct loaded_model *loaded,
	struct account *account, uint64_t max, struct client_session **ret_session,
	struct error *err)
{
	const uint64_t bytes = edge_model_info(loaded->model)->session_bytes;
	int code = account_check_ids("sessions", list->n, max, list->last_id, err);
	if (code == 0) {
		code = account_charge(account, bytes, err);
	}
	if (code < 0) {
		return code;
	}
	struct client_session *session = calloc(1, sizeof(*session));
	if (!session) {
		account_release(account, bytes);
		return error_no_memory(err);
	}
	*session = (struct client_session){
		.next = list->first,
		.list = list,
		.refs = 2,
		.id = ++list->last_id,
		.loaded = loaded_model_ref(loaded),
		.account = account,
		.charged = bytes,
	};
	list->first = session;
	list->n++;
	*ret_session = session;
	return 0;
}

struct client_session *client_session_ref(struct client_session *session)
{
	session->refs++;
	return session;
}

void client_session_unref(struct client_session *session)
{
	if (!session || --session->refs > 0) {
		return;
	}
	assert(!session->waiting.first && !session->list);
	loaded_model_session_free(session->model_session);
	loaded_model_unref(session->loaded);
	account_release(session->account, session->charged);
	free(session);
}

int client_session_update_charge(struct client_session *session, struct error *err)
{
	uint64_t bytes = edge_model_info(session->loaded->model)->session_bytes;
	uint64_t held =
		session->model_session ? edge_session_bytes(session->model_session->session) : 0;
	bytes = held > bytes ? held : bytes;
	int code = account_recharge(session->account, session->charged, bytes, err);
	if (code == 0) {
		session->charged = bytes;
	}
	return code;
}

void client_session_close(struct client_session *session)
{
	if (!session->list) {
		return;
	}
	struct client_session **link = &session->list->first;
	while (*link != session) {
		link = &(*link)->next;
	}
	*link = session->next;
	session->list->n--;
	session->list = NULL;
	client_session_unref(session);
}

void client_sessions_close(struct client_sessions *list)
{
	while (list->first) {
		client_session_close(list->first);
	}
}

int client_session_find(const struct client_sessions *list, uint32_t id,
	struct client_session **ret_session, struct error *err)
{
	struct client_session *session = list->first;
	while (session && session->id != id) {
		session = session->next;
	}
	if (!session) {
		return error_set(err, -ENOENT, "this connection has no session %u", id);
	}
	*ret_session = session;
	return 0;
}
