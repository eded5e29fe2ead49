/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notice - events that operators wait for, each with an id of its own
 *
 * In the journal they have MESSAGE_ID and fields that can be asked for (journalctl MESSAGE_ID=...
 * EDGED_MODEL=...), and packaging/systemd/edged.catalog explains each; elsewhere they are lines like all
 * others. Any thread. docs/observability.md lists ids and fields; tests/lint/notices.py holds all three
 * against each other.
 */
#ifndef DAEMON_NOTICE_H
#define DAEMON_NOTICE_H

#include <stdint.h>

#include "base/log.h"
#include "daemon/digest.h"

enum notice {
	NOTICE_STARTED,
	NOTICE_READY,
	NOTICE_STOPPING,
	NOTICE_CONFIG_REFUSED,
	NOTICE_MODEL_READY,
	NOTICE_MODEL_REPLACED,
	NOTICE_MODEL_REFUSED,
	NOTICE_MODEL_REMOVED,
	NOTICE_MODEL_UNLOADED,
	NOTICE_MODEL_FAILED,
	NOTICE_MODEL_BROKEN,
	NOTICE_FILE_BAD,
	NOTICE_QUARANTINED,
	NOTICE_OVERLOAD_BEGAN,
	NOTICE_OVERLOAD_ENDED,
	NOTICE_WORKER_HUNG,
	NOTICE_MEMORY_SHORT,
	NOTICE_SLOW_REQUEST,
	NOTICE_FLIGHT_WRITTEN,
	NOTICE_COUNT
};

/* What an event is about; what is NULL or 0 is left out. */
struct notice_about {
	const char *model, *version;
	const struct digest *digest; /* of the model's file */
	const char *status; /* of a request */
	uint64_t duration_us;
	const char *uid, *pid; /* of a client, as numbers */
	const char *path;
};

/* "a22d431e..." */
const char *notice_id(enum notice notice);

void notice(const struct log *log, enum notice notice, const struct notice_about *about,
	const char *format, ...) printf_like(4, 5);

#endif
