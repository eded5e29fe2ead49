/* SPDX-License-Identifier: Apache-2.0 */
/* cpu - the backend that is always there: plain C and SIMD kernels on the caller's thread */
#ifndef BACKENDS_CPU_CPU_H
#define BACKENDS_CPU_CPU_H

#include "engine/backend.h"

extern const struct backend cpu_backend;

#endif
