/* SPDX-License-Identifier: Apache-2.0 */
/* packing - the weights of a program's nodes, packed by all cores once the nodes are prepared */
#ifndef BACKENDS_CPU_PACKING_H
#define BACKENDS_CPU_PACKING_H

#include "backends/cpu/op.h"

struct packing_job {
	op_pack_fn *pack;
	const void *state;
	uint64_t bytes;
};

struct packing {
	struct packing_job *jobs;
	uint32_t n;
	uint64_t bytes; /* of all jobs */
};

/* False when there is no memory for one more job. */
bool packing_add(struct packing *packing, const struct packing_job *job);

/* Does all jobs, the largest first; with a few threads where that pays and the system gives them. */
void packing_run(struct packing *packing);

void packing_deinit(struct packing *packing); /* a zeroed one is fine */
DEFINE_OWNED(struct packing *, packing_deinit)

#endif
