/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cell.c - the file system in which the real srun runs
 *
 * There is no /proc and nothing that can be written to, and no file of the
 * job's: what it names on srun's command line can open nothing that is not the
 * system's, for all to read.
 */
#include "config.h"

#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../private.h"
#include "atomicfile.h"

#define READ_ONLY (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define DATA      (READ_ONLY | MOUNT_ATTR_NOEXEC)
#define NODE      (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)

#define ROOT_OPTIONS "mode=755,size=4m,nr_inodes=1k"
#define PLACES_MAX   (VOL_WALLS_LIST_MAX + 48)

/* Of the machine, also where jobs have an image: folders, or links to below
 * /usr. */
static const char *const system_names[] = {"/usr",   "/bin",   "/sbin",  "/lib",
					   "/lib32", "/lib64", "/libx32"};

/* As far as there: the C library's, the configuration of Slurm (also of an
 * srun that finds it itself), and the ways to have a message sealed: munge,
 * and auth/slurm's SACK. */
static const char *const data[] = {
	"/etc/gai.conf",
	"/etc/host.conf",
	"/etc/hosts",
	"/etc/ld.so.cache",
	"/etc/localtime",
	"/etc/nsswitch.conf",
	"/etc/protocols",
	"/etc/resolv.conf",
	"/etc/services",
	"/etc/slurm",
	"/run/munge",
	VOL_RUN_DIR "/munge", /* the same, see discoveryd/device/slurmd.c */
	"/run/slurm/conf",
	"/run/slurm/sack.socket",
	"/run/slurmctld/sack.socket",
	"/run/slurmd/sack.socket",
};

static const char *const nodes[] = {"/dev/null", "/dev/random", "/dev/urandom",
				    "/dev/zero"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct place {
	int fd;
	bool folder;
	char target[PATH_MAX];
};

struct places {
	size_t n, links;
	struct place place[PLACES_MAX];
	struct {
		const char *name;
		char to[PATH_MAX];
	} link[COUNT(system_names)];
};

/* What is not there is not shown. */
static int add(struct places *p, const char *path, uint64_t attributes,
	       struct vol_error *err)
{
	struct place *at = &p->place[p->n];

	if (p->n == PLACES_MAX || strlen(path) >= sizeof(at->target))
		return vol_errorf_errno(err, ENOSPC, "%s: too much", path);
	at->fd = vol_clone_tree(path, 0, attributes, MS_PRIVATE, -1,
				&at->folder, err);
	if (at->fd < 0)
		return errno == ENOENT ? 0 : -1;
	strcpy(at->target, path);
	p->n++;
	return 0;
}

static int add_list(struct places *p, const char *const *list, size_t n,
		    uint64_t attributes, struct vol_error *err)
{
	for (size_t i = 0; i < n; i++)
		if (add(p, list[i], attributes, err) < 0)
			return -1;
	return 0;
}

static int add_system(struct places *p, struct vol_error *err)
{
	for (size_t i = 0; i < COUNT(system_names); i++) {
		char *to = p->link[p->links].to;
		ssize_t n = readlink(system_names[i], to, PATH_MAX - 1);

		if (n > 0) {
			to[n] = '\0';
			p->link[p->links++].name = system_names[i];
		} else if (add(p, system_names[i], READ_ONLY, err) < 0) {
			return -1;
		}
	}
	return 0;
}

/* The folder that slurm.conf is in: slurmd keeps those of a configless cluster
 * apart from all else. */
static int add_conf(struct places *p, const char *conf, struct vol_error *err)
{
	char dir[PATH_MAX];
	char *slash;

	if (!conf)
		return 0;
	snprintf(dir, sizeof(dir), "%s", conf);
	slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return 0;
	*slash = '\0';
	if (!strcmp(dir, "/etc/slurm"))
		return 0;
	return add(p, dir, DATA, err);
}

static int open_places(struct places *p, const struct vol_cell *cell,
		       struct vol_error *err)
{
	if (add_system(p, err) < 0)
		return -1;
	for (char *const *path = cell->read; *path; path++)
		if (strcmp(*path, "/usr") != 0 &&
		    add(p, *path, READ_ONLY, err) < 0)
			return -1;
	if (add_list(p, data, COUNT(data), DATA, err) < 0 ||
	    add_list(p, nodes, COUNT(nodes), NODE, err) < 0)
		return -1;
	return add_conf(p, cell->conf, err);
}

static int new_root(const char *folder, struct vol_error *err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("cell", folder, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  ROOT_OPTIONS) < 0)
		return vol_errorf(err, "%s: cannot mount: %s", folder,
				  strerror(errno));
	if (chdir(folder) < 0 || mkdir("old", 0700) < 0 ||
	    syscall(SYS_pivot_root, ".", "old") < 0 || chdir("/") < 0 ||
	    umount2("/old", MNT_DETACH) < 0 || rmdir("/old") < 0)
		return vol_errorf(err, "new root: %s", strerror(errno));
	return 0;
}

static int attach_places(const struct places *p, struct vol_error *err)
{
	for (size_t i = 0; i < p->links; i++)
		if (symlink(p->link[i].to, p->link[i].name) < 0)
			return vol_errorf(err, "%s: %s", p->link[i].name,
					  strerror(errno));
	for (size_t i = 0; i < p->n; i++) {
		const struct place *at = &p->place[i];
		int rc = at->folder ? vol_mkdir_p(at->target, 0755, err)
				    : vol_make_file(at->target, err);

		if (rc < 0 || vol_attach(at->fd, at->target, err) < 0)
			return -1;
		close(at->fd);
	}
	return 0;
}

/* Numbers and names of this machine's, without more: srun wants to know who
 * SlurmUser is. */
static void put_machines_users(FILE *to)
{
	FILE *from = fopen("/etc/passwd", "re");
	const struct passwd *p;

	while (from && (p = fgetpwent(from)))
		fprintf(to, "%s:x:%u:%u::/:/bin/false\n", p->pw_name,
			(unsigned)p->pw_uid, (unsigned)p->pw_gid);
	if (from)
		fclose(from);
}

/* The job's user comes first: its number or name may be another's here. */
static char *list_users(const struct vol_cell *cell, struct vol_error *err)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to) {
		fprintf(to, "%s:x:%u:%u::/:/bin/false\n", cell->user,
			(unsigned)cell->uid, (unsigned)cell->gid);
		put_machines_users(to);
	}
	if (!to || fclose(to) != 0) {
		vol_errorf(err, "list of users: %s", strerror(errno));
		free(text);
		return NULL;
	}
	return text;
}

static int write_users(const struct vol_cell *cell, const char *users,
		       struct vol_error *err)
{
	char group[256];

	snprintf(group, sizeof(group), "%s:x:%u:\n", cell->user,
		 (unsigned)cell->gid);
	if (vol_mkdir_p("/etc", 0755, err) < 0 ||
	    vol_write_file("/etc/passwd", 0644, users, err) < 0)
		return -1;
	return vol_write_file("/etc/group", 0644, group, err);
}

static int seal(struct vol_error *err)
{
	struct mount_attr attr = {.attr_set = DATA};

	if (mount_setattr(AT_FDCWD, "/", 0, &attr, sizeof(attr)) < 0)
		return vol_errorf(err, "cannot make / read-only: %s",
				  strerror(errno));
	return 0;
}

int vol_cell_build(const struct vol_cell *cell, struct vol_error *err)
{
	struct places *p = calloc(1, sizeof(*p));
	char *users = list_users(cell, err);
	int rc = -1;

	if (!p)
		vol_errorf_errno(err, ENOMEM, "no memory");
	if (p && users && open_places(p, cell, err) == 0 &&
	    new_root(cell->folder, err) == 0 &&
	    write_users(cell, users, err) == 0 && attach_places(p, err) == 0)
		rc = seal(err);
	free(users);
	free(p);
	return rc;
}

/* Programs of another architecture are ended by ../filter.c, so the numbers
 * mean what they mean here.  The upper half of an int argument is not looked
 * at by the kernel either. */
#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOAD_INT(n) LOAD(args[n])
#else
#define LOAD_INT(n)                        \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
		 offsetof(struct seccomp_data, args[n]) + 4)
#endif
#define IS(value, yes, no) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), yes, no)
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, action)

int vol_cell_forbid_exec(int program, struct vol_error *err)
{
	struct sock_filter code[] = {
		LOAD(nr),
		IS(SYS_execve, 6, 0),
		IS(SYS_execveat, 0, 4),
		LOAD_INT(0),
		IS(program, 0, 3),
		LOAD_INT(4),
		IS(AT_EMPTY_PATH, 0, 1),
		ANSWER(SECCOMP_RET_ALLOW),
		ANSWER(SECCOMP_RET_ERRNO | EPERM),
	};
	struct sock_fprog prog = {COUNT(code), code};

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		return vol_errorf(err, "seccomp: %s", strerror(errno));
	return 0;
}
