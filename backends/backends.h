/* SPDX-License-Identifier: Apache-2.0 */
/* backends - the built-in list */
#ifndef BACKENDS_BACKENDS_H
#define BACKENDS_BACKENDS_H

#include "engine/backend.h"

/* NULL-terminated, in the order in which the planner asks. Today: the CPU. */
const struct backend *const *backends_builtin(void);

/* EK_CPU_* features of this machine (kernels/cpu.h), for edge_options.cpu_features. */
uint64_t backends_cpu_features(void);

/* Parses "sse4.1,avx2,...", "all" or "none" into a mask; -EINVAL naming the word that is not known.
 */
int must_check backends_cpu_mask(const char *text, uint64_t *ret_mask, struct error *err);

#endif
