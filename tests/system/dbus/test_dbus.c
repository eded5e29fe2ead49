/* SPDX-License-Identifier: Apache-2.0 */
/* org.edged1 on a bus of the test's own, as busctl(1) and others see it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "tests/system/message_bus.h"

#define EXIT_SKIPPED 77
#define NOBODY 65534
#define LOG BUS_NAME, "/org/freedesktop/LogControl1", "org.freedesktop.LogControl1"

/* Calls with a descriptor, which is closed; @lines gets what is answered, or the error's name. */
static void call_with(sd_bus *bus, const char *method, int fd, const char *model, char lines[128])
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *text = NULL;
	if (sd_bus_call_method(bus, BUS_MANAGER, method, &error, &reply, "hs", fd, model) < 0) {
		text = error.name;
	} else if (sd_bus_message_read(reply, "s", &text) < 0) {
		text = "no lines";
	}
	snprintf(lines, 128, "%s", text);
	sd_bus_message_unref(reply);
	sd_bus_error_free(&error);
	close(fd);
}

/* A file in memory. */
static int file_of(const char *text)
{
	int fd = memfd_create("given", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static int on_signal(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct bus_world *world = userdata;
	(void)message;
	(void)error;
	world->heard++;
	return 0;
}

static void listen_for(struct bus_world *world, const char *interface, const char *member)
{
	assert_true(sd_bus_match_signal(world->bus, NULL, BUS_NAME, NULL, interface, member,
			    on_signal, world) >= 0);
}

static void wait_for_signal(struct bus_world *world)
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
	struct bus_world *world = *state;
	uint64_t bytes = 0;
	int trial = 0;
	bus_assert_text(world, "Name", "echo");
	bus_assert_text(world, "State", "ready");
	bus_assert_text(world, "Version", "1");
	bus_assert_text(world, "Backend", "cpu");
	bus_assert_text(world, "LastError", "");
	assert_true(sd_bus_get_property_trivial(
			    world->bus, BUS_MODEL, "OnTrial", NULL, 'b', &trial) >= 0);
	assert_int_equal(trial, 1);
	assert_true(sd_bus_get_property_trivial(
			    world->bus, BUS_MODEL, "ArenaBytes", NULL, 't', &bytes) >= 0);
}

/* From "<interface name=..." to its bus_end, without blanks and what does not count. */
static void interface_of(const char *xml, char *out, size_t size)
{
	size_t n = 0;
	const char *at = strstr(xml, "<interface name=\"" BUS_NAME ".Manager\"");
	const char *bus_end = at ? strstr(at, "</interface>") : NULL;
	assert_non_null(bus_end);
	for (; at < bus_end; at++) {
		if (*at != ' ' && *at != '\n' && *at != '/' && n + 1 < size) {
			out[n++] = *at;
		}
	}
	out[n] = 0;
}

static void the_installed_description_is_what_is_there(void **state)
{
	struct bus_world *world = *state;
	sd_bus_message *reply = NULL;
	const char *xml = NULL;
	char file[4096] = "", described[4096], found[4096];
	FILE *in = fopen("packaging/dbus/org.edged1.Manager.xml", "r");
	assert_non_null(in);
	assert_true(fread(file, 1, sizeof(file) - 1, in) > 0);
	fclose(in);
	assert_true(sd_bus_call_method(world->bus, BUS_NAME, "/org/edged1",
			    "org.freedesktop.DBus.Introspectable", "Introspect", NULL, &reply,
			    "") >= 0);
	assert_true(sd_bus_message_read(reply, "s", &xml) >= 0);
	interface_of(file, described, sizeof(described));
	interface_of(xml, found, sizeof(found));
	assert_string_equal(found, described);
	sd_bus_message_unref(reply);
}

static void reload_returns_when_what_is_there_serves(void **state)
{
	struct bus_world *world = *state;
	sd_bus_message *reply = NULL;
	uint32_t ready = 0, refused = 0;
	daemon_put(&world->daemon, "other.tflite", "echo 8");
	daemon_put(&world->daemon, "worse.tflite", "bad");
	assert_true(sd_bus_call_method(world->bus, BUS_MANAGER, "Reload", NULL, &reply, "") >= 0);
	assert_true(sd_bus_message_read(reply, "uu", &ready, &refused) >= 0);
	sd_bus_message_unref(reply);
	assert_int_equal(ready, 2);
	assert_int_equal(refused, 1);
}

static void what_comes_goes_and_changes_is_told(void **state)
{
	struct bus_world *world = *state;
	char error[128];
	listen_for(world, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded");
	daemon_put(&world->daemon, "other.tflite", "echo 8");
	bus_call(world->bus, "Reload", NULL, error);
	assert_string_equal(error, "");
	wait_for_signal(world);

	world->heard = 0;
	listen_for(world, "org.freedesktop.DBus.Properties", "PropertiesChanged");
	daemon_put(&world->daemon, "echo.tflite", "echo 4 ");
	bus_call(world->bus, "Reload", NULL, error);
	wait_for_signal(world);
	bus_assert_text(world, "Version", "2");

	world->heard = 0;
	listen_for(world, "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved");
	daemon_remove(&world->daemon, "other.tflite");
	bus_call(world->bus, "Reload", NULL, error);
	wait_for_signal(world);
}

static void the_stores_verbs_are_there(void **state)
{
	struct bus_world *world = *state;
	sd_bus_message *reply = NULL;
	const char *lines = NULL;
	int pinned = 0;
	char error[128];
	bus_call(world->bus, "Pin", "echo", error);
	assert_string_equal(error, "");
	assert_true(sd_bus_get_property_trivial(
			    world->bus, BUS_MODEL, "Pinned", NULL, 'b', &pinned) >= 0);
	assert_int_equal(pinned, 1);
	bus_call(world->bus, "Unpin", "echo", error);
	assert_string_equal(error, "");
	assert_true(sd_bus_call_method(
			    world->bus, BUS_MANAGER, "History", NULL, &reply, "s", "echo") >= 0);
	assert_true(sd_bus_message_read(reply, "s", &lines) >= 0);
	assert_non_null(strstr(lines, "unpinned"));
	sd_bus_message_unref(reply);
}

static void a_model_comes_and_goes_by_a_descriptor(void **state)
{
	struct bus_world *world = *state;
	char lines[128], error[128], block[1024] = "";
	int out = file_of("");
	call_with(world->bus, "Install", file_of("echo 8"), "given", lines);
	assert_string_equal(lines, "given version 1: ready\n");
	call_with(world->bus, "Export", dup(out), "given", lines);
	assert_string_equal(lines, "given version 1: ready\n");
	assert_int_equal(pread(out, block, sizeof(block), 0), sizeof(block));
	assert_string_equal(block, "bundle.conf");
	assert_string_equal(block + 512, "[bundle]\nname = given\n");
	bus_call(world->bus, "Remove", "given", error);
	assert_string_equal(error, "");
	bus_call(world->bus, "Remove", "given", error);
	assert_string_equal(error, "org.edged1.Error.NotFound");
	/* The bundle says its name. */
	call_with(world->bus, "Install", out, "", lines);
	assert_string_equal(lines, "given version 2: ready\n");
}

static void a_model_is_unloaded_and_loaded(void **state)
{
	struct bus_world *world = *state;
	char error[128];
	bus_call(world->bus, "Unload", "echo", error);
	assert_string_equal(error, "");
	bus_assert_text(world, "State", "unloaded");
	bus_call(world->bus, "Load", "echo", error);
	assert_string_equal(error, "");
	bus_assert_text(world, "State", "ready");
	bus_call(world->bus, "Load", "nothing", error);
	assert_string_equal(error, "org.edged1.Error.NotFound");
	bus_call(world->bus, "Pin", "echo", error);
	bus_call(world->bus, "Unload", "echo", error);
	assert_string_equal(error, "org.edged1.Error.Denied");
}

static void what_cannot_be_installed_has_a_name(void **state)
{
	struct bus_world *world = *state;
	int pipes[2];
	char lines[128], error[128];
	call_with(world->bus, "Install", file_of("bad"), "given", lines);
	assert_string_equal(lines, "org.edged1.Error.ModelRefused");
	call_with(world->bus, "Install", file_of("echo 8"), "", lines);
	assert_string_equal(lines, SD_BUS_ERROR_INVALID_ARGS);
	call_with(world->bus, "Install", file_of("echo 8"), "../given", lines);
	assert_string_equal(lines, SD_BUS_ERROR_INVALID_ARGS);
	assert_int_equal(pipe(pipes), 0);
	call_with(world->bus, "Install", pipes[0], "given", lines);
	assert_string_equal(lines, SD_BUS_ERROR_INVALID_ARGS);
	call_with(world->bus, "Export", pipes[1], "echo", lines);
	assert_string_equal(lines, SD_BUS_ERROR_INVALID_ARGS);
	call_with(world->bus, "Export", file_of(""), "given", lines);
	assert_string_equal(lines, "org.edged1.Error.NotFound");
	bus_call(world->bus, "Remove", "echo", error);
	assert_string_equal(error, "org.edged1.Error.Denied");
	bus_call(world->bus, "Pin", "echo", error);
	call_with(world->bus, "Install", file_of("echo 4 "), "echo", lines);
	assert_string_equal(lines, "org.edged1.Error.Denied");
}

static void what_cannot_be_has_a_name(void **state)
{
	struct bus_world *world = *state;
	char error[128], longest[400];
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	bus_call(world->bus, "Pin", "nothing", error);
	assert_string_equal(error, "org.edged1.Error.NotFound");
	bus_call(world->bus, "Pin", longest, error);
	assert_string_equal(error, SD_BUS_ERROR_INVALID_ARGS);
	bus_call(world->bus, "ForgetBad", longest, error);
	assert_string_equal(error, SD_BUS_ERROR_INVALID_ARGS);
	bus_call(world->bus, "Fly", NULL, error);
	assert_string_equal(error, SD_BUS_ERROR_UNKNOWN_METHOD);
}

static void the_logs_level_is_set(void **state)
{
	struct bus_world *world = *state;
	char *level = NULL;
	assert_true(sd_bus_set_property(world->bus, LOG, "LogLevel", NULL, "s", "debug") >= 0);
	daemon_wait_log(&world->daemon, "log level: debug");
	assert_true(sd_bus_get_property_string(world->bus, LOG, "LogLevel", NULL, &level) >= 0);
	assert_string_equal(level, "debug");
	free(level);
	assert_true(sd_bus_set_property(world->bus, LOG, "LogLevel", NULL, "s", "loud") < 0);
}

static void the_log_goes_where_it_goes(void **state)
{
	struct bus_world *world = *state;
	char *target = NULL;
	assert_true(sd_bus_get_property_string(world->bus, LOG, "LogTarget", NULL, &target) >= 0);
	assert_string_equal(target, "console");
	free(target);
	assert_true(sd_bus_set_property(world->bus, LOG, "LogTarget", NULL, "s", "console") >= 0);
	assert_true(sd_bus_set_property(world->bus, LOG, "LogTarget", NULL, "s", "kmsg") < 0);
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

/* Polkit asks a person, who does not answer. */
static int on_check_forever(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	(void)userdata;
	(void)error;
	sd_bus_message_ref(message);
	return 1;
}

#define FOREVER (-1)

/* A process that answers as polkit does, or not. */
static void polkit_spawn(struct bus_world *world, int answer)
{
	int ready[2];
	char byte = 0;
	const sd_bus_vtable members[] = {
		SD_BUS_VTABLE_START(0),
		SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})",
			answer == FOREVER ? on_check_forever : on_check,
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

/* What a bus_call by another user gives: the error's name, or nothing. */
static void call_as_nobody(const char *method, const char *argument, char name[128])
{
	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	pid_t pid = fork();
	if (pid == 0) {
		sd_bus *bus = NULL;
		char error[128] = "no bus";
		if (setgid(NOBODY) == 0 && setuid(NOBODY) == 0 && sd_bus_open_system(&bus) >= 0) {
			bus_call(bus, method, argument, error);
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

static void others_install_export_and_remove_nothing(void **state)
{
	(void)state;
	int pipes[2];
	char lines[3][128];
	assert_int_equal(pipe(pipes), 0);
	pid_t pid = fork();
	if (pid == 0) {
		sd_bus *bus = NULL;
		if (setgid(NOBODY) == 0 && setuid(NOBODY) == 0 && sd_bus_open_system(&bus) >= 0) {
			call_with(bus, "Install", file_of("echo 8"), "given", lines[0]);
			call_with(bus, "Export", file_of(""), "echo", lines[1]);
			bus_call(bus, "Remove", "echo", lines[2]);
		}
		_exit(write(pipes[1], lines, sizeof(lines)) == sizeof(lines) ? 0 : 1);
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], lines, sizeof(lines)), sizeof(lines));
	close(pipes[0]);
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 3; i++) {
		assert_string_equal(lines[i], SD_BUS_ERROR_ACCESS_DENIED);
	}
}

static void polkit_says_who_else_may(void **state)
{
	struct bus_world *world = *state;
	char error[128];
	polkit_spawn(world, 1);
	call_as_nobody("Pin", "echo", error);
	assert_string_equal(error, "");
}

static void polkit_says_who_may_not(void **state)
{
	struct bus_world *world = *state;
	char error[128];
	polkit_spawn(world, 0);
	call_as_nobody("Pin", "echo", error);
	assert_string_equal(error, SD_BUS_ERROR_ACCESS_DENIED);
}

static int count_answer(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	int *n = userdata;
	(void)error;
	*n += sd_bus_message_is_method_error(message, SD_BUS_ERROR_ACCESS_DENIED) > 0;
	return 0;
}

/* Half of what is asked waits for polkit, the other half is answered; then it waits to be ended. */
static void ask_much_as_nobody(int ready, int calls)
{
	sd_bus *bus = NULL;
	int n = 0;
	bool fine = setgid(NOBODY) == 0 && setuid(NOBODY) == 0 && sd_bus_open_system(&bus) >= 0;
	for (int i = 0; fine && i < calls; i++) {
		fine = sd_bus_call_method_async(
			       bus, NULL, BUS_MANAGER, "Pin", count_answer, &n, "s", "echo") >= 0;
	}
	while (fine && n < calls / 2) {
		int code = sd_bus_process(bus, NULL);
		fine = code > 0 || (code == 0 && sd_bus_wait(bus, UINT64_MAX) >= 0);
	}
	fine = fine && write(ready, "", 1) == 1;
	pause();
	_exit(1);
}

static void who_waits_for_polkit_keeps_nobody_out(void **state)
{
	struct bus_world *world = *state;
	int ready[2];
	char byte = 0, error[128];
	polkit_spawn(world, FOREVER);
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		ask_much_as_nobody(ready[1], 64);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	bus_call(world->bus, "Pin", "echo", error);
	assert_string_equal(error, "");
	bus_end(pid);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bus_world_set_up, bus_world_tear_down)

static int others_test(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_polkit_others_change_nothing),
		TEST(others_install_export_and_remove_nothing),
		TEST(polkit_says_who_else_may),
		TEST(polkit_says_who_may_not),
		TEST(who_waits_for_polkit_keeps_nobody_out),
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
		TEST(the_installed_description_is_what_is_there),
		TEST(reload_returns_when_what_is_there_serves),
		TEST(what_comes_goes_and_changes_is_told),
		TEST(the_stores_verbs_are_there),
		TEST(a_model_comes_and_goes_by_a_descriptor),
		TEST(a_model_is_unloaded_and_loaded),
		TEST(what_cannot_be_installed_has_a_name),
		TEST(what_cannot_be_has_a_name),
		TEST(the_logs_level_is_set),
		TEST(the_log_goes_where_it_goes),
	};
	if (system("dbus-daemon --version >/dev/null 2>&1") != 0) {
		print_message("SKIPPED: there is no dbus-daemon\n");
		return EXIT_SKIPPED;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	return failed + others_test();
}
