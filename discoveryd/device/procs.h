/* SPDX-License-Identifier: GPL-2.0-or-later */
/* procs.h - find our slurmd and the slurmstepds among the processes
 *
 * /proc is walked at start and at rare decisions only.  Processes of other
 * pid namespaces (containers on this machine) are not ours.
 */
#ifndef VOL_PROCS_H
#define VOL_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "facts.h"
#include "names.h"
#include "registry.h"
#include "stepfile.h"
#include "walls.h"

/* "[IPv6]:65535" or a name with port. */
#define VOL_CONF_SERVER_SIZE (VOL_HOSTNAME_SIZE + 8)

/* What a slurmd of ours was started for. */
struct vol_slurmd_spec {
	char node[VOL_NODE_NAME_SIZE]; /* "" = none */
	char conf_server[VOL_CONF_SERVER_SIZE];
	char conf[VOL_FACTS_CONF_SIZE];
	char view[VOL_WALLS_VIEW_SIZE]; /* what it can reach, see walls.h */
};

/* What our slurmd has in its environment: VOL_ENV_DEVICE=NODE and
 * VOL_ENV_VIEW=WORD. */
#define VOL_MARKER_SIZE (sizeof(VOL_ENV_DEVICE) + VOL_NODE_NAME_SIZE + 1)
#define VOL_VIEW_SIZE   (sizeof(VOL_ENV_VIEW) + VOL_WALLS_VIEW_SIZE + 1)
void vol_procs_marker(const char *node, char marker[VOL_MARKER_SIZE]);
void vol_procs_view(const char *view, char variable[VOL_VIEW_SIZE]);

/* root: "" or a folder that stands for / (tests). */

/* A running slurmd that discoveryd has started (by its arguments and the
 * variable in its environment).  Its pid, or 0. */
pid_t vol_procs_find_slurmd(const char *root, struct vol_slurmd_spec *spec);

/* Call f for each slurmstepd.  -1 with errno when it is not sure that these are
 * all. */
int vol_procs_each_stepd(const char *root, void (*f)(pid_t pid, void *arg),
			 void *arg);

/* Is this process (still) a slurmstepd?  1, 0, or -1 with errno when one can
 * not look. */
int vol_procs_is_stepd(const char *root, pid_t pid);

/* Does this process handle the signal?  One that has just begun to run does
 * not yet. */
bool vol_procs_catches(const char *root, pid_t pid, int signal);

/* Take /proc/PID/cmdline apart (len bytes, NUL-separated).  False when it is
 * not a slurmd that we would start; the launcher counts as what it becomes. */
bool vol_procs_parse_cmdline(const char *cmdline, size_t len,
			     struct vol_slurmd_spec *spec);

#endif
