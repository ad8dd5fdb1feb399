/* SPDX-License-Identifier: GPL-2.0-or-later */
/* select_install.c - put our select plugin in front of Slurm's, and back
 *
 * The order of the steps is the point, see select_install.h.
 */
#include "config.h"

#include "select_install.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "elf_peek.h"
#include "select_divert.h"

#define NAME      "select_cons_tres.so"
#define BASE_NAME NAME ".base"
/* Where vol_file_replace() starts its temporary names, too.  Not *.so:
 * slurmctld looks at each of those. */
#define TEMP_PREFIX "." NAME "."
#define TEMP_NAME   TEMP_PREFIX "vol"

/* Ours is some 30 kB; with debug information and sanitizers below 2 MB. */
#define PLUGIN_MAX_BYTES (16u << 20)

static int join(char out[PATH_MAX], const char *root, const char *dir,
		const char *name, struct vol_error *err)
{
	int n = snprintf(out, PATH_MAX, "%s%s%s", root, dir, name);

	if (n < 0 || n >= PATH_MAX)
		return vol_errorf_errno(err, ENAMETOOLONG, "%s%s: too long",
					root, dir);
	return 0;
}

int vol_select_init(struct vol_select *sel, const char *root, const char *dir,
		    const char *ours, struct vol_error *err)
{
	if (!root || strcmp(root, "/") == 0)
		root = "";
	if (!dir)
		dir = VOL_SLURM_PLUGIN_DIR;
	if (!ours)
		ours = VOL_LIB_DIR "/" NAME;
	if (join(sel->root, root, "", "", err) < 0 ||
	    join(sel->dir, dir, "", "", err) < 0 ||
	    join(sel->active, root, dir, "/" NAME, err) < 0 ||
	    join(sel->base, root, dir, "/" BASE_NAME, err) < 0 ||
	    join(sel->ours, root, ours, "", err) < 0)
		return -1;
	return 0;
}

/* What a file is, and the version of Slurm it is or was built for. */
static int classify(const char *path, enum vol_select_file *kind,
		    uint32_t *version, struct vol_error *err)
{
	*kind = VOL_SELECT_FILE_NONE;
	*version = 0;
	if (access(path, F_OK) < 0) {
		if (errno == ENOENT)
			return 0;
		return vol_errorf(err, "%s: %m", path);
	}
	if (vol_elf_peek_u32(path, "vol_select_slurm_version", version, err) ==
	    0)
		*kind = VOL_SELECT_FILE_OURS;
	else if (errno == ENODATA &&
		 vol_elf_peek_u32(path, "plugin_version", version, err) == 0)
		*kind = VOL_SELECT_FILE_SLURM;
	else if (errno == ENODATA || errno == ENOEXEC)
		*kind = VOL_SELECT_FILE_ALIEN;
	else
		return -1;
	return 0;
}

static bool same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 &&
	       sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static bool same_content(const char *a, const char *b)
{
	cleanup_free char *da = NULL, *db = NULL;
	size_t la = 0, lb = 0;

	da = vol_file_read(a, PLUGIN_MAX_BYTES, &la, NULL);
	db = vol_file_read(b, PLUGIN_MAX_BYTES, &lb, NULL);
	return da && db && la == lb && memcmp(da, db, la) == 0;
}

static enum vol_select_state judge(const struct vol_select_status *st)
{
	bool guarded = st->diverted || !st->dpkg;

	if (st->active == VOL_SELECT_FILE_OURS &&
	    st->base == VOL_SELECT_FILE_SLURM)
		return guarded ? VOL_SELECT_ENABLED : VOL_SELECT_HALF_DONE;
	if (st->active == VOL_SELECT_FILE_SLURM &&
	    st->base == VOL_SELECT_FILE_NONE && !st->diverted)
		return VOL_SELECT_DISABLED;
	if (st->active == VOL_SELECT_FILE_SLURM ||
	    (st->active == VOL_SELECT_FILE_NONE &&
	     st->base == VOL_SELECT_FILE_SLURM))
		return VOL_SELECT_HALF_DONE;
	return VOL_SELECT_BROKEN;
}

/* The paths that dpkg knows. */
static int known_paths(const struct vol_select *sel, char path[PATH_MAX],
		       char target[PATH_MAX], struct vol_error *err)
{
	if (join(path, "", sel->dir, "/" NAME, err) < 0)
		return -1;
	return join(target, "", sel->dir, "/" BASE_NAME, err);
}

int vol_select_look(const struct vol_select *sel, struct vol_select_status *st,
		    struct vol_error *err)
{
	uint32_t active_version, base_version, ours_version;
	char path[PATH_MAX], target[PATH_MAX];
	enum vol_select_file ours;

	*st = (struct vol_select_status){.state = VOL_SELECT_UNKNOWN};
	if (classify(sel->active, &st->active, &active_version, err) < 0 ||
	    classify(sel->base, &st->base, &base_version, err) < 0 ||
	    classify(sel->ours, &ours, &ours_version, err) < 0 ||
	    known_paths(sel, path, target, err) < 0)
		return -1;
	st->dpkg = vol_divert_available(sel->root);
	if (st->dpkg &&
	    vol_divert_get(sel->root, path, target, &st->diverted, err) < 0)
		return -1;

	if (st->active == VOL_SELECT_FILE_OURS)
		st->built_for = active_version;
	else if (ours == VOL_SELECT_FILE_OURS)
		st->built_for = ours_version;
	st->current = st->active == VOL_SELECT_FILE_OURS &&
		      same_content(sel->active, sel->ours);
	/* While dpkg is diverted it is the base that upgrades write to. */
	if (st->base == VOL_SELECT_FILE_SLURM &&
	    (st->diverted || st->active != VOL_SELECT_FILE_SLURM))
		st->slurm = base_version;
	else if (st->active == VOL_SELECT_FILE_SLURM)
		st->slurm = active_version;
	st->state = judge(st);
	return 0;
}

/* Make "to" another name of "from" in one step. */
static int put_link(const struct vol_select *sel, const char *from,
		    const char *to, struct vol_error *err)
{
	char temp[PATH_MAX];

	if (same_file(from, to))
		return 0;
	if (join(temp, sel->root, sel->dir, "/" TEMP_NAME, err) < 0)
		return -1;
	if ((unlink(temp) < 0 && errno != ENOENT) || link(from, temp) < 0 ||
	    rename(temp, to) < 0)
		return vol_errorf(err, "cannot put %s at %s: %m", from, to);
	return 0;
}

/* The steps so far are on disk before the next one relies on them. */
static int settle(int dir_fd, const struct vol_select *sel,
		  struct vol_error *err)
{
	if (fsync(dir_fd) < 0)
		return vol_errorf(err, "%s%s: %m", sel->root, sel->dir);
	return 0;
}

/* Remove what a crash left of a copy that was never put in place. */
static void sweep(int dir_fd)
{
	int fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(dir)))
		if (strncmp(e->d_name, TEMP_PREFIX, strlen(TEMP_PREFIX)) == 0)
			unlinkat(dir_fd, e->d_name, 0);
	closedir(dir);
}

/* One operation at a time.  The caller closes the descriptor. */
static int lock_dir(const struct vol_select *sel, struct vol_error *err)
{
	cleanup_fd int fd = -1;
	char path[PATH_MAX];

	if (join(path, sel->root, sel->dir, "", err) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return vol_errorf(err, "Slurm's plugin folder %s: %m", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return vol_errorf(err,
				  "%s: another \"volunteer select\" is at "
				  "work",
				  path);
	sweep(fd);
	return steal_fd(&fd);
}

static int refuse_unknown(const struct vol_select *sel,
			  const struct vol_select_status *st,
			  struct vol_error *err)
{
	if (st->active == VOL_SELECT_FILE_ALIEN)
		return vol_errorf_errno(err, EINVAL,
					"%s is neither Slurm's plugin nor "
					"ours: left alone",
					sel->active);
	if (st->base == VOL_SELECT_FILE_ALIEN)
		return vol_errorf_errno(err, EINVAL,
					"%s is not Slurm's plugin: left alone",
					sel->base);
	return 0;
}

static int original_is_gone(const struct vol_select *sel, struct vol_error *err)
{
	return vol_errorf_errno(err, ENOENT,
				"Slurm's own plugin is missing (%s): reinstall "
				"Slurm's package, then do this again",
				sel->base);
}

static int check_enable(const struct vol_select *sel,
			const struct vol_select_status *st,
			struct vol_error *err)
{
	char want[VOL_SELECT_VERSION_SIZE], have[VOL_SELECT_VERSION_SIZE];
	enum vol_select_file kind;
	uint32_t version;

	if (refuse_unknown(sel, st, err) < 0)
		return -1;
	if (!st->slurm)
		return original_is_gone(sel, err);
	if (classify(sel->ours, &kind, &version, err) < 0)
		return -1;
	if (kind != VOL_SELECT_FILE_OURS)
		return vol_errorf_errno(err, ENOENT,
					"%s: no select plugin there (it is "
					"built by ./configure "
					"--with-slurm-source=DIR)",
					sel->ours);
	if (version != st->slurm)
		return vol_errorf_errno(
			err, EINVAL,
			"%s was built for Slurm %s, but %s%s is Slurm %s: "
			"build it from that source",
			sel->ours, vol_select_version(version, want), sel->root,
			sel->dir, vol_select_version(st->slurm, have));
	return 0;
}

static int install_ours(const struct vol_select *sel, struct vol_error *err)
{
	cleanup_free char *data = NULL;
	size_t len;

	data = vol_file_read(sel->ours, PLUGIN_MAX_BYTES, &len, err);
	if (!data)
		return -1;
	return vol_file_replace(sel->active, data, len, 0644, 1, err);
}

int vol_select_enable(const struct vol_select *sel, bool *changed,
		      struct vol_error *err)
{
	cleanup_fd int dir_fd = lock_dir(sel, err);
	char path[PATH_MAX], target[PATH_MAX];
	struct vol_select_status st;

	*changed = false;
	if (dir_fd < 0 || vol_select_look(sel, &st, err) < 0 ||
	    known_paths(sel, path, target, err) < 0 ||
	    check_enable(sel, &st, err) < 0)
		return -1;
	if (st.state == VOL_SELECT_ENABLED && st.current)
		return 0;
	*changed = true;

	/* The active file is the original unless dpkg already writes to the
	 * base: then that one is as new or newer. */
	if (st.active == VOL_SELECT_FILE_SLURM &&
	    !(st.diverted && st.base == VOL_SELECT_FILE_SLURM) &&
	    put_link(sel, sel->active, sel->base, err) < 0)
		return -1;
	if (settle(dir_fd, sel, err) < 0)
		return -1;
	if (st.dpkg && !st.diverted &&
	    vol_divert_add(sel->root, path, target, err) < 0)
		return -1;
	return st.current ? 0 : install_ours(sel, err);
}

/* Slurm's plugin was removed under us.  Nothing can be put back, but what is
 * left of ours must not stand in the way of a new one. */
static int remove_ours(const struct vol_select *sel,
		       const struct vol_select_status *st, bool *changed,
		       struct vol_error *err)
{
	char path[PATH_MAX], target[PATH_MAX];

	if (known_paths(sel, path, target, err) < 0)
		return -1;
	if (st->diverted && vol_divert_remove(sel->root, path, target, err) < 0)
		return -1;
	if (st->active == VOL_SELECT_FILE_OURS && unlink(sel->active) < 0)
		return vol_errorf(err, "%s: %m", sel->active);
	if (st->base == VOL_SELECT_FILE_OURS && unlink(sel->base) < 0)
		return vol_errorf(err, "%s: %m", sel->base);
	*changed = st->diverted || st->active == VOL_SELECT_FILE_OURS;
	return 0;
}

int vol_select_disable(const struct vol_select *sel, bool *changed,
		       struct vol_error *err)
{
	cleanup_fd int dir_fd = lock_dir(sel, err);
	char path[PATH_MAX], target[PATH_MAX];
	struct vol_select_status st;

	*changed = false;
	if (dir_fd < 0 || vol_select_look(sel, &st, err) < 0 ||
	    known_paths(sel, path, target, err) < 0 ||
	    refuse_unknown(sel, &st, err) < 0)
		return -1;
	if (st.state == VOL_SELECT_DISABLED)
		return 0;
	if (!st.slurm)
		return remove_ours(sel, &st, changed, err);
	*changed = true;

	if (st.base == VOL_SELECT_FILE_SLURM &&
	    (st.diverted || st.active != VOL_SELECT_FILE_SLURM) &&
	    put_link(sel, sel->base, sel->active, err) < 0)
		return -1;
	if (settle(dir_fd, sel, err) < 0)
		return -1;
	if (st.diverted && vol_divert_remove(sel->root, path, target, err) < 0)
		return -1;
	if (unlink(sel->base) < 0 && errno != ENOENT)
		return vol_errorf(err, "%s: %m", sel->base);
	return settle(dir_fd, sel, err);
}

const char *vol_select_state_name(enum vol_select_state state)
{
	switch (state) {
	case VOL_SELECT_DISABLED:
		return "disabled";
	case VOL_SELECT_ENABLED:
		return "enabled";
	case VOL_SELECT_HALF_DONE:
		return "half-done";
	case VOL_SELECT_BROKEN:
		return "broken";
	case VOL_SELECT_UNKNOWN:
		break;
	}
	return "unknown";
}

/* SLURM_VERSION_NUM() in Slurm's slurm_version.h: one byte per part. */
const char *vol_select_version(uint32_t number,
			       char buf[VOL_SELECT_VERSION_SIZE])
{
	if (number)
		snprintf(buf, VOL_SELECT_VERSION_SIZE, "%02u.%02u.%u",
			 number >> 16 & 0xff, number >> 8 & 0xff,
			 number & 0xff);
	else
		snprintf(buf, VOL_SELECT_VERSION_SIZE, "none");
	return buf;
}

bool vol_select_active(void)
{
	struct vol_select_status status;
	struct vol_select select;

	return vol_select_init(&select, NULL, NULL, NULL, NULL) == 0 &&
	       vol_select_look(&select, &status, NULL) == 0 &&
	       status.state == VOL_SELECT_ENABLED &&
	       status.built_for == status.slurm;
}
