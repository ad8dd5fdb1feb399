/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox.c - a step's walls: taken up in slurmstepd, given back there */
#include "config.h"

#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

static const char *programs = VOL_LIBEXEC_DIR;

void vol_sandbox_programs(const char *dir)
{
	programs = dir;
}

static int check_job(const struct vol_sandbox_job *job, struct vol_error *err)
{
	if (job->uid == 0 || job->gid == 0)
		return vol_errorf_errno(err, EPERM,
					"a job of root's is not run here");
	if (job->tasks == 0)
		return vol_errorf_errno(err, EINVAL, "a step without tasks");
	if (job->network < VOL_NETWORK_NONE || job->network > VOL_NETWORK_LAN)
		return vol_errorf_errno(err, EINVAL, "no such network");
	/* It becomes a folder and a line of passwd(5). */
	if (!job->user[0] || job->user[0] == '.' ||
	    !memchr(job->user, '\0', sizeof(job->user)) ||
	    strpbrk(job->user, "/:\n"))
		return vol_errorf_errno(err, EINVAL, "no such login name");
	if (!memchr(job->home, '\0', sizeof(job->home)) ||
	    !memchr(job->shell, '\0', sizeof(job->shell)))
		return vol_errorf_errno(err, EINVAL, "no such account");
	if (!memchr(job->host, '\0', sizeof(job->host)) ||
	    strpbrk(job->host, " \t\n"))
		return vol_errorf_errno(err, EINVAL, "no such host name");
	if (!memchr(job->checkpoint, '\0', sizeof(job->checkpoint)) ||
	    strchr(job->checkpoint, '\n'))
		return vol_errorf_errno(err, EINVAL, "no such checkpoint mode");
	return 0;
}

/* Others must get through to the folder on which the new root is mounted, when
 * they are root in a user namespace only. */
static int make_folders(struct vol_sandbox *s, const char *dir,
			struct vol_error *err)
{
	if (strlen(dir) > sizeof(s->root) - sizeof("/private/proc"))
		return vol_errorf_errno(err, ENAMETOOLONG, "%s: %s", dir,
					strerror(ENAMETOOLONG));
	snprintf(s->root, sizeof(s->root), "%s/root", dir);
	snprintf(s->proc, sizeof(s->proc), "%s/private", dir);
	if (vol_mkdir_p(dir, 0755, err) != 0 ||
	    vol_mkdir_p(s->root, 0755, err) != 0 ||
	    vol_mkdir_p(s->proc, 0700, err) != 0)
		return -1;
	snprintf(s->proc, sizeof(s->proc), "%s/private/proc", dir);
	return vol_mkdir_p(s->proc, 0755, err);
}

/* The ids, and with them the working folders: where those can not have them,
 * they are opened as they are, if the policy lets us. */
static int open_with_ids(struct vol_sandbox *s, const char *dir,
			 const char *init, struct vol_error *err)
{
	cleanup_fd int userns = -1;
	char path[PATH_MAX];

	if (s->walls.users == VOL_USERS_NEVER) {
		vol_errorf_errno(&s->no_ids, EPERM, "the policy says so");
		return vol_places_open(s, init, -1, err);
	}
	snprintf(path, sizeof(path), "%.*s/ids", PATH_MAX - 8, dir);
	if (vol_ids_take(s, path, &s->no_ids) == 0) {
		userns = vol_ids_userns(s, &s->no_ids);
		if (userns >= 0 &&
		    vol_places_open(s, init, userns, &s->no_ids) == 0) {
			s->ids = true;
			return 0;
		}
	}
	if (s->walls.users == VOL_USERS_ALWAYS)
		return vol_errorf(err, "no ids of the job's own: %s",
				  s->no_ids.text);
	vol_places_close(s);
	if (s->ids_fd >= 0)
		close(s->ids_fd);
	s->ids_fd = -1;
	return vol_places_open(s, init, -1, err);
}

static int open_programs(struct vol_sandbox *s, const char *dir,
			 struct vol_error *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/slurm-volunteer-supervise", programs);
	s->supervise_fd = open(path, O_PATH | O_CLOEXEC);
	if (s->supervise_fd < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	/* A machine without it restores nothing. */
	snprintf(path, sizeof(path), "%s/slurm-volunteer-checkpoint", programs);
	s->checkpoint_fd = open(path, O_RDONLY | O_CLOEXEC);
	vol_places_init(s->walls.image, programs, path, sizeof(path));
	if (open_with_ids(s, dir, path, err) != 0)
		return -1;
	return vol_steps_places(s, programs, err);
}

static int open_files(struct vol_sandbox *s, const char *dir,
		      struct vol_error *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/etc", s->walls.image);
	s->etc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->etc_fd < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	/* Nobody but root looks at what is on its way into a sandbox. */
	snprintf(path, sizeof(path), "%.*s/private", PATH_MAX - 16, dir);
	if (vol_etc_open(s, path, err) != 0)
		return -1;
	if (!s->job.script)
		return 0;
	s->script_fd = open(s->job.script, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (s->script_fd < 0)
		return vol_errorf(err, "%s: %s", s->job.script,
				  strerror(errno));
	return 0;
}

static int share(struct vol_sandbox *s, struct vol_error *err)
{
	s->shared_fd = memfd_create("volunteer-step", MFD_CLOEXEC);
	if (s->shared_fd < 0 ||
	    ftruncate(s->shared_fd, sizeof(*s->shared)) != 0)
		return vol_errorf(err, "memory of the step: %s",
				  strerror(errno));
	s->shared = mmap(NULL, sizeof(*s->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED, s->shared_fd, 0);
	if (s->shared == MAP_FAILED) {
		s->shared = NULL;
		return vol_errorf(err, "memory of the step: %s",
				  strerror(errno));
	}
	return 0;
}

static struct vol_sandbox *prepare(const struct vol_walls *walls,
				   const struct vol_sandbox_job *job,
				   struct vol_error *err)
{
	struct vol_sandbox *s;

	if (check_job(job, err) != 0)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s) {
		vol_errorf(err, "%s", strerror(errno));
		return NULL;
	}
	vol_walls_copy(&s->walls, walls);
	s->job = *job;
	s->job.script = NULL;
	if (job->script) {
		snprintf(s->script, sizeof(s->script), "%s", job->script);
		s->job.script = s->script;
	}
	s->stepd = getpid();
	s->ids_fd = s->etc_fd = s->tree_fd = s->script_fd = -1;
	s->supervise_fd = s->shared_fd = s->passed = -1;
	s->steps_fd = s->socket_fd = -1;
	s->net_fd = s->tun_fd = s->checkpoint_fd = -1;
	return s;
}

struct vol_sandbox *vol_sandbox_create(const struct vol_walls *walls,
				       const struct vol_sandbox_job *job,
				       const char *state_dir,
				       struct vol_error *err)
{
	struct vol_sandbox *s = prepare(walls, job, err);

	if (!s)
		return NULL;
	if (make_folders(s, state_dir, err) != 0 || share(s, err) != 0 ||
	    open_files(s, state_dir, err) != 0 ||
	    open_programs(s, state_dir, err) != 0 ||
	    vol_net_open(s, programs, state_dir, err) != 0)
		goto error;
	return s;
error:
	vol_sandbox_destroy(s);
	return NULL;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* A pid 1 that waits for tasks is our child, and zombie at worst: its number
 * can not be another's. */
static void end_pid1(pid_t pid1)
{
	kill(pid1, SIGKILL);
	while (waitpid(pid1, NULL, __WALL) < 0 && errno == EINTR)
		;
}

void vol_sandbox_destroy(struct vol_sandbox *s)
{
	int saved = errno;

	if (!s)
		return;
	if (s->shared && s->shared->pid1 > 0 && s->stepd == getpid())
		end_pid1(s->shared->pid1);
	if (s->stepd == getpid()) {
		vol_ids_end(s);
		vol_limits_end(s);
	}
	if (s->shared)
		munmap(s->shared, sizeof(*s->shared));
	if (s->stepd == getpid() && s->root[0])
		vol_steps_forget(s);
	vol_places_close(s);
	close_fd(s->ids_fd);
	close_fd(s->etc_fd);
	close_fd(s->tree_fd);
	close_fd(s->script_fd);
	close_fd(s->supervise_fd);
	close_fd(s->shared_fd);
	close_fd(s->steps_fd);
	close_fd(s->net_fd);
	close_fd(s->tun_fd);
	close_fd(s->checkpoint_fd);
	free(s);
	errno = saved;
}
