/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoints - where the save and restore signatures of a model find their files:
 * STATE/checkpoints/NAME, for edged's user alone */
#ifndef DAEMON_CHECKPOINTS_H
#define DAEMON_CHECKPOINTS_H

#include "base/error.h"

/* The folder of model @name, made where it is not there. What a run of before left unfinished in it
 * is removed. Errors: what the system gave, with text. */
int must_check checkpoints_open(
	const char *state, const char *name, int *ret_folder, struct error *err);

#endif
