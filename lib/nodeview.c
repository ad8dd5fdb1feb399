/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nodeview.c - readers of the node table
 *
 * Runs inside slurmctld's locks: nothing blocks, nothing is allocated but when
 * the table grows, and whatever is in the file costs at most a bounded time.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "cleanup.h"
#include "nodetable_format.h"
#include "slotmap.h"
#include "trusted.h"

#define LOOK_MS 1000
/* A clock that was read before the file may be behind what is in it. */
#define AHEAD_S 5
/* Records that are read at once: 32 KB. */
#define BATCH 64
/* Records that were just being written and are asked for again, each refresh.
 * A writer is done after a microsecond, so one more try nearly always does. */
#define RETRIES 32

struct slot {
	uint32_t edition; /* of the record as read; 0: not read */
	uint32_t quiet_s;
};

struct vol_nodeview {
	char *path;
	const char *cluster; /* NULL: of any */
	int fd;
	dev_t dev;
	ino_t ino;
	uint64_t look_ms; /* look at path again then */
	struct vol_error error;
	int error_errno; /* of the last look, while there is no file */

	uint32_t n, room;
	uint32_t capacity;
	uint32_t now_s; /* of the last refresh */
	uint64_t roster;
	/* Header and words in one piece, as in the file. */
	uint8_t *front;
	struct slot *slots;
	uint8_t *states;
	uint32_t *reads;                  /* how often the record was read */
	struct vol_nodetable_node *nodes; /* without a name: not known */
	struct vol_slotmap by_name;

	unsigned int retries;
	struct vol_nodetable_record batch[BATCH];
};

static const struct vol_nodetable_header *head_of(const struct vol_nodeview *v)
{
	return (const void *)v->front;
}

static uint64_t *words_of(const struct vol_nodeview *v)
{
	return (void *)(v->front + VOL_NODETABLE_HEADER);
}

static struct vol_slotmap_keys keys_of(const struct vol_nodeview *v)
{
	return (struct vol_slotmap_keys){
		.first = v->nodes ? v->nodes[0].name : NULL,
		.stride = sizeof(*v->nodes),
		.n = v->n,
	};
}

/* An array of another size, with zeros in what is new. */
static int resize(void *array, size_t size, size_t more)
{
	void **pointer = array, *grown = realloc(*pointer, more);

	if (!grown) {
		errno = ENOMEM;
		return -1;
	}
	memset((char *)grown + size, 0, more - size);
	*pointer = grown;
	return 0;
}

static int make_room(struct vol_nodeview *v, uint32_t n)
{
	uint32_t room = v->room ? v->room : BATCH;

	if (n <= v->room)
		return 0;
	while (room < n)
		room *= 2;
	if (resize(&v->front, vol_nodetable_word_at(v->room),
		   vol_nodetable_word_at(room)) < 0)
		return -1;
#define RESIZE(array) \
	resize(&v->array, v->room * sizeof(*v->array), room * sizeof(*v->array))
	if (RESIZE(slots) < 0 || RESIZE(states) < 0 || RESIZE(reads) < 0 ||
	    RESIZE(nodes) < 0)
		return -1;
#undef RESIZE
	v->room = room;
	return 0;
}

struct vol_nodeview *vol_nodeview_create(const char *path)
{
	struct vol_nodeview *v = calloc(1, sizeof(*v));
	uint64_t seed = 0;

	if (!v)
		return NULL;
	v->fd = -1;
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
		seed = (uintptr_t)v;
	vol_slotmap_init(&v->by_name, seed);
	v->path = strdup(path);
	if (v->path && make_room(v, 1) == 0)
		return v;
	vol_nodeview_destroy(v);
	errno = ENOMEM;
	return NULL;
}

void vol_nodeview_expect(struct vol_nodeview *v, const char *name)
{
	v->cluster = name;
}

void vol_nodeview_destroy(struct vol_nodeview *v)
{
	int saved = errno;

	if (!v)
		return;
	if (v->fd >= 0)
		close(v->fd);
	vol_slotmap_free(&v->by_name);
	free(v->front);
	free(v->slots);
	free(v->states);
	free(v->reads);
	free(v->nodes);
	free(v->path);
	free(v);
	errno = saved;
}

/* --- which file ----------------------------------------------------------- */

static void forget_slot(struct vol_nodeview *v, uint32_t slot)
{
	if (v->nodes[slot].name[0])
		v->roster++;
	v->nodes[slot].name[0] = '\0';
	v->slots[slot].edition = 0;
	v->states[slot] = VOL_NODETABLE_FREE;
}

static void use_file(struct vol_nodeview *v, int fd, const struct stat *st)
{
	if (v->fd >= 0)
		close(v->fd);
	v->fd = fd;
	v->dev = st->st_dev;
	v->ino = st->st_ino;
	for (uint32_t slot = 0; slot < v->n; slot++)
		forget_slot(v, slot);
	v->n = 0;
	vol_slotmap_clear(&v->by_name);
}

static int check_header(const struct vol_nodeview *v,
			const struct vol_nodetable_header *head,
			struct vol_error *err)
{
	if (vol_nodetable_header_check(head, err) < 0)
		return -1;
	if (v->cluster &&
	    strncmp(head->cluster, v->cluster, sizeof(head->cluster)) != 0)
		return vol_errorf_errno(err, EXDEV,
					"its devices are another cluster's");
	return 0;
}

/* Nothing in it is believed before its size is known to fit. */
static int check_file(const struct vol_nodeview *v, int fd,
		      const struct stat *st, struct vol_error *err)
{
	struct vol_nodetable_header head;

	if (pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head))
		return vol_errorf_errno(err, EINVAL, "truncated");
	if (check_header(v, &head, err) < 0)
		return -1;
	if ((uint64_t)st->st_size < vol_nodetable_file_size(head.capacity))
		return vol_errorf_errno(err, EINVAL,
					"truncated: %jd bytes for %u devices",
					(intmax_t)st->st_size, head.capacity);
	return 0;
}

/* The file that is open stays in use unless there is a better one. */
static void look(struct vol_nodeview *v, uint64_t now_ms)
{
	cleanup_fd int fd = -1;
	struct stat st;

	v->look_ms = now_ms + LOOK_MS;
	if (v->fd >= 0 && stat(v->path, &st) == 0 && st.st_dev == v->dev &&
	    st.st_ino == v->ino)
		return;
	fd = vol_trusted_open(v->path, &st, &v->error);
	if (fd < 0) {
		v->error_errno = errno;
		return;
	}
	if (check_file(v, fd, &st, &v->error) < 0) {
		v->error_errno = errno;
		vol_error_prefix(&v->error, "%s", v->path);
		return;
	}
	use_file(v, steal_fd(&fd), &st);
}

static void drop_file(struct vol_nodeview *v)
{
	close(v->fd);
	v->fd = -1;
}

/* --- what is in it -------------------------------------------------------- */

static int read_at(const struct vol_nodeview *v, void *to, size_t size,
		   uint64_t at)
{
	return pread(v->fd, to, size, (off_t)at) == (ssize_t)size ? 0 : -1;
}

static int truncated(struct vol_error *err)
{
	return vol_errorf_errno(err, EINVAL, "truncated");
}

static int damaged(struct vol_nodeview *v, struct vol_error *err)
{
	if (check_header(v, head_of(v), err) < 0)
		return -1;
	if (v->n && head_of(v)->capacity != v->capacity)
		return vol_errorf_errno(err, EINVAL,
					"written over: room for %u devices, "
					"not %u",
					head_of(v)->capacity, v->capacity);
	v->capacity = head_of(v)->capacity;
	return 0;
}

/* Header and words, as many as there were the last time; again if there are
 * more now, but not for ever. */
static int read_front(struct vol_nodeview *v, struct vol_error *err)
{
	uint32_t n = v->n, used;

	for (int tries = 0; tries < 3; tries++) {
		if (read_at(v, v->front, vol_nodetable_word_at(n), 0) < 0)
			return truncated(err);
		if (damaged(v, err) < 0)
			return -1;
		used = head_of(v)->used;
		if (used <= n || tries == 2)
			break;
		if (make_room(v, used) < 0)
			return vol_errorf(err, "no memory for %u devices",
					  used);
		n = used;
	}
	if (used > n)
		used = n;
	for (uint32_t slot = used; slot < v->n; slot++)
		forget_slot(v, slot);
	v->n = used;
	return 0;
}

static int check_beat(const struct vol_nodeview *v, uint64_t now_ms,
		      struct vol_error *err)
{
	uint64_t beat = head_of(v)->beat_ms;

	if (beat > now_ms + AHEAD_S * 1000)
		return vol_errorf_errno(err, ESTALE,
					"from the future, or from before the "
					"last start of this machine");
	if (beat < now_ms && now_ms - beat > VOL_NODETABLE_STALE_MS)
		return vol_errorf_errno(err, ESTALE,
					"its writer is silent for more than "
					"%d s",
					VOL_NODETABLE_STALE_MS / 1000);
	return 0;
}

/* Take a record as that of a slot, if it is whole. */
static bool take_record(struct vol_nodeview *v, uint32_t slot,
			const struct vol_nodetable_record *record)
{
	struct vol_nodetable_node *node = &v->nodes[slot];
	struct vol_slotmap_keys keys = keys_of(v);
	char before[VOL_NODE_NAME_SIZE];

	memcpy(before, node->name, sizeof(before));
	if (vol_nodetable_decode(record, node) < 0)
		return false;
	if (strcmp(before, node->name) != 0) {
		v->roster++;
		/* Without memory it is not found by its name: no device. */
		(void)vol_slotmap_put(&v->by_name, &keys, slot);
	}
	v->slots[slot].edition = record->edition;
	v->slots[slot].quiet_s = node->quiet_s;
	v->reads[slot]++;
	return true;
}

/* The record was being written, or is ahead of its word.  A slot passes from
 * one device to another only by way of a word that says FREE; so a word that
 * was the same before and after speaks of the device in the record, even where
 * the writer was stopped between the two and the record is the next one. */
static void read_again(struct vol_nodeview *v, uint32_t slot)
{
	uint64_t *word = &words_of(v)[slot], word_at, after;
	struct vol_nodetable_record record;
	uint32_t edition;

	word_at = vol_nodetable_word_at(slot);
	while (v->retries > 0) {
		v->retries--;
		if (read_at(v, word, sizeof(*word), word_at) < 0 ||
		    read_at(v, &record, sizeof(record),
			    vol_nodetable_record_at(v->capacity, slot)) < 0 ||
		    read_at(v, &after, sizeof(after), word_at) < 0)
			return;
		edition = vol_nodetable_word_edition(*word);
		if (edition != vol_nodetable_word_edition(after))
			continue;
		*word = after;
		if (vol_nodetable_word_state(after) == VOL_NODETABLE_FREE) {
			forget_slot(v, slot);
			return;
		}
		if ((record.edition == edition ||
		     record.edition == vol_nodetable_next_edition(edition)) &&
		    take_record(v, slot, &record))
			return;
	}
}

static bool is_news(const struct vol_nodeview *v, uint32_t slot)
{
	uint64_t word = words_of(v)[slot];

	return vol_nodetable_word_edition(word) != v->slots[slot].edition &&
	       vol_nodetable_word_state(word) != VOL_NODETABLE_FREE;
}

static enum vol_nodetable_state state_of(const struct vol_nodeview *v,
					 uint32_t slot)
{
	uint64_t word = words_of(v)[slot];
	uint32_t heard = vol_nodetable_word_heard(word);

	if ((uint8_t)word == VOL_NODETABLE_FREE)
		return VOL_NODETABLE_FREE;
	if (heard > v->now_s ? heard - v->now_s > AHEAD_S
			     : v->now_s - heard > v->slots[slot].quiet_s)
		return VOL_NODETABLE_UNKNOWN;
	return vol_nodetable_word_state(word);
}

/* Records first ... first + n - 1 have news. */
static int read_records(struct vol_nodeview *v, uint32_t first, uint32_t n,
			struct vol_error *err)
{
	if (read_at(v, v->batch, n * sizeof(v->batch[0]),
		    vol_nodetable_record_at(v->capacity, first)) < 0)
		return truncated(err);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t word = words_of(v)[first + i];

		if (v->batch[i].edition != vol_nodetable_word_edition(word) ||
		    !take_record(v, first + i, &v->batch[i]))
			read_again(v, first + i);
	}
	return 0;
}

/* How many slots from first on have news, at most BATCH. */
static uint32_t news_from(const struct vol_nodeview *v, uint32_t first)
{
	uint32_t n = 0;

	while (n < BATCH && first + n < v->n && is_news(v, first + n))
		n++;
	return n;
}

/* One pass over the words: what is new, and all states. */
static int read_slots(struct vol_nodeview *v, struct vol_error *err)
{
	uint32_t unread = 0;

	v->retries = RETRIES;
	for (uint32_t slot = 0; slot < v->n; slot++) {
		if (slot >= unread && is_news(v, slot)) {
			uint32_t n = news_from(v, slot);

			if (read_records(v, slot, n, err) < 0)
				return -1;
			unread = slot + n;
		}
		v->states[slot] = (uint8_t)state_of(v, slot);
		if (v->states[slot] == VOL_NODETABLE_FREE &&
		    v->slots[slot].edition)
			forget_slot(v, slot);
	}
	return 0;
}

static int take(struct vol_nodeview *v, uint64_t now_ms, struct vol_error *err)
{
	if (read_front(v, err) < 0 || check_beat(v, now_ms, err) < 0)
		return vol_error_prefix(err, "%s", v->path);
	v->now_s = (uint32_t)(now_ms / 1000);
	if (read_slots(v, err) < 0)
		return vol_error_prefix(err, "%s", v->path);
	return 0;
}

int vol_nodeview_refresh(struct vol_nodeview *v, uint64_t now_ms,
			 struct vol_error *err)
{
	struct vol_error unused;
	bool looked = now_ms >= v->look_ms;

	if (!err)
		err = &unused;
	if (looked)
		look(v, now_ms);
	if (v->fd >= 0) {
		if (take(v, now_ms, err) == 0)
			return 0;
		/* A silent writer may come back to its file. */
		if (errno == ESTALE || errno == ENOMEM)
			return -1;
		v->error = *err;
		v->error_errno = errno;
		drop_file(v);
		if (!looked)
			look(v, now_ms);
		if (v->fd >= 0 && take(v, now_ms, err) == 0)
			return 0;
		if (v->fd >= 0)
			return -1;
	}
	*err = v->error;
	errno = v->error_errno;
	return -1;
}

/* --- questions ------------------------------------------------------------ */

uint32_t vol_nodeview_images(const struct vol_nodeview *v)
{
	return head_of(v)->images;
}

uint64_t vol_nodeview_roster(const struct vol_nodeview *v)
{
	return v->roster;
}

uint32_t vol_nodeview_slots(const struct vol_nodeview *v)
{
	return v->n;
}

uint32_t vol_nodeview_slot(const struct vol_nodeview *v, const char *name)
{
	struct vol_slotmap_keys keys = keys_of(v);

	return vol_slotmap_find(&v->by_name, &keys, name);
}

enum vol_nodetable_state vol_nodeview_state(const struct vol_nodeview *v,
					    uint32_t slot)
{
	return slot < v->n ? (enum vol_nodetable_state)v->states[slot]
			   : VOL_NODETABLE_FREE;
}

uint32_t vol_nodeview_edition(const struct vol_nodeview *v, uint32_t slot)
{
	return slot < v->n ? v->reads[slot] : 0;
}

const uint8_t *vol_nodeview_states(const struct vol_nodeview *v)
{
	return v->states;
}

const uint32_t *vol_nodeview_editions(const struct vol_nodeview *v)
{
	return v->reads;
}

const struct vol_nodetable_node *vol_nodeview_node(const struct vol_nodeview *v,
						   uint32_t slot)
{
	struct vol_nodetable_node *node;

	if (slot >= v->n || !v->nodes[slot].name[0])
		return NULL;
	node = &v->nodes[slot];
	node->state = vol_nodeview_state(v, slot);
	node->heard_s = vol_nodetable_word_heard(words_of(v)[slot]);
	return node;
}
