/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stopped.c - leave a stopped process, which takes no SIGTERM
 *
 * Wall: pid namespace, cgroup.kill
 * Bare: user
 * Look: device
 */
#include "../attempt.h"

#include <sys/prctl.h>

int main(int argc, char *argv[])
{
	static const char name[] = "esc-stopped";
	pid_t pid;

	errno = 0;
	if (is_look(argc, argv)) {
		/* pgrep(1) is on every device. */
		if (!system("pgrep -x esc-stopped > /dev/null"))
			reached("%s is still there", name);
		blocked("no %s", name);
	}
	pid = fork();
	if (pid < 0)
		cannot("fork");
	if (pid)
		planted("a stopped process");
	setsid();
	prctl(PR_SET_NAME, name);
	/* Whoever reads what we say must not wait for us. */
	for (int fd = 0; fd < 16; fd++)
		close(fd);
	for (;;)
		raise(SIGSTOP);
}
