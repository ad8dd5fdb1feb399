/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nodetable.c - the writer of the node table
 *
 * Invariants:
 *  - head, words and records are what the file should be; a write that fails or
 *    a file that somebody spoils costs nothing but a new file at the next beat.
 *  - A record is in the file before the word that names its edition, and a slot
 *    before the header counts it as used.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "nodetable_format.h"
#include "slotmap.h"

#define FIRST_CAPACITY 64

struct vol_nodetable {
	char *path;
	int fd;
	bool spoilt; /* a write failed */
	/* The file as it should be, in one piece, and where its parts are. */
	uint8_t *image;
	struct vol_nodetable_header *head;
	uint64_t *words;
	struct vol_nodetable_record *records;
	struct vol_slotmap by_id;
};

static struct vol_slotmap_keys keys_of(const struct vol_nodetable *t)
{
	return (struct vol_slotmap_keys){
		.first = t->records[0].id,
		.stride = sizeof(t->records[0]),
		.n = t->head->used,
	};
}

static uint32_t slot_of(const struct vol_nodetable *t, const char *id)
{
	struct vol_slotmap_keys keys = keys_of(t);

	return vol_slotmap_find(&t->by_id, &keys, id);
}

/* An image with room for so many devices, and what the old one held. */
static int resize(struct vol_nodetable *t, uint32_t capacity)
{
	uint8_t *old = t->image;
	uint8_t *image = calloc(1, vol_nodetable_file_size(capacity));
	uint32_t used = old ? t->head->used : 0;

	if (!image) {
		errno = ENOMEM;
		return -1;
	}
	vol_nodetable_header_init((struct vol_nodetable_header *)(void *)image,
				  capacity);
	if (old) {
		memcpy(image + vol_nodetable_word_at(0), t->words,
		       used * sizeof(*t->words));
		memcpy(image + vol_nodetable_record_at(capacity, 0), t->records,
		       used * sizeof(*t->records));
	}
	t->image = image;
	t->head = (void *)image;
	t->words = (void *)(image + vol_nodetable_word_at(0));
	t->records = (void *)(image + vol_nodetable_record_at(capacity, 0));
	t->head->used = used;
	if (old) {
		const struct vol_nodetable_header *head = (void *)old;

		t->head->beat_ms = head->beat_ms;
		t->head->images = head->images;
		memcpy(t->head->cluster, head->cluster, sizeof(head->cluster));
	}
	free(old);
	return 0;
}

/* Tell the readers of a file that was just replaced. */
static void retire(int fd)
{
	struct stat st;
	char magic[8];

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    pread(fd, magic, sizeof(magic), 0) != sizeof(magic) ||
	    memcmp(magic, VOL_NODETABLE_MAGIC, sizeof(magic)) != 0)
		return;
	/* A failure means a second of old news for them. */
	if (pwrite(fd, VOL_NODETABLE_RETIRED, sizeof(magic), 0) < 0)
		return;
}

/* Put the image in the place of path. */
static int publish(struct vol_nodetable *t, struct vol_error *err)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	cleanup_fd int old = steal_fd(&t->fd);

	if (old < 0)
		old = open(t->path, flags);
	t->spoilt = true;
	if (vol_file_replace(t->path, t->image,
			     vol_nodetable_file_size(t->head->capacity), 0644,
			     0, err) < 0)
		return -1;
	t->fd = open(t->path, flags);
	if (t->fd < 0)
		return vol_errorf(err, "%s: %s", t->path, strerror(errno));
	t->spoilt = false;
	retire(old);
	return 0;
}

struct vol_nodetable *vol_nodetable_create(const char *path, uint32_t capacity,
					   struct vol_error *err)
{
	struct vol_nodetable *t = calloc(1, sizeof(*t));
	uint64_t seed = 0;

	if (!t)
		goto memory;
	t->fd = -1;
	/* Without it ids could be made to collide, and that is all. */
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
		seed = 0;
	vol_slotmap_init(&t->by_id, seed);
	if (capacity < FIRST_CAPACITY)
		capacity = FIRST_CAPACITY;
	if (capacity > VOL_NODETABLE_MAX)
		capacity = VOL_NODETABLE_MAX;
	t->path = strdup(path);
	if (!t->path || resize(t, capacity) < 0)
		goto memory;
	if (publish(t, err) < 0)
		goto error;
	return t;
memory:
	vol_errorf_errno(err, ENOMEM, "no memory for the node table");
error:
	vol_nodetable_destroy(t);
	return NULL;
}

void vol_nodetable_destroy(struct vol_nodetable *t)
{
	int saved = errno;

	if (!t)
		return;
	if (t->fd >= 0)
		close(t->fd);
	vol_slotmap_free(&t->by_id);
	free(t->image);
	free(t->path);
	free(t);
	errno = saved;
}

static void write_part(struct vol_nodetable *t, const void *part, size_t size)
{
	off_t at = (const uint8_t *)part - t->image;

	if (t->fd < 0 || pwrite(t->fd, part, size, at) != (ssize_t)size)
		t->spoilt = true;
}

void vol_nodetable_set_cluster(struct vol_nodetable *t, const char *name)
{
	size_t size = sizeof(t->head->cluster);

	memset(t->head->cluster, 0, size);
	memcpy(t->head->cluster, name, strnlen(name, size - 1));
	write_part(t, t->head->cluster, size);
}

void vol_nodetable_set_images(struct vol_nodetable *t, uint32_t edition)
{
	t->head->images = edition;
	write_part(t, &t->head->images, sizeof(edition));
}

static void write_word(struct vol_nodetable *t, uint32_t slot, uint64_t word)
{
	if (t->words[slot] == word)
		return;
	t->words[slot] = word;
	write_part(t, &t->words[slot], sizeof(word));
}

/* A new file of twice the size. */
static int grow(struct vol_nodetable *t, struct vol_error *err)
{
	uint32_t capacity = t->head->capacity * 2;

	if (t->head->capacity == VOL_NODETABLE_MAX)
		return vol_errorf_errno(err, ENOSPC,
					"the node table is full: %d devices",
					VOL_NODETABLE_MAX);
	if (capacity > VOL_NODETABLE_MAX)
		capacity = VOL_NODETABLE_MAX;
	if (resize(t, capacity) < 0)
		return vol_errorf(err, "no memory for %u devices", capacity);
	/* The old file serves its readers as long as there is no new one. */
	if (publish(t, err) < 0)
		return vol_error_prefix(err, "node table for %u devices",
					capacity);
	return 0;
}

static uint32_t free_slot(const struct vol_nodetable *t)
{
	uint32_t slot = 0;

	while (slot < t->head->used &&
	       vol_nodetable_word_state(t->words[slot]) != VOL_NODETABLE_FREE)
		slot++;
	return slot;
}

static int take_slot(struct vol_nodetable *t, const char *id, uint32_t slot,
		     struct vol_error *err)
{
	struct vol_nodetable_record *record = &t->records[slot];
	struct vol_slotmap_keys keys = keys_of(t);

	if (slot >= keys.n)
		keys.n = slot + 1;
	memset(record->id, 0, sizeof(record->id));
	strncpy(record->id, id, sizeof(record->id) - 1);
	if (vol_slotmap_put(&t->by_id, &keys, slot) < 0) {
		record->id[0] = '\0';
		return vol_errorf(err, "no memory for the node table");
	}
	return 0;
}

int vol_nodetable_put(struct vol_nodetable *t,
		      const struct vol_nodetable_node *node,
		      struct vol_error *err)
{
	struct vol_nodetable_record record;
	uint32_t slot, edition;

	if (!node->id[0] || !node->name[0])
		return vol_errorf_errno(err, EINVAL,
					"a device without id or name");
	slot = slot_of(t, node->id);
	if (slot == VOL_SLOTMAP_NONE) {
		slot = free_slot(t);
		if (slot == t->head->capacity && grow(t, err) < 0)
			return -1;
		if (take_slot(t, node->id, slot, err) < 0)
			return -1;
	}
	edition = t->records[slot].edition;
	vol_nodetable_encode(&record, node, edition);
	if (memcmp(&record, &t->records[slot], sizeof(record)) != 0) {
		edition = vol_nodetable_next_edition(edition);
		vol_nodetable_encode(&t->records[slot], node, edition);
		write_part(t, &t->records[slot], sizeof(record));
	}
	write_word(t, slot,
		   vol_nodetable_word(node->state, edition, node->heard_s));
	if (slot >= t->head->used) {
		t->head->used = slot + 1;
		write_part(t, &t->head->used, sizeof(t->head->used));
	}
	return 0;
}

void vol_nodetable_mark(struct vol_nodetable *t, const char *id,
			enum vol_nodetable_state state, uint64_t heard_s)
{
	uint32_t slot = slot_of(t, id);

	if (slot == VOL_SLOTMAP_NONE)
		return;
	write_word(t, slot,
		   vol_nodetable_word(state, t->records[slot].edition,
				      heard_s));
}

/* The edition stays in the record, for the next device in this slot. */
void vol_nodetable_remove(struct vol_nodetable *t, const char *id)
{
	uint32_t slot = slot_of(t, id);

	if (slot == VOL_SLOTMAP_NONE)
		return;
	t->records[slot].id[0] = '\0';
	write_word(t, slot,
		   vol_nodetable_word(VOL_NODETABLE_FREE,
				      t->records[slot].edition, 0));
}

/* Is the file still there, whole, and what we wrote?  Records are not looked
 * at: readers tell a spoilt one by its checksum. */
static bool intact(const struct vol_nodetable *t)
{
	size_t size = vol_nodetable_word_at(t->head->used), done = 0;
	uint64_t buf[512];
	struct stat st;

	if (t->fd < 0 || fstat(t->fd, &st) < 0 || st.st_nlink == 0 ||
	    (uint64_t)st.st_size != vol_nodetable_file_size(t->head->capacity))
		return false;
	while (done < size) {
		size_t part =
			size - done < sizeof(buf) ? size - done : sizeof(buf);

		if (pread(t->fd, buf, part, (off_t)done) != (ssize_t)part ||
		    memcmp(buf, t->image + done, part) != 0)
			return false;
		done += part;
	}
	return true;
}

bool vol_nodetable_beat(struct vol_nodetable *t, uint64_t now_ms)
{
	bool whole = !t->spoilt && intact(t);

	t->head->beat_ms = now_ms;
	if (whole) {
		write_part(t, &t->head->beat_ms, sizeof(t->head->beat_ms));
		return false;
	}
	return publish(t, NULL) == 0;
}
