/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notice - log messages for operators, each with a MESSAGE_ID
 *
 * In the journal they have fields for queries (journalctl MESSAGE_ID=... EDGED_MODEL=...), and
 * packaging/systemd/edged.catalog explains each. Elsewhere they are plain lines.
 * docs/observability.md lists ids and fields; tests/lint/notices.py compares all three. Any thread.
 */
#ifndef DAEMON_SYSTEM_NOTICE_H
#define DAEMON_SYSTEM_NOTICE_H

#include <stdint.h>

#include "base/log.h"
#include "daemon/system/digest.h"

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

/* Fields of a message; NULL and 0 are left out. */
struct notice_about {
	const char *model, *version;
	const struct digest *digest; /* SHA-256 of the model's file */
	const char *status; /* status of the request */
	uint64_t duration_us;
	const char *uid, *pid; /* ids of the client, as decimal numbers */
	const char *path;
};

void notice(const struct log *log, enum notice notice, const struct notice_about *about,
	const char *format, ...) printf_like(4, 5);

#endif
