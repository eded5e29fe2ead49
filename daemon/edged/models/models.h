/* SPDX-License-Identifier: Apache-2.0 */
/*
 * models - table of models by name
 *
 * Results of the loader change the table (jobs.h). A request takes a reference to the loaded model that
 * serves at its start, so a replaced version lives until its last request ends. Loop thread only.
 */
#ifndef DAEMON_EDGED_MODELS_MODELS_H
#define DAEMON_EDGED_MODELS_MODELS_H

#include "base/wire/wire.h"
#include "daemon/edged/install/loader.h"
#include "daemon/edged/models/probation.h"
#include "daemon/edged/models/scan.h"
#include "daemon/system/counters.h"

/* Facts about the version that serves. */
struct models_facts {
	struct digest digest;
	uint64_t since, by; /* as in struct manifest_version */
	uint64_t last_good; /* number of the last good version; 0: none */
	struct digest good; /* digest of the last good version's file; none: no such version */
	bool trial, pinned;
	uint32_t taught; /* stamp of its few-shot examples, as in STORE_LIST; 0: none */
};

struct models_entry {
	char name[LOADED_MODEL_NAME_SIZE];
	/* version that serves; without one, the version tried last */
	char version[LOADED_MODEL_VERSION_SIZE];
	struct loaded_model *loaded; /* loaded model that serves; NULL: none */
	struct digest serving; /* version that serves, in memory or unloaded; none: nothing */
	bool loading;
	bool broken; /* reading this version from disk failed, and the loader was told */
	bool unloaded; /* the version left memory; a request loads it again */
	bool load_requested; /* a request waits for the unloaded model */
	bool load_queued; /* the loader has the load command */
	uint64_t bytes; /* memory of @loaded at load, with one session */
	struct loaded_model_use use; /* recent use while @loaded is NULL */
	char why[48]; /* reason of the unload */
	struct models_facts facts; /* of @serving, from the manifest */
	struct probation probation; /* trial of the version that serves */
	bool trial_passed; /* @serving has been on trial and has answered without a fault so far */
	/* Version for a rollback and for shadow comparison during a trial; NULL: not in memory. */
	struct loaded_model *previous;
	uint64_t previous_bytes; /* value of @bytes for the version in @previous */
	unsigned int sample_percent; /* percent of the next shadow sample; a sample is due at 100 */
	/* completed runs of versions off trial, and the sum of their times */
	uint64_t runs, run_ns;
	struct counters *counters; /* counters of all versions; NULL: no request so far */
	char reason[REGISTRY_REASON_SIZE]; /* why the newest file was refused; empty: it was not */
};

/* Counters of one model from before a restart, until the model is in the table. */
struct models_restored {
	struct models_restored *next;
	char name[LOADED_MODEL_NAME_SIZE];
	struct counters *counters;
};

struct models {
	const struct log *log;
	struct models_entry *entries; /* array sorted by name */
	size_t n;
	uint64_t scans_done;
	uint64_t generation; /* generation number given last */
	bool swapped; /* a name got another version; adopt_waiting() reads this */
	/* keep the version before a trial in memory even if memory is short, for shadow
	 * comparison */
	bool keeps_previous;
	bool opened; /* the loader has read the manifests, or does so now */
	struct registry registry; /* a running job may read it */
	struct scan scan;
	struct models_restored
		*restored; /* counters from before the restart; NULL after the first scan */
};

struct models_count {
	uint32_t ready, loading, refused, unloaded;
};

void models_init(struct models *models, const struct log *log);
void models_deinit(struct models *models);

/* Saves the counters of model @name from before a restart, until the model appears. Call before the
 * first scan. Without memory the counters start at 0. */
void models_keep_counters(struct models *models, const char *name, const struct counters *counters);

/* Takes the result of a job about the model of @record. Returns true if it became ready, or was lost
 * or removed. */
bool models_apply(struct models *models, struct job *job, struct registry_model *record);
/* Does what a job about model @name needs. Returns true if the model was unloaded. */
bool models_handle_question(struct models *models, const char *name, enum job_question question);
/* Takes a change of the manifest in @record. */
void models_update_facts(struct models *models, const struct registry_model *record);
/* Forgets counters of models that the first scan did not find. */
void models_drop_restored_counters(struct models *models);

/* Counts one completed run of @loaded. @run_ns: CPU time of its thread; 0: not measured. During a
 * trial the run counts for the verdict, and a verdict becomes a store command to @loader. Off trial
 * the run adds to the usual run time. */
void models_note_run(struct models *models, struct loader *loader, const struct config *config,
	const struct loaded_model *loaded, enum probation_outcome outcome, uint64_t run_ns);
/* Returns the version before @loaded, borrowed. NULL: @loaded is not on trial, or that version is
 * not in memory. */
struct loaded_model *models_previous(struct models *models, const struct loaded_model *loaded);
/* Returns the version that must repeat the last request of @loaded for comparison, borrowed. NULL
 * if no sample is due. */
struct loaded_model *models_sample(
	struct models *models, const struct config *config, const struct loaded_model *loaded);
/* Counts the result of one comparison requested by models_sample(). */
void models_note_compared(struct models *models, struct loader *loader, const struct config *config,
	const struct loaded_model *loaded, bool differs);
/* Handles a read error in the file of @loaded: @loader gets a store command to check the blob, and
 * a scan. */
void models_note_broken(struct models *models, struct loader *loader, const struct config *config,
	const struct loaded_model *loaded);
/* Ends trials whose time is over. Returns the nanoseconds until the next trial ends; UINT64_MAX:
 * none. */
uint64_t models_check_trials(
	struct models *models, struct loader *loader, const struct config *config);

/* Returns the model called @name, or NULL. */
struct models_entry *models_find(struct models *models, const char *name);
/* Drops the reference to the version before a trial. A rollback then loads it from the store. */
void models_drop_previous(struct models_entry *model);
/* Unloads the model. @why completes the log's sentence "unloaded ...". */
void models_unload(struct models_entry *model, const char *why);

/* Returns "ready", "loading", "unloaded" or "refused". */
const char *models_model_state(const struct models_entry *model);
struct models_count models_count(const struct models *models);

/*
 * Takes a reference to the loaded model that serves @name. @version must match; empty or "0"
 * matches all ("0" is NAME.tflite before the store numbers it). Returns 0; 1 if the model is
 * unloaded (then call models_request_load()); -ENOENT; -EAGAIN while it is being loaded; -EBADMSG if it was
 * refused. The error's text names the model and the reason.
 */
int must_check models_get(const struct models *models, struct wire_text name,
	struct wire_text version, struct loaded_model **ret_loaded, struct error *err);

/* Marks an unloaded model for eviction_load_requested(). Does nothing for a model in another state. */
void models_request_load(struct models *models, const char *name);

#endif
