/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signal_all.c - send a signal to every process that there is
 *
 * Wall: pid namespace
 * Bare: user
 * Look: device
 */
#include "../attempt.h"

int main(int argc, char *argv[])
{
	if (is_look(argc, argv)) {
		const char *log = victim("log_of_touches");
		int fd = open(log, O_RDONLY | O_CLOEXEC);
		char text[65536] = "";

		if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
			cannot("read %s", log);
		if (strstr(text, "signal WINCH"))
			reached("the owner's program got the signal");
		errno = 0;
		blocked("the owner's program got no signal");
	}
	/* Harmless to whoever gets it; the owner's program notes it. */
	signal(SIGWINCH, SIG_IGN);
	if (kill(-1, SIGWINCH))
		blocked("kill everybody");
	planted("somebody got the signal");
}
