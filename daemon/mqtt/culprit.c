/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/culprit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/mqtt/settings.h"

#define NAME "EDGED_MQTT_CULPRITS="
#define MAX_COUNT 20 /* the wait is at its longest before */

/* The environment points into it: NAME, "!" where the life before ended so or else ".", then for each
 * broker its name, "=", a letter from 'a' (0) on, and a blank. */
static char text[sizeof(NAME) + SETTINGS_MAX_BROKERS * (SETTINGS_NAME_SIZE + 3)] = NAME ".";
static const char *volatile current;
static bool was_there;

static char *flag(void)
{
	return text + sizeof(NAME) - 1;
}

static char *list(void)
{
	return flag() + 1;
}

/* Where the letter of @broker stands; NULL: nowhere. */
static char *find(const char *broker)
{
	size_t length = strlen(broker);
	for (char *at = list(); *at; at += strcspn(at, " ") + 1) {
		if (strcspn(at, "= ") == length && memcmp(at, broker, length) == 0) {
			return at + length + 1;
		}
	}
	return NULL;
}

/* Is it as culprit_hand_on() leaves it? */
static bool is_ours(const char *given)
{
	if ((given[0] != '!' && given[0] != '.') || strlen(given) > sizeof(text) - sizeof(NAME)) {
		return false;
	}
	for (given++; *given; given += strcspn(given, " ") + 1) {
		size_t n = strcspn(given, " "), name = strcspn(given, "= ");
		if (given[n] != ' ' || name == 0 || name + 2 != n || given[name + 1] < 'a' ||
			given[name + 1] > 'a' + MAX_COUNT) {
			return false;
		}
	}
	return true;
}

void culprit_init(void)
{
	const char *given = NULL;
	for (char **at = environ; *at && !given; at++) {
		given = strncmp(*at, NAME, strlen(NAME)) == 0 ? *at + strlen(NAME) : NULL;
	}
	bool ours = given && is_ours(given);
	was_there = ours && given[0] == '!';
	memmove(list(), ours ? given + 1 : "", ours ? strlen(given) : 1);
	*flag() = '.';
	current = NULL;
	putenv(text); /* where it fails, all begins anew as after any other end */
}

void culprit_set(const char *broker)
{
	current = broker;
}

/* One more entry, where there is room. */
static void append(const char *broker)
{
	size_t length = strlen(broker);
	char *at = list() + strlen(list());
	if ((size_t)(at - text) + length + sizeof("=b ") <= sizeof(text)) {
		memcpy(at, broker, length);
		memcpy(at + length, "=b ", sizeof("=b "));
	}
}

void culprit_hand_on(void)
{
	const char *broker = current;
	char *count = broker ? find(broker) : NULL;
	*flag() = broker ? '!' : '.';
	if (count) {
		*count += *count < 'a' + MAX_COUNT;
	} else if (broker) {
		append(broker);
	}
}

bool culprit_was_there(void)
{
	return was_there;
}

unsigned int culprit_count(const char *broker)
{
	const char *count = find(broker);
	return count ? (unsigned int)(*count - 'a') : 0;
}

uint64_t culprit_wait_ms(const struct settings_broker *broker)
{
	unsigned int count = culprit_count(broker->name);
	uint64_t wait_ms = count ? broker->reconnect_min_ms << (count - 1) : 0;
	return wait_ms < broker->reconnect_max_ms ? wait_ms : broker->reconnect_max_ms;
}

void culprit_forget(const char *broker)
{
	char *count = find(broker);
	if (count) {
		*count = 'a';
	}
}
