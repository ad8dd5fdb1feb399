/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attach.c - what the sandbox does so that its step has a network (net.h) */
#include "config.h"

#include "../private.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "net.h"

#define TUN "/dev/net/tun"

/* --- in slurmstepd -------------------------------------------------------- */

static int open_tun(struct vol_sandbox *s, struct vol_error *err)
{
	struct vol_error reason = {""};
	struct stat st;
	bool folder;

	s->tun_fd =
		vol_clone_tree(TUN, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
			       MS_PRIVATE, -1, &folder, &reason);
	if (s->tun_fd < 0)
		return vol_errorf(err, "network: " TUN ": %s", strerror(errno));
	/* Whoever opens it is root in a namespace only.  So it is anywhere but
	 * on a machine without udev. */
	if (fstat(s->tun_fd, &st) != 0 || (st.st_mode & 0006) != 0006)
		return vol_errorf_errno(err, EPERM,
					"network: " TUN
					": not for everybody (mode 666)");
	return 0;
}

static void find_resolver(struct vol_sandbox *s)
{
	cleanup_free char *text = NULL;
	size_t len;

	text = vol_file_read(VOL_NET_RESOLV_CONF, VOL_NET_RESOLV_CONF_MAX, &len,
			     NULL);
	if (!text || vol_net_resolver(text, len, s->resolver) != 0)
		s->resolver[0] = '\0';
}

int vol_net_open(struct vol_sandbox *s, const char *programs, const char *dir,
		 struct vol_error *err)
{
	char path[PATH_MAX];

	if (s->job.network == VOL_NETWORK_NONE)
		return 0;
	snprintf(path, sizeof(path), "%s/slurm-volunteer-net", programs);
	s->net_fd = open(path, O_PATH | O_CLOEXEC);
	if (s->net_fd < 0)
		return vol_errorf(err, "network: %s: %s", path,
				  strerror(errno));
	/* Who connects it has a number of its own, also where jobs have not. */
	snprintf(path, sizeof(path), "%.*s/ids", PATH_MAX - 8, dir);
	if (s->ids_fd < 0 && vol_ids_take(s, path, err) != 0)
		return vol_error_prefix(err, "network");
	find_resolver(s);
	return open_tun(s, err);
}

/* --- in the process of a task, root -------------------------------------- */

static int write_map(const struct vol_sandbox *s, pid_t pid, const char *name,
		     struct vol_error *err)
{
	char path[64], text[32];
	cleanup_fd int fd = -1;
	int len = snprintf(text, sizeof(text), "0 %" PRIu32 " 1\n", s->base);

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)len) != len)
		return vol_errorf(err, "network: %s: %s", path,
				  strerror(errno));
	return 0;
}

/* Descriptors out of the way of the numbers that they are given. */
static int place_descriptors(int channel, int tun, int *program)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	channel = fcntl(channel, F_DUPFD_CLOEXEC, VOL_NET_TUN_FD + 1);
	tun = fcntl(tun, F_DUPFD_CLOEXEC, VOL_NET_TUN_FD + 1);
	*program = fcntl(*program, F_DUPFD_CLOEXEC, VOL_NET_TUN_FD + 1);
	null = fcntl(null, F_DUPFD_CLOEXEC, VOL_NET_TUN_FD + 1);
	for (int i = 0; i < 3; i++)
		if (dup2(null, i) < 0)
			return -1;
	if (*program < 0 || dup2(channel, VOL_NET_CHANNEL_FD) < 0 ||
	    dup2(tun, VOL_NET_TUN_FD) < 0)
		return -1;
	return close_range(VOL_NET_TUN_FD + 1, ~0u, CLOSE_RANGE_CLOEXEC);
}

static void become_guard(const struct vol_sandbox *s, int channel)
	__attribute__((noreturn));

static void become_guard(const struct vol_sandbox *s, int channel)
{
	char rate[24], *env[] = {NULL};
	char *argv[5 + VOL_WALLS_LIST_MAX] = {
		"slurm-volunteer-net", (char *)vol_network_name(s->job.network),
		rate, (char *)s->resolver};
	int program = s->net_fd;
	struct vol_error err = {""};

	if (vol_report_wait_go(channel, &err) != 0)
		_exit(1);
	snprintf(rate, sizeof(rate), "%" PRIu64, s->walls.network_rate);
	for (size_t i = 0; i < s->walls.deny.n; i++)
		argv[4 + i] = (char *)s->walls.deny.path[i];
	if (vol_privileges_root(&err) != 0 || setgroups(0, NULL) != 0 ||
	    vol_limits_net(s, &err) != 0 || chdir("/") != 0 ||
	    place_descriptors(channel, s->tun_fd, &program) != 0) {
		if (!err.text[0])
			vol_errorf(&err, "%s", strerror(errno));
		vol_error_prefix(&err, "network");
		vol_report_failed(channel, &err);
		_exit(1);
	}
	syscall(SYS_execveat, program, "", argv, env, AT_EMPTY_PATH);
	vol_errorf(&err, "network: slurm-volunteer-net: %s", strerror(errno));
	vol_report_failed(VOL_NET_CHANNEL_FD, &err);
	_exit(1);
}

/* It ended without a word.  Its loader has none for us. */
static int tell_end(struct vol_net *net, struct vol_error *err)
{
	int status = 0;

	while (waitpid(net->pid, &status, 0) < 0 && errno == EINTR)
		;
	net->pid = 0;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return vol_errorf_errno(err, VOL_JOBS_FAULT,
					"network: it was killed");
	return vol_errorf_errno(err, ECHILD,
				"network: slurm-volunteer-net ended with "
				"status %#x (package libnftables1?)",
				(unsigned int)status);
}

int vol_net_start(const struct vol_sandbox *s, struct vol_net *net,
		  struct vol_error *err)
{
	struct clone_args args = {.flags = CLONE_NEWUSER | CLONE_NEWNS,
				  .exit_signal = SIGCHLD};
	int fd[2];

	*net = (struct vol_net){.ns = -1, .host = -1, .channel = -1};
	if (s->job.network == VOL_NETWORK_NONE)
		return 0;
	if (vol_report_open(fd, err) != 0)
		return -1;
	net->channel = fd[0];
	net->pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (net->pid == 0) {
		close(fd[0]);
		become_guard(s, fd[1]);
	}
	close(fd[1]);
	if (net->pid < 0) {
		net->pid = 0;
		return vol_errorf(err, "network: new namespaces: %s",
				  strerror(errno));
	}
	if (write_map(s, net->pid, "uid_map", err) != 0 ||
	    write_map(s, net->pid, "gid_map", err) != 0 ||
	    vol_limits_oom(net->pid, err) != 0 ||
	    vol_report_go(net->channel, err) != 0)
		return -1;
	if (vol_report_wait(net->channel, &net->ns, err) == 0)
		return 0;
	return errno == VOL_JOBS_FAULT ? tell_end(net, err) : -1;
}

int vol_net_enter(struct vol_net *net, struct vol_error *err)
{
	if (net->ns < 0)
		return 0;
	net->host = vol_net_namespace(err);
	if (net->host < 0)
		return vol_error_prefix(err, "network");
	if (setns(net->ns, CLONE_NEWNET) != 0)
		return vol_errorf(err, "network: %s", strerror(errno));
	return 0;
}

int vol_net_leave(struct vol_net *net, struct vol_error *err)
{
	if (net->host >= 0 && setns(net->host, CLONE_NEWNET) != 0)
		return vol_errorf(err, "network: %s", strerror(errno));
	vol_net_close(net);
	return 0;
}

void vol_net_close(struct vol_net *net)
{
	if (net->ns >= 0)
		close(net->ns);
	if (net->host >= 0)
		close(net->host);
	net->ns = net->host = -1;
}

int vol_net_tie(struct vol_net *net, int pid1, struct vol_error *err)
{
	if (net->channel < 0)
		return 0;
	if (vol_report_hand(net->channel, pid1, err) != 0)
		return -1;
	close(net->channel);
	net->channel = -1;
	net->pid = 0;
	return 0;
}

void vol_net_stop(struct vol_net *net)
{
	int saved = errno;

	vol_net_close(net);
	if (net->channel >= 0)
		close(net->channel);
	net->channel = -1;
	if (net->pid > 0) {
		kill(net->pid, SIGKILL);
		while (waitpid(net->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	net->pid = 0;
	errno = saved;
}
