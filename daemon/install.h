/* SPDX-License-Identifier: Apache-2.0 */
/*
 * install - a candidate becomes what serves, or is refused
 *
 * In this order: copied and hashed; not known to be bad; not what serves already; signed by somebody who
 * is trusted, where the policy asks for that; verified, planned
 * and within its budgets; its inputs and outputs those of the version that it replaces, unless that
 * is allowed; the answers of its self-test those that are due; recorded in the store. Only then does anybody hear of it.
 */
#ifndef DAEMON_INSTALL_H
#define DAEMON_INSTALL_H

#include "daemon/catalogue.h"

/*
 * 0 and *ret_served, which is the caller's; or 1 when what serves is just that file, or was installed over it.
 * @passed: the file of the models folder that this one takes the place of, or none. @tried gets
 * identity and digest as far as it got. Errors with text.
 */
int must_check install_candidate(const struct load_context *context, struct catalogue_model *model,
	const struct candidate_place *place, const struct digest *passed,
	struct catalogue_tried *tried, struct served **ret_served, struct error *err);

/* The version of the store that should serve, or the one to fall back to. Errors with text. */
int must_check install_restore(const struct load_context *context, struct catalogue_model *model,
	struct served **ret_served, char *ret_reason, size_t reason_size);

#endif
