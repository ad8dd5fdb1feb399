/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command.h - run a program of the administrator's, without blocking the loop
 */
#ifndef VOL_COMMAND_H
#define VOL_COMMAND_H

#include <systemd/sd-event.h>

#include "error.h"

/* What takes longer is killed. */
#define VOL_COMMAND_MS 30000

struct vol_command;

/* why: NULL when it ended with status 0, else what is wrong, for people.
 * Called once, from the loop; the command is to be destroyed then. */
typedef void (*vol_command_f)(const char *why, void *arg);

/* text: the program's absolute path and its arguments, separated by blanks;
 * there is no shell and no quoting.  It has our environment but for a PATH of
 * system folders, nothing of ours open, /dev/null as input, and our stderr. */
struct vol_command *vol_command_start(sd_event *loop, const char *text,
				      vol_command_f done, void *arg,
				      struct vol_error *err);
/* Stop waiting; it goes on.  NULL-safe, legal inside the callback. */
void vol_command_destroy(struct vol_command *c);

#endif
