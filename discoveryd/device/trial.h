/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trial.h - have something tried by a process of its own: the walls, CRIU, or
 * an image file
 *
 * Building namespaces takes tens of milliseconds and forks: nothing for the
 * loop of a daemon.  The program is called with one argument, the walls file,
 * and prints what does not stand, one line each; its exit status is an enum
 * vol_trial_result.  (Of slurm-volunteer-machine the argument is CRIU, and what
 * it prints tells the result of ALL; of slurm-volunteer-runtime it is the file,
 * which is mounted if ALL is well.)
 */
#ifndef VOL_TRIAL_H
#define VOL_TRIAL_H

#include <systemd/sd-event.h>

#include "error.h"

/* Bytes of its output that are kept. */
#define VOL_TRIAL_TEXT_SIZE 4096

enum vol_trial_result {
	VOL_TRIAL_ALL,    /* all walls stand */
	VOL_TRIAL_NO_IDS, /* all but ids of the job's own; text says why */
	VOL_TRIAL_BROKEN, /* one can not be built; the first line of text */
};

struct vol_trial;

/* A machine under load builds namespaces in less than a second. */
#define VOL_TRIAL_SECONDS 30

/* done is called once, from the loop, unless it is ended before; it is BROKEN
 * when the program can not do its work or takes longer than so many seconds. */
struct vol_trial *vol_trial_start(sd_event *loop, const char *program,
				  const char *argument, unsigned int seconds,
				  void (*done)(enum vol_trial_result result,
					       const char *text, void *arg),
				  void *arg, struct vol_error *err);
/* Also from done.  Kills what still runs.  NULL-safe. */
void vol_trial_end(struct vol_trial *t);

#endif
