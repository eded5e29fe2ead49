/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan - the steps of a scan of store and models folder, as jobs for the loader
 *
 * First the models of the store that do not serve are loaded. Then the folder is listed, and known
 * models are looked at before new ones, so that max-models leaves out new ones. A model goes when
 * its files have disappeared from the folder. A store command runs between two jobs. Loop thread
 * only.
 */
#ifndef DAEMON_EDGED_MODELS_SCAN_H
#define DAEMON_EDGED_MODELS_SCAN_H

#include "daemon/edged/install/job.h"

enum scan_step {
	SCAN_RESTORE,
	SCAN_LIST,
	SCAN_KNOWN,
	SCAN_NEW,
	SCAN_GONE,
	SCAN_FORGET,
	SCAN_SWEEP,
	SCAN_STEPS,
};

struct scan {
	bool on;
	uint64_t number; /* request that the scan in progress answers */
	enum scan_step step;
	size_t at; /* next record, or next model of the folder */
	size_t n_there; /* models of the folder that count for max-models */
	bool whole; /* the folder could be listed, and nothing was out of memory */
	dev_t device; /* device of the models folder in the last whole scan; 0: none */
	struct job_folder folder;
	struct models_folder_left_out logged; /* left_out of the last scan */
};

/* What a scan needs to know. */
struct scan_view {
	struct scan *scan;
	struct registry *registry;
	const struct config *config;
	const struct log *log;
	/* Returns the digest of the version of @name that serves; none: nothing serves. */
	struct digest (*serving)(void *context, const struct registry_model *model);
	void *context;
};

void scan_begin(const struct scan_view *view, uint64_t number);
/* Fills in kind, model, files and folder of the next job. Returns false at the scan's end. */
bool scan_next(const struct scan_view *view, struct job *job);
/* Takes what a job of the scan has found. The record has the job's copy already. */
void scan_take(const struct scan_view *view, const struct job *job);
void scan_deinit(struct scan *scan);

#endif
