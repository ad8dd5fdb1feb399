/* SPDX-License-Identifier: GPL-2.0-or-later */
/* witness.c - did any task of a job run while a command ran?
 *
 *	witness JOB COMMAND...
 *
 * Looks every 10 ms at cgroup.events of all task folders of the job, and at
 * what CPU time its steps have used, until the command ends.  Prints one JSON
 * object: samples, tasks (the least seen), thawed (samples in which a task was
 * not frozen), usage_us (CPU time used in between), status of the command.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROOT       "/sys/fs/cgroup"
#define TASKS_MAX  64
#define PERIOD_NS  10000000L
#define REFRESH    10 /* samples between two searches for new tasks */
#define PATH_CHARS 1024

static char tasks[TASKS_MAX][PATH_CHARS];
static int n_tasks;
static char job[32]; /* "/job_7/" */

static int add_task(const char *path, const struct stat *st, int type,
		    struct FTW *at)
{
	(void)st;
	if (type == FTW_D && strncmp(path + at->base, "task_", 5) == 0 &&
	    strstr(path, job) && n_tasks < TASKS_MAX &&
	    strlen(path) < PATH_CHARS)
		strcpy(tasks[n_tasks++], path);
	return 0;
}

/* A file of a task's folder; false when the task is gone. */
static bool read_file(const char *task, const char *name, char *text,
		      size_t size)
{
	char path[PATH_CHARS + 32];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", task, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Sum over all tasks that are there. */
static long long usage(void)
{
	char text[4096], *value;
	long long sum = 0;

	for (int i = 0; i < n_tasks; i++) {
		if (!read_file(tasks[i], "cpu.stat", text, sizeof(text)))
			continue;
		value = strstr(text, "usage_usec ");
		if (value)
			sum += atoll(value + strlen("usage_usec "));
	}
	return sum;
}

/* One look: how many tasks are there, and is one of them not frozen? */
static int look(bool *thawed)
{
	char text[256];
	int alive = 0;

	*thawed = false;
	for (int i = 0; i < n_tasks; i++) {
		if (!read_file(tasks[i], "cgroup.events", text, sizeof(text)) ||
		    strstr(text, "populated 0"))
			continue;
		alive++;
		*thawed |= strstr(text, "frozen 0") != NULL;
	}
	return alive;
}

static pid_t start(char **argv)
{
	pid_t pid = fork();

	if (pid < 0)
		err(2, "fork");
	if (pid == 0) {
		/* Standard output is for the verdict. */
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	return pid;
}

int main(int argc, char **argv)
{
	const struct timespec period = {0, PERIOD_NS};
	long samples = 0, thawed = 0;
	int least = TASKS_MAX, status = 0, alive;
	long long before;
	bool one;
	pid_t pid;

	if (argc < 3)
		errx(2, "usage: witness JOB COMMAND...");
	snprintf(job, sizeof(job), "/job_%s/", argv[1]);
	nftw(ROOT, add_task, 16, FTW_PHYS);
	before = usage();
	pid = start(argv + 2);
	do {
		if (samples % REFRESH == 0) {
			n_tasks = 0;
			nftw(ROOT, add_task, 16, FTW_PHYS);
		}
		alive = look(&one);
		thawed += one;
		least = alive < least ? alive : least;
		samples++;
		nanosleep(&period, NULL);
	} while (waitpid(pid, &status, WNOHANG) == 0);
	printf("{\"samples\": %ld, \"tasks\": %d, \"thawed\": %ld, "
	       "\"usage_us\": %lld, \"status\": %d}\n",
	       samples, least, thawed, usage() - before,
	       WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return 0;
}
