/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/ini.h"

#define MAX_FILES 256
#define MAX_KEYS 96

/* What is being read, for messages and for finding keys that are given twice. */
struct reading {
	struct config *config;
	const struct log *log;
	const char *path;
	unsigned int line;
	char section[64];
	unsigned int seen[MAX_KEYS]; /* line of each key in this file, 0: not there */
	const struct tracer *tracer;
};

/* Who wants to know where keys are; @seen NULL: nobody does. */
struct tracer {
	config_seen_function *seen;
	void *context;
};

void config_init(struct config *config)
{
	size_t n = 0;
	const struct config_key *keys = config_keys(&n);
	assert(n <= MAX_KEYS);
	memset(config, 0, sizeof(*config));
	for (size_t i = 0; i < n; i++) {
		int code = config_set(config, &keys[i], keys[i].value, NULL);
		assert(code == 0);
		(void)code;
	}
}

static int section_read(void *context, const char *name, struct error *err)
{
	struct reading *reading = context;
	char shown[64];
	size_t n = 0;
	const struct config_key *keys = config_keys(&n);
	bool known = strncmp(name, "X-", 2) == 0;
	for (size_t i = 0; i < n && !known; i++) {
		known = strcmp(keys[i].section, name) == 0;
	}
	if (!known || strlen(name) >= sizeof(reading->section)) {
		return error_set(err, -EINVAL, "there is no section [%s]",
			error_escape(shown, sizeof(shown), name, strlen(name)));
	}
	memcpy(reading->section, name, strlen(name) + 1);
	return 0;
}

static int foreign_key(const struct reading *reading, const char *key)
{
	char shown[64];
	log_warning(reading->log, "%s:%u: %s is ignored", reading->path, reading->line,
		error_escape(shown, sizeof(shown), key, strlen(key)));
	return 0;
}

static int key_read(void *context, unsigned int line, char *key, char *value, struct error *err)
{
	struct reading *reading = context;
	char shown[64];
	reading->line = line;
	size_t n = 0;
	const struct config_key *keys = config_keys(&n);
	if (strncmp(key, "X-", 2) == 0 || strncmp(reading->section, "X-", 2) == 0) {
		return foreign_key(reading, key);
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(keys[i].section, reading->section) != 0 ||
			strcmp(keys[i].key, key) != 0) {
			continue;
		}
		if (reading->seen[i]) {
			return error_set(err, -EINVAL, "%s was given in line %u already", key,
				reading->seen[i]);
		}
		reading->seen[i] = reading->line;
		if (reading->tracer->seen) {
			reading->tracer->seen(
				reading->tracer->context, &keys[i], reading->path, reading->line);
		}
		return config_set(reading->config, &keys[i], value, err);
	}
	error_escape(shown, sizeof(shown), key, strlen(key));
	return reading->section[0] == 0
		? error_set(err, -EINVAL, "%s stands before the first [section]", shown)
		: error_set(err, -EINVAL, "there is no key %s in [%s]", shown, reading->section);
}

static int file_read(struct config *config, const char *path, const struct log *log,
	const struct tracer *tracer, struct error *err)
{
	FILE *file = NULL;
	int code = ini_open(path, &file, err);
	if (code < 0) {
		return code;
	}
	struct reading reading = {.config = config, .log = log, .path = path, .tracer = tracer};
	const struct ini_reader reader = {
		.section = section_read, .key = key_read, .context = &reading};
	code = ini_read(file, path, &reader, err);
	fclose(file);
	return code;
}

static int is_drop_in(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return entry->d_name[0] != '.' && length > 5 &&
		strcmp(entry->d_name + length - 5, ".conf") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int drop_in_read(struct config *config, const char *folder, const char *name,
	const struct log *log, const struct tracer *tracer, struct error *err)
{
	char path[CONFIG_PATH_SIZE + 256];
	int length = snprintf(path, sizeof(path), "%s/%s", folder, name);
	return length < 0 || (size_t)length >= sizeof(path)
		? error_set(err, -EINVAL, "%s: the name is too long", folder)
		: file_read(config, path, log, tracer, err);
}

static int drop_ins_read(struct config *config, const char *folder, const struct log *log,
	const struct tracer *tracer, struct error *err)
{
	struct dirent **entries = NULL;
	int n = scandir(folder, &entries, is_drop_in, by_name);
	int code = n < 0 && errno != ENOENT && errno != ENOTDIR
		? error_set(err, -errno, "%s: %s", folder, strerror(errno))
		: 0;
	for (int i = 0; i < n; i++) {
		if (code == 0 && i < MAX_FILES) {
			code = drop_in_read(config, folder, entries[i]->d_name, log, tracer, err);
		}
		free(entries[i]);
	}
	free(entries);
	return code;
}

/* Limits that contradict each other would show only as requests that are always refused. */
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
	const struct tracer tracer = {seen, context};
	struct config read;
	config_init(&read);
	const char *file = path ? path : system_path();
	char folder[CONFIG_PATH_SIZE];
	int length = snprintf(
		folder, sizeof(folder), "%s.d", file ? file : SYSCONFDIR "/edged/edged.conf");
	if (length < 0 || (size_t)length >= sizeof(folder)) {
		return error_set(err, -EINVAL, "the configuration's path is too long");
	}
	int code = file ? file_read(&read, file, log, &tracer, err) : 0;
	if (code == 0) {
		code = drop_ins_read(&read, folder, log, &tracer, err);
	}
	if (code == 0) {
		code = config_check(&read, err);
	}
	if (code == 0) {
		*config = read;
	}
	return code;
}

static void lines_print(FILE *out, const char *text)
{
	fputs("# ", out);
	for (; *text; text++) {
		putc(*text, out);
		if (*text == '\n') {
			fputs("# ", out);
		}
	}
	putc('\n', out);
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
		putc('\n', out);
		lines_print(out, keys[i].help);
		fprintf(out, "#%s = %s\n", keys[i].key, keys[i].value);
	}
}
