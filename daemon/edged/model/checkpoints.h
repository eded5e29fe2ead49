/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoints - folders for the save and restore signatures of models: STATE/checkpoints/NAME,
 * accessible to edged's user only */
#ifndef DAEMON_EDGED_MODEL_CHECKPOINTS_H
#define DAEMON_EDGED_MODEL_CHECKPOINTS_H

#include "base/error.h"

/* Opens the folder of model @name, and creates it if needed. Removes unfinished files of an earlier
 * run. Errors: from the system, with text. */
int must_check checkpoints_open(
	const char *state, const char *name, int *ret_folder, struct error *err);

#endif
