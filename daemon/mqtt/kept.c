/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mqtt/kept.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/clock.h"

#define MAGIC UINT64_C(0x317470656B676465) /* "edgkept1": what follows is laid out as below */
#define SLOT_BYTES (UINT64_C(65) << 20) /* above head, texts and payload at their largest */
#define WARM_SLOTS 64 /* which keep a page each, and are used first */
#define CORRELATION 4 /* the only text that may hold zero bytes */

_Static_assert(SLOT_BYTES > KEPT_MAX_TEXTS + KEPT_MAX_PAYLOAD + (64u << 10),
	"a record fits into its place");

struct head {
	uint64_t number, magic, came_ns;
	uint32_t payload_bytes, expiry_s;
	uint32_t text_bytes[KEPT_N_TEXTS]; /* without their zero bytes */
	uint8_t qos, tries, spare[6];
};

void kept_init(struct kept *kept)
{
	long page = sysconf(_SC_PAGESIZE);
	*kept = (struct kept){.fd = -1, .page = page > 0 ? (uint64_t)page : 4096, .n_brokers = 1};
	for (size_t i = 0; i < KEPT_SLOTS; i++) {
		kept->notes[i].kept = kept;
	}
}

void kept_divide(struct kept *kept, size_t n_brokers)
{
	assert(n_brokers > 0);
	kept->n_brokers = n_brokers;
}

static off_t place_of(const struct kept_note *note)
{
	return (off_t)((uint64_t)(note - note->kept->notes) * SLOT_BYTES);
}

static uint64_t pages_of(const struct kept *kept, uint64_t bytes)
{
	return (bytes + kept->page - 1) / kept->page * kept->page;
}

static uint64_t size_of(const struct head *head)
{
	uint64_t size = sizeof(*head) + head->payload_bytes + sizeof(head->number);
	for (size_t i = 0; i < KEPT_N_TEXTS; i++) {
		size += head->text_bytes[i] + 1;
	}
	return size;
}

/* ---- shares */

/* That of @broker, or one that is nobody's; NULL: there is none. */
static struct kept_share *share_of(struct kept *kept, const char *broker)
{
	struct kept_share *unused = NULL;
	for (size_t i = 0; i < KEPT_SHARES; i++) {
		struct kept_share *share = &kept->shares[i];
		if (share->n == 0) {
			unused = share;
		} else if (strcmp(share->broker, broker) == 0) {
			return share;
		}
	}
	return unused;
}

static bool share_fits(const struct kept *kept, const struct kept_share *share, uint64_t size)
{
	return share && share->n < KEPT_SLOTS / kept->n_brokers &&
		share->bytes + pages_of(kept, size) <= kept->max_bytes / kept->n_brokers;
}

static void count_in(struct kept_note *note, struct kept_share *share, const char *broker)
{
	note->share = share;
	if (share) {
		snprintf(share->broker, sizeof(share->broker), "%s", broker);
		share->n++;
		share->bytes += pages_of(note->kept, note->bytes);
	}
}

static void count_out(struct kept_note *note)
{
	struct kept_share *share = take(note->share);
	if (share) {
		share->n--;
		share->bytes -= pages_of(note->kept, note->bytes);
	}
}

/* Pages behind @from go back to the system. */
static int give_back(const struct kept_note *note, uint64_t from, uint64_t bytes)
{
	int r = fallocate(note->kept->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		place_of(note) + (off_t)from, (off_t)bytes);
	return r < 0 ? -errno : 0;
}

/* ---- an earlier life */

/* Whether a record of ours stands there, whole. */
static bool is_whole(const struct kept_note *note, const struct head *head, uint64_t now)
{
	uint64_t again = 0, texts = 0;
	for (size_t i = 0; i < KEPT_N_TEXTS; i++) {
		if (head->text_bytes[i] > KEPT_MAX_TEXTS) {
			return false;
		}
		texts += head->text_bytes[i] + 1;
	}
	if (head->magic != MAGIC || head->number == 0 || head->came_ns > now ||
		texts > KEPT_MAX_TEXTS || head->payload_bytes > KEPT_MAX_PAYLOAD) {
		return false;
	}
	off_t end = place_of(note) + (off_t)(size_of(head) - sizeof(again));
	return pread(note->kept->fd, &again, sizeof(again), end) == sizeof(again) &&
		again == head->number;
}

static void write_tries(struct kept_note *note)
{
	off_t at = place_of(note) + (off_t)offsetof(struct head, tries);
	ssize_t n = note->kept->fd < 0 ? 1 : pwrite(note->kept->fd, &note->tries, 1, at);
	(void)n; /* a page that is there takes it */
}

/* The record's first text, which is_whole() has not looked at: what is no name is nobody's. */
static void read_broker(struct kept_note *note)
{
	ssize_t n = pread(note->kept->fd, note->broker, sizeof(note->broker) - 1,
		place_of(note) + (off_t)sizeof(struct head));
	note->broker[n < 0 ? 0 : n] = 0;
}

static void find(struct kept *kept, bool forgive, uint64_t now)
{
	struct stat st = {0};
	int r = fstat(kept->fd, &st);
	for (size_t i = 0; r == 0 && i < KEPT_SLOTS; i++) {
		struct kept_note *note = &kept->notes[i];
		struct head head;
		if (place_of(note) >= st.st_size) {
			break;
		}
		if (pread(kept->fd, &head, sizeof(head), place_of(note)) != sizeof(head) ||
			!is_whole(note, &head, now)) {
			continue;
		}
		read_broker(note);
		note->number = head.number;
		note->came_ns = head.came_ns;
		note->tries = head.tries;
		note->bytes = (uint32_t)size_of(&head);
		note->earlier = true;
		note->waits = true;
		if (forgive && note->tries > 0) {
			note->tries--;
			write_tries(note);
		}
		kept->bytes += pages_of(kept, note->bytes);
		kept->n_used++;
		kept->n_waiting++;
	}
}

/* Also finds out whether it can be done here: what cannot give memory back has no bound. */
static int clear_the_rest(const struct kept *kept)
{
	int r = 0;
	for (size_t i = 0; i < KEPT_SLOTS && r == 0; i++) {
		r = kept->notes[i].number ? 0 : give_back(&kept->notes[i], 0, SLOT_BYTES);
	}
	return r;
}

int kept_open(
	struct kept *kept, const char *folder, uint64_t max_bytes, bool forgive, struct error *err)
{
	char path[CONFIG_PATH_SIZE + 8];
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	snprintf(path, sizeof(path), "%s/kept", folder);
	kept->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (kept->fd < 0 || fcntl(kept->fd, F_SETLK, &whole) < 0) {
		int code = -errno;
		kept_close(kept);
		return error_set(err, code, "%s: %s", path, strerror(-code));
	}
	kept->max_bytes = max_bytes;
	kept->next = clock_now_ns();
	find(kept, forgive, kept->next);
	int r = clear_the_rest(kept);
	if (r < 0) {
		kept_close(kept);
		return error_set(err, r, "%s: %s", path, strerror(-r));
	}
	return 0;
}

void kept_remove(const char *folder)
{
	char path[CONFIG_PATH_SIZE + 8];
	snprintf(path, sizeof(path), "%s/kept", folder);
	unlink(path);
}

void kept_close(struct kept *kept)
{
	own_close_fd(&kept->fd);
	kept->fd = -1;
	kept->n_waiting = 0;
}

static bool read_whole(const struct kept_note *note, uint8_t *to)
{
	for (size_t at = 0; at < note->bytes;) {
		ssize_t n = pread(
			note->kept->fd, to + at, note->bytes - at, place_of(note) + (off_t)at);
		if (n == 0 || (n < 0 && errno != EINTR)) {
			return false;
		}
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* Borrows from @buffer, whose sizes find() has looked at. */
static bool decode(uint8_t *buffer, struct kept_record *ret_record)
{
	struct head head;
	const char *texts[KEPT_N_TEXTS];
	memcpy(&head, buffer, sizeof(head));
	uint8_t *at = buffer + sizeof(head);
	for (size_t i = 0; i < KEPT_N_TEXTS; i++) {
		texts[i] = (const char *)at;
		at += head.text_bytes[i];
		if (*at++ != 0) {
			return false;
		}
	}
	*ret_record = (struct kept_record){.broker = texts[0],
		.buffer = buffer,
		.message = {.topic = texts[1],
			.payload = at,
			.size = head.payload_bytes,
			.qos = head.qos,
			.came_ns = head.came_ns,
			.expiry_s = head.expiry_s,
			.response_topic = texts[2],
			.content_type = texts[3],
			.correlation = texts[CORRELATION],
			.correlation_bytes = head.text_bytes[CORRELATION],
			.priority = texts[5],
			.accept = texts[6],
			.traceparent = texts[7],
			.deadline = texts[8]}};
	return true;
}

void kept_count_try(struct kept_note *note)
{
	if (note && note->earlier && !note->tried) {
		note->tried = true;
		note->tries++;
		write_tries(note);
	}
}

bool kept_is_given_up(const struct kept_note *note)
{
	return note && note->tries >= KEPT_TRIES;
}

void kept_clear_tries(struct kept_note *note)
{
	if (note && note->tries > 0) {
		note->tries = 0;
		note->earlier = note->tried = false;
		write_tries(note);
	}
}

struct kept_note *kept_oldest(struct kept *kept, kept_may_fn may, const void *data)
{
	struct kept_note *oldest = NULL;
	for (size_t i = 0; i < KEPT_SLOTS && kept->n_waiting > 0; i++) {
		struct kept_note *note = &kept->notes[i];
		if (note->waits && (!oldest || note->number < oldest->number) && may(data, note)) {
			oldest = note;
		}
	}
	return oldest;
}

void kept_put_off(struct kept_note *note)
{
	note->waits = true;
	note->kept->n_waiting++;
}

bool kept_next(struct kept *kept, kept_may_fn may, const void *data, struct kept_record *ret_record,
	struct kept_note **ret_note)
{
	for (struct kept_note *next; (next = kept_oldest(kept, may, data));) {
		owned_mem uint8_t *buffer = malloc(next->bytes);
		if (!buffer) {
			return false;
		}
		owned(kept_cross_out) struct kept_note *note = next;
		note->waits = false;
		kept->n_waiting--;
		if (read_whole(note, buffer) && decode(buffer, ret_record)) {
			if (!note->share) {
				count_in(note, share_of(kept, ret_record->broker),
					ret_record->broker);
			}
			buffer = NULL;
			*ret_note = take(note);
			return true;
		}
		kept->given_up++;
	}
	return false;
}

/* ---- this one */

static struct kept_note *free_note(struct kept *kept)
{
	struct kept_note *note = kept->notes;
	if (kept->n_used == KEPT_SLOTS) {
		return NULL;
	}
	while (note->number) {
		note++;
	}
	return note;
}

/* The record's parts, which lie where they are. */
static size_t lay_out(struct head *head, const char *broker, const struct mosq_message *m,
	struct iovec parts[2 * KEPT_N_TEXTS + 3])
{
	const char *const texts[KEPT_N_TEXTS] = {broker, m->topic, m->response_topic,
		m->content_type, m->correlation_bytes ? m->correlation : "", m->priority, m->accept,
		m->traceparent, m->deadline};
	size_t n = 0;
	parts[n++] = (struct iovec){head, sizeof(*head)};
	for (size_t i = 0; i < KEPT_N_TEXTS; i++) {
		size_t bytes = i == CORRELATION ? m->correlation_bytes : strlen(texts[i]);
		head->text_bytes[i] = bytes > KEPT_MAX_TEXTS ? KEPT_MAX_TEXTS : (uint32_t)bytes;
		parts[n++] = (struct iovec){(void *)texts[i], bytes};
		parts[n++] = (struct iovec){(void *)"", 1};
	}
	parts[n++] = (struct iovec){(void *)m->payload, m->size};
	parts[n++] = (struct iovec){&head->number, sizeof(head->number)};
	return n;
}

struct kept_note *kept_add(struct kept *kept, const char *broker, const struct mosq_message *m)
{
	struct iovec parts[2 * KEPT_N_TEXTS + 3];
	struct head head = {.number = kept->next,
		.magic = MAGIC,
		.came_ns = m->came_ns,
		.payload_bytes = (uint32_t)m->size,
		.expiry_s = m->expiry_s,
		.qos = (uint8_t)m->qos};
	if (kept->fd < 0) {
		return NULL;
	}
	size_t n = lay_out(&head, broker, m, parts), size = 0;
	for (size_t i = 0; i < n; i++) {
		size += parts[i].iov_len;
	}
	struct kept_note *note = free_note(kept);
	struct kept_share *share = share_of(kept, broker);
	bool fits = share_fits(kept, share, size) && size <= KEPT_MAX_PAYLOAD &&
		size - m->size <= KEPT_MAX_TEXTS &&
		kept->bytes + pages_of(kept, size) <= kept->max_bytes;
	ssize_t written = note && fits ? pwritev(kept->fd, parts, (int)n, place_of(note)) : 0;
	if (written != (ssize_t)size) {
		int r = written > 0 ? give_back(note, 0, pages_of(kept, size)) : 0;
		(void)r; /* it did at the start */
		kept->full++;
		return NULL;
	}
	snprintf(note->broker, sizeof(note->broker), "%s", broker);
	note->number = kept->next++;
	note->came_ns = m->came_ns;
	note->bytes = (uint32_t)size;
	note->tries = 0;
	note->earlier = note->tried = false;
	count_in(note, share, broker);
	kept->bytes += pages_of(kept, size);
	kept->n_used++;
	return note;
}

void kept_cross_out(struct kept_note *note)
{
	static const uint64_t nothing = 0;
	if (!note || note->kept->fd < 0) {
		return;
	}
	struct kept *kept = note->kept;
	assert(note->number);
	ssize_t n = pwrite(kept->fd, &nothing, sizeof(nothing), place_of(note));
	(void)n; /* a page that is there takes it; otherwise it would be asked again */
	bool warm = note < kept->notes + WARM_SLOTS;
	if (!warm || note->bytes > kept->page) {
		int r = give_back(note, warm ? kept->page : 0, pages_of(kept, note->bytes));
		(void)r; /* it did at the start */
	}
	count_out(note);
	kept->bytes -= pages_of(kept, note->bytes);
	kept->n_used--;
	note->number = 0;
	note->waits = false;
}
