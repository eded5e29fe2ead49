/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/model/loaded_model.h"

void loaded_model_session_free(struct loaded_model_session *session)
{
	if (session) {
		budget_take_away(session->budget, session->bytes);
		edge_session_free(session->session);
		free(session);
	}
}

/* Counts the current size, which a run may have increased. */
static void session_count(struct loaded_model_session *session)
{
	const size_t before = session->bytes;
	session->bytes = (size_t)edge_session_bytes(session->session);
	budget_add(session->budget, session->bytes);
	budget_take_away(session->budget, before);
}

static int session_new(struct loaded_model *loaded, uint32_t signature,
	struct loaded_model_session **ret_session, struct error *err)
{
	struct loaded_model_session *session = calloc(1, sizeof(*session));
	if (!session) {
		return error_no_memory(err);
	}
	session->signature = signature;
	int code = edge_session_new(loaded->model, signature, &session->session, err);
	if (code < 0) {
		free(session);
		return code;
	}
	edge_session_set_checkpoints(
		session->session, loaded->checkpoints, loaded->max_checkpoint_bytes);
	session->budget = loaded->budget;
	session_count(session);
	*ret_session = session;
	return 0;
}

int loaded_model_new(struct edge_model *model, char *labels, uint32_t labels_length,
	struct loaded_model **ret_loaded, struct error *err)
{
	struct loaded_model *loaded = calloc(1, sizeof(*loaded));
	if (!loaded || pthread_mutex_init(&loaded->mutex, NULL) != 0) {
		free(loaded);
		free(labels);
		edge_model_unref(model);
		return error_no_memory(err);
	}
	ref_init(&loaded->ref);
	for (uint32_t i = 0; i < LOADED_MODEL_TIMED; i++) {
		atomic_init(&loaded->run_ns[i], LOADED_MODEL_LONG_NS);
	}
	loaded->model = model;
	loaded->checkpoints = -1;
	loaded->labels = labels;
	loaded->labels_length = labels_length;
	int code = session_new(loaded, 0, &loaded->idle, err);
	if (code < 0) {
		loaded_model_unref(loaded);
		return code;
	}
	*ret_loaded = loaded;
	return 0;
}

void loaded_model_set_checkpoints(struct loaded_model *loaded, int folder, uint64_t max_bytes)
{
	loaded->checkpoints = folder;
	loaded->max_checkpoint_bytes = max_bytes;
	edge_session_set_checkpoints(loaded->idle->session, folder, max_bytes);
}

void loaded_model_warm(struct loaded_model *loaded, const struct run_control *control)
{
	struct edge_session *session = loaded->idle->session;
	int code = edge_session_run(session, control, NULL);
	(void)code;
	edge_session_reset(session);
}

static uint64_t model_bytes(const struct loaded_model *loaded)
{
	const struct edge_model_info *info = edge_model_info(loaded->model);
	return info->file_bytes + info->pack_bytes + info->prepared_bytes;
}

void loaded_model_count(struct loaded_model *loaded, struct budget *budget)
{
	loaded->budget = budget;
	loaded->bytes = (size_t)model_bytes(loaded);
	budget_add(budget, loaded->bytes);
	for (struct loaded_model_session *s = loaded->idle; s; s = s->next) {
		s->budget = budget;
		s->bytes = 0;
		session_count(s);
	}
}

uint64_t loaded_model_bytes(const struct loaded_model *loaded)
{
	return model_bytes(loaded) + edge_session_bytes(loaded->idle->session);
}

bool loaded_model_idle(const struct loaded_model *loaded)
{
	return atomic_load(&loaded->ref.count) == 1;
}

static void sessions_free(struct loaded_model_session *session)
{
	while (session) {
		struct loaded_model_session *next = session->next;
		loaded_model_session_free(session);
		session = next;
	}
}

void loaded_model_trim(struct loaded_model *loaded)
{
	pthread_mutex_lock(&loaded->mutex);
	struct loaded_model_session *idle = loaded->idle;
	loaded->idle = NULL;
	pthread_mutex_unlock(&loaded->mutex);
	sessions_free(idle);
}

struct loaded_model *loaded_model_ref(struct loaded_model *loaded)
{
	ref_get(&loaded->ref);
	return loaded;
}

void loaded_model_unref(struct loaded_model *loaded)
{
	if (!loaded || !ref_put(&loaded->ref)) {
		return;
	}
	crash_markers_give_back(loaded->markers, loaded->marker);
	budget_take_away(loaded->budget, loaded->bytes);
	/* Before freeing, so that no other model is unloaded for memory that is about to be
	 * free. */
	for (struct loaded_model_session *s = loaded->idle; s; s = s->next) {
		budget_take_away(s->budget, s->bytes);
		s->bytes = 0;
	}
	if (loaded->defer_free) {
		loaded->defer_free(loaded->defer_free_context, loaded);
	} else {
		loaded_model_free(loaded);
	}
}

void loaded_model_free(struct loaded_model *loaded)
{
	sessions_free(loaded->idle);
	edge_model_unref(loaded->model);
	own_close_fd(&loaded->checkpoints);
	pthread_mutex_destroy(&loaded->mutex);
	free(loaded->labels);
	free(loaded);
}

/* Overwrites all data of another user's run. */
static void session_clear(struct loaded_model_session *session)
{
	edge_session_reset(session->session);
	edge_session_fill(session->session, 0);
	session->used = false;
}

/* Ranks an idle session for @user; the highest is taken. */
static unsigned int fitness(const struct loaded_model_session *session, uid_t user)
{
	return !session->used ? 1 : user != LOADED_MODEL_NO_USER && session->user == user ? 2 : 0;
}

/* Takes the best idle session of @signature out of the list; NULL if there is none. */
static struct loaded_model_session *take_idle(
	struct loaded_model *loaded, uint32_t signature, uid_t user)
{
	struct loaded_model_session **best = NULL;
	pthread_mutex_lock(&loaded->mutex);
	for (struct loaded_model_session **at = &loaded->idle; *at; at = &(*at)->next) {
		if ((*at)->signature == signature &&
			(!best || fitness(*at, user) > fitness(*best, user))) {
			best = at;
		}
	}
	struct loaded_model_session *found = best ? *best : NULL;
	if (found) {
		*best = found->next;
		found->next = NULL;
	}
	pthread_mutex_unlock(&loaded->mutex);
	return found;
}

int loaded_model_take_session(struct loaded_model *loaded, uint32_t signature, uid_t user,
	struct loaded_model_session **ret_session, struct error *err)
{
	struct loaded_model_session *session = take_idle(loaded, signature, user);
	int code = session ? 0 : session_new(loaded, signature, &session, err);
	if (code < 0) {
		return code;
	}
	if (fitness(session, user) == 0) {
		session_clear(session);
	}
	session->used = true;
	session->user = user;
	*ret_session = session;
	return 0;
}

void loaded_model_give_session(struct loaded_model *loaded, struct loaded_model_session *session)
{
	session_count(session);
	pthread_mutex_lock(&loaded->mutex);
	session->next = loaded->idle;
	loaded->idle = session;
	pthread_mutex_unlock(&loaded->mutex);
}

int loaded_model_new_session(
	struct loaded_model *loaded, struct loaded_model_session **ret_session, struct error *err)
{
	return session_new(loaded, 0, ret_session, err);
}

uint32_t loaded_model_expected_ns(const struct loaded_model *loaded, uint32_t signature)
{
	return signature < LOADED_MODEL_TIMED
		? atomic_load_explicit(&loaded->run_ns[signature], memory_order_relaxed)
		: LOADED_MODEL_LONG_NS;
}

/* Two concurrent updates may lose one. */
void loaded_model_note_run(struct loaded_model *loaded, uint32_t signature, uint64_t ns)
{
	if (signature >= LOADED_MODEL_TIMED) {
		return;
	}
	uint32_t before = loaded_model_expected_ns(loaded, signature);
	uint32_t now = ns < LOADED_MODEL_LONG_NS ? (uint32_t)ns : LOADED_MODEL_LONG_NS;
	uint32_t next = now > before ? before + (now - before) / 4 : before - (before - now) / 8;
	atomic_store_explicit(&loaded->run_ns[signature], next, memory_order_relaxed);
}

bool loaded_model_on_trial(const struct loaded_model *loaded)
{
	return atomic_load_explicit(&loaded->on_trial, memory_order_relaxed);
}

bool loaded_model_times_run(struct loaded_model *loaded)
{
	const unsigned int n = atomic_load_explicit(&loaded->n_runs, memory_order_relaxed);
	atomic_store_explicit(&loaded->n_runs, n + 1, memory_order_relaxed);
	return loaded_model_on_trial(loaded) || n < LOADED_MODEL_FIRST_RUNS ||
		n % LOADED_MODEL_EVERY_RUN == 0;
}

int loaded_model_enter(struct loaded_model_session *session, uint32_t signature, struct error *err)
{
	if (session->signature == signature) {
		return 0;
	}
	int code = edge_session_enter(session->session, signature, err);
	session->signature = code < 0 ? LOADED_MODEL_NO_SIGNATURE : signature;
	session->resized = false; /* inputs are back at their planned shapes */
	return code;
}
