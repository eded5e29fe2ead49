/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status - result of a request, as the client sees it
 *
 * The numbers are part of the protocol and never change. errno values are not part of it.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

enum edge_status {
	EDGE_OK = 0,
	EDGE_INVALID = 1, /* malformed request or file */
	EDGE_NOT_FOUND = 2, /* unknown model, signature or tensor */
	EDGE_DENIED = 3, /* the client has no right to do this */
	EDGE_TOO_LARGE = 4, /* above a limit from HELLO or the configuration */
	EDGE_OVERLOADED = 5, /* retry later */
	EDGE_DEADLINE = 6, /* the deadline passed before the answer was ready */
	EDGE_CANCELLED = 7, /* the client cancelled the request */
	EDGE_SUPERSEDED = 8, /* replaced by a newer request with its key */
	EDGE_UNSUPPORTED = 9, /* message, operator or type not in this version */
	EDGE_MODEL_REFUSED = 10, /* the model file failed verification */
	EDGE_BACKEND = 11, /* error of an accelerator, or in an operator's run-time check */
	EDGE_INTERNAL = 12, /* out of memory, or a bug in edged */
	EDGE_DRAINING = 13, /* edged is stopping */
	EDGE_STATUS_COUNT
};

/* Returns "OK", "NOT_FOUND", ...; "UNKNOWN" for other numbers. */
const char *status_name(unsigned int status);

#endif
