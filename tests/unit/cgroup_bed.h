/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup_bed.h - step folders for the freezer's tests, plain files or real ones
 *
 * A fake one is a folder with the files that matter; nothing happens when they
 * are written.  A real one lies below a cgroup2 mount of our own.
 */
#ifndef VOL_CGROUP_BED_H
#define VOL_CGROUP_BED_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define BED_PROCS 80

struct bed {
	bool real;
	char root[64]; /* for vol_freezer_create */
	char top[64];  /* folder below it in which all steps are */
	/* Each process counts in its own place, shared with us. */
	volatile uint64_t *ticks;
	size_t n_procs;
};

/* Once in main, before any thread: a mount namespace with cgroup2 in it.  NULL,
 * or why there can be no real beds. */
const char *bed_mount(void);

int bed_setup_fake(void **state);
int bed_setup_real(void **state);
/* Kills all processes. */
int bed_teardown(void **state);

/* TOP/step, as vol_freezer_add wants it; valid until the next call. */
const char *bed_cgroup(const struct bed *b, const char *step);

/* Make step with slurm/ and user/, and freeze user/ as the plugin would. */
void bed_step(struct bed *b, const char *step);
/* Make step/user/folder. */
void bed_task(struct bed *b, const char *step, const char *folder);
void bed_remove(struct bed *b, const char *step, const char *folder);

/* file is relative to the step, for instance "user/cgroup.freeze". */
void bed_write(const struct bed *b, const char *step, const char *file,
	       const char *text);
/* First character of the file. */
char bed_read(const struct bed *b, const char *step, const char *file);
bool bed_exists(const struct bed *b, const char *step, const char *file);

enum bed_kind {
	BED_BUSY,    /* counts */
	BED_FORKS,   /* counts, a short-lived child each time */
	BED_CATCHES, /* counts, and has a handler for SIGTERM and SIGTSTP */
	BED_WAITS,   /* blocks all signals, counts nothing; not in a cgroup */
};

/* Start a process in step/folder (a real bed), or anywhere. */
pid_t bed_spawn(struct bed *b, const char *step, const char *folder,
		enum bed_kind kind);

/* Does process index count?  Waits for up to 10 s. */
bool bed_runs(const struct bed *b, size_t index);
/* Do all stand still, as long as one looks (100 ms)? */
bool bed_stands(const struct bed *b);
/* Does process index? */
bool bed_stands_one(const struct bed *b, size_t index);
/* Has the process ended?  Waits for up to 5 s. */
bool bed_ends(pid_t pid);

void bed_nap_ms(long ms);

#endif
