/* SPDX-License-Identifier: Apache-2.0 */
/* power_view - the machine's temperature and power, for `edgectl status` */
#ifndef CLIENT_EDGECTL_VIEW_POWER_VIEW_H
#define CLIENT_EDGECTL_VIEW_POWER_VIEW_H

#include "client/edgectl/view/text_columns.h"
#include "client/lib/edge_client.h"
#include "client/pipeline/json_builder.h"

/* Adds rows of two columns; no rows if no sensor was read. */
void power_view_add(struct grid *grid, const struct edge_client_power *power);
/* Adds an object "power". */
void power_view_put(struct json_document *d, const struct edge_client_power *power);

#endif
