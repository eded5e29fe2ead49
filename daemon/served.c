/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/served.h"

void served_session_free(struct served_session *session)
{
	if (session) {
		budget_take_away(session->budget, session->bytes);
		edge_session_free(session->session);
		free(session);
	}
}

/* What it has by now: a run may have made it larger. */
static void session_count(struct served_session *session)
{
	const size_t before = session->bytes;
	session->bytes = (size_t)edge_session_bytes(session->session);
	budget_add(session->budget, session->bytes);
	budget_take_away(session->budget, before);
}

static int session_new(struct served *served, uint32_t signature,
	struct served_session **ret_session, struct error *err)
{
	struct served_session *session = calloc(1, sizeof(*session));
	if (!session) {
		return error_no_memory(err);
	}
	session->signature = signature;
	int code = edge_session_new(served->model, signature, &session->session, err);
	if (code < 0) {
		free(session);
		return code;
	}
	edge_session_set_checkpoints(
		session->session, served->checkpoints, served->max_checkpoint_bytes);
	session->budget = served->budget;
	session_count(session);
	*ret_session = session;
	return 0;
}

int served_new(struct edge_model *model, char *labels, uint32_t labels_length,
	struct served **ret_served, struct error *err)
{
	struct served *served = calloc(1, sizeof(*served));
	if (!served || pthread_mutex_init(&served->mutex, NULL) != 0) {
		free(served);
		free(labels);
		edge_model_unref(model);
		return error_no_memory(err);
	}
	ref_init(&served->ref);
	for (uint32_t i = 0; i < SERVED_TIMED; i++) {
		atomic_init(&served->run_ns[i], SERVED_LONG_NS);
	}
	served->model = model;
	served->checkpoints = -1;
	served->labels = labels;
	served->labels_length = labels_length;
	int code = session_new(served, 0, &served->idle, err);
	if (code < 0) {
		served_unref(served);
		return code;
	}
	*ret_served = served;
	return 0;
}

void served_set_checkpoints(struct served *served, int folder, uint64_t max_bytes)
{
	served->checkpoints = folder;
	served->max_checkpoint_bytes = max_bytes;
	edge_session_set_checkpoints(served->idle->session, folder, max_bytes);
}

void served_warm(struct served *served, const struct run_control *control)
{
	struct edge_session *session = served->idle->session;
	int code = edge_session_run(session, control, NULL);
	(void)code;
	edge_session_reset(session);
}

static uint64_t model_bytes(const struct served *served)
{
	const struct edge_model_info *info = edge_model_info(served->model);
	return info->file_bytes + info->pack_bytes + info->prepared_bytes;
}

void served_count(struct served *served, struct budget *budget)
{
	served->budget = budget;
	served->bytes = (size_t)model_bytes(served);
	budget_add(budget, served->bytes);
	for (struct served_session *s = served->idle; s; s = s->next) {
		s->budget = budget;
		s->bytes = 0;
		session_count(s);
	}
}

uint64_t served_bytes(const struct served *served)
{
	return model_bytes(served) + edge_session_bytes(served->idle->session);
}

bool served_idle(const struct served *served)
{
	return atomic_load(&served->ref.count) == 1;
}

static void sessions_free(struct served_session *session)
{
	while (session) {
		struct served_session *next = session->next;
		served_session_free(session);
		session = next;
	}
}

void served_trim(struct served *served)
{
	pthread_mutex_lock(&served->mutex);
	struct served_session *idle = served->idle;
	served->idle = NULL;
	pthread_mutex_unlock(&served->mutex);
	sessions_free(idle);
}

struct served *served_ref(struct served *served)
{
	ref_get(&served->ref);
	return served;
}

void served_unref(struct served *served)
{
	if (!served || !ref_put(&served->ref)) {
		return;
	}
	marks_give_back(served->marks, served->mark);
	budget_take_away(served->budget, served->bytes);
	/* By now: nobody is to be unloaded for what is as good as gone. */
	for (struct served_session *s = served->idle; s; s = s->next) {
		budget_take_away(s->budget, s->bytes);
		s->bytes = 0;
	}
	if (served->bury) {
		served->bury(served->bury_context, served);
	} else {
		served_free(served);
	}
}

void served_free(struct served *served)
{
	sessions_free(served->idle);
	edge_model_unref(served->model);
	own_close_fd(&served->checkpoints);
	pthread_mutex_destroy(&served->mutex);
	free(served->labels);
	free(served);
}

int served_take_session(struct served *served, uint32_t signature,
	struct served_session **ret_session, struct error *err)
{
	pthread_mutex_lock(&served->mutex);
	struct served_session **link = &served->idle;
	while (*link && (*link)->signature != signature) {
		link = &(*link)->next;
	}
	struct served_session *found = *link;
	if (found) {
		*link = found->next;
		found->next = NULL;
	}
	pthread_mutex_unlock(&served->mutex);
	if (!found) {
		return session_new(served, signature, ret_session, err);
	}
	*ret_session = found;
	return 0;
}

void served_give_session(struct served *served, struct served_session *session)
{
	session_count(session);
	pthread_mutex_lock(&served->mutex);
	session->next = served->idle;
	served->idle = session;
	pthread_mutex_unlock(&served->mutex);
}

int served_new_session(
	struct served *served, struct served_session **ret_session, struct error *err)
{
	return session_new(served, 0, ret_session, err);
}

uint32_t served_expected_ns(const struct served *served, uint32_t signature)
{
	return signature < SERVED_TIMED
		? atomic_load_explicit(&served->run_ns[signature], memory_order_relaxed)
		: SERVED_LONG_NS;
}

/* Two threads may note at once: then one of them is forgotten. */
void served_note_run(struct served *served, uint32_t signature, uint64_t ns)
{
	if (signature >= SERVED_TIMED) {
		return;
	}
	uint32_t before = served_expected_ns(served, signature);
	uint32_t now = ns < SERVED_LONG_NS ? (uint32_t)ns : SERVED_LONG_NS;
	uint32_t next = now > before ? before + (now - before) / 4 : before - (before - now) / 8;
	atomic_store_explicit(&served->run_ns[signature], next, memory_order_relaxed);
}

bool served_on_trial(const struct served *served)
{
	return atomic_load_explicit(&served->on_trial, memory_order_relaxed);
}

bool served_times_run(struct served *served)
{
	const unsigned int n = atomic_load_explicit(&served->n_runs, memory_order_relaxed);
	atomic_store_explicit(&served->n_runs, n + 1, memory_order_relaxed);
	return served_on_trial(served) || n < SERVED_FIRST_RUNS || n % SERVED_EVERY_RUN == 0;
}

int served_enter(struct served_session *session, uint32_t signature, struct error *err)
{
	if (session->signature == signature) {
		return 0;
	}
	int code = edge_session_enter(session->session, signature, err);
	session->signature = code < 0 ? SERVED_NO_SIGNATURE : signature;
	session->resized = false; /* its inputs are those of a new session */
	return code;
}
