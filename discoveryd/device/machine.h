/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine.h - what this machine is to saved jobs, found out once
 *
 * A process of its own tries CRIU (discoveryd/machine.c): nothing for the loop
 * of a daemon, and nothing that the owner waits for.  It is begun when slurmd
 * is up, since that is who puts jobs back.
 */
#ifndef VOL_MACHINE_H
#define VOL_MACHINE_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "error.h"
#include "link.h"

/* What failed for reasons that may pass (the machine was too busy) is tried
 * again after so long. */
#define VOL_MACHINE_AGAIN_S 60

struct vol_machine;

/* program: slurm-volunteer-machine; criu: its argument.  known is called from
 * the loop when there is something else to fill. */
struct vol_machine *vol_machine_create(sd_event *loop, const char *program,
				       const char *criu,
				       void (*known)(void *arg), void *arg,
				       struct vol_error *err);
/* NULL-safe. */
void vol_machine_destroy(struct vol_machine *m);

/* slurmd is up: look, if that was not done yet. */
void vol_machine_look(struct vol_machine *m);

/* What jobs that begin now have as their system: the name by content of an
 * image, "" for this machine's own. */
void vol_machine_runtime(struct vol_machine *m, const char *runtime);

/* A message that says it; false: it is not known yet. */
bool vol_machine_fill(const struct vol_machine *m, struct vol_link_msg *msg);

#endif
