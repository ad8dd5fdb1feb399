/* SPDX-License-Identifier: GPL-2.0-or-later */
/* observer.c - see from inside the guest when tasks are frozen, change nothing
 *
 *	observer reaction N FOLDER...
 *		N times: wait for a key or the mouse, then until the tasks of
 *		all folders are frozen, then until they run again
 *	observer sample FOLDER...
 *		until SIGTERM: look every 10 ms whether they are frozen
 *
 * FOLDERs are cgroups.  Times are CLOCK_MONOTONIC; that of an input event is
 * the kernel's own, so what QEMU takes to deliver it does not count.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/input.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define FOLDERS_MAX 128
#define INPUTS_MAX  32
#define PERIOD_MS   10
#define LATE_MS     30000

enum state { THAWED, FROZEN, OVER };

static struct pollfd inputs[INPUTS_MAX], folders[FOLDERS_MAX];
static const char *names[FOLDERS_MAX];
static unsigned n_inputs, n_folders;
static volatile sig_atomic_t stopped;

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void on_term(int signal)
{
	(void)signal;
	stopped = 1;
}

static void open_folders(char **paths)
{
	for (; *paths && n_folders < FOLDERS_MAX; paths++) {
		char path[4096];
		int fd;

		snprintf(path, sizeof(path), "%s/cgroup.events", *paths);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			fprintf(stderr, "%s: %s\n", path, strerror(errno));
			exit(1);
		}
		names[n_folders] = *paths;
		folders[n_folders++] =
			(struct pollfd){.fd = fd, .events = POLLPRI};
	}
}

static enum state state_of(unsigned i)
{
	char text[128];
	ssize_t n = pread(folders[i].fd, text, sizeof(text) - 1, 0);
	const char *word;

	/* A folder that was removed can not be read any more. */
	if (n <= 0)
		return OVER;
	text[n] = '\0';
	word = strstr(text, "frozen ");
	return word && word[7] == '1' ? FROZEN : THAWED;
}

/* One after the other, each read few times: none leaves the state meanwhile. */
static bool wait_all(enum state wanted)
{
	double end = now_ms() + LATE_MS;

	for (unsigned i = 0; i < n_folders; i++)
		while (state_of(i) != wanted) {
			if (now_ms() > end)
				return false;
			poll(&folders[i], 1, 1000);
		}
	return true;
}

/* Sleep until something happens to the first folder, which was read before. */
static bool await_news(void)
{
	return poll(folders, 1, LATE_MS) > 0;
}

static void open_inputs(void)
{
	int clock = CLOCK_MONOTONIC;
	glob_t found;

	if (glob("/dev/input/event*", 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc && n_inputs < INPUTS_MAX; i++) {
		int fd = open(found.gl_pathv[i],
			      O_RDONLY | O_NONBLOCK | O_CLOEXEC);

		if (fd < 0 || ioctl(fd, EVIOCSCLOCKID, &clock) < 0)
			continue;
		inputs[n_inputs++] =
			(struct pollfd){.fd = fd, .events = POLLIN};
	}
	globfree(&found);
}

/* Kernel's time of the first event in the queues that a person has made; 0 =
 * there is none. */
static double take_event(void)
{
	double first = 0;

	for (unsigned i = 0; i < n_inputs; i++) {
		struct input_event e;

		while (read(inputs[i].fd, &e, sizeof(e)) == sizeof(e)) {
			double t = (double)e.input_event_sec * 1e3 +
				   (double)e.input_event_usec / 1e3;
			bool pressed = e.type == EV_KEY && e.value == 1;

			if ((pressed || e.type == EV_REL) &&
			    (first == 0 || t < first))
				first = t;
		}
	}
	return first;
}

/* From the key to the last frozen task this program sleeps: it looks for the
 * key's time when all is over, since on an emulated CPU what it did in between
 * would delay what it measures. */
static int observe_reaction(unsigned n)
{
	open_inputs();
	printf("watching %u inputs %u folders\n", n_inputs, n_folders);
	while (n > 0) {
		double pressed, frozen;

		if (!wait_all(THAWED)) {
			printf("late: not thawed\n");
			return 1;
		}
		take_event(); /* what came while they were frozen */
		printf("ready\n");
		if (!await_news() || !wait_all(FROZEN)) {
			printf("late: not frozen\n");
			return 1;
		}
		frozen = now_ms();
		pressed = take_event();
		if (pressed == 0) {
			printf("late: no input\n");
			return 1;
		}
		printf("frozen %.3f\n", frozen - pressed);
		n--;
	}
	return 0;
}

static int observe_samples(void)
{
	enum state last[FOLDERS_MAX];
	unsigned long samples = 0, thawed = 0;
	double before = now_ms(), widest = 0;

	memset(last, 0xff, sizeof(last));
	for (; !stopped; samples++) {
		double now = now_ms();
		bool any = false;

		widest = now - before > widest ? now - before : widest;
		before = now;
		for (unsigned i = 0; i < n_folders; i++) {
			enum state s = state_of(i);

			any |= s == THAWED;
			if (s != last[i])
				printf("at %.0f %s %s\n", now,
				       s == THAWED   ? "thawed"
				       : s == FROZEN ? "frozen"
						     : "over",
				       names[i]);
			last[i] = s;
		}
		thawed += any;
		poll(NULL, 0, PERIOD_MS);
	}
	printf("samples %lu thawed %lu widest %.1f\n", samples, thawed, widest);
	return 0;
}

int main(int argc, char **argv)
{
	struct sched_param first = {.sched_priority = 10};

	/* What is measured is the daemon, not this program's place in line. */
	if (sched_setscheduler(0, SCHED_FIFO, &first) < 0)
		perror("sched_setscheduler");
	mlockall(MCL_CURRENT | MCL_FUTURE);
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGTERM, on_term);
	if (argc > 3 && !strcmp(argv[1], "reaction")) {
		open_folders(argv + 3);
		return observe_reaction((unsigned)atoi(argv[2]));
	}
	if (argc > 2 && !strcmp(argv[1], "sample")) {
		open_folders(argv + 2);
		return observe_samples();
	}
	fprintf(stderr, "usage: observer reaction N FOLDER...\n"
			"       observer sample FOLDER...\n");
	return 2;
}
