/* SPDX-License-Identifier: GPL-2.0-or-later */
/* submit.c - hand one array to sbatch
 *
 * A child runs in a process group of its own: Ctrl-C at a terminal then reaches
 * only vbatch, which knows whether the array at work was accepted.
 */
#include "config.h"

#include "submit.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"

static volatile sig_atomic_t stop_requests;
static volatile sig_atomic_t stop_at_once;
static volatile pid_t current; /* the sbatch we wait for */

static void on_stop(int sig)
{
	static const char note[] = "\nvbatch: stopping behind the array at "
				   "work; again to stop it too\n";
	int saved = errno;

	stop_requests++;
	if (current > 0 && (stop_at_once || stop_requests > 1))
		kill(current, sig);
	else if (write(STDERR_FILENO, note, sizeof(note) - 1) < 0)
		errno = saved; /* nobody reads it: stop all the same */
	errno = saved;
}

/* What nohup ignores stays ignored. */
static void catch_one(int sig)
{
	struct sigaction action = {.sa_handler = on_stop}, old;

	if (sigaction(sig, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaction(sig, &action, NULL);
}

void vb_submit_catch_stop(void)
{
	catch_one(SIGINT);
	catch_one(SIGTERM);
	catch_one(SIGHUP);
}

bool vb_submit_stopped(void)
{
	return stop_requests > 0;
}

void vb_submit_stop_at_once(void)
{
	stop_at_once = 1;
}

/* A file of no name that holds the script. */
static int script_fd(const struct vb_array *array, struct vol_error *err)
{
	cleanup_fd int fd = memfd_create("vbatch", MFD_CLOEXEC);
	size_t done = 0;

	if (fd < 0)
		return vol_errorf(err, "memfd_create: %s", strerror(errno));
	while (done < array->script_size) {
		ssize_t n = write(fd, array->script + done,
				  array->script_size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return vol_errorf(err, "memfd: %s", strerror(errno));
		done += (size_t)n;
	}
	if (lseek(fd, 0, SEEK_SET) < 0)
		return vol_errorf(err, "memfd: %s", strerror(errno));
	return steal_fd(&fd);
}

/* sbatch's words; caller frees the vector and *array_option and
 * *dependency_option, which it points into. */
static const char **words(const struct vb_args *args,
			  const struct vb_array *array, const char *dependency,
			  char **array_option, char **dependency_option)
{
	const char **argv = calloc(args->sbatch_count + 4, sizeof(*argv));
	size_t n = 0;

	*dependency_option = NULL;
	if (asprintf(array_option, "--array=%s", array->indexes) < 0)
		*array_option = NULL;
	if (dependency &&
	    asprintf(dependency_option, "--dependency=%s", dependency) < 0)
		*dependency_option = NULL;
	if (!argv || !*array_option || (dependency && !*dependency_option)) {
		free(argv);
		return NULL;
	}
	argv[n++] = "sbatch";
	for (size_t i = 0; i < args->sbatch_count; i++)
		argv[n++] = args->sbatch[i];
	if (dependency)
		argv[n++] = *dependency_option;
	argv[n++] = *array_option;
	return argv;
}

int vb_submit_exec(const struct vb_args *args, const struct vb_array *array,
		   struct vol_error *err)
{
	cleanup_free char *array_option = NULL;
	cleanup_free char *dependency_option = NULL;
	cleanup_free const char **argv = NULL;
	cleanup_fd int fd = script_fd(array, err);

	if (fd < 0)
		return -1;
	argv = words(args, array, NULL, &array_option, &dependency_option);
	if (!argv)
		return vol_errorf(err, "out of memory");
	if (dup2(fd, STDIN_FILENO) < 0)
		return vol_errorf(err, "dup2: %s", strerror(errno));
	execvp(argv[0], (char *const *)argv);
	return vol_errorf(err, "cannot run sbatch: %s", strerror(errno));
}

static int start(const char **argv, int in, struct vb_sbatch *sbatch,
		 struct vol_error *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return vol_errorf(err, "pipe: %s", strerror(errno));
	sbatch->pid = fork();
	if (sbatch->pid == 0) {
		setpgid(0, 0);
		if (dup2(in, STDIN_FILENO) >= 0 &&
		    dup2(fds[1], STDOUT_FILENO) >= 0)
			execvp(argv[0], (char *const *)argv);
		perror("vbatch: cannot run sbatch");
		_exit(127);
	}
	close(fds[1]);
	if (sbatch->pid < 0) {
		close(fds[0]);
		return vol_errorf(err, "fork: %s", strerror(errno));
	}
	sbatch->out = fds[0];
	return 0;
}

/* "Submitted batch job 12 on cluster c1", or "12;c1" with --parsable. */
static uint64_t read_id(const char *line)
{
	while (*line && !isdigit((unsigned char)*line))
		line++;
	return strtoull(line, NULL, 10);
}

/* Pass on what sbatch prints: until its first line is whole, or to the end. */
static void pass_on(struct vb_sbatch *sbatch, bool first_line)
{
	char line[4096];
	size_t used = 0;

	for (;;) {
		ssize_t n =
			read(sbatch->out, line + used, sizeof(line) - 1 - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		fwrite(line + used, 1, (size_t)n, stdout);
		fflush(stdout);
		used += (size_t)n;
		line[used] = '\0';
		if (!sbatch->accepted && strchr(line, '\n')) {
			sbatch->accepted = true;
			sbatch->id = read_id(line);
		}
		if (first_line && sbatch->accepted)
			return;
		if (sbatch->accepted || used == sizeof(line) - 1)
			used = 0;
	}
	close(sbatch->out);
	sbatch->out = -1;
}

void vb_submit_reap(struct vb_sbatch *sbatch)
{
	int status;

	if (!sbatch->pid)
		return;
	current = sbatch->pid;
	if (stop_at_once && stop_requests)
		kill(sbatch->pid, SIGINT);
	if (sbatch->out >= 0)
		pass_on(sbatch, false);
	while (waitpid(sbatch->pid, &status, 0) < 0 && errno == EINTR)
		;
	current = 0;
	sbatch->pid = 0;
	sbatch->status = WIFEXITED(status) ? WEXITSTATUS(status)
					   : 128 + WTERMSIG(status);
	if (sbatch->status == 0)
		sbatch->accepted = true;
}

int vb_submit(const struct vb_args *args, const struct vb_array *array,
	      const char *dependency, bool wait, struct vb_sbatch *sbatch,
	      struct vol_error *err)
{
	cleanup_free char *array_option = NULL;
	cleanup_free char *dependency_option = NULL;
	cleanup_free const char **argv = NULL;
	cleanup_fd int fd = script_fd(array, err);

	*sbatch = (struct vb_sbatch){.out = -1};
	if (fd < 0)
		return -1;
	argv = words(args, array, dependency, &array_option,
		     &dependency_option);
	if (!argv)
		return vol_errorf(err, "out of memory");
	if (start(argv, fd, sbatch, err) < 0)
		return -1;
	current = sbatch->pid;
	if (wait) {
		pass_on(sbatch, true);
		if (sbatch->out >= 0)
			return 0;
	}
	vb_submit_reap(sbatch);
	return 0;
}
