/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attempt.h - what all attempts to get out of a job have in common
 *
 * An attempt ends with one line on stdout and one of three statuses:
 *	0  "reached: ..."  it worked: there is no wall
 *	1  "blocked: ..."  it did not, and why
 *	2  "cannot: ..."   it could not be made (no victim, no tool); a test
 *	                   that counts this as blocked would prove nothing
 * What it aims at it reads from the file that $ESCAPE_VICTIMS names, KEY=VALUE
 * a line (see "victims"): an insider who knows every name, number and address.
 */
#ifndef ESCAPE_ATTEMPT_H
#define ESCAPE_ATTEMPT_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define REACHED 0
#define BLOCKED 1
#define CANNOT  2

/* No owner's program answers later than that: s. */
#define PATIENCE_S 3

static inline _Noreturn void verdict(int status, int error, const char *word,
				     const char *fmt, va_list args)
{
	printf("%s: ", word);
	vprintf(fmt, args);
	if (error)
		printf(": %s", strerror(error));
	printf("\n");
	fflush(stdout);
	_exit(status);
}

static inline _Noreturn __attribute__((format(printf, 1, 2))) void reached(
	const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	verdict(REACHED, 0, "reached", fmt, args);
}

/* Says why from errno; 0: the text says it all. */
static inline _Noreturn __attribute__((format(printf, 1, 2))) void blocked(
	const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	verdict(BLOCKED, errno, "blocked", fmt, args);
}

static inline _Noreturn __attribute__((format(printf, 1, 2))) void cannot(
	const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	verdict(CANNOT, errno, "cannot", fmt, args);
}

/* Of an attempt in two parts: it left something, "NAME look" judges it on the
 * device.  The same status as reached. */
static inline _Noreturn __attribute__((format(printf, 1, 2))) void planted(
	const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	verdict(REACHED, 0, "planted", fmt, args);
}

/* Is this the second part? */
static inline int is_look(int argc, char *argv[])
{
	return argc > 1 && !strcmp(argv[1], "look");
}

/* ---- victims ---------------------------------------------------------------
 */

/* A copy that nobody frees: an attempt ends soon. */
static inline const char *victim(const char *key)
{
	const char *name = getenv("ESCAPE_VICTIMS");
	size_t len = strlen(key);
	char line[512];
	FILE *file = fopen(name ? name : "victims.list", "re");

	if (!file)
		cannot("open the list of victims");
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, key, len) && line[len] == '=') {
			fclose(file);
			return strdup(line + len + 1);
		}
	}
	fclose(file);
	errno = 0;
	cannot("no victim \"%s\"", key);
}

static inline unsigned long victim_number(const char *key)
{
	return strtoul(victim(key), NULL, 0);
}

/* The owner's process.  Its number is so high that no process of a job, which
 * counts from 1, has it. */
static inline pid_t victim_pid(void)
{
	pid_t pid = victim_number("pid");

	if (pid == getpid() || pid == getppid())
		cannot("the owner's process is one of the job's own");
	return pid;
}

static inline const char *path_of(const char *folder, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		cannot("memory");
	return path;
}

/* Path in the home folder of the owner. */
static inline const char *home_of_owner(const char *name)
{
	return path_of(victim("home"), name);
}

/* ---- secrets ---------------------------------------------------------------
 */

/* Every victim holds the same words. */
static inline int has_secret(const void *data, size_t len)
{
	const char *secret = victim("secret");

	return memmem(data, len, secret, strlen(secret)) != NULL;
}

/* What comes out of fd within PATIENCE_S is the owner's: ends the attempt. */
static inline _Noreturn void judge_fd(int fd, const char *what)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	char data[65536];
	ssize_t len;

	errno = ETIMEDOUT;
	if (poll(&wait, 1, PATIENCE_S * 1000) <= 0)
		blocked("no word from %s", what);
	len = read(fd, data, sizeof(data));
	if (len < 0)
		blocked("read %s", what);
	errno = 0;
	if (!has_secret(data, len))
		blocked("%s has not what the owner has there", what);
	reached("%s", what);
}

static inline _Noreturn void judge_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		blocked("open %s", path);
	judge_fd(fd, path);
}

/* Can the owner's file be changed?  Appends a line. */
static inline _Noreturn void judge_append(const char *path, int flags)
{
	static const char mark[] = "# a stranger was here\n";
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | flags, 0644);

	if (fd < 0)
		blocked("open %s to write", path);
	if (write(fd, mark, strlen(mark)) < 0)
		blocked("write %s", path);
	reached("%s is changed", path);
}

/* ---- sockets ---------------------------------------------------------------
 */

/* Abstract if the name begins with '@'. */
static inline int connect_unix(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = strlen(name);

	if (fd < 0)
		blocked("make a socket");
	if (len >= sizeof(address.sun_path))
		cannot("%s is too long", name);
	memcpy(address.sun_path, name, len);
	if (*name == '@')
		address.sun_path[0] = '\0';
	if (connect(fd, (struct sockaddr *)&address,
		    offsetof(struct sockaddr_un, sun_path) + len))
		blocked("connect to %s", name);
	return fd;
}

static inline struct sockaddr_in inet_address(const char *host, unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port)};

	if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
		cannot("%s is no address", host);
	return address;
}

static inline int connect_inet(const char *host, unsigned port, int type)
{
	struct sockaddr_in address = inet_address(host, port);
	struct timeval patience = {.tv_sec = PATIENCE_S};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		blocked("make a socket");
	/* Also the time that connect takes. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		blocked("connect to %s:%u", host, port);
	return fd;
}

/* ---- processes -------------------------------------------------------------
 */

/* Wait for a child that made the attempt in our place. */
static inline int child_status(pid_t pid)
{
	int status;

	if (pid < 0)
		cannot("fork");
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			cannot("wait for the child");
	return status;
}

#endif
