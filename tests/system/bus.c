/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/system/bus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
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
