/* SPDX-License-Identifier: GPL-2.0-or-later */
/* merge.c - images and what was written before them made one (lib/ckmerge.h)
 *
 * The job runs meanwhile.  What is made here has no record yet, so that nobody
 * takes a half of it for an image.
 */
#include "config.h"

#include "program.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "ckmerge.h"
#include "cleanup.h"

#define PAGEMAP_MAX (256 << 20) /* bytes; ten million entries and more */
#define PAGES_NEW   ".pages-new"
/* CRIU's link to the folder before. */
#define PARENT "parent"

/* A pagemap and its pages. */
struct part {
	const char *folder;
	char *text; /* of the pagemap, NULL: there is none */
	uint32_t id;
	int pages; /* descriptor */
	struct vol_ckmemory memory;
};

static void name_pages(const struct part *p, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/pages-%u.img", p->folder, p->id);
}

static int open_part(struct part *p, const char *name, struct vol_error *err)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", p->folder, name);
	p->text = vol_file_read(path, PAGEMAP_MAX, &p->memory.pagemap.len, err);
	if (!p->text)
		return -1;
	p->memory.pagemap.at = (const uint8_t *)p->text;
	if (vol_ckmerge_pages_id(p->memory.pagemap, &p->id, err) != 0)
		return vol_error_prefix(err, "%s", path);
	name_pages(p, path);
	p->pages = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (p->pages < 0 || fstat(p->pages, &st) != 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	p->memory.pages = (uint64_t)st.st_size;
	return 0;
}

static void close_part(struct part *p)
{
	free(p->text);
	if (p->pages >= 0)
		close(p->pages);
}

/* Where a file system can, blocks are shared and nothing is copied. */
static int copy_range(int from, const struct vol_ckcopy *c, int to)
{
	off_t at = (off_t)c->from;
	uint64_t left = c->bytes;
	ssize_t n;

	while (left > 0) {
		n = copy_file_range(from, &at, to, NULL, left, 0);
		if (n < 0 && (errno == EINVAL || errno == ENOSYS ||
			      errno == EOPNOTSUPP || errno == EXDEV))
			n = sendfile(to, from, &at, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return -1;
		left -= (uint64_t)n;
	}
	return 0;
}

static int write_pages(const struct vol_ckmerge *m, const struct part *last,
		       const struct part *earlier, struct vol_error *err)
{
	char path[PATH_MAX], name[PATH_MAX];
	cleanup_fd int fd = -1;

	snprintf(path, sizeof(path), "%s/" PAGES_NEW, last->folder);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	for (size_t i = 0; i < m->n; i++)
		if (copy_range(m->copy[i].earlier ? earlier->pages
						  : last->pages,
			       &m->copy[i], fd) != 0)
			return vol_errorf(err, "%s: %s", path, strerror(errno));
	name_pages(last, name);
	if (rename(path, name) != 0)
		return vol_errorf(err, "%s: %s", name, strerror(errno));
	return 0;
}

/* It is not needed any more, and takes its room. */
static void remove_part(const struct part *p, const char *name)
{
	char path[PATH_MAX];

	name_pages(p, path);
	unlink(path);
	snprintf(path, sizeof(path), "%s/%s", p->folder, name);
	unlink(path);
}

static int merge_parts(const char *name, struct part *last,
		       struct part *earlier, struct vol_error *err)
{
	struct vol_ckmerge m = {.filled = 0};
	char path[PATH_MAX];
	int rc = -1;

	snprintf(path, sizeof(path), "%s/%s", last->folder, name);
	if (vol_ckmerge(&earlier->memory, &last->memory,
			(uint64_t)sysconf(_SC_PAGESIZE), &m, err) != 0)
		vol_error_prefix(err, "%s", name);
	else if (m.filled == 0)
		rc = 0;
	else if (write_pages(&m, last, earlier, err) == 0)
		rc = vol_file_replace(path, m.pagemap, m.len, 0600, 0, err);
	vol_ckmerge_clear(&m);
	if (rc == 0 && earlier->text)
		remove_part(earlier, name);
	return rc;
}

/* Also one without an earlier part: what it may not be then is found. */
static int merge_one(const char *dir, const char *name, struct vol_error *err)
{
	char images[PATH_MAX], pre[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];
	struct part last = {.folder = images, .pages = -1};
	struct part earlier = {.folder = pre, .pages = -1};
	int rc = -1;

	snprintf(images, sizeof(images), "%s/" VOL_RECORD_IMAGES, dir);
	snprintf(pre, sizeof(pre), "%s/" VOL_RECORD_PRE, dir);
	snprintf(path, sizeof(path), "%s/%s", pre, name);
	if (open_part(&last, name, err) == 0 &&
	    (access(path, F_OK) != 0 || open_part(&earlier, name, err) == 0))
		rc = merge_parts(name, &last, &earlier, err);
	close_part(&last);
	close_part(&earlier);
	return rc;
}

static int merge_all(const char *dir, DIR *images, struct vol_error *err)
{
	struct vol_ckname name;
	struct dirent *e;

	/* One that is seen again is whole. */
	while ((e = readdir(images))) {
		if (vol_ckname_parse(e->d_name, &name, NULL) != 0 ||
		    (name.kind != VOL_CKKIND_PAGEMAP &&
		     name.kind != VOL_CKKIND_PAGEMAP_SHMEM))
			continue;
		if (merge_one(dir, e->d_name, err) != 0)
			return -1;
	}
	return 0;
}

int vol_merge(const char *dir, struct vol_error *err)
{
	char path[PATH_MAX];
	DIR *images;
	int rc;

	snprintf(path, sizeof(path), "%s/" VOL_RECORD_IMAGES, dir);
	images = opendir(path);
	if (!images)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	rc = merge_all(dir, images, err);
	if (rc == 0)
		unlinkat(dirfd(images), PARENT, 0);
	closedir(images);
	vol_pre_remove(dir);
	if (rc != 0)
		errno = EIO;
	return rc;
}
