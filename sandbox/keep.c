/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keep.c - what slurmd and slurmstepd must be able to write
 *
 * SlurmdSpoolDir, SlurmdLogFile, SlurmdPidFile and so on can be anywhere; where
 * they usually are, their name says whose they are.  Root's own folders stay as
 * they are, folders in them that are not Slurm's do not.
 */
#include "config.h"

#include "view.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "text.h"

static const struct {
	const char *path;
	bool itself;  /* it can be written, */
	bool entries; /* with Slurm's folders in it and no others; false: all */
} kept[] = {
	{"/proc", true, false}, /* oom_score_adj; what else is there is root's
				 */
	{"/sys/fs/cgroup", true, false}, {"/run", true, true},
	{"/var/log", true, true},        {"/var/lib", false, true},
	{"/var/spool", false, true},     {"/var/cache", false, true},
};

static bool is_slurms(const char *name)
{
	return strstr(name, "slurm") != NULL;
}

bool vol_view_keeps(const char *path)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		const char *parent = kept[i].path;

		if (vol_path_within(parent, path) ||
		    (vol_path_within(path, parent) &&
		     (!kept[i].entries || is_slurms(path + strlen(parent)))))
			return true;
	}
	return false;
}

static int add(struct vol_view *v, const char *path, struct vol_error *err)
{
	struct vol_place *p = &v->keep[v->keeps];
	struct vol_error reason = {""};

	if (v->keeps == VOL_KEEPS_MAX)
		return vol_errorf_errno(err, ENOSPC,
					"%s: more than %d folders to keep",
					path, VOL_KEEPS_MAX);
	p->fd = vol_clone_tree(path, 0, 0, MS_SLAVE, -1, &p->folder, &reason);
	if (p->fd < 0)
		return errno == ENOENT ? 0 : vol_errorf(err, "%s", reason.text);
	snprintf(p->target, sizeof(p->target), "%s", path);
	v->keeps++;
	return 0;
}

/* Only to be read from now on, in a parent that can be written. */
static int seal(const char *path, struct vol_error *err)
{
	struct vol_error reason = {""};
	bool folder;
	cleanup_fd int fd = vol_clone_tree(path, 0, MOUNT_ATTR_RDONLY, MS_SLAVE,
					   -1, &folder, &reason);

	if (fd < 0)
		return errno == ENOENT ? 0 : vol_errorf(err, "%s", reason.text);
	return vol_attach(fd, path, err) == 0 || errno == ENOENT ? 0 : -1;
}

/* 1, 0, -1; some file systems say it with the name. */
static int is_folder(const struct dirent *e, const char *path)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 : -1;
	return S_ISDIR(st.st_mode);
}

/* For each folder in parent that is Slurm's, or each that is not. */
static int each_folder(struct vol_view *v, const char *parent, bool slurms,
		       struct vol_error *err)
{
	char path[NAME_MAX + 32];
	DIR *dir = opendir(parent);
	struct dirent *e;
	int rc = 0, folder;

	if (!dir)
		return errno == ENOENT ? 0
				       : vol_errorf(err, "%s: %s", parent,
						    strerror(errno));
	while (rc == 0 && (e = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", parent, e->d_name);
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0 ||
		    is_slurms(e->d_name) != slurms)
			continue;
		folder = is_folder(e, path);
		if (folder < 0)
			rc = vol_errorf(err, "%s: %s", path, strerror(errno));
		else if (folder)
			rc = slurms ? add(v, path, err) : seal(path, err);
	}
	closedir(dir);
	return rc;
}

int vol_view_open_kept(struct vol_view *v, struct vol_error *err)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (kept[i].itself
			    ? add(v, kept[i].path, err) != 0
			    : each_folder(v, kept[i].path, true, err) != 0)
			return -1;
	return 0;
}

int vol_view_attach_kept(struct vol_view *v, struct vol_error *err)
{
	for (size_t i = 0; i < v->keeps; i++)
		if (vol_attach(v->keep[i].fd, v->keep[i].target, err) != 0 &&
		    errno != ENOENT)
			return -1;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (kept[i].itself && kept[i].entries &&
		    each_folder(v, kept[i].path, false, err) != 0)
			return -1;
	/* The manager of a user's session owns its cgroups: a word written into
	 * cgroup.kill would end the session. */
	return seal("/sys/fs/cgroup/user.slice", err);
}
