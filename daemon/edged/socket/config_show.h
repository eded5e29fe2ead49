/* SPDX-License-Identifier: Apache-2.0 */
/* config_show - the reply to CONFIG: each key, its current value and where that comes from */
#ifndef DAEMON_EDGED_SOCKET_CONFIG_SHOW_H
#define DAEMON_EDGED_SOCKET_CONFIG_SHOW_H

#include "base/bytes.h"
#include "base/error.h"
#include "daemon/edged/socket/server.h"

/* Reads the configuration files again, so that the reply also shows values in the files that the
 * daemon does not use yet. */
int must_check config_show(const struct server *server, struct bytes_writer *w, struct error *err);

#endif
