/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config - edged.conf: keys, values, defaults
 *
 * One table (config_table.c) has a row per key. It parses and checks values, gives the defaults and
 * prints conf/edged.conf; tests compare the manual page and docs/limits.md with it. No file is
 * needed: every key has a default.
 *
 * A file has [section] lines and key = value lines. A comment is a line that starts with # or ;. An
 * unknown section or key, a value out of range or a key given twice in one file is an error with
 * file:line. Keys and sections that begin with X- belong to other programs: keys are ignored with a
 * warning. An empty value stands for the default. After FILE the files of FILE.d that end in .conf
 * are read in the order of their names; later files override earlier ones.
 */
#ifndef DAEMON_EDGED_CONFIG_CONFIG_H
#define DAEMON_EDGED_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "daemon/system/config_value.h"

#define CONFIG_WORD_SIZE 128
#define CONFIG_SENSORS_SIZE 256 /* as in struct sensors */
#define CONFIG_LIST_SIZE 128
#define CONFIG_ACCESS_SIZE 512

/* What happens to a new version that does not fit into memory beside the one that serves. */
enum config_update {
	CONFIG_UPDATE_KEEP_SERVING, /* the new version is refused */
	CONFIG_UPDATE_REPLACE, /* the version that serves is unloaded first */
};

/* What happens to a model without a good signature. */
enum config_policy {
	CONFIG_POLICY_OFF, /* signatures are not checked */
	CONFIG_POLICY_WARN, /* a warning is logged and the model serves */
	CONFIG_POLICY_REQUIRE, /* the model is refused */
};

/* Options of the command line; NULL: not given. */
struct config_options {
	const char *config_path, *socket, *models, *state;
};

/* All numbers are uint64_t: a row of the table gives the offset of any of them. */
struct config {
	char socket[CONFIG_SOCKET_SIZE];
	uint64_t socket_mode;
	char socket_group[CONFIG_WORD_SIZE];
	char models[CONFIG_PATH_SIZE];
	char state[CONFIG_PATH_SIZE];
	uint64_t log_level; /* enum log_level */
	uint64_t workers; /* 0: one per core, at most 4 */
	uint64_t threads_per_run; /* threads of a run; 0: one per core, at most 4 */
	uint64_t short_run_us;
	uint64_t spin_us;
	uint64_t d_bus; /* 0 or 1 */
	uint64_t sandbox; /* 0 or 1 */
	uint64_t power_policy; /* enum governor_policy */
	char sensors[CONFIG_SENSORS_SIZE];
	uint64_t drain_timeout_ms;
	uint64_t slow_request_us; /* 0: no request is logged as slow */
	char cpu_features[CONFIG_WORD_SIZE];
	char check_program[CONFIG_PATH_SIZE]; /* path, "none" or "auto" */

	uint64_t max_clients;
	uint64_t max_clients_per_user;
	uint64_t max_in_flight;
	uint64_t max_sessions;
	uint64_t max_shared_clients;
	uint64_t max_regions;
	uint64_t max_body;
	uint64_t max_bytes;
	uint64_t max_bytes_per_user;
	uint64_t queue_length;
	uint64_t hello_timeout_ms;
	uint64_t header_timeout_ms;
	uint64_t write_timeout_ms;
	uint64_t answer_timeout_ms;
	uint64_t log_lines_per_user;
	uint64_t max_greeting;
	uint64_t max_offences;

	char access_control[CONFIG_LIST_SIZE]; /* the lists of [access], read by access_read() */
	char access_realtime[CONFIG_LIST_SIZE];
	char access_normal[CONFIG_LIST_SIZE];
	char access_batch[CONFIG_LIST_SIZE];
	char access_manage[CONFIG_LIST_SIZE];
	char access_models[CONFIG_ACCESS_SIZE];

	uint64_t max_models;
	uint64_t max_file_bytes;
	uint64_t max_arena_bytes;
	uint64_t max_prepared_bytes;
	uint64_t max_macs;
	uint64_t max_nodes;
	uint64_t max_plans;
	uint64_t max_loops;
	uint64_t max_checkpoint_bytes;
	uint64_t allow_signature_change; /* 0 or 1 */
	uint64_t watch; /* 0 or 1 */
	uint64_t watch_quiet_ms;
	uint64_t rescan_ms; /* 0: no regular scans */
	uint64_t self_test_ms;
	uint64_t memory_budget; /* 0: derived from the system's memory limits */
	uint64_t update_policy; /* enum config_update */
	uint64_t load_wait_ms;
	uint64_t ready_within_ms;
	uint64_t memory_pressure; /* 0 or 1 */
	uint64_t signatures; /* enum config_policy */
	char signatures_of[CONFIG_PATH_SIZE]; /* MODEL=POLICY, separated by blanks or commas */
	char keys[CONFIG_PATH_SIZE];
	uint64_t probation_requests; /* 0: only probation-time counts */
	uint64_t probation_time_ms;
	uint64_t probation_slower; /* 0: no limit */
	uint64_t probation_shadow; /* percent of runs that are compared; 0: none */
	uint64_t probation_differ; /* percent of compared answers */
};

/* All keys of edged.conf. */
const struct config_key *config_keys(size_t *ret_n);

/* Sets all keys to their defaults. */
void config_init(struct config *config);

/*
 * Reads @path and its drop-ins. @path NULL: the first edged.conf of the system's folders, if there
 * is one, and its drop-ins. *config is changed only on success. Errors: -EINVAL with "file:line:
 * reason", -ENOENT when @path is given and missing, or the error of the read. Warnings go to @log.
 */
int must_check config_load(
	struct config *config, const char *path, const struct log *log, struct error *err);

/* Called with the place of each key in a file; @path is valid during the call. */
typedef void config_seen_function(
	void *context, const struct config_key *key, const char *path, unsigned int line);

/* As config_load(), and calls @seen for each key that a file sets; later calls override earlier
 * ones. */
int must_check config_trace(struct config *config, const char *path, const struct log *log,
	config_seen_function *seen, void *context, struct error *err);

/* The policy of @model: the last entry of signatures-of with its name, else signatures. */
enum config_policy config_policy_of(const struct config *config, const char *model);
/* True when some policy is not off. */
bool config_policy_any(const struct config *config);
/* -EINVAL when @list is no value of signatures-of. */
int must_check config_policy_check(const char *list, struct error *err);

/* Prints every key, commented out, with help and default: conf/edged.conf. */
void config_print(FILE *out);

#endif
