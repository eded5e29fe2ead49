/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/broker/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/file.h"

#define HEADER_BYTES 18
#define WINDOW 1024 /* limit of records in flight */
#define NAME_SIZE 32
#define MAX_SEGMENTS 64 /* more than SPOOL_SEGMENTS, because each start begins another one */

struct segment {
	uint64_t first; /* number of its first record, and its name */
	uint64_t bytes;
};

struct spool {
	int folder;
	uint64_t max_bytes;
	struct segment segments[MAX_SEGMENTS]; /* oldest first */
	size_t n_segments;
	uint64_t next; /* number of the next record */
	uint64_t done; /* number of the first undelivered record */
	uint64_t dropped;
	int out; /* the newest segment, for writing; -1: the next record begins another one */
	int full[SPOOL_SEGMENTS]; /* earlier segments to be fsynced, oldest first */
	size_t n_full;
	int in; /* the segment being read; -1: not open */
	off_t in_at; /* offset of the next record in @in */
	uint64_t in_next; /* number that is expected at @in_at */
	off_t last_at; /* offset of the record that was read last */
	uint64_t at; /* number of the next record to read */
	bool dirty;
	uint8_t delivered[WINDOW]; /* by number % WINDOW: delivered, but a record before is not */
	uint8_t record[HEADER_BYTES + SPOOL_MAX_RECORD + 1];
};

/* CRC-32 of ISO 3309, reflected, as in zlib. */
static uint32_t crc32_of(const uint8_t *data, size_t size)
{
	uint32_t crc = UINT32_MAX;
	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (int k = 0; k < 8; k++) {
			crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1)));
		}
	}
	return ~crc;
}

static void name_of(uint64_t number, char out[NAME_SIZE])
{
	snprintf(out, NAME_SIZE, "%016" PRIx64 ".spool", number);
}

static bool number_of(const char *name, uint64_t *ret_number)
{
	char back[NAME_SIZE];
	*ret_number = strtoull(name, NULL, 16);
	name_of(*ret_number, back);
	return strcmp(back, name) == 0;
}

static int open_segment(const struct spool *spool, uint64_t number, int flags)
{
	char name[NAME_SIZE];
	name_of(number, name);
	return openat(spool->folder, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static void close_fd(int *fd)
{
	own_close_fd(fd);
	*fd = -1;
}

/* Reads the record at @at into spool->record. Returns its size without the header; -1 at the end, or if
 * it is not record @number. Only a @whole record's checksum is compared. */
static ssize_t read_record(struct spool *spool, int fd, off_t at, uint64_t number, bool whole)
{
	uint8_t *r = spool->record;
	if (file_read_at(fd, at, r, HEADER_BYTES) < 0) {
		return -1;
	}
	const uint32_t size = bytes_get_u32(r);
	const uint16_t of_topic = bytes_get_u16(r + 16);
	if (size > SPOOL_MAX_RECORD || of_topic > size || of_topic == 0 ||
		bytes_get_u64(r + 8) != number) {
		return -1;
	}
	if (whole &&
		(file_read_at(fd, at + HEADER_BYTES, r + HEADER_BYTES, size) < 0 ||
			crc32_of(r + 8, HEADER_BYTES - 8 + size) != bytes_get_u32(r + 4))) {
		return -1;
	}
	return (ssize_t)size;
}

/* ---- segments */

/* Returns the index of the newest segment that begins at or before @number. */
static size_t segment_of(const struct spool *spool, uint64_t number)
{
	size_t i = spool->n_segments;
	while (i > 1 && spool->segments[i - 1].first > number) {
		i--;
	}
	return i - 1;
}

/* Returns the number behind the last record of segment @i. */
static uint64_t end_of(const struct spool *spool, size_t i)
{
	return i + 1 < spool->n_segments ? spool->segments[i + 1].first : spool->next;
}

static uint64_t bytes_of(const struct spool *spool)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < spool->n_segments; i++) {
		bytes += spool->segments[i].bytes;
	}
	return bytes;
}

/* Deletes the oldest segment, delivered or not. */
static void drop_oldest(struct spool *spool)
{
	char name[NAME_SIZE];
	const uint64_t end = end_of(spool, 0);
	name_of(spool->segments[0].first, name);
	unlinkat(spool->folder, name, 0);
	spool->n_segments--;
	memmove(spool->segments, spool->segments + 1,
		spool->n_segments * sizeof(spool->segments[0]));
	if (spool->n_segments == 0) {
		close_fd(&spool->out);
	}
	if (spool->done < end) {
		spool->dropped += end - spool->done;
		spool->done = end;
		memset(spool->delivered, 0, sizeof(spool->delivered));
	}
	if (spool->at < spool->done) {
		spool->at = spool->done;
		close_fd(&spool->in);
	}
}

/* Deletes segments whose records are all delivered. */
static void remove_delivered(struct spool *spool)
{
	while (spool->n_segments > 0 && end_of(spool, 0) <= spool->done) {
		drop_oldest(spool);
	}
}

/* Adds a segment in its order. */
static void add_segment(struct spool *spool, uint64_t first, uint64_t bytes)
{
	size_t i = spool->n_segments++;
	for (; i > 0 && spool->segments[i - 1].first > first; i--) {
		spool->segments[i] = spool->segments[i - 1];
	}
	spool->segments[i] = (struct segment){first, bytes};
}

/* Further segments than MAX_SEGMENTS, which no earlier run has written, are left alone. */
static int take_segment(void *context, const char *name, unsigned char type)
{
	struct spool *spool = context;
	uint64_t first = 0;
	struct stat st;
	(void)type;
	if (spool->n_segments < MAX_SEGMENTS && number_of(name, &first) &&
		fstatat(spool->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		add_segment(spool, first, (uint64_t)st.st_size);
	}
	return 0;
}

/* Cuts off the newest segment behind its last whole record. The lost part counts as one record. */
static int mend(struct spool *spool)
{
	struct segment *newest = &spool->segments[spool->n_segments - 1];
	owned_fd int fd = open_segment(spool, newest->first, O_RDWR);
	uint64_t end = 0;
	ssize_t size = 0;
	spool->next = newest->first;
	while (fd >= 0 &&
		(size = read_record(
			 spool, fd, (off_t)end, spool->next, spool->next >= spool->done)) >= 0) {
		end += HEADER_BYTES + (uint64_t)size;
		spool->next++;
	}
	if (fd < 0 || ftruncate(fd, (off_t)end) < 0) {
		return -errno;
	}
	spool->dropped += newest->bytes > end && spool->next >= spool->done;
	newest->bytes = end;
	return 0;
}

static void read_done(struct spool *spool)
{
	uint8_t done[sizeof(spool->done)];
	owned_fd int fd = openat(spool->folder, "done", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && file_read_at(fd, 0, done, sizeof(done)) == 0) {
		spool->done = bytes_get_u64(done);
	}
}

static bool write_done(const struct spool *spool)
{
	const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	owned_fd int fd = openat(spool->folder, "done.new", flags, 0600);
	return fd >= 0 && write(fd, &spool->done, sizeof(spool->done)) == sizeof(spool->done);
}

static int read_folder(struct spool *spool)
{
	read_done(spool);
	int r = file_each_entry(spool->folder, take_segment, spool);
	r = r == 0 && spool->n_segments ? mend(spool) : r;
	if (r == 0 && spool->n_segments && spool->done < spool->segments[0].first) {
		spool->done = spool->segments[0].first;
	}
	spool->next = spool->next < spool->done ? spool->done : spool->next;
	spool->at = spool->done;
	if (r == 0) {
		remove_delivered(spool);
	}
	return r;
}

int spool_open(const char *folder, uint64_t max_bytes, struct spool **ret_spool, struct error *err)
{
	if (mkdir(folder, 0700) < 0 && errno != EEXIST) {
		return error_set(err, -errno, "spool: %s: %s", folder, strerror(errno));
	}
	struct spool *new = calloc(1, sizeof(*new));
	if (!new) {
		return error_no_memory(err);
	}
	owned(spool_close) struct spool *spool = new;
	spool->max_bytes = max_bytes;
	spool->in = spool->out = -1;
	spool->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = spool->folder < 0 ? -errno : read_folder(spool);
	if (r < 0) {
		return error_set(err, r, "spool: %s: %s", folder, strerror(-r));
	}
	*ret_spool = take(spool);
	return 0;
}

void spool_close(struct spool *spool)
{
	if (spool) {
		int fds[SPOOL_MAX_FDS];
		size_t n = spool->dirty && spool->folder >= 0 ? spool_take_fds(spool, fds) : 0;
		for (size_t i = 0; i < n; i++) {
			close_fd(&fds[i]);
		}
		while (spool->n_full > 0) {
			close_fd(&spool->full[--spool->n_full]);
		}
		close_fd(&spool->in);
		close_fd(&spool->out);
		close_fd(&spool->folder);
		free(spool);
	}
}

/* Keeps the segment's descriptor for the next fsync. The oldest one is closed if there are too
 * many. */
static void set_aside(struct spool *spool)
{
	if (spool->n_full == SPOOL_SEGMENTS) {
		close_fd(&spool->full[0]);
		memmove(spool->full, spool->full + 1, --spool->n_full * sizeof(spool->full[0]));
	}
	spool->full[spool->n_full++] = spool->out;
	spool->out = -1;
}

/* Opens the segment for the next record. */
static int open_out(struct spool *spool, size_t size, struct error *err)
{
	size_t n = spool->n_segments;
	if (spool->out >= 0 &&
		spool->segments[n - 1].bytes + size > spool->max_bytes / SPOOL_SEGMENTS) {
		set_aside(spool);
	}
	if (spool->out >= 0) {
		return 0;
	}
	if (n == MAX_SEGMENTS) {
		drop_oldest(spool);
		n--;
	}
	spool->out = open_segment(spool, spool->next, O_WRONLY | O_CREAT | O_TRUNC);
	if (spool->out < 0) {
		return error_set(err, -errno, "spool: %s", strerror(errno));
	}
	if (n == 0 || spool->segments[n - 1].first != spool->next) {
		add_segment(spool, spool->next, 0);
	}
	return 0;
}

static int write_record(struct spool *spool, size_t size, struct error *err)
{
	struct segment *newest = &spool->segments[spool->n_segments - 1];
	ssize_t n = write(spool->out, spool->record, size);
	if (n == (ssize_t)size) {
		newest->bytes += size;
		spool->next++;
		spool->dirty = true;
		return 0;
	}
	int code = n < 0 ? -errno : -ENOSPC;
	if (ftruncate(spool->out, (off_t)newest->bytes) < 0) {
		close_fd(&spool->out); /* the rest of the segment is skipped when it is read */
	}
	return error_set(err, code, "spool: %s", strerror(-code));
}

int spool_append(
	struct spool *spool, const char *topic, const void *payload, size_t size, struct error *err)
{
	size_t of_topic = strlen(topic);
	size_t whole = HEADER_BYTES + of_topic + size;
	if (of_topic + size > SPOOL_MAX_RECORD || whole > spool->max_bytes / SPOOL_SEGMENTS) {
		return error_set(err, -EFBIG, "spool: a result of %zu bytes", size);
	}
	while (spool->n_segments > 0 && bytes_of(spool) + whole > spool->max_bytes) {
		drop_oldest(spool);
	}
	int r = open_out(spool, whole, err);
	if (r < 0) {
		return r;
	}
	uint8_t *at = spool->record;
	const uint32_t bytes = (uint32_t)(of_topic + size);
	const uint16_t topic_bytes = (uint16_t)of_topic;
	memcpy(at, &bytes, sizeof(bytes));
	memcpy(at + 8, &spool->next, sizeof(spool->next));
	memcpy(at + 16, &topic_bytes, sizeof(topic_bytes));
	memcpy(at + HEADER_BYTES, topic, of_topic);
	if (size) {
		memcpy(at + HEADER_BYTES + of_topic, payload, size);
	}
	const uint32_t crc = crc32_of(at + 8, HEADER_BYTES - 8 + bytes);
	memcpy(at + 4, &crc, sizeof(crc));
	return write_record(spool, whole, err);
}

/* Finds record spool->at. Returns its size; -1: it is damaged or missing. */
static ssize_t find_record(struct spool *spool)
{
	const struct segment *segment = &spool->segments[segment_of(spool, spool->at)];
	ssize_t size = 0;
	if (spool->in < 0 || segment->first == spool->at) {
		close_fd(&spool->in);
		spool->in = open_segment(spool, segment->first, O_RDONLY);
		spool->in_at = 0;
		spool->in_next = segment->first;
	}
	while (spool->in >= 0 && spool->in_next < spool->at && size >= 0) {
		size = read_record(spool, spool->in, spool->in_at, spool->in_next, false);
		spool->in_at += size < 0 ? 0 : HEADER_BYTES + size;
		spool->in_next += size >= 0;
	}
	return spool->in < 0 || size < 0
		? -1
		: read_record(spool, spool->in, spool->in_at, spool->at, true);
}

/* Skips the rest of a damaged segment, once all records before are delivered. */
static bool skip_segment(struct spool *spool)
{
	/* without a free descriptor a segment cannot be opened, which is no damage */
	owned_fd int spare = dup(spool->folder);
	if (spool->at != spool->done || spare < 0) {
		return false;
	}
	const size_t i = segment_of(spool, spool->at);
	const uint64_t end = end_of(spool, i);
	if (i == spool->n_segments - 1 && spool->out >= 0) {
		set_aside(spool);
	}
	spool->dropped += end - spool->at;
	spool->at = spool->done = end;
	spool->dirty = true;
	close_fd(&spool->in);
	remove_delivered(spool);
	return spool->at < spool->next;
}

bool spool_read(struct spool *spool, struct spool_record *ret_record)
{
	ssize_t size = 0;
	if (spool->at >= spool->next || spool->at - spool->done >= WINDOW) {
		return false;
	}
	while ((size = find_record(spool)) < 0) {
		if (!skip_segment(spool)) {
			return false;
		}
	}
	uint16_t of_topic = bytes_get_u16(spool->record + 16);
	uint8_t *topic = spool->record + HEADER_BYTES;
	memmove(topic - 1, topic, of_topic); /* room for the zero byte */
	topic[of_topic - 1] = 0;
	*ret_record = (struct spool_record){.number = spool->at,
		.topic = (const char *)topic - 1,
		.payload = topic + of_topic,
		.size = (size_t)size - of_topic};
	spool->last_at = spool->in_at;
	spool->in_at += HEADER_BYTES + size;
	spool->in_next = ++spool->at;
	return true;
}

void spool_unread(struct spool *spool)
{
	spool->in_next = --spool->at;
	spool->in_at = spool->last_at;
}

void spool_rewind(struct spool *spool)
{
	close_fd(&spool->in);
	spool->at = spool->done;
	memset(spool->delivered, 0, sizeof(spool->delivered));
}

void spool_done(struct spool *spool, uint64_t number)
{
	if (number < spool->done || number - spool->done >= WINDOW) {
		return;
	}
	uint64_t before = spool->done;
	spool->delivered[number % WINDOW] = 1;
	while (spool->delivered[spool->done % WINDOW]) {
		spool->delivered[spool->done % WINDOW] = 0;
		spool->done++;
	}
	spool->dirty |= spool->done != before;
	remove_delivered(spool);
}

uint64_t spool_length(const struct spool *spool)
{
	return spool->next - spool->done;
}

uint64_t spool_dropped(const struct spool *spool)
{
	return spool->dropped;
}

bool spool_is_dirty(const struct spool *spool)
{
	return spool->dirty;
}

size_t spool_take_fds(struct spool *spool, int ret_fds[SPOOL_MAX_FDS])
{
	size_t n = spool->n_full;
	spool->dirty = false;
	if (write_done(spool)) {
		int r = renameat(spool->folder, "done.new", spool->folder, "done");
		(void)r; /* after a failure delivered records are sent again */
	}
	memcpy(ret_fds, spool->full, n * sizeof(ret_fds[0]));
	spool->n_full = 0;
	const int rest[] = {spool->out, spool->folder};
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++) {
		int fd = rest[i] >= 0 ? fcntl(rest[i], F_DUPFD_CLOEXEC, 0) : -1;
		if (fd >= 0) {
			ret_fds[n++] = fd;
		}
	}
	return n;
}
