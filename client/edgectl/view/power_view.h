/* SPDX-License-Identifier: Apache-2.0 */
/* power_view - temperature and power of the machine, for `edgectl status` */
#ifndef CLIENT_POWER_VIEW_H
#define CLIENT_POWER_VIEW_H

#include "client/edge_client.h"
#include "client/grid.h"
#include "client/json.h"

/* Rows of two columns; none where no sensor was read. */
void power_view_add(struct grid *grid, const struct edge_client_power *power);
/* The same as an object "power". */
void power_view_put(struct json_document *d, const struct edge_client_power *power);

#endif
