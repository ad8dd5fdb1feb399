/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slice_enter.c - slurmd's way into a cgroup namespace below volunteer.slice
 *
 * From outside it looks like this; the namespace sees ROOT as "/":
 *
 *	ROOT/slurmd                                           slurmd
 *	ROOT/system.slice/NODE_slurmstepd.scope/job_N/...     job steps
 *
 * ROOT is a folder of our own, not that of slurmd's unit.  Steps in there would
 * be in its way: systemd does not start a unit anew while processes of the last
 * run are left.  systemd leaves folders that it has not made alone, and the
 * kernel lets it take no controller away that is in use below.  Its name is the
 * unit's, since the journal knows the unit of a message by that.
 *
 * Slurm takes the parent of /proc/1/cgroup for the root of the tree.  Seen from
 * the namespace that is outside of it, so there "0::/" lies over that file.  It
 * asks systemd for a scope only if the scope's folder is missing, so it is made
 * here.  (cgroup/v2 of Slurm 22.05 to 26.05: _get_init_cg_path,
 * _init_slurmd_system_scope.)
 */
#include "config.h"

#include "device/slice.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "device/cgroups.h"

#define MOUNT       VOL_CGROUP_MOUNT
#define LEAF_NAME   "/slurmd"
#define SLICE       MOUNT "/" VOL_SLICE
#define ABOVE       SLICE "/volunteer-slurmd.slice"
#define ROOT        ABOVE "/slurm-volunteer-slurmd.service"
#define LEAF        ROOT LEAF_NAME
#define INIT_CGROUP "/proc/1/cgroup"
#define AS_ROOT     VOL_RUN_DIR "/init-cgroup"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* Mounts that may lie on top of each other. */
#define MOUNTS_MAX 8

/* Slurm uses the first three; the others are for those who look after jobs. */
static const char *const controllers[] = {"cpuset", "cpu", "memory", "io",
					  "pids"};

/* Where we come from. */
struct origin {
	char folder[PATH_MAX];
	int cgroup_ns, mount_ns;
};

static int move_to(const char *folder)
{
	return vol_cgroup_write(folder, "cgroup.procs", "0");
}

static int make(const char *folder, struct vol_error *err)
{
	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		return vol_errorf(err, "%s: %s", folder, strerror(errno));
	return 0;
}

/* One by one, as any may be missing or refused. */
static void control(const char *folder, char sign)
{
	char word[16];

	for (size_t i = 0; i < N_ELEMENTS(controllers); i++) {
		snprintf(word, sizeof(word), "%c%s", sign, controllers[i]);
		(void)vol_cgroup_write(folder, "cgroup.subtree_control", word);
	}
}

static bool is_folder(const struct dirent *e)
{
	return e->d_type == DT_DIR && strcmp(e->d_name, ".") != 0 &&
	       strcmp(e->d_name, "..") != 0;
}

static void remove_empty(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *e;

	if (!dir)
		return;
	while ((e = readdir(dir)) != NULL) {
		char path[PATH_MAX];

		if (!is_folder(e) ||
		    snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) >=
			    (int)sizeof(path))
			continue;
		remove_empty(path);
		(void)rmdir(path);
	}
	closedir(dir);
}

/* So that the folder can take processes again: the kernel wants them in leaves.
 * What is in use below stays as it is. */
static void tidy(const char *folder)
{
	remove_empty(folder);
	control(folder, '-');
}

/* ---- the namespace ---- */

static bool at_leaf(void)
{
	char path[PATH_MAX];

	return vol_cgroup_path("", "self", path, sizeof(path), NULL) == 0 &&
	       !strcmp(path, LEAF_NAME);
}

/* Into the cgroup namespace of a process, if its root is ours. */
static int join(const struct origin *o, const char *pid)
{
	char path[64];
	cleanup_fd int fd = -1;

	snprintf(path, sizeof(path), "/proc/%.20s/ns/cgroup", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWCGROUP) < 0)
		return -1;
	if (at_leaf())
		return 0;
	(void)setns(o->cgroup_ns, CLONE_NEWCGROUP);
	return -1;
}

static int join_any(const struct origin *o, const char *folder)
{
	char path[PATH_MAX], pid[24];
	FILE *procs;
	int r = -1;

	if (snprintf(path, sizeof(path), "%s/cgroup.procs", folder) >=
	    (int)sizeof(path))
		return -1;
	procs = fopen(path, "re");
	if (!procs)
		return -1;
	while (r < 0 && fscanf(procs, "%20s", pid) == 1)
		r = join(o, pid);
	fclose(procs);
	return r;
}

/* Steps that an earlier slurmd has left are in the namespace that is wanted. */
static int join_left_over(const struct origin *o, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	int r = -1;

	if (!dir)
		return -1;
	while (r < 0 && (e = readdir(dir)) != NULL) {
		char path[PATH_MAX];

		if (!is_folder(e) ||
		    snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) >=
			    (int)sizeof(path))
			continue;
		r = join_any(o, path);
		if (r < 0)
			r = join_left_over(o, path);
	}
	closedir(dir);
	return r;
}

/* The root of a new namespace is where its maker is, but no process can be in a
 * folder that hands out controllers to others below. */
static int take_namespace(const struct origin *o, struct vol_error *err)
{
	int r = move_to(ROOT);

	if (r < 0 && errno == EBUSY) {
		if (join_left_over(o, ROOT) == 0)
			return 0;
		tidy(ROOT);
		r = move_to(ROOT);
	}
	if (r < 0)
		return vol_errorf(err, "can not enter %s: %s", ROOT,
				  strerror(errno));
	if (unshare(CLONE_NEWCGROUP) < 0)
		return vol_errorf(err, "no cgroup namespace: %s",
				  strerror(errno));
	if (move_to(LEAF) < 0 || !at_leaf())
		return vol_errorf(err, "can not enter %s: %s", LEAF,
				  strerror(errno));
	return 0;
}

/* ---- the places ---- */

static int find_origin(struct origin *o, struct vol_error *err)
{
	char mounted[PATH_MAX], own[PATH_MAX - sizeof(MOUNT)];

	if (vol_cgroup_mounted("", "self", mounted, sizeof(mounted), err) < 0 ||
	    vol_cgroup_path("", "self", own, sizeof(own), err) < 0)
		return -1;
	if (strcmp(mounted, "/") != 0)
		return vol_errorf_errno(
			err, EINVAL, MOUNT " shows %s, not the root", mounted);
	snprintf(o->folder, sizeof(o->folder), MOUNT "%s", own);
	return 0;
}

/* An earlier slurmd may have made folders below the leaf. */
static int take_leaf(struct vol_error *err)
{
	static const char *const above[] = {MOUNT, SLICE, ABOVE};

	for (size_t i = 0; i < N_ELEMENTS(above); i++) {
		if (make(above[i], err) < 0)
			return -1;
		/* Done already where systemd has started us. */
		control(above[i], '+');
	}
	if (make(ROOT, err) < 0 || make(LEAF, err) < 0)
		return -1;
	if (move_to(LEAF) == 0)
		return 0;
	tidy(LEAF);
	if (move_to(LEAF) < 0)
		return vol_errorf(err, "can not enter %s: %s", LEAF,
				  strerror(errno));
	return 0;
}

/* Mounts of the machine still arrive here; ours stay here. */
static int mount_anew(struct vol_error *err)
{
	static const char as_root[] = "0::/\n";

	if (vol_mkdir_p(VOL_RUN_DIR, 0755, err) < 0 ||
	    vol_file_replace(AS_ROOT, as_root, strlen(as_root), 0444, 0, err) <
		    0)
		return -1;
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return vol_errorf(err, "no mount namespace: %s",
				  strerror(errno));
	/* Slurm takes the first mount that it finds there. */
	for (int i = 0; i < MOUNTS_MAX; i++)
		if (umount2(MOUNT, MNT_DETACH) < 0)
			break;
	if (mount("cgroup2", MOUNT, "cgroup2",
		  MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME, NULL) < 0)
		return vol_errorf(err, "can not mount " MOUNT ": %s",
				  strerror(errno));
	if (mount(AS_ROOT, INIT_CGROUP, NULL, MS_BIND, NULL) < 0)
		return vol_errorf(err, "can not mount " INIT_CGROUP ": %s",
				  strerror(errno));
	return 0;
}

/* With several slurmds a host (Debian's build) the name is in it. */
static int make_scopes(const char *node, struct vol_error *err)
{
	char named[PATH_MAX];
	const char *const folders[] = {
		MOUNT,
		MOUNT "/system.slice",
		MOUNT "/system.slice/slurmstepd.scope",
		named,
	};

	snprintf(named, sizeof(named),
		 MOUNT "/system.slice/%.64s_slurmstepd.scope", node);
	for (size_t i = 0; i < N_ELEMENTS(folders); i++) {
		if (make(folders[i], err) < 0)
			return -1;
		control(folders[i], '+');
	}
	return 0;
}

static void go_back(const struct origin *o)
{
	(void)setns(o->mount_ns, CLONE_NEWNS);
	(void)setns(o->cgroup_ns, CLONE_NEWCGROUP);
	(void)move_to(o->folder);
}

int vol_slice_enter(const char *node, struct vol_error *err)
{
	cleanup_fd int cgroup_ns = -1, mount_ns = -1;
	struct origin o = {.folder = ""};

	cgroup_ns = open("/proc/self/ns/cgroup", O_RDONLY | O_CLOEXEC);
	mount_ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (cgroup_ns < 0 || mount_ns < 0)
		return vol_errorf(err, "no namespaces: %s", strerror(errno));
	o.cgroup_ns = cgroup_ns;
	o.mount_ns = mount_ns;
	if (find_origin(&o, err) < 0)
		return -1;
	if (take_leaf(err) < 0 || take_namespace(&o, err) < 0 ||
	    mount_anew(err) < 0 || make_scopes(node, err) < 0) {
		go_back(&o);
		return -1;
	}
	return 0;
}
