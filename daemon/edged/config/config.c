/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/config/config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/ini.h"
#include "daemon/system/config_file.h"

#define MAX_KEYS 96

struct reading {
	struct config *config;
	const struct log *log;
	config_seen_function *seen; /* called with the place of each key; NULL: nobody asks */
	void *context;
	/* Of the file that is being read: */
	const char *path;
	char section[64];
	unsigned int lines[MAX_KEYS]; /* line of each key; 0: not given yet */
};

void config_init(struct config *config)
{
	size_t n = 0;
	const struct config_key *keys = config_keys(&n);
	assert(n <= MAX_KEYS);
	memset(config, 0, sizeof(*config));
	for (size_t i = 0; i < n; i++) {
		int code = config_value_set(config, &keys[i], keys[i].default_value, NULL);
		assert(code == 0);
		(void)code;
	}
}

static int section_read(void *context, const char *name, struct error *err)
{
	struct reading *reading = context;
	char escaped[64];
	size_t n = 0;
	const struct config_key *keys = config_keys(&n);
	bool known = strncmp(name, "X-", 2) == 0;
	for (size_t i = 0; i < n && !known; i++) {
		known = strcmp(keys[i].section, name) == 0;
	}
	if (!known || strlen(name) >= sizeof(reading->section)) {
		return error_set(err, -EINVAL, "there is no section [%s]",
			error_escape(escaped, sizeof(escaped), name, strlen(name)));
	}
	memcpy(reading->section, name, strlen(name) + 1);
	return 0;
}

static int key_read(void *context, unsigned int line, char *key, char *value, struct error *err)
{
	struct reading *reading = context;
	char escaped[64];
	size_t n = 0;
	const struct config_key *keys = config_keys(&n);
	error_escape(escaped, sizeof(escaped), key, strlen(key));
	if (strncmp(key, "X-", 2) == 0 || strncmp(reading->section, "X-", 2) == 0) {
		log_warning(reading->log, "%s:%u: %s is ignored", reading->path, line, escaped);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(keys[i].section, reading->section) != 0 ||
			strcmp(keys[i].key, key) != 0) {
			continue;
		}
		if (reading->lines[i]) {
			return error_set(err, -EINVAL, "%s was given in line %u already", key,
				reading->lines[i]);
		}
		reading->lines[i] = line;
		if (reading->seen) {
			reading->seen(reading->context, &keys[i], reading->path, line);
		}
		return config_value_set(reading->config, &keys[i], value, err);
	}
	return reading->section[0] == 0
		? error_set(err, -EINVAL, "%s stands before the first [section]", escaped)
		: error_set(err, -EINVAL, "there is no key %s in [%s]", escaped, reading->section);
}

static int file_read(void *context, const char *path, struct error *err)
{
	struct reading *reading = context;
	const struct ini_reader reader = {
		.section = section_read, .key = key_read, .context = reading};
	FILE *file = NULL;
	int code = ini_open(path, &file, err);
	if (code < 0) {
		return code;
	}
	reading->path = path;
	reading->section[0] = 0;
	memset(reading->lines, 0, sizeof(reading->lines));
	code = ini_read(file, path, &reader, err);
	fclose(file);
	return code;
}

/* Refuses limits that contradict each other: they would refuse every large request. */
static int config_check(const struct config *config, struct error *err)
{
	if (config->max_body > config->max_bytes_per_user) {
		return error_set(err, -EINVAL, "max-body is above max-bytes-per-user");
	}
	if (config->max_bytes_per_user > config->max_bytes) {
		return error_set(err, -EINVAL, "max-bytes-per-user is above max-bytes");
	}
	return config_policy_check(config->signatures_of, err);
}

static const char *system_path(void)
{
	static const char *const paths[] = {
		SYSCONFDIR "/edged/edged.conf",
		"/run/edged/edged.conf",
		"/usr/lib/edged/edged.conf",
	};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (access(paths[i], F_OK) == 0) {
			return paths[i];
		}
	}
	return NULL;
}

int config_load(struct config *config, const char *path, const struct log *log, struct error *err)
{
	return config_trace(config, path, log, NULL, NULL, err);
}

int config_trace(struct config *config, const char *path, const struct log *log,
	config_seen_function *seen, void *context, struct error *err)
{
	struct config read;
	config_init(&read);
	const char *file = path ? path : system_path();
	struct reading reading = {.config = &read, .log = log, .seen = seen, .context = context};
	int code = file ? file_read(&reading, file, err) : 0;
	if (code == 0) {
		code = config_file_drop_ins(
			file ? file : SYSCONFDIR "/edged/edged.conf", file_read, &reading, err);
	}
	if (code == 0) {
		code = config_check(&read, err);
	}
	if (code == 0) {
		*config = read;
	}
	return code;
}

void config_print(FILE *out)
{
	size_t n = 0;
	const struct config_key *keys = config_keys(&n);
	const char *section = "";
	fputs("# edged.conf: every key with its default. See edged.conf(5).\n", out);
	fputs("# Files of edged.conf.d that end in .conf are read after this one.\n", out);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(section, keys[i].section) != 0) {
			section = keys[i].section;
			fprintf(out, "\n[%s]\n", section);
		}
		config_file_print(out, &keys[i]);
	}
}
