/* SPDX-License-Identifier: GPL-2.0-or-later */
/* root.c - the file system that a job sees
 *
 *	/		read-only tmpfs: folders, links, the script
 *	/etc		read-only, shared by all steps
 *	/usr, /bin ...	from the machine or an image, read-only
 *	working folders	from the machine, writable
 *	/tmp, /var/tmp, /home, /dev/shm
 *			one tmpfs, so one limit for them all
 *	/dev, /dev/pts, /proc
 *			of the job's own
 */
#include "config.h"

#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

#define SCRATCH "/run/scratch"

/* An inode of tmpfs costs the machine about 1 KiB: no more of them than bytes
 * of scratch allow. */
#define SCRATCH_PER_INODE 4096

static const char *const folders[] = {"/dev",     "/etc",  "/home", "/mnt",
				      "/opt",     "/proc", "/run",  "/srv",
				      "/sys",     "/tmp",  "/var",  "/var/tmp",
				      "/run/lock"};

int vol_make_file(const char *path, struct vol_error *err)
{
	const int flags = O_RDONLY | O_CREAT | O_CLOEXEC;
	int fd = open(path, flags, 0444);
	char dir[PATH_MAX];
	char *slash;

	if (fd < 0 && errno == ENOENT) {
		snprintf(dir, sizeof(dir), "%s", path);
		slash = strrchr(dir, '/');
		if (slash > dir) {
			*slash = '\0';
			if (vol_mkdir_p(dir, 0755, err) != 0)
				return -1;
		}
		fd = open(path, flags, 0444);
	}
	if (fd < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	close(fd);
	return 0;
}

int vol_write_file(const char *path, mode_t mode, const char *text,
		   struct vol_error *err)
{
	cleanup_fd int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	size_t len = strlen(text);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	return 0;
}

int vol_copy_fd(int from, int to)
{
	off_t at = 0;
	ssize_t n;

	do
		n = sendfile(to, from, &at, 1 << 20);
	while (n > 0);
	return n < 0 ? -1 : 0;
}

static int make_folders(struct vol_error *err)
{
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdir(folders[i], 0755) != 0 && errno != EEXIST)
			return vol_errorf(err, "%s: %s", folders[i],
					  strerror(errno));
	if (mkdir("/root", 0700) != 0)
		return vol_errorf(err, "/root: %s", strerror(errno));
	return 0;
}

static int make_links(const struct vol_sandbox *s, struct vol_error *err)
{
	char path[NAME_MAX + 2];

	for (size_t i = 0; i < s->links; i++) {
		snprintf(path, sizeof(path), "/%s", s->link[i].name);
		if (symlink(s->link[i].to, path) != 0 && errno != EEXIST)
			return vol_errorf(err, "%s: %s", path, strerror(errno));
	}
	return 0;
}

/* Everything from now on is named as the job will name it: absolute links of
 * an image lead into the image, not to the machine.  *left is the folder of the
 * machine's tree that the new root was mounted on, and has left again.  The
 * machine's tree is kept at VOL_OLD_ROOT until the end, since a new /proc needs
 * to see one. */
static int new_root(const struct vol_sandbox *s, int *left,
		    struct vol_error *err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return vol_errorf(err, "private mounts: %s", strerror(errno));
	*left = open(s->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*left < 0 || mount("root", s->root, "tmpfs", MS_NOSUID | MS_NODEV,
			       VOL_ROOT_OPTIONS) != 0)
		return vol_errorf(err, "%s: cannot mount: %s", s->root,
				  strerror(errno));
	if (chdir(s->root) != 0 || mkdir("old", 0700) != 0 ||
	    syscall(SYS_pivot_root, ".", "old") != 0 || chdir("/") != 0)
		return vol_errorf(err, "new root: %s", strerror(errno));
	return 0;
}

static int make_scratch_folder(const char *name, mode_t mode,
			       const char *target, struct vol_error *err)
{
	if (mkdir(name, mode) != 0 || chmod(name, mode) != 0 ||
	    mount(name, target, NULL, MS_BIND, NULL) != 0)
		return vol_errorf(err, "%s: %s", target, strerror(errno));
	return 0;
}

static int build_scratch(const struct vol_sandbox *s, struct vol_error *err)
{
	char options[96], home[96];

	snprintf(options, sizeof(options),
		 "mode=700,size=%" PRIu64 ",nr_inodes=%" PRIu64,
		 s->walls.scratch_bytes,
		 s->walls.scratch_bytes / SCRATCH_PER_INODE + 1024);
	if (mkdir(SCRATCH, 0700) != 0 ||
	    mount("scratch", SCRATCH, "tmpfs", MS_NOSUID | MS_NODEV, options) !=
		    0)
		return vol_errorf(err, "scratch: %s", strerror(errno));
	snprintf(home, sizeof(home), SCRATCH "/home");
	if (make_scratch_folder(SCRATCH "/tmp", 01777, "/tmp", err) != 0 ||
	    make_scratch_folder(SCRATCH "/var-tmp", 01777, "/var/tmp", err) !=
		    0 ||
	    make_scratch_folder(SCRATCH "/shm", 01777, "/dev/shm", err) != 0 ||
	    make_scratch_folder(home, 0755, "/home", err) != 0)
		return -1;
	snprintf(home, sizeof(home), "/home/%s", s->job.user);
	if (mkdir(home, 0700) != 0 || chown(home, s->job.uid, s->job.gid) != 0)
		return vol_errorf(err, "%s: %s", home, strerror(errno));
	return 0;
}

/* With its attributes. */
static int bind(const char *from, const char *to, struct vol_error *err)
{
	if (mount(from, to, NULL, MS_BIND, NULL) != 0)
		return vol_errorf(err, "%s: cannot mount: %s", to,
				  strerror(errno));
	return 0;
}

static int attach_place(const struct vol_sandbox *s, size_t i,
			struct vol_error *err)
{
	const struct vol_place *p = &s->place[i];

	if ((p->folder ? vol_mkdir_p(p->target, 0755, err)
		       : vol_make_file(p->target, err)) != 0)
		return -1;
	if (p->fd < 0)
		return bind(s->place[i - 1].target, p->target, err);
	return vol_attach(p->fd, p->target, err);
}

static int attach_places(const struct vol_sandbox *s, struct vol_error *err)
{
	for (size_t i = 0; i < s->places; i++)
		if (attach_place(s, i, err) != 0)
			return -1;
	return 0;
}

/* slurmd's own copy is readable for a user that is nobody inside. */
static int copy_script(const struct vol_sandbox *s, const char *path, uid_t uid,
		       gid_t gid, struct vol_error *err)
{
	cleanup_fd int fd = -1;

	if (s->script_fd < 0)
		return 0;
	if (vol_make_file(path, err) != 0)
		return -1;
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || vol_copy_fd(s->script_fd, fd) != 0 ||
	    fchown(fd, uid, gid) != 0 || fchmod(fd, 0500) != 0)
		return vol_errorf(err, "script %s: %s", path, strerror(errno));
	return 0;
}

void vol_host_name(const struct vol_sandbox *s, char name[64])
{
	if (s->job.host[0])
		snprintf(name, 64, "%s", s->job.host);
	else
		snprintf(name, 64, "job%" PRIu32, s->job.job);
}

static int name_host(const struct vol_sandbox *s, struct vol_error *err)
{
	char name[64];

	vol_host_name(s, name);
	if (sethostname(name, strlen(name)) != 0)
		return vol_errorf(err, "hostname: %s", strerror(errno));
	return 0;
}

int vol_root_seal(const char *path, struct vol_error *err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY |
					      MOUNT_ATTR_NOSUID};

	if (mount_setattr(AT_FDCWD, path, 0, &attr, sizeof(attr)) != 0)
		return vol_errorf(err, "%s: cannot make it read-only: %s", path,
				  strerror(errno));
	return 0;
}

int vol_root_build(const struct vol_sandbox *s, struct vol_error *err)
{
	cleanup_fd int left = -1;

	if (new_root(s, &left, err) != 0 || make_folders(err) != 0 ||
	    make_links(s, err) != 0 || vol_etc_attach(s, left, err) != 0 ||
	    vol_dev_build(s, err) != 0 || build_scratch(s, err) != 0 ||
	    copy_script(s, s->script, s->job.uid, s->job.gid, err) != 0 ||
	    attach_places(s, err) != 0 || vol_proc_build(err) != 0 ||
	    name_host(s, err) != 0)
		return -1;
	if (umount2(VOL_OLD_ROOT, MNT_DETACH) != 0 || rmdir(VOL_OLD_ROOT) != 0)
		return vol_errorf(err, "old root: %s", strerror(errno));
	/* It looks at names that the job chose: nothing of the machine's tree
	 * may be there any more. */
	if (vol_own_build(s, err) != 0 || vol_root_seal("/dev", err) != 0)
		return -1;
	return vol_root_seal("/", err);
}

/* A detached mount that was attached can not be once more; this one can. */
static int renew(int *fd, const char *target, struct vol_error *err)
{
	int clone =
		open_tree(AT_FDCWD, target,
			  AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (clone < 0)
		return vol_errorf(err, "%s: %s", target, strerror(errno));
	close(*fd);
	*fd = clone;
	return 0;
}

/* Before the next one, which may lie on it. */
static int stage_places(struct vol_sandbox *s, struct vol_error *err)
{
	for (size_t i = 0; i < s->places; i++)
		if (attach_place(s, i, err) != 0 ||
		    (s->place[i].fd >= 0 &&
		     renew(&s->place[i].fd, s->place[i].target, err) != 0))
			return -1;
	return 0;
}

static int stage_etc(struct vol_sandbox *s, struct vol_error *err)
{
	cleanup_fd int left = -1;

	if (mkdir(VOL_OLD_ROOT, 0700) != 0)
		return vol_errorf(err, "old root: %s", strerror(errno));
	left = open(VOL_OLD_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (vol_etc_attach(s, left, err) != 0 ||
	    renew(&s->tree_fd, VOL_OLD_ROOT, err) != 0)
		return -1;
	if (umount2(VOL_OLD_ROOT, MNT_DETACH) != 0 || rmdir(VOL_OLD_ROOT) != 0)
		return vol_errorf(err, "old root: %s", strerror(errno));
	return 0;
}

int vol_root_stage(struct vol_sandbox *s, const char *script,
		   struct vol_error *err)
{
	uid_t uid = vol_ids_outside(s, s->job.uid);
	gid_t gid = vol_ids_outside(s, s->job.gid);

	if (make_folders(err) != 0 || make_links(s, err) != 0)
		return -1;
	/* Its tmpfs is in the images. */
	if (mkdir(SCRATCH, 0700) != 0)
		return vol_errorf(err, SCRATCH ": %s", strerror(errno));
	if (stage_etc(s, err) != 0 ||
	    copy_script(s, s->script, uid, gid, err) != 0)
		return -1;
	if (script[0] && strcmp(script, s->script) != 0 &&
	    copy_script(s, script, uid, gid, err) != 0)
		return -1;
	return stage_places(s, err) != 0 ? -1 : vol_own_build(s, err);
}
