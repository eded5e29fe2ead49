/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutant - a model file broken in one of many ways
 *
 * The places worth breaking are found by walking the FlatBuffer without its schema: every field of
 * every table that can be reached, every vtable entry, every vector's length and first elements.
 * Half of the mutants change one to three fields that the schema knows instead.
 * The same seed gives the same mutant.
 */
#ifndef TESTS_FUZZ_MUTANT_H
#define TESTS_FUZZ_MUTANT_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

#define MUTANT_MAX_SITES 65536

struct mutant_sites {
	struct mutant_site {
		uint32_t at;
		uint8_t width; /* 1, 2, 4 or 8 bytes */
	} * site;
	uint32_t n;
	struct mutant_site *field; /* of them those that tests/fuzz/fields.h knows */
	uint32_t n_fields;
};

/* Finds the sites of a well-formed file. -ENOMEM. */
int must_check mutant_find_sites(const uint8_t *file, size_t size, struct mutant_sites *ret_sites);
void mutant_sites_deinit(struct mutant_sites *sites);

/*
 * Breaks the copy @file of @size bytes in place (room for @size + 64 bytes) and returns its new
 * size. @ret_kind names the way, static text.
 */
size_t mutant_make(uint8_t *file, size_t size, const struct mutant_sites *sites, uint64_t seed,
	const char **ret_kind);

/* xorshift64*; @state must not be 0. */
uint64_t mutant_random(uint64_t *state);

#endif
