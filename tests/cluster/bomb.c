/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bomb.c - a job that uses up one thing, or that leaves all sorts of things
 *
 * usage: bomb [stay] forks|threads|files|inotify|keys|terminals N
 *	  bomb [stay] disk FOLDER MB | memory MB
 *	  bomb leave      ends well; what it leaves ought to go with the job
 *
 * stay: remains as it is until it is ended.
 *
 * Each stops at N, MB, whether or not something stops it before: a wall that is
 * not there must not cost anybody a machine.  Says how far it came and why not
 * further, and ends with 3; with 0 when nothing stopped it.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define MB        (1L << 20)
#define EXIT_HELD 3
/* So long processes of the fork bomb try again and again. */
#define TRY_S 2

struct shared {
	atomic_long made; /* processes, ever */
	atomic_int error; /* of the first fork that failed */
};

static int said(const char *what, long n, long of, int error)
{
	printf("%s: %ld of %ld: %s\n", what, n, of,
	       error ? strerror(error) : "no limit");
	fflush(stdout);
	return error ? EXIT_HELD : 0;
}

/* One that forks until there are enough, or nothing comes of it for a while. */
static void breed(struct shared *shared, long cap)
{
	while (atomic_fetch_add(&shared->made, 1) < cap) {
		if (fork() < 0) {
			atomic_fetch_sub(&shared->made, 1);
			atomic_store(&shared->error, errno);
			usleep(1000);
		}
	}
	for (;;)
		pause();
}

static int forks(long cap)
{
	struct shared *shared =
		mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;
	long made;

	if (shared == MAP_FAILED)
		err(1, "mmap");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0) {
		setpgid(0, 0);
		breed(shared, cap);
	}
	for (int i = 0; i < TRY_S * 100; i++)
		usleep(10000);
	made = atomic_load(&shared->made);
	return said("forks", made < cap ? made : cap, cap,
		    made < cap ? atomic_load(&shared->error) : 0);
}

static void *idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static int threads(long cap)
{
	pthread_attr_t attr;
	pthread_t thread;
	int error = 0;
	long n;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (n = 0; n < cap && !error; n++)
		error = pthread_create(&thread, &attr, idle, NULL);
	return said("threads", error ? n - 1 : n, cap, error);
}

static int files(long cap)
{
	for (long n = 0; n < cap; n++)
		if (open("/dev/null", O_RDONLY) < 0)
			return said("files", n, cap, errno);
	return said("files", cap, cap, 0);
}

static int inotify(long cap)
{
	for (long n = 0; n < cap; n++)
		if (inotify_init() < 0)
			return said("inotify", n, cap, errno);
	return said("inotify", cap, cap, 0);
}

static int terminals(long cap)
{
	for (long n = 0; n < cap; n++)
		if (open("/dev/ptmx", O_RDWR | O_NOCTTY) < 0)
			return said("terminals", n, cap, errno);
	return said("terminals", cap, cap, 0);
}

static int keys(long cap)
{
	char name[32];

	for (long n = 0; n < cap; n++) {
		snprintf(name, sizeof(name), "bomb:%ld", n);
		/* KEY_SPEC_USER_KEYRING: it outlives its maker. */
		if (syscall(SYS_add_key, "user", name, "x", 1UL, -4) < 0)
			return said("keys", n, cap, errno);
	}
	return said("keys", cap, cap, 0);
}

static int disk(const char *folder, long cap)
{
	static char block[MB];
	char path[256];
	int fd;

	memset(block, 'x', sizeof(block));
	snprintf(path, sizeof(path), "%s/bomb", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		err(1, "%s", path);
	for (long n = 0; n < cap; n++)
		if (write(fd, block, MB) != MB)
			return said("disk", n, cap, errno ? errno : ENOSPC);
	return said("disk", cap, cap, 0);
}

static int memory(long cap)
{
	for (long n = 0; n < cap; n++) {
		char *p = malloc(MB);

		if (!p)
			return said("memory", n, cap, ENOMEM);
		memset(p, 'x', MB);
	}
	return said("memory", cap, cap, 0);
}

static void daemon_that_hears_nothing(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX,
				   .sun_path = "\0bomb-left"};
	int s;

	if (fork() != 0)
		return;
	setsid();
	if (fork() != 0)
		_exit(0);
	for (int i = 1; i < 32; i++)
		if (i != SIGKILL && i != SIGSTOP)
			signal(i, SIG_IGN);
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	bind(s, (struct sockaddr *)&name, sizeof(sa_family_t) + 10);
	listen(s, 1);
	flock(open("lock", O_RDWR | O_CREAT, 0600), LOCK_EX);
	for (;;)
		pause();
}

static int leave(void)
{
	static const char *const paths[] = {"/tmp/left", "/var/tmp/left",
					    "/dev/shm/left"};
	int n = 0;

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		n += mkdir(paths[i], 0700) == 0 && chdir(paths[i]) == 0;
		n += mkfifo("fifo", 0600) == 0;
		n += symlink("/etc/passwd", "link") == 0;
	}
	n += shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0666) >= 0;
	n += semget(IPC_PRIVATE, 4, IPC_CREAT | 0666) >= 0;
	n += msgget(IPC_PRIVATE, IPC_CREAT | 0666) >= 0;
	n += mq_open("/left", O_CREAT | O_RDWR, 0600, NULL) >= 0;
	daemon_that_hears_nothing();
	daemon_that_hears_nothing();
	printf("left %d\n", n);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(long cap);
} bombs[] = {
	{"forks", forks},     {"threads", threads},     {"files", files},
	{"inotify", inotify}, {"terminals", terminals}, {"keys", keys},
	{"memory", memory},
};

static int explode(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	long n = argc > 2 ? atol(argv[argc - 1]) : 0;

	for (size_t i = 0; i < sizeof(bombs) / sizeof(*bombs); i++)
		if (strcmp(what, bombs[i].name) == 0)
			return bombs[i].run(n);
	if (strcmp(what, "disk") == 0 && argc == 4)
		return disk(argv[2], n);
	if (strcmp(what, "leave") == 0)
		return leave();
	errx(2, "see the head of bomb.c");
}

int main(int argc, char **argv)
{
	int rc;

	if (argc < 2 || strcmp(argv[1], "stay") != 0)
		return explode(argc, argv);
	rc = explode(argc - 1, argv + 1);
	for (;;)
		pause();
	return rc;
}
