/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckhere.h - what this machine is to a job that is saved or put back here */
#ifndef VOL_CKHERE_H
#define VOL_CKHERE_H

#include <stddef.h>
#include <stdint.h>

#include "ckfit.h"
#include "ckmanifest.h"
#include "ckplaces.h"
#include "ckverify.h"
#include "error.h"
#include "sandbox/checkpoint.h"
#include "walls.h"

/* Processor, kernel and CRIU; the runtime is the caller's to say. */
int vol_ckhere_machine(const char *criu, struct vol_ckmachine *m,
		       struct vol_error *err);

/* The same without CRIU, which is 0 then; and CRIU alone, which need not work.
 */
int vol_ckhere_look_around(struct vol_ckmachine *m, struct vol_error *err);
int vol_ckhere_criu(const char *criu, struct vol_ckmachine *m,
		    struct vol_error *err);

/* The kernel's boot id, with its dashes. */
int vol_ckhere_boot(char boot[VOL_CKBOOT_SIZE], struct vol_error *err);

/* SHA-256 of the sandbox's seccomp filter. */
int vol_ckhere_filter(uint8_t digest[VOL_SHA256_BYTES], struct vol_error *err);

/* The mounts that every sandbox has of its own, with the flags that root.c,
 * dev.c and proc.c there give them. */
int vol_ckhere_own_places(struct vol_ckplaces *places, struct vol_error *err);

/* And what of the machine the sandbox shows that the record is of, from its
 * process 1.  Keys are the record's. */
int vol_ckhere_places_of(const struct vol_record *record,
			 struct vol_ckplaces *places, struct vol_error *err);

/* Or those of a file, a line "TARGET FLAGS" each (ckplaces.h; decimal).  Keys
 * are the record's, others of what the record has not.  "NAME:LINE: reason"
 * with EINVAL. */
int vol_ckhere_places_parse(const char *name, const char *text, size_t len,
			    const struct vol_record *record,
			    struct vol_ckplaces *places, struct vol_error *err);

/* What a job may have that was begun here now: limits by the walls and by what
 * this process has; walls NULL: nothing is known of them, only what has to be
 * the same everywhere.  want->id_base is there already. */
void vol_ckhere_limits(const struct vol_walls *walls, struct vol_ckwant *want);

/* The name by content of the image that this step has as its system; "": it has
 * none that is mounted here, or is no more. */
void vol_ckhere_runtime(const struct vol_record *record,
			char runtime[VOL_CKRUNTIME_SIZE]);

/* Where jobs have their files from. */
struct vol_ckroot {
	int fd;           /* the folder that is their root; no link leads out */
	const char *init; /* what is process 1, which has a name inside only */
	/* Where that folder is an image: the machine's own root, and what of it
	 * is added to the image; else -1, NULL. */
	int machine;
	const struct vol_walls_list *read;
};

/* A vol_ckmapped_look_f: arg points to a struct vol_ckroot. */
int vol_ckhere_look(const char *path, struct vol_ckmapped_file *file,
		    void *arg);

#endif
