/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/store_rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	return text ? strtoull(text, NULL, 10) : otherwise;
}

void sleep_until(uint64_t ns)
{
	const struct timespec at = {
		.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static void configure(struct daemon *daemon, const char *level, unsigned int quiet_ms)
{
	const char *check = getenv("EDGED_CHECK");
	char text[1400];
	snprintf(text, sizeof(text),
		"[daemon]\ncheck-program = %s\nlog-level = %s\n[models]\nwatch = yes\n"
		"watch-quiet = %ums\n",
		check ? check : "none", level, quiet_ms);
	daemon_config(daemon, text);
}

void rig_start(struct daemon *daemon, unsigned int quiet_ms)
{
	configure(daemon, "notice", quiet_ms);
	daemon_start(daemon, true);
	/* From here on nobody reads what it logs. */
	configure(daemon, "error", quiet_ms);
	daemon_signal(daemon, SIGHUP);
}

uint64_t rig_generation(struct peer *peer, const char *model)
{
	peer_send(peer, WIRE_LIST, 1, 0, NULL);
	struct answer answer = peer_receive(peer);
	uint64_t generation = answer_find(&answer, model).generation;
	answer_free(&answer);
	return generation;
}

bool rig_tell(bool holds, const char *what, double most, const char *unit)
{
	printf("  must be %s %g%s: %s\n", what, most, unit, holds ? "holds" : "MISSES");
	return holds;
}
