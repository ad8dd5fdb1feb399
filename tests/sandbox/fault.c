/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fault.c - make the N-th call of a set-up fail (to be preloaded)
 *
 * FAULT_FILE names a file that all processes map: the number of the call that
 * fails goes in, how many there were and which one failed comes out.  Calls
 * count from fault_arm(1) on, in the process that calls it and its children,
 * and of each place in the program that calls only the first ones: a loop over
 * a folder fails in one way. Left out are close(2), kill(2) and waitpid(2),
 * which only end things.
 */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define SEEN 4096 /* places; a power of two */

struct fault {
	int at;        /* in: this call fails; 0: none */
	int calls;     /* out */
	int each;      /* in: so many of each place count */
	char name[52]; /* out: the call that failed */
	struct {
		const void *place;
		int times;
	} seen[SEEN];
};

void fault_arm(int on);

static struct fault *shared;
static int armed;

void fault_arm(int on)
{
	const char *path = getenv("FAULT_FILE");
	int fd = path && !shared ? open(path, O_RDWR | O_CLOEXEC) : -1;

	if (fd >= 0) {
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			      MAP_SHARED, fd, 0);
		close(fd);
	}
	armed = on && shared;
}

/* Processes run beside one another; two that count one call twice are no harm.
 */
static int counts(const void *place)
{
	size_t i = ((size_t)place >> 1) % SEEN;

	while (shared->seen[i].place && shared->seen[i].place != place)
		i = (i + 1) % SEEN;
	shared->seen[i].place = place;
	return shared->seen[i].times++ < shared->each;
}

static int is_it(const char *name, const void *place)
{
	if (!armed || !counts(place) ||
	    __atomic_add_fetch(&shared->calls, 1, __ATOMIC_SEQ_CST) !=
		    shared->at)
		return 0;
	strncpy(shared->name, name, sizeof(shared->name) - 1);
	errno = EPERM;
	return 1;
}

/* A function that says -1 (or what failed is) and sets errno. */
#define WRAP(type, failed, name, parameters, arguments)                     \
	type name parameters                                                \
	{                                                                   \
		static type(*real) parameters;                              \
		if (is_it(#name, __builtin_return_address(0)))              \
			return failed;                                      \
		if (!real)                                                  \
			real = (type(*) parameters)dlsym(RTLD_NEXT, #name); \
		return real arguments;                                      \
	}
#define WRAP_INT(name, parameters, arguments) \
	WRAP(int, -1, name, parameters, arguments)

#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wnonnull-compare"

WRAP(void *, NULL, calloc, (size_t n, size_t size), (n, size))
WRAP(ssize_t, -1, read, (int fd, void *buf, size_t n), (fd, buf, n))
WRAP(ssize_t, -1, write, (int fd, const void *buf, size_t n), (fd, buf, n))
WRAP(ssize_t, -1, pread, (int fd, void *buf, size_t n, off_t at),
     (fd, buf, n, at))
WRAP(ssize_t, -1, readlink, (const char *path, char *buf, size_t n),
     (path, buf, n))
WRAP(ssize_t, -1, readlinkat, (int fd, const char *path, char *buf, size_t n),
     (fd, path, buf, n))
WRAP(ssize_t, -1, sendfile, (int to, int from, off_t *at, size_t n),
     (to, from, at, n))
WRAP(ssize_t, -1, send, (int fd, const void *buf, size_t n, int flags),
     (fd, buf, n, flags))
WRAP(ssize_t, -1, sendmsg, (int fd, const struct msghdr *m, int flags),
     (fd, m, flags))
WRAP(ssize_t, -1, recv, (int fd, void *buf, size_t n, int flags),
     (fd, buf, n, flags))
WRAP(ssize_t, -1, recvmsg, (int fd, struct msghdr *m, int flags),
     (fd, m, flags))
WRAP(off_t, -1, lseek, (int fd, off_t at, int from), (fd, at, from))
WRAP(char *, NULL, getcwd, (char *buf, size_t n), (buf, n))
WRAP(void *, NULL, opendir, (const char *path), (path))
WRAP(void *, NULL, fdopendir, (int fd), (fd))
WRAP(void *, NULL, seccomp_init, (unsigned int action), (action))
WRAP(pid_t, -1, fork, (void), ())
WRAP(pid_t, -1, setsid, (void), ())
WRAP_INT(stat, (const char *path, struct stat *st), (path, st))
WRAP_INT(lstat, (const char *path, struct stat *st), (path, st))
WRAP_INT(fstat, (int fd, struct stat *st), (fd, st))
WRAP_INT(fstatat, (int fd, const char *path, struct stat *st, int flags),
	 (fd, path, st, flags))
WRAP_INT(access, (const char *path, int mode), (path, mode))
WRAP_INT(mkdir, (const char *path, mode_t mode), (path, mode))
WRAP_INT(mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
WRAP_INT(rmdir, (const char *path), (path))
WRAP_INT(unlink, (const char *path), (path))
WRAP_INT(symlink, (const char *to, const char *path), (to, path))
WRAP_INT(symlinkat, (const char *to, int fd, const char *path), (to, fd, path))
WRAP_INT(chdir, (const char *path), (path))
WRAP_INT(chown, (const char *path, uid_t uid, gid_t gid), (path, uid, gid))
WRAP_INT(fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
WRAP_INT(chmod, (const char *path, mode_t mode), (path, mode))
WRAP_INT(fchmod, (int fd, mode_t mode), (fd, mode))
WRAP_INT(ftruncate, (int fd, off_t size), (fd, size))
WRAP_INT(memfd_create, (const char *name, unsigned int flags), (name, flags))
WRAP_INT(pipe2, (int fd[2], int flags), (fd, flags))
WRAP_INT(socket, (int family, int type, int protocol), (family, type, protocol))
WRAP_INT(socketpair, (int family, int type, int protocol, int fd[2]),
	 (family, type, protocol, fd))
WRAP_INT(dup2, (int from, int to), (from, to))
WRAP_INT(close_range, (unsigned int first, unsigned int last, int flags),
	 (first, last, flags))
WRAP_INT(pidfd_open, (pid_t pid, unsigned int flags), (pid, flags))
WRAP_INT(mount,
	 (const char *what, const char *where, const char *type,
	  unsigned long flags, const void *data),
	 (what, where, type, flags, data))
WRAP_INT(umount2, (const char *path, int flags), (path, flags))
WRAP_INT(open_tree, (int fd, const char *path, unsigned int flags),
	 (fd, path, flags))
WRAP_INT(fsopen, (const char *type, unsigned int flags), (type, flags))
WRAP_INT(fsconfig,
	 (int fd, unsigned int what, const char *key, const void *value,
	  int aux),
	 (fd, what, key, value, aux))
WRAP_INT(fsmount, (int fd, unsigned int flags, unsigned int attributes),
	 (fd, flags, attributes))
WRAP_INT(flock, (int fd, int what), (fd, what))
WRAP_INT(unlinkat, (int fd, const char *path, int flags), (fd, path, flags))
WRAP(void *, NULL, realloc, (void *p, size_t size), (p, size))
WRAP_INT(move_mount,
	 (int from, const char *path, int to, const char *target,
	  unsigned int flags),
	 (from, path, to, target, flags))
WRAP_INT(mount_setattr,
	 (int fd, const char *path, unsigned int flags, void *attr, size_t n),
	 (fd, path, flags, attr, n))
WRAP_INT(unshare, (int kinds), (kinds))
WRAP_INT(setns, (int fd, int kinds), (fd, kinds))
WRAP_INT(sethostname, (const char *name, size_t n), (name, n))
WRAP_INT(getresuid, (uid_t * r, uid_t *e, uid_t *s), (r, e, s))
WRAP_INT(getresgid, (gid_t * r, gid_t *e, gid_t *s), (r, e, s))
WRAP_INT(setresuid, (uid_t r, uid_t e, uid_t s), (r, e, s))
WRAP_INT(setresgid, (gid_t r, gid_t e, gid_t s), (r, e, s))
WRAP_INT(setgroups, (size_t n, const gid_t *list), (n, list))
WRAP_INT(getrlimit, (__rlimit_resource_t what, struct rlimit *r), (what, r))
WRAP_INT(setrlimit, (__rlimit_resource_t what, const struct rlimit *r),
	 (what, r))
WRAP_INT(sigprocmask, (int how, const sigset_t *set, sigset_t *old),
	 (how, set, old))
WRAP_INT(poll, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms))
WRAP_INT(execve, (const char *path, char *const argv[], char *const env[]),
	 (path, argv, env))
WRAP_INT(execveat,
	 (int fd, const char *path, char *const argv[], char *const env[],
	  int flags),
	 (fd, path, argv, env, flags))

/* With arguments that are not there for all calls: as many as there can be. */
#define WRAP_MORE(type, name, first, call, last, n)                          \
	type name(first, ...)                                                \
	{                                                                    \
		static type (*real)(first, ...);                             \
		long a[n];                                                   \
		va_list ap;                                                  \
		if (is_it(#name, __builtin_return_address(0)))               \
			return -1;                                           \
		va_start(ap, last);                                          \
		for (int i = 0; i < n; i++)                                  \
			a[i] = va_arg(ap, long);                             \
		va_end(ap);                                                  \
		if (!real)                                                   \
			real = (type(*)(first, ...))dlsym(RTLD_NEXT, #name); \
		return real call;                                            \
	}

#define COMMA ,
WRAP_MORE(long, syscall, long number,
	  (number, a[0], a[1], a[2], a[3], a[4], a[5]), number, 6)
WRAP_MORE(int, clone,
	  int (*run)(void *) COMMA void *stack COMMA int flags COMMA void *arg,
	  (run, stack, flags, arg, a[0], a[1], a[2]), arg, 3)
WRAP_MORE(int, prctl, int what, (what, a[0], a[1], a[2], a[3]), what, 4)
WRAP_MORE(int, ioctl, int fd COMMA unsigned long what, (fd, what, a[0]), what,
	  1)
WRAP_MORE(int, fcntl, int fd COMMA int what, (fd, what, a[0]), what, 1)
WRAP_MORE(int, fcntl64, int fd COMMA int what, (fd, what, a[0]), what, 1)
WRAP_MORE(int, open, const char *path COMMA int flags, (path, flags, a[0]),
	  flags, 1)
WRAP_MORE(int, openat, int fd COMMA const char *path COMMA int flags,
	  (fd, path, flags, a[0]), flags, 1)
