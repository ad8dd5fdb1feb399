/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_load.c - slurm-volunteer-image load: fetch a step, and see whether it
 * may and can go on here
 *
 * It was made by a machine that nobody controls.  Nothing of it is used before
 * it was looked at: the manifest before any file but those of memory is
 * written, all files before the record, which makes an image of the folder.
 */
#include "config.h"

#include "image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "ckmanifest.h"
#include "ckverify.h"
#include "device/ckfolder.h"
#include "device/ckhere.h"
#include "device/ckimages.h"
#include "device/ckopened.h"
#include "device/ckpump.h"
#include "device/ckrecord.h"
#include "device/ckstream.h"
#include "digest.h"
#include "runtime.h"
#include "sandbox/checkpoint.h"
#include "sandbox/private.h"
#include "stepfile.h"
#include "wallsfile.h"

/* VOL_CKPLACES_MAX lines of at most so many bytes. */
#define PLACES_MAX (VOL_CKPLACES_MAX * (VOL_CKPATH_SIZE + 8))
#define CHUNK      (512 * 1024)

struct loading {
	struct image *im;
	const char *dir;
	char images[PATH_MAX];
	/* This machine. */
	struct vol_walls *walls;
	char *shown; /* text of --places */
	size_t shown_len;
	struct vol_ckplaces places; /* and what is its own */
	struct vol_ckmachine machine;
	struct vol_ckroot root;
	char init[PATH_MAX];
	/* What came; all of it is the stream's. */
	struct vol_ckstream *stream;
	const struct vol_ckmanifest *m;
	const char *record;
	size_t record_len;
	bool in_net; /* as ckverify.h has it */
	int into;    /* folder of the images */
	int file;    /* the one that comes */
	/* Of memory that came before the manifest. */
	uint32_t number;
	uint64_t early, room; /* bytes; at the begin */
	struct vol_link_msg here;
};

/* ---- this machine ---- */

static int check_folder(const char *path, struct vol_error *err)
{
	struct stat st;
	struct dirent *e;
	bool empty = true;
	DIR *dir;

	if (lstat(path, &st) < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & 0077))
		return vol_errorf_errno(
			err, EINVAL, "%s: is no folder of root's alone", path);
	dir = opendir(path);
	if (!dir)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	while (empty && (e = readdir(dir)))
		empty = strcmp(e->d_name, ".") == 0 ||
			strcmp(e->d_name, "..") == 0;
	closedir(dir);
	return empty ? 0
		     : vol_errorf_errno(err, ENOTEMPTY, "%s: is not empty",
					path);
}

static int open_folder(const char *path, int *fd, struct vol_error *err)
{
	*fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? vol_errorf(err, "%s: %s", path, strerror(errno)) : 0;
}

/* As vol_sandbox_create() takes it. */
static int open_root(struct loading *l, struct vol_error *err)
{
	const char *image = l->walls->image;

	vol_places_init(image, l->im->o->programs, l->init, sizeof(l->init));
	l->root.init = l->init;
	if (!*image)
		return open_folder("/", &l->root.fd, err);
	l->root.read = &l->walls->read;
	return open_folder(image, &l->root.fd, err) < 0
		       ? -1
		       : open_folder("/", &l->root.machine, err);
}

static int know_here(struct loading *l, struct vol_error *err)
{
	const struct image_options *o = l->im->o;

	l->walls = calloc(1, sizeof(*l->walls));
	if (!l->walls)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	if (o->files)
		return vol_wallsfile_read_trusted(o->walls, l->walls, err);
	l->shown = vol_file_read(o->places, PLACES_MAX, &l->shown_len, err);
	if (!l->shown ||
	    vol_wallsfile_read_trusted(o->walls, l->walls, err) < 0 ||
	    vol_ckhere_machine(o->criu, &l->machine, err) < 0)
		return -1;
	strcpy(l->machine.runtime, vol_runtime_of(l->walls->image));
	return open_root(l, err);
}

/* ---- what comes ---- */

static int check_names(const struct vol_ckmanifest *m, struct vol_error *err)
{
	for (size_t i = 0; i < m->n_files; i++)
		if (strchr(m->file[i].name, '/'))
			return vol_errorf_errno(err, ENOTSUP,
						"%s: memory of earlier images "
						"is not restored yet",
						m->file[i].name);
	return 0;
}

static int check_room(const struct loading *l, uint64_t bytes,
		      struct vol_error *err)
{
	return bytes < l->room
		       ? 0
		       : vol_errorf_errno(err, ENOSPC,
					  "%s: the image has %" PRIu64
					  " bytes, and %" PRIu64 " are free",
					  l->dir, bytes, l->room);
}

static int check_record(struct loading *l, struct vol_error *err)
{
	cleanup_free struct vol_record *r = calloc(1, sizeof(*r));

	if (!r)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	if (vol_record_parse("record", l->record, l->record_len, r, err) < 0) {
		errno = errno == ENOMEM ? ENOMEM : EBADMSG;
		return -1;
	}
	if (vol_ckrecord_check(r, l->m, err) < 0)
		return -1;
	/* vol_sandbox_restore() goes by the same word. */
	l->in_net = r->network != VOL_NETWORK_NONE;
	vol_ckplaces_clear(&l->places);
	if (vol_ckhere_own_places(&l->places, err) < 0 ||
	    vol_ckhere_places_parse(l->im->o->places, l->shown, l->shown_len, r,
				    &l->places, err) < 0)
		return -1;
	if (vol_ckplaces_within(&l->m->places, &l->places, err) == 0)
		return 0;
	errno = ENOTSUP;
	return -1;
}

static int make_file(struct loading *l, const char *name, struct vol_error *err)
{
	l->file = openat(l->into, name,
			 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			 0600);
	return l->file < 0 ? vol_errorf(err, "%s: %s", name, strerror(errno))
			   : 0;
}

static int begin_file(const struct vol_ckfile *file, void *arg,
		      struct vol_error *err)
{
	return make_file(arg, file->name, err);
}

static int take_data(const void *data, size_t len, void *arg,
		     struct vol_error *err)
{
	const struct loading *l = arg;

	return vol_write_all(l->file, data, len) < 0
		       ? vol_errorf(err, "image not written: %s",
				    strerror(errno))
		       : 0;
}

static int close_file(struct loading *l, const char *name,
		      struct vol_error *err)
{
	int rc = close(l->file);

	l->file = -1;
	return rc < 0 ? vol_errorf(err, "%s: %s", name, strerror(errno)) : 0;
}

static int end_file(const struct vol_ckfile *file, void *arg,
		    struct vol_error *err)
{
	return close_file(arg, file->name, err);
}

/* Of memory. */
static int end_early(struct loading *l, struct vol_error *err)
{
	return l->file < 0 ? 0 : close_file(l, "memory", err);
}

/* What it belongs to is not known yet: that it has room is all there is to ask.
 */
static int take_pages(uint32_t number, const void *data, size_t len, void *arg,
		      struct vol_error *err)
{
	struct loading *l = arg;
	char name[VOL_CKNAME_SIZE];

	if (!l->early && check_room(l, l->here.bytes, err) < 0)
		return -1;
	if (l->im->o->files)
		return vol_errorf_errno(err, EPERM,
					"an image without processes has no "
					"memory");
	if (number != l->number) {
		snprintf(name, sizeof(name), VOL_CKSTREAM_PAGES, number);
		if (end_early(l, err) < 0 || make_file(l, name, err) < 0)
			return -1;
		l->number = number;
	}
	l->early += len;
	if (check_room(l, l->early, err) < 0)
		return -1;
	return take_data(data, len, l, err);
}

static int take_manifest(const struct vol_ckmanifest *m, const char *record,
			 size_t record_len, void *arg, struct vol_error *err)
{
	struct loading *l = arg;
	const struct image *im = l->im;
	const struct vol_ckidentity id = {.job = (uint32_t)im->o->job,
					  .step = VOL_STEP_BATCH,
					  .cluster = im->cluster,
					  .uid = (uint32_t)im->o->uid,
					  .gid = (uint32_t)im->o->gid};

	l->m = m;
	l->record = record;
	l->record_len = record_len;
	if (end_early(l, err) < 0 || vol_ckmanifest_is_of(m, &id, err) < 0)
		return -1;
	if (im->o->files)
		return image_files_check(m, record, record_len,
					 l->walls->scratch_bytes, err) < 0
			       ? -1
			       : check_room(l, vol_ckmanifest_bytes(m), err);
	if (!m->processes)
		return vol_errorf_errno(err, EPERM,
					"the image is of a program that saves "
					"itself, and has no processes");
	if (check_record(l, err) < 0 || check_names(m, err) < 0 ||
	    vol_ckfit(&m->machine, &m->mapped, &l->machine, vol_ckhere_look,
		      &l->root, err) < 0)
		return -1;
	return check_room(l, vol_ckmanifest_bytes(m), err);
}

static int unpack(int fd, void *arg, struct vol_error *err)
{
	struct loading *l = arg;
	cleanup_free uint8_t *chunk = malloc(CHUNK);
	ssize_t n;

	if (!chunk)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	while ((n = read(fd, chunk, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return vol_errorf(err, "image not read: %s",
					  strerror(errno));
		if (vol_ckstream_feed(l->stream, chunk, (size_t)n, err) < 0)
			return -1;
	}
	return vol_ckstream_end(l->stream, err);
}

/* ---- fetching ---- */

static void forget(struct loading *l)
{
	vol_ckstream_destroy(l->stream);
	if (l->into >= 0)
		close(l->into);
	if (l->file >= 0)
		close(l->file);
	l->stream = NULL;
	l->m = NULL;
	l->into = l->file = -1;
	l->number = 0;
	l->early = 0;
}

/* Nothing of an earlier try. */
static int prepare(struct loading *l, struct vol_error *err)
{
	const struct vol_ckstream_sink sink = {.pages = take_pages,
					       .accept = take_manifest,
					       .begin = begin_file,
					       .data = take_data,
					       .end = end_file,
					       .arg = l};
	struct statvfs fs;

	forget(l);
	if (vol_ckfolder_empty(l->dir, err) < 0)
		return -1;
	if (statvfs(l->dir, &fs) < 0)
		return vol_errorf(err, "%s: %s", l->dir, strerror(errno));
	/* Of a disk that is full nobody has anything. */
	l->room = (uint64_t)fs.f_bavail * fs.f_frsize;
	l->room -= l->room / 16;
	if (mkdir(l->images, 0700) == 0)
		l->into = open(l->images,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (l->into < 0)
		return vol_errorf(err, "%s: %s", l->images, strerror(errno));
	l->stream = vol_ckstream_create(&sink, err);
	return l->stream ? 0 : -1;
}

/* ours: what failed is here. */
static int fetch_once(struct loading *l, bool *ours, struct vol_error *err)
{
	struct image *im = l->im;
	struct vol_ckpump pump = {.run = unpack, .arg = l, .halt = -1};
	int into, rc, errnum;
	struct vol_error why;

	*ours = true;
	if (prepare(l, err) < 0)
		return -1;
	into = vol_ckpump_start(&pump, err);
	if (into < 0)
		return -1;
	rc = vol_carrier_get(&im->carrier, into, (uint32_t)im->o->job,
			     (uint32_t)im->o->before, &l->here, err);
	errnum = errno;
	/* A pipe that nobody reads any more: the reader says why. */
	if (vol_ckpump_finish(&pump, &why) < 0 && (rc == 0 || errnum == EPIPE))
		return vol_errorf(err, "%s", why.text);
	*ours = false;
	errno = errnum;
	return rc;
}

static int fetch(struct loading *l, bool *ours, struct vol_error *err)
{
	int rc;

	do
		rc = fetch_once(l, ours, err);
	while (rc < 0 && !*ours && image_again(l->im));
	if (rc == 0 && l->here.restarts != l->m->restarts) {
		*ours = true;
		return vol_errorf_errno(err, EPERM,
					"the image says it is of run %" PRIu32
					", and was kept as one of run %" PRIu32,
					l->m->restarts, l->here.restarts);
	}
	return rc;
}

static int fetch_file(struct loading *l, const char *path,
		      struct vol_error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	if (prepare(l, err) < 0 || unpack(fd, l, err) < 0)
		return -1;
	l->here.restarts = l->here.until = l->m->restarts;
	l->here.made_s = l->m->when;
	return 0;
}

/* ---- looking at all of it ---- */

static int look_at_images(struct loading *l, const struct vol_ckimages *images,
			  struct vol_error *err)
{
	const struct vol_ckmanifest *m = l->m;
	/* Its map of ids is written anew by vol_sandbox_restore(). */
	struct vol_ckwant want = {.uid = m->uid,
				  .gid = m->gid,
				  .id_base = m->id_base,
				  .in_net = l->in_net,
				  .places = &l->places,
				  .sha256 = vol_sha256};
	struct vol_ckseen seen = {.processes = 0};
	int rc;

	vol_ckhere_limits(l->walls, &want);
	rc = vol_ckhere_filter(want.filter, err);
	if (rc == 0)
		rc = vol_ckverify(images->input, images->n, &want, &seen, err);
	/* What is mapped by its word is one thing, this the truth. */
	if (rc == 0)
		rc = vol_ckfit(&m->machine, &seen.mapped, &l->machine,
			       vol_ckhere_look, &l->root, err);
	if (rc == 0)
		rc = vol_ckopened_check(&seen, m->uid, m->gid, err);
	vol_ckseen_clear(&seen);
	return rc;
}

static int look(struct loading *l, struct vol_error *err)
{
	struct vol_ckimages images = {.n = 0};
	char path[PATH_MAX];
	int rc;

	rc = vol_ckimages_open(l->images, &images, err);
	/* Of files alone there is no more to see than their list. */
	if (rc == 0 && !l->im->o->files)
		rc = look_at_images(l, &images, err);
	vol_ckimages_close(&images);
	if (rc < 0)
		return -1;
	if (snprintf(path, sizeof(path), "%s/" VOL_RECORD_FILE, l->dir) >=
	    (int)sizeof(path))
		return vol_errorf_errno(err, ENAMETOOLONG, "%.60s...: too long",
					l->dir);
	return vol_file_replace(path, l->record, l->record_len, 0600, 0, err);
}

/* ---- the whole ---- */

/* Of what failed here with errno. */
static int status_of(void)
{
	return errno == EPERM || errno == EBADMSG || errno == ENOTSUP
		       ? IMAGE_UNFIT
		       : IMAGE_FAILED;
}

static int load(struct loading *l, struct vol_error *err)
{
	struct image *im = l->im;
	bool ours = true;
	uint64_t made;
	int rc;

	rc = im->o->stream ? fetch_file(l, im->o->stream, err)
			   : fetch(l, &ours, err);
	/* The store's own word that it is no good. */
	if (rc < 0 && !ours &&
	    (strcmp(im->carrier.refusal.code, "damaged") != 0 ||
	     !l->here.number))
		return image_status(im);
	if (rc < 0 || look(l, err) < 0)
		return status_of();
	/* The controller says how old it is: clocks differ. */
	made = im->o->stream ? l->here.made_s
			     : (uint64_t)time(NULL) - l->here.made_s;
	printf("{\"number\": %" PRIu32 ", \"restarts\": %" PRIu32
	       ", \"until\": %" PRIu32 ", \"made_s\": %" PRIu64
	       ", \"node\": \"%s\", \"cause\": \"%s\"}\n",
	       l->here.number, l->here.restarts, l->here.until, made,
	       l->m->node, vol_ckcause_names[(enum vol_ckcause)l->m->cause]);
	return IMAGE_DONE;
}

int image_load(struct image *im, struct vol_error *err)
{
	struct loading l = {.im = im,
			    .dir = im->o->what,
			    .root = {.fd = -1, .machine = -1},
			    .into = -1,
			    .file = -1};
	int status = IMAGE_FAILED;

	if (snprintf(l.images, sizeof(l.images), "%s/" VOL_RECORD_IMAGES,
		     l.dir) >= (int)sizeof(l.images))
		vol_errorf_errno(err, ENAMETOOLONG, "%.60s...: too long",
				 l.dir);
	else if (check_folder(l.dir, err) == 0 && know_here(&l, err) == 0) {
		status = load(&l, err);
		if (status == IMAGE_UNFIT)
			printf("{\"number\": %" PRIu32 "}\n", l.here.number);
		if (status != IMAGE_DONE)
			(void)vol_ckfolder_empty(l.dir, NULL);
	}
	forget(&l);
	if (l.root.fd >= 0)
		close(l.root.fd);
	if (l.root.machine >= 0)
		close(l.root.machine);
	vol_ckplaces_clear(&l.places);
	free(l.shown);
	free(l.walls);
	return status;
}
