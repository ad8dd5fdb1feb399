/* SPDX-License-Identifier: GPL-2.0-or-later */
/* places.c - what of this machine is seen inside
 *
 * An allow-list: the system's folders (or an image's), what the policy adds,
 * a few device nodes, the working folders.  Each is opened once, by root, while
 * names still mean what the admin meant.
 */
#include "config.h"

#include "private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"

#define READ_ONLY (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define WORKING   (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define NODE      (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)

static const char *const nodes[] = {"/dev/null",   "/dev/zero",    "/dev/full",
				    "/dev/random", "/dev/urandom", "/dev/tty"};

/* Folders of the root folder in which a system keeps programs; a machine
 * where they are no links to /usr has them bound. */
static const char *const system_names[] = {"bin",   "sbin",  "lib",
					   "lib32", "lib64", "libx32"};

/* Of an image everything is shown but what we make ourselves. */
static const char *const own_names[] = {"dev", "etc",  "home", "media",
					"mnt", "proc", "root", "run",
					"sys", "tmp",  "var"};

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

int vol_open_path(const char *path, uint64_t resolve)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = resolve};

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

static int clone_at(const char *path, uint64_t resolve)
{
	const unsigned int flags = AT_RECURSIVE | OPEN_TREE_CLONE |
				   OPEN_TREE_CLOEXEC | AT_NO_AUTOMOUNT;
	cleanup_fd int fd = -1;

	if (resolve == 0)
		return open_tree(AT_FDCWD, path, flags);
	fd = vol_open_path(path, resolve);
	return fd < 0 ? -1 : open_tree(fd, "", flags | AT_EMPTY_PATH);
}

int vol_clone_tree(const char *path, uint64_t resolve, uint64_t attributes,
		   uint64_t propagation, int userns, bool *folder,
		   struct vol_error *err)
{
	struct mount_attr attr = {.attr_set = attributes,
				  .propagation = propagation};
	cleanup_fd int tree = clone_at(path, resolve);
	struct stat st;

	if (tree < 0 || fstat(tree, &st) != 0)
		return vol_errorf(err, "%s: %s", path,
				  errno == ELOOP ? "is or goes through a "
						   "symbolic link"
						 : strerror(errno));
	if (userns >= 0) {
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (uint64_t)userns;
	}
	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
			  sizeof(attr)) != 0)
		return vol_errorf(err, "%s: its mount can not be %s: %s", path,
				  userns >= 0 ? "id-mapped" : "restricted",
				  strerror(errno));
	*folder = S_ISDIR(st.st_mode);
	return steal_fd(&tree);
}

int vol_attach(int fd, const char *target, struct vol_error *err)
{
	if (move_mount(fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return vol_errorf(err, "%s: cannot mount: %s", target,
				  strerror(errno));
	return 0;
}

/* Is there room for one more? */
static int check_place(const struct vol_sandbox *s, const char *source,
		       const char *target, struct vol_error *err)
{
	if (s->places == VOL_PLACES_MAX)
		return vol_errorf_errno(err, ENOSPC, "%s: too many places",
					source);
	if (strlen(target) >= sizeof(s->place->target))
		return vol_errorf_errno(err, ENAMETOOLONG, "%s: %s", target,
					strerror(ENAMETOOLONG));
	return 0;
}

int vol_places_again(struct vol_sandbox *s, const char *target,
		     struct vol_error *err)
{
	struct vol_place *p = &s->place[s->places];

	if (check_place(s, target, target, err) != 0)
		return -1;
	p->fd = -1;
	p->folder = s->place[s->places - 1].folder;
	strcpy(p->target, target);
	s->places++;
	return 0;
}

int vol_places_add(struct vol_sandbox *s, const char *source,
		   const char *target, uint64_t resolve, uint64_t attributes,
		   int userns, struct vol_error *err)
{
	struct vol_place *p = &s->place[s->places];
	struct vol_error reason;

	if (check_place(s, source, target, err) != 0)
		return -1;
	p->fd = vol_clone_tree(source, resolve, attributes, MS_PRIVATE, userns,
			       &p->folder, &reason);
	if (p->fd < 0 && errno == ENOENT)
		return 0;
	if (p->fd < 0)
		return vol_errorf(err, "%s", reason.text);
	strcpy(p->target, target);
	s->places++;
	return 0;
}

static int add_link(struct vol_sandbox *s, const char *path, const char *name,
		    struct vol_error *err)
{
	struct vol_link *l = &s->link[s->links];
	ssize_t n;

	if (s->links == VOL_LINKS_MAX)
		return vol_errorf_errno(err, ENOSPC, "%s: too many links",
					path);
	n = readlink(path, l->to, sizeof(l->to) - 1);
	if (n < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	l->to[n] = '\0';
	snprintf(l->name, sizeof(l->name), "%s", name);
	s->links++;
	return 0;
}

/* A folder or link of the root folder of the machine or of an image. */
static int add_top(struct vol_sandbox *s, const char *name,
		   struct vol_error *err)
{
	char path[VOL_WALLS_PATH_SIZE + NAME_MAX + 2], target[NAME_MAX + 2];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", s->walls.image, name);
	snprintf(target, sizeof(target), "/%s", name);
	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0
				       : vol_errorf(err, "%s: %s", path,
						    strerror(errno));
	if (S_ISLNK(st.st_mode))
		return add_link(s, path, name, err);
	if (!S_ISDIR(st.st_mode))
		return 0;
	return vol_places_add(s, path, target, 0, READ_ONLY, -1, err);
}

static int add_image(struct vol_sandbox *s, struct vol_error *err)
{
	DIR *dir = opendir(s->walls.image);
	struct dirent *e;
	int rc = 0;

	if (!dir)
		return vol_errorf(err, "image %s: %s", s->walls.image,
				  strerror(errno));
	while (rc == 0 && (e = readdir(dir)))
		if (e->d_name[0] != '.' &&
		    !is_one_of(e->d_name, own_names,
			       sizeof(own_names) / sizeof(own_names[0])))
			rc = add_top(s, e->d_name, err);
	closedir(dir);
	return rc;
}

static int add_system(struct vol_sandbox *s, struct vol_error *err)
{
	if (s->walls.image[0])
		return add_image(s, err);
	for (size_t i = 0; i < sizeof(system_names) / sizeof(system_names[0]);
	     i++)
		if (add_top(s, system_names[i], err) != 0)
			return -1;
	return 0;
}

/* What the image brings is not taken from the machine. */
static int add_read(struct vol_sandbox *s, struct vol_error *err)
{
	const struct vol_walls_list *read = &s->walls.read;
	char path[2 * VOL_WALLS_PATH_SIZE];

	for (size_t i = 0; i < read->n; i++) {
		snprintf(path, sizeof(path), "%s%s", s->walls.image,
			 read->path[i]);
		if (s->walls.image[0] && access(path, F_OK) == 0)
			continue;
		if (vol_places_add(s, read->path[i], read->path[i], 0,
				   READ_ONLY, -1, err) != 0)
			return -1;
	}
	return 0;
}

static int add_devices(struct vol_sandbox *s, struct vol_error *err)
{
	const struct vol_walls_list *list = &s->walls.devices;

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		if (vol_places_add(s, nodes[i], nodes[i], 0, NODE, -1, err) !=
		    0)
			return -1;
	for (size_t i = 0; i < list->n; i++)
		if (vol_places_add(s, list->path[i], list->path[i], 0, NODE, -1,
				   err) != 0)
			return -1;
	return 0;
}

/* Somebody else may own a folder on the way to it: no links. */
static int add_work(struct vol_sandbox *s, int userns, struct vol_error *err)
{
	for (size_t i = 0; i < s->walls.work.n; i++) {
		const char *path = s->walls.work.path[i];

		if (vol_places_add(s, path, path, RESOLVE_NO_SYMLINKS, WORKING,
				   userns, err) != 0)
			return vol_error_prefix(err, "working folder");
	}
	return 0;
}

void vol_places_init(const char *image, const char *programs, char *path,
		     size_t size)
{
	struct stat st;

	snprintf(path, size, "%s" VOL_INIT_INSIDE, image);
	if (!image[0] || lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
		snprintf(path, size, "%s/slurm-volunteer-init", programs);
}

int vol_places_open(struct vol_sandbox *s, const char *init, int userns,
		    struct vol_error *err)
{
	if (access(init, X_OK) != 0)
		return vol_errorf(err, "%s: %s", init, strerror(errno));
	if (add_system(s, err) != 0 || add_read(s, err) != 0 ||
	    vol_places_add(s, "/sys/devices/system", "/sys/devices/system", 0,
			   READ_ONLY | MOUNT_ATTR_NOEXEC, -1, err) != 0 ||
	    vol_places_add(s, init, VOL_INIT_INSIDE, 0, READ_ONLY, -1, err) !=
		    0 ||
	    add_devices(s, err) != 0 || add_work(s, userns, err) != 0)
		return -1;
	return 0;
}

void vol_places_close(struct vol_sandbox *s)
{
	while (s->places > 0)
		if (s->place[--s->places].fd >= 0)
			close(s->place[s->places].fd);
	s->links = 0;
}
