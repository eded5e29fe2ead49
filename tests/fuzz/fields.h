/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields - the numbers of a model file that mean something: shapes, types, indices, scales,
 * options, versions, and the values of small constants
 *
 * Found by the schema, so that a mutant gets past the FlatBuffer and reaches rules and kernels.
 */
#ifndef TESTS_FUZZ_FIELDS_H
#define TESTS_FUZZ_FIELDS_H

#include "tests/fuzz/mutant.h"

/* How many there are, at most MUTANT_MAX_SITES, for which @ret_sites has room; 0 for a file that
 * does not pass the walk. */
uint32_t fields_find(const uint8_t *file, size_t size, struct mutant_site *ret_sites);

#endif
