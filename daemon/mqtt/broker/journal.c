/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/broker/journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/file.h"

#define MAGIC UINT64_C(0x327470656B676465) /* "edgkept2": version of the record format */
#define CORRELATION 4 /* the only text that may have zero bytes */
#define N_PARTS (2 * JOURNAL_N_TEXTS + 3)

struct header {
	uint64_t number, magic, arrived_ns;
	uint32_t payload_bytes, expiry_s;
	uint32_t text_bytes[JOURNAL_N_TEXTS]; /* without the zero byte */
	uint8_t qos, tries, spare[6];
};

void journal_init(struct journal *journal)
{
	long page = sysconf(_SC_PAGESIZE);
	*journal = (struct journal){
		.fd = -1, .page = page > 0 ? (uint64_t)page : 4096, .n_brokers = 1};
	for (size_t i = 0; i < JOURNAL_SLOTS; i++) {
		journal->entries[i].journal = journal;
	}
}

void journal_set_brokers(struct journal *journal, size_t n_brokers)
{
	assert(n_brokers > 0);
	journal->n_brokers = n_brokers;
}

static uint64_t pages_of(const struct journal *journal, uint64_t bytes)
{
	return (bytes + journal->page - 1) / journal->page * journal->page;
}

static struct journal_entry *free_note(struct journal *journal)
{
	struct journal_entry *entry = journal->entries;
	if (journal->n_used == JOURNAL_SLOTS) {
		return NULL;
	}
	while (entry->number) {
		entry++;
	}
	return entry;
}

/* Makes @entry the entry of a record. */
static void note_fill(
	struct journal_entry *entry, const char *broker, uint64_t number, uint64_t size)
{
	struct journal *journal = entry->journal;
	*entry = (struct journal_entry){
		.journal = journal, .number = number, .at = journal->end, .bytes = (uint32_t)size};
	snprintf(entry->broker, sizeof(entry->broker), "%s", broker);
	journal->end += pages_of(journal, size);
	journal->bytes += pages_of(journal, size);
	journal->n_used++;
}

static int punch(const struct journal *journal, uint64_t at, uint64_t bytes)
{
	int r = fallocate(journal->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at,
		(off_t)pages_of(journal, bytes));
	return r < 0 ? -errno : 0;
}

/* ---- records of an earlier run */

/* Returns the size of the record at journal->end; 0: there is no complete one. */
static uint64_t find_record(
	const struct journal *journal, struct header *header, char broker[SETTINGS_NAME_SIZE])
{
	uint64_t again = 0, texts = 0;
	if (file_read_at(journal->fd, (off_t)journal->end, header, sizeof(*header)) < 0 ||
		header->magic != MAGIC || header->number == 0 ||
		header->arrived_ns > journal->next || header->payload_bytes > JOURNAL_MAX_PAYLOAD) {
		return 0;
	}
	for (size_t i = 0; i < JOURNAL_N_TEXTS; i++) {
		if (header->text_bytes[i] > JOURNAL_MAX_TEXTS) {
			return 0;
		}
		texts += header->text_bytes[i] + 1;
	}
	const uint64_t last = sizeof(*header) + texts + header->payload_bytes;
	const size_t length = header->text_bytes[0];
	broker[0] = 0;
	bool whole = texts <= JOURNAL_MAX_TEXTS && length < SETTINGS_NAME_SIZE &&
		file_read_at(journal->fd, (off_t)(journal->end + sizeof(*header)), broker,
			length) == 0 &&
		file_read_at(journal->fd, (off_t)(journal->end + last), &again, sizeof(again)) ==
			0 &&
		again == header->number;
	broker[whole ? length : 0] = 0;
	return whole ? last + sizeof(again) : 0;
}

/* Finds records of an earlier run, which begin at pages with data. Punches all other pages: that
 * fails if the file system has no holes, and the file would grow without limit. */
static int find(struct journal *journal)
{
	struct header header;
	char broker[SETTINGS_NAME_SIZE];
	int r = 0;
	for (off_t at; r == 0 && (at = lseek(journal->fd, (off_t)journal->end, SEEK_DATA)) >= 0;) {
		journal->end = (uint64_t)at / journal->page * journal->page;
		struct journal_entry *entry = free_note(journal);
		uint64_t size = entry ? find_record(journal, &header, broker) : 0;
		if (size) {
			note_fill(entry, broker, header.number, size);
			entry->tries = header.tries;
			entry->earlier = entry->waits = true;
			journal->n_waiting++;
		} else {
			r = punch(journal, journal->end, journal->page);
			journal->end += journal->page;
		}
	}
	return r < 0 ? r : punch(journal, journal->end, journal->page);
}

int journal_open(struct journal *journal, const char *folder, uint64_t max_bytes, struct error *err)
{
	char path[CONFIG_PATH_SIZE + 8];
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	snprintf(path, sizeof(path), "%s/kept", folder);
	journal->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = journal->fd < 0 || fcntl(journal->fd, F_SETLK, &whole) < 0 ? -errno : 0;
	journal->max_bytes = max_bytes;
	journal->next = clock_now_ns();
	r = r < 0 ? r : find(journal);
	if (r < 0) {
		journal_close(journal);
		return error_set(err, r, "%s: %s", path, strerror(-r));
	}
	return 0;
}

void journal_remove(const char *folder)
{
	char path[CONFIG_PATH_SIZE + 8];
	snprintf(path, sizeof(path), "%s/kept", folder);
	unlink(path);
}

void journal_close(struct journal *journal)
{
	own_close_fd(&journal->fd);
	journal->fd = -1;
	journal->n_waiting = 0;
}

/* The record points into @buffer. find() has checked the sizes. */
static bool decode(uint8_t *buffer, struct journal_record *ret_record)
{
	struct header header;
	const char *texts[JOURNAL_N_TEXTS];
	memcpy(&header, buffer, sizeof(header));
	uint8_t *at = buffer + sizeof(header);
	for (size_t i = 0; i < JOURNAL_N_TEXTS; i++) {
		texts[i] = (const char *)at;
		at += header.text_bytes[i];
		if (*at++ != 0) {
			return false;
		}
	}
	*ret_record = (struct journal_record){.broker = texts[0],
		.buffer = buffer,
		.message = {.topic = texts[1],
			.payload = at,
			.size = header.payload_bytes,
			.qos = header.qos,
			.arrived_ns = header.arrived_ns,
			.expiry_s = header.expiry_s,
			.response_topic = texts[2],
			.content_type = texts[3],
			.correlation = texts[CORRELATION],
			.correlation_bytes = header.text_bytes[CORRELATION],
			.priority = texts[5],
			.accept = texts[6],
			.traceparent = texts[7],
			.deadline = texts[8]}};
	return true;
}

static void write_tries(struct journal_entry *entry)
{
	off_t at = (off_t)(entry->at + offsetof(struct header, tries));
	ssize_t n = entry->journal->fd < 0 ? 1 : pwrite(entry->journal->fd, &entry->tries, 1, at);
	(void)n; /* the page exists, so the write needs no memory */
}

void journal_count_try(struct journal_entry *entry)
{
	if (entry && entry->earlier && !entry->tried) {
		entry->tried = true;
		entry->tries++;
		write_tries(entry);
	}
}

bool journal_is_given_up(const struct journal_entry *entry)
{
	return entry && entry->tries >= JOURNAL_TRIES;
}

void journal_clear_tries(struct journal_entry *entry)
{
	if (entry && entry->tries > 0) {
		entry->tries = 0;
		entry->earlier = entry->tried = false;
		write_tries(entry);
	}
}

struct journal_entry *journal_oldest(struct journal *journal, journal_may_fn may, const void *data)
{
	struct journal_entry *oldest = NULL;
	for (size_t i = 0; i < JOURNAL_SLOTS && journal->n_waiting > 0; i++) {
		struct journal_entry *entry = &journal->entries[i];
		if (entry->waits && (!oldest || entry->number < oldest->number) &&
			may(data, entry)) {
			oldest = entry;
		}
	}
	return oldest;
}

void journal_put_off(struct journal_entry *entry)
{
	entry->waits = true;
	entry->journal->n_waiting++;
}

bool journal_next(struct journal *journal, journal_may_fn may, const void *data,
	struct journal_record *ret_record, struct journal_entry **ret_note)
{
	for (struct journal_entry *next; (next = journal_oldest(journal, may, data));) {
		owned_mem uint8_t *buffer = malloc(next->bytes);
		if (!buffer) {
			return false;
		}
		owned(journal_delete) struct journal_entry *entry = next;
		entry->waits = false;
		journal->n_waiting--;
		if (file_read_at(journal->fd, (off_t)entry->at, buffer, entry->bytes) == 0 &&
			decode(buffer, ret_record)) {
			buffer = NULL;
			*ret_note = take(entry);
			return true;
		}
		journal->given_up++;
	}
	return false;
}

/* ---- records of this run */

/* Returns true if the broker's share has room for a record of @size bytes. */
static bool has_room(const struct journal *journal, const char *broker, uint64_t size)
{
	uint64_t bytes = pages_of(journal, size);
	size_t n = 0;
	for (size_t i = 0; i < JOURNAL_SLOTS && journal->n_used > 0; i++) {
		const struct journal_entry *entry = &journal->entries[i];
		if (entry->number && strcmp(entry->broker, broker) == 0) {
			n++;
			bytes += pages_of(journal, entry->bytes);
		}
	}
	return n < JOURNAL_SLOTS / journal->n_brokers &&
		bytes <= journal->max_bytes / journal->n_brokers &&
		journal->bytes + pages_of(journal, size) <= journal->max_bytes;
}

/* Fills @parts with the record's parts, without copying. */
static size_t lay_out(struct header *header, const char *broker, const struct mosq_message *m,
	struct iovec parts[N_PARTS])
{
	const char *const texts[JOURNAL_N_TEXTS] = {broker, m->topic, m->response_topic,
		m->content_type, m->correlation_bytes ? m->correlation : "", m->priority, m->accept,
		m->traceparent, m->deadline};
	size_t n = 0;
	parts[n++] = (struct iovec){header, sizeof(*header)};
	for (size_t i = 0; i < JOURNAL_N_TEXTS; i++) {
		size_t bytes = i == CORRELATION ? m->correlation_bytes : strlen(texts[i]);
		header->text_bytes[i] =
			bytes > JOURNAL_MAX_TEXTS ? JOURNAL_MAX_TEXTS : (uint32_t)bytes;
		parts[n++] = (struct iovec){(void *)texts[i], bytes};
		parts[n++] = (struct iovec){(void *)"", 1};
	}
	parts[n++] = (struct iovec){(void *)m->payload, m->size};
	parts[n++] = (struct iovec){&header->number, sizeof(header->number)};
	return n;
}

struct journal_entry *journal_add(
	struct journal *journal, const char *broker, const struct mosq_message *m)
{
	struct iovec parts[N_PARTS];
	struct header header = {.number = journal->next,
		.magic = MAGIC,
		.arrived_ns = m->arrived_ns,
		.payload_bytes = (uint32_t)m->size,
		.expiry_s = m->expiry_s,
		.qos = (uint8_t)m->qos};
	if (journal->fd < 0) {
		return NULL;
	}
	size_t n = lay_out(&header, broker, m, parts), size = 0;
	for (size_t i = 0; i < n; i++) {
		size += parts[i].iov_len;
	}
	struct journal_entry *entry = free_note(journal);
	bool fits = entry && m->size <= JOURNAL_MAX_PAYLOAD &&
		size - m->size <= JOURNAL_MAX_TEXTS && has_room(journal, broker, size);
	ssize_t written = fits ? pwritev(journal->fd, parts, (int)n, (off_t)journal->end) : 0;
	if (written != (ssize_t)size) {
		int r = written > 0 ? punch(journal, journal->end, size) : 0;
		(void)r; /* it worked in find() */
		journal->full++;
		return NULL;
	}
	note_fill(entry, broker, journal->next++, size);
	return entry;
}

void journal_delete(struct journal_entry *entry)
{
	if (!entry || entry->journal->fd < 0) {
		return;
	}
	struct journal *journal = entry->journal;
	assert(entry->number);
	journal->bytes -= pages_of(journal, entry->bytes);
	journal->n_used--;
	journal->n_waiting -= entry->waits;
	entry->number = 0;
	entry->waits = false;
	int r = journal->n_used ? punch(journal, entry->at, entry->bytes)
				: ftruncate(journal->fd, 0);
	(void)r; /* it worked in find(); after a failure the next run repeats the request */
	journal->end = journal->n_used ? journal->end : 0;
}
