/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status - what a caller is told
 *
 * The numbers go over the wire and never change. errno never does.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

enum edge_status {
	EDGE_OK = 0,
	EDGE_INVALID = 1, /* the request or file is malformed */
	EDGE_NOT_FOUND = 2, /* no such model, signature or tensor */
	EDGE_DENIED = 3, /* the caller may not do this */
	EDGE_TOO_LARGE = 4, /* above a limit told at hello or set in the configuration */
	EDGE_OVERLOADED = 5, /* try again later */
	EDGE_DEADLINE = 6, /* the deadline passed before the answer was ready */
	EDGE_CANCELLED = 7, /* the caller took the request back */
	EDGE_SUPERSEDED = 8, /* a newer request of the same key took its place */
	EDGE_UNSUPPORTED = 9, /* not there in this version: message, operator, type */
	EDGE_MODEL_REFUSED = 10, /* the model file did not pass verification */
	EDGE_BACKEND = 11, /* an accelerator or a run-time check of an operator failed */
	EDGE_INTERNAL = 12, /* out of memory or a defect of edged */
	EDGE_DRAINING = 13, /* the daemon is about to stop */
	EDGE_STATUS_COUNT
};

/* "OK", "NOT_FOUND", ... ; "UNKNOWN" for a number that is not in the list. */
const char *status_name(unsigned int status);

#endif
