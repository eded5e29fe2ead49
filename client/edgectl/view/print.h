/* SPDX-License-Identifier: Apache-2.0 */
/* print - an answer as a table for people or as JSON for programs */
#ifndef CLIENT_PRINT_H
#define CLIENT_PRINT_H

#include "client/cli.h"
#include "client/json.h"
#include "client/pipeline/answer.h"
#include "client/target.h"

/* One answer and where it came from. */
struct print_result {
	const struct target *target;
	const struct answer *answer;
	const struct tensor_bytes *outputs;
	const char *source; /* as the user gave it */
	uint64_t ns;
};

/* -ENOMEM. */
int must_check print_table(
	const struct print_result *result, FILE *out, const struct settings *settings);

/* The members of the object that is open in @document:
 * {"model","version","source","infer_ms","results":[{"label","index","score"}]}, with
 * "anomaly_score" (and "threshold", "anomalous") or "outputs" in place of "results" where the
 * answer is of that kind. */
void print_json(const struct print_result *result, struct json_document *document);

#endif
