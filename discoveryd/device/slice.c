/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slice.c - volunteer jobs in a top-level cgroup of their own, from outside
 *
 * Where the jobs of a slurmd are is read from the mounts of that slurmd, so it
 * is right for one that was adopted, too.
 */
#include "config.h"

#include "device/slice.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "device/cgroups.h"
#include "device/procs.h"

/* Room for the "/..." of a cgroup below the mount point. */
#define PATH_SIZE (PATH_MAX - 64)
#define TEXT_SIZE 256

/* Arguments of a slurmd. */
#define CMDLINE_MAX 65536

/* ---- where the jobs are ---- */

static int put(char *folder, size_t size, const char *root, const char *path,
	       const char *name, struct vol_error *err)
{
	if (snprintf(folder, size, "%s" VOL_CGROUP_MOUNT "%s%s", root,
		     strcmp(path, "/") ? path : "", name) >= (int)size)
		return vol_errorf_errno(err, ENAMETOOLONG, "%s: too long",
					path);
	if (access(folder, F_OK) < 0)
		return vol_errorf(err, "%s: %s", folder, strerror(errno));
	return 0;
}

/* As Slurm finds it: beside the cgroup of process 1. */
static int find_scope(const char *root, const char *pid, char *folder,
		      size_t size, struct vol_error *err)
{
	char path[PATH_MAX], init[PATH_SIZE], name[VOL_NODE_NAME_SIZE + 40];
	struct vol_slurmd_spec spec;
	cleanup_free char *cmdline = NULL;
	size_t len;

	if (vol_cgroup_path(root, "1", init, sizeof(init), err) < 0)
		return -1;
	vol_cgroup_parent(init);
	snprintf(path, sizeof(path), "%s/proc/%s/cmdline", root, pid);
	cmdline = vol_file_read(path, CMDLINE_MAX, &len, err);
	if (!cmdline)
		return -1;
	if (vol_procs_parse_cmdline(cmdline, len, &spec)) {
		snprintf(name, sizeof(name),
			 "/system.slice/%s_slurmstepd.scope", spec.node);
		if (put(folder, size, root, init, name, err) == 0)
			return 0;
	}
	return put(folder, size, root, init, "/system.slice/slurmstepd.scope",
		   err);
}

int vol_slice_find(const char *root, pid_t slurmd, char *folder, size_t size,
		   struct vol_error *err)
{
	char theirs[PATH_SIZE], ours[PATH_SIZE], pid[24];
	size_t len;

	snprintf(pid, sizeof(pid), "%ld", (long)slurmd);
	if (vol_cgroup_mounted(root, pid, theirs, sizeof(theirs), err) < 0 ||
	    vol_cgroup_mounted(root, "self", ours, sizeof(ours), err) < 0)
		return -1;
	if (!strcmp(theirs, ours))
		return find_scope(root, pid, folder, size, err);
	len = strcmp(ours, "/") ? strlen(ours) : 0;
	if (strncmp(theirs, ours, len) != 0 || theirs[len] != '/' ||
	    !strncmp(theirs, "/..", 3))
		return vol_errorf_errno(err, ENOENT,
					"slurmd[%s] has cgroup %s, which is "
					"not below ours",
					pid, theirs);
	return put(folder, size, root, theirs + len, "", err);
}

int vol_slice_of(pid_t slurmd, char *folder, size_t size, struct vol_error *err)
{
	return vol_slice_find("", slurmd, folder, size, err);
}

/* ---- what holds there ---- */

/* Our slice above a folder, or the folder itself. */
static bool slice_above(const char *folder, char slice[PATH_MAX])
{
	const char *name = strstr(folder, "/" VOL_SLICE);
	const char *end = name ? name + strlen("/" VOL_SLICE) : NULL;
	bool own = end && (*end == '/' || *end == '\0');

	snprintf(slice, PATH_MAX, "%.*s",
		 own ? (int)(end - folder) : PATH_MAX - 1, folder);
	return own;
}

static void set(const char *folder, const char *file, const char *text)
{
	char now[TEXT_SIZE];

	if (vol_cgroup_read(folder, file, now, sizeof(now)) == 0 &&
	    strcmp(now, text) != 0)
		(void)vol_cgroup_write(folder, file, text);
}

static bool is(const char *folder, const char *file, const char *text)
{
	char now[TEXT_SIZE];

	return vol_cgroup_read(folder, file, now, sizeof(now)) == 0 &&
	       !strcmp(now, text);
}

void vol_slice_settle(const char *folder, uint64_t memory_high)
{
	char slice[PATH_MAX], text[24] = "max";

	slice_above(folder, slice);
	/* systemd has done so where it knows CPUWeight=idle (since 252). */
	set(slice, "cpu.idle", "1");
	set(slice, "io.weight", "default 1");
	set(slice, "io.bfq.weight", "default 1");
	if (memory_high > 0)
		snprintf(text, sizeof(text), "%" PRIu64, memory_high);
	set(folder, "memory.high", text);
}

static json_t *memory_high(const char *folder)
{
	char text[TEXT_SIZE], *end;
	unsigned long long bytes;

	if (vol_cgroup_read(folder, "memory.high", text, sizeof(text)) < 0)
		return json_null();
	bytes = strtoull(text, &end, 10);
	return end != text && !*end ? json_integer((json_int_t)bytes)
				    : json_null();
}

static void add(char *text, const char *more)
{
	size_t len = strlen(text);

	snprintf(text + len, TEXT_SIZE - len, "%s%s", len ? "; " : "", more);
}

/* Why jobs are not in our slice, as the launcher has found. */
static void add_reason(char *text)
{
	cleanup_free char *reason = NULL;
	size_t len;

	reason = vol_file_read(VOL_SLICE_REASON, TEXT_SIZE, &len, NULL);
	add(text, "jobs are not in " VOL_SLICE);
	if (reason)
		add(text, reason);
}

json_t *vol_slice_json(const char *folder)
{
	char slice[PATH_MAX], missing[TEXT_SIZE] = "";
	bool own = slice_above(folder, slice);
	bool idle = is(slice, "cpu.idle", "1");
	bool io = is(slice, "io.weight", "default 1") ||
		  is(slice, "io.bfq.weight", "default 1") ||
		  is(slice, "io.bfq.weight", "1");
	char now[TEXT_SIZE];

	if (!own)
		add_reason(missing);
	if (!idle)
		add(missing,
		    vol_cgroup_read(slice, "cpu.idle", now, sizeof(now)) < 0
			    ? "no cpu controller here"
			    : "cpu.idle could not be set");
	if (!io)
		add(missing, "no weights for input and output here");
	return json_pack("{s:s, s:b, s:b, s:b, s:o, s:s}", "folder", folder,
			 "own_slice", (int)own, "cpu_idle", (int)idle,
			 "io_weight", (int)io, "memory_high",
			 memory_high(folder), "missing", missing);
}
