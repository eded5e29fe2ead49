/* SPDX-License-Identifier: Apache-2.0 */
/*
 * install - a candidate becomes the version that serves, or is refused
 *
 * Steps, in order:
 *
 *   1. copy into the store, and hash
 *   2. not listed as bad, and not the version that serves
 *   3. trusted signature, if the policy requires one
 *   4. verify and plan, within the memory budgets
 *   5. same inputs and outputs as the version before, unless a change is allowed
 *   6. self-test
 *   7. save the manifest
 *
 * Clients see the version only after the last step.
 */
#ifndef DAEMON_EDGED_INSTALL_INSTALL_H
#define DAEMON_EDGED_INSTALL_INSTALL_H

#include "daemon/edged/install/job.h"

/*
 * Installs the file at @source. Returns 0 with *ret_loaded, which the caller owns, and the manifest
 * of job->model saved; 1 if that file already serves, or an install has replaced it. @replaced_file:
 * digest of the file in the models folder that this one replaces, or none. @tried gets identity and
 * digest as far as they are known, also on error. Errors have text.
 */
int must_check install_candidate(struct job *job, const struct candidate_source *source,
	const struct digest *replaced_file, struct registry_tried *tried,
	struct loaded_model **ret_loaded, struct error *err);

/* Loads the active version from the store, or on failure the version for a rollback. *ret_reason:
 * why the active version is not loaded, or empty. */
int must_check install_restore(const struct job *job, struct loaded_model **ret_loaded,
	char *ret_reason, size_t reason_size);

#endif
