/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core_pipe.c - hand a core to the program that the machine runs for cores
 *
 * Wall: RLIMIT_CORE of 1
 * Bare: user
 * Note: a piped core_pattern belongs to the whole machine and is not set
 *       here; what the pipe would get is what the kernel dumps at all
 */
#include "../attempt.h"

#include <sys/resource.h>

/* With what the kernel may have put there, by the names it usually gives. */
static void remove_folder(const char *folder, pid_t pid)
{
	char name[sizeof("core.") + 20];

	snprintf(name, sizeof(name), "core.%d", pid);
	unlink(path_of(folder, "core"));
	unlink(path_of(folder, name));
	rmdir(folder);
}

int main(void)
{
	char folder[] = "/tmp/escape-core-XXXXXX";
	struct rlimit limit;
	pid_t pid;
	int status;

	if (getrlimit(RLIMIT_CORE, &limit))
		cannot("read the limit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_CORE, &limit))
		cannot("set the limit");
	if (!mkdtemp(folder))
		cannot("make a folder");
	pid = fork();
	if (!pid) {
		if (chdir(folder))
			_exit(1);
		abort();
	}
	status = child_status(pid);
	remove_folder(folder, pid);
	if (!WIFSIGNALED(status))
		cannot("crash");
	if (WCOREDUMP(status))
		reached("the kernel dumped core");
	errno = 0;
	/* core(5): a pipe gets cores whatever the limit is, unless it is 1. */
	if (limit.rlim_max != 1)
		reached("the limit is %llu: a pipe would get the core",
			(unsigned long long)limit.rlim_max);
	blocked("the kernel dumps nothing");
}
