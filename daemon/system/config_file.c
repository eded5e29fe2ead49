/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/config_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

int config_file_drop_ins(const char *path, config_file_fn *read, void *context, struct error *err)
{
	char folder[CONFIG_PATH_SIZE], file[CONFIG_PATH_SIZE + 257];
	struct dirent **entries = NULL;
	int length = snprintf(folder, sizeof(folder), "%s.d", path);
	if (length < 0 || (size_t)length >= sizeof(folder)) {
		return error_set(err, -EINVAL, "the configuration's path is too long");
	}
	int n = scandir(folder, &entries, is_drop_in, by_name);
	int code = n < 0 && errno != ENOENT && errno != ENOTDIR
		? error_set(err, -errno, "%s: %s", folder, strerror(errno))
		: 0;
	for (int i = 0; i < n; i++) {
		if (code == 0 && i < CONFIG_FILE_MAX_DROP_INS) {
			snprintf(file, sizeof(file), "%s/%s", folder, entries[i]->d_name);
			code = read(context, file, err);
		}
		free(entries[i]);
	}
	free(entries);
	return code;
}

static void print_as_comment(FILE *out, const char *text)
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

void config_file_print(FILE *out, const struct config_key *key)
{
	putc('\n', out);
	print_as_comment(out, key->help);
	fprintf(out, "#%s = %s\n", key->key, key->default_value);
}
