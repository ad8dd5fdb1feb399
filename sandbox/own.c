/* SPDX-License-Identifier: GPL-2.0-or-later */
/* own.c - what of /etc is a step's own: accounts and names
 *
 * Files in VOL_OWN_DIR of the root folder, to which links in the shared /etc
 * lead (etc.c).
 */
#include "config.h"

#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

/* Without a network, or a name server, the last one leads nowhere. */
const char *const vol_own_names[] = {"passwd", "group",       "hostname",
				     "hosts",  "resolv.conf", NULL};

static int write_own(const char *name, const char *text, struct vol_error *err)
{
	char path[64];

	snprintf(path, sizeof(path), VOL_OWN_DIR "/%s", name);
	return vol_write_file(path, 0644, text, err);
}

/* The account's own, where that is here inside. */
static bool has_home(const struct vol_sandbox *s)
{
	return vol_walls_hold(&s->walls.work, s->job.home) &&
	       !strchr(s->job.home, ':');
}

static bool has_shell(const struct vol_sandbox *s)
{
	const char *shell = s->job.shell;
	struct stat st;

	for (const char *c = shell; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || *c == ':')
			return false;
	return shell[0] == '/' && stat(shell, &st) == 0 &&
	       S_ISREG(st.st_mode) && (st.st_mode & S_IXOTH);
}

static int write_accounts(const struct vol_sandbox *s, struct vol_error *err)
{
	const struct vol_sandbox_job *j = &s->job;
	char text[VOL_WALLS_PATH_SIZE + 512];
	bool home = has_home(s);

	snprintf(text, sizeof(text),
		 "root:x:0:0:root:/root:/usr/sbin/nologin\n"
		 "%s:x:%u:%u::%s%s:%s\n"
		 "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
		 j->user, (unsigned int)j->uid, (unsigned int)j->gid,
		 home ? "" : "/home/", home ? j->home : j->user,
		 has_shell(s) ? j->shell : "/bin/sh");
	if (write_own("passwd", text, err) != 0)
		return -1;
	snprintf(text, sizeof(text), "root:x:0:\n%s:x:%u:\nnogroup:x:65534:\n",
		 j->user, (unsigned int)j->gid);
	return write_own("group", text, err);
}

static int write_names(const struct vol_sandbox *s, struct vol_error *err)
{
	char name[64], text[256];

	vol_host_name(s, name);
	snprintf(text, sizeof(text), "%s\n", name);
	if (write_own("hostname", text, err) != 0)
		return -1;
	snprintf(text, sizeof(text), "127.0.0.1 localhost %s\n::1 localhost\n",
		 name);
	if (write_own("hosts", text, err) != 0)
		return -1;
	if (!s->resolver[0])
		return 0;
	snprintf(text, sizeof(text), "nameserver %s\n",
		 strchr(s->resolver, ':') ? VOL_NET_DNS6 : VOL_NET_DNS4);
	return write_own("resolv.conf", text, err);
}

/* The shared tmpfs goes with the old root: each time that mounts are taken away
 * the kernel waits until nobody can see them any more. */
int vol_etc_attach(const struct vol_sandbox *s, int left, struct vol_error *err)
{
	cleanup_fd int etc = -1;

	if (move_mount(s->tree_fd, "", left, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
		return vol_errorf(err, "copy of /etc: cannot mount: %s",
				  strerror(errno));
	/* Read-only as that. */
	etc = open_tree(s->tree_fd, "etc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (etc < 0)
		return vol_errorf(err, "copy of /etc: %s", strerror(errno));
	return vol_attach(etc, "/etc", err);
}

int vol_own_build(const struct vol_sandbox *s, struct vol_error *err)
{
	if (mkdir(VOL_OWN_DIR, 0755) != 0)
		return vol_errorf(err, VOL_OWN_DIR ": %s", strerror(errno));
	if (write_accounts(s, err) != 0)
		return -1;
	return write_names(s, err);
}
