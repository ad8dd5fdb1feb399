/* SPDX-License-Identifier: GPL-2.0-or-later */
/* etc.c - the /etc inside: a tmpfs that all steps share, read-only
 *
 *	/etc		a copy of what the policy lists, of that only what
 *			everybody may read; made by root, once
 *	/sources	what it was made of, see sources.c
 *
 * Links are copied as links: what they lead to is what that name means inside,
 * so a link to a secret leads nowhere.  What is a job's own (passwd, hostname)
 * are links to files that each step writes, see own.c.
 *
 * The copy takes some 20 ms, so it is kept in slurmd's mount namespace, and
 * ends with that, however slurmd ends: no file of it is on any disk, and there
 * is nothing to clean up.  Each step looks whether one of its sources changed,
 * or the policy, and makes another one if so.  Steps that have the old one keep
 * it: what they have is a mount of their own.
 */
#include "config.h"

#include "etc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

#define DEPTH_MAX 16

/* Documentation says that a 2 MiB /etc is large. */
#define TREE_SIZE   "48m"
#define TREE_INODES "16k"

/* The name services of a machine are not there. */
static const char nsswitch[] =
	"passwd: files\ngroup: files\nshadow: files\n"
	"hosts: files dns\nservices: files\nprotocols: files\n"
	"networks: files\nethers: files\nrpc: files\n";

static int copy_entry(struct vol_sources *seen, int from, int to,
		      const char *path, int depth, struct vol_error *err);

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int copy_file(int from, int to, const char *path, struct vol_error *err)
{
	const char *name = last_part(path);
	cleanup_fd int in = openat(
		from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	cleanup_fd int out = -1;
	struct stat st;

	if (in < 0)
		return errno == EACCES || errno == ENOENT
			       ? 0
			       : vol_errorf(err, "/etc/%s: %s", path,
					    strerror(errno));
	if (fstat(in, &st) != 0)
		return vol_errorf(err, "/etc/%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || !(st.st_mode & S_IROTH))
		return 0;
	/* Two patterns may name the same. */
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		     st.st_mode & S_IXOTH ? 0755 : 0644);
	if (out < 0 && errno == EEXIST)
		return 0;
	if (out < 0 || vol_copy_fd(in, out) != 0)
		return vol_errorf(err, "copy of /etc/%s: %s", path,
				  strerror(errno));
	return 0;
}

static int copy_link(int from, int to, const char *path, struct vol_error *err)
{
	const char *name = last_part(path);
	char text[PATH_MAX];
	ssize_t n = readlinkat(from, name, text, sizeof(text) - 1);

	if (n < 0)
		return vol_errorf(err, "/etc/%s: %s", path, strerror(errno));
	text[n] = '\0';
	if (symlinkat(text, to, name) != 0 && errno != EEXIST)
		return vol_errorf(err, "copy of /etc/%s: %s", path,
				  strerror(errno));
	return 0;
}

/* Entries of from, which is folder ("": /etc), that match pattern. */
static int copy_matching(struct vol_sources *seen, int from, int to,
			 const char *folder, const char *pattern, int depth,
			 struct vol_error *err)
{
	int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char path[PATH_MAX];
	struct dirent *e;
	int rc = 0;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return errno == EACCES ? 0
				       : vol_errorf(err, "/etc/%s: %s", folder,
						    strerror(errno));
	}
	while (rc == 0 && (e = readdir(dir))) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0 ||
		    fnmatch(pattern, e->d_name, 0) != 0)
			continue;
		if (snprintf(path, sizeof(path), "%s%s%s", folder,
			     folder[0] ? "/" : "",
			     e->d_name) >= (int)sizeof(path))
			rc = vol_errorf_errno(err, ENAMETOOLONG, "/etc/%s: %s",
					      folder, strerror(ENAMETOOLONG));
		else
			rc = copy_entry(seen, from, to, path, depth, err);
	}
	closedir(dir);
	return rc;
}

static int copy_folder(struct vol_sources *seen, int from, int to,
		       const char *path, int depth, struct vol_error *err)
{
	const char *name = last_part(path);
	cleanup_fd int in = openat(
		from, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_fd int out = -1;

	if (depth == DEPTH_MAX)
		return vol_errorf_errno(err, ELOOP, "/etc/%s: too deep", path);
	if (mkdirat(to, name, 0755) != 0 && errno != EEXIST)
		return vol_errorf(err, "copy of /etc/%s: %s", path,
				  strerror(errno));
	out = openat(to, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (in < 0 || out < 0)
		return vol_errorf(err, "/etc/%s: %s", path, strerror(errno));
	return copy_matching(seen, in, out, path, "*", depth + 1, err);
}

/* What may not be read is seen, too: it may be allowed one day. */
static int copy_entry(struct vol_sources *seen, int from, int to,
		      const char *path, int depth, struct vol_error *err)
{
	struct stat st;

	if (fstatat(from, last_part(path), &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == EACCES || errno == ENOENT
			       ? vol_sources_add(seen, path, NULL, err)
			       : vol_errorf(err, "/etc/%s: %s", path,
					    strerror(errno));
	/* Another link is a change of its folder. */
	if (S_ISLNK(st.st_mode))
		return copy_link(from, to, path, err);
	if (vol_sources_add(seen, path, &st, err) != 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		return (st.st_mode & (S_IROTH | S_IXOTH)) == (S_IROTH | S_IXOTH)
			       ? copy_folder(seen, from, to, path, depth, err)
			       : 0;
	return S_ISREG(st.st_mode) ? copy_file(from, to, path, err) : 0;
}

static int open_folder(int dir, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
			       .resolve =
				       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

/* The folder in which name is to be, made; a descriptor. */
static int make_parent(int tree, const char *name, struct vol_error *err)
{
	char path[VOL_WALLS_PATH_SIZE];
	int to = open_folder(tree, ".");

	for (const char *end = strchr(name, '/'); to >= 0 && end;
	     end = strchr(end + 1, '/')) {
		int rc;

		snprintf(path, sizeof(path), "%.*s", (int)(end - name), name);
		rc = mkdirat(to, last_part(path), 0755);
		close(to);
		to = rc == 0 || errno == EEXIST ? open_folder(tree, path) : -1;
	}
	if (to < 0)
		return vol_errorf(err, "copy of /etc/%s: %s", name,
				  strerror(errno));
	return to;
}

/* 0 and *from of -1: what leads there is not there, or not where it should be.
 */
static int find_parent(const struct vol_sandbox *s, struct vol_sources *seen,
		       const char *name, int *from, struct vol_error *err)
{
	char path[VOL_WALLS_PATH_SIZE];
	struct stat st;

	*from = open_folder(s->etc_fd, ".");
	for (const char *end = strchr(name, '/'); *from >= 0 && end;
	     end = strchr(end + 1, '/')) {
		snprintf(path, sizeof(path), "%.*s", (int)(end - name), name);
		close(*from);
		*from = open_folder(s->etc_fd, path);
		if (*from >= 0 && fstat(*from, &st) != 0)
			return vol_errorf(err, "/etc/%s: %s", path,
					  strerror(errno));
		if (vol_sources_add(seen, path, *from < 0 ? NULL : &st, err) !=
		    0)
			return -1;
	}
	return 0;
}

/* "ssl/certs": ssl is made, certs is copied into it. */
static int copy_listed(const struct vol_sandbox *s, struct vol_sources *seen,
		       int tree, const char *name, struct vol_error *err)
{
	const char *last = last_part(name);
	char folder[VOL_WALLS_PATH_SIZE];
	cleanup_fd int from = -1;
	cleanup_fd int to = -1;

	if (find_parent(s, seen, name, &from, err) != 0)
		return -1;
	if (from < 0)
		return 0;
	to = make_parent(tree, name, err);
	if (to < 0)
		return -1;
	if (!strpbrk(last, "*?["))
		return copy_entry(seen, from, to, name, 0, err);
	snprintf(folder, sizeof(folder), "%.*s",
		 last > name ? (int)(last - name - 1) : 0, name);
	return copy_matching(seen, from, to, folder, last, 0, err);
}

/* Where mounts of the policy go when the tree is read-only. */
static int make_targets(const struct vol_walls_list *list, int tree,
			struct vol_error *err)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *path = list->path[i];
		cleanup_fd int to = -1;
		cleanup_fd int fd = -1;
		struct stat st;

		if (strncmp(path, "/etc/", 5) != 0 || stat(path, &st) != 0)
			continue;
		to = make_parent(tree, path + 5, err);
		if (to < 0)
			return -1;
		if (S_ISDIR(st.st_mode)
			    ? mkdirat(to, last_part(path), 0755) != 0
			    : (fd = openat(to, last_part(path),
					   O_WRONLY | O_CREAT | O_EXCL |
						   O_CLOEXEC,
					   0644)) < 0)
			if (errno != EEXIST)
				return vol_errorf(err, "%s: %s", path,
						  strerror(errno));
	}
	return 0;
}

/* In place of what may have been copied. */
static int put_own(int tree, struct vol_error *err)
{
	cleanup_fd int fd = -1;

	for (size_t i = 0; vol_own_names[i]; i++) {
		char to[64];

		snprintf(to, sizeof(to), "..%s/%s", VOL_OWN_DIR,
			 vol_own_names[i]);
		if ((unlinkat(tree, vol_own_names[i], 0) != 0 &&
		     errno != ENOENT) ||
		    symlinkat(to, tree, vol_own_names[i]) != 0)
			return vol_errorf(err, "/etc/%s: %s", vol_own_names[i],
					  strerror(errno));
	}
	if ((unlinkat(tree, "mtab", 0) != 0 && errno != ENOENT) ||
	    symlinkat("/proc/self/mounts", tree, "mtab") != 0)
		return vol_errorf(err, "/etc/mtab: %s", strerror(errno));
	if (unlinkat(tree, "nsswitch.conf", 0) != 0 && errno != ENOENT)
		return vol_errorf(err, "/etc/nsswitch.conf: %s",
				  strerror(errno));
	fd = openat(tree, "nsswitch.conf",
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, nsswitch, sizeof(nsswitch) - 1) < 0)
		return vol_errorf(err, "/etc/nsswitch.conf: %s",
				  strerror(errno));
	return 0;
}

static int fill(const struct vol_sandbox *s, struct vol_sources *seen, int root,
		struct vol_error *err)
{
	cleanup_fd int tree = -1;

	if (mkdirat(root, "etc", 0755) != 0)
		return vol_errorf(err, "copy of /etc: %s", strerror(errno));
	tree = openat(root, "etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (tree < 0)
		return vol_errorf(err, "copy of /etc: %s", strerror(errno));
	for (size_t i = 0; i < s->walls.etc.n; i++)
		if (copy_listed(s, seen, tree, s->walls.etc.path[i], err) != 0)
			return -1;
	if (make_targets(&s->walls.read, tree, err) != 0 ||
	    make_targets(&s->walls.work, tree, err) != 0 ||
	    put_own(tree, err) != 0)
		return -1;
	return vol_sources_write(seen, root, err);
}

/* A detached tmpfs. */
static int new_tmpfs(struct vol_error *err)
{
	cleanup_fd int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	int root;

	if (fs < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "source", "etc", 0) != 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "755", 0) != 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "size", TREE_SIZE, 0) != 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", TREE_INODES, 0) !=
		    0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
		return vol_errorf(err, "copy of /etc: new tmpfs: %s",
				  strerror(errno));
	root = fsmount(fs, FSMOUNT_CLOEXEC,
		       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (root < 0)
		return vol_errorf(err, "copy of /etc: new tmpfs: %s",
				  strerror(errno));
	return root;
}

static int make(const struct vol_sandbox *s, struct vol_sources *seen,
		struct vol_error *err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY,
				  .propagation = MS_PRIVATE};
	cleanup_fd int root = new_tmpfs(err);

	if (root < 0 || vol_sources_begin(seen, s, err) != 0 ||
	    fill(s, seen, root, err) != 0)
		return -1;
	if (mount_setattr(root, "", AT_EMPTY_PATH, &attr, sizeof(attr)) != 0)
		return vol_errorf(err, "copy of /etc: %s", strerror(errno));
	return steal_fd(&root);
}

/* The one that is kept at path, if it is still right; else -1. */
static int take(const struct vol_sandbox *s, const char *path)
{
	cleanup_fd int kept =
		open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (kept < 0 || !vol_sources_unchanged(s, kept))
		return -1;
	/* EINVAL: another step has just put a newer one there. */
	return open_tree(kept, "",
			 AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/* Let others have it, too.  It is no loss if that can not be. */
static int keep(const char *dir, const char *path, int *root,
		struct vol_error *err)
{
	cleanup_fd int lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int own;

	/* Who has it does the same. */
	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0)
		return 0;
	while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	if (move_mount(*root, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return 0;
	own = open_tree(*root, "",
			AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (own < 0)
		return vol_errorf(err, "copy of /etc: %s", strerror(errno));
	close(*root);
	*root = own;
	return 0;
}

int vol_etc_open(struct vol_sandbox *s, const char *dir, struct vol_error *err)
{
	struct vol_sources seen = {.n = 0};
	char path[PATH_MAX];
	int rc;

	if (snprintf(path, sizeof(path), "%s/etc", dir) >= (int)sizeof(path))
		return vol_errorf_errno(err, ENAMETOOLONG, "%s: %s", dir,
					strerror(ENAMETOOLONG));
	if (vol_mkdir_p(path, 0755, err) != 0)
		return -1;
	s->tree_fd = take(s, path);
	if (s->tree_fd >= 0)
		return 0;
	s->tree_fd = make(s, &seen, err);
	rc = s->tree_fd < 0 ? -1 : 0;
	if (rc == 0 && vol_sources_settled(&seen))
		rc = keep(dir, path, &s->tree_fd, err);
	vol_sources_free(&seen);
	return rc;
}
