/* SPDX-License-Identifier: Apache-2.0 */
/* power_view - temperature and power of the machine, for `edgectl status` */
#ifndef CLIENT_POWER_VIEW_H
#define CLIENT_POWER_VIEW_H

#include "client/edge_client.h"
#include "client/grid.h"
#include "client/json.h"

/* Rows of two columns; nothing where the daemon knows nothing of that, or speaks an older version. */
void power_view_table(struct edge_client *client, uint32_t timeout_ms, struct grid *grid);
/* The same as an object "power". */
void power_view_json(struct edge_client *client, uint32_t timeout_ms, struct json_document *d);

#endif
