/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hide.c - what slurmd and slurmstepd can reach as the job's user
 *
 * slurmstepd opens the job's input and output outside of all walls, and would
 * run a --task-epilog there; slurmd writes what sbcast(1) sends.  So both live
 * in mount namespaces in which
 *
 *  - the places where people keep files are empty; what is left of the root
 *    folder is an allow-list of the system's names, so that a machine's /data
 *    or /scratch is hidden without anybody having thought of it;
 *  - nothing else can be written but the working folders and what Slurm must
 *    write (keep.c), so that an open fails before it has truncated anything;
 *  - /dev has no device but the harmless ones and the policy's, and no terminal
 *    but those that are opened in it (view_dev.c);
 *  - /proc/PID/root and the like of processes that Slurm did not start lead
 *    nowhere (view_proc.c).
 */
#include "config.h"

#include "private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "view.h"

/* Names of the root folder that belong to a system, not to people: the FHS,
 * and what NixOS, Guix, snapd and ostree add to it. */
static const char *const system_names[] = {
	"bin",   "boot",   "dev", "etc",     "gnu",    "lib",  "lib32",
	"lib64", "libx32", "nix", "opt",     "ostree", "proc", "run",
	"sbin",  "snap",   "sys", "sysroot", "usr",    "var"};

/* Below them, where people keep files or programs keep people's. */
static const char *const private_places[] = {
	"/run/media", "/run/screen",      "/run/user",
	"/var/crash", "/var/home",        "/var/lib/systemd/coredump",
	"/var/local", "/var/log/journal", "/var/mail",
	"/var/mnt",   "/var/spool/cron",  "/var/spool/mail",
	"/var/srv",   "/var/tmp",
};

/* The folders on the way to those that come back are all that a cover holds;
 * read-only, it is no room for anybody.  Its size is that of what it covers,
 * which is what slurmd reports of /tmp.  A new file system takes the kernel
 * longer than another mount of one, so a step has one for all of its places to
 * which nothing comes back. */
#define COVER_INODES 4096

static bool is_system(const char *name)
{
	for (size_t i = 0; i < sizeof(system_names) / sizeof(system_names[0]);
	     i++)
		if (strcmp(name, system_names[i]) == 0)
			return true;
	return false;
}

/* A cover is empty but for what comes back below it. */
static int make_targets(const struct vol_view *v, struct vol_error *err)
{
	for (size_t i = 0; i < v->backs; i++) {
		const char *target = v->back[i].target;

		if (access(target, F_OK) == 0)
			continue;
		if ((v->back[i].folder ? vol_mkdir_p(target, 0755, err)
				       : vol_make_file(target, err)) != 0)
			return -1;
	}
	return 0;
}

static bool targets_are_there(const struct vol_view *v)
{
	for (size_t i = 0; i < v->backs; i++)
		if (access(v->back[i].target, F_OK) != 0)
			return false;
	return true;
}

/* The mounts, not their file systems: that is what a remount would change. */
static int seal(int fd, const char *path, unsigned int flags,
		struct vol_error *err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

	if (mount_setattr(fd, path, flags, &attr, sizeof(attr)) != 0)
		return vol_errorf(err,
				  "hide: cannot make a place read-only: %s",
				  strerror(errno));
	return 0;
}

/* What lies on path now, whatever comes to lie above it. */
static int finish_cover(const struct vol_view *v, const char *path,
			struct vol_error *err)
{
	cleanup_fd int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return vol_errorf(err, "hide %s: %s", path, strerror(errno));
	if (make_targets(v, err) != 0)
		return -1;
	return seal(fd, "", AT_EMPTY_PATH, err);
}

/* A folder in the root folder is found by its name whatever is covered later;
 * one behind a link, or further down, may come to lie below another cover. */
static bool is_top_folder(const char *path)
{
	struct stat st;

	return !strchr(path + 1, '/') && lstat(path, &st) == 0 &&
	       S_ISDIR(st.st_mode);
}

static int cover_alone(struct vol_view *v, const char *path,
		       struct vol_error *err)
{
	char options[96];
	struct statvfs size;

	if (statvfs(path, &size) != 0 || size.f_blocks == 0)
		size.f_blocks = size.f_frsize = 1024;
	snprintf(options, sizeof(options),
		 "mode=755,size=%" PRIu64 ",nr_inodes=%d",
		 (uint64_t)size.f_blocks * size.f_frsize, COVER_INODES);
	if (mount("hidden", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  options) != 0)
		return vol_errorf(err, "hide %s: %s", path, strerror(errno));
	if (!v->for_slurmd && is_top_folder(path) && targets_are_there(v))
		snprintf(v->cover, sizeof(v->cover), "%s", path);
	return finish_cover(v, path, err);
}

/* Links are followed: /home may be one to /var/home. */
static int cover(struct vol_view *v, const char *path, struct vol_error *err)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
			       ? 0
			       : vol_errorf(err, "hide %s: %s", path,
					    strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (!v->cover[0])
		return cover_alone(v, path, err);
	/* Read-only as that. */
	if (mount(v->cover, path, NULL, MS_BIND, NULL) != 0)
		return vol_errorf(err, "hide %s: %s", path, strerror(errno));
	return targets_are_there(v) ? 0 : cover_alone(v, path, err);
}

/* A link that somebody made, say /logs to /var/log: what is hidden at its end
 * must not be the system, or what Slurm writes. */
static bool leads_to_system(const char *path)
{
	cleanup_free char *real = realpath(path, NULL);

	return real &&
	       (!real[1] || is_system(real + 1) || vol_view_keeps(real));
}

static int cover_all(struct vol_view *v, struct vol_error *err)
{
	char path[NAME_MAX + 2];
	DIR *dir = opendir("/");
	struct dirent *e;
	int rc = 0;

	if (!dir)
		return vol_errorf(err, "/: %s", strerror(errno));
	while (rc == 0 && (e = readdir(dir))) {
		snprintf(path, sizeof(path), "/%s", e->d_name);
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0 && !is_system(e->d_name) &&
		    (e->d_type == DT_DIR || !leads_to_system(path)))
			rc = cover(v, path, err);
	}
	closedir(dir);
	for (size_t i = 0;
	     rc == 0 && i < sizeof(private_places) / sizeof(private_places[0]);
	     i++)
		rc = cover(v, private_places[i], err);
	return rc;
}

/* Before anything is covered.  What is not there does not come back. */
static int open_tree_at(struct vol_view *v, const char *path, uint64_t resolve,
			uint64_t attributes, struct vol_error *err)
{
	struct vol_place *p = &v->back[v->backs];

	p->fd = vol_clone_tree(path, resolve, attributes, MS_SLAVE, -1,
			       &p->folder, err);
	if (p->fd < 0)
		return errno == ENOENT ? 0 : -1;
	snprintf(p->target, sizeof(p->target), "%s", path);
	v->backs++;
	return 0;
}

static int open_work(struct vol_view *v, const struct vol_walls *walls,
		     struct vol_error *err)
{
	/* slurmstepd's tasks run programs inside only; but what slurmd sees is
	 * what they get. */
	uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			      (v->for_slurmd ? 0 : MOUNT_ATTR_NOEXEC);

	for (size_t i = 0; i < walls->work.n; i++)
		if (open_tree_at(v, walls->work.path[i], RESOLVE_NO_SYMLINKS,
				 attributes, err) != 0)
			return -1;
	return 0;
}

/* What vol_sandbox_create() takes its places from, in slurmstepd. */
static int open_sources(struct vol_view *v, const struct vol_walls *walls,
			struct vol_error *err)
{
	if (!v->for_slurmd)
		return 0;
	if (walls->image[0] &&
	    open_tree_at(v, walls->image, 0, MOUNT_ATTR_RDONLY, err) != 0)
		return -1;
	for (size_t i = 0; i < walls->read.n; i++)
		if (open_tree_at(v, walls->read.path[i], 0, MOUNT_ATTR_RDONLY,
				 err) != 0)
			return -1;
	return 0;
}

static int bring_back(const struct vol_view *v, struct vol_error *err)
{
	for (size_t i = 0; i < v->backs; i++)
		if (vol_attach(v->back[i].fd, v->back[i].target, err) != 0)
			return -1;
	return 0;
}

/* What is kept is cloned when the covers above it are read-only, and before
 * all else is. */
static int build(struct vol_view *v, const struct vol_walls *walls,
		 struct vol_error *err)
{
	if (open_sources(v, walls, err) != 0 || open_work(v, walls, err) != 0 ||
	    vol_view_open_dev(v, walls, err) != 0 || cover_all(v, err) != 0 ||
	    vol_view_open_kept(v, err) != 0 ||
	    seal(AT_FDCWD, "/", AT_RECURSIVE, err) != 0 ||
	    vol_view_attach_kept(v, err) != 0 || bring_back(v, err) != 0)
		return -1;
	return vol_view_build_dev(v, err);
}

static void close_view(struct vol_view *v)
{
	int saved = errno;

	while (v->backs > 0)
		close(v->back[--v->backs].fd);
	while (v->keeps > 0)
		close(v->keep[--v->keeps].fd);
	while (v->nodes > 0)
		close(v->node[--v->nodes].fd);
	free(v);
	errno = saved;
}

static int hide(const struct vol_walls *walls, bool for_slurmd,
		struct vol_error *err)
{
	struct vol_view *v;
	int rc;

	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0)
		return vol_errorf(err, "new mount namespace: %s",
				  strerror(errno));
	v = calloc(1, sizeof(*v));
	if (!v)
		return vol_errorf(err, "%s", strerror(errno));
	v->for_slurmd = for_slurmd;
	rc = build(v, walls, err);
	close_view(v);
	return rc;
}

static int hide_for_step(struct vol_sandbox *s, struct vol_error *err)
{
	bool apart;

	/* On a busy machine it is a while until that has its turn. */
	if (vol_limits_guard(s, err) != 0 || hide(&s->walls, false, err) != 0 ||
	    vol_view_cover_processes(s->job.uid, s->proc, err) != 0 ||
	    vol_view_show_proc(s->proc, err) != 0 ||
	    vol_view_apart(false, &apart, err) != 0)
		return -1;
	if (!apart && vol_view_cut_links(err) != 0)
		return -1;
	s->hidden = true;
	vol_ids_end(s);
	return vol_limits_stepd(s, err);
}

/* Nothing here is the job's doing. */
static int never_blame(int rc)
{
	if (rc != 0 && errno == EACCES)
		errno = EPERM;
	return rc;
}

int vol_sandbox_hide(struct vol_sandbox *s, struct vol_error *err)
{
	return never_blame(hide_for_step(s, err));
}

int vol_sandbox_hide_for(const struct vol_walls *walls, struct vol_error *err)
{
	bool apart;

	if (hide(walls, true, err) != 0)
		return never_blame(-1);
	return never_blame(vol_view_apart(true, &apart, err));
}
