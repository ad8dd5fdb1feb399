/* SPDX-License-Identifier: GPL-2.0-or-later */
/* atomicfile.h - replace or read a small file as a whole */
#ifndef VOL_ATOMICFILE_H
#define VOL_ATOMICFILE_H

#include <stddef.h>
#include <sys/types.h>

#include "error.h"

/* Replace path by len bytes with the given mode: temporary file in the same
 * folder, fsync, rename, fsync of the folder.  durable = 0 leaves out the two
 * fsyncs (for /run).  The temporary name starts with a dot, so that whoever
 * watches the folder can skip it. */
int vol_file_replace(const char *path, const void *data, size_t len,
		     mode_t mode, int durable, struct vol_error *err);

/* The same, durable, and it belongs to that user and group. */
int vol_file_replace_as(const char *path, const void *data, size_t len,
			mode_t mode, uid_t uid, gid_t gid,
			struct vol_error *err);

/* Remove what a vol_file_replace of path left that was killed in the middle.
 * Only for whoever is alone with the file, at its start. */
void vol_file_tidy(const char *path);

/* Whole file, NUL-terminated, malloc'ed; EFBIG above max bytes. */
char *vol_file_read(const char *path, size_t max, size_t *len,
		    struct vol_error *err);

/* The same from an open descriptor; name stands for it in messages. */
char *vol_file_read_fd(int fd, const char *name, size_t max, size_t *len,
		       struct vol_error *err);

/* write(2) until all is written; -1 with its errno. */
int vol_write_all(int fd, const void *data, size_t len);

/* mkdir -p with mode for what is made. */
int vol_mkdir_p(const char *path, mode_t mode, struct vol_error *err);

#endif
