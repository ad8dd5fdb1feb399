/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slice_enter.c - slurmd's way into a cgroup namespace below volunteer.slice
 *
 * From outside it looks like this; the namespace sees ROOT as "/":
 *
 *	/volunteer.slice/ROOT/slurmd                    slurmd
 *	/volunteer.slice/ROOT/system.slice/..._slurmstepd.scope/job_N/...
 *
 * ROOT is slurmd's unit where systemd starts it in a subgroup of the unit
 * (DelegateSubgroup, since 254), since then a unit can be started over steps
 * that an earlier slurmd has left.  Elsewhere it is a folder of ours.
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
#define LEAF        "slurmd"
#define OWN_ROOT    "/" VOL_SLICE "/slurm-volunteer"
#define INIT_CGROUP "/proc/1/cgroup"
#define AS_ROOT     VOL_RUN_DIR "/init-cgroup"

/* Mounts that may lie on top of each other. */
#define MOUNTS_MAX 8

/* Slurm uses the first three; the others are for those who look after jobs. */
static const char *const controllers[] = {"cpuset", "cpu", "memory", "io",
					  "pids"};

struct way {
	char home[PATH_MAX]; /* folder that we come from */
	char root[PATH_MAX]; /* folder that becomes the root */
	char leaf[PATH_MAX];
	int cgroup_ns, mount_ns; /* that we come from */
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

	for (size_t i = 0; i < sizeof(controllers) / sizeof(*controllers);
	     i++) {
		snprintf(word, sizeof(word), "%c%s", sign, controllers[i]);
		(void)vol_cgroup_write(folder, "cgroup.subtree_control", word);
	}
}

static bool is_folder(const struct dirent *e)
{
	return e->d_type == DT_DIR && strcmp(e->d_name, ".") != 0 &&
	       strcmp(e->d_name, "..") != 0;
}

/* Remove what is empty below a folder, so that it can take processes again:
 * the kernel wants them in leaves. */
static void tidy(const char *folder)
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
		tidy(path);
		(void)rmdir(path);
	}
	closedir(dir);
	control(folder, '-');
}

/* ---- the namespace ---- */

static bool at_leaf(void)
{
	char path[PATH_MAX];

	return vol_cgroup_path("", "self", path, sizeof(path), NULL) == 0 &&
	       !strcmp(path, "/" LEAF);
}

/* Into the cgroup namespace of a process, if its root is ours. */
static int join(const struct way *w, const char *pid)
{
	char path[64];
	cleanup_fd int fd = -1;

	snprintf(path, sizeof(path), "/proc/%.20s/ns/cgroup", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWCGROUP) < 0)
		return -1;
	if (at_leaf())
		return 0;
	(void)setns(w->cgroup_ns, CLONE_NEWCGROUP);
	return -1;
}

static int join_any(const struct way *w, const char *folder)
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
		r = join(w, pid);
	fclose(procs);
	return r;
}

/* Steps that an earlier slurmd has left are in the namespace that is wanted. */
static int join_left_over(const struct way *w, const char *folder)
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
		r = join_any(w, path);
		if (r < 0)
			r = join_left_over(w, path);
	}
	closedir(dir);
	return r;
}

/* The root of a new namespace is where its maker is, but no process can be in a
 * folder that hands out controllers to others below. */
static int take_namespace(const struct way *w, struct vol_error *err)
{
	int r = move_to(w->root);

	if (r < 0 && errno == EBUSY) {
		if (join_left_over(w, w->root) == 0)
			return 0;
		tidy(w->root);
		r = move_to(w->root);
	}
	if (r < 0)
		return vol_errorf(err, "can not enter %s: %s", w->root,
				  strerror(errno));
	if (unshare(CLONE_NEWCGROUP) < 0)
		return vol_errorf(err, "no cgroup namespace: %s",
				  strerror(errno));
	if (move_to(w->leaf) < 0 || !at_leaf())
		return vol_errorf(err, "can not enter %s: %s", w->leaf,
				  strerror(errno));
	return 0;
}

/* ---- the places ---- */

/* Did systemd start us in a leaf of a unit below our slice? */
static bool in_unit_leaf(const char *own)
{
	const char *slash = strrchr(own, '/');

	return !strncmp(own, "/" VOL_SLICE "/", strlen("/" VOL_SLICE "/")) &&
	       slash && !strcmp(slash, "/" LEAF);
}

static int join_path(char *to, const char *a, const char *b,
		     struct vol_error *err)
{
	if (snprintf(to, PATH_MAX, "%s%s", a, b) >= PATH_MAX)
		return vol_errorf_errno(err, ENAMETOOLONG, "%s%s: too long", a,
					b);
	return 0;
}

static int find_way(struct way *w, struct vol_error *err)
{
	char mounted[PATH_MAX], own[PATH_MAX];

	if (vol_cgroup_mounted("", "self", mounted, sizeof(mounted), err) < 0 ||
	    vol_cgroup_path("", "self", own, sizeof(own), err) < 0)
		return -1;
	if (strcmp(mounted, "/") != 0)
		return vol_errorf_errno(
			err, EINVAL, MOUNT " shows %s, not the root", mounted);
	if (join_path(w->home, MOUNT, own, err) < 0)
		return -1;
	if (in_unit_leaf(own)) {
		vol_cgroup_parent(own);
		if (join_path(w->root, MOUNT, own, err) < 0)
			return -1;
	} else {
		if (make(MOUNT "/" VOL_SLICE, err) < 0 ||
		    make(MOUNT OWN_ROOT, err) < 0)
			return -1;
		control(MOUNT, '+');
		control(MOUNT "/" VOL_SLICE, '+');
		strcpy(w->root, MOUNT OWN_ROOT);
	}
	return join_path(w->leaf, w->root, "/" LEAF, err);
}

/* An earlier slurmd may have made folders below the leaf. */
static int take_leaf(const struct way *w, struct vol_error *err)
{
	if (make(w->leaf, err) < 0)
		return -1;
	if (move_to(w->leaf) == 0)
		return 0;
	tidy(w->leaf);
	if (move_to(w->leaf) < 0)
		return vol_errorf(err, "can not enter %s: %s", w->leaf,
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
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		if (make(folders[i], err) < 0)
			return -1;
		control(folders[i], '+');
	}
	return 0;
}

static void go_back(const struct way *w)
{
	(void)setns(w->mount_ns, CLONE_NEWNS);
	(void)setns(w->cgroup_ns, CLONE_NEWCGROUP);
	(void)move_to(w->home);
}

int vol_slice_enter(const char *node, struct vol_error *err)
{
	cleanup_fd int cgroup_ns = -1, mount_ns = -1;
	struct way w = {.home = ""};

	cgroup_ns = open("/proc/self/ns/cgroup", O_RDONLY | O_CLOEXEC);
	mount_ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (cgroup_ns < 0 || mount_ns < 0)
		return vol_errorf(err, "no namespaces: %s", strerror(errno));
	w.cgroup_ns = cgroup_ns;
	w.mount_ns = mount_ns;
	if (find_way(&w, err) < 0)
		return -1;
	if (take_leaf(&w, err) < 0 || take_namespace(&w, err) < 0 ||
	    mount_anew(err) < 0 || make_scopes(node, err) < 0) {
		go_back(&w);
		return -1;
	}
	return 0;
}
