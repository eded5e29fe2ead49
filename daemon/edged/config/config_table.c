/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "daemon/edged/config/config.h"
#include "daemon/system/governor.h"

#define AT(member) offsetof(struct config, member)
#define LENGTH(member) 0, sizeof(((struct config *)0)->member) - 1
#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define MINUTE UINT64_C(60000)
#define RESTART false
#define RELOAD true

static const struct config_key keys[] = {
	{"daemon", "socket", CONFIG_TEXT, AT(socket), LENGTH(socket), RESTART,
		"/run/edged/edged.sock",
		"The Unix socket that clients connect to. --socket and $EDGED_SOCKET come before it."},
	{"daemon", "socket-mode", CONFIG_MODE, AT(socket_mode), 0, 0777, RESTART, "0660",
		"Permissions of the socket."},
	{"daemon", "socket-group", CONFIG_TEXT, AT(socket_group), LENGTH(socket_group), RESTART,
		"edged",
		"Group of the socket, if there is one of that name and edged may give it away."},
	{"daemon", "models", CONFIG_TEXT, AT(models), LENGTH(models), RESTART,
		"/var/lib/edged/models",
		"Folder of the models: NAME.tflite with NAME.labels.txt, or\n"
		"NAME/VERSION/model.tflite with labels.txt beside it, where the highest version "
		"serves."},
	{"daemon", "state", CONFIG_TEXT, AT(state), LENGTH(state), RESTART, "/var/lib/edged/store",
		"Folder that edged may write to: its store of models. Without one they are kept in memory."},
	{"daemon", "log-level", CONFIG_LEVEL, AT(log_level), LOG_LEVEL_ERROR, LOG_LEVEL_DEBUG,
		RELOAD, "info", "error, warning, notice, info or debug."},
	{"daemon", "workers", CONFIG_COUNT, AT(workers), 0, 64, RESTART, "0",
		"Threads that run models. 0: one per core, at most 4."},
	{"daemon", "threads-per-run", CONFIG_COUNT, AT(threads_per_run), 0, 16, RESTART, "0",
		"Threads that share one run when nothing else runs or waits. 0: one per core, at\n"
		"most 4. 1: each run has one thread."},
	{"daemon", "short-run-us", CONFIG_COUNT, AT(short_run_us), 0, 500, RELOAD, "50",
		"Runs that are expected to take at most so many microseconds are done by the thread\n"
		"that reads requests when nothing else is to be done: waking a worker takes longer.\n"
		"0: none."},
	{"daemon", "spin-us", CONFIG_COUNT, AT(spin_us), 0, 1000, RELOAD, "0",
		"How many microseconds after a request the thread that reads requests looks for the\n"
		"next one again and again, and does not sleep. It answers sooner, and takes a core\n"
		"while requests come. 0: it sleeps."},
	{"daemon", "drain-timeout", CONFIG_TIME, AT(drain_timeout_ms), 0, 10 * MINUTE, RELOAD, "5s",
		"How long running requests may take to finish after SIGTERM."},
	{"daemon", "slow-request", CONFIG_TIME_US, AT(slow_request_us), 0, 600000000, RELOAD, "0s",
		"Requests that take at least so long, from header to answer, are told in the log with\n"
		"the operators that took longest, ten a minute at most. 0s: none. While it is set every\n"
		"operator is timed, which takes some tens of nanoseconds of each. The unit may be us too."},
	{"daemon", "cpu-features", CONFIG_TEXT, AT(cpu_features), LENGTH(cpu_features), RESTART,
		"all",
		"Instruction sets that kernels may use: all, none, or names separated by commas."},

	{"daemon", "d-bus", CONFIG_BOOL, AT(d_bus), 0, 1, RESTART, "yes",
		"Be org.edged1 on the system bus, where there is one."},
	{"daemon", "sandbox", CONFIG_BOOL, AT(sandbox), 0, 1, RESTART, "yes",
		"Where edged's unit has not done it: give up by itself what it does not need. Files are\n"
		"then only written below state. A container's filter of system calls stays."},
	{"daemon", "check-program", CONFIG_TEXT, AT(check_program), LENGTH(check_program), RESTART,
		"auto",
		"Program that opens a model first, in a process without rights. auto: the one that came\n"
		"with edged; none: nothing does."},

	{"power", "policy", CONFIG_GOVERNOR, AT(power_policy), GOVERNOR_PERFORMANCE, GOVERNOR_COOL,
		RELOAD, "balanced",
		"What is done before the kernel slows a hot machine down. balanced: batch work is turned\n"
		"away 8 degrees before, and workers rest between runs from 4 degrees before. cool: 20\n"
		"and 15 degrees. performance: nothing."},
	{"power", "sensors", CONFIG_TEXT, AT(sensors), LENGTH(sensors), RESTART, "/sys",
		"Where the kernel shows temperatures and power."},

	{"limits", "max-clients", CONFIG_COUNT, AT(max_clients), 1, 60000, RESTART, "2048",
		"Connections at a time."},
	{"limits", "max-clients-per-user", CONFIG_COUNT, AT(max_clients_per_user), 1, 60000, RELOAD,
		"1024", "Connections at a time of one user id."},
	{"limits", "max-in-flight", CONFIG_COUNT, AT(max_in_flight), 1, 1024, RELOAD, "16",
		"Unanswered requests of one connection; further ones are not read until then."},
	{"limits", "max-sessions", CONFIG_COUNT, AT(max_sessions), 0, 1024, RELOAD, "16",
		"Sessions that one connection may have open. 0: none."},
	{"limits", "max-shared-clients", CONFIG_COUNT, AT(max_shared_clients), 0, 60000, RESTART,
		"256",
		"Connections at a time that may have shared memory, which takes a descriptor more of\n"
		"each; a user has no more of them than are left free. Others get on without. 0: none."},
	{"limits", "max-regions", CONFIG_COUNT, AT(max_regions), 0, 1024, RELOAD, "16",
		"Regions of shared memory that one connection may have. 0: none."},
	{"limits", "max-body", CONFIG_BYTES, AT(max_body), 4 * KIB, GIB, RELOAD, "64M",
		"Bytes of the body of one request or reply."},
	{"limits", "max-bytes", CONFIG_BYTES, AT(max_bytes), 64 * KIB, 64 * GIB, RELOAD, "256M",
		"Bytes of requests, replies, sessions and regions that edged holds for all clients\n"
		"together. A user has at most half of what the others leave of them; root and edged's\n"
		"own user may go beyond."},
	{"limits", "max-bytes-per-user", CONFIG_BYTES, AT(max_bytes_per_user), 64 * KIB, 64 * GIB,
		RELOAD, "128M",
		"Bytes of requests, replies, sessions and regions that edged holds for one user id."},
	{"limits", "queue-length", CONFIG_COUNT, AT(queue_length), 1, 65536, RELOAD, "64",
		"Requests that may wait for a worker; one more is answered OVERLOADED."},
	{"limits", "hello-timeout", CONFIG_TIME, AT(hello_timeout_ms), 10, 10 * MINUTE, RELOAD,
		"5s", "How long a new connection may take to say HELLO."},
	{"limits", "header-timeout", CONFIG_TIME, AT(header_timeout_ms), 10, 10 * MINUTE, RELOAD,
		"1s",
		"How long a header may take from its first byte; a body has this much and a second\n"
		"for each 10 MB."},
	{"limits", "write-timeout", CONFIG_TIME, AT(write_timeout_ms), 10, 10 * MINUTE, RELOAD,
		"1s", "How long a client may take to accept a reply, and a second for each 10 MB."},
	{"limits", "answer-timeout", CONFIG_TIME, AT(answer_timeout_ms), 10, 1440 * MINUTE, RELOAD,
		"10min",
		"How long a request may wait and run, whatever deadline it has. Then its run is told to\n"
		"end, and a service manager's watchdog starts edged anew where that does not help."},
	{"limits", "log-lines-per-user", CONFIG_COUNT, AT(log_lines_per_user), 0, 1000000, RELOAD,
		"20", "Log lines in a minute that one user id can cause."},
	{"limits", "max-greeting", CONFIG_COUNT, AT(max_greeting), 2, 60000, RELOAD, "128",
		"Connections at a time that have not said HELLO yet. From half of that on each new one\n"
		"may cost one of them, taken by chance, its place: the more there are, the likelier."},
	{"limits", "max-offences", CONFIG_COUNT, AT(max_offences), 0, 1000000, RELOAD, "120",
		"Times in a minute that connections of one user id may break the protocol or be too\n"
		"slow. After one more, new ones are refused for the rest of it; those of root and of\n"
		"edged's own user are not. 0: as often as they like."},

	{"access", "control", CONFIG_TEXT, AT(access_control), LENGTH(access_control), RELOAD,
		"root",
		"Who may ask in the class control, before all others: users, @groups, their numbers, or\n"
		"everybody. root and edged's own user may do all that these five keys are about."},
	{"access", "realtime", CONFIG_TEXT, AT(access_realtime), LENGTH(access_realtime), RELOAD,
		"everybody", "Who may ask in the class realtime."},
	{"access", "normal", CONFIG_TEXT, AT(access_normal), LENGTH(access_normal), RELOAD,
		"everybody",
		"Who may ask in the class normal, which is that of requests that name none."},
	{"access", "batch", CONFIG_TEXT, AT(access_batch), LENGTH(access_batch), RELOAD,
		"everybody", "Who may ask in the class batch."},
	{"access", "manage", CONFIG_TEXT, AT(access_manage), LENGTH(access_manage), RELOAD, "root",
		"Who may have models looked at again, installed, exported, removed, loaded, unloaded, taught, pinned,\n"
		"rolled back, tried again and the store repaired, and see the configuration, the last\n"
		"requests and others' statistics."},
	{"access", "models", CONFIG_TEXT, AT(access_models), LENGTH(access_models), RELOAD, "none",
		"Models that not everybody may use: MODEL=WHO,WHO... for each, separated by blanks; a\n"
		"MODEL may end in *. The first one that fits counts, and for root too."},

	{"models", "max-models", CONFIG_COUNT, AT(max_models), 1, 65536, RELOAD, "64",
		"Models in the folder; further ones are not loaded."},
	{"models", "max-file-bytes", CONFIG_BYTES, AT(max_file_bytes), KIB, 2 * GIB - 1, RELOAD,
		"256M", "Bytes of a model's file."},
	{"models", "max-arena-bytes", CONFIG_BYTES, AT(max_arena_bytes), KIB, 64 * GIB, RELOAD,
		"256M", "Bytes of activations and scratch of one run."},
	{"models", "max-prepared-bytes", CONFIG_BYTES, AT(max_prepared_bytes), KIB, 64 * GIB,
		RELOAD, "256M", "Bytes of tables, packed weights and folded constants of a model."},
	{"models", "max-macs", CONFIG_COUNT, AT(max_macs), 1, UINT64_C(1) << 62, RELOAD,
		"50000000000", "Multiply-accumulates, or operations on elements, of one run."},
	{"models", "max-nodes", CONFIG_COUNT, AT(max_nodes), 1, 10000000, RELOAD, "100000",
		"Operators of a model."},
	{"models", "max-plans", CONFIG_COUNT, AT(max_plans), 1, 64, RELOAD, "4",
		"Plans for other input shapes that are kept beside a model's first."},
	{"models", "max-loops", CONFIG_COUNT, AT(max_loops), 1, UINT64_C(1) << 62, RELOAD,
		"10000000",
		"Rounds of all WHILE loops of one run. A loop that does not end is ended by the\n"
		"request's deadline, and without one by this."},
	{"models", "max-checkpoint-bytes", CONFIG_BYTES, AT(max_checkpoint_bytes), KIB, 64 * GIB,
		RELOAD, "64M",
		"Bytes of all files that a model's save signature has left below\n"
		"STATE/checkpoints/NAME."},
	{"models", "allow-signature-change", CONFIG_BOOL, AT(allow_signature_change), 0, 1, RELOAD,
		"no",
		"Whether a file may replace one that has other inputs or outputs. A model.conf says\n"
		"it for one model."},
	{"models", "signatures", CONFIG_POLICY, AT(signatures), CONFIG_POLICY_OFF,
		CONFIG_POLICY_REQUIRE, RELOAD, "off",
		"What becomes of a file without a good minisign signature: require refuses it, warn says\n"
		"so, off does not look."},
	{"models", "signatures-of", CONFIG_TEXT, AT(signatures_of), LENGTH(signatures_of), RELOAD,
		"none",
		"The same for single models: MODEL=require MODEL=warn MODEL=off, separated by blanks."},
	{"models", "keys", CONFIG_TEXT, AT(keys), LENGTH(keys), RELOAD, "/etc/edged/keys.d",
		"Folder of the public keys that are trusted, files *.pub of minisign. It is read at each\n"
		"look at the models."},
	{"models", "watch", CONFIG_BOOL, AT(watch), 0, 1, RESTART, "yes",
		"Whether edged looks at the models folder by itself when that has changed."},
	{"models", "watch-quiet", CONFIG_TIME, AT(watch_quiet_ms), 0, MINUTE, RELOAD, "200ms",
		"How long nothing may change before it looks; after a second of changes it looks anyway."},
	{"models", "rescan", CONFIG_TIME, AT(rescan_ms), 0, 1440 * MINUTE, RELOAD, "1min",
		"How often it looks all the same; 0s: never. On file systems of other machines every\n"
		"5 s at least."},
	{"models", "self-test-time", CONFIG_TIME, AT(self_test_ms), 1, 1440 * MINUTE, RELOAD, "30s",
		"How long the questions of a NAME.golden may take."},
	{"models", "memory-budget", CONFIG_BYTES, AT(memory_budget), 0, 1024 * GIB, RELOAD, "0",
		"Bytes that all loaded models may have together: files, packed weights, arenas. Idle\n"
		"ones are unloaded for it, and loaded again when somebody asks. 0: three quarters of\n"
		"the service's MemoryMax=, or half of the machine's memory."},
	{"models", "update-policy", CONFIG_UPDATE, AT(update_policy), CONFIG_UPDATE_KEEP_SERVING,
		CONFIG_UPDATE_REPLACE, RELOAD, "keep-serving",
		"What becomes of a new version that does not fit into memory-budget beside the one that\n"
		"serves. keep-serving: it is refused. replace: the other is unloaded first, and\n"
		"requests wait."},
	{"models", "ready-within", CONFIG_TIME, AT(ready_within_ms), 10, 10 * MINUTE, RELOAD, "30s",
		"How long after a start or reload the service manager waits for all models to be looked\n"
		"at. Then edged says that it is ready, and goes on looking."},
	{"models", "load-wait", CONFIG_TIME, AT(load_wait_ms), 0, 10 * MINUTE, RELOAD, "10s",
		"How long a request for a model that was unloaded waits until it is loaded, if its own\n"
		"deadline is not sooner."},
	{"models", "memory-pressure", CONFIG_BOOL, AT(memory_pressure), 0, 1, RESTART, "yes",
		"Whether caches are dropped, and then idle models unloaded, when the system is short of\n"
		"memory."},
	{"models", "probation-requests", CONFIG_COUNT, AT(probation_requests), 0, 1000000, RELOAD,
		"100",
		"Runs that a new version must do well to be the one that is gone back to; 0: only\n"
		"time counts. One that does badly makes place for the version before."},
	{"models", "probation-time", CONFIG_TIME, AT(probation_time_ms), 0, 1440 * MINUTE, RELOAD,
		"1min", "Or how long it must serve."},
	{"models", "probation-slower", CONFIG_COUNT, AT(probation_slower), 0, 1000, RELOAD, "5",
		"How many times as long as before its runs may take; 0: any."},
	{"models", "probation-shadow", CONFIG_COUNT, AT(probation_shadow), 0, 100, RELOAD, "0",
		"Percent of its runs that the version before answers too, so that both can be compared:\n"
		"it stays in memory meanwhile. 0: none."},
	{"models", "probation-differ", CONFIG_COUNT, AT(probation_differ), 0, 100, RELOAD, "20",
		"Percent of those answers that may differ."},
};

const struct config_key *config_keys(size_t *ret_n)
{
	*ret_n = sizeof(keys) / sizeof(keys[0]);
	return keys;
}
