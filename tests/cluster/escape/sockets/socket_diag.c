/* SPDX-License-Identifier: GPL-2.0-or-later */
/* socket_diag.c - ask the kernel for the owner's sockets
 *
 * Wall: network namespace
 * Bare: user
 * Needs: CONFIG_UNIX_DIAG
 */
#include "../attempt.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>

int main(void)
{
	struct {
		struct nlmsghdr head;
		struct unix_diag_req body;
	} ask = {.head = {.nlmsg_len = sizeof(ask),
			  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		 .body = {.sdiag_family = AF_UNIX,
			  .udiag_states = -1,
			  .udiag_show = UDIAG_SHOW_NAME}};
	const char *name = victim("abstract");
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct timeval patience = {.tv_sec = 1};
	char answer[65536];
	ssize_t len;

	if (fd < 0)
		blocked("make a netlink socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (send(fd, &ask, sizeof(ask), 0) < 0)
		blocked("ask");
	while ((len = recv(fd, answer, sizeof(answer), 0)) > 0)
		if (memmem(answer, len, name, strlen(name)))
			reached("socket %s", name);
	errno = 0;
	blocked("no socket %s", name);
}
