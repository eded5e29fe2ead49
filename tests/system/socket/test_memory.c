/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
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
#define SHARED "../shared/models/"
#define RUNS 10
#define SETTLING_MS 30000
#define SETTLED_MS 1000 /* for so long it stays below its bound */

static const char *const names[] = {"digits", "keyword", "vibration"};

static void model_copy(struct daemon *daemon, const char *path, const char *name)
{
	const size_t most = 8 << 20;
	char file[64];
	FILE *in = fopen(path, "re");
	assert_non_null(in);
	char *bytes = malloc(most);
	assert_non_null(bytes);
	size_t n = fread(bytes, 1, most, in);
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
		char path[256];
		snprintf(path, sizeof(path), "packaging/models/%s.tflite", names[i]);
		model_copy(daemon, path, names[i]);
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

struct model {
	const char *file, *name;
	uint8_t type;
	struct shape shape;
};

static void model_run(struct peer *peer, const struct model *model, uint64_t runs)
{
	struct bytes_writer w = {0};
	uint32_t bytes = 1;
	for (uint32_t i = 0; i < model->shape.rank; i++) {
		bytes *= (uint32_t)model->shape.dim[i];
	}
	void *data = calloc(1, bytes);
	assert_non_null(data);
	struct wire_infer *infer = calloc(1, sizeof(*infer));
	assert_non_null(infer);
	infer->model = wire_text_of(model->name);
	infer->n_inputs = 1;
	infer->n_wanted = WIRE_ALL_OUTPUTS;
	infer->inputs[0].type = model->type;
	infer->inputs[0].shape = model->shape;
	infer->inputs[0].bytes = bytes;
	infer->inputs[0].data = data;
	wire_infer_encode(&w, infer);
	free(infer);
	for (uint64_t id = 1; id <= runs; id++) {
		peer_send(peer, WIRE_INFER, id, 0, &w);
		peer_expect(peer, id, EDGE_OK);
	}
	bytes_writer_deinit(&w);
	free(data);
}

static void folder_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(syncfs(fd), 0);
	close(fd);
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
	const struct model model = {NULL, "vibration", DTYPE_INT8, {3, {1, 128, 3}}};
	struct peer peer = peer_open(daemon);
	model_run(&peer, &model, RUNS);
	peer_close(&peer);
	folder_sync(
		daemon->folder); /* what edged has just written is dirty until the disk has it */
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

/* Models beside the source tree, and what edged may take with all of them loaded and run: without the flight recorder's
 * 64 bytes for each of the last 10,000 requests. */
struct figure {
	long most_kb;
	struct model models[4];
};

static const struct figure figures[] = {
	{8192,
		{{SHARED "coral/tf2_mobilenet_v2_1.0_224_ptq.tflite", "mobilenet", DTYPE_UINT8,
			{4, {1, 224, 224, 3}}}}},
	{4608,
		{{SHARED "mlperf_tiny/vww_96_int8.tflite", "vww", DTYPE_INT8, {4, {1, 96, 96, 3}}},
			{SHARED "mlperf_tiny/kws_ref_model.tflite", "kws", DTYPE_INT8,
				{4, {1, 49, 10, 1}}},
			{SHARED "mlperf_tiny/pretrainedResnet_quant.tflite", "resnet", DTYPE_INT8,
				{4, {1, 32, 32, 3}}},
			{SHARED "mlperf_tiny/ad01_int8.tflite", "ad", DTYPE_INT8, {2, {1, 640}}}}},
};

/* Those of other CPUs pack weights otherwise, and have other code. */
static bool figures_are_of_this_cpu(void)
{
	bool found = false;
#if defined(__x86_64__)
	found = __builtin_cpu_supports("avx512vnni");
#endif
	return found && daemon_memory_counts() && access(figures[0].models[0].file, R_OK) == 0;
}

static void figure_run(struct peer *peer, const struct figure *figure, uint64_t runs)
{
	for (size_t i = 0; i < 4 && figure->models[i].file; i++) {
		model_run(peer, &figure->models[i], runs);
	}
}

static void figure_check(const struct figure *figure)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	assert_non_null(daemon);
	daemon_prepare(daemon);
	for (size_t i = 0; i < 4 && figure->models[i].file; i++) {
		model_copy(daemon, figure->models[i].file, figure->models[i].name);
	}
	daemon_start(daemon, true);
	struct peer peer = peer_open(daemon);
	/* What loading took is given back a second later. */
	long kb = LONG_MAX;
	unsigned int below = 0;
	for (unsigned int i = 0; below < SETTLED_MS / 100 && i < SETTLING_MS / 100; i++) {
		usleep(100000);
		figure_run(&peer, figure, RUNS);
		kb = daemon_memory_kb(daemon, "Rss");
		below = kb <= figure->most_kb ? below + 1 : 0;
	}
	peer_close(&peer);
	daemon_end(daemon);
	free(daemon);
	if (below == 0) {
		fail_msg("Rss is %ld KB with %s, of at most %ld", kb, figure->models[0].name,
			figure->most_kb);
	}
}

static void mobilenet_takes_8_mb_and_four_small_models_take_4_5(void **state)
{
	(void)state;
	if (!figures_are_of_this_cpu()) {
		print_message("SKIPPED: no AVX512-VNNI, no models, or a sanitizer\n");
		return;
	}
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		figure_check(&figures[i]);
	}
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
	const struct CMUnitTest alone[] = {
		cmocka_unit_test(mobilenet_takes_8_mb_and_four_small_models_take_4_5),
	};
	int failed = cmocka_run_group_tests(tests, set_up, tear_down);
	return failed + cmocka_run_group_tests(alone, NULL, NULL);
}
