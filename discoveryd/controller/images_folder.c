/* SPDX-License-Identifier: GPL-2.0-or-later */
/* images_folder.c - the store's folder: which one, and is it that of before? */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "images_private.h"

void vol_images_limits(const struct vol_images *im,
		       struct vol_store_limits *limits)
{
	limits->quota = im->c->conf.checkpoint_quota;
	limits->user_quota = im->c->conf.checkpoint_user_quota;
}

/* A folder without its key that had one is another: a disk that is not mounted.
 * noted: where the name of the folder is kept. */
static int check_same(const char *noted, const char *path,
		      struct vol_error *err)
{
	cleanup_free char *before = NULL, *key = NULL;

	if (asprintf(&key, "%s/key", path) < 0) {
		key = NULL;
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	}
	if (access(key, F_OK) == 0 || errno != ENOENT ||
	    access(noted, F_OK) != 0)
		return 0;
	before = vol_file_read(noted, PATH_MAX, NULL, err);
	if (!before)
		return -1;
	if (strcmp(before, path) != 0)
		return 0;
	return vol_errorf_errno(err, ENODEV,
				"%s: the key of its images is gone: is a disk "
				"not mounted?  (A new store: remove %s)",
				path, noted);
}

static struct vol_store *open_dir(const struct vol_images *im, const char *path,
				  struct vol_error *err)
{
	cleanup_free char *noted = NULL;
	struct vol_store_limits limits;
	struct vol_store *store;

	if (asprintf(&noted, "%s/checkpoint_dir", im->c->conf.state_dir) < 0) {
		noted = NULL;
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	vol_images_limits(im, &limits);
	store = check_same(noted, path, err) == 0
			? vol_store_open(path, &limits, err)
			: NULL;
	if (store &&
	    vol_file_replace(noted, path, strlen(path), 0600, 0, err) == 0)
		return store;
	vol_store_close(store);
	return NULL;
}

struct vol_store *vol_images_open_store(const struct vol_images *im,
					struct vol_error *err)
{
	const struct vol_controller_conf *conf = &im->c->conf;
	cleanup_free char *path = NULL;

	if (conf->checkpoint_dir)
		path = strdup(conf->checkpoint_dir);
	else if (asprintf(&path, "%s/checkpoints", conf->state_dir) < 0)
		path = NULL;
	if (path)
		return open_dir(im, path, err);
	vol_errorf_errno(err, ENOMEM, "out of memory");
	return NULL;
}
