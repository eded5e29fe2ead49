/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scripts - what hostile clients do, drawn from a seed
 *
 * A script is a connection, or some, on which well-formed, damaged, half and senseless frames are sent with
 * and without descriptors, memory is shared and taken back, and answers are mostly not read. It ends by
 * going away, or by staying for a while: the last HOSTILE_HELD connections are kept open. Nothing in it
 * waits for edged, and nothing in it asserts.
 */
#ifndef TESTS_SYSTEM_SCRIPTS_H
#define TESTS_SYSTEM_SCRIPTS_H

#include <stdint.h>

#define HOSTILE_HELD 24

struct hostile {
	const char *socket;
	uint32_t seed;
	int held[HOSTILE_HELD];
	unsigned int at;
};

void hostile_init(struct hostile *hostile, const char *socket);
/* Script number @seed. */
void hostile_run(struct hostile *hostile, uint32_t seed);
/* Closes what was kept. */
void hostile_deinit(struct hostile *hostile);

#endif
