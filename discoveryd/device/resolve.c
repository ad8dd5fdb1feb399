/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolve.c - host name to addresses without blocking the loop */
#include "config.h"

#include "device/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"

/* What the child writes in one go, which a pipe keeps whole. */
struct answer {
	int error; /* of getaddrinfo */
	size_t n;
	char address[VOL_RESOLVE_MAX][VOL_ADDRESS_SIZE];
};
_Static_assert(sizeof(struct answer) <= 4096, "larger than PIPE_BUF");

struct vol_resolve {
	int fd;
	pid_t child;
	sd_event_source *io, *timer;
	vol_resolve_f done;
	void *arg;
};

static void add_address(struct answer *a, const struct addrinfo *ai)
{
	char *text = a->address[a->n];

	if (ai->ai_family == AF_INET)
		inet_ntop(AF_INET,
			  &((struct sockaddr_in *)ai->ai_addr)->sin_addr, text,
			  VOL_ADDRESS_SIZE);
	else if (ai->ai_family == AF_INET6)
		inet_ntop(AF_INET6,
			  &((struct sockaddr_in6 *)ai->ai_addr)->sin6_addr,
			  text, VOL_ADDRESS_SIZE);
	else
		return;
	a->n++;
}

/* The child must not outlive us, nor keep open what we close. */
static void separate(pid_t parent, int fd)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	if (fd > 3)
		close_range(3, (unsigned)fd - 1, 0);
	close_range(fd < 3 ? 3 : (unsigned)fd + 1, ~0U, 0);
}

static void ask(const char *host, int fd)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_ADDRCONFIG};
	struct addrinfo *list = NULL;
	struct answer a = {0};
	ssize_t n;

	a.error = getaddrinfo(host, NULL, &hints, &list);
	for (struct addrinfo *ai = list; ai && a.n < VOL_RESOLVE_MAX;
	     ai = ai->ai_next)
		add_address(&a, ai);
	n = write(fd, &a, sizeof(a));
	_exit(n == (ssize_t)sizeof(a) ? 0 : 1);
}

static void finish(struct vol_resolve *r, struct answer *a, const char *reason)
{
	r->io = sd_event_source_disable_unref(r->io);
	r->timer = sd_event_source_disable_unref(r->timer);
	r->done(a ? a->address : NULL, a ? a->n : 0, reason, r->arg);
}

static int on_answer(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct vol_resolve *r = arg;
	struct answer a;
	ssize_t n = read(fd, &a, sizeof(a));

	(void)s;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n != (ssize_t)sizeof(a))
		finish(r, NULL, "the resolver ended without an answer");
	else if (a.error)
		finish(r, NULL, gai_strerror(a.error));
	else if (a.n == 0)
		finish(r, NULL, "no address");
	else
		finish(r, &a, NULL);
	return 0;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	finish(arg, NULL, "no answer in time");
	return 0;
}

static int watch(struct vol_resolve *r, sd_event *loop, struct vol_error *err)
{
	int n = sd_event_add_io(loop, &r->io, r->fd, EPOLLIN, on_answer, r);

	if (n >= 0)
		n = sd_event_add_time_relative(loop, &r->timer, CLOCK_MONOTONIC,
					       VOL_RESOLVE_MS * 1000ULL, 0,
					       on_timer, r);
	if (n < 0)
		return vol_errorf_errno(err, -n, "resolver: %s", strerror(-n));
	return 0;
}

struct vol_resolve *vol_resolve_start(sd_event *loop, const char *host,
				      vol_resolve_f done, void *arg,
				      struct vol_error *err)
{
	struct vol_resolve *r = calloc(1, sizeof(*r));
	pid_t self = getpid();
	int fds[2];

	if (!r || pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		vol_errorf(err, "resolver: %s", strerror(errno));
		free(r);
		return NULL;
	}
	r->fd = fds[0];
	r->done = done;
	r->arg = arg;
	r->child = fork();
	if (r->child == 0) {
		separate(self, fds[1]);
		ask(host, fds[1]);
	}
	close(fds[1]);
	if (r->child < 0) {
		vol_errorf(err, "resolver: %s", strerror(errno));
		vol_resolve_destroy(r);
		return NULL;
	}
	if (watch(r, loop, err) < 0) {
		vol_resolve_destroy(r);
		return NULL;
	}
	return r;
}

void vol_resolve_destroy(struct vol_resolve *r)
{
	int saved = errno;

	if (!r)
		return;
	sd_event_source_disable_unref(r->io);
	sd_event_source_disable_unref(r->timer);
	close(r->fd);
	if (r->child > 0) {
		kill(r->child, SIGKILL);
		waitpid(r->child, NULL, 0);
	}
	free(r);
	errno = saved;
}
