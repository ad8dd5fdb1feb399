/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckhere.c - what this machine is to a job that is saved or put back here */
#include "config.h"

#include "device/ckhere.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "device/buildid.h"
#include "device/ckrecord.h"
#include "digest.h"
#include "runtime.h"
#include "sandbox/checkpoint/parts.h"
#include "text.h"

/* A paragraph of some 1.5 KiB for each of 4096 processors. */
#define CPUINFO_MAX (16u << 20)
#define BOOT_ID     "/proc/sys/kernel/random/boot_id"
/* As sandbox/limits.c sets them. */
#define JOBS_CORE 1
#define JOBS_OOM  1000
/* Of the root folder: VOL_ROOT_OPTIONS of sandbox/private.h. */
#define ROOT_BYTES (UINT64_C(48) << 20)

int vol_ckhere_look_around(struct vol_ckmachine *m, struct vol_error *err)
{
	cleanup_free char *text = NULL;
	struct utsname name;
	size_t len = 0;

	memset(m, 0, sizeof(*m));
	text = vol_file_read("/proc/cpuinfo", CPUINFO_MAX, &len, err);
	if (!text || vol_ckcpu_read(text, len, &m->cpu, err) < 0)
		return -1;
	uname(&name);
	snprintf(m->arch, sizeof(m->arch), "%.*s", VOL_CKARCH_SIZE - 1,
		 name.machine);
	snprintf(m->kernel, sizeof(m->kernel), "%.*s", VOL_CKKERNEL_SIZE - 1,
		 name.release);
	return 0;
}

int vol_ckhere_criu(const char *criu, struct vol_ckmachine *m,
		    struct vol_error *err)
{
	unsigned int version;

	if (vol_criu_version(criu, &version, err) != 0)
		return -1;
	m->criu = version;
	return 0;
}

int vol_ckhere_machine(const char *criu, struct vol_ckmachine *m,
		       struct vol_error *err)
{
	if (vol_ckhere_look_around(m, err) < 0)
		return -1;
	return vol_ckhere_criu(criu, m, err);
}

int vol_ckhere_boot(char boot[VOL_CKBOOT_SIZE], struct vol_error *err)
{
	cleanup_free char *text = vol_file_read(BOOT_ID, 64, NULL, err);

	if (!text)
		return -1;
	snprintf(boot, VOL_CKBOOT_SIZE, "%.*s", VOL_CKBOOT_SIZE - 1, text);
	return 0;
}

int vol_ckhere_filter(uint8_t digest[VOL_SHA256_BYTES], struct vol_error *err)
{
	static const struct sock_filter code[] = {
#include "filter.inc"
	};

	return vol_sha256(code, sizeof(code), digest, err);
}

/* ---- places ---- */

int vol_ckhere_own_places(struct vol_ckplaces *places, struct vol_error *err)
{
	static const struct {
		const char *target;
		enum vol_ckplace_kind kind;
		uint32_t flags;
	} own[] = {
		{"/", VOL_CKPLACE_TMPFS, MS_RDONLY | MS_NOSUID | MS_NODEV},
		{"/dev", VOL_CKPLACE_TMPFS, MS_RDONLY | MS_NOSUID | MS_NOEXEC},
		{"/dev/pts", VOL_CKPLACE_DEVPTS, MS_NOSUID | MS_NOEXEC},
		{"/dev/shm", VOL_CKPLACE_TMPFS, MS_NOSUID | MS_NODEV},
		{"/home", VOL_CKPLACE_TMPFS, MS_NOSUID | MS_NODEV},
		{"/proc", VOL_CKPLACE_PROC, MS_NOSUID | MS_NODEV | MS_NOEXEC},
		{"/run/scratch", VOL_CKPLACE_TMPFS, MS_NOSUID | MS_NODEV},
		{"/tmp", VOL_CKPLACE_TMPFS, MS_NOSUID | MS_NODEV},
		{"/var/tmp", VOL_CKPLACE_TMPFS, MS_NOSUID | MS_NODEV},
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		struct vol_ckplace place = {.kind = own[i].kind,
					    .flags = own[i].flags};

		strcpy(place.target, own[i].target);
		if (vol_ckplaces_add(places, &place, err) < 0)
			return -1;
	}
	return 0;
}

/* As in mountinfo, proc(5). */
static uint32_t flags_of(const char *options)
{
	static const struct {
		const char *word;
		uint32_t flag;
	} known[] = {
		{"ro", MS_RDONLY},
		{"nosuid", MS_NOSUID},
		{"nodev", MS_NODEV},
		{"noexec", MS_NOEXEC},
	};
	uint32_t flags = 0;

	while (*options) {
		size_t len = strcspn(options, ",");

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (strlen(known[i].word) == len &&
			    memcmp(known[i].word, options, len) == 0)
				flags |= known[i].flag;
		options += len + (options[len] == ',');
	}
	return flags;
}

struct taking {
	const struct vol_record *record;
	struct vol_ckplaces *places;
};

static int add_external(const struct taking *t, const char *target,
			uint32_t flags, struct vol_error *err)
{
	struct vol_ckplace place = {.kind = VOL_CKPLACE_EXTERNAL,
				    .flags = flags};

	if (strlen(target) >= sizeof(place.target))
		return vol_errorf_errno(err, EINVAL, "%.60s...: too long",
					target);
	strcpy(place.target, target);
	vol_ckrecord_key(t->record, target, place.key);
	/* An image may be without what this machine has. */
	if (!place.key[0])
		snprintf(place.key, sizeof(place.key), "n%u",
			 (unsigned int)t->places->n);
	return vol_ckplaces_add(t->places, &place, err);
}

static int take_mount(const struct vol_mount *m, void *arg,
		      struct vol_error *err)
{
	if (vol_mount_is_own(m) || vol_mount_is_cover(m))
		return 0;
	return add_external(arg, m->point, flags_of(m->options), err);
}

int vol_ckhere_places_of(const struct vol_record *record,
			 struct vol_ckplaces *places, struct vol_error *err)
{
	struct taking t = {record, places};

	return vol_mounts_each(record->pid1, take_mount, &t, err);
}

/* "TARGET FLAGS": the last space, as targets may have some. */
static int take_line(const struct taking *t, const char *line, size_t len,
		     struct vol_error *err)
{
	const char *space = memrchr(line, ' ', len);
	size_t target = space ? (size_t)(space - line) : 0;
	char path[VOL_CKPATH_SIZE], excerpt[VOL_EXCERPT_SIZE];
	uint64_t flags;

	if (!space || !vol_ckpath_valid_n(line, target) ||
	    vol_text_number(space + 1, len - target - 1, 0, VOL_CKPLACE_FLAGS,
			    &flags) < 0)
		return vol_errorf_errno(err, EINVAL, "not %s",
					vol_text_excerpt(line, len, excerpt));
	memcpy(path, line, target);
	path[target] = '\0';
	return add_external(t, path, (uint32_t)flags, err);
}

int vol_ckhere_places_parse(const char *name, const char *text, size_t len,
			    const struct vol_record *record,
			    struct vol_ckplaces *places, struct vol_error *err)
{
	struct taking t = {record, places};
	unsigned int n = 0;

	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;

		n++;
		if (take_line(&t, text, line, err) < 0)
			return vol_error_prefix(err, "%s:%u", name, n);
		line += end != NULL;
		text += line;
		len -= line;
	}
	return 0;
}

/* ---- limits ---- */

static uint64_t at_most(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void vol_ckhere_limits(const struct vol_walls *walls, struct vol_ckwant *want)
{
	struct rlimit limit;

	for (int i = 0; i < VOL_CKLIMITS; i++) {
		want->limit[i] = UINT64_MAX;
		if (walls && getrlimit((__rlimit_resource_t)i, &limit) == 0)
			want->limit[i] = limit.rlim_max;
	}
	want->limit[RLIMIT_CORE] = JOBS_CORE;
	want->oom_score_adj = JOBS_OOM;
	want->tmpfs_bytes = UINT64_MAX;
	if (!walls)
		return;
	want->tmpfs_bytes = walls->scratch_bytes > ROOT_BYTES
				    ? walls->scratch_bytes
				    : ROOT_BYTES;
	want->limit[RLIMIT_NOFILE] =
		at_most(want->limit[RLIMIT_NOFILE], walls->open_files);
	/* Without ids of the job's own its processes are not counted. */
	if (want->id_base)
		want->limit[RLIMIT_NPROC] =
			at_most(want->limit[RLIMIT_NPROC], walls->tasks);
}

/* ---- its system ---- */

void vol_ckhere_runtime(const struct vol_record *record,
			char runtime[VOL_CKRUNTIME_SIZE])
{
	char path[PATH_MAX];
	struct stat usr, st;
	struct dirent *e;
	DIR *dir = NULL;

	runtime[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/root/usr", (int)record->pid1);
	if (stat(path, &usr) == 0)
		dir = opendir(VOL_RUNTIME_DIR);
	while (dir && !runtime[0] && (e = readdir(dir))) {
		snprintf(path, sizeof(path), VOL_RUNTIME_DIR "/%s", e->d_name);
		/* A file system has a number of its own. */
		if (*vol_runtime_of(path) && stat(path, &st) == 0 &&
		    st.st_dev == usr.st_dev)
			strcpy(runtime, vol_runtime_of(path));
	}
	if (dir)
		closedir(dir);
}

/* ---- files ---- */

static int open_in(int root, const char *path, uint64_t flags)
{
	struct open_how how = {.flags = flags | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* As add_read() of sandbox/places.c: of what the image has itself nothing is
 * added. */
static bool is_added(const struct vol_ckroot *root, const char *path)
{
	for (size_t i = 0; root->read && i < root->read->n; i++) {
		cleanup_fd int own = -1;

		if (!vol_path_within(path, root->read->path[i]))
			continue;
		own = open_in(root->fd, root->read->path[i], O_PATH);
		if (own < 0)
			return true;
	}
	return false;
}

static int open_file(const struct vol_ckroot *root, const char *path)
{
	if (strcmp(path, VOL_INIT_INSIDE) == 0)
		return open(root->init, O_RDONLY | O_CLOEXEC);
	return open_in(is_added(root, path) ? root->machine : root->fd, path,
		       O_RDONLY | O_NONBLOCK);
}

static ssize_t read_beginning(int fd, uint8_t *data, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = pread(fd, data + len, size - len, (off_t)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

int vol_ckhere_look(const char *path, struct vol_ckmapped_file *file, void *arg)
{
	cleanup_fd int fd = open_file(arg, path);
	cleanup_free uint8_t *data = NULL;
	struct stat st;
	ssize_t len;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	data = malloc(VOL_BUILDID_LOOK);
	len = data ? read_beginning(fd, data, VOL_BUILDID_LOOK) : -1;
	if (len < 0)
		return -1;
	file->bytes = (uint64_t)st.st_size;
	file->n_build = vol_buildid_find(data, (size_t)len, file->build);
	return 0;
}
