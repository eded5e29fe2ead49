/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/install/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void job_finish(struct job *job, enum job_outcome outcome, uint64_t version,
	struct loaded_model *loaded, const char *reason)
{
	job->outcome = outcome;
	job->version = version;
	job->loaded = loaded;
	snprintf(job->reason, sizeof(job->reason), "%s", reason);
}

static bool is_wanted(void *context, const struct digest *digest)
{
	const struct job *job = context;
	const struct registry *registry = job->registry;
	const char *own = job->has_model ? job->model.manifest.name : "";
	bool wanted = job->has_model && manifest_wants(&job->model.manifest, digest);
	for (size_t i = 0; i < registry->n && !wanted; i++) {
		const struct manifest *manifest = &registry->models[i]->manifest;
		wanted = strcmp(manifest->name, own) != 0 && manifest_wants(manifest, digest);
	}
	for (size_t i = 0; i < job->n_manifests && !wanted; i++) {
		wanted = manifest_wants(&job->manifests[i], digest);
	}
	return wanted;
}

void job_sweep(struct job *job)
{
	store_sweep(job->load->store, is_wanted, job);
}

int job_remove(struct job *job, bool anyway, struct error *err)
{
	const struct load_context *load = job->load;
	struct registry_model *model = &job->model;
	struct manifest next = model->manifest;
	next.active = next.previous = next.replaced_file = (struct digest){0};
	next.trial = false;
	manifest_trim(&next);
	store_history_add(load->store, next.name, "removed");
	int code = store_save(load->store, &next, err);
	if (code == 0 || anyway) {
		model->manifest = next;
		model->n = 0;
		job_finish(job, JOB_REMOVED, 0, NULL, "");
	}
	return code;
}

void job_deinit(struct job *job)
{
	loaded_model_unref(job->loaded);
	free(job->manifests);
	free(job->repaired);
	job->loaded = NULL;
	job->manifests = NULL;
	job->repaired = NULL;
}
