/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session.c - variables that mean a login session of some other machine
 *
 * sbatch and srun hand on all of the submitter's environment.  These name
 * sockets, displays and terminals of the login node, and on a device the
 * owner's own may have the same names.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plugin.h"

/* Longer names are nobody's but the job's. */
#define NAME_SIZE 256

/* A final "*" stands for any ending.  In the order of the alphabet, as in
 * spank_volunteer(8). */
static const char *const names[] = {
	"AT_SPI_BUS_ADDRESS",
	"DBUS_*",
	"DESKTOP_SESSION",
	"DISPLAY",
	"GNOME_KEYRING_*",
	"GPG_AGENT_INFO",
	"GPG_TTY",
	"ICEAUTHORITY",
	"INVOCATION_ID",
	"JOURNAL_STREAM",
	"LISTEN_*",
	"MANAGERPID",
	"NOTIFY_SOCKET",
	"PIPEWIRE_*",
	"PULSE_*",
	"SESSION_MANAGER",
	"SSH_*",
	"STY",
	"SWAYSOCK",
	"TMUX*",
	"VSCODE_*",
	"WAYLAND_*",
	"WINDOWID",
	"XAUTHORITY",
	"XDG_RUNTIME_DIR",
	"XDG_SEAT*",
	"XDG_SESSION_*",
	"XDG_VTNR",
};

static bool matches(const char *pattern, const char *name, size_t len)
{
	size_t n = strlen(pattern);

	if (pattern[n - 1] == '*')
		return len >= n - 1 && !strncmp(pattern, name, n - 1);
	return len == n && !strncmp(pattern, name, n);
}

bool vol_spank_of_session(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (matches(names[i], name, len))
			return true;
	return false;
}

/* The first one from env[*at] on that is to go. */
static bool next_name(char **env, size_t *at, char name[NAME_SIZE])
{
	for (; env[*at]; ++*at) {
		size_t len = strcspn(env[*at], "=");

		/* One without a "=" is not found by unsetenv either. */
		if (len >= NAME_SIZE || !env[*at][len] ||
		    !vol_spank_of_session(env[*at], len))
			continue;
		memcpy(name, env[*at], len);
		name[len] = '\0';
		return true;
	}
	return false;
}

int vol_spank_leave_session(spank_t spank, struct vol_error *err)
{
	char **env = NULL, name[NAME_SIZE];
	size_t at = 0;

	/* unsetenv moves what follows to where it was, in the same array. */
	while (spank_get_item(spank, S_JOB_ENV, &env) == ESPANK_SUCCESS &&
	       env && next_name(env, &at, name))
		if (spank_unsetenv(spank, name) != ESPANK_SUCCESS)
			return vol_errorf_errno(err, EINVAL,
						"cannot take %s out of the "
						"job's environment",
						name);
	return 0;
}
