/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loaded_model - a version in memory, with its idle sessions
 *
 * Reference-counted: the table of models holds one reference, each request another. Immutable
 * except for the idle sessions and statistics of runs. Any thread, unless a field says otherwise.
 */
#ifndef DAEMON_EDGED_MODEL_LOADED_MODEL_H
#define DAEMON_EDGED_MODEL_LOADED_MODEL_H

#include <pthread.h>
#include <sys/types.h>

#include "base/ref.h"
#include "daemon/edged/model/budget.h"
#include "daemon/edged/model/crash_markers.h"
#include "daemon/edged/model/energy.h"
#include "daemon/edged/model/predict.h"
#include "daemon/system/digest.h"
#include "engine/edge.h"

#define LOADED_MODEL_NAME_SIZE 65 /* [a-z0-9][a-z0-9._-]{0,63} */
#define LOADED_MODEL_VERSION_SIZE 21 /* a decimal number */

#define LOADED_MODEL_NO_SIGNATURE UINT32_MAX
#define LOADED_MODEL_NO_USER ((uid_t)-1) /* never a valid user id: the kernel refuses it */
#define LOADED_MODEL_FIRST_RUNS 16
#define LOADED_MODEL_EVERY_RUN 16
#define LOADED_MODEL_TIMED 8 /* signatures with a measured run time; others never count as short */
#define LOADED_MODEL_LONG_NS                                                                       \
	UINT32_C(1000000) /* upper limit of expected run times, also used for unknown ones */

/* A session that is idle or used by one worker. */
struct loaded_model_session {
	struct edge_session *session;
	struct loaded_model_session *next;
	uint32_t signature; /* signature that is entered; LOADED_MODEL_NO_SIGNATURE: none */
	bool used; /* has run for @user since it was made or cleared */
	uid_t user; /* user of the last run; LOADED_MODEL_NO_USER: edged itself, for several users */
	bool profiled; /* records times of steps (slow.h) */
	bool resized; /* an input has another shape than planned */
	struct budget *budget; /* budget that counts @bytes; NULL: not counted */
	size_t bytes; /* memory counted in @budget */
};

/* Frees a session that is not in the list of a model. */
void loaded_model_session_free(struct loaded_model_session *session); /* NULL is fine */

/* Recent use as a decaying count (eviction.h). Loop thread only. */
struct loaded_model_use {
	double score;
	uint64_t last_ns;
};

struct loaded_model {
	struct ref ref;
	/* Frees an unreferenced model in another thread, because unmapping takes milliseconds.
	 * NULL: the last loaded_model_unref() frees it. */
	void (*defer_free)(void *context, struct loaded_model *loaded);
	void *defer_free_context;
	struct loaded_model *next_deferred;
	char name[LOADED_MODEL_NAME_SIZE];
	char version[LOADED_MODEL_VERSION_SIZE];
	uint64_t number; /* @version as a number; 0: not known */
	struct digest digest; /* SHA-256 of the model's file */
	struct digest signature; /* interface digest of names, types and shapes (signature.h) */
	uint64_t generation;
	uint64_t load_ns; /* duration of the load */
	struct loaded_model_use use;
	bool stored; /* the store can load this version again */
	struct budget *budget; /* budget that counts @bytes; NULL: not counted */
	size_t bytes; /* memory counted in @budget, without sessions */
	struct crash_markers *markers; /* owner of @marker */
	struct crash_marker *marker; /* crash marker of runs on trial; NULL: none */
	/* outputs are checked for NaN and runs are marked; cleared by the loop */
	atomic_bool on_trial;
	struct edge_model *model;
	int checkpoints; /* folder for checkpoint files of sessions; -1: none */
	uint64_t max_checkpoint_bytes;
	char *labels; /* content of the labels file; NULL: none */
	uint32_t labels_length;
	pthread_mutex_t mutex;
	struct loaded_model_session *idle;
	atomic_uint n_runs; /* counter of loaded_model_times_run() */
	atomic_uint run_ns[LOADED_MODEL_TIMED]; /* expected time of a short run, by signature */
	struct predict predict; /* expected run times for the queue; loop thread only */
	struct energy_share energy; /* energy of runs; loop thread only */
};

/* Takes @model and @labels, also on failure. Makes a first session of the default signature, so
 * that loading fails if its arena does not fit. */
int must_check loaded_model_new(struct edge_model *model, char *labels, uint32_t labels_length,
	struct loaded_model **ret_loaded, struct error *err);
/* Takes @folder. Call before @loaded is shared. */
void loaded_model_set_checkpoints(struct loaded_model *loaded, int folder, uint64_t max_bytes);
/* Runs the idle session once with zero inputs, so that the first request finds all pages in memory.
 * Ignores the result and clears the session. Call before @loaded is shared. */
void loaded_model_warm(struct loaded_model *loaded, const struct run_control *control);
/* Counts the memory of @loaded in @budget, which must outlive it and its sessions. Call before
 * @loaded is shared. */
void loaded_model_count(struct loaded_model *loaded, struct budget *budget);
/* Returns the memory of the model with one session. */
uint64_t loaded_model_bytes(const struct loaded_model *loaded);
/* Returns true if the caller's reference is the only one. Only the thread that hands out references
 * may call it. */
bool loaded_model_idle(const struct loaded_model *loaded);
/* Frees all idle sessions. */
void loaded_model_trim(struct loaded_model *loaded);
struct loaded_model *loaded_model_ref(struct loaded_model *loaded);
void loaded_model_unref(struct loaded_model *loaded); /* NULL is fine */
/* Frees an unreferenced model; the last step after defer_free(). */
void loaded_model_free(struct loaded_model *loaded);
DEFINE_OWNED(struct loaded_model *, loaded_model_unref)

/*
 * Takes an idle session of @signature for @user, or makes one. The caller gives it back. Preferred
 * is the last session of @user, then an unused one. A session of another user is cleared first, so
 * no byte of that user's runs remains. With LOADED_MODEL_NO_USER every session counts as another user's.
 */
int must_check loaded_model_take_session(struct loaded_model *loaded, uint32_t signature,
	uid_t user, struct loaded_model_session **ret_session, struct error *err);
void loaded_model_give_session(struct loaded_model *loaded, struct loaded_model_session *session);

/* Makes a session of the default signature that the caller keeps. */
int must_check loaded_model_new_session(
	struct loaded_model *loaded, struct loaded_model_session **ret_session, struct error *err);

/* Expected run time of @signature with planned shapes, at most LOADED_MODEL_LONG_NS, and its update after
 * a run. The expectation rises by a quarter of the difference and falls by an eighth: about twenty
 * short runs in a row make a signature short. */
uint32_t loaded_model_expected_ns(const struct loaded_model *loaded, uint32_t signature);
void loaded_model_note_run(struct loaded_model *loaded, uint32_t signature, uint64_t ns);

/* Counts a starting run. Returns true if the CPU time of its thread must be measured: always on
 * trial, else for the first LOADED_MODEL_FIRST_RUNS and every LOADED_MODEL_EVERY_RUN-th, because two system
 * calls are expensive beside a short run. Any thread; two runs at once may be counted as one. */
bool loaded_model_times_run(struct loaded_model *loaded);
/* Returns true while the version is on trial. Any thread. */
bool loaded_model_on_trial(const struct loaded_model *loaded);

/* Enters @signature in the session and keeps its state. After an error the next use enters
 * again. */
int must_check loaded_model_enter(
	struct loaded_model_session *session, uint32_t signature, struct error *err);

#endif
