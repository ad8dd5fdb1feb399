/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signal_async.c - have the kernel signal a program of the owner when there is
 * something to read for us
 *
 * Wall: pid namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd))
		cannot("make sockets");
	if (fcntl(fd[0], F_SETOWN, victim_pid()))
		blocked("F_SETOWN");
	if (fcntl(fd[0], F_SETSIG, SIGUSR1) ||
	    fcntl(fd[0], F_SETFL, O_ASYNC | O_NONBLOCK))
		blocked("O_ASYNC");
	if (write(fd[1], "x", 1) != 1)
		cannot("write");
	reached("the owner's program got it");
}
