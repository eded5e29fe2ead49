/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

static const char *const names[EDGE_STATUS_COUNT] = {
	[EDGE_OK] = "OK",
	[EDGE_INVALID] = "INVALID",
	[EDGE_NOT_FOUND] = "NOT_FOUND",
	[EDGE_DENIED] = "DENIED",
	[EDGE_TOO_LARGE] = "TOO_LARGE",
	[EDGE_OVERLOADED] = "OVERLOADED",
	[EDGE_DEADLINE] = "DEADLINE",
	[EDGE_CANCELLED] = "CANCELLED",
	[EDGE_SUPERSEDED] = "SUPERSEDED",
	[EDGE_UNSUPPORTED] = "UNSUPPORTED",
	[EDGE_MODEL_REFUSED] = "MODEL_REFUSED",
	[EDGE_BACKEND] = "BACKEND",
	[EDGE_INTERNAL] = "INTERNAL",
	[EDGE_DRAINING] = "DRAINING",
};

const char *status_name(unsigned int status)
{
	return status < EDGE_STATUS_COUNT ? names[status] : "UNKNOWN";
}
