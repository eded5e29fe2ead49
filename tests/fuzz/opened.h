/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opened - a model's graph whose constants have become inputs of one of its subgraphs, so that only
 * a run knows them
 */
#ifndef TESTS_FUZZ_OPENED_H
#define TESTS_FUZZ_OPENED_H

#include "engine/graph.h"

enum opening {
	OPEN_NOTHING,
	OPEN_PARAMS, /* what a rule or a kernel concludes from: op_row.params */
	OPEN_ALL, /* small constants of any use: indices, thresholds, weights, strings */
	OPENINGS
};

struct opened {
	struct graph *graph; /* changed: nobody else may look at it */
	struct subgraph *subgraph;
	const uint8_t **was; /* one per tensor: the bytes of a constant that became an input */
	int32_t *inputs;
	uint32_t n_own; /* inputs that the file has */
};

/* False when there is nothing to open that way. */
bool opened_init(struct opened *o, struct graph *graph, uint32_t subgraph, enum opening opening);
void opened_deinit(struct opened *o);

#endif
