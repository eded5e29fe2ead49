/* SPDX-License-Identifier: Apache-2.0 */
/* request_parse - from a message's topic and properties to a request */
#ifndef DAEMON_MQTT_REQUEST_REQUEST_PARSE_H
#define DAEMON_MQTT_REQUEST_REQUEST_PARSE_H

#include "daemon/mqtt/broker/broker_connection.h"
#include "daemon/mqtt/config/settings.h"
#include "daemon/mqtt/request/dedup.h"
#include "daemon/mqtt/request/mqtt_request.h"

/* Returns a request without payload; NULL without memory. @route: NULL for the gateway's topics. */
struct mqtt_request *request_parse(const struct settings *settings, struct broker_connection *conn,
	const struct mosq_message *m, const char *model, const char *source,
	const struct settings_route *route);

/* Returns false if the response topic is not below response-prefix. */
bool request_parse_may_respond(const struct settings *settings, const struct mosq_message *m);

/* Returns why the request is refused at once; NULL: it is not. */
const char *request_parse_refusal(const struct settings *settings,
	const struct mqtt_request *request, const struct mosq_message *m, unsigned int *ret_status);

/* Returns the key for duplicates (dedup.h): a hash of the broker and of all of the message but its
 * times and priority. */
uint64_t request_parse_key(const struct dedup *dedup, const struct mqtt_request *request,
	const struct mosq_message *m);

#endif
