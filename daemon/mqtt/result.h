/* SPDX-License-Identifier: Apache-2.0 */
/*
 * result - an answer of edged becomes a message
 *
 * Flat JSON has numbers for numbers and one level: "model", "version", "gw", "source", "ts", "ts_ms",
 * "infer_ms", "queue_ms", "total_ms", and by the kind of model
 *
 *   classes   "count" (of classes above the threshold), "label", "index", "score" of the best,
 *             "label_2", "score_2", ... of the others
 *   anomaly   "anomaly_score", "threshold", "anomalous" (0 or 1)
 *   tensors   "OUTPUT_min", "OUTPUT_mean", "OUTPUT_max", and up to 16 values as "OUTPUT_0", ...
 */
#ifndef DAEMON_MQTT_RESULT_H
#define DAEMON_MQTT_RESULT_H

#include "base/bytes.h"
#include "client/edge_client.h"
#include "daemon/mqtt/ask.h"
#include "daemon/mqtt/models.h"

struct result_options {
	const char *gateway;
	uint32_t top_k;
	uint64_t now_ns;
	uint64_t sequence; /* of results, where they are numbered; 0: not */
};

/* Appends the message in @form. -EPROTO for an answer that does not fit the model, -ENOMEM. */
int must_check result_write(struct bytes_writer *w, enum ask_answer form, const struct ask *ask,
	const struct model_entry *model, const struct edge_client_answer *answer,
	const struct result_options *options, struct error *err);

/* {"model", "gw", "id", "ts", "ts_ms", "error": "OVERLOADED", "code": 5, "message"} */
void result_write_error(struct bytes_writer *w, const struct ask *ask, unsigned int status,
	const char *text, const struct result_options *options);

/* "name:int8[1,10]" of each output, parted by blanks, as far as they fit. */
void result_tensors(const struct model_entry *model, const struct edge_client_answer *answer,
	char *out, size_t size);

#endif
