/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_value - parses and prints the values of a configuration's keys
 *
 * A program has a struct with all its settings and a table with one row per key. The row says at
 * which offset of the struct the key's value is stored, and of which kind it is.
 */
#ifndef DAEMON_SYSTEM_CONFIG_VALUE_H
#define DAEMON_SYSTEM_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CONFIG_PATH_SIZE 1024
#define CONFIG_SOCKET_SIZE 108 /* sun_path */
#define CONFIG_POLICY_WORDS "off warn require"

enum config_kind {
	CONFIG_TEXT, /* char array of max + 1 bytes at the offset */
	CONFIG_COUNT, /* decimal */
	CONFIG_BYTES, /* decimal with K, M or G (powers of 1024) */
	CONFIG_TIME, /* decimal with ms, s or min; stored in milliseconds */
	CONFIG_TIME_US, /* as CONFIG_TIME and with us; stored in microseconds */
	CONFIG_MODE, /* octal */
	CONFIG_LEVEL, /* a name of base/log.h */
	CONFIG_BOOL, /* yes or no: 1 or 0 */
	CONFIG_UPDATE, /* keep-serving or replace */
	CONFIG_POLICY, /* require, warn or off */
	CONFIG_GOVERNOR, /* performance, balanced or cool */
};

struct config_key {
	const char *section, *key;
	enum config_kind kind;
	size_t offset; /* in the program's struct of settings: a char array, or a uint64_t */
	uint64_t min, max; /* limits of the number or of the text's length */
	bool reloadable; /* true: changes at SIGHUP; false: changes at the next start */
	const char *default_value; /* as written in a file */
	const char *help; /* sentences for the printed file, lines separated by \n */
};

/* Parses @text and stores it in @settings; "" stands for the default. -EINVAL with the reason, to
 * which the caller adds file and line. */
int must_check config_value_set(
	void *settings, const struct config_key *key, const char *text, struct error *err);
/* Prints the value of @key as written in a file, with the largest unit that divides it. Truncated to
 * @size bytes. */
void config_value_print(const void *settings, const struct config_key *key, char *out, size_t size);

/* Returns true if the settings @a and @b have the same value of @key. */
bool config_value_same(const void *a, const void *b, const struct config_key *key);

/* Copies the value of @key. */
void config_value_copy(void *to, const void *from, const struct config_key *key);

#endif
