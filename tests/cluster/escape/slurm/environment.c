/* SPDX-License-Identifier: GPL-2.0-or-later */
/* environment.c - find in our environment what belongs to a session
 *
 * Wall: scrubbed environment
 * Bare: user
 * Note: the test submits with all of these set
 */
#include "../attempt.h"

extern char **environ;

int main(void)
{
	static const char *const names[] = {
		"DISPLAY=",         "WAYLAND_DISPLAY=",
		"XAUTHORITY=",      "DBUS_SESSION_BUS_ADDRESS=",
		"SSH_AUTH_SOCK=",   "SSH_AGENT_PID=",
		"XDG_RUNTIME_DIR=", "GPG_AGENT_INFO=",
	};

	for (char **entry = environ; *entry; entry++)
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (!strncmp(*entry, names[i], strlen(names[i])))
				reached("%s", *entry);
	errno = 0;
	blocked("nothing of a session");
}
