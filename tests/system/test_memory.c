/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "tests/system/daemon.h"
#include "tests/system/peer.h"

#define IDLE_RSS_KB 6144

static const char *const names[] = {"digits", "keyword", "vibration"};

static void model_copy(struct daemon *daemon, const char *name)
{
	char path[256], file[64];
	snprintf(path, sizeof(path), "packaging/models/%s.tflite", name);
	FILE *in = fopen(path, "re");
	assert_non_null(in);
	char *bytes = malloc(1 << 20);
	assert_non_null(bytes);
	size_t n = fread(bytes, 1, 1 << 20, in);
	fclose(in);
	snprintf(file, sizeof(file), "%s.tflite", name);
	daemon_put_bytes(daemon, file, bytes, n);
	free(bytes);
}

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	daemon_prepare(daemon);
	for (size_t i = 0; i < 3; i++) {
		model_copy(daemon, names[i]);
	}
	daemon_start(daemon, true);
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

static void the_three_models_are_ready(void **state)
{
	struct peer peer = peer_open(*state);
	peer_send(&peer, WIRE_LIST, 1, 0, NULL);
	struct answer answer = peer_receive(&peer);
	for (size_t i = 0; i < 3; i++) {
		struct wire_list_item item = answer_find(&answer, names[i]);
		assert_true(wire_text_is(item.state, "ready"));
	}
	answer_free(&answer);
	peer_close(&peer);
}

static void idle_it_is_small(void **state)
{
	if (!daemon_memory_counts()) {
		print_message("SKIPPED: a sanitizer's memory would be counted too\n");
		return;
	}
	const struct timespec moment = {.tv_nsec = 100000000};
	long kb = daemon_memory_kb(*state, "Rss");
	/* What loading went through is forgotten when nothing more comes for a second. */
	for (int i = 0; i < 100 && kb > IDLE_RSS_KB; i++) {
		nanosleep(&moment, NULL);
		kb = daemon_memory_kb(*state, "Rss");
	}
	if (kb > IDLE_RSS_KB) {
		fail_msg("Rss is %ld KB", kb);
	}
}

/* The lines of smaps that belong to copies of models, and to their packed weights where the CPU's
 * kernels want some: file pages, none of them dirty. */
static void weights_are_clean_pages_of_a_file(void **state)
{
	const struct daemon *daemon = *state;
	char path[64], line[512];
	bool inside = false;
	unsigned int mappings = 0;
	long rss = 0;
	struct statfs fs;
	assert_int_equal(statfs(daemon->folder, &fs), 0);
	if (fs.f_type == TMPFS_MAGIC) {
		print_message("SKIPPED: %s is in memory, where no page is clean\n", daemon->folder);
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)daemon->pid);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (strchr(line, '-') && strchr(line, '-') < line + 20) {
			inside = strstr(line, "/state/blobs/") || strstr(line, "/state/packs/");
			mappings += inside;
			assert_true(!inside || strstr(line, " r--s "));
		}
		if (inside && strncmp(line, "Rss:", 4) == 0) {
			rss += strtol(line + 4, NULL, 10);
		}
		if (inside && strstr(line, "_Dirty:")) {
			assert_int_equal(strtol(strchr(line, ':') + 1, NULL, 10), 0);
		}
	}
	fclose(file);
	assert_in_range(mappings, 3, 6);
	assert_true(rss > 0);
}

/* The sum of all inodes of the folder of packed weights; *ret_n: how many. */
static uint64_t pack_inodes(const struct daemon *daemon, unsigned int *ret_n)
{
	char path[256];
	uint64_t sum = 0;
	snprintf(path, sizeof(path), "%s/state/packs", daemon->folder);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	*ret_n = 0;
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] != '.') {
			assert_true(strlen(entry->d_name) > 64);
			sum += entry->d_ino;
			++*ret_n;
		}
	}
	closedir(dir);
	return sum;
}

static void packed_weights_are_kept_for_the_next_start(void **state)
{
	struct daemon *daemon = *state;
	char path[256];
	unsigned int n = 0, n_after = 0;
	uint64_t inodes = pack_inodes(daemon, &n);
	if (n == 0) {
		print_message("SKIPPED: no kernel of this CPU packs weights\n");
		return;
	}
	snprintf(path, sizeof(path), "%s/state/packs/left-by-another-build", daemon->folder);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0400));
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	daemon_start(daemon, true);
	assert_int_equal(pack_inodes(daemon, &n_after), inodes);
	assert_int_equal(n_after, n);
}

int main(void)
{
	for (size_t i = 0; i < 3; i++) {
		char path[256];
		snprintf(path, sizeof(path), "packaging/models/%s.tflite", names[i]);
		if (access(path, R_OK) != 0) {
			printf("SKIPPED: %s is not there\n", path);
			return 77;
		}
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_three_models_are_ready),
		cmocka_unit_test(idle_it_is_small),
		cmocka_unit_test(weights_are_clean_pages_of_a_file),
		cmocka_unit_test(packed_weights_are_kept_for_the_next_start),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
