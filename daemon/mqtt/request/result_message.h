/* SPDX-License-Identifier: Apache-2.0 */
/*
 * result_message - response messages from edged's results
 *
 * Flat JSON has one level: "model", "version", "gw", "source", "ts", "ts_ms", "infer_ms",
 * "queue_ms", "total_ms", and depending on the kind of model
 *
 *   classes   "count" (of classes above the threshold), "label", "index", "score" of the best,
 *             "label_2", "score_2", ... of the others
 *   anomaly   "anomaly_score", "threshold", "anomalous" (0 or 1)
 *   tensors   "OUTPUT_min", "OUTPUT_mean", "OUTPUT_max", and up to 16 values as "OUTPUT_0", ...
 */
#ifndef DAEMON_MQTT_REQUEST_RESULT_MESSAGE_H
#define DAEMON_MQTT_REQUEST_RESULT_MESSAGE_H

#include "base/bytes.h"
#include "client/lib/edge_client.h"
#include "daemon/mqtt/config/settings.h"
#include "daemon/mqtt/request/known_models.h"
#include "daemon/mqtt/request/mqtt_request.h"

/* Appends the message in @form. @sequence: "seq" of a result; 0: none. -EPROTO if the answer does not match the model, -EOPNOTSUPP if an
 * output's type has no JSON form, -ENOMEM. */
int must_check result_message_write(struct bytes_writer *w, enum mqtt_request_response form,
	const struct settings *settings, uint64_t sequence, const struct mqtt_request *request,
	const struct model_entry *model, const struct edge_client_answer *answer,
	struct error *err);

/* Appends {"model" or "pipeline", "gw", "source", "id", "ts", "ts_ms", "error": "OVERLOADED",
 * "code": 5, "message"}. */
void result_message_write_error(struct bytes_writer *w, const struct settings *settings,
	const struct mqtt_request *request, unsigned int status, const char *text);

/* Writes "name:int8[1,10]" of each output, separated by blanks, as far as they fit. */
void result_message_tensors(const struct model_entry *model,
	const struct edge_client_answer *answer, char *out, size_t size);

#endif
