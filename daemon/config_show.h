/* SPDX-License-Identifier: Apache-2.0 */
/* config_show - the reply to CONFIG: every key with the value that counts, and where it comes from */
#ifndef DAEMON_CONFIG_SHOW_H
#define DAEMON_CONFIG_SHOW_H

#include "base/bytes.h"
#include "base/error.h"

struct edged;

/* The files are read again for it, so that what has changed in them is told too. */
int must_check config_show(const struct edged *edged, struct bytes_writer *w, struct error *err);

#endif
