/* SPDX-License-Identifier: Apache-2.0 */
/* The only user of libmosquitto. Oddities of its version 2.0.11 are noted beside the calls. */
#include "daemon/mqtt/broker/mosq.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define SECRET_SIZE 1024
#define MS_PER_S 1000
#define MIN_KEEPALIVE_S 5 /* the library refuses less */

struct mosq {
	struct mosquitto *mosquitto;
	const struct settings_broker *broker; /* valid until mosq_connect() returns */
	int version;
	uint32_t max_packet, session_s;
	struct settings_address address;
	const struct mosq_events *events; /* NULL: before mosq_listen() */
	void *data;
	bool lost;
	char tls[96]; /* first error of OpenSSL; "" */
};

void mosq_library_init(void)
{
	mosquitto_lib_init();
}

/* Calls on_lost() once; the library may report an end several times. */
static void lose(struct mosq *m, const char *why)
{
	if (!m->lost && m->events) {
		m->lost = true;
		m->events->on_lost(m->data, why);
	}
}

/* The library has one text for all TLS errors, and none for a missing ping response. */
static const char *why(const struct mosq *m, int rc)
{
	return rc == MOSQ_ERR_KEEPALIVE           ? "no answer to a ping in time"
		: rc == MOSQ_ERR_TLS && m->tls[0] ? m->tls
						  : mosquitto_strerror(rc);
}

/* Keeps the reason of "OpenSSL Error[0]: error:NUMBER:LIBRARY:FUNCTION:REASON". */
static void on_log(struct mosquitto *mosquitto, void *data, int level, const char *text)
{
	struct mosq *m = data;
	const char *reason = strrchr(text, ':');
	(void)mosquitto;
	(void)level;
	if (!m->tls[0] && reason && strncmp(text, "OpenSSL Error", 13) == 0) {
		snprintf(m->tls, sizeof(m->tls), "TLS: %s", reason + 1 + strspn(reason + 1, " "));
	}
}

/* Without its own loop the library does not call on_disconnect() for a lost connection, but returns
 * an error. */
static void after(struct mosq *m, int rc)
{
	if (rc != MOSQ_ERR_SUCCESS) {
		lose(m, why(m, rc));
	}
}

static void on_connect(struct mosquitto *mosquitto, void *data, int reason, int flags,
	const mosquitto_property *properties)
{
	struct mosq *m = data;
	(void)flags;
	(void)properties;
	/* MQTT 3.1.1, table 3.1: return code 1 is "unacceptable protocol version". */
	bool old = m->version == MQTT_PROTOCOL_V311;
	mosquitto_log_callback_set(mosquitto, NULL); /* it logs every packet, too */
	m->events->on_connected(m->data, old && reason == 1 ? MOSQ_REASON_PROTOCOL : reason);
}

/* The library calls it twice after a clean disconnect. */
static void on_disconnect(
	struct mosquitto *mosquitto, void *data, int rc, const mosquitto_property *properties)
{
	(void)mosquitto;
	(void)properties;
	/* @rc is a reason of the MQTT 5 DISCONNECT (128 and above) or an error of the library. */
	const char *said = rc >= 128 ? mosquitto_reason_string(rc) : why(data, rc);
	lose(data, rc == 0 ? "closed" : said);
}

static void on_publish(struct mosquitto *mosquitto, void *data, int mid, int reason,
	const mosquitto_property *properties)
{
	struct mosq *m = data;
	(void)mosquitto;
	(void)properties;
	m->events->on_published(m->data, mid, reason);
}

static void on_subscribe(struct mosquitto *mosquitto, void *data, int mid, int n,
	const int *granted, const mosquitto_property *properties)
{
	struct mosq *m = data;
	int worst = n > 0 ? 0 : 128; /* a SUBACK without codes: CVE-2024-10525 */
	(void)mosquitto;
	(void)properties;
	for (int i = 0; i < n; i++) {
		worst = granted[i] > worst ? granted[i] : worst;
	}
	m->events->on_subscribed(m->data, mid, worst);
}

static void on_unsubscribe(
	struct mosquitto *mosquitto, void *data, int mid, const mosquitto_property *properties)
{
	struct mosq *m = data;
	(void)mosquitto;
	(void)mid;
	(void)properties;
	m->events->on_unsubscribed(m->data);
}

/* Copies of a message's properties, to be freed. */
struct texts {
	char *response_topic, *content_type, *priority, *accept, *traceparent, *deadline;
	void *correlation;
	uint16_t correlation_bytes;
	uint32_t expiry_s;
};

static void texts_free(struct texts *t)
{
	free(t->response_topic);
	free(t->content_type);
	free(t->priority);
	free(t->accept);
	free(t->traceparent);
	free(t->deadline);
	free(t->correlation);
}

/* Keeps the first value of each known name. */
static void take_user_property(const mosquitto_property *at, struct texts *t)
{
	char *name = NULL, *value = NULL;
	struct {
		const char *name;
		char **to;
	} known[] = {{"priority", &t->priority}, {"accept", &t->accept},
		{"traceparent", &t->traceparent}, {"deadline_ms", &t->deadline}};
	mosquitto_property_read_string_pair(at, MQTT_PROP_USER_PROPERTY, &name, &value, false);
	for (size_t i = 0; name && value && i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].name, name) == 0 && !*known[i].to) {
			*known[i].to = take(value);
		}
	}
	free(name);
	free(value);
}

static void take_properties(const mosquitto_property *properties, struct texts *t)
{
	for (const mosquitto_property *at = properties; at; at = mosquitto_property_next(at)) {
		switch (mosquitto_property_identifier(at)) {
		case MQTT_PROP_RESPONSE_TOPIC:
			if (!t->response_topic) {
				mosquitto_property_read_string(
					at, MQTT_PROP_RESPONSE_TOPIC, &t->response_topic, false);
			}
			break;
		case MQTT_PROP_CONTENT_TYPE:
			if (!t->content_type) {
				mosquitto_property_read_string(
					at, MQTT_PROP_CONTENT_TYPE, &t->content_type, false);
			}
			break;
		case MQTT_PROP_CORRELATION_DATA:
			if (!t->correlation) {
				mosquitto_property_read_binary(at, MQTT_PROP_CORRELATION_DATA,
					&t->correlation, &t->correlation_bytes, false);
			}
			break;
		case MQTT_PROP_MESSAGE_EXPIRY_INTERVAL:
			mosquitto_property_read_int32(
				at, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, &t->expiry_s, false);
			break;
		case MQTT_PROP_USER_PROPERTY:
			take_user_property(at, t);
			break;
		default:
			break;
		}
	}
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static void on_message(struct mosquitto *mosquitto, void *data,
	const struct mosquitto_message *message, const mosquitto_property *properties)
{
	struct mosq *m = data;
	__attribute__((cleanup(texts_free))) struct texts t = {.expiry_s = MOSQ_NO_EXPIRY};
	(void)mosquitto;
	take_properties(properties, &t);
	const struct mosq_message out = {
		.topic = message->topic,
		.payload = message->payload,
		.size = message->payloadlen > 0 ? (size_t)message->payloadlen : 0,
		.qos = (unsigned int)message->qos,
		.retain = message->retain,
		.response_topic = or_empty(t.response_topic),
		.content_type = or_empty(t.content_type),
		.correlation = t.correlation,
		.correlation_bytes = t.correlation ? t.correlation_bytes : 0,
		.expiry_s = t.expiry_s,
		.priority = or_empty(t.priority),
		.accept = or_empty(t.accept),
		.traceparent = or_empty(t.traceparent),
		.deadline = or_empty(t.deadline),
		.arrived_ns = clock_now_ns(),
	};
	m->events->on_message(m->data, &out);
}

static int rc_error(const char *what, int rc, struct error *err)
{
	int code = rc == MOSQ_ERR_NOMEM ? -ENOMEM : rc == MOSQ_ERR_ERRNO ? -errno : -ENOTCONN;
	code = rc == MOSQ_ERR_OVERSIZE_PACKET || rc == MOSQ_ERR_PAYLOAD_SIZE ? -EFBIG : code;
	return error_set(err, code ? code : -ENOTCONN, "%s: %s", what,
		rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc));
}

static int set_login(struct mosq *m, struct error *err)
{
	char password[SECRET_SIZE] = "";
	const struct settings_broker *b = m->broker;
	int r = settings_read_secret(b->password, password, sizeof(password), err);
	if (r < 0 || !b->username[0]) {
		return r;
	}
	int rc = mosquitto_username_pw_set(
		m->mosquitto, b->username, b->password[0] ? password : NULL);
	explicit_bzero(password, sizeof(password));
	return rc ? rc_error("login", rc, err) : 0;
}

static int set_psk(struct mosq *m, struct error *err)
{
	char key[SECRET_SIZE];
	int r = settings_read_secret(m->broker->psk, key, sizeof(key), err);
	if (r < 0) {
		return r;
	}
	int rc = mosquitto_tls_psk_set(m->mosquitto, key, m->broker->psk_identity, NULL);
	explicit_bzero(key, sizeof(key));
	return rc ? rc_error("psk", rc, err) : 0;
}

/* Writes "" if @source is "". */
static int path_of(const char *source, char *out, size_t size, struct error *err)
{
	out[0] = 0;
	return source[0] ? settings_secret_path(source, out, size, err) : 0;
}

static int set_certificates(struct mosq *m, struct error *err)
{
	char ca[CONFIG_PATH_SIZE], certificate[CONFIG_PATH_SIZE], key[CONFIG_PATH_SIZE];
	const struct settings_broker *b = m->broker;
	int r = path_of(b->ca, ca, sizeof(ca), err);
	r = r < 0 ? r : path_of(b->certificate, certificate, sizeof(certificate), err);
	r = r < 0 ? r : path_of(b->key, key, sizeof(key), err);
	if (r < 0) {
		return r;
	}
	int rc = ca[0] ? 0 : mosquitto_int_option(m->mosquitto, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
	/* The library requires a CA with a client certificate. */
	if (rc == 0 && (ca[0] || certificate[0])) {
		rc = mosquitto_tls_set(m->mosquitto, ca[0] ? ca : NULL,
			ca[0] ? NULL : "/etc/ssl/certs", certificate[0] ? certificate : NULL,
			key[0] ? key : NULL, NULL);
	}
	return rc ? rc_error("certificates", rc, err) : 0;
}

static int set_tls(struct mosq *m, struct error *err)
{
	const struct settings_broker *b = m->broker;
	if (!m->address.tls) {
		return 0;
	}
	int r = b->psk[0] ? set_psk(m, err) : set_certificates(m, err);
	/* With certificates the library uses TLS 1.2 and above. PSK does not work with TLS 1.3. */
	int rc = r == 0 && b->psk[0] ? mosquitto_tls_opts_set(m->mosquitto, 1, "tlsv1.2", NULL) : 0;
	if (r == 0 && rc == 0 && b->alpn[0]) {
		rc = mosquitto_string_option(m->mosquitto, MOSQ_OPT_TLS_ALPN, b->alpn);
	}
	return rc ? rc_error("TLS", rc, err) : r;
}

static int set_options(struct mosq *m, const char *will_topic, struct error *err)
{
	struct mosquitto *q = m->mosquitto;
	int rc = mosquitto_int_option(q, MOSQ_OPT_PROTOCOL_VERSION, m->version);
	rc = rc ? rc : mosquitto_int_option(q, MOSQ_OPT_TCP_NODELAY, 1);
	rc = rc ? rc
		: mosquitto_int_option(
			  q, MOSQ_OPT_RECEIVE_MAXIMUM, (int)m->broker->receive_maximum);
	rc = rc ? rc : mosquitto_will_set(q, will_topic, strlen("offline"), "offline", 1, true);
	int r = rc ? rc_error("options", rc, err) : set_login(m, err);
	return r < 0 ? r : set_tls(m, err);
}

static void set_callbacks(struct mosquitto *q)
{
	mosquitto_connect_v5_callback_set(q, on_connect);
	mosquitto_disconnect_v5_callback_set(q, on_disconnect);
	mosquitto_publish_v5_callback_set(q, on_publish);
	mosquitto_subscribe_v5_callback_set(q, on_subscribe);
	mosquitto_unsubscribe_v5_callback_set(q, on_unsubscribe);
	mosquitto_message_v5_callback_set(q, on_message);
	mosquitto_log_callback_set(q, on_log);
}

/* Returns the session expiry in s. 0 for MQTT 3.1.1, where a session would never expire. */
static uint32_t session_of(const struct settings_broker *broker, int version)
{
	uint64_t ms = version == MQTT_PROTOCOL_V5 ? broker->session_ms : 0;
	return (uint32_t)((ms + MS_PER_S - 1) / MS_PER_S);
}

int mosq_new(const struct settings_broker *broker, const char *client_id, int version,
	uint32_t max_packet, const char *will_topic, struct mosq **ret_mosq, struct error *err)
{
	struct mosq *new = calloc(1, sizeof(*new));
	if (!new) {
		return error_no_memory(err);
	}
	owned(mosq_free) struct mosq *m = new;
	*m = (struct mosq){.broker = broker,
		.version = version,
		.max_packet = max_packet,
		.session_s = session_of(broker, version)};
	int r = settings_read_address(broker->address, &m->address);
	if (r < 0) {
		return error_set(err, r, "address");
	}
	m->mosquitto = mosquitto_new(client_id, m->session_s == 0, m);
	if (!m->mosquitto) {
		return error_no_memory(err);
	}
	/* Otherwise the library writes the PUBACK before on_message(). This starts no thread. */
	int rc = mosquitto_threaded_set(m->mosquitto, true);
	if (rc) {
		return rc_error("options", rc, err);
	}
	set_callbacks(m->mosquitto);
	r = set_options(m, will_topic, err);
	if (r < 0) {
		return r;
	}
	*ret_mosq = take(m);
	return 0;
}

void mosq_free(struct mosq *m)
{
	if (m) {
		m->lost = true; /* suppresses on_lost() */
		mosquitto_destroy(m->mosquitto);
		free(m);
	}
}

int mosq_connect(struct mosq *m, struct error *err)
{
	int keepalive = (int)(m->broker->keepalive_ms / MS_PER_S);
	mosquitto_property *properties = NULL;
	int rc = 0;
	if (m->version == MQTT_PROTOCOL_V5) {
		rc = mosquitto_property_add_int32(
			&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, m->max_packet);
		rc = rc ? rc
			: mosquitto_property_add_int32(
				  &properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, m->session_s);
	}
	/* The only connect function with properties blocks. */
	rc = rc ? rc
		: mosquitto_connect_bind_v5(m->mosquitto, m->address.host, m->address.port,
			  keepalive < MIN_KEEPALIVE_S ? MIN_KEEPALIVE_S : keepalive, NULL,
			  properties);
	int r = rc ? rc_error("connect", rc, err) : 0;
	if (rc == MOSQ_ERR_TLS) {
		r = error_set(err, r, "%s", why(m, rc));
	}
	mosquitto_property_free_all(&properties);
	return r;
}

void mosq_listen(struct mosq *m, const struct mosq_events *events, void *data)
{
	m->events = events;
	m->data = data;
}

int mosq_fd(const struct mosq *m)
{
	return mosquitto_socket(m->mosquitto);
}

bool mosq_wants_write(struct mosq *m)
{
	return mosquitto_want_write(m->mosquitto);
}

void mosq_read(struct mosq *m)
{
	after(m, mosquitto_loop_read(m->mosquitto, 1));
}

void mosq_write(struct mosq *m)
{
	after(m, mosquitto_loop_write(m->mosquitto, 1));
}

void mosq_misc(struct mosq *m)
{
	after(m, mosquitto_loop_misc(m->mosquitto));
}

static int add_text(mosquitto_property **list, int id, const char *text)
{
	return text && text[0] ? mosquitto_property_add_string(list, id, text) : 0;
}

static int add_user(mosquitto_property **list, const char *name, const char *text)
{
	return text && text[0]
		? mosquitto_property_add_string_pair(list, MQTT_PROP_USER_PROPERTY, name, text)
		: 0;
}

static int make_properties(const struct mosq_publication *p, mosquitto_property **list)
{
	int rc = add_text(list, MQTT_PROP_CONTENT_TYPE, p->content_type);
	if (rc == 0 && p->correlation_bytes) {
		rc = mosquitto_property_add_binary(list, MQTT_PROP_CORRELATION_DATA, p->correlation,
			(uint16_t)p->correlation_bytes);
	}
	if (rc == 0 && p->expiry_s != MOSQ_NO_EXPIRY) {
		rc = mosquitto_property_add_int32(
			list, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, p->expiry_s);
	}
	rc = rc ? rc : add_user(list, "status", p->status);
	rc = rc ? rc : add_user(list, "tensors", p->tensors);
	return rc ? rc : add_user(list, "traceparent", p->traceparent);
}

int mosq_publish(struct mosq *m, const struct mosq_publication *p, int *ret_mid, struct error *err)
{
	mosquitto_property *properties = NULL;
	int rc = m->version == MQTT_PROTOCOL_V5 ? make_properties(p, &properties) : 0;
	rc = rc ? rc
		: mosquitto_publish_v5(m->mosquitto, ret_mid, p->topic, (int)p->size, p->payload,
			  (int)p->qos, p->retain, properties);
	mosquitto_property_free_all(&properties);
	if (rc == MOSQ_ERR_SUCCESS) {
		return 0;
	}
	bool bad = rc == MOSQ_ERR_INVAL || rc == MOSQ_ERR_MALFORMED_UTF8 ||
		rc == MOSQ_ERR_DUPLICATE_PROPERTY || rc == MOSQ_ERR_PROTOCOL;
	int r = bad ? error_set(err, -EINVAL, "publish: %s", mosquitto_strerror(rc))
		    : rc_error("publish", rc, err);
	if (rc == MOSQ_ERR_CONN_LOST || rc == MOSQ_ERR_NO_CONN || rc == MOSQ_ERR_ERRNO) {
		lose(m, mosquitto_strerror(rc)); /* no on_disconnect() here */
	}
	return r;
}

int mosq_subscribe(
	struct mosq *m, const char *filter, unsigned int qos, int *ret_mid, struct error *err)
{
	int options = m->version == MQTT_PROTOCOL_V5 ? MQTT_SUB_OPT_SEND_RETAIN_NEVER : 0;
	int rc = mosquitto_subscribe_v5(m->mosquitto, ret_mid, filter, (int)qos, options, NULL);
	return rc ? rc_error("subscribe", rc, err) : 0;
}

int mosq_unsubscribe(struct mosq *m, const char *filter, struct error *err)
{
	int rc = mosquitto_unsubscribe_v5(m->mosquitto, NULL, filter, NULL);
	return rc ? rc_error("unsubscribe", rc, err) : 0;
}

void mosq_disconnect(struct mosq *m)
{
	mosquitto_property *properties = NULL;
	int rc = m->session_s
		? mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, 0)
		: 0;
	rc = rc ? rc : mosquitto_disconnect_v5(m->mosquitto, 0, properties);
	mosquitto_property_free_all(&properties);
	if (rc == 0) {
		mosq_write(m);
	}
}
