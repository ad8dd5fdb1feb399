/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckplaces.h - the mounts that a job's inside is made of; pure
 *
 * A fresh sandbox and a restored one have the same mounts.  The program that
 * dumps names them all (it has the sandbox's own list), the one that restores
 * makes the external ones of its own machine's, and ckverify.h refuses an image
 * with any other.
 */
#ifndef VOL_CKPLACES_H
#define VOL_CKPLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* As VOL_WALLS_PATH_SIZE. */
#define VOL_CKPATH_SIZE 512
/* Three lists of the policy (384 at most), and those of the sandbox's own. */
#define VOL_CKPLACES_MAX 640

enum vol_ckplace_kind {
	/* Bound from the machine that restores: criu dump --external
	 * mnt[TARGET]:KEY, criu restore --external mnt[KEY]:SOURCE. */
	VOL_CKPLACE_EXTERNAL,
	VOL_CKPLACE_TMPFS, /* in the image; or a folder of another one bound */
	VOL_CKPLACE_PROC,  /* made anew; or a part of it bound */
	VOL_CKPLACE_DEVPTS,
};

/* Flags that the mount must have, as in mount(2): MS_RDONLY, MS_NOSUID,
 * MS_NODEV, MS_NOEXEC.  And one of ours: it hides what is below it (a part of
 * /proc), so an image without it is refused. */
#define VOL_CKPLACE_COVER 0x100u
#define VOL_CKPLACE_FLAGS (VOL_CKPLACE_COVER | 0xfu)

/* Of [A-Za-z0-9], and its NUL. */
#define VOL_CKKEY_SIZE 16

struct vol_ckplace {
	char target[VOL_CKPATH_SIZE];
	char key[VOL_CKKEY_SIZE]; /* EXTERNAL only, else "" */
	uint32_t kind;            /* enum vol_ckplace_kind */
	uint32_t flags;           /* of VOL_CKPLACE_FLAGS */
};

/* Sorted by target, each once. */
struct vol_ckplaces {
	size_t n;
	struct vol_ckplace *place;
};

/* An absolute path without ".", "..", "//", control character or final slash
 * ("/" is one), that fits. */
bool vol_ckpath_valid(const char *path);
/* The same of bytes without a NUL. */
bool vol_ckpath_valid_n(const char *path, size_t len);

/* *place is copied.  EINVAL, EEXIST for a target that is there with another
 * kind, key or flags (the same once more is fine), ENOSPC, ENOMEM.  That no key
 * is of two places is the caller's to see to. */
int vol_ckplaces_add(struct vol_ckplaces *places,
		     const struct vol_ckplace *place, struct vol_error *err);
/* Keeps errno. */
void vol_ckplaces_clear(struct vol_ckplaces *places);

/* The place at target; NULL: none.  target need not have a NUL. */
const struct vol_ckplace *vol_ckplaces_at(const struct vol_ckplaces *places,
					  const char *target, size_t len);

/* The place that path is on: the longest target that it is within. */
const struct vol_ckplace *vol_ckplaces_of(const struct vol_ckplaces *places,
					  const char *path);

/* Does this machine offer (have) all that an image wants?  0, or -1 with ENOENT
 * naming the first that it does not: of that target, with the same kind and key
 * and at least its flags. */
int vol_ckplaces_within(const struct vol_ckplaces *want,
			const struct vol_ckplaces *have, struct vol_error *err);

#endif
