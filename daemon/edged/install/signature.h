/* SPDX-License-Identifier: Apache-2.0 */
/* signature - digest of a model's interface: equal digests mean that clients can switch */
#ifndef DAEMON_EDGED_INSTALL_SIGNATURE_H
#define DAEMON_EDGED_INSTALL_SIGNATURE_H

#include "daemon/system/digest.h"
#include "engine/edge.h"

/* Hashes the keys of all signatures, and names, types and declared shapes of their inputs and
 * outputs. -ENOMEM, or an error of the engine. */
int must_check signature_of(const struct edge_model *model, struct digest *ret_signature);

#endif
