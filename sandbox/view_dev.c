/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view_dev.c - the /dev of slurmd and slurmstepd (hide.c)
 *
 * An owner's terminals, sound and cameras belong to the owner's user: "sbatch
 * -o /dev/pts/1" would write there.  srun --pty opens its terminal in here.
 */
#include "config.h"

#include "view.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"

/* The last one, of which nobody makes anything without CAP_NET_ADMIN, where
 * steps may have a network (net/attach.c). */
static const char *const nodes[] = {"/dev/null",   "/dev/zero",    "/dev/full",
				    "/dev/random", "/dev/urandom", "/dev/tty",
				    "/dev/net/tun"};

static const struct {
	const char *name, *to;
} links[] = {
	{"/dev/fd", "/proc/self/fd"},
	{"/dev/log", "/run/systemd/journal/dev-log"},
	{"/dev/ptmx", "pts/ptmx"},
	{"/dev/stdin", "/proc/self/fd/0"},
	{"/dev/stdout", "/proc/self/fd/1"},
	{"/dev/stderr", "/proc/self/fd/2"},
};

static int open_node(struct vol_view *v, const char *path,
		     struct vol_error *err)
{
	struct vol_place *p = &v->node[v->nodes];
	struct vol_error reason = {""};

	p->fd = vol_clone_tree(path, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
			       MS_SLAVE, -1, &p->folder, &reason);
	if (p->fd < 0)
		return errno == ENOENT ? 0 : vol_errorf(err, "%s", reason.text);
	snprintf(p->target, sizeof(p->target), "%s", path);
	v->nodes++;
	return 0;
}

int vol_view_open_dev(struct vol_view *v, const struct vol_walls *walls,
		      struct vol_error *err)
{
	size_t n = sizeof(nodes) / sizeof(nodes[0]);

	if (walls->network == VOL_NETWORK_NONE)
		n--;
	for (size_t i = 0; i < n; i++)
		if (open_node(v, nodes[i], err) != 0)
			return -1;
	for (size_t i = 0; i < walls->devices.n; i++)
		if (open_node(v, walls->devices.path[i], err) != 0)
			return -1;
	return 0;
}

static int attach_nodes(const struct vol_view *v, struct vol_error *err)
{
	for (size_t i = 0; i < v->nodes; i++) {
		const struct vol_place *p = &v->node[i];

		/* A granted one that is not below /dev is where it was. */
		if (strncmp(p->target, "/dev/", 5) != 0)
			continue;
		if ((p->folder ? vol_mkdir_p(p->target, 0755, err)
			       : vol_make_file(p->target, err)) != 0 ||
		    vol_attach(p->fd, p->target, err) != 0)
			return -1;
	}
	return 0;
}

int vol_view_build_dev(const struct vol_view *v, struct vol_error *err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

	if (mount("hidden", "/dev", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=755,size=64k,nr_inodes=1k") != 0 ||
	    mkdir("/dev/pts", 0755) != 0 || mkdir("/dev/shm", 0755) != 0)
		return vol_errorf(err, "hide /dev: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i].to, links[i].name) != 0)
			return vol_errorf(err, "hide %s: %s", links[i].name,
					  strerror(errno));
	if (attach_nodes(v, err) != 0)
		return -1;
	if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,ptmxmode=0666,mode=620") != 0 ||
	    mount_setattr(-1, "/dev", 0, &attr, sizeof(attr)) != 0)
		return vol_errorf(err, "hide /dev/pts: %s", strerror(errno));
	return 0;
}
