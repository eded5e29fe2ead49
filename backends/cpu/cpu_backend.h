/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_backend - the backend that is always there: plain C and SIMD kernels on the caller's thread */
#ifndef BACKENDS_CPU_CPU_BACKEND_H
#define BACKENDS_CPU_CPU_BACKEND_H

#include "engine/backend.h"

extern const struct backend cpu_backend;

#endif
