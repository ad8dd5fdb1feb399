/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_list.c - the node table of this host as a list */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "device_list.h"
#include "explain_words.h"

/* Where the header has the beat: nodetable.h. */
#define BEAT_OFFSET 32

uint64_t vol_boot_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int read_beat(const char *path, uint64_t *beat_ms)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || pread(fd, beat_ms, sizeof(*beat_ms), BEAT_OFFSET) !=
			      (ssize_t)sizeof(*beat_ms))
		return -1;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct vol_nodetable_node *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int copy(const struct vol_nodeview *view, struct vol_device_list *d)
{
	uint32_t slot, slots = vol_nodeview_slots(view);
	const struct vol_nodetable_node *node;

	d->list = calloc((size_t)slots + 1, sizeof(*d->list));
	if (!d->list)
		return -1;
	for (slot = 0; slot < slots; slot++) {
		if (vol_nodeview_state(view, slot) == VOL_NODETABLE_FREE)
			continue;
		node = vol_nodeview_node(view, slot);
		if (!node)
			continue;
		d->list[d->n] = *node;
		d->list[d->n++].state = vol_nodeview_state(view, slot);
	}
	qsort(d->list, d->n, sizeof(*d->list), by_name);
	return 0;
}

/* Most often it is the wrong host. */
static int say_missing(const char *path, struct vol_error *err)
{
	cleanup_free char *folder = strdup(path);

	if (folder && access(dirname(folder), F_OK) != 0)
		return vol_errorf_errno(err, ENOENT,
					"this is not the controller host, or "
					"discoveryd has not run here (no %s)",
					path);
	return vol_errorf_errno(err, ENOENT,
				"discoveryd has not made its node table yet "
				"(no %s)",
				path);
}

int vol_device_list_load(const char *path, uint64_t now_ms, bool stale_too,
			 struct vol_device_list *d, struct vol_error *err)
{
	struct vol_nodeview *view = vol_nodeview_create(path);
	struct vol_device_list fresh = {0};
	uint64_t beat_ms = now_ms, seen_ms;
	char age[VOL_WORDS_SIZE];
	int rc, saved;

	if (!view)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	if (read_beat(path, &beat_ms) < 0)
		beat_ms = now_ms;
	if (beat_ms < now_ms)
		fresh.age_ms = now_ms - beat_ms;
	seen_ms = stale_too ? beat_ms : now_ms;
	rc = vol_nodeview_refresh(view, seen_ms, err);
	if (rc < 0 && errno == ENOENT)
		say_missing(path, err);
	else if (rc < 0 && errno == ESTALE && fresh.age_ms)
		vol_errorf_errno(err, ESTALE,
				 "discoveryd has been silent for %s: what it "
				 "last said about devices is not used any more",
				 vol_words_span((double)fresh.age_ms / 1000,
						age));
	fresh.now_s = seen_ms / 1000;
	if (rc == 0 && copy(view, &fresh) < 0)
		rc = vol_errorf_errno(err, ENOMEM, "out of memory");
	saved = errno;
	vol_nodeview_destroy(view);
	errno = saved;
	if (rc < 0)
		return -1;
	vol_device_list_clear(d);
	*d = fresh;
	return 0;
}

void vol_device_list_clear(struct vol_device_list *d)
{
	free(d->list);
	memset(d, 0, sizeof(*d));
}

const struct vol_nodetable_node *vol_device_list_find(
	const struct vol_device_list *d, const char *name)
{
	struct vol_nodetable_node key;

	if (!d->n)
		return NULL;
	snprintf(key.name, sizeof(key.name), "%s", name);
	return bsearch(&key, d->list, d->n, sizeof(key), by_name);
}
