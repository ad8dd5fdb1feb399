/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peer_signal.c - signal the other job by the process at the other end of a
 * socket in a working folder, where jobs of a user may meet
 *
 * Wall: pid namespace, user namespace
 * Bare: user
 * Needs: Linux 6.5
 * Where: beside
 * Note: a uid's own processes only
 */
#include "../attempt.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

int main(void)
{
	int fd = connect_unix(victim("neighbour_work_socket"));
	int peer = -1;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &peer, &size))
		blocked("ask who is there");
	if (syscall(SYS_pidfd_send_signal, peer, SIGUSR1, NULL, 0))
		blocked("signal");
	reached("the other job got it");
}
