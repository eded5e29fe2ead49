/* SPDX-License-Identifier: Apache-2.0 */
/* org.edged1 on a bus of the test's own, as busctl(1) and others see it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "tests/system/daemon.h"

#define EXIT_SKIPPED 77
#define NOBODY 65534
#define NAME "org.edged1"
#define MANAGER NAME, "/org/edged1", "org.edged1.Manager"
#define MODEL NAME, "/org/edged1/model/echo", "org.edged1.Model"
#define LOG NAME, "/org/freedesktop/LogControl1", "org.freedesktop.LogControl1"

struct world {
	struct daemon daemon;
	pid_t bus_daemon, polkit;
	sd_bus *bus;
	int heard; /* signals of the one name that was waited for */
};

static const char bus_config[] =
	"<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" "
	"\"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
	"<busconfig><type>system</type><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>\n"
	"<policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>\n"
	"<allow send_type=\"method_call\"/><allow send_type=\"signal\"/>\n"
	"<allow send_requested_reply=\"true\" send_type=\"method_return\"/>\n"
	"<allow send_requested_reply=\"true\" send_type=\"error\"/>\n"
	"<allow receive_type=\"method_call\"/><allow receive_type=\"method_return\"/>\n"
	"<allow receive_type=\"error\"/><allow receive_type=\"signal\"/></policy></busconfig>\n";

/* Its process says when it listens, by its address on standard output. */
static pid_t bus_spawn(const char *folder)
{
	int ready[2];
	char path[128], option[160], address[256];
	snprintf(path, sizeof(path), "%s/bus.conf", folder);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, bus_config, folder);
	fclose(file);
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM); /* also when a test fails half-way */
		dup2(ready[1], 1);
		snprintf(option, sizeof(option), "--config-file=%s", path);
		execlp("dbus-daemon", "dbus-daemon", option, "--nofork", "--print-address", NULL);
		_exit(127);
	}
	close(ready[1]);
	ssize_t n = read(ready[0], address, sizeof(address));
	close(ready[0]);
	assert_true(n > 0);
	return pid;
}

static int set_up(void **state)
{
	char address[128];
	struct world *world = calloc(1, sizeof(*world));
	*state = world;
	daemon_prepare(&world->daemon);
	/* Others than the tests' user come to the bus, too. */
	assert_int_equal(chmod(world->daemon.folder, 0755), 0);
	world->bus_daemon = bus_spawn(world->daemon.folder);
	snprintf(address, sizeof(address), "unix:path=%s/bus", world->daemon.folder);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
	daemon_put(&world->daemon, "echo.tflite", "echo 4");
	daemon_config(&world->daemon, "[daemon]\nlog-level = info\n");
	daemon_start(&world->daemon, false);
	assert_true(sd_bus_open_system(&world->bus) >= 0);
	return 0;
}

static void end(pid_t pid)
{
	if (pid > 0) {
		kill(pid, SIGTERM);
		waitpid(pid, NULL, 0);
	}
}

static int tear_down(void **state)
{
	struct world *world = *state;
	unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
	sd_bus_flush_close_unref(world->bus);
	daemon_end(&world->daemon);
	end(world->polkit);
	end(world->bus_daemon);
	free(world);
	return 0;
}

/* 0, or what @name says is wrong. */
static void call(sd_bus *bus, const char *method, const char *argument, char name[128])
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	name[0] = 0;
	if (sd_bus_call_method(bus, MANAGER, method, &error, NULL, argument ? "s" : "", argument) <
		0) {
		snprintf(name, 128, "%s", error.name);
	}
	sd_bus_error_free(&error);
}

static void assert_text(struct world *world, const char *property, const char *expected)
{
	char *text = NULL;
	assert_true(sd_bus_get_property_string(world->bus, MODEL, property, NULL, &text) >= 0);
	assert_string_equal(text, expected);
	free(text);
}

static int on_signal(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct world *world = userdata;
	(void)message;
	(void)error;
	world->heard++;
	return 0;
}

static void listen_for(struct world *world, const char *interface, const char *member)
{
	assert_true(sd_bus_match_signal(world->bus, NULL, NAME, NULL, interface, member, on_signal,
			    world) >= 0);
}

static void wait_for_signal(struct world *world)
{
	for (int i = 0; i < 60 && world->heard == 0; i++) {
		int code = sd_bus_process(world->bus, NULL);
		assert_true(code >= 0);
		if (code == 0) {
			sd_bus_wait(world->bus, 1000000);
		}
	}
	assert_true(world->heard > 0);
}

static void a_model_is_an_object_with_its_state(void **state)
{
	struct world *world = *state;
	uint64_t bytes = 0;
	int trial = 0;
	assert_text(world, "Name", "echo");
	assert_text(world, "State", "ready");
	assert_text(world, "Version", "1");
	assert_text(world, "Backend", "cpu");
	assert_text(world, "LastError", "");
	assert_true(
		sd_bus_get_property_trivial(world->bus, MODEL, "OnTrial", NULL, 'b', &trial) >= 0);
	assert_int_equal(trial, 1);
	assert_true(sd_bus_get_property_trivial(
			    world->bus, MODEL, "ArenaBytes", NULL, 't', &bytes) >= 0);
}

static void reload_returns_when_what_is_there_serves(void **state)
{
	struct world *world = *state;
	sd_bus_message *reply = NULL;
	uint32_t ready = 0, refused = 0;
	daemon_put(&world->daemon, "other.tflite", "echo 8");
	daemon_put(&world->daemon, "worse.tflite", "bad");
	assert_true(sd_bus_call_method(world->bus, MANAGER, "Reload", NULL, &reply, "") >= 0);
	assert_true(sd_bus_message_read(reply, "uu", &ready, &refused) >= 0);
	sd_bus_message_unref(reply);
	assert_int_equal(ready, 2);
	assert_int_equal(refused, 1);
}

static void what_comes_goes_and_changes_is_told(void **state)
{
	struct world *world = *state;
	char error[128];
	listen_for(world, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded");
	daemon_put(&world->daemon, "other.tflite", "echo 8");
	call(world->bus, "Reload", NULL, error);
	assert_string_equal(error, "");
	wait_for_signal(world);

	world->heard = 0;
	listen_for(world, "org.freedesktop.DBus.Properties", "PropertiesChanged");
	daemon_put(&world->daemon, "echo.tflite", "echo 4 ");
	call(world->bus, "Reload", NULL, error);
	wait_for_signal(world);
	assert_text(world, "Version", "2");

	world->heard = 0;
	listen_for(world, "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved");
	daemon_remove(&world->daemon, "other.tflite");
	call(world->bus, "Reload", NULL, error);
	wait_for_signal(world);
}

static void the_stores_verbs_are_there(void **state)
{
	struct world *world = *state;
	sd_bus_message *reply = NULL;
	const char *lines = NULL;
	int pinned = 0;
	char error[128];
	call(world->bus, "Pin", "echo", error);
	assert_string_equal(error, "");
	assert_true(
		sd_bus_get_property_trivial(world->bus, MODEL, "Pinned", NULL, 'b', &pinned) >= 0);
	assert_int_equal(pinned, 1);
	call(world->bus, "Unpin", "echo", error);
	assert_string_equal(error, "");
	assert_true(
		sd_bus_call_method(world->bus, MANAGER, "History", NULL, &reply, "s", "echo") >= 0);
	assert_true(sd_bus_message_read(reply, "s", &lines) >= 0);
	assert_non_null(strstr(lines, "unpinned"));
	sd_bus_message_unref(reply);
}

static void what_cannot_be_has_a_name(void **state)
{
	struct world *world = *state;
	char error[128], longest[400];
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	call(world->bus, "Pin", "nothing", error);
	assert_string_equal(error, "org.edged1.Error.NotFound");
	call(world->bus, "Pin", longest, error);
	assert_string_equal(error, SD_BUS_ERROR_INVALID_ARGS);
	call(world->bus, "ForgetBad", longest, error);
	assert_string_equal(error, SD_BUS_ERROR_INVALID_ARGS);
	call(world->bus, "Fly", NULL, error);
	assert_string_equal(error, SD_BUS_ERROR_UNKNOWN_METHOD);
}

static void the_logs_level_is_set(void **state)
{
	struct world *world = *state;
	char *level = NULL;
	assert_true(sd_bus_set_property(world->bus, LOG, "LogLevel", NULL, "s", "debug") >= 0);
	daemon_wait_log(&world->daemon, "log level: debug");
	assert_true(sd_bus_get_property_string(world->bus, LOG, "LogLevel", NULL, &level) >= 0);
	assert_string_equal(level, "debug");
	free(level);
	assert_true(sd_bus_set_property(world->bus, LOG, "LogLevel", NULL, "s", "loud") < 0);
}

/* ---- who may */

static int on_check(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	const int *answer = userdata;
	const char *kind = NULL, *key = NULL, *sender = NULL, *action = NULL;
	(void)error;
	if (sd_bus_message_read(message, "(sa{sv})s", &kind, 1, &key, "s", &sender, &action) < 0 ||
		strcmp(action, "org.edged1.manage") != 0 || strcmp(kind, "system-bus-name") != 0) {
		return -EINVAL;
	}
	return sd_bus_reply_method_return(message, "(bba{ss})", *answer, 0, 0);
}

/* A process that answers as polkit does. */
static void polkit_spawn(struct world *world, int answer)
{
	int ready[2];
	char byte = 0;
	static const sd_bus_vtable members[] = {
		SD_BUS_VTABLE_START(0),
		SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", on_check,
			SD_BUS_VTABLE_UNPRIVILEGED),
		SD_BUS_VTABLE_END,
	};
	assert_int_equal(pipe(ready), 0);
	world->polkit = fork();
	if (world->polkit == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		sd_bus *bus = NULL;
		bool fine = sd_bus_open_system(&bus) >= 0 &&
			sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/PolicyKit1/Authority",
				"org.freedesktop.PolicyKit1.Authority", members, &answer) >= 0 &&
			sd_bus_request_name(bus, "org.freedesktop.PolicyKit1", 0) >= 0 &&
			write(ready[1], "", 1) == 1;
		while (fine) {
			int code = sd_bus_process(bus, NULL);
			fine = code > 0 || (code == 0 && sd_bus_wait(bus, UINT64_MAX) >= 0);
		}
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

/* What a call by another user gives: the error's name, or nothing. */
static void call_as_nobody(const char *method, const char *argument, char name[128])
{
	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	pid_t pid = fork();
	if (pid == 0) {
		sd_bus *bus = NULL;
		char error[128] = "no bus";
		if (setgid(NOBODY) == 0 && setuid(NOBODY) == 0 && sd_bus_open_system(&bus) >= 0) {
			call(bus, method, argument, error);
		}
		_exit(write(pipes[1], error, sizeof(error)) == sizeof(error) ? 0 : 1);
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], name, 128), 128);
	close(pipes[0]);
	waitpid(pid, NULL, 0);
}

static void without_polkit_others_change_nothing(void **state)
{
	(void)state;
	char error[128];
	call_as_nobody("Pin", "echo", error);
	assert_string_equal(error, SD_BUS_ERROR_ACCESS_DENIED);
	call_as_nobody("Reload", NULL, error);
	assert_string_equal(error, SD_BUS_ERROR_ACCESS_DENIED);
}

static void polkit_says_who_else_may(void **state)
{
	struct world *world = *state;
	char error[128];
	polkit_spawn(world, 1);
	call_as_nobody("Pin", "echo", error);
	assert_string_equal(error, "");
}

static void polkit_says_who_may_not(void **state)
{
	struct world *world = *state;
	char error[128];
	polkit_spawn(world, 0);
	call_as_nobody("Pin", "echo", error);
	assert_string_equal(error, SD_BUS_ERROR_ACCESS_DENIED);
}

static void a_bus_that_goes_is_not_missed(void **state)
{
	struct world *world = *state;
	end(world->bus_daemon);
	daemon_wait_log(&world->daemon, "the bus has gone");
	world->bus_daemon = -1;
	daemon_signal(&world->daemon, SIGHUP);
	daemon_wait_log(&world->daemon, "1 models ready");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static int others_test(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_polkit_others_change_nothing),
		TEST(polkit_says_who_else_may),
		TEST(polkit_says_who_may_not),
	};
	if (geteuid() != 0) {
		print_message("SKIPPED: only root can become somebody else\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_model_is_an_object_with_its_state),
		TEST(reload_returns_when_what_is_there_serves),
		TEST(what_comes_goes_and_changes_is_told),
		TEST(the_stores_verbs_are_there),
		TEST(what_cannot_be_has_a_name),
		TEST(the_logs_level_is_set),
		TEST(a_bus_that_goes_is_not_missed),
	};
	if (system("dbus-daemon --version >/dev/null 2>&1") != 0) {
		print_message("SKIPPED: there is no dbus-daemon\n");
		return EXIT_SKIPPED;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	return failed + others_test();
}
