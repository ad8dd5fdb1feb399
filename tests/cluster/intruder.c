/* SPDX-License-Identifier: GPL-2.0-or-later */
/* intruder.c - a job that calls the broker of its steps as no srun would
 *
 * usage: intruder OTHER-JOB
 *
 * Makes each of the calls below, and says a line of each: its name and what
 * came back.  "status" is a call that was served.  See lib/stepframe.h for what
 * a right call looks like.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BROKER "/run/slurm-volunteer-steps"
#define FDS    3
/* More than the broker serves at once. */
#define CROWD 400
/* Longer than a silent caller is waited for. */
#define ANSWER_MS 20000

struct header {
	char magic[8];
	uint32_t argc, n_env, text_bytes, umask;
	uint64_t limits[8];
};
_Static_assert(sizeof(struct header) == 88, "lib/stepframe.h");

struct call {
	const char *name;
	struct header header;
	const char *text;
	size_t sends;    /* bytes of header and text that are sent */
	int fds;         /* that go with the first byte */
	bool own;        /* the connection is one of them */
	bool stays_open; /* the rest never comes */
};

static int connect_broker(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = BROKER};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		return -1;
	return fd;
}

static int send_first(int conn, char byte, int fds, bool own)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(253 * sizeof(int))];
	} control = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (fds > 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE((size_t)fds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)fds * sizeof(int));
		for (int i = 0; i < fds; i++)
			((int *)(void *)CMSG_DATA(c))[i] = own ? conn : i % FDS;
	}
	return sendmsg(conn, &m, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

static void say_answer(const char *name, int conn)
{
	struct pollfd p = {.fd = conn, .events = POLLIN};
	char answer[512];
	ssize_t n;

	if (poll(&p, 1, ANSWER_MS) != 1) {
		printf("%s: silence\n", name);
		return;
	}
	n = recv(conn, answer, sizeof(answer) - 1, 0);
	if (n <= 0)
		printf("%s: closed\n", name);
	else if (answer[0] == 'e')
		printf("%s: %.*s\n", name, (int)n - 1, answer + 1);
	else
		printf("%s: status\n", name);
}

static void make(const struct call *call)
{
	int conn = connect_broker();
	size_t size = sizeof(call->header);
	const char *head = (const char *)&call->header;
	size_t of_head = call->sends < size ? call->sends : size;

	if (conn < 0)
		err(1, "%s: " BROKER, call->name);
	/* It may be refused before all of it is sent. */
	if (send_first(conn, head[0], call->fds, call->own) == 0 &&
	    send(conn, head + 1, of_head - 1, MSG_NOSIGNAL) >= 0 &&
	    call->sends > size)
		(void)send(conn, call->text, call->sends - size, MSG_NOSIGNAL);
	if (!call->stays_open)
		shutdown(conn, SHUT_WR);
	say_answer(call->name, conn);
	close(conn);
}

/* "true" in /tmp. */
#define RIGHT "/tmp\0srun\0true"
#define HEADER(argc, n_env, bytes, mask)                                       \
	{                                                                      \
		"VOLSRUN1", argc, n_env, bytes, mask,                          \
		{                                                              \
			UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,        \
				UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX \
		}                                                              \
	}
#define WHOLE(text) (sizeof(struct header) + sizeof(text))

static void make_calls(void)
{
	const uint32_t right = sizeof(RIGHT);
	struct call calls[] = {
		{"nothing but a byte", HEADER(2, 0, right, 022), RIGHT, 1, FDS,
		 false, false},
		{"half a header", HEADER(2, 0, right, 022), RIGHT, 40, FDS,
		 false, false},
		{"half a text", HEADER(2, 0, right, 022), RIGHT,
		 WHOLE(RIGHT) - 4, FDS, false, false},
		{"the rest never comes", HEADER(2, 0, right, 022), RIGHT, 40,
		 FDS, false, true},
		{"another version", HEADER(2, 0, right, 022), RIGHT,
		 WHOLE(RIGHT), FDS, false, false},
		{"a text of 4 GB", HEADER(2, 0, UINT32_MAX, 022), RIGHT,
		 WHOLE(RIGHT), FDS, false, false},
		{"4 000 000 000 arguments", HEADER(UINT32_MAX, 0, right, 022),
		 RIGHT, WHOLE(RIGHT), FDS, false, false},
		{"arguments that wrap around",
		 HEADER(UINT32_MAX, 3, right, 022), RIGHT, WHOLE(RIGHT), FDS,
		 false, false},
		{"no argument", HEADER(0, 0, right, 022), RIGHT, WHOLE(RIGHT),
		 FDS, false, false},
		{"more arguments than text", HEADER(9, 9, right, 022), RIGHT,
		 WHOLE(RIGHT), FDS, false, false},
		{"text without an end", HEADER(2, 0, right - 1, 022), RIGHT,
		 WHOLE(RIGHT) - 1, FDS, false, false},
		{"a umask of setuid", HEADER(2, 0, right, 04777), RIGHT,
		 WHOLE(RIGHT), FDS, false, false},
		{"a relative folder",
		 HEADER(2, 0, sizeof("tmp\0srun\0true"), 022),
		 "tmp\0srun\0true", WHOLE("tmp\0srun\0true"), FDS, false,
		 false},
		{"no descriptors", HEADER(2, 0, right, 022), RIGHT,
		 WHOLE(RIGHT), 0, false, false},
		{"one descriptor", HEADER(2, 0, right, 022), RIGHT,
		 WHOLE(RIGHT), 1, false, false},
		{"four descriptors", HEADER(2, 0, right, 022), RIGHT,
		 WHOLE(RIGHT), 4, false, false},
		{"253 descriptors", HEADER(2, 0, right, 022), RIGHT,
		 WHOLE(RIGHT), 253, false, false},
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, "another version") == 0)
			calls[i].header.magic[7] = '2';
		make(&calls[i]);
	}
}

/* A step of another job of the same user. */
static void ask_for(const char *job)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "/tmp%csrun%c--jobid=%s%ctrue", 0,
			 0, job, 0);
	uint32_t bytes = (uint32_t)n + 1;
	struct call call = {"another job", HEADER(3, 0, bytes, 022),
			    text,          sizeof(struct header) + bytes,
			    FDS,           false,
			    false};

	make(&call);
}

/* The connection as its own input and output: nobody would ever see its end. */
static void hand_over_itself(void)
{
	struct call call = {"the connection itself",
			    HEADER(2, 0, sizeof(RIGHT), 022),
			    RIGHT,
			    40,
			    FDS,
			    true,
			    false};

	make(&call);
}

/* Callers that say nothing, more than are served. */
static void crowd(void)
{
	struct rlimit l = {CROWD + 64, CROWD + 64};
	int conn[CROWD], n = 0;

	setrlimit(RLIMIT_NOFILE, &l);
	for (int i = 0; i < CROWD; i++) {
		struct sockaddr_un to = {.sun_family = AF_UNIX,
					 .sun_path = BROKER};

		conn[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (conn[i] >= 0 &&
		    connect(conn[i], (struct sockaddr *)&to, sizeof(to)) == 0)
			n++;
	}
	printf("a crowd: %s\n", n > 0 ? "waits" : strerror(errno));
	fflush(stdout);
	sleep(3);
	for (int i = 0; i < CROWD; i++)
		close(conn[i]);
}

int main(int argc, char *argv[])
{
	if (argc != 2)
		errx(2, "usage: intruder OTHER-JOB");
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_calls();
	ask_for(argv[1]);
	hand_over_itself();
	crowd();
	return 0;
}
