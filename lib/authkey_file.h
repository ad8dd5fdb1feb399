/* SPDX-License-Identifier: GPL-2.0-or-later */
/* authkey_file.h - the key in the file where munged or slurmd reads it */
#ifndef VOL_AUTHKEY_FILE_H
#define VOL_AUTHKEY_FILE_H

#include <stdbool.h>

#include "authkey.h"
#include "error.h"

/* What a replaced key that was not ours is called, beside the other. */
#define VOL_AUTHKEY_OLD ".old"

/* Read and check on the open descriptor: a regular file and no link, which
 * others can neither read nor write and its group can not write (systemd gives
 * credentials to a user by an ACL, which looks like a group that reads).
 * ENOENT, EPERM, ERANGE...  *k is untouched on error. */
int vol_authkey_load(const char *path, struct vol_authkey *k,
		     vol_sha256_f sha256, struct vol_error *err);

/* Replace path atomically and durably by this key, mode 0400; it belongs to
 * whom the folder belongs to, since that is the user who reads it (Debian's
 * /etc/munge is munge's).  keep: what is there stays as path.old, for there may
 * be no other copy of it. */
int vol_authkey_install(const char *path, const struct vol_authkey *k,
			bool keep, struct vol_error *err);

#endif
