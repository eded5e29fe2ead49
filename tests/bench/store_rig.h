/* SPDX-License-Identifier: Apache-2.0 */
/* store_rig - what the parts of bench_store share: edged as they start it, numbers from outside, what must hold */
#ifndef TESTS_BENCH_STORE_RIG_H
#define TESTS_BENCH_STORE_RIG_H

#include "tests/system/daemon.h"
#include "tests/system/peer.h"

#define MS UINT64_C(1000000)

/* The number in the environment's @name. */
uint64_t number_from(const char *name, uint64_t otherwise);
void sleep_until(uint64_t ns);

/* A prepared daemon, with $EDGED_CHECK, that logs nothing that must be read. */
void rig_start(struct daemon *daemon, unsigned int quiet_ms);
/* Which generation of @model serves. */
uint64_t rig_generation(struct peer *peer, const char *model);

/* Whether it holds, said. */
bool rig_tell(bool holds, const char *what, double most, const char *unit);

/* ---- bench_store's commands that load edged fully: true when what must hold does */

bool storm_bench(const char *model);
bool storm_swaps(const char *model);

#endif
