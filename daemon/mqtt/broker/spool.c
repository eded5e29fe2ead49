/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"

#define HEAD_BYTES 18
#define WINDOW 1024 /* records that may be on their way */
#define NAME_SIZE 32
#define MARK_BYTES 9 /* of "done" */
#define IN_VAIN                                                                                    \
	4 /* times a segment and a record: the most that is looked at for records that are none */

struct spool {
	int folder;
	uint64_t max_bytes, bytes;
	uint64_t first; /* number that names the oldest segment; == next: there is none */
	uint64_t next; /* number of the next record */
	uint64_t done; /* first that was not delivered */
	uint64_t dropped;
	int out; /* the last segment; -1: none is open */
	uint64_t out_bytes;
	int full[SPOOL_SEGMENTS]; /* segments before it that no disk was asked for yet, oldest first */
	size_t n_full;
	int in; /* that is being read; */
	off_t in_at; /* from here on there is */
	uint64_t in_next; /* no record of a smaller number */
	off_t last_at; /* of the record that was read last */
	uint64_t at; /* number of the next record to be read */
	uint64_t hole_at; /* this one is not where it should be; UINT64_MAX: none is known */
	uint8_t tries; /* of the first that was not delivered */
	bool tried; /* some record was, in this life */
	uint8_t earlier_tries; /* of earlier lives, of this record: */
	uint64_t earlier;
	bool dirty;
	uint8_t delivered[WINDOW]; /* behind done, by number % WINDOW */
	uint8_t record[HEAD_BYTES + SPOOL_MAX_RECORD + 1];
};

/* CRC-32 of ISO 3309, reflected, as zlib computes it. */
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

static bool read_whole(int fd, void *data, size_t size)
{
	size_t at = 0;
	while (at < size) {
		ssize_t n = read(fd, (uint8_t *)data + at, size - at);
		if (n == 0 || (n < 0 && errno != EINTR)) {
			return false;
		}
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* The record at @at into spool->record. False at the end, or for what is none. */
static bool read_record(
	struct spool *spool, int fd, off_t at, uint64_t *ret_number, size_t *ret_size)
{
	uint8_t *r = spool->record;
	if (lseek(fd, at, SEEK_SET) < 0 || !read_whole(fd, r, HEAD_BYTES)) {
		return false;
	}
	uint32_t size = bytes_get_u32(r);
	uint16_t of_topic = bytes_get_u16(r + 16);
	if (size > SPOOL_MAX_RECORD || of_topic > size || of_topic == 0 ||
		!read_whole(fd, r + HEAD_BYTES, size) ||
		crc32_of(r + 8, HEAD_BYTES - 8 + size) != bytes_get_u32(r + 4)) {
		return false;
	}
	*ret_number = bytes_get_u64(r + 8);
	*ret_size = size;
	return true;
}

/* The first whole record from *at on whose number is @least or, behind what is damaged, larger. *at: where it begins. */
static bool find_record(struct spool *spool, int fd, off_t *at, uint64_t least,
	uint64_t *ret_number, size_t *ret_size)
{
	uint8_t bytes[4096];
	struct stat st = {0};
	if (read_record(spool, fd, *at, ret_number, ret_size) && *ret_number == least) {
		return true;
	}
	const off_t end = fstat(fd, &st) == 0 ? st.st_size - HEAD_BYTES : 0;
	uint64_t vain = IN_VAIN * (SPOOL_MAX_RECORD + (uint64_t)st.st_size);
	ssize_t n = 0;
	for (off_t from = *at, first = from; from <= end; from++) {
		if (from + HEAD_BYTES > first + n) {
			first = from;
			n = pread(fd, bytes, sizeof(bytes), from);
			if (n < HEAD_BYTES) {
				return false;
			}
		}
		/* Each that is missing had a head: hardly one checksum is computed in vain, unless somebody means it. */
		const uint8_t *head = bytes + (from - first);
		const uint64_t missing = bytes_get_u64(head + 8) - least;
		const uint32_t size = bytes_get_u32(head);
		if (missing > (uint64_t)(from - *at) / HEAD_BYTES || from + (off_t)size > end) {
			continue;
		}
		if (read_record(spool, fd, from, ret_number, ret_size)) {
			*at = from;
			return true;
		}
		const uint64_t cost = HEAD_BYTES + size;
		if (vain < cost) {
			return false;
		}
		vain -= cost;
	}
	return false;
}

/* The oldest segment at or above @from; UINT64_MAX: none. @ret_bytes: of all of them. */
static uint64_t find_segment(struct spool *spool, uint64_t from, uint64_t *ret_bytes)
{
	uint64_t best = UINT64_MAX, bytes = 0, number = 0;
	int copy = openat(spool->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = copy < 0 ? NULL : fdopendir(copy);
	for (struct dirent *e; folder && (e = readdir(folder));) {
		struct stat st;
		if (!number_of(e->d_name, &number) ||
			fstatat(spool->folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			continue;
		}
		bytes += (uint64_t)st.st_size;
		best = number >= from && number < best ? number : best;
	}
	if (folder) {
		closedir(folder);
	}
	if (ret_bytes) {
		*ret_bytes = bytes;
	}
	return best;
}

/* What is behind the last segment's last whole record is cut off: something was there, nobody knows how much. */
static int mend(struct spool *spool, uint64_t segment, struct error *err)
{
	owned_fd int fd = open_segment(spool, segment, O_RDWR);
	struct stat st = {0};
	uint64_t number = 0;
	size_t size = 0;
	off_t end = 0;
	spool->next = segment;
	while (fd >= 0 && find_record(spool, fd, &end, spool->next, &number, &size)) {
		end += (off_t)(HEAD_BYTES + size);
		spool->next = number + 1;
	}
	if (fd < 0 || fstat(fd, &st) < 0 || ftruncate(fd, end) < 0) {
		return error_set(err, -errno, "spool: %s", strerror(errno));
	}
	spool->dropped += st.st_size > end && spool->next >= spool->done;
	return 0;
}

static void read_mark(struct spool *spool)
{
	uint8_t mark[MARK_BYTES] = {0};
	owned_fd int fd = openat(spool->folder, "done", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && read_whole(fd, mark, sizeof(spool->done))) {
		spool->done = bytes_get_u64(mark);
		spool->tries = read_whole(fd, &mark[MARK_BYTES - 1], 1) ? mark[MARK_BYTES - 1] : 0;
	}
}

static bool write_mark(const struct spool *spool, const char *name)
{
	uint8_t mark[MARK_BYTES];
	memcpy(mark, &spool->done, sizeof(spool->done));
	mark[MARK_BYTES - 1] = spool->tries;
	owned_fd int fd =
		openat(spool->folder, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd >= 0 && write(fd, mark, sizeof(mark)) == sizeof(mark);
}

static int look(struct spool *spool, struct error *err)
{
	read_mark(spool);
	uint64_t mark = spool->done;
	spool->first = find_segment(spool, 0, &spool->bytes);
	if (spool->first == UINT64_MAX) {
		spool->first = spool->next = spool->done;
		return 0;
	}
	uint64_t last = spool->first;
	for (uint64_t s = last; s != UINT64_MAX; s = find_segment(spool, s + 1, NULL)) {
		last = s;
	}
	int r = mend(spool, last, err);
	if (r < 0) {
		return r;
	}
	find_segment(spool, 0, &spool->bytes);
	spool->done = mark < spool->first ? spool->first : mark;
	spool->next = spool->next < spool->done ? spool->done : spool->next;
	spool->tries = spool->done == mark ? spool->tries : 0;
	return 0;
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
	spool->hole_at = UINT64_MAX;
	spool->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (spool->folder < 0) {
		return error_set(err, -errno, "spool: %s: %s", folder, strerror(errno));
	}
	int r = look(spool, err);
	if (r < 0) {
		return r;
	}
	spool->at = spool->earlier = spool->done;
	spool->earlier_tries = spool->tries;
	*ret_spool = take(spool);
	return 0;
}

static void close_fd(int *fd)
{
	own_close_fd(fd);
	*fd = -1;
}

void spool_close(struct spool *spool)
{
	if (spool) {
		spool->dirty |= spool->tried;
		spool->tries = 0; /* this is no end of the kind that counts */
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

static void remove_segment(struct spool *spool, uint64_t number)
{
	char name[NAME_SIZE];
	struct stat st;
	name_of(number, name);
	if (fstatat(spool->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		unlinkat(spool->folder, name, 0) == 0) {
		spool->bytes -=
			(uint64_t)st.st_size < spool->bytes ? (uint64_t)st.st_size : spool->bytes;
	}
}

/* The oldest segment goes, delivered or not. */
static void drop_segment(struct spool *spool)
{
	uint64_t following = find_segment(spool, spool->first + 1, NULL);
	bool last = following == UINT64_MAX;
	remove_segment(spool, spool->first);
	if (last) {
		close_fd(&spool->out);
	}
	spool->first = last ? spool->next : following;
	if (spool->done < spool->first) {
		spool->dropped += spool->first - spool->done;
		spool->done = spool->first;
		spool->tries = 0;
		memset(spool->delivered, 0, sizeof(spool->delivered));
	}
	if (spool->at < spool->done) {
		spool->at = spool->done;
		close_fd(&spool->in);
	}
}

/* It is still to be synced, unless it is so old that it must have gone. */
static void set_aside(struct spool *spool)
{
	if (spool->n_full == SPOOL_SEGMENTS) {
		close_fd(&spool->full[0]);
		memmove(spool->full, spool->full + 1, --spool->n_full * sizeof(spool->full[0]));
	}
	spool->full[spool->n_full++] = spool->out;
	spool->out = -1;
}

/* The segment that the next record goes to. */
static int open_out(struct spool *spool, size_t size, struct error *err)
{
	if (spool->out >= 0 && spool->out_bytes + size > spool->max_bytes / SPOOL_SEGMENTS) {
		set_aside(spool);
	}
	if (spool->out < 0) {
		spool->out = open_segment(spool, spool->next, O_WRONLY | O_CREAT | O_TRUNC);
		spool->out_bytes = 0;
	}
	return spool->out < 0 ? error_set(err, -errno, "spool: %s", strerror(errno)) : 0;
}

static int write_record(struct spool *spool, size_t size, struct error *err)
{
	ssize_t n = write(spool->out, spool->record, size);
	if (n == (ssize_t)size) {
		spool->out_bytes += size;
		spool->bytes += size;
		spool->next++;
		spool->dirty = true;
		return 0;
	}
	int code = n < 0 ? -errno : -ENOSPC;
	if (ftruncate(spool->out, (off_t)spool->out_bytes) < 0) {
		close_fd(&spool->out); /* mended when it is opened again */
	}
	return error_set(err, code, "spool: %s", strerror(-code));
}

int spool_append(
	struct spool *spool, const char *topic, const void *payload, size_t size, struct error *err)
{
	size_t of_topic = strlen(topic);
	size_t whole = HEAD_BYTES + of_topic + size;
	if (of_topic + size > SPOOL_MAX_RECORD || whole > spool->max_bytes / SPOOL_SEGMENTS) {
		return error_set(err, -EFBIG, "spool: a result of %zu bytes", size);
	}
	while (spool->bytes + whole > spool->max_bytes && spool->first < spool->next) {
		drop_segment(spool);
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
	memcpy(at + HEAD_BYTES, topic, of_topic);
	if (size) {
		memcpy(at + HEAD_BYTES + of_topic, payload, size);
	}
	const uint32_t crc = crc32_of(at + 8, HEAD_BYTES - 8 + bytes);
	memcpy(at + 4, &crc, sizeof(crc));
	return write_record(spool, whole, err);
}

/* The segment that holds record spool->at. */
static bool open_in(struct spool *spool)
{
	uint64_t segment = spool->first;
	for (uint64_t s = segment; s <= spool->at; s = find_segment(spool, s + 1, NULL)) {
		segment = s;
	}
	spool->in = open_segment(spool, segment, O_RDONLY);
	spool->in_at = 0;
	spool->in_next = segment;
	return spool->in >= 0;
}

/* Record spool->at or, where it is damaged, the next of its segment. */
static bool read_at(struct spool *spool, uint64_t *ret_number, size_t *ret_size)
{
	while ((spool->in >= 0 || open_in(spool)) &&
		find_record(
			spool, spool->in, &spool->in_at, spool->in_next, ret_number, ret_size)) {
		spool->in_next = *ret_number;
		if (*ret_number >= spool->at) {
			return true;
		}
		spool->in_at += (off_t)(HEAD_BYTES + *ret_size);
		spool->in_next++;
	}
	close_fd(&spool->in);
	return false;
}

/* What is before record @number is not to be read. */
static void leave_out(struct spool *spool, uint64_t number)
{
	spool->dropped += number - spool->at;
	spool->at = spool->done = number;
	spool->tries = 0;
	spool->dirty = true;
}

/* Where a segment has not all that it should the next one goes on, once all before was delivered. */
static bool leave_segment(struct spool *spool)
{
	if (spool->at != spool->done) {
		return false;
	}
	uint64_t following = find_segment(spool, spool->at + 1, NULL);
	owned_fd int spare =
		dup(spool->folder); /* none: nothing could be opened, which is no hole */
	if (following == UINT64_MAX && spool->out >= 0 && spare >= 0) {
		set_aside(spool); /* the one that is written to: another one follows */
		following = spool->next;
	}
	if (following == UINT64_MAX || following <= spool->at) {
		return false;
	}
	leave_out(spool, following);
	return true;
}

bool spool_read(struct spool *spool, struct spool_record *ret_record)
{
	uint64_t number = 0;
	size_t size = 0;
	if (spool->at >= spool->next || spool->at - spool->done >= WINDOW) {
		return false;
	}
	if (spool->hole_at == spool->at && spool->at != spool->done) {
		return false;
	}
	/* The second time: at the end of a segment, the next begins with this number. */
	if (!read_at(spool, &number, &size) && !read_at(spool, &number, &size)) {
		spool->hole_at = spool->at;
		if (!leave_segment(spool) || spool->at >= spool->next ||
			!read_at(spool, &number, &size)) {
			return false;
		}
	}
	if (number > spool->at) {
		if (spool->at != spool->done) {
			return false; /* once all before was delivered */
		}
		leave_out(spool, number);
	}
	uint16_t of_topic = bytes_get_u16(spool->record + 16);
	uint8_t *topic = spool->record + HEAD_BYTES;
	memmove(topic - 1, topic, of_topic); /* room for its zero byte */
	topic[of_topic - 1] = 0;
	*ret_record = (struct spool_record){.number = spool->at,
		.topic = (const char *)topic - 1,
		.payload = topic + of_topic,
		.size = size - of_topic};
	spool->last_at = spool->in_at;
	spool->in_at += (off_t)(HEAD_BYTES + size);
	spool->in_next = ++spool->at;
	return true;
}

void spool_unread(struct spool *spool)
{
	spool->in_next = --spool->at;
	spool->in_at = spool->last_at;
}

void spool_try(struct spool *spool, uint64_t number, bool each)
{
	if (number == spool->done && (each || !spool->tried)) {
		spool->tried = true;
		spool->tries += spool->tries < UINT8_MAX;
		bool written = write_mark(spool, "done"); /* in place: no disk waits for it */
		(void)written; /* this one is not counted */
	}
}

unsigned int spool_tries(const struct spool *spool, uint64_t *ret_number)
{
	*ret_number = spool->earlier;
	return spool->earlier_tries;
}

void spool_rewind(struct spool *spool)
{
	close_fd(&spool->in);
	spool->at = spool->done;
	memset(spool->delivered, 0, sizeof(spool->delivered));
}

/* Segments that lie before the mark as a whole. */
static void remove_delivered(struct spool *spool)
{
	while (spool->first < spool->next) {
		uint64_t following = find_segment(spool, spool->first + 1, NULL);
		uint64_t end = following == UINT64_MAX ? spool->next : following;
		if (end > spool->done) {
			return;
		}
		drop_segment(spool);
	}
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
	if (spool->done != before) {
		spool->dirty = true;
		spool->tries = 0;
		if (spool->done == spool->next || spool->done % 256 < spool->done - before) {
			remove_delivered(spool);
		}
	}
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
	if (write_mark(spool, "done.new")) {
		int r = renameat(spool->folder, "done.new", spool->folder, "done");
		(void)r; /* what was delivered would be delivered again */
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
