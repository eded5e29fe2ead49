/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/mqtt/config/settings.h"
#include "tests/unit/daemon/temp_folder.h"

#define FIFTY "12345678901234567890123456789012345678901234567890"

static struct settings settings;

static int load(const struct temp_folder *folder, const char *text, struct error *err)
{
	char path[96];
	struct log log;
	log_init(&log, LOG_LEVEL_ERROR);
	snprintf(path, sizeof(path), "%s/m.conf", folder->path);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return settings_load(&settings, path, &log, err);
}

static void put(const struct temp_folder *folder, const char *name, const char *content)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", folder->path, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(content, file);
	fclose(file);
}

static void make_drop_ins(const struct temp_folder *folder)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/m.conf.d", folder->path);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void sections_may_come_often_and_later_files_win(void **state)
{
	const struct temp_folder *folder = *state;
	struct error err = {0};
	make_drop_ins(folder);
	put(folder, "m.conf.d/1.conf", "[broker two]\nkeepalive = 15s\n");
	assert_int_equal(
		load(folder,
			"[bridge]\ngateway = g-1\n[broker one]\naddress = mqtts://a\n[broker two]\naddress = unix:/x\n"
			"keepalive = 5s\n[route r]\ntopic = a/+/b\nmodel = m\nformat = json\nfields = x y\n",
			&err),
		0);
	assert_int_equal(settings.n_brokers, 2);
	assert_string_equal(settings.brokers[1].name, "two");
	assert_int_equal(settings.brokers[1].keepalive_ms, 15000);
	assert_int_equal(settings.brokers[0].keepalive_ms, 30000);
	assert_int_equal(settings.n_routes, 1);
	assert_string_equal(settings.routes[0].fields, "x y");
	assert_string_equal(settings.gateway, "g-1");
}

static void nothing_means_the_broker_of_this_machine(void **state)
{
	struct error err = {0};
	assert_int_equal(load(*state, "", &err), 0);
	assert_int_equal(settings.n_brokers, 1);
	assert_string_equal(settings.brokers[0].address, "mqtt://localhost");
	assert_true(settings.gateway[0]);
}

static void work_has_what_is_left_of_memory(void **state)
{
	struct error err = {0};
	const uint64_t mib = 1 << 20;
	assert_int_equal(load(*state, "", &err), 0);
	assert_int_equal(settings_work_bytes(&settings), (64 - 16 - 8 - 6) * mib);
	assert_int_equal(load(*state, "[bridge]\nmax-memory = 32M\nqueue-bytes = 20M\n", &err), 0);
	assert_int_equal(settings_work_bytes(&settings), 2 * mib); /* the sixteenth */
	assert_int_equal(load(*state, "[bridge]\nmax-memory = 0\n", &err), 0);
	assert_int_equal(settings_work_bytes(&settings), settings.decode_memory);
}

static void every_mistake_is_told_with_its_place(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"[bridge]\nnothing = 1\n", "m.conf:2: there is no key nothing"},
		{"[bridges]\n", "m.conf:1: there is no section [bridges]"},
		{"gateway = x\n", "m.conf:1: gateway stands before"},
		{"[bridge]\ngateway = a\ngateway = b\n", "m.conf:3: gateway was given in line 2"},
		{"[broker a]\nqos = 1\n", "m.conf:2: there is no key qos in [broker a]"},
		{"[broker a b]\n", "m.conf:1: [broker NAME]"},
		{"[bridge]\nqueue-length = 0\n", "m.conf:2: queue-length: 0 is not between"},
		{"[bridge]\ngateway = a/b\n", "m.conf:2: gateway: letters"},
		{"[bridge]\ntop-k = 2\ngateway = pool\n", "m.conf:3: gateway: letters"},
		{"[bridge]\ntop-k = 2\nresult-topic = {who}\n", "m.conf:3: result-topic"},
		{"[bridge]\ngateway = g\nprefix = a/b\n", "m.conf:3: prefix is one level"},
		{"[bridge]\ngateway = g\npool-group = a/b\n", "m.conf:3: pool-group is one level"},
		{"[bridge]\ngateway = g\ndiscovery-prefix = +\n",
			"m.conf:3: discovery-prefix is a topic"},
		{"[bridge]\ngateway = g\nfeed = some\n", "m.conf:3: feed is"},
		{"[bridge]\ncommands = reboot\n", "m.conf:2: commands are"},
		{"[bridge]\ngateway = g\nmax-message = 8M\nqueue-bytes = 4M\n",
			"m.conf:3: max-message is above"},
		{"[bridge]\ngateway = g\n[broker a]\nspool = 1M\n[bridge]\nqueue-bytes = 1M\n",
			"m.conf:6: max-message is above"},
		{"[bridge]\nqueue-bytes = 25M\nmax-memory = 32M\n",
			"m.conf:3: queue-bytes and each broker's outbox-bytes together (34603008) exceed seven eighths of max-memory"},
		{"[bridge]\nqueue-bytes = 20481K\nmax-memory = 32M\n",
			"m.conf:3: queue-bytes and each broker's outbox-bytes together"},
		{"[broker a]\naddress = http://x\n", "[broker a]: address"},
		{"[broker a]\naddress = mqtt://h\nusername = u\npassword = secret\n",
			"m.conf:4: [broker a]: password: expected credential:NAME or file:/PATH, not the value itself"},
		{"[broker a]\nca = credential:../x\n", "[broker a]: ca: expected credential:NAME"},
		{"[broker a]\nprotocol = 5\nca = file:/x\n", "m.conf:3: [broker a]: TLS needs"},
		{"[broker a]\naddress = mqtts://x\nkey = file:/k\n",
			"m.conf:3: [broker a]: certificate and key"},
		{"[broker a]\naddress = mqtts://x\nusername = u\npsk = file:/k\n",
			"m.conf:4: [broker a]: psk and psk-identity"},
		{"[broker a]\naddress = mqtts://x\npsk = file:/k\npsk-identity = i\nca = file:/c\n",
			"either psk"},
		{"[broker a]\nkeepalive = 9s\nprotocol = 4\n", "m.conf:3: [broker a]: protocol"},
		{"[broker a]\nreconnect-min = 10s\nreconnect-max = 1s\n",
			"m.conf:2: [broker a]: reconnect-min is above"},
		{"[route r]\nqos = 1\nmodel = m\n", "m.conf:3: [route r]: topic"},
		{"[route r]\ntopic = a/#/b\nmodel = m\n", "[route r]: topic"},
		{"[route r]\ntopic = a\nmodel = M\n",
			"m.conf:3: [route r]: model is not a valid model name"},
		{"[route r]\ntopic = a\npipeline = +\n",
			"m.conf:3: [route r]: pipeline is not a valid pipeline name"},
		{"[route r]\ntopic = a\n", "m.conf:2: [route r]: either model"},
		{"[route r]\ntopic = a\nmodel = m\nformat = gif\n", "m.conf:4: [route r]: format"},
		{"[route r]\ntopic = a\nmodel = m\nfields = x\n",
			"m.conf:4: [route r]: fields needs format = json"},
		{"[route r]\nmodel = m\ntopic = $share/g/a\n",
			"m.conf:3: [route r]: topic must not be a shared"},
		{"[route r]\nmodel = m\ntopic = a\001b\n",
			"m.conf:3: [route r]: topic is missing or no"},
		{"[route r]\nmodel = m\ntopic = a\xff\n",
			"m.conf:3: [route r]: topic is missing or no"},
		{"[route r]\ntopic = a/+\nmodel = m\n[route s]\nmodel = n\ntopic = +/b\n",
			"m.conf:6: [route s]: topic overlaps that of [route r];"},
		{"[bridge]\ngateway = g\n[route r]\nmodel = m\ntopic = edged/+/m/error\n",
			"m.conf:5: [route r]: topic overlaps edged-mqtt's own topics edged/g/#"},
		{"[route r]\nmodel = m\ntopic = #\n",
			"m.conf:3: [route r]: topic overlaps edged-mqtt's own topics"},
		{"[route r]\nmodel = m\ntopic = edged/pool/m/infer\n", "own topics edged/pool/#"},
		{"[bridge]\nresult-topic = out/x-{model}/{source}\n[route r]\nmodel = m\ntopic = out/#\n",
			"m.conf:5: [route r]: topic has out/x-m/r, where its own results"},
		{"[bridge]\nresult-topic = ai/{model}/{source}\n"
		 "[route r]\nmodel = m\ntopic = ai/p/+\n[route s]\nmodel = n\ntopic = ai/m/+\n"
		 "[route t]\nmodel = o\ntopic = ai/n/s\n[route u]\nmodel = p\ntopic = +/o/t\n",
			"m.conf:5: [route r]: topic has ai/p/u, where its own results"},
		{"[bridge]\nfeed = none\n[route r]\nmodel = m\ntopic = #\n",
			"m.conf:5: [route r]: topic overlaps edged-mqtt's own topics"},
		{"[bridge]\ntop-k = 1\ngateway = reply\n",
			"m.conf:3: gateway: reply is what answers are below"},
		{"[broker a]\naddress = mqtt://localhost:99999\n", "m.conf:2: [broker a]: address"},
		{"[broker a]\naddress = mqtt://localhost:\n", "[broker a]: address"},
		{"[broker a]\naddress = mqtt://u:p@localhost\n", "[broker a]: address"},
		{"[broker a]\naddress = mqtt://u@localhost\n", "[broker a]: address"},
		{"[broker a]\naddress = mqtt://:1883\n", "[broker a]: address"},
		{"[broker a]\naddress = mqtt://localhost/\n", "[broker a]: address"},
		{"[broker a]\naddress = mqtt://[::1\n", "[broker a]: address"},
		{"[broker a]\naddress = unix:/" FIFTY FIFTY "2345678\n", "[broker a]: address"},
		{"[broker a]\nclient-id = \xff\n", "[broker a]: client-id"},
		{"[broker a]\nclient-id = a\nusername = a\001\n",
			"m.conf:3: [broker a]: client-id, username"},
		{"[broker a]\naddress = mqtt://h\n[broker b]\naddress = mqtt://h:1883\n",
			"m.conf:4: [broker b]: has address and client-id of [broker a]"},
		{"[bridge]\ngateway = g\n[broker a]\naddress = mqtt://h\n[broker b]\nclient-id = edged-g\naddress = mqtt://H\n",
			"m.conf:7: [broker b]: has address and client-id of [broker a]"},
		{"[broker a]\naddress = mqtt://localhost\n[broker b]\naddress = mqtt://127.0.0.1\n",
			"m.conf:4: [broker b]: has address and client-id of [broker a]"},
		{"[broker a]\naddress = mqtt://[::1]\n[broker b]\naddress = mqtt://localhost\n",
			"m.conf:4: [broker b]: has address and client-id of [broker a]"},
		{"[broker a]\naddress = mqtt://h\nspool = 100\n",
			"m.conf:3: [broker a]: spool is 0, or 64K"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = {0};
		if (load(*state, cases[i].text, &err) != -EINVAL ||
			!strstr(err.text, cases[i].why)) {
			fail_msg("'%s' instead of '%s'", err.text, cases[i].why);
		}
	}
}

/* The file that gave the key last. */
static void a_mistake_of_a_drop_in_has_its_place(void **state)
{
	const struct temp_folder *folder = *state;
	struct error err = {0};
	make_drop_ins(folder);
	put(folder, "m.conf.d/1.conf", "[broker b]\n\nprotocol = 5\n");
	put(folder, "m.conf.d/2.conf", "[broker b]\nprotocol = 4\n");
	assert_int_equal(
		load(folder, "[broker b]\naddress = mqtt://h\nprotocol = auto\n", &err), -EINVAL);
	assert_non_null(strstr(err.text, "/m.conf.d/2.conf:2: [broker b]: protocol"));
	put(folder, "m.conf.d/2.conf", "[broker b]\naddress = http://h\n");
	assert_int_equal(load(folder, "[broker b]\naddress = mqtt://h\n", &err), -EINVAL);
	assert_non_null(strstr(err.text, "/m.conf.d/2.conf:2: [broker b]: address"));
	for (int i = 3; i < SETTINGS_MAX_FILES; i++) {
		char name[32];
		snprintf(name, sizeof(name), "m.conf.d/%d.conf", i);
		put(folder, name, "[broker b]\naddress = mqtt://h\n");
	}
	assert_int_equal(load(folder, "[bridge]\n", &err), 0);
	put(folder, "m.conf.d/more.conf", "[broker b]\naddress = mqtt://h\n");
	assert_int_equal(load(folder, "[bridge]\n", &err), -EINVAL);
	assert_non_null(strstr(err.text, "/more.conf: more than 96 files"));
}

static void what_is_next_to_a_mistake_is_none(void **state)
{
	static const char *const texts[] = {
		"[bridge]\ngateway = g\n[route r]\ntopic = edged/h/m/result\nmodel = m\n",
		"[route r]\ntopic = a/+\nmodel = m\n[route s]\ntopic = a/+/b\nmodel = m\n",
		"[broker a]\naddress = mqtt://h\n[broker b]\naddress = mqtt://h\nclient-id = other\n",
		"[broker a]\naddress = unix:/" FIFTY FIFTY "234567\n",
		"[broker a]\naddress = mqtt://localhost\n[broker b]\naddress = mqtt://127.0.0.1:1884\n",
		"[broker a]\naddress = unix:/a\n[broker b]\naddress = unix:/A\nspool = 64K\n",
		/* No result of a route comes back to it. */
		"[bridge]\nresult-topic = plant/{source}/{model}\n[route pump4]\ntopic = plant/pump4/raw\nmodel = vib\n",
		"[bridge]\nresult-topic = ai-{model}/{source}\n[route r]\ntopic = frigate/cam\nmodel = faces\n",
		"[bridge]\nresult-topic = ai/{model}/{source}\n"
		"[route r]\nmodel = m\ntopic = in/+\n[route s]\nmodel = n\ntopic = ai/m/+\n"
		"[route t]\npipeline = o\ntopic = ai/n/s\n",
		"[bridge]\nresult-topic = ai/{model}/{source}\n[route r]\nmodel = m\ntopic = ai/m/infer\n",
		/* Nothing is published there. */
		"[bridge]\nfeed = none\nresult-topic = out/x-{model}/{source}\n[route r]\nmodel = m\ntopic = out/#\n",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct error err = {0};
		assert_int_equal(load(*state, texts[i], &err), 0);
	}
}

static void an_address_is_taken_apart(void **state)
{
	static const struct {
		const char *text, *host;
		int port;
		bool tls;
	} cases[] = {{"mqtt://a", "a", 1883, false}, {"mqtts://a.b", "a.b", 8883, true},
		{"mqtt://[::1]:65535", "::1", 65535, false},
		{"mqtts://[fe80::1%eth0]", "fe80::1%eth0", 8883, true},
		{"unix:/run/x", "/run/x", 0, false}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct settings_address a;
		assert_int_equal(settings_read_address(cases[i].text, &a), 0);
		assert_string_equal(a.host, cases[i].host);
		assert_int_equal(a.port, cases[i].port);
		assert_int_equal(a.tls, cases[i].tls);
	}
}

static void what_sources_name_is_looked_at(void **state)
{
	const struct temp_folder *folder = *state;
	static const char psk[] = "address = mqtts://h\npsk-identity = me\npsk";
	static const struct {
		const char *keys, *source, *wrong; /* NULL: nothing */
	} cases[] = {{psk, "hex", NULL}, {psk, "no-hex", "psk: file:"},
		{psk, "odd", "must be an even number of hexadecimal"}, {psk, "empty", "psk: file:"},
		{psk, "missing", "No such file"}, {"address = mqtts://h\nca", "hex", NULL},
		{"address = mqtts://h\nca", "missing", "ca: file:"},
		{"address = mqtts://h\nca", "empty", "not a regular file, or empty"},
		{"address = mqtts://h\nca", "", "not a regular file, or empty"},
		{"password", "missing", "password: file:"}};
	struct log log;
	log_init(&log, LOG_LEVEL_ERROR);
	put(folder, "hex", "00aaFF91\n");
	put(folder, "no-hex", "00aag0\n");
	put(folder, "odd", "00aaFF9\n");
	put(folder, "empty", "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];
		struct error err = {0};
		snprintf(text, sizeof(text), "[broker b]\n%s = file:%s/%s\n", cases[i].keys,
			folder->path, cases[i].source);
		assert_int_equal(load(folder, text, &err), 0);
		int r = settings_check_sources(&settings, &log, &err);
		assert_int_equal(r < 0, cases[i].wrong != NULL);
		assert_true(!cases[i].wrong || strstr(err.text, cases[i].wrong));
		const char *place = cases[i].keys == psk ? "m.conf:4: [broker b]: "
			: strchr(cases[i].keys, '\n')    ? "m.conf:3: [broker b]: "
							 : "m.conf:2: [broker b]: ";
		assert_true(!cases[i].wrong || strstr(err.text, place));
	}
	struct error err = {0};
	static const char credential[] = "[broker b]\npassword = credential:empty\n";
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(load(folder, credential, &err), 0);
	assert_int_equal(settings_check_sources(&settings, &log, &err), 0);
	setenv("CREDENTIALS_DIRECTORY", folder->path, 1);
	assert_int_equal(settings_check_sources(&settings, &log, &err), -EINVAL);
	unsetenv("CREDENTIALS_DIRECTORY");
}

/* conf/edged-mqtt.conf is what the tables say, and the manual has every key. */
static void the_installed_file_and_the_manual_are_the_tables(void **state)
{
	(void)state;
	static char page[1 << 17], printed[1 << 16], file[1 << 16];
	FILE *out = fmemopen(printed, sizeof(printed), "w");
	settings_print(out);
	fclose(out);
	FILE *in = fopen(SOURCE_ROOT "/conf/edged-mqtt.conf", "r");
	assert_non_null(in);
	file[fread(file, 1, sizeof(file) - 1, in)] = 0;
	fclose(in);
	assert_string_equal(file, printed);
	in = fopen(SOURCE_ROOT "/docs/man/edged-mqtt.conf.5.scd", "r");
	assert_non_null(in);
	page[fread(page, 1, sizeof(page) - 1, in)] = 0;
	fclose(in);
	static const char *const kinds[] = {"bridge", "broker", "route"};
	for (size_t k = 0; k < 3; k++) {
		size_t n = 0;
		const struct config_key *keys = settings_keys(kinds[k], &n);
		for (size_t i = 0; i < n; i++) {
			char wanted[64];
			snprintf(wanted, sizeof(wanted), "*%s* =", keys[i].key);
			if (!strstr(page, wanted)) {
				fail_msg("edged-mqtt.conf(5) has no %s", keys[i].key);
			}
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, temp_folder_set_up, temp_folder_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sections_may_come_often_and_later_files_win),
		TEST(nothing_means_the_broker_of_this_machine),
		TEST(work_has_what_is_left_of_memory),
		TEST(every_mistake_is_told_with_its_place),
		TEST(a_mistake_of_a_drop_in_has_its_place),
		TEST(what_is_next_to_a_mistake_is_none),
		cmocka_unit_test(an_address_is_taken_apart),
		TEST(what_sources_name_is_looked_at),
		cmocka_unit_test(the_installed_file_and_the_manual_are_the_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
