/* SPDX-License-Identifier: GPL-2.0-or-later */
/* supervise.c - slurm-volunteer-supervise, what slurmstepd takes for the task
 *
 * Outside of the walls, with no right but to signal: hands signals on to the
 * task, ends as the task ended, and ends everything inside when slurmstepd is
 * gone (programs.h).  Killed itself, the kernel ends pid 1 (PR_SET_PDEATHSIG),
 * and that everything.
 */
#define _GNU_SOURCE

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "programs.h"

/* <linux/pidfd.h>, which older headers do not have */
#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#define PIDFD_SIGNAL_PROCESS_GROUP (1u << 2)
#endif

/* The task ended as it began: as env(1) and timeout(1) say it. */
#define EXIT_FAILED 125
/* Between two looks whether that is over. */
#define TOLD_LOOK_MS 500
/* VOL_EXIT_REQUEUE of plugins/spank/plugin.h */
#define EXIT_REQUEUE 150

struct supervisor {
	bool joined;   /* the task is our child; else pid 1 is */
	int witness;   /* socket; -1: none */
	uint64_t seen; /* what the witness had, by number */
	int stepd, pid1, task, child_fd;
	pid_t child;
	int signals; /* signalfd */
};

static int __attribute__((noreturn, format(printf, 1, 2)))
fail(const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int n;

	n = snprintf(text, sizeof(text), "slurm-volunteer-supervise: ");
	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	strcat(text, "\n");
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		_exit(EXIT_FAILED);
	/* What is inside ends with us. */
	_exit(EXIT_FAILED);
}

static int send_signal(int pidfd, int number)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
}

/* CAP_KILL: the task has another user. */
static void drop_privileges(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct only[2] = {{0}};

	only[0].effective = only[0].permitted = 1u << CAP_KILL;
	for (unsigned long cap = 0; cap < 64; cap++)
		if (cap != CAP_KILL &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 &&
		    errno != EINVAL)
			fail("capability %lu: %s", cap, strerror(errno));
	if (syscall(SYS_capset, &head, only) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		fail("capabilities: %s", strerror(errno));
}

static void watch_signals(struct supervisor *s)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	s->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0)
		fail("signalfd: %s", strerror(errno));
}

/* Whoever reads the job's output waits until we hold it no more. */
static void leave_stdio(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail("/dev/null: %s", strerror(errno));
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	close(fd);
}

/* The task runs meanwhile; should this fail, it ends. */
static void start(struct supervisor *s)
{
	prctl(PR_SET_NAME, "vol-supervise");
	if (chdir("/") != 0)
		fail("/: %s", strerror(errno));
	watch_signals(s);
	drop_privileges();
	leave_stdio();
}

/* A signal that was sent to our process group (scancel --full) can not be told
 * from one to us alone, and the task's group is another.  So there is a second
 * process in ours, which keeps what it got until it is asked.  The kernel
 * signals the youngest of a group first: it has it when we do. */
static void __attribute__((noreturn)) be_witness(int fd)
{
	const struct timespec now = {0, 0};
	sigset_t all;
	char byte;

	prctl(PR_SET_NAME, "vol-witness");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || dup2(fd, 3) != 3 ||
	    close_range(4, ~0u, 0) != 0)
		_exit(EXIT_FAILED);
	sigfillset(&all);
	while (recv(3, &byte, 1, 0) == 1) {
		uint64_t seen = 0;
		int number;

		while ((number = sigtimedwait(&all, NULL, &now)) > 0)
			seen |= UINT64_C(1) << (number - 1);
		if (send(3, &seen, sizeof(seen), MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

/* Without one every signal is the task's alone. */
static void start_witness(struct supervisor *s)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0)
		return;
	switch (fork()) {
	case 0:
		be_witness(fd[1]);
	case -1:
		close(fd[0]);
		break;
	default:
		s->witness = fd[0];
	}
	close(fd[1]);
}

static bool was_for_all(struct supervisor *s, int number)
{
	uint64_t seen, bit = UINT64_C(1) << (number - 1);

	if (s->witness < 0)
		return false;
	if (send(s->witness, "", 1, MSG_NOSIGNAL) == 1 &&
	    recv(s->witness, &seen, sizeof(seen), 0) == sizeof(seen))
		s->seen |= seen;
	if (!(s->seen & bit))
		return false;
	s->seen &= ~bit;
	return true;
}

/* The task's process group, as long as the task is there. */
static void signal_group(const struct supervisor *s, int number)
{
	char path[64], line[64];
	FILE *info;
	int pid = 0;

	/* Linux 6.9 */
	if (syscall(SYS_pidfd_send_signal, s->task, number, NULL,
		    PIDFD_SIGNAL_PROCESS_GROUP) == 0 ||
	    errno == ESRCH)
		return;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", s->task);
	info = fopen(path, "re");
	while (info && fgets(line, sizeof(line), info))
		sscanf(line, "Pid: %d", &pid);
	if (info)
		fclose(info);
	if (pid > 1)
		kill(-pid, number);
	else
		send_signal(s->task, number);
}

/* To the task alone, as slurmstepd signals its children alone. */
static void forward(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		int number = (int)info.ssi_signo;

		if (number == SIGCHLD)
			continue;
		if (was_for_all(s, number))
			signal_group(s, number);
		else
			send_signal(s->task, number);
	}
}

/* The wait status that the task had. */
static int read_status(const struct supervisor *s)
{
	char path[64], name[32] = "";
	unsigned int left;
	siginfo_t info;
	int status = 0, fd;

	while (waitid(P_PID, (id_t)s->child, &info, WEXITED | WNOWAIT) != 0)
		if (errno != EINTR)
			return EXIT_FAILED << 8;
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)s->child);
	fd = s->joined ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, name, sizeof(name) - 1) < 0)
		name[0] = '\0';
	if (fd >= 0)
		close(fd);
	waitpid(s->child, &status, 0);
	if (WIFEXITED(status) && sscanf(name, VOL_STATUS_NAME, &left) == 1)
		status = (int)left;
	return status;
}

/* The value of an attribute of the record that this descriptor may be; -1. */
static ssize_t look_at(const char *name, const char *attribute, char *value,
		       size_t size)
{
	char path[64], to[64];
	ssize_t n;

	/* slurmstepd's view of /proc has no "self": view_proc.c. */
	snprintf(path, sizeof(path), "/proc/%d/fd/%.8s", (int)getpid(), name);
	n = readlink(path, to, sizeof(to) - 1);
	if (n < 0)
		return -1;
	to[n] = '\0';
	return strcmp(to, VOL_RECORD_LINK) == 0
		       ? fgetxattr(atoi(name), attribute, value, size)
		       : -1;
}

/* "": the record has none. */
static void read_attribute(const char *attribute, char value[24])
{
	struct dirent *e;
	char path[64];
	ssize_t n = -1;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)getpid());
	dir = opendir(path);
	while (dir && n < 0 && (e = readdir(dir)))
		n = look_at(e->d_name, attribute, value, 23);
	value[n > 0 ? n : 0] = '\0';
	if (dir)
		closedir(dir);
}

/* Of the task, or, as shells tell it, of the last program that it ran. */
static bool is_trap(int status)
{
	int number = WIFSIGNALED(status) ? WTERMSIG(status)
					 : WEXITSTATUS(status) - 128;

	return number == SIGTRAP || number == SIGSEGV;
}

/* Did it come to its end since CRIU was killed while it had hold of it? */
static bool is_of_criu(int status)
{
	char value[24];

	read_attribute(VOL_SEIZED_ATTRIBUTE, value);
	return *value &&
	       (strcmp(value, VOL_SEIZED_HURT) == 0 || is_trap(status));
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t told_until(void)
{
	char value[24];

	read_attribute(VOL_TOLD_ATTRIBUTE, value);
	return strtoull(value, NULL, 10);
}

/* A program that was told to save itself may end of that, and is not done with
 * its work.  slurmctld must not hear of an end before the job's files are
 * brought away: whoever told it stops us first. */
static bool was_told(const struct supervisor *s)
{
	struct pollfd stepd = {s->stepd, POLLIN, 0};
	uint64_t until_ms = told_until();
	bool told = now_ms() < until_ms;

	while (now_ms() < until_ms && until_ms != UINT64_MAX &&
	       poll(&stepd, 1, TOLD_LOOK_MS) == 0)
		until_ms = told_until();
	return told;
}

static void __attribute__((noreturn))
end_like(const struct supervisor *s, int status)
{
	const struct rlimit no_core = {0, 0};
	int number = WTERMSIG(status);
	sigset_t one;

	if (is_of_criu(status) || was_told(s))
		_exit(EXIT_REQUEUE);
	if (WIFSIGNALED(status)) {
		setrlimit(RLIMIT_CORE, &no_core);
		/* Also where a program takes cores, whatever their limit. */
		prctl(PR_SET_DUMPABLE, 0);
		signal(number, SIG_DFL);
		sigemptyset(&one);
		sigaddset(&one, number);
		sigprocmask(SIG_UNBLOCK, &one, NULL);
		kill(getpid(), number);
		_exit(128 + number);
	}
	_exit(WEXITSTATUS(status));
}

static void __attribute__((noreturn)) run(struct supervisor *s)
{
	struct pollfd fds[3] = {{s->child_fd, POLLIN, 0},
				{s->stepd, POLLIN, 0},
				{s->signals, POLLIN, 0}};

	for (;;) {
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			fail("poll: %s", strerror(errno));
		if (fds[2].revents)
			forward(s);
		if (fds[0].revents)
			break;
		if (fds[1].revents) {
			/* Everything, also what other tasks began. */
			send_signal(s->pid1, SIGKILL);
			send_signal(s->task, SIGKILL);
			break;
		}
	}
	end_like(s, read_status(s));
}

int main(int argc, char *argv[])
{
	struct supervisor s;

	if (argc != 6)
		fail("is started by slurmstepd only");
	s.joined = strcmp(argv[1], "task") == 0;
	s.witness = -1;
	s.seen = 0;
	s.stepd = atoi(argv[2]);
	s.pid1 = atoi(argv[3]);
	s.task = atoi(argv[4]);
	s.child = (pid_t)atoi(argv[5]);
	s.child_fd = s.joined ? s.task : s.pid1;
	start(&s);
	if (strcmp(argv[1], "batch") == 0)
		start_witness(&s);
	run(&s);
}
