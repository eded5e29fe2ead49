/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config - what edged.conf says
 *
 * One table (config_table.c) has a row per key. It parses and checks, gives the defaults, prints
 * conf/edged.conf, and the tests hold the manual and docs/limits.md against it. No file is needed:
 * every key has a default.
 *
 * The dialect: [section], key = value, comments only where a line starts with # or ;. An unknown
 * section or key, a value out of range or a key given twice in a file is an error with file:line;
 * keys and sections that begin with X- are somebody else's and only warned about. An empty value
 * is the default. Beside FILE the files of FILE.d that end in .conf are read in the order of their
 * names, later ones win.
 */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"

#define CONFIG_PATH_SIZE 1024
#define CONFIG_SOCKET_SIZE 108 /* sun_path */
#define CONFIG_WORD_SIZE 128
#define CONFIG_SENSORS_SIZE 256 /* as struct sensors has */
#define CONFIG_LIST_SIZE 128
#define CONFIG_ACCESS_SIZE 512

/* What becomes of a new version that does not fit beside the one that serves. */
enum config_update {
	CONFIG_UPDATE_KEEP_SERVING, /* it is refused */
	CONFIG_UPDATE_REPLACE, /* what serves is unloaded first */
};

/* What becomes of a model without a good signature. */
enum config_policy {
	CONFIG_POLICY_OFF, /* nobody looks */
	CONFIG_POLICY_WARN, /* it is told, and serves */
	CONFIG_POLICY_REQUIRE, /* refused */
};

/* Numbers are all uint64_t, so that one table row can say where any of them is. */
struct config {
	char socket[CONFIG_SOCKET_SIZE];
	uint64_t socket_mode;
	char socket_group[CONFIG_WORD_SIZE];
	char models[CONFIG_PATH_SIZE];
	char state[CONFIG_PATH_SIZE];
	uint64_t log_level; /* enum log_level */
	uint64_t workers; /* 0: as many as cores, at most 4 */
	uint64_t threads_per_run; /* as workers */
	uint64_t short_run_us;
	uint64_t spin_us;
	uint64_t d_bus; /* truth */
	uint64_t sandbox; /* truth */
	uint64_t power_policy; /* enum governor_policy */
	char sensors[CONFIG_SENSORS_SIZE];
	uint64_t drain_timeout_ms;
	uint64_t slow_request_us; /* 0: none is */
	char cpu_features[CONFIG_WORD_SIZE];
	char check_program[CONFIG_PATH_SIZE]; /* "none", "auto" */

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

	char access_control[CONFIG_LIST_SIZE]; /* access.h reads these */
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
	uint64_t allow_signature_change; /* truth */
	uint64_t watch; /* truth */
	uint64_t watch_quiet_ms;
	uint64_t rescan_ms; /* 0: never */
	uint64_t self_test_ms;
	uint64_t memory_budget; /* 0: what the system says */
	uint64_t update_policy; /* enum config_update */
	uint64_t load_wait_ms;
	uint64_t ready_within_ms;
	uint64_t memory_pressure; /* truth */
	uint64_t signatures; /* enum config_policy */
	char signatures_of[CONFIG_PATH_SIZE]; /* MODEL=POLICY, separated by blanks */
	char keys[CONFIG_PATH_SIZE];
	uint64_t probation_requests; /* 0: time alone counts */
	uint64_t probation_time_ms;
	uint64_t probation_slower; /* 0: as slow as it likes */
	uint64_t probation_shadow; /* percent of runs; 0: none */
	uint64_t probation_differ; /* percent */
};

enum config_kind {
	CONFIG_TEXT, /* char array of max + 1 bytes at the offset */
	CONFIG_COUNT, /* decimal */
	CONFIG_BYTES, /* decimal with K, M or G (powers of 1024) */
	CONFIG_TIME, /* decimal with ms, s or min; milliseconds in struct config */
	CONFIG_SHORT, /* as CONFIG_TIME and with us; microseconds in struct config */
	CONFIG_MODE, /* octal */
	CONFIG_LEVEL, /* a name of base/log.h */
	CONFIG_TRUTH, /* yes or no: 1 or 0 */
	CONFIG_UPDATE, /* keep-serving or replace */
	CONFIG_POLICY, /* require, warn or off */
	CONFIG_GOVERNOR, /* performance, balanced or cool */
};

struct config_key {
	const char *section, *key;
	enum config_kind kind;
	size_t offset; /* in struct config, or the record of a front end */
	uint64_t min, max; /* of the number, of the text's length */
	bool reloadable; /* takes effect at SIGHUP; others need a restart */
	const char *value; /* the default, as a file would say it */
	const char *help; /* sentences for conf/edged.conf, lines separated by \n */
};

/* The table. */
const struct config_key *config_keys(size_t *ret_n);

/* The defaults. */
void config_init(struct config *config);

/*
 * Reads @path and its drop-ins; NULL: the first edged.conf of the system's folders, if there is
 * one. *config is changed only on success. Errors: -EINVAL with "file:line: why", -ENOENT when
 * @path is given and not there, or what reading gave. Warnings go to @log.
 */
int must_check config_load(
	struct config *config, const char *path, const struct log *log, struct error *err);

/* Where a key was last given while the files were read; @path is valid during the call. */
typedef void config_seen_function(
	void *context, const struct config_key *key, const char *path, unsigned int line);

/* As config_load(), and tells @seen each key that some file gives, later ones after earlier ones. */
int must_check config_trace(struct config *config, const char *path, const struct log *log,
	config_seen_function *seen, void *context, struct error *err);

/* The value of @key as a file would say it, with the largest unit that divides it. Truncated where
 * @size is not enough. */
void config_value_print(
	const struct config *config, const struct config_key *key, char *out, size_t size);

/* Sets one key from a file's text. -EINVAL with the reason, without place. */
int must_check config_set(
	struct config *config, const struct config_key *key, const char *value, struct error *err);

/* The same for a record of another front end's, into which key->offset points. */
int must_check config_value_set(
	void *record, const struct config_key *key, const char *value, struct error *err);

/* True when both records, as those of config_value_set(), have the same value of @key. */
bool config_same(const void *a, const void *b, const struct config_key *key);

/* Gives @to the value that @from has. */
void config_copy(struct config *to, const struct config *from, const struct config_key *key);

/* That of @model: the last entry of signatures-of with its name, else signatures. */
enum config_policy config_policy_of(const struct config *config, const char *model);
/* True when some model's is not off. */
bool config_policy_any(const struct config *config);
const char *config_policy_name(uint64_t policy);
bool config_policy_parse(const char *text, size_t length, uint64_t *ret_policy);
/* -EINVAL for what signatures-of cannot be. */
int must_check config_policy_check(const char *list, struct error *err);

/* Every key, commented out, with help and default: conf/edged.conf. */
void config_print(FILE *out);

#endif
