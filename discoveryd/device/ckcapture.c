/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckcapture.c - take CRIU's image files while it writes them */
#include "config.h"

#include "device/ckcapture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "atomicfile.h"
#include "ckproto.h"
#include "cleanup.h"
#include "device/ckstream.h"

/* IMG_STREAMER_CAPTURE_SOCKET_NAME */
#define SOCKET_NAME "streamer-capture.sock"
/* Files that CRIU has open at once: some 40 of all processes, and 10 of one. */
#define PIPES_MAX 256
/* What CRIU writes of memory are the job's own pages, not copies, and what we
 * read is what they hold then.  When it has written the last one it lets go of
 * the process, for which it writes a system call into its code and takes it out
 * again (compel/src/lib/infect.c): into the first page that is executable.
 * Nearly all others that were written to come behind that, a stack at least.
 * So that it was read before, CRIU is soon kept to a page ahead of us, and to
 * a pipe's usual 16 when there is so much behind it. */
#define FIRST_BYTES (1024 * 1024)
#define PAGE_PIPE   4096
#define USUAL_PIPE  65536
#define CHUNK       (256 * 1024)
/* From CRIU's end to that of its pipes, milliseconds. */
#define REST_MS 10000
/* Two files of pages at once: which does it write to? */
#define STUCK_MS 1000

enum { ENDED, SOCKET, WANTED, PIPES };

struct incoming {
	int fd;
	int file;        /* -1: of pages, or of no use */
	uint32_t number; /* of pages; 0: others */
	uint64_t bytes;
	bool waits; /* for the end of other pages */
};

struct capture {
	const struct vol_ckcapture *how;
	int dir;
	int socket; /* the listener at first, -1 at its end */
	bool connected;
	size_t n;
	struct incoming in[PIPES_MAX];
	uint32_t last; /* number of pages */
	bool pages;    /* some come, others wait */
	uint8_t chunk[CHUNK];
};

static int bind_at(int fd, const char *dir, struct vol_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (snprintf(address.sun_path, sizeof(address.sun_path),
		     "%s/" SOCKET_NAME, dir) >= (int)sizeof(address.sun_path))
		return vol_errorf_errno(err, ENAMETOOLONG,
					"%.60s...: too long for a socket", dir);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 1) < 0)
		return vol_errorf(err, "%s: %s", address.sun_path,
				  strerror(errno));
	return 0;
}

int vol_ckcapture_listen(const char *dir, struct vol_error *err)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || mkdir(dir, 0700) < 0)
		return vol_errorf(err, "%s: %s", dir, strerror(errno));
	if (bind_at(fd, dir, err) < 0) {
		int saved = errno;

		(void)rmdir(dir);
		errno = saved;
		return -1;
	}
	return steal_fd(&fd);
}

/* ---- what it wants to write ---- */

/* 0: it has closed the socket. */
static ssize_t hear(int fd, void *to, size_t len, struct vol_error *err)
{
	ssize_t n;

	do
		n = recv(fd, to, len, MSG_WAITALL);
	while (n < 0 && errno == EINTR);
	/* It is killed as often as it closes it. */
	if (n < 0 && errno == ECONNRESET)
		n = 0;
	if (n < 0)
		return vol_errorf(err, "criu: %s", strerror(errno));
	if (n > 0 && (size_t)n < len)
		return vol_errorf_errno(err, EPROTO, "criu: half a message");
	return n;
}

/* A message with one string, the file's name: its length, before that that of
 * all of it.  0: none. */
static ssize_t hear_name(int fd, char name[VOL_CKNAME_SIZE],
			 struct vol_error *err)
{
	uint8_t text[2 + VOL_CKNAME_SIZE];
	uint32_t len;
	ssize_t n = hear(fd, &len, sizeof(len), err);

	if (n <= 0)
		return n;
	if (len < 3 || len >= sizeof(text))
		return vol_errorf_errno(err, EPROTO, "criu: a name of %u bytes",
					(unsigned)len);
	n = hear(fd, text, len, err);
	if (n <= 0)
		return n;
	/* Tag of field 1, a string; names are shorter than 128 bytes. */
	if (text[0] != 0x0a || text[1] != len - 2 ||
	    memchr(text + 2, '\0', len - 2) || memchr(text + 2, '/', len - 2) ||
	    text[2] == '.')
		return vol_errorf_errno(err, EPROTO,
					"criu: a name that is "
					"none");
	memcpy(name, text + 2, len - 2);
	name[len - 2] = '\0';
	return n;
}

/* -1 with errno 0: it has closed the socket. */
static int hear_pipe(int fd, struct vol_error *err)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	const struct cmsghdr *head;
	int pipe = -1;
	ssize_t n;

	do
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n == 0 || (n < 0 && errno == ECONNRESET)) {
		errno = 0;
		return -1;
	}
	head = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (head && head->cmsg_type == SCM_RIGHTS &&
	    head->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&pipe, CMSG_DATA(head), sizeof(pipe));
	return pipe >= 0 ? pipe
			 : vol_errorf_errno(err, EPROTO, "criu: no pipe");
}

/* ---- files ---- */

static int make(const struct capture *c, const char *name,
		struct vol_error *err)
{
	int fd = openat(c->dir, name,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);

	return fd < 0 ? vol_errorf(err, "%s: %s", name, strerror(errno)) : fd;
}

static int begin(struct capture *c, const char *name, int fd,
		 struct vol_error *err)
{
	struct incoming in = {.fd = fd, .file = -1};

	if (c->n == PIPES_MAX)
		return vol_errorf_errno(err, EMFILE,
					"criu: more than %d files at once",
					PIPES_MAX);
	/* CRIU counts them. */
	in.number = vol_ckname_pages(name);
	if (in.number <= c->last)
		in.number = 0;
	if (in.number) {
		in.waits = c->pages;
		c->pages = true;
		c->last = in.number;
	} else if (strncmp(name, "cgroup", 6) != 0) {
		in.file = make(c, name, err);
		if (in.file < 0)
			return -1;
	} /* else whatever cgroup it is that the job comes to */
	c->in[c->n++] = in;
	return 0;
}

/* What it has sent, or that it is done. */
static int take_request(struct capture *c, struct vol_error *err)
{
	char name[VOL_CKNAME_SIZE];
	cleanup_fd int fd = -1;
	ssize_t n = hear_name(c->socket, name, err);

	if (n > 0)
		fd = hear_pipe(c->socket, err);
	if (n == 0 || (fd < 0 && errno == 0)) {
		close(c->socket);
		c->socket = -1;
		return 0;
	}
	if (fd < 0 || begin(c, name, fd, err) < 0)
		return -1;
	(void)steal_fd(&fd);
	return 0;
}

static int take_call(struct capture *c, struct vol_error *err)
{
	int fd = accept4(c->socket, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return errno == EINTR || errno == ECONNABORTED
			       ? 0
			       : vol_errorf(err, "criu: %s", strerror(errno));
	close(c->socket);
	c->socket = fd;
	c->connected = true;
	return 0;
}

static int put(int file, const uint8_t *data, size_t len, struct vol_error *err)
{
	return vol_write_all(file, data, len) < 0
		       ? vol_errorf(err, "image not written: %s",
				    strerror(errno))
		       : 0;
}

/* So that the folder is as CRIU would have left it, but for the bytes. */
static int leave_hole(struct capture *c, const struct incoming *in,
		      struct vol_error *err)
{
	char name[VOL_CKNAME_SIZE];
	cleanup_fd int fd = -1;

	snprintf(name, sizeof(name), VOL_CKSTREAM_PAGES, in->number);
	fd = make(c, name, err);
	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)in->bytes) < 0)
		return vol_errorf(err, "%s: %s", name, strerror(errno));
	return 0;
}

/* Those that wait, the first one first; NULL: none. */
static struct incoming *next_pages(struct capture *c)
{
	struct incoming *next = NULL;

	for (size_t i = 0; i < c->n; i++)
		if (c->in[i].waits && (!next || c->in[i].number < next->number))
			next = &c->in[i];
	return next;
}

/* It writes to the one before it has closed the other: that becomes a file. */
static int let_out(struct capture *c, struct incoming *in,
		   struct vol_error *err)
{
	char name[VOL_CKNAME_SIZE];

	snprintf(name, sizeof(name), VOL_CKSTREAM_PAGES, in->number);
	in->file = make(c, name, err);
	in->number = 0;
	in->waits = false;
	return in->file < 0 ? -1 : 0;
}

static int end(struct capture *c, size_t i, struct vol_error *err)
{
	struct incoming in = c->in[i];
	int rc = in.number ? leave_hole(c, &in, err) : 0;

	close(in.fd);
	if (in.file >= 0 && close(in.file) < 0 && rc == 0)
		rc = vol_errorf(err, "image not written: %s", strerror(errno));
	c->in[i] = c->in[--c->n];
	if (in.number) {
		struct incoming *next = next_pages(c);

		c->pages = next;
		if (next)
			next->waits = false;
	}
	return rc;
}

/* Where more than a page is in it, it is made small the next time. */
static void bound(const struct incoming *in)
{
	if (in->number && in->bytes <= FIRST_BYTES)
		(void)fcntl(in->fd, F_SETPIPE_SZ,
			    in->bytes < FIRST_BYTES ? PAGE_PIPE : USUAL_PIPE);
}

static int take_data(struct capture *c, size_t i, struct vol_error *err)
{
	struct incoming *in = &c->in[i];
	size_t most = in->number && in->bytes < FIRST_BYTES
			      ? FIRST_BYTES - in->bytes
			      : sizeof(c->chunk);
	ssize_t n;

	bound(in);
	if (most > sizeof(c->chunk))
		most = sizeof(c->chunk);
	n = read(in->fd, c->chunk, most);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN
			       ? 0
			       : vol_errorf(err, "criu: %s", strerror(errno));
	if (n == 0)
		return end(c, i, err);
	in->bytes += (uint64_t)n;
	if (in->number)
		return c->how->pages(c->how->arg, in->number, c->chunk,
				     (size_t)n, err);
	return in->file < 0 ? 0 : put(in->file, c->chunk, (size_t)n, err);
}

/* ---- the whole ---- */

static bool is_over(const struct capture *c, bool ended)
{
	if (c->connected)
		return c->socket < 0 && c->n == 0;
	return ended;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int poll_for(const struct capture *c, struct pollfd p[], int ms,
		    struct vol_error *err)
{
	uint64_t now = now_ms(), until = c->how->until_ms;
	int left = until > now ? (int)(until - now) : 0, rc;

	if (until && (ms < 0 || left < ms))
		ms = left;
	do
		rc = poll(p, PIPES + c->n, ms);
	while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return vol_errorf(err, "poll: %s", strerror(errno));
	if (until && now_ms() >= until)
		return vol_errorf_errno(err, ETIMEDOUT, "criu: not in time");
	return rc;
}

static int wait(struct capture *c, struct pollfd p[], bool ended,
		struct vol_error *err)
{
	struct incoming *next = next_pages(c);
	int rc;

	p[ENDED] = (struct pollfd){ended ? -1 : c->how->ended, POLLIN, 0};
	p[SOCKET] = (struct pollfd){c->socket, POLLIN, 0};
	p[WANTED] = (struct pollfd){c->how->wanted, 0, 0};
	for (size_t i = 0; i < c->n; i++)
		p[PIPES + i] = (struct pollfd){
			c->in[i].waits ? -1 : c->in[i].fd, POLLIN, 0};
	rc = poll_for(c, p, next ? STUCK_MS : ended ? REST_MS : -1, err);
	if (rc < 0)
		return -1;
	if (p[WANTED].revents)
		return vol_errorf_errno(err, EPIPE, "nobody wants it any more");
	if (rc > 0)
		return 0;
	return next ? let_out(c, next, err)
		    : vol_errorf_errno(err, ETIMEDOUT,
				       "criu: its images have no end");
}

/* From the last one: those that end make room at the end. */
static int take_all(struct capture *c, const struct pollfd p[],
		    struct vol_error *err)
{
	for (size_t i = c->n; i-- > 0;)
		if (p[PIPES + i].revents && take_data(c, i, err) < 0)
			return -1;
	if (!p[SOCKET].revents)
		return 0;
	return c->connected ? take_request(c, err) : take_call(c, err);
}

static int run(struct capture *c, struct vol_error *err)
{
	struct pollfd p[PIPES + PIPES_MAX];
	bool ended = false;

	while (!is_over(c, ended)) {
		if (wait(c, p, ended, err) < 0 || take_all(c, p, err) < 0)
			return -1;
		ended = ended || p[ENDED].revents;
	}
	return 0;
}

int vol_ckcapture(const struct vol_ckcapture *how, struct vol_error *err)
{
	struct capture *c = malloc(sizeof(*c));
	int rc = -1, saved;

	if (!c) {
		close(how->listener);
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	}
	memset(c, 0, offsetof(struct capture, chunk));
	c->how = how;
	c->socket = how->listener;
	c->dir = open(how->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->dir < 0)
		vol_errorf(err, "%s: %s", how->dir, strerror(errno));
	else
		rc = run(c, err);
	saved = errno;
	for (size_t i = 0; i < c->n; i++) {
		close(c->in[i].fd);
		if (c->in[i].file >= 0)
			close(c->in[i].file);
	}
	if (c->dir >= 0) {
		unlinkat(c->dir, SOCKET_NAME, 0);
		close(c->dir);
	}
	if (c->socket >= 0)
		close(c->socket);
	free(c);
	errno = saved;
	return rc;
}
