/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/config/settings.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "base/text/ini.h"
#include "base/text/value.h"
#include "daemon/system/config_file.h"

#define MAX_SECTIONS 96

/* State of reading one file. */
struct file_parser {
	struct settings *settings;
	const struct log *log;
	const char *path;
	/* table of the current section; NULL before the first one */
	const struct config_key *keys;
	size_t n_keys;
	void *record; /* struct that the section fills */
	struct settings_location *locations; /* of the record */
	unsigned int file; /* index in settings->files */
	bool ignored; /* the current section is [X-...], ignored as in systemd units */
	char sections[MAX_SECTIONS][2 * SETTINGS_NAME_SIZE]; /* sections of this file so far */
	size_t n_sections, section;
	unsigned int key_lines[MAX_SECTIONS][SETTINGS_MAX_KEYS]; /* by section; 0: not set yet */
};

static void set_defaults(void *record, const char *kind)
{
	size_t n = 0;
	const struct config_key *keys = settings_keys(kind, &n);
	assert(n <= SETTINGS_MAX_KEYS);
	for (size_t i = 0; i < n; i++) {
		int code = config_value_set(record, &keys[i], keys[i].default_value, NULL);
		assert(code == 0);
		(void)code;
	}
}

static_assert(offsetof(struct settings_broker, name) == 0, "find_or_add() expects it there");
static_assert(offsetof(struct settings_route, name) == 0, "find_or_add() expects it there");

/* Returns the broker or route @name of an array of *n records with @size bytes each, which begin
 * with their names. Adds it if it is missing. NULL: there are @max others. */
static void *find_or_add(
	void *records, size_t size, size_t max, size_t *n, const char *kind, const char *name)
{
	char *record = records;
	for (size_t i = 0; i < *n; i++, record += size) {
		if (strcmp(record, name) == 0) {
			return record;
		}
	}
	if (*n == max) {
		return NULL;
	}
	(*n)++;
	set_defaults(record, kind);
	memcpy(record, name, strlen(name) + 1);
	return record;
}

static struct settings_broker *find_or_add_broker(struct settings *s, const char *name)
{
	return find_or_add(s->brokers, sizeof(s->brokers[0]), SETTINGS_MAX_BROKERS, &s->n_brokers,
		"broker", name);
}

static struct settings_route *find_or_add_route(struct settings *s, const char *name)
{
	return find_or_add(
		s->routes, sizeof(s->routes[0]), SETTINGS_MAX_ROUTES, &s->n_routes, "route", name);
}

/* Begins section [broker NAME] or [route NAME]. */
static int named_section(
	struct file_parser *parser, const char *kind, const char *name, struct error *err)
{
	bool broker = strcmp(kind, "broker") == 0;
	if (strlen(name) >= SETTINGS_NAME_SIZE || !topics_is_word(name)) {
		return error_set(err, -EINVAL,
			"[%s NAME]: a name is letters, digits, - and _, at most %d", kind,
			SETTINGS_NAME_SIZE - 1);
	}
	struct settings_broker *b = broker ? find_or_add_broker(parser->settings, name) : NULL;
	struct settings_route *r = broker ? NULL : find_or_add_route(parser->settings, name);
	parser->record = broker ? (void *)b : (void *)r;
	parser->locations = b ? b->locations : r ? r->locations : NULL;
	parser->keys = settings_keys(kind, &parser->n_keys);
	return parser->record ? 0
			      : error_set(err, -EINVAL, "more than %d sections [%s NAME]",
					broker ? SETTINGS_MAX_BROKERS : SETTINGS_MAX_ROUTES, kind);
}

/* A section may occur twice in a file, a key may not. */
static int enter_section(struct file_parser *parser, const char *name, struct error *err)
{
	size_t i = 0;
	while (i < parser->n_sections && strcmp(parser->sections[i], name) != 0) {
		i++;
	}
	if (i == MAX_SECTIONS) {
		return error_set(err, -EINVAL, "more than %d sections", MAX_SECTIONS);
	}
	if (i == parser->n_sections) {
		snprintf(parser->sections[i], sizeof(parser->sections[i]), "%s", name);
		parser->n_sections++;
	}
	parser->section = i;
	return 0;
}

static int section_read(void *context, const char *name, struct error *err)
{
	struct file_parser *parser = context;
	char escaped[64];
	parser->ignored = strncmp(name, "X-", 2) == 0;
	if (parser->ignored) {
		return 0;
	}
	if (strlen(name) >= sizeof(parser->sections[0])) {
		return error_set(err, -EINVAL, "the section's name is too long");
	}
	int r = enter_section(parser, name, err);
	if (r < 0) {
		return r;
	}
	if (strcmp(name, "bridge") == 0) {
		parser->record = parser->settings;
		parser->locations = parser->settings->locations;
		parser->keys = settings_keys("bridge", &parser->n_keys);
		return 0;
	}
	if (strncmp(name, "broker ", 7) == 0) {
		return named_section(parser, "broker", name + 7, err);
	}
	if (strncmp(name, "route ", 6) == 0) {
		return named_section(parser, "route", name + 6, err);
	}
	return error_set(err, -EINVAL,
		"there is no section [%s]; there are [bridge], [broker NAME], [route NAME]",
		error_escape(escaped, sizeof(escaped), name, strlen(name)));
}

/* Returns the location of the first key of @table that is set and in the word list @keys (NULL: any
 * key). NULL: there is none. */
static const struct settings_location *find_location(const struct settings_location *locations,
	const struct config_key *table, size_t n, const char *keys)
{
	for (size_t i = 0; i < n; i++) {
		if (locations[i].line && (!keys || settings_has_word(keys, table[i].key))) {
			return &locations[i];
		}
	}
	return NULL;
}

void settings_write_location(const struct settings *s, const char *kind,
	const struct settings_location *locations, const char *keys,
	char out[SETTINGS_LOCATION_SIZE])
{
	size_t n = 0;
	const struct config_key *table = settings_keys(kind, &n);
	const struct settings_location *found = find_location(locations, table, n, keys);
	if (!found && strcmp(kind, "bridge") != 0) {
		found = find_location(locations, table, n, NULL);
	}
	out[0] = 0;
	if (found) {
		snprintf(
			out, SETTINGS_LOCATION_SIZE, "%s:%u: ", s->files[found->file], found->line);
	}
}

static int key_read(void *context, unsigned int line, char *key, char *value, struct error *err)
{
	struct file_parser *parser = context;
	char escaped[64];
	error_escape(escaped, sizeof(escaped), key, strlen(key));
	if (parser->ignored || strncmp(key, "X-", 2) == 0) {
		log_warning(parser->log, "%s:%u: %s is ignored", parser->path, line, escaped);
		return 0;
	}
	for (size_t i = 0; i < parser->n_keys; i++) {
		if (strcmp(parser->keys[i].key, key) != 0) {
			continue;
		}
		unsigned int *key_line = &parser->key_lines[parser->section][i];
		if (*key_line) {
			return error_set(
				err, -EINVAL, "%s was given in line %u already", key, *key_line);
		}
		*key_line = line;
		parser->locations[i] =
			(struct settings_location){.file = parser->file, .line = line};
		return config_value_set(parser->record, &parser->keys[i], value, err);
	}
	return parser->keys
		? error_set(err, -EINVAL, "there is no key %s in [%s]", escaped,
			  parser->sections[parser->section])
		: error_set(err, -EINVAL, "%s stands before the first [section]", escaped);
}

/* What one configuration is read with. */
struct load_context {
	struct settings *settings;
	const struct log *log;
};

static int file_read(void *context, const char *path, struct error *err)
{
	const struct load_context *load = context;
	struct settings *settings = load->settings;
	FILE *file = NULL;
	const size_t length = strlen(path), max = SETTINGS_FILE_SIZE - 1;
	if (settings->n_files == SETTINGS_MAX_FILES) {
		return error_set(err, -EINVAL, "%s: more than %d files", path, SETTINGS_MAX_FILES);
	}
	int code = ini_open(path, &file, err);
	if (code < 0) {
		return code;
	}
	struct file_parser *parser = calloc(1, sizeof(*parser));
	code = parser ? 0 : error_no_memory(err);
	if (parser) {
		*parser = (struct file_parser){.settings = settings,
			.log = load->log,
			.path = path,
			.file = (unsigned int)settings->n_files};
		snprintf(settings->files[settings->n_files++], SETTINGS_FILE_SIZE, "%s",
			path + (length > max ? length - max : 0));
		const struct ini_reader reader = {
			.section = section_read, .key = key_read, .context = parser};
		code = ini_read(file, path, &reader, err);
	}
	free(parser);
	fclose(file);
	return code;
}

bool settings_has_word(const char *list, const char *word)
{
	return word[0] && value_find_word(list, word) >= 0;
}

bool settings_same_broker(const struct settings_broker *a, const struct settings_broker *b)
{
	size_t n = 0;
	const struct config_key *keys = settings_keys("broker", &n);
	bool same = strcmp(a->name, b->name) == 0;
	for (size_t i = 0; i < n; i++) {
		same &= config_value_same(a, b, &keys[i]);
	}
	return same;
}

void settings_own_topic(const struct settings *s, char out[TOPIC_SIZE], const char *format, ...)
{
	va_list arguments;
	int n = snprintf(out, TOPIC_SIZE, "%s/%s/", s->prefix, s->gateway);
	va_start(arguments, format);
	vsnprintf(out + n, TOPIC_SIZE - (size_t)n, format, arguments);
	va_end(arguments);
}

void settings_pool_filter(
	const struct settings *s, bool of_pipeline, const char *name, char out[TOPIC_SIZE])
{
	snprintf(out, TOPIC_SIZE,
		of_pipeline ? "$share/%s/%s/pool/pipeline/%s/in/+" : "$share/%s/%s/pool/%s/infer",
		s->pool_group, s->prefix, name);
}

void settings_write_client_id(const struct settings *s, const struct settings_broker *broker,
	char out[SETTINGS_TOPIC_SIZE])
{
	if (broker->client_id[0]) {
		memcpy(out, broker->client_id, SETTINGS_TOPIC_SIZE);
	} else {
		snprintf(out, SETTINGS_TOPIC_SIZE, "edged-%s", s->gateway);
	}
}

/* The host name up to its first dot; other characters than letters and digits become "-". */
static void fill_gateway(char *gateway)
{
	char host[SETTINGS_MAX_GATEWAY + 1] = "";
	if (gethostname(host, sizeof(host) - 1) < 0 || !host[0]) {
		memcpy(host, "gateway", sizeof("gateway"));
	}
	host[strcspn(host, ".")] = 0;
	for (char *at = host; *at; at++) {
		const char one[] = {*at, 0};
		*at = topics_is_word(one) ? *at : '-';
	}
	memcpy(gateway, host, sizeof(host));
}

int settings_load(
	struct settings *settings, const char *path, const struct log *log, struct error *err)
{
	const char *default_path = SYSCONFDIR "/edged/edged-mqtt.conf";
	struct settings *loaded = calloc(1, sizeof(*loaded));
	if (!loaded) {
		return error_no_memory(err);
	}
	set_defaults(loaded, "bridge");
	bool exists = path || access(default_path, F_OK) == 0;
	path = path ? path : default_path;
	struct load_context load = {loaded, log};
	int code = exists ? file_read(&load, path, err) : 0;
	code = code < 0 ? code : config_file_drop_ins(path, file_read, &load, err);
	if (code == 0 && loaded->n_brokers == 0) {
		find_or_add_broker(loaded, "local");
	}
	if (code == 0 && !loaded->gateway[0]) {
		fill_gateway(loaded->gateway);
	}
	code = code < 0 ? code : settings_check(loaded, err);
	if (code == 0) {
		*settings = *loaded;
	}
	free(loaded);
	return code;
}

void settings_print(FILE *out)
{
	static const struct {
		const char *kind, *section;
	} kinds[] = {
		{"bridge", "[bridge]"}, {"broker", "#[broker local]"}, {"route", "#[route NAME]"}};
	fputs("# edged-mqtt.conf: every key with its default. See edged-mqtt.conf(5).\n", out);
	fputs("# Files of edged-mqtt.conf.d that end in .conf are read after this one.\n", out);
	fputs("# A key of [broker NAME] or [route NAME] needs its section's line too.\n", out);
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		size_t n = 0;
		const struct config_key *keys = settings_keys(kinds[k].kind, &n);
		fprintf(out, "\n%s\n", kinds[k].section);
		for (size_t i = 0; i < n; i++) {
			config_file_print(out, &keys[i]);
		}
	}
}

int settings_secret_path(const char *source, char *out, size_t size, struct error *err)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	bool credential = strncmp(source, "credential:", 11) == 0;
	if (credential && !folder) {
		return error_set(err, -ENOENT, "%s: there are no credentials here", source);
	}
	int n = credential ? snprintf(out, size, "%s/%s", folder, source + 11)
			   : snprintf(out, size, "%s", source + strlen("file:"));
	return n > 0 && (size_t)n < size ? 0 : error_set(err, -EINVAL, "the path is too long");
}

int settings_read_secret(const char *source, char *out, size_t size, struct error *err)
{
	char path[CONFIG_PATH_SIZE];
	if (!source[0]) {
		out[0] = 0;
		return 0;
	}
	int r = settings_secret_path(source, path, sizeof(path), err);
	if (r < 0) {
		return r;
	}
	owned_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size);
	if (n < 0) {
		return error_set(err, -errno, "%s: %s", source, strerror(errno));
	}
	if ((size_t)n == size) {
		return error_set(err, -EFBIG, "%s: more than %zu bytes", source, size - 1);
	}
	out[n] = 0;
	while (n > 0 && strchr("\r\n", out[n - 1])) {
		out[--n] = 0;
	}
	return 0;
}
