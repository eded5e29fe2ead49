/* SPDX-License-Identifier: Apache-2.0 */
/*
 * served - a loaded model and its idle sessions
 *
 * Immutable but for the list of idle sessions and what runs took, shared by reference count: the store holds one
 * reference, every request for it another. Any thread.
 */
#ifndef DAEMON_SERVED_H
#define DAEMON_SERVED_H

#include <pthread.h>

#include "base/ref.h"
#include "daemon/budget.h"
#include "daemon/digest.h"
#include "daemon/energy.h"
#include "daemon/marks.h"
#include "daemon/predict.h"
#include "engine/edge.h"

#define SERVED_NAME_SIZE 65 /* [a-z0-9][a-z0-9._-]{0,63} */
#define SERVED_VERSION_SIZE 21 /* a decimal number */

#define SERVED_NO_SIGNATURE UINT32_MAX
#define SERVED_FIRST_RUNS 16
#define SERVED_EVERY_RUN 16
#define SERVED_TIMED                                                                               \
	8 /* signatures whose runs are timed; the others are never expected to be short */
#define SERVED_LONG_NS                                                                             \
	UINT32_C(1000000) /* what takes longer is not told apart, nor what is unknown */

/* A session while nobody runs it, or while one worker does. */
struct served_session {
	struct edge_session *session;
	struct served_session *next;
	uint32_t signature; /* the one that is entered; SERVED_NO_SIGNATURE: none */
	bool profiled; /* its steps are timed: slow.h */
	bool resized; /* some input has another shape than planned */
	struct budget *budget; /* NULL: it is not counted */
	size_t bytes; /* counted */
};

/* Sessions that have no model to share are freed by who has them. */
void served_session_free(struct served_session *session); /* NULL is fine */

/* How much a model is asked: a count that fades (idle.h). The loop's. */
struct served_use {
	double score;
	uint64_t last_ns;
};

struct served {
	struct ref ref;
	/* Frees it once nobody has it, where that holds nobody up: unmapping takes milliseconds. NULL: who
	 * lets go of it last does so. */
	void (*bury)(void *context, struct served *served);
	void *bury_context;
	struct served *next_buried;
	char name[SERVED_NAME_SIZE];
	char version[SERVED_VERSION_SIZE];
	uint64_t number; /* the same version; 0: it is not known */
	struct digest digest; /* of the file */
	struct digest signature; /* of names, types and shapes (signature.h) */
	uint64_t generation;
	uint64_t load_ns; /* what loading it took */
	struct served_use use;
	bool stored; /* the store can load it again */
	struct budget *budget; /* NULL: it is not counted */
	size_t bytes; /* counted, without its sessions */
	struct marks *marks; /* of @mark, which goes back there */
	struct mark *mark; /* of its runs while it is on trial; NULL: there is none */
	atomic_bool on_trial; /* its outputs are looked at, its runs marked; the loop ends that */
	struct edge_model *model;
	int checkpoints; /* folder of its sessions' files; -1: none */
	uint64_t max_checkpoint_bytes;
	char *labels; /* of the file beside the model; NULL if there is none */
	uint32_t labels_length;
	pthread_mutex_t mutex;
	struct served_session *idle;
	atomic_uint n_runs; /* as served_times_run() counts them */
	atomic_uint run_ns[SERVED_TIMED]; /* what a run is expected to take, if it is short */
	struct predict predict; /* the loop's: the same for the queue */
	struct energy_share energy; /* the loop's: what a run takes */
};

/* Takes @model and @labels, also on failure. A first session of the default signature is made, so
 * that a model whose arena does not fit is refused at load. */
int must_check served_new(struct edge_model *model, char *labels, uint32_t labels_length,
	struct served **ret_served, struct error *err);
/* Takes @folder, before anybody else has @served. */
void served_set_checkpoints(struct served *served, int folder, uint64_t max_bytes);
/* Runs its idle session about zeros, before anybody else has @served: who asks first finds in memory what a
 * run touches. What comes of it is no matter, and nothing of it stays in the session. */
void served_warm(struct served *served, const struct run_control *control);
/* From now on it is counted, before anybody else has @served. @budget outlives it and its sessions. */
void served_count(struct served *served, struct budget *budget);
/* What it takes with one session. */
uint64_t served_bytes(const struct served *served);
/* True when nobody has a reference but who asks, who is the only one to give others. */
bool served_idle(const struct served *served);
/* Gives back what only makes the next run faster: all sessions that nobody uses. */
void served_trim(struct served *served);
struct served *served_ref(struct served *served);
void served_unref(struct served *served); /* NULL is fine */
/* What bury() does in the end: nobody has it any more. */
void served_free(struct served *served);
DEFINE_OWNED(struct served *, served_unref)

/* An idle session of @signature, or a new one. It is the caller's until it is given back. */
int must_check served_take_session(struct served *served, uint32_t signature,
	struct served_session **ret_session, struct error *err);
void served_give_session(struct served *served, struct served_session *session);

/* A session of the default signature that is the caller's for good. */
int must_check served_new_session(
	struct served *served, struct served_session **ret_session, struct error *err);

/*
 * What a run of @signature as planned is expected to take, SERVED_LONG_NS at most; and what one took.
 * The expectation rises by a quarter of the difference and falls by an eighth, so that some twenty
 * short runs in a row are needed before one is expected.
 */
uint32_t served_expected_ns(const struct served *served, uint32_t signature);
void served_note_run(struct served *served, uint32_t signature, uint64_t ns);

/*
 * Counts a run that begins, and says whether the CPU time of its thread is to be taken: on trial always,
 * else of the first SERVED_FIRST_RUNS and of every SERVED_EVERY_RUN-th, as two system calls are much
 * beside a short run. Any thread; two at once may be counted as one.
 */
bool served_times_run(struct served *served);
/* Any thread: whether it has yet to prove itself. */
bool served_on_trial(const struct served *served);

/* Another signature of the same session; its state stays. After an error the next use enters
 * again. */
int must_check served_enter(struct served_session *session, uint32_t signature, struct error *err);

#endif
