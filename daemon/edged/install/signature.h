/* SPDX-License-Identifier: Apache-2.0 */
/* signature - whether clients of one model can talk to another */
#ifndef DAEMON_SIGNATURE_H
#define DAEMON_SIGNATURE_H

#include "daemon/digest.h"
#include "engine/edge.h"

/* Of the keys of all signatures, and of names, types and declared shapes of their inputs and outputs.
 * -ENOMEM, or what the engine gave. */
int must_check signature_of(const struct edge_model *model, struct digest *ret_signature);

#endif
