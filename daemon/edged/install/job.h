/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job - one operation for the loader's thread
 *
 * The loop fills in a job and hands it to the loader's thread (loader.h), which fills in the result
 * and hands it back. One job runs at a time. A job about a model has a copy of its record; the loop
 * replaces the record by the copy when the job ends. The loader's thread never sees the record.
 */
#ifndef DAEMON_EDGED_INSTALL_JOB_H
#define DAEMON_EDGED_INSTALL_JOB_H

#include "daemon/edged/install/registry.h"
#include "daemon/edged/install/store_command.h"

enum job_kind {
	JOB_OPEN, /* reads the manifests of the store into @manifests */
	JOB_RESTORE, /* loads @model from the store */
	JOB_LIST, /* lists the models folder in @folder */
	JOB_SCAN_MODEL, /* installs the highest usable version of @model from @folder */
	JOB_GONE, /* the models folder has no file of @model any more */
	JOB_FORGET, /* removes manifest and history of @model, of which nothing is left */
	JOB_SWEEP, /* removes blobs that no manifest needs */
	JOB_NAME, /* finds the name of the model that @command installs */
	JOB_STORE_COMMAND, /* executes @command */
};

enum job_outcome {
	JOB_NOTHING, /* nothing that anybody sees */
	JOB_READY, /* @loaded serves from now on; @reason: why a newer version does not, or empty */
	JOB_KEPT, /* the version that serves stays; @reason as for READY */
	JOB_REFUSED, /* no file of the model could be loaded: @reason */
	JOB_MANIFEST_CHANGED, /* the same version serves */
	JOB_UNLOADABLE, /* the version that served cannot be loaded any more: @reason */
	JOB_REMOVED, /* the model was removed */
};

/* What the loop must do before the job can go on. */
enum job_question {
	JOB_LOADING, /* the model is shown as loading */
	JOB_ALONE, /* drop the version kept for a rollback: a third one is about to load */
	JOB_UNLOAD, /* unload the version that serves, to free memory for the next one */
};

/* The models folder, as the last JOB_LIST found it. */
struct job_folder {
	int fd; /* -1: it could not be opened */
	dev_t device;
	ino_t inode;
	bool unwatched; /* the warning about an unwatchable folder was logged */
	struct models_folder_model *models;
	size_t n;
	struct models_folder_left_out
		left_out; /* entries that are no models, or exceed max-models */
};

/* What a repair of the store changed about a model. */
struct job_repaired {
	struct manifest manifest;
	bool changed; /* the manifest is another one */
	bool active_missing; /* the active version's file is not in the store */
};

struct job {
	enum job_kind kind;
	struct store_command *command; /* NAME and STORE_COMMAND only */
	/* Set by the loader's thread: */
	const struct load_context *load;
	/* Asks the loop, and returns when the loop has done so, or edged stops. */
	void (*ask)(void *context, enum job_question question);
	void *ask_context;

	/* The loop's, lent while the job runs: */
	const struct registry *registry;
	struct job_folder *folder;

	/* What the loop knows of the model: */
	bool has_model;
	struct registry_model model; /* copy of the record */
	struct digest serving; /* version that serves, in memory or unloaded; none: nothing */
	struct digest
		trial_passed; /* @serving, if it has answered without a fault so far; else none */
	bool in_memory; /* @serving is loaded */
	uint64_t bytes; /* memory of @serving when loaded */
	struct models_folder_model
		found; /* SCAN_MODEL: files of the model; without a name the job lists them */
	bool removes; /* GONE: the model goes with its files */

	/* Result, with @model and command->error: */
	enum job_outcome outcome;
	struct loaded_model *loaded; /* READY: one reference */
	uint64_t version; /* version of the file tried last */
	char reason[REGISTRY_REASON_SIZE];
	int code; /* OPEN and LIST: 0 or a negative errno */
	bool keys_changed; /* refused files must be tried again */
	struct manifest *manifests;
	size_t n_manifests;
	struct job_repaired *repaired; /* one for each record of @registry; NULL: no repair */
};

/* Sets the result. Takes @loaded. */
void job_finish(struct job *job, enum job_outcome outcome, uint64_t version,
	struct loaded_model *loaded, const char *reason);

/* Removes blobs that no manifest needs. The job's manifest counts instead of its record's. */
void job_sweep(struct job *job);

/* Removes the versions of the model, first from the disk. The highest signed version stays known.
 * @anyway: after an error of the disk they are removed from memory. */
int must_check job_remove(struct job *job, bool anyway, struct error *err);

/* Frees what a result has, but for @command. */
void job_deinit(struct job *job);

#endif
