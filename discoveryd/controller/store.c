/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store.c - which images there are on the controller's disk */
#include "config.h"

#include "store_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "log.h"

const char *vol_store_state_name(enum vol_store_state state)
{
	static const char *const names[] = {
		[VOL_STORE_COMING] = "coming",
		[VOL_STORE_WHOLE] = "whole",
		[VOL_STORE_DAMAGED] = "damaged",
	};

	return state <= VOL_STORE_DAMAGED ? names[state] : "unknown";
}

void vol_store_path(const struct vol_store *s, uint32_t job, uint32_t number,
		    enum vol_image_name kind, char path[PATH_MAX])
{
	char name[VOL_IMAGE_NAME_SIZE] = "";

	if (kind != VOL_IMAGE_OTHER)
		vol_image_name(number, kind, name);
	/* vol_store_open has seen to it that this fits. */
	(void)snprintf(path, PATH_MAX, "%s/%u/%s", s->dir, (unsigned)job, name);
}

/* ---- the index ---- */

static int by_number(const void *a, const void *b)
{
	const struct vol_image_head *x, *y;

	x = &((const struct vol_store_entry *)a)->image.head;
	y = &((const struct vol_store_entry *)b)->image.head;
	if (x->job != y->job)
		return x->job < y->job ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

struct vol_store_entry *vol_store_find(struct vol_store *s, uint32_t job,
				       uint32_t number)
{
	struct vol_store_entry key = {
		.image.head = {.job = job, .number = number},
	};

	if (!s->n)
		return NULL;
	return bsearch(&key, s->entries, s->n, sizeof(key), by_number);
}

struct vol_store_entry *vol_store_add(struct vol_store *s,
				      const struct vol_store_image *image)
{
	struct vol_store_entry *more =
		reallocarray(s->entries, s->n + 1, sizeof(*more));

	if (!more)
		return NULL;
	s->entries = more;
	s->changes++;
	more[s->n] = (struct vol_store_entry){.image = *image};
	more[s->n].image.live = true;
	more[s->n++].live_till = time(NULL);
	qsort(more, s->n, sizeof(*more), by_number);
	return vol_store_find(s, image->head.job, image->head.number);
}

void vol_store_forget(struct vol_store *s, struct vol_store_entry *e)
{
	size_t after = (size_t)(s->entries + s->n - e) - 1;
	char folder[PATH_MAX];

	vol_store_path(s, e->image.head.job, 0, VOL_IMAGE_OTHER, folder);
	memmove(e, e + 1, after * sizeof(*e));
	s->changes++;
	s->n--;
	/* Unless there are others of this job. */
	(void)rmdir(folder);
}

int vol_store_drop(struct vol_store *s, struct vol_store_entry *e,
		   struct vol_error *err)
{
	char path[PATH_MAX];

	vol_store_path(s, e->image.head.job, e->image.head.number,
		       VOL_IMAGE_WHOLE, path);
	if (unlink(path) < 0 && errno != ENOENT)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	vol_store_forget(s, e);
	return 0;
}

/* ---- what is on disk ---- */

static int read_at(int fd, void *buf, size_t len, uint64_t at,
		   struct vol_error *err)
{
	ssize_t n = pread(fd, buf, len, (off_t)at);

	if (n < 0)
		return vol_errorf(err, "%s", strerror(errno));
	if ((size_t)n < len)
		return vol_errorf_errno(err, EBADMSG, "it is cut");
	return 0;
}

static int peek_tail(const struct vol_store *s, int fd,
		     struct vol_store_image *image,
		     const struct vol_image_shape *shape, struct vol_error *err)
{
	uint8_t sealed[VOL_IMAGE_TAIL + VOL_IMAGE_TAG], plain[VOL_IMAGE_TAIL];
	struct vol_image_tail tail;
	struct vol_seal *seal;
	int rc;

	if (read_at(fd, sealed, sizeof(sealed),
		    vol_image_file_size(shape->bytes) - sizeof(sealed),
		    err) < 0)
		return -1;
	seal = vol_seal_create(&s->key, &image->head, err);
	if (!seal)
		return -1;
	rc = vol_seal_open(seal, shape->chunks, true, sealed, sizeof(sealed),
			   plain, err);
	vol_seal_destroy(seal);
	if (rc < 0)
		return -1;
	vol_image_tail_get(plain, &tail);
	if (tail.bytes != shape->bytes)
		return vol_errorf_errno(err, EBADMSG,
					"its length is not what it says");
	memcpy(image->sha256, tail.sha256, sizeof(image->sha256));
	return 0;
}

void vol_store_uncache(int fd, uint64_t bytes)
{
	/* 0 would be all of it. */
	if (bytes > 0)
		(void)posix_fadvise(fd, 0, (off_t)bytes, POSIX_FADV_DONTNEED);
}

int vol_store_peek(const struct vol_store *s, int fd, uint32_t job,
		   uint32_t number, struct vol_store_image *image,
		   struct vol_image_shape *shape, struct vol_error *err)
{
	struct vol_store_image fresh = *image;
	struct vol_image_head *head = &fresh.head;
	uint8_t bytes[VOL_IMAGE_HEAD];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return vol_errorf(err, "%s", strerror(errno));
	if (vol_image_shape((uint64_t)st.st_size, shape, err) < 0 ||
	    read_at(fd, bytes, sizeof(bytes), 0, err) < 0 ||
	    vol_image_head_get(bytes, head, err) < 0)
		return -1;
	if (head->job != job || head->number != number)
		return vol_errorf_errno(err, EBADMSG,
					"it is image %u of job %u",
					(unsigned)head->number,
					(unsigned)head->job);
	fresh.bytes = shape->bytes;
	fresh.until = head->restarts;
	/* What the head claims is true when the tail opens. */
	if (peek_tail(s, fd, &fresh, shape, err) < 0)
		return -1;
	*image = fresh;
	return 0;
}

static int learn_image(struct vol_store *s, uint32_t job, uint32_t number,
		       struct vol_error *err)
{
	struct vol_store_image image = {.state = VOL_STORE_WHOLE};
	struct vol_image_shape shape;
	struct vol_store_entry *e;
	struct vol_error why = {""};
	char path[PATH_MAX];
	struct stat st = {0};
	cleanup_fd int fd = -1;

	vol_store_path(s, job, number, VOL_IMAGE_WHOLE, path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		vol_errorf(&why, "%s", strerror(errno));
	if (fd < 0 || vol_store_peek(s, fd, job, number, &image, &shape, &why))
		image.state = VOL_STORE_DAMAGED;
	if (image.state == VOL_STORE_DAMAGED)
		vol_err("%s: %s", path, why.text);
	image.head.job = job;
	image.head.number = number;
	e = vol_store_add(s, &image);
	if (!e)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	if (fd >= 0 && fstat(fd, &st) == 0)
		e->room = (uint64_t)st.st_size;
	return 0;
}

static int learn_job(struct vol_store *s, uint32_t job, struct vol_error *err)
{
	char folder[PATH_MAX];
	struct dirent *e;
	uint32_t number;
	int rc = 0;
	DIR *d;

	vol_store_path(s, job, 0, VOL_IMAGE_OTHER, folder);
	d = opendir(folder);
	if (!d)
		return vol_errorf(err, "%s: %s", folder, strerror(errno));
	while (rc == 0 && (e = readdir(d))) {
		switch (vol_image_name_parse(e->d_name, &number)) {
		case VOL_IMAGE_WHOLE:
			rc = learn_image(s, job, number, err);
			break;
		case VOL_IMAGE_PART:
			/* We were killed before it was complete. */
			if (unlinkat(dirfd(d), e->d_name, 0) < 0)
				rc = vol_errorf(err, "%s%s: %s", folder,
						e->d_name, strerror(errno));
			break;
		case VOL_IMAGE_OTHER:
			break;
		}
	}
	closedir(d);
	(void)rmdir(folder); /* if it is empty */
	return rc;
}

static int learn_all(struct vol_store *s, struct vol_error *err)
{
	DIR *d = opendir(s->dir);
	struct dirent *e;
	uint32_t job;
	int rc = 0;

	if (!d)
		return vol_errorf(err, "%s: %s", s->dir, strerror(errno));
	while (rc == 0 && (e = readdir(d))) {
		job = vol_image_job_parse(e->d_name);
		if (job)
			rc = learn_job(s, job, err);
	}
	closedir(d);
	return rc;
}

/* What is not ours alone is not taken. */
static int check_folder(const char *dir, struct vol_error *err)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return vol_errorf(err, "%s: %s", dir, strerror(errno));
	if (st.st_uid != geteuid() || st.st_mode & (S_IRWXG | S_IRWXO))
		return vol_errorf_errno(err, EPERM,
					"%s: must belong to user %u and be "
					"open to nobody else (mode 0700)",
					dir, (unsigned)geteuid());
	return 0;
}

struct vol_store *vol_store_open(const char *dir,
				 const struct vol_store_limits *limits,
				 struct vol_error *err)
{
	struct vol_store *s;
	char path[PATH_MAX];

	/* Room for "/4294967295/4294967295.image". */
	if (strlen(dir) + 32 > sizeof(path)) {
		vol_errorf_errno(err, ENAMETOOLONG, "%.60s...: too long", dir);
		return NULL;
	}
	if (vol_mkdir_p(dir, 0700, err) < 0 || check_folder(dir, err) < 0)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s)
		s->dir = strdup(dir);
	if (!s || !s->dir) {
		free(s);
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	pthread_mutex_init(&s->lock, NULL);
	s->limits = *limits;
	snprintf(path, sizeof(path), "%s/key", dir);
	if (vol_seal_key_load(path, &s->key, err) == 0 &&
	    learn_all(s, err) == 0)
		return s;
	vol_store_close(s);
	return NULL;
}

void vol_store_close(struct vol_store *s)
{
	int saved = errno;

	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	explicit_bzero(&s->key, sizeof(s->key));
	free(s->entries);
	free(s->dir);
	free(s);
	errno = saved;
}

void vol_store_limit(struct vol_store *s, const struct vol_store_limits *limits)
{
	pthread_mutex_lock(&s->lock);
	s->limits = *limits;
	pthread_mutex_unlock(&s->lock);
}

/* ---- all of them ---- */

struct vol_store_image *vol_store_list(struct vol_store *s, size_t *n)
{
	struct vol_store_image *list;

	pthread_mutex_lock(&s->lock);
	list = calloc(s->n + 1, sizeof(*list));
	*n = list ? s->n : 0;
	for (size_t i = 0; i < *n; i++)
		list[i] = s->entries[i].image;
	pthread_mutex_unlock(&s->lock);
	return list;
}

uint64_t vol_store_changes(struct vol_store *s)
{
	uint64_t changes;

	pthread_mutex_lock(&s->lock);
	changes = s->changes;
	pthread_mutex_unlock(&s->lock);
	return changes;
}

uint64_t vol_store_used(struct vol_store *s)
{
	uint64_t used = 0;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n; i++)
		used += s->entries[i].room;
	pthread_mutex_unlock(&s->lock);
	return used;
}

/* Below the lock. */
static int drop_marked(struct vol_store *s, const bool *marked,
		       struct vol_error *err)
{
	int removed = 0, rc = 0;
	struct vol_error why;

	for (size_t i = s->n; i-- > 0;) {
		if (!marked[i])
			continue;
		if (vol_store_drop(s, &s->entries[i], rc ? &why : err) < 0)
			rc = -1;
		else
			removed++;
	}
	return rc < 0 ? rc : removed;
}

static void note_jobs(struct vol_store *s, const struct vol_store_job *jobs,
		      size_t n, time_t now)
{
	for (size_t i = 0; i < s->n; i++) {
		struct vol_store_entry *e = &s->entries[i];

		for (size_t k = 0; k < n; k++)
			if (jobs[k].id == e->image.head.job)
				e->image.live = jobs[k].live;
		if (e->image.live)
			e->live_till = now;
	}
}

int vol_store_sweep(struct vol_store *s, const struct vol_store_job *jobs,
		    size_t n, uint64_t keep_s, struct vol_error *err)
{
	cleanup_free bool *marked = NULL;
	time_t now = time(NULL);
	int rc;

	pthread_mutex_lock(&s->lock);
	note_jobs(s, jobs, n, now);
	marked = calloc(s->n + 1, sizeof(*marked));
	for (size_t i = 0; marked && i < s->n; i++) {
		const struct vol_store_entry *e = &s->entries[i];

		/* A clock that was set back makes them younger. */
		marked[i] = !e->image.live &&
			    e->image.state != VOL_STORE_COMING &&
			    now - e->live_till >= (time_t)keep_s;
	}
	rc = marked ? drop_marked(s, marked, err)
		    : vol_errorf_errno(err, ENOMEM, "out of memory");
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* Is it the newest whole image of a job that is live? */
static bool is_needed(const struct vol_store *s, size_t i)
{
	const struct vol_store_image *image = &s->entries[i].image;

	if (!image->live || image->state != VOL_STORE_WHOLE)
		return false;
	while (++i < s->n && s->entries[i].image.head.job == image->head.job)
		if (s->entries[i].image.state == VOL_STORE_WHOLE)
			return false;
	return true;
}

int vol_store_remove(struct vol_store *s, uint32_t job, uint64_t older_s,
		     struct vol_error *err)
{
	cleanup_free bool *marked = NULL;
	time_t now = time(NULL);
	int rc;

	pthread_mutex_lock(&s->lock);
	marked = calloc(s->n + 1, sizeof(*marked));
	for (size_t i = 0; marked && i < s->n; i++) {
		const struct vol_store_image *image = &s->entries[i].image;

		marked[i] = image->state != VOL_STORE_COMING &&
			    (job ? image->head.job == job : !is_needed(s, i)) &&
			    now - image->head.made >= (time_t)older_s;
	}
	rc = marked ? drop_marked(s, marked, err)
		    : vol_errorf_errno(err, ENOMEM, "out of memory");
	pthread_mutex_unlock(&s->lock);
	return rc;
}

bool vol_store_spare(struct vol_store *s, uint32_t job, uint32_t restarts)
{
	bool any = false;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n; i++) {
		struct vol_store_image *image = &s->entries[i].image;

		if (image->head.job != job || image->state != VOL_STORE_WHOLE ||
		    !restarts || image->until != restarts - 1)
			continue;
		image->until = restarts;
		any = true;
	}
	pthread_mutex_unlock(&s->lock);
	return any;
}

int vol_store_outdate(struct vol_store *s, uint32_t job, uint32_t restarts,
		      struct vol_error *err)
{
	cleanup_free bool *marked = NULL;
	int rc;

	pthread_mutex_lock(&s->lock);
	marked = calloc(s->n + 1, sizeof(*marked));
	for (size_t i = 0; marked && i < s->n; i++) {
		struct vol_store_image *image = &s->entries[i].image;

		marked[i] = image->state != VOL_STORE_COMING &&
			    image->head.job == job &&
			    image->head.restarts == restarts;
		/* It runs, after all. */
		if (image->head.job == job && image->until >= restarts)
			image->until = image->head.restarts;
	}
	rc = marked ? drop_marked(s, marked, err)
		    : vol_errorf_errno(err, ENOMEM, "out of memory");
	pthread_mutex_unlock(&s->lock);
	return rc;
}
