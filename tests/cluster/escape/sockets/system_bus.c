/* SPDX-License-Identifier: GPL-2.0-or-later */
/* system_bus.c - log in to the machine's system bus
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char hello[64] = "", uid[16], answer[256] = "";
	int fd = connect_unix("/run/dbus/system_bus_socket");
	size_t len = 1;

	snprintf(uid, sizeof(uid), "%u", getuid());
	len += sprintf(hello + 1, "AUTH EXTERNAL ");
	for (const char *digit = uid; *digit; digit++)
		len += sprintf(hello + len, "%02x", *digit);
	len += sprintf(hello + len, "\r\n");
	if (write(fd, hello, len) < 0 ||
	    read(fd, answer, sizeof(answer) - 1) < 0)
		blocked("greet the bus");
	errno = 0;
	if (strncmp(answer, "OK", 2))
		blocked("the bus says %s", answer);
	reached("the bus lets us in");
}
