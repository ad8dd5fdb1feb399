/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attach.c - what the sandbox does so that its job can start steps
 *
 * The socket is made in the process that becomes the task's supervisor, and
 * slurmstepd never has it: when the broker is gone, connecting fails.  Its name
 * is there until it has its place inside, in a tmpfs that only slurmstepd's
 * mount namespace has: whoever is killed meanwhile, none stays.
 */
#include "config.h"

#include "../private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "steps.h"

/* slurm.h's SLURM_INTERACTIVE_STEP: salloc's shell on a node. */
#define INTERACTIVE_STEP 0xfffffffa

/* Bursts of "srun &"; more wait in connect(2). */
#define BACKLOG 128

#define READ_ONLY (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define SOCKET    (READ_ONLY | MOUNT_ATTR_NOEXEC)

static const char *const folders[] = {"usr/bin", "usr/local/bin",
				      "opt/slurm/bin"};

/* Those that a script is likely to call; without a network of the cluster's
 * they would try for a minute and then say something about DNS. */
static const char *const names[] = {"srun",  "salloc",  "sbatch", "sbcast",
				    "sinfo", "scancel", "squeue", "scontrol"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Where it is on this machine. */
static ssize_t name_of(int fd, char *path, size_t size)
{
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, size - 1);
	if (n >= 0)
		path[n] = '\0';
	return n;
}

/* Where a program is inside, beside the root folder (base, "" for "/"): links,
 * of which Debian's alternatives are made, are followed as they will be there;
 * the path of an image may have some, too. */
static int find_inside(int root, const char *base, const char *name, char *path,
		       size_t size)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT};
	cleanup_fd int fd =
		(int)syscall(SYS_openat2, root, name, &how, sizeof(how));
	size_t skip = strlen(base);
	char full[PATH_MAX];
	ssize_t n = fd < 0 ? -1 : name_of(fd, full, sizeof(full));

	if (n < 0 || strncmp(full, base, skip) != 0 || full[skip] != '/' ||
	    (size_t)n - skip >= size)
		return -1;
	strcpy(path, full + skip);
	return 0;
}

int vol_steps_places(struct vol_sandbox *s, const char *programs,
		     struct vol_error *err)
{
	cleanup_fd int root = open(s->walls.image[0] ? s->walls.image : "/",
				   O_PATH | O_DIRECTORY | O_CLOEXEC);
	char client[PATH_MAX], name[64], target[VOL_WALLS_PATH_SIZE];
	const size_t before = s->places;
	char base[PATH_MAX];
	int rc;

	snprintf(client, sizeof(client), "%s/slurm-volunteer-steps", programs);
	s->steps_fd = open(client, O_PATH | O_CLOEXEC);
	snprintf(client, sizeof(client), "%s/slurm-volunteer-srun", programs);
	if (root < 0 || s->steps_fd < 0 ||
	    name_of(root, base, sizeof(base)) < 0)
		return vol_errorf(err, "slurm-volunteer-steps: %s",
				  strerror(errno));
	if (strcmp(base, "/") == 0)
		base[0] = '\0';
	for (size_t i = 0; i < COUNT(folders) * COUNT(names); i++) {
		snprintf(name, sizeof(name), "%s/%s", folders[i / COUNT(names)],
			 names[i % COUNT(names)]);
		if (find_inside(root, base, name, target, sizeof(target)) != 0)
			continue;
		rc = s->places > before ? vol_places_again(s, target, err)
					: vol_places_add(s, client, target, 0,
							 READ_ONLY, -1, err);
		if (rc != 0)
			return -1;
	}
	return 0;
}

static bool may_start_steps(const struct vol_sandbox *s)
{
	return s->job.batch || s->job.step == INTERACTIVE_STEP;
}

/* The number that the kernel knows the job's processes by. */
static uid_t peer(const struct vol_sandbox *s)
{
	if (!s->ids)
		return s->job.uid;
	/* As the maps are written, see ids.c. */
	return s->base + (s->job.uid < VOL_WALLS_RANGE ? s->job.uid
						       : VOL_WALLS_RANGE - 1);
}

static int make_socket(const char *path, uid_t uid, struct vol_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		return vol_errorf_errno(err, ENAMETOOLONG, "%s: %s", path,
					strerror(ENAMETOOLONG));
	strcpy(address.sun_path, path);
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    chmod(path, 0600) != 0 || chown(path, uid, (gid_t)-1) != 0 ||
	    listen(fd, BACKLOG) != 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	return steal_fd(&fd);
}

/* Beside the folder that roots are mounted on. */
static void name_folder(const struct vol_sandbox *s, char *dir, size_t size)
{
	size_t len = strlen(s->root) - strlen("root");

	snprintf(dir, size, "%.*ssteps", (int)len, s->root);
}

int vol_steps_listen(struct vol_sandbox *s, struct vol_error *err)
{
	char dir[PATH_MAX + 32], path[PATH_MAX + 64];

	if (!may_start_steps(s))
		return 0;
	name_folder(s, dir, sizeof(dir));
	if (vol_mkdir_p(dir, 0700, err) != 0)
		return -1;
	if (mount("steps", dir, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=700,size=64k,nr_inodes=4") != 0)
		return vol_errorf(err, "%s: cannot mount: %s", dir,
				  strerror(errno));
	snprintf(path, sizeof(path), "%s/socket", dir);
	s->socket_fd = make_socket(path, peer(s), err);
	if (s->socket_fd < 0)
		return -1;
	return vol_places_add(s, path, VOL_STEPS_INSIDE, 0, SOCKET, -1, err);
}

void vol_steps_unlisten(struct vol_sandbox *s, size_t places)
{
	while (s->places > places)
		close(s->place[--s->places].fd);
	if (s->socket_fd >= 0) {
		close(s->socket_fd);
		vol_steps_forget(s);
	}
	s->socket_fd = -1;
}

void vol_steps_forget(const struct vol_sandbox *s)
{
	char dir[PATH_MAX + 32];
	int saved = errno;

	name_folder(s, dir, sizeof(dir));
	if (may_start_steps(s))
		umount2(dir, MNT_DETACH);
	errno = saved;
}

/* --- the broker ---------------------------------------------------------- */

#define NUMBERS  4 /* job, uid, gid, peer */
#define ARGS_MAX (1 + NUMBERS + 3 + VOL_WALLS_LIST_MAX + 1)

/* The supervisor's end is the job's; a program that is run keeps that.  It is
 * sent with the supervisor's rights, and one that fails at the last moment ends
 * as the job's user: so the broker looks itself, too. */
static int end_with(pid_t supervisor)
{
	int fd = pidfd_open(supervisor, 0);

	if (fd < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
	    getppid() != supervisor)
		_exit(1);
	return fd;
}

/* Out of the way of the numbers that they are given. */
static int move_up(int fd)
{
	fd = fcntl(fd, F_DUPFD_CLOEXEC, VOL_STEPS_FDS_END);
	if (fd < 0)
		_exit(1);
	return fd;
}

static void become_broker(int program, int listener, pid_t supervisor,
			  char *argv[])
{
	char *none[] = {NULL};
	int null = move_up(open("/dev/null", O_RDWR));
	int parent = move_up(end_with(supervisor));

	program = move_up(program);
	listener = move_up(listener);
	if (dup2(listener, VOL_STEPS_FD) < 0 ||
	    dup2(parent, VOL_STEPS_SUPERVISOR_FD) < 0)
		_exit(1);
	for (int i = 0; i < 3; i++)
		if (dup2(null, i) < 0)
			_exit(1);
	/* What of the task's is open is not its to keep open. */
	if (close_range(VOL_STEPS_FDS_END, ~0u, CLOSE_RANGE_CLOEXEC) != 0)
		_exit(1);
	syscall(SYS_execveat, program, "", argv, none, AT_EMPTY_PATH);
	_exit(1);
}

int vol_steps_start(const struct vol_sandbox *s, struct vol_error *err)
{
	char number[NUMBERS][16], *argv[ARGS_MAX], *conf = getenv("SLURM_CONF");
	const uint32_t numbers[NUMBERS] = {s->job.job, s->job.uid, s->job.gid,
					   peer(s)};
	const struct vol_walls_list *read = &s->walls.read;
	pid_t supervisor = getpid(), pid;
	size_t n = 0;

	if (s->socket_fd < 0)
		return 0;
	vol_steps_forget(s);
	argv[n++] = (char *)"slurm-volunteer-steps";
	for (size_t i = 0; i < NUMBERS; i++) {
		snprintf(number[i], sizeof(number[i]), "%" PRIu32, numbers[i]);
		argv[n++] = number[i];
	}
	argv[n++] = (char *)s->job.user;
	argv[n++] = (char *)s->root;
	argv[n++] = conf ? conf : (char *)"";
	for (size_t i = 0; i < read->n; i++)
		argv[n++] = (char *)read->path[i];
	argv[n] = NULL;
	pid = fork();
	if (pid < 0)
		return vol_errorf(err, "slurm-volunteer-steps: %s",
				  strerror(errno));
	if (pid == 0)
		become_broker(s->steps_fd, s->socket_fd, supervisor, argv);
	return 0;
}
