/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/system/message_bus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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
pid_t bus_spawn(const char *folder)
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

int bus_world_set_up(void **state)
{
	char address[128];
	struct bus_world *world = calloc(1, sizeof(*world));
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

void bus_end(pid_t pid)
{
	if (pid > 0) {
		kill(pid, SIGTERM);
		waitpid(pid, NULL, 0);
	}
}

int bus_world_tear_down(void **state)
{
	struct bus_world *world = *state;
	unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
	sd_bus_flush_close_unref(world->bus);
	daemon_end(&world->daemon);
	bus_end(world->polkit);
	bus_end(world->bus_daemon);
	free(world);
	return 0;
}

void bus_call(sd_bus *bus, const char *method, const char *argument, char name[128])
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	name[0] = 0;
	if (sd_bus_call_method(
		    bus, BUS_MANAGER, method, &error, NULL, argument ? "s" : "", argument) < 0) {
		snprintf(name, 128, "%s", error.name);
	}
	sd_bus_error_free(&error);
}

void bus_assert_text(struct bus_world *world, const char *property, const char *expected)
{
	char *text = NULL;
	assert_true(sd_bus_get_property_string(world->bus, BUS_MODEL, property, NULL, &text) >= 0);
	assert_string_equal(text, expected);
	free(text);
}
