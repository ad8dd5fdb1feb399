/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pre.c - whether memory can be written down while a job runs, and what pays
 *
 * The kernel has to tell which pages were written since (CONFIG_MEM_SOFT_DIRTY,
 * "soft-dirty" in its admin-guide/mm).  A page that is written by other means
 * than a process's own page table is missed: by an asynchronous read past the
 * page cache, which a job with an AIO ring may have under way.
 */
#include "config.h"

#include "program.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "atomicfile.h"
#include "ckproto.h"
#include "cleanup.h"

/* Bit 55 of an entry of /proc/PID/pagemap, and what clears it. */
#define SOFT_DIRTY (UINT64_C(1) << 55)
#define CLEAR      "4"

/* Less than that is written down about as fast as CRIU starts, bytes. */
#define LEAST (UINT64_C(32) << 20)
/* CRIU stops them one after the other, each of which takes its time while
 * others run. */
#define THREADS_MOST 64
/* Shared memory is written each time: it is to be less than a fourth. */
#define SHARED_PART 4
/* On the disk at once: what was written before, all of it written since, and
 * both made one. */
#define COPIES 3

#define STATUS_MAX 16384
#define LIST_MAX                                                    \
	(1 << 16) /* bytes of the list of a cgroup, of THREADS_MOST \
		   */
#define MAPS_MAX (64 << 20)

static bool is_dirty(int pagemap, const void *at, long page, bool *dirty)
{
	uint64_t entry;
	off_t place = (off_t)((uintptr_t)at / (uintptr_t)page * sizeof(entry));

	if (pread(pagemap, &entry, sizeof(entry), place) != sizeof(entry))
		return false;
	*dirty = entry & SOFT_DIRTY;
	return true;
}

/* Of a page of our own: what CRIU asks, too (kerndat_get_dirty_track). */
bool vol_pre_tracks(void)
{
	cleanup_fd int clear =
		open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
	cleanup_fd int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	long size = sysconf(_SC_PAGESIZE);
	volatile char *page = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool before = true, after = false, told;

	if (page == MAP_FAILED)
		return false;
	*page = 1;
	told = write(clear, CLEAR, strlen(CLEAR)) > 0 &&
	       is_dirty(map, (const void *)page, size, &before);
	*page = 2;
	told = told && is_dirty(map, (const void *)page, size, &after);
	munmap((void *)page, (size_t)size);
	return told && !before && after;
}

/* --- what pays -------------------------------------------------------------
 */

struct memory {
	uint64_t own, shared; /* bytes */
	bool rings;           /* asynchronous reads may be under way */
};

static uint64_t kib_of(const char *status, const char *key)
{
	const char *at = strstr(status, key);

	return at ? strtoull(at + strlen(key), NULL, 10) * 1024 : 0;
}

/* One that ends meanwhile has none. */
static void count(long pid, struct memory *m)
{
	cleanup_free char *status = NULL, *maps = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	status = vol_file_read(path, STATUS_MAX, NULL, NULL);
	snprintf(path, sizeof(path), "/proc/%ld/maps", pid);
	maps = vol_file_read(path, MAPS_MAX, NULL, NULL);
	if (!status)
		return;
	m->own += kib_of(status, "\nRssAnon:");
	m->shared += kib_of(status, "\nRssShmem:");
	m->rings |= !maps || strstr(maps, "/[aio]");
}

/* For each number of a list of the cgroup's; -1: too many, or no list. */
static int each(const char *cgroup, const char *list,
		void (*f)(long number, struct memory *m), struct memory *m)
{
	char path[PATH_MAX + 16], *at, *end;
	cleanup_free char *text = NULL;
	int n = 0;
	long number;

	snprintf(path, sizeof(path), "%s/%s", cgroup, list);
	text = vol_file_read(path, LIST_MAX, NULL, NULL);
	for (at = text; at; at = end) {
		number = strtol(at, &end, 10);
		if (end == at)
			return n;
		if (++n > THREADS_MOST)
			return -1;
		if (f)
			f(number, m);
	}
	return -1;
}

bool vol_pre_pays(const char *cgroup, const char *dir)
{
	struct memory m = {.own = 0};
	struct statvfs fs;
	uint64_t room;

	if (!cgroup[0] || each(cgroup, "cgroup.threads", NULL, NULL) <= 0 ||
	    each(cgroup, "cgroup.procs", count, &m) <= 0 ||
	    statvfs(dir, &fs) != 0)
		return false;
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	return m.own >= LEAST && m.shared < m.own / SHARED_PART && !m.rings &&
	       room / COPIES > m.own + m.shared && vol_pre_tracks();
}

/* --- what it has written ---------------------------------------------------
 */

/* all: else only what is told of shared memory. */
static void remove_files(const char *dir, bool all)
{
	char path[PATH_MAX];
	struct vol_ckname name;
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/" VOL_RECORD_PRE, dir);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		if (all || (vol_ckname_parse(e->d_name, &name, NULL) == 0 &&
			    name.kind == VOL_CKKIND_PAGEMAP_SHMEM))
			unlinkat(dirfd(d), e->d_name, 0);
	}
	if (d)
		closedir(d);
}

void vol_pre_remove(const char *dir)
{
	char path[PATH_MAX];
	int saved = errno;

	remove_files(dir, true);
	snprintf(path, sizeof(path), "%s/" VOL_RECORD_PRE, dir);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/" VOL_PRE_LOG, dir);
	unlink(path);
	errno = saved;
}

/* Without its pagemap CRIU takes it for new, and writes all of it: which of its
 * pages were written since is told by the page tables of those only that have
 * it mapped in both moments. */
void vol_pre_forget_shared(const char *dir)
{
	remove_files(dir, false);
}

bool vol_pre_is_there(const char *dir)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/" VOL_RECORD_PRE "/inventory.img",
		 dir);
	return access(path, R_OK) == 0;
}
