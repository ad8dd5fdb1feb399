/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pasta.c - start pasta(1), which connects the step's network namespace
 *
 * It is told not to listen for anybody, on either side, and not to lead to the
 * host's loopback.  Where it may not lead is the filter's to say, before a
 * packet gets to it.
 *
 * Debian's AppArmor profile lets it open names below /tmp and /run/user/UID
 * alone, besides what it always needs; hence the paths.
 */
#include "config.h"

#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../private.h"
#include "atomicfile.h"
#include "cleanup.h"
#include "netwall.h"

#define TUN       "/dev/net/tun"
#define NAMESPACE "/run/user/0/netns/step"
#define READY     "/tmp/ready" /* a FIFO, which it takes for a PID file */

/* It takes some 10 ms.  A job is frozen at any moment, and we with it: the
 * clock goes on, so an end of the wait means a second look. */
#define READY_MS    10000
#define READY_WAITS 2

static const char *const programs[] = {"/usr/bin/pasta",
				       "/usr/local/bin/pasta"};

static int cover(const char *path, struct vol_error *err)
{
	if (mount("net", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=755,size=64k,nr_inodes=32") != 0)
		return vol_errorf(err, "%s: cannot mount: %s", path,
				  strerror(errno));
	return 0;
}

static int write_resolver(const char *resolver, struct vol_error *err)
{
	char text[VOL_NET_ADDRESS_SIZE + 16];

	snprintf(text, sizeof(text), "%s%s\n", *resolver ? "nameserver " : "",
		 resolver);
	/* Older ones learn from there alone whom to ask for names. */
	return vol_write_file(VOL_NET_RESOLV_CONF, 0644, text, err);
}

int vol_pasta_prepare(int tun, const char *resolver, struct vol_error *err)
{
	struct mount_attr links = {.attr_clr = MOUNT_ATTR_NOSYMFOLLOW};

	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0)
		return vol_errorf(err, "mounts: %s", strerror(errno));
	if (cover("/dev", err) != 0 || cover("/etc", err) != 0 ||
	    cover("/run", err) != 0 || cover("/tmp", err) != 0 ||
	    write_resolver(resolver, err) != 0 ||
	    vol_make_file(TUN, err) != 0 || vol_attach(tun, TUN, err) != 0 ||
	    vol_make_file(NAMESPACE, err))
		return -1;
	/* view_proc.c; it looks at /proc/self. */
	if (mount_setattr(-1, "/proc", 0, &links, sizeof(links)) != 0)
		return vol_errorf(err, "/proc: %s", strerror(errno));
	if (mkfifo(READY, 0600) != 0)
		return vol_errorf(err, READY ": %s", strerror(errno));
	return 0;
}

static void become_pasta(int go, int trouble, const char *resolver)
{
	char *argv[] = {"pasta",
			"--foreground",
			"--quiet",
			"--config-net",
			"--no-map-gw",
			"--no-dhcp",
			"--no-dhcpv6",
			"--no-ra",
			"--tcp-ports=none",
			"--udp-ports=none",
			"--tcp-ns=none",
			"--udp-ns=none",
			"--search=none",
			"--ns-ifname=net0",
			"--address=" VOL_NET_ADDRESS4,
			"--netmask=" VOL_NET_LENGTH4,
			"--gateway=" VOL_NET_GATEWAY4,
			"--address=" VOL_NET_ADDRESS6,
			"--gateway=" VOL_NET_GATEWAY6,
			"--pid=" READY,
			"--netns=" NAMESPACE,
			"--no-netns-quit",
			*resolver ? "--dns-forward" : NULL,
			strchr(resolver, ':') ? VOL_NET_DNS6 : VOL_NET_DNS4,
			NULL};
	char *env[] = {NULL}, byte;
	sigset_t none;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || read(go, &byte, 1) != 1 ||
	    dup2(trouble, STDERR_FILENO) < 0 ||
	    close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) != 0)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		execve(programs[i], argv, env);
	dprintf(STDERR_FILENO, "%s: %s%s\n", programs[0], strerror(errno),
		errno == ENOENT ? " (package passt)" : "");
	_exit(1);
}

int vol_pasta_fork(struct vol_pasta *pasta, const char *resolver,
		   struct vol_error *err)
{
	cleanup_fd int go = -1, trouble = -1;
	int fd[2];
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) != 0)
		return vol_errorf(err, "pipe: %s", strerror(errno));
	go = fd[0];
	pasta->go = fd[1];
	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) != 0)
		return vol_errorf(err, "pipe: %s", strerror(errno));
	pasta->trouble = fd[0];
	trouble = fd[1];
	pasta->ready = open(READY, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (pasta->ready < 0)
		return vol_errorf(err, READY ": %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		close(pasta->go);
		become_pasta(go, trouble, resolver);
	}
	pasta->pid_fd = pid < 0 ? -1 : pidfd_open(pid, 0);
	if (pasta->pid_fd < 0)
		return vol_errorf(err, "pasta: %s", strerror(errno));
	return 0;
}

/* Where pasta looks for it.  A bind mount would go by way of /proc/self/fd. */
static int show_namespace(int netns, struct vol_error *err)
{
	cleanup_fd int fd = open_tree(
		netns, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0)
		return vol_errorf(err, NAMESPACE ": %s", strerror(errno));
	return vol_attach(fd, NAMESPACE, err);
}

/* Did somebody end it?  That is the job's affair, as it is for the step's other
 * processes: its limit of memory holds for pasta, too. */
static bool was_killed(const struct vol_pasta *pasta)
{
	struct pollfd ended = {.fd = pasta->pid_fd, .events = POLLIN};
	siginfo_t end = {.si_pid = 0};

	/* Its pipes close before it is gone. */
	while (poll(&ended, 1, READY_MS) < 0 && errno == EINTR)
		;
	return waitid(P_PIDFD, (id_t)pasta->pid_fd, &end,
		      WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       end.si_pid && end.si_code == CLD_KILLED &&
	       end.si_status == SIGKILL;
}

/* It has ended.  Its first line says what came first; others say what came of
 * that. */
static int tell(const struct vol_pasta *pasta, struct vol_error *err)
{
	char said[128];
	ssize_t n = read(pasta->trouble, said, sizeof(said) - 1);

	if (was_killed(pasta))
		return vol_errorf_errno(err, ENOMEM,
					"pasta: it was killed, perhaps for "
					"want of memory");

	said[n > 0 ? n : 0] = '\0';
	said[strcspn(said, "\n")] = '\0';
	return vol_errorf_errno(err, ECHILD, "pasta: %s",
				*said ? said : "it does not start");
}

int vol_pasta_connect(struct vol_pasta *pasta, int netns, struct vol_error *err)
{
	struct pollfd fds[] = {{.fd = pasta->ready, .events = POLLIN},
			       {.fd = pasta->pid_fd, .events = POLLIN}};
	int n = 0;

	if (show_namespace(netns, err) != 0)
		return -1;
	if (write(pasta->go, "", 1) != 1)
		return tell(pasta, err);
	for (int i = 0; i < READY_WAITS && n == 0; i++)
		do
			n = poll(fds, 2, READY_MS);
		while (n < 0 && errno == EINTR);
	if (n == 0)
		return vol_errorf_errno(err, ETIMEDOUT,
					"pasta: not ready after %d s",
					READY_WAITS * READY_MS / 1000);
	return fds[0].revents & POLLIN ? 0 : tell(pasta, err);
}
