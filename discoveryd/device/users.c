/* SPDX-License-Identifier: GPL-2.0-or-later */
/* users.c - the names of users, without blocking the loop */
#include "config.h"

#include "device/users.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"

/* What the child writes in one go, which a pipe keeps whole. */
struct answer {
	int found; /* as vol_users_f */
	char name[VOL_USER_NAME_SIZE];
};

struct entry {
	struct entry *next;
	struct vol_users *users;
	uid_t uid;
	enum vol_user_state state;
	uint64_t at_ms; /* asked, or asked for when it was answered */
	char name[VOL_USER_NAME_SIZE];
	pid_t child; /* 0 = none asks */
	int fd;
	sd_event_source *io;
};

struct vol_users {
	sd_event *loop;
	vol_users_f ask;
	void (*news)(void *arg);
	void *arg;
	struct entry *entries;
};

/* ---- in the child ---- */

static int ask_system(uid_t uid, char name[VOL_USER_NAME_SIZE])
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwuid(uid);
	/* Not found is said in many ways: getpwnam(3). */
	if (!pw)
		return !errno || errno == ENOENT || errno == ESRCH ? 0 : -1;
	/* A name that does not fit is in no list. */
	return (size_t)snprintf(name, VOL_USER_NAME_SIZE, "%s", pw->pw_name) <
	       VOL_USER_NAME_SIZE;
}

/* It must not outlive us, nor keep open what we close. */
static void answer(const struct entry *e, pid_t parent, int fd)
{
	struct answer a = {.found = -1};
	ssize_t n;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	if (fd > 3)
		close_range(3, (unsigned)fd - 1, 0);
	close_range(fd < 3 ? 3 : (unsigned)fd + 1, ~0U, 0);
	a.found = e->users->ask(e->uid, a.name);
	n = write(fd, &a, sizeof(a));
	_exit(n == (ssize_t)sizeof(a) ? 0 : 1);
}

/* ---- in the daemon ---- */

static void give_up(struct entry *e)
{
	e->io = sd_event_source_disable_unref(e->io);
	if (e->child <= 0)
		return;
	close(e->fd);
	kill(e->child, SIGKILL);
	waitpid(e->child, NULL, 0);
	e->child = 0;
}

static int on_answer(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct entry *e = arg;
	struct vol_users *u = e->users;
	struct answer a = {.found = -1};
	ssize_t n = read(fd, &a, sizeof(a));

	(void)s;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	give_up(e);
	/* Who could not say is asked again when the time is over. */
	if (n != (ssize_t)sizeof(a) || a.found < 0)
		return 0;
	e->state = a.found ? VOL_USER_KNOWN : VOL_USER_NONE;
	memcpy(e->name, a.name, sizeof(e->name));
	e->name[sizeof(e->name) - 1] = '\0';
	u->news(u->arg);
	return 0;
}

static int start(struct entry *e)
{
	pid_t self = getpid();
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	e->child = fork();
	if (e->child == 0)
		answer(e, self, fds[1]);
	r = -errno;
	if (e->child < 0)
		e->child = 0;
	close(fds[1]);
	e->fd = fds[0];
	if (e->child > 0)
		r = sd_event_add_io(e->users->loop, &e->io, e->fd, EPOLLIN,
				    on_answer, e);
	else
		close(e->fd);
	if (r >= 0)
		return 0;
	give_up(e);
	errno = -r;
	return -1;
}

static struct entry *find(const struct vol_users *u, uid_t uid)
{
	struct entry *e = u->entries;

	while (e && e->uid != uid)
		e = e->next;
	return e;
}

static struct entry *find_or_add(struct vol_users *u, uid_t uid)
{
	struct entry *e = find(u, uid);

	if (e)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->users = u;
	e->uid = uid;
	e->next = u->entries;
	u->entries = e;
	return e;
}

static bool is_due(const struct entry *e, uint64_t now_ms)
{
	switch (e->state) {
	case VOL_USER_KNOWN:
		return !e->child && now_ms - e->at_ms >= VOL_USERS_KNOWN_MS;
	case VOL_USER_NONE:
		return !e->child && now_ms - e->at_ms >= VOL_USERS_NONE_MS;
	case VOL_USER_ASKED:
	default:
		return !e->at_ms || now_ms - e->at_ms >= VOL_USERS_MS;
	}
}

enum vol_user_state vol_users_name(struct vol_users *u, uid_t uid,
				   uint64_t now_ms, const char **name)
{
	struct entry *e = find_or_add(u, uid);

	if (!e)
		return VOL_USER_ASKED;
	if (is_due(e, now_ms)) {
		give_up(e);
		e->at_ms = now_ms;
		/* He may have been made meanwhile: that would cost his jobs
		 * their place. */
		if (e->state == VOL_USER_NONE)
			e->state = VOL_USER_ASKED;
		if (start(e) < 0)
			vol_warn("can not ask who uid %u is: %s", (unsigned)uid,
				 strerror(errno));
	}
	if (e->state == VOL_USER_KNOWN)
		*name = e->name;
	return e->state;
}

enum vol_user_state vol_users_wait(struct vol_users *u, uid_t uid,
				   uint64_t now_ms, const char **name)
{
	enum vol_user_state state = vol_users_name(u, uid, now_ms, name);
	struct entry *e = find(u, uid);
	struct pollfd answer = {.events = POLLIN};

	if (state != VOL_USER_ASKED || !e || e->child <= 0)
		return state;
	answer.fd = e->fd;
	if (poll(&answer, 1, VOL_USERS_WAIT_MS) > 0)
		on_answer(NULL, e->fd, EPOLLIN, e);
	if (e->state == VOL_USER_KNOWN)
		*name = e->name;
	return e->state;
}

struct vol_users *vol_users_create(sd_event *loop, vol_users_f ask,
				   void (*news)(void *arg), void *arg,
				   struct vol_error *err)
{
	struct vol_users *u = calloc(1, sizeof(*u));

	if (!u) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	u->loop = sd_event_ref(loop);
	u->ask = ask ? ask : ask_system;
	u->news = news;
	u->arg = arg;
	return u;
}

void vol_users_destroy(struct vol_users *u)
{
	int saved = errno;

	if (!u)
		return;
	while (u->entries) {
		struct entry *e = u->entries;

		u->entries = e->next;
		give_up(e);
		free(e);
	}
	sd_event_unref(u->loop);
	free(u);
	errno = saved;
}
