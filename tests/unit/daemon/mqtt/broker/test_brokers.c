/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "daemon/mqtt/broker/brokers.h"

#define BYTES 4096

/* A connection that sends nothing. */
static void add(struct brokers *brokers, const char *name, enum broker_connection_state state,
	size_t messages)
{
	struct broker_connection *conn = calloc(1, sizeof(*conn));
	assert_non_null(conn);
	conn->settings = &conn->options.broker;
	conn->state = state;
	strcpy(conn->options.broker.name, name);
	outbox_init(&conn->outbox, messages, BYTES);
	brokers->connections[brokers->n++] = conn;
}

static void end(struct brokers *brokers)
{
	for (size_t i = 0; i < brokers->n; i++) {
		outbox_deinit(&brokers->connections[i]->outbox);
		free(brokers->connections[i]);
	}
}

static bool publish(
	struct brokers *brokers, struct broker_connection *conn, bool retain, const char *topic)
{
	return brokers_publish(brokers, conn, OUTBOX_LAST, retain, topic, "text", 4);
}

static void a_message_is_for_one_broker_or_for_all(void **state)
{
	struct brokers brokers = {0};
	(void)state;
	add(&brokers, "a", BROKER_CONNECTION_UP, 16);
	add(&brokers, "b", BROKER_CONNECTION_WAITING, 16);
	assert_true(publish(&brokers, NULL, true, "one"));
	assert_true(publish(&brokers, brokers.connections[1], true, "two"));
	assert_int_equal(brokers.connections[0]->outbox.n, 1);
	assert_int_equal(brokers.connections[1]->outbox.n, 2);
	assert_true(brokers.connections[0]->outbox.first->retain);
	assert_int_equal(brokers.connections[0]->outbox.first->qos, 1);
	assert_ptr_equal(brokers_find(&brokers, "b"), brokers.connections[1]);
	assert_null(brokers_find(&brokers, "c"));
	assert_int_equal(brokers_count_up(&brokers), 1);
	end(&brokers);
}

static void a_broker_that_is_full_is_told_later_and_one_that_is_away_when_it_comes(void **state)
{
	struct brokers brokers = {0};
	(void)state;
	add(&brokers, "full", BROKER_CONNECTION_UP, 1);
	add(&brokers, "away", BROKER_CONNECTION_WAITING, 1);
	add(&brokers, "leaves", BROKER_CONNECTION_UP, 1);
	brokers.connections[2]->leave_by_ns = 1;
	assert_true(publish(&brokers, NULL, true, "one"));
	assert_false(publish(&brokers, NULL, true, "two"));
	assert_true(brokers.connections[0]->unpublished);
	assert_false(brokers.connections[1]->unpublished);
	assert_false(brokers.connections[2]->unpublished);
	brokers.connections[0]->unpublished = false;
	assert_false(publish(&brokers, NULL, false, "two"));
	assert_false(brokers.connections[0]->unpublished); /* nobody would miss it later */
	end(&brokers);
}

static void what_no_outbox_could_hold_is_not_tried_again(void **state)
{
	static const char large[2 * BYTES];
	struct brokers brokers = {0};
	(void)state;
	add(&brokers, "a", BROKER_CONNECTION_UP, 16);
	assert_true(
		brokers_publish(&brokers, NULL, OUTBOX_LAST, true, "large", large, sizeof(large)));
	assert_false(brokers.connections[0]->unpublished);
	assert_int_equal(brokers.connections[0]->outbox.n, 0);
	end(&brokers);
}

static void an_empty_message_without_room_is_noted_wherever_it_was_for(void **state)
{
	struct brokers brokers = {0};
	(void)state;
	add(&brokers, "away", BROKER_CONNECTION_WAITING, 1);
	assert_true(brokers_publish(&brokers, NULL, OUTBOX_LAST, true, "one", "", 0));
	assert_false(brokers.lost_empty);
	assert_true(brokers_publish(&brokers, NULL, OUTBOX_LAST, true, "two", "", 0));
	assert_true(brokers.lost_empty);
	end(&brokers);
}

static void a_hash_stands_only_if_all_have_the_payload(void **state)
{
	struct broker_connection conn = {0};
	uint64_t hash = 0;
	(void)state;
	brokers_update_hash(NULL, true, 7, &hash);
	assert_int_equal(hash, 7);
	brokers_update_hash(NULL, false, 8, &hash);
	assert_int_equal(hash, BROKERS_PUBLISH_AGAIN);
	brokers_update_hash(&conn, true, 8, &hash);
	assert_int_equal(hash, BROKERS_PUBLISH_AGAIN); /* another broker may lack it */
	brokers_update_hash(NULL, true, 8, &hash);
	assert_int_equal(hash, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_for_one_broker_or_for_all),
		cmocka_unit_test(
			a_broker_that_is_full_is_told_later_and_one_that_is_away_when_it_comes),
		cmocka_unit_test(what_no_outbox_could_hold_is_not_tried_again),
		cmocka_unit_test(an_empty_message_without_room_is_noted_wherever_it_was_for),
		cmocka_unit_test(a_hash_stands_only_if_all_have_the_payload),
	};
	return cmocka_run_group_tests_name("brokers", tests, NULL, NULL);
}
