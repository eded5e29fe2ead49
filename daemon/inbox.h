/* SPDX-License-Identifier: Apache-2.0 */
/* inbox - one model of the models folder: which of its versions serves */
#ifndef DAEMON_INBOX_H
#define DAEMON_INBOX_H

#include "daemon/catalogue.h"

/* Looks at what @found names in @folder, installs the highest version that can be, and posts what
 * became of @model. */
void inbox_look(struct catalogue *catalogue, const struct load_context *load,
	const struct catalogue_sink *sink, int folder, const struct scan_model *found,
	struct catalogue_model *model);

#endif
