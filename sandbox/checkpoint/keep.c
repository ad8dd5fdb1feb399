/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keep.c - what a step leaves for whoever saves it: its record, in a memfd */
#include "config.h"

#include "../programs.h"
#include "parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

int vol_record_keep(const struct vol_record *r, struct vol_error *err)
{
	cleanup_fd int fd =
		memfd_create(VOL_RECORD_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	cleanup_free char *text = NULL;
	size_t len;

	if (fd < 0)
		return vol_errorf(err, "record: %s", strerror(errno));
	text = vol_record_format(r, err);
	if (!text)
		return -1;
	len = strlen(text);
	if (write(fd, text, len) != (ssize_t)len ||
	    fcntl(fd, F_ADD_SEALS, SEALS) != 0)
		return vol_errorf(err, "record: %s", strerror(errno));
	return steal_fd(&fd);
}

/* What slurmstepd opened for output, error output in the same file once. */
static void add_output(struct vol_record *r, const struct vol_stdio *io, int i)
{
	struct vol_record_output *o = &r->output[r->outputs];

	/* The record could not name it: such a job runs, and is not saved. */
	if (strchr(io->fd[i].path, '\n')) {
		r->batch = false;
		return;
	}
	if (!io->fd[i].reopen || io->fd[i].null ||
	    (r->outputs > 0 && strcmp(r->output[0].path, io->fd[i].path) == 0))
		return;
	o->length = 0;
	strcpy(o->path, io->fd[i].path);
	r->outputs++;
}

/* As above: one that no record can name. */
static void add_folder(struct vol_record *r, const char *folder)
{
	if (folder[0] &&
	    (strlen(folder) >= sizeof(r->folder) || !vol_ckpath_valid(folder)))
		r->batch = false;
	else
		strcpy(r->folder, folder);
}

int vol_record_begin(const struct vol_sandbox *s, pid_t pid1,
		     const struct vol_stdio *io, const char *folder,
		     struct vol_error *err)
{
	/* Most of it is never touched. */
	cleanup_free struct vol_record *r = calloc(1, sizeof(*r));

	if (!r)
		return vol_errorf(err, "record: %s", strerror(errno));
	r->job = s->job.job;
	r->step = s->job.step;
	r->uid = s->job.uid;
	r->gid = s->job.gid;
	r->batch = s->job.batch && s->job.tasks == 1;
	r->base = s->ids ? s->base : 0;
	r->network = s->job.network;
	r->pid1 = pid1;
	r->start = vol_process_start(pid1);
	strcpy(r->asked, s->job.checkpoint);
	strcpy(r->script, s->script);
	r->files = s->job.files;
	r->began_s = (uint64_t)time(NULL);
	add_folder(r, folder);
	add_output(r, io, 1);
	add_output(r, io, 2);
	return vol_record_keep(r, err);
}

static int open_record(const char *dir, const char *name)
{
	const char *expected = VOL_RECORD_LINK;
	char path[PATH_MAX], to[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	n = readlink(path, to, sizeof(to) - 1);
	if (n < 0)
		return -1;
	to[n] = '\0';
	if (strcmp(to, expected) != 0)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* The supervisor is ours; a name is anybody's. */
	if (fd >= 0 && (fcntl(fd, F_GET_SEALS) & SEALS) != SEALS) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int find_record(pid_t pid)
{
	char path[64];
	struct dirent *e;
	int fd = -1;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir && fd < 0 && (e = readdir(dir)))
		fd = open_record(path, e->d_name);
	if (dir)
		closedir(dir);
	return fd;
}

int vol_record_of(pid_t pid, struct vol_record *record, struct vol_error *err)
{
	cleanup_fd int fd = find_record(pid);
	cleanup_free char *text = NULL;
	size_t len = 0;

	if (fd < 0)
		return vol_errorf_errno(err, ENOENT,
					"process %d is no supervisor of a step",
					(int)pid);
	if (lseek(fd, 0, SEEK_SET) != 0)
		return vol_errorf(err, "record: %s", strerror(errno));
	text = vol_file_read_fd(fd, "record", VOL_RECORD_MAX, &len, err);
	if (!text)
		return -1;
	return vol_record_parse("record", text, len, record, err);
}

void vol_record_seize(pid_t supervisor, enum vol_seized how)
{
	cleanup_fd int fd = find_record(supervisor);
	const char *value = how == VOL_HURT ? VOL_SEIZED_HURT : "1";

	/* Where that can not be, a death is taken for the job's own. */
	if (fd >= 0 && how != VOL_NOT_SEIZED)
		(void)fsetxattr(fd, VOL_SEIZED_ATTRIBUTE, value, strlen(value),
				0);
	else if (fd >= 0)
		(void)fremovexattr(fd, VOL_SEIZED_ATTRIBUTE);
}

void vol_record_told(pid_t supervisor, uint64_t until_ms)
{
	cleanup_fd int fd = find_record(supervisor);
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRIu64, until_ms);

	/* Where that can not be, such an end is taken for the job's. */
	if (fd >= 0 && until_ms)
		(void)fsetxattr(fd, VOL_TOLD_ATTRIBUTE, text, (size_t)len, 0);
	else if (fd >= 0)
		(void)fremovexattr(fd, VOL_TOLD_ATTRIBUTE);
}

bool vol_record_has_output(const struct vol_record *r, const char *path)
{
	for (size_t i = 0; i < r->outputs; i++)
		if (strcmp(r->output[i].path, path) == 0)
			return true;
	return false;
}

uint64_t vol_process_start(pid_t pid)
{
	cleanup_free char *text = NULL;
	uint64_t start = 0;
	char path[64];
	char *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	text = vol_file_read(path, 4096, NULL, NULL);
	at = text ? strrchr(text, ')') : NULL;
	/* Field 3 is behind it. */
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (at)
		sscanf(at, " %" SCNu64, &start);
	return start;
}

int vol_record_read(const char *dir, const char *name,
		    struct vol_record *record, struct vol_error *err)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	text = vol_file_read(path, VOL_RECORD_MAX, &len, err);
	return text ? vol_record_parse(path, text, len, record, err) : -1;
}
