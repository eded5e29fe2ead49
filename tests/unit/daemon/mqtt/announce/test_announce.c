/* SPDX-License-Identifier: Apache-2.0 */
/* What the brokers retain of the gateway: announce.c, home_assistant.c and retained_cleanup.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/fake_bridge.h"

#define MESSAGES 16
#define POOL_FILTER "$share/gateways/edged/pool/digits/infer"
#define DISCOVERY_TOPIC "homeassistant/device/edged_gw1/config"

static struct bridge bridge; /* too large for the stack */
static struct announce *const a = &bridge.announce;

static int setup(void **state)
{
	(void)state;
	fake_bridge_start(&bridge, 10, MESSAGES);
	strcpy(bridge.settings.commands, "threshold enable pin");
	strcpy(bridge.settings.pool_group, "gateways");
	a->started_ns = clock_now_ns();
	a->device.version = "1";
	retained_list_init(&a->retained);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAKE_LINKS; i++) {
		free(bridge.brokers.connections[i]->home.announced);
	}
	announce_deinit(a);
	fake_bridge_end(&bridge);
	return 0;
}

/* The message of @topic in the outbox of @conn; NULL: none. */
static const struct outbox_message *find(size_t conn, const char *topic)
{
	const struct outbox_message *m = bridge.brokers.connections[conn]->outbox.first;
	while (m && strcmp(m->topic, topic) != 0) {
		m = m->next;
	}
	return m;
}

static void sent(size_t conn)
{
	struct outbox *outbox = &bridge.brokers.connections[conn]->outbox;
	while (outbox->first) {
		outbox_drop(outbox, outbox->first);
	}
}

static void a_model_is_published_to_all_and_again_only_after_a_change(void **state)
{
	struct model_entry *model = fake_bridge_model(&bridge);
	(void)state;
	strcpy(model->state, "ready");
	announce_models(a);
	for (size_t i = 0; i < FAKE_LINKS; i++) {
		const struct outbox_message *m = find(i, "edged/gw1/digits/state");
		assert_non_null(m);
		assert_true(m->retain);
		assert_true(fake_bridge_says(m, "\"state\":\"ready\""));
		assert_true(fake_bridge_says(m, "\"input_shape\":\"1x2\""));
		assert_true(fake_bridge_says(find(i, "edged/gw1/digits/get/enable"), "ON"));
		assert_int_equal(bridge.brokers.connections[i]->outbox.n, 4);
		sent(i);
	}
	announce_models(a);
	assert_int_equal(bridge.brokers.connections[0]->outbox.n, 0);
	model->off = true;
	announce_models(a);
	assert_int_equal(bridge.brokers.connections[0]->outbox.n, 2);
	assert_true(fake_bridge_says(find(0, "edged/gw1/digits/state"), "\"state\":\"off\""));
	assert_true(fake_bridge_says(find(0, "edged/gw1/digits/get/enable"), "OFF"));
}

static void settings_that_nobody_may_set_are_not_shown(void **state)
{
	(void)state;
	strcpy(bridge.settings.commands, "enable");
	fake_bridge_model(&bridge);
	announce_models(a);
	assert_non_null(find(0, "edged/gw1/digits/get/enable"));
	assert_null(find(0, "edged/gw1/digits/get/threshold"));
	assert_null(find(0, "edged/gw1/digits/get/pin"));
}

static void the_topics_of_a_removed_model_are_emptied_once(void **state)
{
	static const char *const topics[] = {"edged/gw1/digits/state",
		"edged/gw1/digits/get/threshold", "edged/gw1/digits/get/enable",
		"edged/gw1/digits/get/pin"};
	struct model_entry *model = fake_bridge_model(&bridge);
	(void)state;
	announce_models(a);
	sent(0);
	model->listed = false;
	announce_models(a);
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
		const struct outbox_message *m = find(0, topics[i]);
		assert_non_null(m);
		assert_int_equal(m->size, 0);
		assert_true(m->retain);
	}
	sent(0);
	announce_models(a);
	assert_int_equal(bridge.brokers.connections[0]->outbox.n, 0);
}

static void a_full_outbox_gets_it_all_when_half_is_free(void **state)
{
	struct broker_connection *conn = bridge.brokers.connections[1];
	(void)state;
	fake_bridge_model(&bridge);
	conn->state = BROKER_CONNECTION_UP;
	for (int i = 0; i < MESSAGES; i++) {
		char topic[16];
		snprintf(topic, sizeof(topic), "other/%d", i);
		brokers_publish(&bridge.brokers, conn, OUTBOX_LAST, false, topic, "x", 1);
	}
	announce_models(a);
	assert_null(find(1, "edged/gw1/digits/state"));
	assert_true(conn->unpublished);
	announce_unpublished(a);
	assert_true(conn->unpublished); /* still full */
	sent(1);
	announce_unpublished(a);
	assert_false(conn->unpublished);
	assert_non_null(find(1, "edged/gw1/digits/state"));
	assert_non_null(find(1, "edged/gw1/info"));
}

static void who_comes_gets_all_and_who_leaves_says_so(void **state)
{
	(void)state;
	strcpy(bridge.status_topic, "edged/gw1/status");
	fake_bridge_model(&bridge);
	announce_all(a, bridge.brokers.connections[0]);
	assert_true(fake_bridge_says(find(0, "edged/gw1/status"), "online"));
	assert_true(fake_bridge_says(find(0, "edged/gw1/info"), "\"gw\":\"gw1\""));
	assert_non_null(find(0, "edged/gw1/digits/state"));
	assert_true(fake_bridge_says(find(0, "edged/gw1/capability"), "\"draining\":0"));
	assert_null(find(1, "edged/gw1/status"));
	announce_stopped(a, bridge.brokers.connections[0]);
	assert_true(fake_bridge_says(find(0, "edged/gw1/status"), "stopped"));
}

static void the_pool_is_left_at_its_longest_wait_and_joined_below_half_of_it(void **state)
{
	struct broker_connection *conn = bridge.brokers.connections[0];
	(void)state;
	conn->options.broker.pool = 1;
	bridge.settings.pool_max_wait_ms = 100;
	bridge.settings.in_flight = 1;
	bridge.requests.running = 1;
	struct model_entry *model = fake_bridge_model(&bridge);
	announce_update_pool_subscriptions(a);
	assert_false(broker_connection_is_subscribed(conn, POOL_FILTER)); /* edged is away */
	bridge.edged.client = (struct edge_client *)&bridge; /* only compared with NULL */
	static const struct {
		double wait_ms;
		bool in;
	} steps[] = {{60, false}, {49, true}, {99, true}, {100, false}, {51, false}, {0, true}};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		bridge.requests.mean_time_ns = steps[i].wait_ms * (double)NSEC_PER_MSEC;
		announce_update_pool_subscriptions(a);
		assert_int_equal(broker_connection_is_subscribed(conn, POOL_FILTER), steps[i].in);
		assert_false(broker_connection_is_subscribed(
			bridge.brokers.connections[1], POOL_FILTER)); /* pool = no */
	}
	model->off = true;
	announce_update_pool_subscriptions(a);
	assert_false(broker_connection_is_subscribed(conn, POOL_FILTER));
	bridge.edged.client = NULL;
	bridge.requests.running = 0;
}

static void nothing_is_removed_before_all_models_are_known(void **state)
{
	struct model_entry *model = fake_bridge_model(&bridge);
	(void)state;
	model->described = 0;
	strcpy(model->state, "ready");
	assert_false(announce_is_inventory_known(a));
	model->described = model->generation;
	strcpy(model->state, "loading");
	assert_false(announce_is_inventory_known(a));
	a->started_ns = clock_now_ns() - 11 * NSEC_PER_SEC; /* waited long enough */
	assert_true(announce_is_inventory_known(a));
	bridge.models.listed = false;
	assert_true(announce_is_inventory_known(a)); /* for good */
}

static void topics_out_of_use_are_emptied_at_their_broker(void **state)
{
	(void)state;
	fake_bridge_model(&bridge);
	retained_list_add(&a->retained, "a", "topic", "edged/gw1/info");
	retained_list_add(&a->retained, "a", "topic", "edged/gw1/digits/state");
	retained_list_add(&a->retained, "a", "topic", "edged/gw1/gone/state");
	retained_list_add(&a->retained, "a", "topic", "edged/oldname/info");
	retained_list_add(&a->retained, "a", "topic", "edged/gw1/pipeline/gone/last/door");
	retained_cleanup_request(a);
	assert_int_equal(bridge.brokers.connections[0]->outbox.n, 3);
	assert_int_equal(find(0, "edged/gw1/gone/state")->size, 0);
	assert_int_equal(find(0, "edged/oldname/info")->size, 0);
	assert_int_equal(find(0, "edged/gw1/pipeline/gone/last/door")->size, 0);
	assert_int_equal(bridge.brokers.connections[1]->outbox.n, 0);
	retained_cleanup_on_cleared(a, bridge.brokers.connections[0], "edged/gw1/gone/state");
	sent(0);
	retained_cleanup_request(a);
	assert_null(find(0, "edged/gw1/gone/state"));
	assert_non_null(find(0, "edged/oldname/info")); /* not acknowledged yet */
}

/* Lets the discovery timer fire, without the pause between two messages. */
static void discover(void)
{
	a->discovery_not_before_ns = 0;
	uv_timer_stop(&a->discovery_timer);
	home_assistant_schedule_publish(a);
	uv_run(&bridge.loop, UV_RUN_NOWAIT);
}

static void a_removed_model_leaves_home_assistant_in_two_messages(void **state)
{
	struct broker_connection *conn = bridge.brokers.connections[0];
	(void)state;
	conn->state = BROKER_CONNECTION_UP;
	conn->options.broker.discovery = 1;
	fake_bridge_model(&bridge);
	struct model_entry *second = known_models_add(&bridge.models, "faces");
	assert_non_null(second);
	*second = *bridge.models.entries[0];
	strcpy(second->name, "faces");
	discover();
	assert_true(fake_bridge_says(find(0, DISCOVERY_TOPIC), "faces"));
	assert_null(find(1, DISCOVERY_TOPIC)); /* discovery = no */
	sent(0);
	discover();
	assert_null(find(0, DISCOVERY_TOPIC)); /* nothing has changed */
	second->listed = false;
	discover();
	assert_true(conn->home.removes_components);
	assert_true(fake_bridge_says(find(0, DISCOVERY_TOPIC), "faces")); /* with "p" only */
	discover();
	assert_true(fake_bridge_says(find(0, DISCOVERY_TOPIC), "faces")); /* it was not sent yet */
	sent(0);
	discover();
	assert_false(fake_bridge_says(find(0, DISCOVERY_TOPIC), "faces"));
	assert_false(conn->home.removes_components);
}

#define announce_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		announce_test(a_model_is_published_to_all_and_again_only_after_a_change),
		announce_test(settings_that_nobody_may_set_are_not_shown),
		announce_test(the_topics_of_a_removed_model_are_emptied_once),
		announce_test(a_full_outbox_gets_it_all_when_half_is_free),
		announce_test(who_comes_gets_all_and_who_leaves_says_so),
		announce_test(the_pool_is_left_at_its_longest_wait_and_joined_below_half_of_it),
		announce_test(nothing_is_removed_before_all_models_are_known),
		announce_test(topics_out_of_use_are_emptied_at_their_broker),
		announce_test(a_removed_model_leaves_home_assistant_in_two_messages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
