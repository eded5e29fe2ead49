/* SPDX-License-Identifier: Apache-2.0 */
/* config_file - drop-ins of a configuration file, and the file with all defaults */
#ifndef DAEMON_SYSTEM_CONFIG_FILE_H
#define DAEMON_SYSTEM_CONFIG_FILE_H

#include <stdio.h>

#include "daemon/system/config_value.h"

#define CONFIG_FILE_MAX_DROP_INS 256 /* further ones are skipped without an error */

/* Reads one file; @path is valid during the call. */
typedef int config_file_fn(void *context, const char *path, struct error *err);

/* Calls @read for the first CONFIG_FILE_MAX_DROP_INS files of @path.d that end in .conf, in the order
 * of their names, until one fails. The folder may be missing. */
int must_check config_file_drop_ins(
	const char *path, config_file_fn *read, void *context, struct error *err);

/* Prints help and default of @key, commented out. */
void config_file_print(FILE *out, const struct config_key *key);

#endif
