/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckpt_job.c - a job that has a bit of everything; its output is always the
 * same
 *
 * usage: ckpt-job TICKS
 *
 * A thread that counts under a mutex, a timerfd and an interval timer that make
 * ticks, shared memory with a child, files with and without a name, limits,
 * umask, sockets of its own.  Prints a line a tick, and at the end what became
 * of all that.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS 20000000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static unsigned int ticks, counted;
static volatile sig_atomic_t alarms;
static int done;

static void *count(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	while (!done) {
		pthread_cond_wait(&more, &lock);
		while (counted < ticks)
			counted++;
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void on_alarm(int number)
{
	(void)number;
	alarms = alarms + 1;
}

static void fail(const char *what)
{
	printf("FAILED: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Adds 1 to what is shared for each byte it gets. */
static pid_t start_child(int fd, int others, uint64_t *shared)
{
	pid_t pid = fork();
	char byte;

	if (pid != 0)
		return pid;
	close(others);
	while (read(fd, &byte, 1) == 1) {
		(*shared)++;
		if (write(fd, &byte, 1) != 1)
			_exit(1);
	}
	_exit(7);
}

static int open_unnamed(void)
{
	char name[] = "/tmp/ckpt-XXXXXX";
	int fd = mkstemp(name);

	if (fd < 0 || unlink(name) != 0)
		fail(name);
	return fd;
}

static void begin_timers(int *timer)
{
	const struct itimerspec tick = {{0, TICK_NS}, {0, TICK_NS}};
	const struct itimerval often = {{0, 50000}, {0, 50000}};
	struct sigaction act = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};

	*timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (*timer < 0 || timerfd_settime(*timer, 0, &tick, NULL) != 0 ||
	    sigaction(SIGALRM, &act, NULL) != 0 ||
	    setitimer(ITIMER_REAL, &often, NULL) != 0)
		fail("timers");
}

static void tick(unsigned int i, int timer, int pair, int unnamed, FILE *named)
{
	uint64_t n;
	char byte = 'x';

	while (read(timer, &n, sizeof(n)) != sizeof(n))
		if (errno != EINTR)
			fail("timerfd");
	pthread_mutex_lock(&lock);
	ticks++;
	pthread_cond_signal(&more);
	pthread_mutex_unlock(&lock);
	if (write(pair, &byte, 1) != 1 || read(pair, &byte, 1) != 1)
		fail("socket pair");
	if (write(unnamed, &byte, 1) != 1)
		fail("file without a name");
	fprintf(named, "%u\n", i);
	printf("tick %u\n", i);
}

static void tell(int unnamed, FILE *named, const uint64_t *shared, int event)
{
	struct rlimit limit;
	struct stat st;
	uint64_t n = 0;
	mode_t mask = umask(0);
	char cwd[4096];

	fflush(named);
	if (fstat(unnamed, &st) != 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    read(event, &n, sizeof(n)) != sizeof(n) ||
	    !getcwd(cwd, sizeof(cwd)))
		fail("end");
	printf("counted %u shared %llu unnamed %lld event %llu umask %o files "
	       "%llu name %s alarms %d\n",
	       counted, (unsigned long long)*shared, (long long)st.st_size,
	       (unsigned long long)n, (unsigned int)mask,
	       (unsigned long long)limit.rlim_cur, strrchr(cwd, '/') + 1,
	       alarms > 0);
	if (fstat(fileno(named), &st) != 0)
		fail("named");
	printf("named %lld\n", (long long)st.st_size);
}

int main(int argc, char *argv[])
{
	unsigned int n = argc > 1 ? (unsigned int)atoi(argv[1]) : 100;
	struct rlimit files = {100, 200};
	uint64_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int timer, pair[2], unnamed = open_unnamed(), status = 0;
	int event = eventfd(42, EFD_CLOEXEC);
	FILE *named = fopen("/tmp/named", "we");
	pthread_t thread;
	pid_t child;

	setvbuf(stdout, NULL, _IOLBF, 0);
	umask(027);
	if (!named || shared == MAP_FAILED || event < 0 ||
	    setrlimit(RLIMIT_NOFILE, &files) != 0 || mkdir("deep", 0700) != 0 ||
	    chdir("deep") != 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		fail("begin");
	child = start_child(pair[1], pair[0], shared);
	close(pair[1]);
	begin_timers(&timer);
	if (child < 0 || pthread_create(&thread, NULL, count, NULL) != 0)
		fail("begin");
	for (unsigned int i = 0; i < n; i++)
		tick(i, timer, pair[0], unnamed, named);
	pthread_mutex_lock(&lock);
	done = 1;
	pthread_cond_signal(&more);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	tell(unnamed, named, shared, event);
	close(pair[0]);
	if (waitpid(child, &status, 0) != child)
		fail("child");
	printf("child %d\n", WEXITSTATUS(status));
	return 3;
}
