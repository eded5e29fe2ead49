/* SPDX-License-Identifier: Apache-2.0 */
/* fingerprint - FarmHash's Fingerprint64 of @size bytes at any alignment: the same number on every
 * machine and for ever. Source: the definition of farmhashna::Hash64 in FarmHash 1.1. */
#ifndef KERNELS_FINGERPRINT_H
#define KERNELS_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

uint64_t ek_fingerprint64(const void *data, size_t size);

#endif
