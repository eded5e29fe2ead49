/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/notice.h"

#include <inttypes.h>
#include <stdio.h>

/* Ids never change: users search for them. */
static const struct {
	const char *id;
	enum log_level level;
} rows[NOTICE_COUNT] = {
	[NOTICE_STARTED] = {"a22d431e6d6545c0a87f0891bb46da07", LOG_LEVEL_INFO},
	[NOTICE_READY] = {"cf29ce5680cf4ba3972c339657e70145", LOG_LEVEL_NOTICE},
	[NOTICE_STOPPING] = {"84fd02206cf14d2a878d9d8d3d31222d", LOG_LEVEL_NOTICE},
	[NOTICE_CONFIG_REFUSED] = {"3cd86e79b64a4b33bfff3b444bef0fa0", LOG_LEVEL_ERROR},
	[NOTICE_MODEL_READY] = {"37b7012717b24a45bbe7a9b2e5852e88", LOG_LEVEL_INFO},
	[NOTICE_MODEL_REPLACED] = {"a9cc45821b8645269837be9d97a15b7b", LOG_LEVEL_INFO},
	[NOTICE_MODEL_REFUSED] = {"94230fb5e9f645c9ad15069dd47be92e", LOG_LEVEL_WARNING},
	[NOTICE_MODEL_REMOVED] = {"e39774186c5343bb8f998a2c87ee47a2", LOG_LEVEL_INFO},
	[NOTICE_MODEL_UNLOADED] = {"813b76a529964f0ab503dfc9636dafcc", LOG_LEVEL_NOTICE},
	[NOTICE_MODEL_FAILED] = {"ee70442154d04fe98da87581e1c6253d", LOG_LEVEL_WARNING},
	[NOTICE_MODEL_BROKEN] = {"71df35ad0f304bedbc9807569e2ca1f9", LOG_LEVEL_ERROR},
	[NOTICE_FILE_BAD] = {"3c1bb3a3e7494ae8b738312fb9f91f99", LOG_LEVEL_WARNING},
	[NOTICE_QUARANTINED] = {"4d21b5c81af04cd8875775c240c80edd", LOG_LEVEL_WARNING},
	[NOTICE_OVERLOAD_BEGAN] = {"4e8cf6cc60494305a894e83d3f562aed", LOG_LEVEL_WARNING},
	[NOTICE_OVERLOAD_ENDED] = {"e5324c9d1c7d4136957b9789df33252c", LOG_LEVEL_NOTICE},
	[NOTICE_WORKER_HUNG] = {"e79072d8114d4c5f879324844e53c981", LOG_LEVEL_ERROR},
	[NOTICE_MEMORY_SHORT] = {"841b4d154fc74c4cb273bc0ccdc8b143", LOG_LEVEL_NOTICE},
	[NOTICE_SLOW_REQUEST] = {"58120dce94c34e10b4dfde14a863a1ac", LOG_LEVEL_NOTICE},
	[NOTICE_FLIGHT_WRITTEN] = {"b7870293d39f4bc0971468ed3ca1d126", LOG_LEVEL_NOTICE},
};

#define MAX_FIELDS 8

struct fields {
	struct log_field all[MAX_FIELDS];
	size_t n;
};

static void add(struct fields *fields, const char *name, const char *value)
{
	if (value) {
		fields->all[fields->n++] = (struct log_field){name, value};
	}
}

void notice(const struct log *log, enum notice notice, const struct notice_about *about,
	const char *format, ...)
{
	struct fields fields = {.n = 0};
	char digest[DIGEST_TEXT_SIZE], duration[24];
	va_list args;
	if (about) {
		const bool known = about->digest && !digest_is_zero(about->digest);
		snprintf(duration, sizeof(duration), "%" PRIu64, about->duration_us);
		add(&fields, "EDGED_MODEL", about->model);
		add(&fields, "EDGED_VERSION", about->version);
		add(&fields, "EDGED_DIGEST", known ? digest_to_hex(about->digest, digest) : NULL);
		add(&fields, "EDGED_STATUS", about->status);
		add(&fields, "EDGED_DURATION_US", about->duration_us ? duration : NULL);
		add(&fields, "EDGED_CLIENT_UID", about->uid);
		add(&fields, "EDGED_CLIENT_PID", about->pid);
		add(&fields, "EDGED_PATH", about->path);
	}
	va_start(args, format);
	log_event(log, rows[notice].level, rows[notice].id, fields.all, fields.n, format, args);
	va_end(args);
}
