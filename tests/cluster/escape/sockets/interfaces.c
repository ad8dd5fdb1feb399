/* SPDX-License-Identifier: GPL-2.0-or-later */
/* interfaces.c - ask the kernel for the machine's network interfaces
 *
 * Wall: network namespace
 * Bare: user
 */
#include "../attempt.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

int main(void)
{
	struct {
		struct nlmsghdr head;
		struct rtgenmsg body;
	} ask = {.head = {.nlmsg_len = sizeof(ask),
			  .nlmsg_type = RTM_GETLINK,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		 .body = {.rtgen_family = AF_UNSPEC}};
	const char *name = victim("interface");
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	char answer[65536];
	ssize_t len;

	if (fd < 0)
		blocked("make a netlink socket");
	if (send(fd, &ask, sizeof(ask), 0) < 0)
		blocked("ask");
	len = recv(fd, answer, sizeof(answer), 0);
	if (len < 0)
		blocked("hear");
	errno = 0;
	if (!memmem(answer, len, name, strlen(name) + 1))
		blocked("no interface %s", name);
	reached("interface %s", name);
}
