/* SPDX-License-Identifier: Apache-2.0 */
/* transfer - store commands that install, export and remove models */
#ifndef DAEMON_EDGED_INSTALL_TRANSFER_H
#define DAEMON_EDGED_INSTALL_TRANSFER_H

#include "daemon/edged/install/job.h"

/* Each runs in the loader's thread. Errors have text; success may set command->text. */

/* Sets command->model, if it is empty, to the name in bundle.conf of the bundle command->fd. */
int must_check transfer_name(struct store_command *command, struct error *err);
/* Copies command->fd, a bundle or a model's file, and verifies it as the scan verifies a file of
 * the models folder. The version is on disk at return. A file of that model in the models folder is
 * ignored until it changes. */
int must_check transfer_install(struct job *job, struct error *err);
/* Writes the version that serves as a bundle to command->fd, which must be a regular file so that
 * writing cannot block. */
int must_check transfer_export(struct job *job, struct error *err);
/* Removes a model and its versions. -EPERM if it is pinned, or the models folder has files of
 * it. */
int must_check transfer_remove(struct job *job, struct error *err);

#endif
