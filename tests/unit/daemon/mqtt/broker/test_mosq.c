/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/mqtt/broker/mosq.h"

#define BOUND_MS 60000
#define PACKET 256

/* A broker of one connection, in the same thread. */
struct stage {
	int listener, peer;
	struct settings_broker broker;
	struct mosq *mosq;
	bool up;
	unsigned int messages;
	ssize_t told_meanwhile; /* bytes that the broker could read while on_message() ran */
};

static void on_connected(void *data, int reason)
{
	struct stage *s = data;
	s->up = reason == 0;
}

static void on_lost(void *data, const char *why)
{
	(void)data;
	(void)why;
}

static void on_message(void *data, const struct mosq_message *message)
{
	struct stage *s = data;
	char bytes[PACKET];
	assert_int_equal(message->size, 5);
	assert_int_equal(message->qos, 1);
	assert_true(message->arrived_ns > 0);
	s->messages++;
	s->told_meanwhile = recv(s->peer, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_PEEK);
}

static void on_published(void *data, int mid, int reason)
{
	(void)data;
	(void)mid;
	(void)reason;
}

static const struct mosq_events events = {.on_connected = on_connected,
	.on_lost = on_lost,
	.on_message = on_message,
	.on_published = on_published};

/* One packet of the client, whose size fits into a byte; its bytes in all. */
static size_t read_packet(struct stage *s, uint8_t out[PACKET])
{
	size_t size = 2;
	for (size_t at = 0; at < size;) {
		struct pollfd p = {.fd = s->peer, .events = POLLIN};
		assert_int_equal(poll(&p, 1, BOUND_MS), 1);
		ssize_t n = recv(s->peer, out + at, size - at, 0);
		assert_true(n > 0);
		at += (size_t)n;
		size = at >= 2 ? 2u + out[1] : size;
		assert_true(size <= PACKET);
	}
	return size;
}

static void send_bytes(struct stage *s, const void *data, size_t size)
{
	struct pollfd p = {.fd = mosq_fd(s->mosq), .events = POLLIN};
	assert_int_equal(send(s->peer, data, size, 0), size);
	assert_int_equal(poll(&p, 1, BOUND_MS), 1);
	mosq_read(s->mosq);
}

static bool has(const uint8_t *data, size_t size, const void *wanted, size_t wanted_size)
{
	return memmem(data, size, wanted, wanted_size);
}

static void connect_as(struct stage *s, int version, uint8_t packet[PACKET], size_t *ret_size)
{
	struct error err = {0};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(at);
	mosq_library_init();
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(s->listener, 1), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &length), 0);
	snprintf(s->broker.address, sizeof(s->broker.address), "mqtt://127.0.0.1:%d",
		ntohs(at.sin_port));
	s->broker.keepalive_ms = 30000;
	s->broker.receive_maximum = 8;
	s->broker.session_ms = 9500;
	assert_int_equal(mosq_new(&s->broker, "me", version, PACKET, "will", &s->mosq, &err), 0);
	assert_int_equal(mosq_connect(s->mosq, &err), 0);
	mosq_listen(s->mosq, &events, s);
	s->peer = accept(s->listener, NULL, NULL);
	assert_true(s->peer >= 0);
	mosq_write(s->mosq);
	*ret_size = read_packet(s, packet);
	assert_int_equal(packet[0], 0x10);
	send_bytes(s, version == 5 ? "\x20\3\0\0\0" : "\x20\2\0\0", version == 5 ? 5 : 4);
	assert_true(s->up);
}

static void end(struct stage *s)
{
	mosq_free(s->mosq);
	close(s->peer);
	close(s->listener);
}

static void the_broker_is_told_of_a_message_after_the_callback_not_before(void **state)
{
	struct stage s = {0};
	uint8_t packet[PACKET];
	size_t size = 0;
	(void)state;
	connect_as(&s, 5, packet, &size);
	send_bytes(&s, "\x32\x0b\0\1a\0\7\0hello", 13);
	assert_int_equal(s.messages, 1);
	assert_int_equal(s.told_meanwhile, -1);
	assert_true(mosq_wants_write(s.mosq));
	mosq_write(s.mosq);
	assert_int_equal(read_packet(&s, packet), 4);
	assert_memory_equal(packet, "\x40\2\0\7", 4);
	end(&s);
}

static void a_session_is_asked_for_and_ended_with_the_goodbye(void **state)
{
	struct stage s = {0};
	uint8_t packet[PACKET];
	size_t size = 0;
	(void)state;
	connect_as(&s, 5, packet, &size);
	assert_int_equal(packet[9] & 2, 0); /* clean start */
	assert_true(has(packet, size, "\x11\0\0\0\x0a", 5)); /* rounded up to seconds */
	memset(&s.broker, 0, sizeof(s.broker)); /* it need not outlive the connecting */
	mosq_disconnect(s.mosq);
	assert_int_equal(read_packet(&s, packet), 9);
	assert_memory_equal(packet, "\xe0\7\0\5\x11\0\0\0\0", 9);
	end(&s);
}

static void a_broker_of_3_1_1_is_not_asked_to_keep_a_session_for_ever(void **state)
{
	struct stage s = {0};
	uint8_t packet[PACKET];
	size_t size = 0;
	(void)state;
	connect_as(&s, 4, packet, &size);
	assert_int_equal(packet[9] & 2, 2);
	mosq_disconnect(s.mosq);
	assert_int_equal(read_packet(&s, packet), 2);
	assert_memory_equal(packet, "\xe0\0", 2);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_broker_is_told_of_a_message_after_the_callback_not_before),
		cmocka_unit_test(a_session_is_asked_for_and_ended_with_the_goodbye),
		cmocka_unit_test(a_broker_of_3_1_1_is_not_asked_to_keep_a_session_for_ever),
	};
	return cmocka_run_group_tests_name("mosq", tests, NULL, NULL);
}
