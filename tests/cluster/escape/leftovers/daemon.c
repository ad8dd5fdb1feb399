/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon.c - leave a process that belongs to no session of the job
 *
 * Wall: pid namespace, cgroup.kill
 * Bare: user
 * Look: device
 */
#include "../attempt.h"

#include <sys/prctl.h>
#include <dirent.h>

static int is_there(const char *name)
{
	DIR *folder = opendir("/proc");
	const struct dirent *entry;
	char path[300], comm[64];

	while (folder && (entry = readdir(folder))) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(comm, sizeof(comm), file) &&
		    !strncmp(comm, name, strlen(name)))
			return 1;
		fclose(file);
	}
	return 0;
}

int main(int argc, char *argv[])
{
	static const char name[] = "esc-daemon";

	errno = 0;
	if (is_look(argc, argv)) {
		if (is_there(name))
			reached("%s still runs", name);
		blocked("no %s runs", name);
	}
	if (fork())
		planted("a daemon");
	setsid();
	if (fork())
		_exit(0);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	prctl(PR_SET_NAME, name);
	for (int fd = 0; fd < 16; fd++)
		close(fd);
	alarm(300);
	pause();
	return 0;
}
