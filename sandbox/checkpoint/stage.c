/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stage.c - this machine's mounts for a job that was saved on another one
 *
 * The file system inside is built as for any task, but outside, by real root,
 * and without what the images hold.  CRIU then takes each mount from it by its
 * name.  What is read-only, without devices and so on is so before CRIU clones
 * it into the job's user namespace, where the kernel locks that: whatever the
 * images say, nothing can be seen or written inside that a fresh task could
 * not.
 */
#include "config.h"

#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"

/* Slurm and we write a few lines between two runs of a job. */
#define NOTES_MAX 65536

int vol_stage_begin(struct vol_error *err)
{
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return vol_errorf(err, "new mount namespace: %s",
				  strerror(errno));
	return 0;
}

int vol_stage_tmp(void)
{
	return vol_stage_begin(NULL) == 0 &&
			       mount("criu", "/tmp", "tmpfs",
				     MS_NOSUID | MS_NODEV, "mode=700") == 0
		       ? 0
		       : -1;
}

/* All that is made belongs to root inside. */
static int build_in(struct vol_sandbox *s, const char *script,
		    struct vol_error *err)
{
	cleanup_fd int outside = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* A fresh start may follow, in that folder. */
	cleanup_fd int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint32_t id = vol_ids_outside(s, 0);
	int rc;

	if (outside < 0 || chroot(s->root) != 0 || chdir("/") != 0)
		return vol_errorf(err, "stage: %s", strerror(errno));
	setfsgid(id);
	setfsuid(id);
	rc = vol_root_stage(s, script, err);
	setfsuid(0);
	setfsgid(0);
	if (fchdir(outside) != 0 || chroot(".") != 0 ||
	    (cwd >= 0 && fchdir(cwd) != 0))
		return vol_errorf(err, "stage: %s", strerror(errno));
	return rc;
}

int vol_stage_build(struct vol_sandbox *s, const struct vol_record *r,
		    struct vol_error *err)
{
	uint32_t id = vol_ids_outside(s, 0);
	mode_t mask = umask(022);
	char options[96];
	int rc;

	snprintf(options, sizeof(options), VOL_ROOT_OPTIONS ",uid=%u,gid=%u",
		 id, id);
	if (mount("root", s->root, "tmpfs", MS_NOSUID | MS_NODEV, options) != 0)
		return vol_errorf(err, "%s: cannot mount: %s", s->root,
				  strerror(errno));
	rc = build_in(s, r->script, err);
	umask(mask);
	return rc;
}

void vol_stage_remove(const struct vol_sandbox *s)
{
	int saved = errno;

	umount2(s->root, MNT_DETACH);
	errno = saved;
}

static int open_inside(const struct vol_sandbox *s, const char *path, int flags,
		       uint64_t resolve)
{
	cleanup_fd int root = open(s->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct open_how how = {.flags = (uint64_t)flags | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT | resolve};

	return root < 0 ? -1
			: (int)syscall(SYS_openat2, root, path, &how,
				       sizeof(how));
}

/* One mount, without those on it. */
static int clone_part(const struct vol_sandbox *s, const char *point,
		      bool *folder, struct vol_error *err)
{
	cleanup_fd int fd = open_inside(s, point, O_PATH, RESOLVE_NO_SYMLINKS);
	struct statx st;
	int tree;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) != 0 ||
	    !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return vol_errorf_errno(err, ENOENT,
					"the job has %s, which this device "
					"does not show to jobs",
					point);
	*folder = S_ISDIR(st.stx_mode);
	tree = open_tree(fd, "",
			 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0)
		return vol_errorf(err, "%s: %s", point, strerror(errno));
	return tree;
}

static int attach_part(const struct vol_sandbox *s, const char *point,
		       const char *target, struct vol_error *err)
{
	bool folder;
	cleanup_fd int tree = clone_part(s, point, &folder, err);

	if (tree < 0)
		return -1;
	if (folder ? mkdir(target, 0755) != 0 : vol_make_file(target, err) != 0)
		return vol_errorf(err, "%s: %s", target, strerror(errno));
	return vol_attach(tree, target, err);
}

/* CRIU runs it by a name, and slurmstepd's view may hide where it is. */
static int copy_hook(const struct vol_sandbox *s, struct vol_error *err)
{
	cleanup_fd int fd = open(VOL_STAGE_HOOK,
				 O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);

	if (fd < 0 || vol_copy_fd(s->checkpoint_fd, fd) != 0)
		return vol_errorf(err, "slurm-volunteer-checkpoint: %s",
				  strerror(errno));
	return 0;
}

int vol_stage_parts(const struct vol_sandbox *s, const struct vol_record *r,
		    struct vol_error *err)
{
	char target[64];

	if (vol_stage_begin(err) != 0)
		return -1;
	/* slurmstepd's own shows too little, see view_proc.c. */
	if (s->hidden && mount(s->proc, "/proc", NULL, MS_BIND, NULL) != 0)
		return vol_errorf(err, "/proc: %s", strerror(errno));
	if (mount("stage", VOL_STAGE, "tmpfs", MS_NOSUID | MS_NODEV,
		  "mode=755,size=64m") != 0)
		return vol_errorf(err, VOL_STAGE ": %s", strerror(errno));
	if (attach_part(s, "/", VOL_STAGE_ROOT, err) != 0)
		return -1;
	for (size_t i = 0; i < r->mounts; i++) {
		snprintf(target, sizeof(target), VOL_STAGE_PART, i);
		if (attach_part(s, r->mount[i], target, err) != 0)
			return -1;
	}
	return copy_hook(s, err);
}

static bool is_note(const char *line)
{
	return strncmp(line, "slurmstepd", strlen("slurmstepd")) == 0 ||
	       strncmp(line, "volunteer: ", strlen("volunteer: ")) == 0;
}

/* Where the notes behind the job's last own line begin; the end of what is no
 * text. */
static const char *notes_of(const char *text, size_t len)
{
	const char *notes = text, *line, *next;

	for (line = text; line < text + len; line = next) {
		next = line + strcspn(line, "\n");
		next += *next == '\n';
		if (next == line) /* a NUL */
			return text + len;
		if (!is_note(line))
			notes = next;
	}
	return notes;
}

/* malloc'ed, with a NUL behind; NULL: it can not be read. */
static char *read_part(int fd, off_t from, size_t len)
{
	char *text = malloc(len + 1);

	if (text && pread(fd, text, len, from) == (ssize_t)len) {
		text[len] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

/* What is there since the dump is Slurm's and ours: the job did not go on. */
static bool only_notes(int fd, off_t from, off_t to)
{
	cleanup_free char *text = NULL;
	size_t len = (size_t)(to - from);

	if (to - from > NOTES_MAX || !(text = read_part(fd, from, len)))
		return false;
	return notes_of(text, len) == text;
}

/* Cut it, but for what Slurm and we have said since the job's own last line. */
static int cut_off(int fd, off_t from, off_t to)
{
	off_t begin = to - from > NOTES_MAX ? to - NOTES_MAX : from;
	size_t len = (size_t)(to - begin);
	cleanup_free char *text = read_part(fd, begin, len);
	const char *notes;

	if (!text)
		return -1;
	notes = notes_of(text, len);
	/* That line is further up. */
	if (notes == text && begin != from)
		notes = text + len;
	if (ftruncate(fd, from) != 0)
		return -1;
	/* Without them it is as good. */
	(void)!pwrite(fd, notes, (size_t)(text + len - notes), from);
	return 0;
}

static int settle_output(const struct vol_sandbox *s,
			 const struct vol_record_output *o, bool roll_back,
			 bool cut, struct vol_error *err)
{
	cleanup_fd int fd = open_inside(s, o->path, O_RDWR | O_NONBLOCK,
					RESOLVE_NO_SYMLINKS);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return vol_errorf(err, "output %s: %s", o->path,
				  strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_uid != vol_ids_outside(s, s->job.uid))
		return vol_errorf_errno(err, EINVAL,
					"output %s: is no file of the job's",
					o->path);
	if ((uint64_t)st.st_size < o->length)
		return vol_errorf_errno(err, EINVAL,
					"output %s: has %lld bytes, it had "
					"%llu (--open-mode=append?)",
					o->path, (long long)st.st_size,
					(unsigned long long)o->length);
	if (!roll_back && !only_notes(fd, (off_t)o->length, st.st_size))
		return vol_errorf_errno(err, ESTALE,
					"output %s: the job has written more "
					"since it was saved",
					o->path);
	if (roll_back && cut && cut_off(fd, (off_t)o->length, st.st_size) != 0)
		return vol_errorf(err, "output %s: %s", o->path,
				  strerror(errno));
	return 0;
}

int vol_stage_outputs(const struct vol_sandbox *s, const struct vol_record *r,
		      bool roll_back, bool cut, struct vol_error *err)
{
	for (size_t i = 0; i < r->outputs; i++)
		if (settle_output(s, &r->output[i], roll_back, cut, err) != 0)
			return -1;
	return 0;
}
