/* SPDX-License-Identifier: Apache-2.0 */
/* print - prints an inference result as a table or as JSON */
#ifndef CLIENT_EDGECTL_VIEW_PRINT_H
#define CLIENT_EDGECTL_VIEW_PRINT_H

#include "client/edgectl/cli.h"
#include "client/edgectl/target.h"
#include "client/pipeline/answer.h"
#include "client/pipeline/json_builder.h"

/* The result of one inference. */
struct print_result {
	const struct target *target;
	const struct answer *answer;
	const struct tensor_bytes *outputs;
	const char *source; /* input, as the user named it */
	uint64_t ns;
};

/* Prints a table for people. -ENOMEM. */
int must_check print_table(
	const struct print_result *result, FILE *out, const struct cli_settings *settings);

/* Adds members to the open object of @document:
 * {"model","version","source","infer_ms","results":[{"label","index","score"}]}. In place of
 * "results" an anomaly score has "anomaly_score" (and "threshold", "anomalous"), plain tensors
 * have "outputs". */
void print_json(const struct print_result *result, struct json_document *document);

#endif
