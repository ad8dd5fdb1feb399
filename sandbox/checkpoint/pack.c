/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pack.c - the files that a stopped job has for itself, without its processes
 *
 * All of them are in the one tmpfs of its sandbox (root.c).  The folders are
 * open before the program may run once more: it may end then, and its mounts
 * with it, but not what is open here.
 */
#include "config.h"

#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "ckfiles.h"

#define SCRATCH "/run/scratch"

#define FOLDERS_MAX 4

/* A process that waits for a disk stops when that has answered. */
#define STILL_S 30
#define LOOK_MS 2

struct pack {
	const char *dir;
	struct vol_record *record;
	pid_t supervisor;
	int pid1; /* pidfd */
	char cgroup[PATH_MAX];
	size_t n;
	struct {
		int fd;
		const char *name;
	} folder[FOLDERS_MAX];
	int copies;
};

/* --- which ------------------------------------------------------------------
 */

static int find(struct pack *p, const char *task, struct vol_error *err)
{
	bool frozen;

	p->pid1 = vol_find_batch(task, p->record, &p->supervisor, err);
	if (p->pid1 < 0 ||
	    vol_find_cgroup(p->record->pid1, p->cgroup, sizeof(p->cgroup),
			    &frozen, err) != 0)
		return -1;
	if (!p->cgroup[0] || !frozen)
		return vol_errorf_errno(err, EBUSY,
					"the job has not been stopped");
	return 0;
}

static int open_folders(struct pack *p, struct vol_error *err)
{
	cleanup_fd int root = -1, scratch = -1;
	struct stat st, other;
	char link[64];

	snprintf(link, sizeof(link), "/proc/%d/root", (int)p->record->pid1);
	root = open(link, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		scratch = vol_open_in(root, SCRATCH, O_PATH | O_DIRECTORY);
	if (scratch < 0 || fstat(scratch, &st) != 0)
		return vol_errorf(err, SCRATCH ": %s", strerror(errno));
	for (const char *const *f = vol_ckfiles_folders; *f; f++) {
		int fd = vol_open_in(root, *f, O_RDONLY | O_DIRECTORY);

		/* Over it may lie a folder of the machine's. */
		if (fd >= 0 && fstat(fd, &other) == 0 &&
		    other.st_dev == st.st_dev) {
			p->folder[p->n].fd = fd;
			p->folder[p->n++].name = *f;
		} else if (fd >= 0) {
			close(fd);
		}
	}
	return 0;
}

/* Asked to stop is not stopped. */
static int wait_still(const struct pack *p, struct vol_error *err)
{
	time_t end = time(NULL) + STILL_S;

	while (!vol_cgroup_is_still(p->cgroup)) {
		if (time(NULL) > end)
			return vol_errorf_errno(err, EBUSY,
						"the job does not stop");
		poll(NULL, 0, LOOK_MS);
	}
	return 0;
}

/* --- what is there ----------------------------------------------------------
 */

static int add(const char *path, const struct vol_rollback_now *now, void *arg,
	       struct vol_error *err)
{
	static const int hows[] = {
		[VOL_ROLLBACK_IS_FILE] = VOL_ROLLBACK_COPY,
		[VOL_ROLLBACK_IS_FOLDER] = VOL_ROLLBACK_FOLDER,
		[VOL_ROLLBACK_IS_LINK] = VOL_ROLLBACK_TARGET,
	};
	struct vol_record *r = ((struct pack *)arg)->record;
	struct vol_rollback_entry *e = &r->entry[r->entries];

	/* A home itself, and what is nothing without a process. */
	if (!vol_ckfiles_travels(path) || now->kind == VOL_ROLLBACK_IS_OTHER)
		return 0;
	if (r->entries == VOL_ROLLBACK_MAX)
		return vol_errorf_errno(err, EFBIG,
					"%.100s: the job has more than %d "
					"files of its own",
					path, VOL_ROLLBACK_MAX);
	*e = (struct vol_rollback_entry){
		.how = hows[now->kind],
		.mode = now->mode & VOL_CKFILES_MODES,
		.mtime_ns = now->mtime_ns,
	};
	if (e->how != VOL_ROLLBACK_FOLDER)
		e->length = now->length;
	snprintf(e->path, sizeof(e->path), "%s", path);
	r->entries++;
	return 0;
}

static int list(struct pack *p, struct vol_error *err)
{
	for (size_t i = 0; i < p->n; i++)
		if (vol_walk_own(p->folder[i].fd, p->folder[i].name, add, p,
				 err) != 0)
			return -1;
	return 0;
}

static int open_entry(const struct pack *p, const char *path, int flags)
{
	for (size_t i = 0; i < p->n; i++) {
		size_t len = strlen(p->folder[i].name);

		if (strncmp(path, p->folder[i].name, len) == 0 &&
		    path[len] == '/')
			return vol_open_in(p->folder[i].fd, path + len, flags);
	}
	errno = ENOENT;
	return -1;
}

static int copy(const struct pack *p, const struct vol_rollback_entry *e,
		struct vol_error *err)
{
	bool link = e->how == VOL_ROLLBACK_TARGET;
	cleanup_fd int fd = open_entry(
		p, e->path, link ? O_PATH | O_NOFOLLOW : O_RDONLY | O_NONBLOCK);
	char target[PATH_MAX];
	uint64_t sum;

	if (fd < 0)
		return vol_errorf(err, "%s: %s", e->path, strerror(errno));
	if ((link ? vol_target_at(fd, "", target, &sum)
		  : vol_sum_fd(fd, e->length, p->copies, &sum)) != 0 ||
	    (link && vol_write_all(p->copies, target, e->length) != 0))
		return vol_errorf_errno(err, EIO, "%s: %s", e->path,
					strerror(errno));
	return 0;
}

static int open_copies(struct pack *p, struct vol_error *err)
{
	char path[PATH_MAX];
	size_t i = 0;

	while (i < p->record->entries &&
	       !vol_rollback_has_copy(&p->record->entry[i]))
		i++;
	if (i == p->record->entries)
		return 0;
	snprintf(path, sizeof(path), "%s/" VOL_RECORD_COPIES, p->dir);
	p->copies = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return p->copies < 0 ? vol_errorf(err, "%s: %s", path, strerror(errno))
			     : 0;
}

static int copy_all(struct pack *p, struct vol_error *err)
{
	const struct vol_record *r = p->record;

	for (size_t i = 0; i < r->entries; i++)
		if (vol_rollback_has_copy(&r->entry[i]) &&
		    copy(p, &r->entry[i], err) != 0)
			return -1;
	return 0;
}

/* What is read is what the job could read. */
static int as_job(struct pack *p, int (*f)(struct pack *p, struct vol_error *),
		  struct vol_error *err)
{
	const struct vol_record *r = p->record;
	struct vol_rights rights;
	int rc;

	if (vol_rights_take(&rights, vol_ids_of_base(r->base, r->uid),
			    vol_ids_of_base(r->base, r->gid), err) != 0)
		return -1;
	rc = f(p, err);
	return vol_rights_back(&rights, err) != 0 ? -1 : rc;
}

/* --- the whole --------------------------------------------------------------
 */

static int write_record(const struct pack *p, bool goes_on,
			struct vol_error *err)
{
	cleanup_free char *text = NULL;
	struct vol_record *r = p->record;
	struct timespec now;
	char path[PATH_MAX];

	clock_gettime(CLOCK_REALTIME, &now);
	r->moment_ns =
		(uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	r->goes_on = goes_on;
	/* Nothing outside of the image is taken back. */
	r->outputs = r->mounts = 0;
	text = vol_record_format(r, err);
	snprintf(path, sizeof(path), "%s/" VOL_RECORD_FILE, p->dir);
	return text ? vol_file_replace(path, text, strlen(text), 0600, 0, err)
		    : -1;
}

static int pack(struct pack *p, const struct vol_packing *how,
		struct vol_error *err)
{
	const struct vol_grace grace = {.cgroup = p->cgroup,
					.record = p->record,
					.supervisor = p->supervisor,
					.signal = how->signal,
					.ms = how->grace_ms};

	if (vol_dump_folder(p->dir, VOL_RECORD_IMAGES, false, err) != 0 ||
	    open_folders(p, err) != 0)
		return -1;
	if (how->signal && how->grace_ms && vol_grace(&grace, err) != 0)
		return -1;
	if (wait_still(p, err) != 0 || as_job(p, list, err) != 0 ||
	    vol_ckfiles_check(p->record->entry, p->record->entries, UINT64_MAX,
			      err) != 0 ||
	    open_copies(p, err) != 0 || as_job(p, copy_all, err) != 0)
		return -1;
	return write_record(p, how->goes_on, err);
}

int vol_pack(const struct vol_packing *how, const char *task, const char *dir,
	     struct vol_error *err)
{
	struct pack p = {.dir = dir, .pid1 = -1, .copies = -1};
	int rc = -1, saved;

	p.record = calloc(1, sizeof(*p.record));
	if (!p.record)
		vol_errorf(err, "%s", strerror(errno));
	else if (find(&p, task, err) == 0)
		rc = pack(&p, how, err);
	saved = errno;
	if (p.pid1 >= 0)
		close(p.pid1);
	if (p.copies >= 0)
		close(p.copies);
	for (size_t i = 0; i < p.n; i++)
		close(p.folder[i].fd);
	free(p.record);
	errno = saved;
	return rc;
}
