/* SPDX-License-Identifier: GPL-2.0-or-later */
/* criu.c - run CRIU with nothing of anybody's environment, and for so long only
 */
#include "config.h"

#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

#define LOG_MAX (16 << 20) /* bytes that are looked at */

/* From the end of what is restored to CRIU's own. */
#define DEAD_S 5

/* Unlinked files of up to so many bytes are saved with the rest. */
#define GHOST_MAX (UINT64_C(1) << 30)

void vol_args_add(struct vol_args *args, const char *fmt, ...)
{
	va_list ap;

	if (args->n == VOL_CRIU_ARGS_MAX) {
		args->failed = true;
		return;
	}
	va_start(ap, fmt);
	if (vasprintf(&args->v[args->n], fmt, ap) < 0)
		args->failed = true;
	else
		args->v[++args->n] = NULL;
	va_end(ap);
}

void vol_args_common(struct vol_args *args, const char *dir, const char *images,
		     const char *log)
{
	static const char *const fixed[] = {"-v2", "--manage-cgroups=ignore",
					    "--file-locks", "--tcp-established",
					    "--link-remap"};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		vol_args_add(args, "%s", fixed[i]);
	vol_args_add(args, "-D");
	vol_args_add(args, "%s/%s", dir, images);
	vol_args_add(args, "-W");
	vol_args_add(args, "%s", dir);
	vol_args_add(args, "-o");
	vol_args_add(args, "%s", log);
	vol_args_add(args, "--ghost-limit");
	vol_args_add(args, "%llu", (unsigned long long)GHOST_MAX);
}

void vol_args_network(struct vol_args *args, int network)
{
	if (network != VOL_NETWORK_NONE)
		return;
	vol_args_add(args, "--empty-ns");
	vol_args_add(args, "net");
}

void vol_args_free(struct vol_args *args)
{
	while (args->n > 0)
		free(args->v[--args->n]);
}

void vol_criu_exec(const char *criu, struct vol_args *args, const char *more,
		   const char *another)
{
	char *env[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
		       (char *)"LC_ALL=C", (char *)(uintptr_t)more,
		       (char *)(uintptr_t)another, NULL};

	execve(criu, args->v, env);
}

/* Has a child of ours but this one ended? */
static bool another_ended(pid_t but)
{
	siginfo_t info = {.si_pid = 0};

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid != 0 && info.si_pid != but;
}

/* The whole log is read only when something went wrong. */
static int wait_end(pid_t pid, unsigned int seconds, bool restores,
		    struct vol_error *err)
{
	cleanup_fd int fd = pidfd_open(pid, 0);
	struct pollfd end = {.fd = fd, .events = POLLIN};
	unsigned int dead_s = 0;
	int status = 0, n = 0;

	/* A process that is stopped with its child, when the owner comes, wakes
	 * up late once and goes on counting. */
	for (unsigned int s = 0;
	     fd >= 0 && n <= 0 && s < seconds && dead_s < DEAD_S; s += n == 0) {
		n = poll(&end, 1, 1000);
		if (n == 0)
			dead_s =
				restores && another_ended(pid) ? dead_s + 1 : 0;
	}
	if (n <= 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (n <= 0 && dead_s == DEAD_S)
		return vol_errorf_errno(err, EINTR,
					"criu: what it restored was killed");
	if (n <= 0)
		return vol_errorf_errno(err, ETIMEDOUT,
					"criu: not done after %u s", seconds);
	if (status == 0)
		return 0;
	if (WIFSIGNALED(status))
		return vol_errorf_errno(err, EINTR, "criu: killed by signal %d",
					WTERMSIG(status));
	return vol_errorf_errno(err, ECHILD, "criu: exit status %d",
				WEXITSTATUS(status));
}

int vol_criu_wait(pid_t pid, unsigned int seconds, struct vol_error *err)
{
	return wait_end(pid, seconds, false, err);
}

int vol_criu_wait_restored(pid_t pid, unsigned int seconds,
			   struct vol_error *err)
{
	return wait_end(pid, seconds, true, err);
}

void vol_criu_end_children(pid_t but)
{
	cleanup_free char *text = NULL;
	int saved = errno, n, pid;
	char path[64], *at;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)getpid(),
		 (int)getpid());
	text = vol_file_read(path, 4096, NULL, NULL);
	for (at = text; at && sscanf(at, "%d%n", &pid, &n) == 1; at += n) {
		if (pid == but)
			continue;
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	errno = saved;
}

/* Parts of what CRIU logs, and what it means for the job. */
static const struct {
	const char *log, *means;
	bool jobs; /* whoever tries, it can not be saved */
} known[] = {
	{"Unseizable", "a process is traced, by strace or a debugger", true},
	{"is already traced", "a process is traced, by strace or a debugger",
	 true},
	{"POSIX message queue", "a POSIX message queue is open", true},
	{"mqueue", "a POSIX message queue is open", true},
	{"Can't lookup mount",
	 "a file is open that is on no mount of the job's, such as a POSIX "
	 "message queue",
	 true},
	{"External socket is used",
	 "a socket is connected with something outside of the job, such as "
	 "srun",
	 true},
	{"anon_inode:[io_uring]", "io_uring is in use", true},
	{"io_uring", "io_uring is in use", true},
	{"Can't dump file",
	 "a file is open that is of no kind that can be "
	 "saved, such as a device",
	 true},
	{"Can't dump ghost file", "an open file that was removed is too large",
	 true},
	{"Unable to connect a transport socket",
	 "CRIU is not in slurmd's Landlock domain", false},
	{"parent pagemap", VOL_CRIU_NOT_BEFORE, false},
	{"No such process", "a process ended meanwhile", false},
	{"bad size", "a file that is in use is another one here", false},
	{"build-id", "a program or library is another one here", false},
	{"No space left", "no space is left for it", false},
};

/* What it tells where nothing is wrong: it asks the kernel what it can. */
static const char *const noise[] = {"Unable to create tun",
				    "Can't setup RLIMIT_NOFILE"};

static bool is_noise(const char *message)
{
	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
		if (strstr(message, noise[i]))
			return true;
	return false;
}

/* "(00.012345)      7: Error (criu/files-reg.c:1234): reason" */
static const char *message_of(const char *line)
{
	const char *at = strstr(line, "Error (");

	at = at ? strstr(at, "): ") : NULL;
	return at ? at + 3 : NULL;
}

static int explain(const char *message, size_t len, struct vol_error *err)
{
	char line[200];

	snprintf(line, sizeof(line), "%.*s", (int)len, message);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strstr(line, known[i].log))
			return vol_errorf_errno(err,
						known[i].jobs ? EPERM : EIO,
						"%s (%s)", known[i].means,
						line);
	return vol_errorf_errno(err, EIO, "%s", line);
}

/* Our own program's word. */
static int find_veto(const char *text, struct vol_error *err)
{
	const char *ours = "slurm-volunteer-checkpoint: ";
	const char *said = text ? strstr(text, ours) : NULL;

	if (!said)
		return 0;
	said += strlen(ours);
	return vol_errorf_errno(err, EIO, "%.*s", (int)strcspn(said, "\n"),
				said);
}

int vol_criu_veto(const char *log, struct vol_error *err)
{
	cleanup_free char *text = vol_file_read(log, LOG_MAX, NULL, NULL);

	return find_veto(text, err);
}

/* CRIU's first error, of which the others come; one that is the job's own doing
 * goes before it. */
int vol_criu_reason(const char *log, struct vol_error *err)
{
	cleanup_free char *text = vol_file_read(log, LOG_MAX, NULL, NULL);
	char *line, *rest = text;
	bool found = false;

	vol_errorf_errno(err, EIO, "criu says no reason");
	if (!text || find_veto(text, err) != 0)
		return -1;
	while ((line = strsep(&rest, "\n"))) {
		const char *message = message_of(line);
		struct vol_error one;

		if (!message || is_noise(message))
			continue;
		explain(message, strlen(message), &one);
		if (!found || errno == EPERM)
			*err = one;
		found = true;
		if (errno == EPERM)
			return -1;
	}
	errno = EIO;
	return -1;
}

static pid_t spawn_for_version(const char *criu, int out)
{
	struct vol_args args = {.n = 0};
	pid_t pid;

	vol_args_add(&args, "criu");
	vol_args_add(&args, "--version");
	pid = args.failed ? -1 : fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (dup2(out, 1) == 1 && dup2(null, 2) == 2 &&
		    dup2(null, 0) == 0)
			vol_criu_exec(criu, &args, NULL, NULL);
		_exit(127);
	}
	vol_args_free(&args);
	return pid;
}

int vol_criu_version(const char *criu, unsigned int *version,
		     struct vol_error *err)
{
	unsigned int major = 0, minor = 0, patch = 0;
	cleanup_fd int from = -1;
	char text[256] = "";
	int fd[2];
	pid_t pid;

	if (access(criu, X_OK) != 0)
		return vol_errorf(err, "%s: %s", criu, strerror(errno));
	if (pipe2(fd, O_CLOEXEC) != 0)
		return vol_errorf(err, "pipe: %s", strerror(errno));
	from = fd[0];
	pid = spawn_for_version(criu, fd[1]);
	close(fd[1]);
	if (pid < 0)
		return vol_errorf(err, "fork: %s", strerror(errno));
	/* Some twenty bytes, which fit into the pipe. */
	if (vol_criu_wait(pid, 10, err) != 0)
		return vol_error_prefix(err, "%s", criu);
	if (read(from, text, sizeof(text) - 1) < 0 ||
	    sscanf(text, "Version: %u.%u.%u", &major, &minor, &patch) < 2)
		return vol_errorf_errno(err, EINVAL,
					"%s: does not say its version", criu);
	*version = major * 10000 + minor * 100 + patch;
	return 0;
}
