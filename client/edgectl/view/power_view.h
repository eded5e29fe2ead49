/* SPDX-License-Identifier: Apache-2.0 */
/* power_view - the machine's temperature and power, for `edgectl status` */
#ifndef CLIENT_EDGECTL_VIEW_POWER_VIEW_H
#define CLIENT_EDGECTL_VIEW_POWER_VIEW_H

#include "client/edgectl/view/fields.h"
#include "client/lib/edge_client.h"

/* Adds rows to a vertical table, or an object "power"; nothing if no sensor was read. */
void power_view_add(struct fields *fields, const struct edge_client_power *power);

#endif
