/* SPDX-License-Identifier: GPL-2.0-or-later */
/* procs.c - find our slurmd and the slurmstepds among the processes */
#include "config.h"

#include "device/procs.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

/* An environment may be large; ours is not, since slurmd got it from us. */
#define FILE_MAX 65536

#define LAUNCHER "slurm-volunteer-launch"

void vol_procs_marker(const char *node, char marker[VOL_MARKER_SIZE])
{
	snprintf(marker, VOL_MARKER_SIZE, "%s=%s", VOL_ENV_DEVICE, node);
}

void vol_procs_view(const char *view, char variable[VOL_VIEW_SIZE])
{
	snprintf(variable, VOL_VIEW_SIZE, "%s=%s", VOL_ENV_VIEW, view);
}

static char *read_proc(const char *root, pid_t pid, const char *name,
		       size_t *len)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/proc/%ld/%s", root, (long)pid,
		     name) >= (int)sizeof(path))
		return NULL;
	return vol_file_read(path, FILE_MAX, len, NULL);
}

/* -1: one can not look.  Tests have no namespaces: two missing links are the
 * same. */
static int same_namespace(const char *root, pid_t pid)
{
	char path[PATH_MAX], theirs[64] = "", ours[64] = "";
	ssize_t n;

	if (snprintf(path, sizeof(path), "%s/proc/%ld/ns/pid", root,
		     (long)pid) >= (int)sizeof(path))
		return -1;
	n = readlink(path, theirs, sizeof(theirs) - 1);
	if (n < 0 && (errno == ENOENT || errno == ESRCH))
		return root[0] != '\0';
	if (n < 0)
		return -1;
	n = readlink("/proc/self/ns/pid", ours, sizeof(ours) - 1);
	return n > 0 && !strcmp(theirs, ours);
}

static bool copy(char *to, size_t size, const char *from)
{
	return (size_t)snprintf(to, size, "%s", from) < size;
}

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_slurmd(const char *argv0)
{
	/* Debian's is called slurmd-wlm behind an alternatives link. */
	return !strncmp(base(argv0), "slurmd", 6) &&
	       strncmp(base(argv0), "slurmstepd", 10) != 0;
}

/* The words from slurmd on. */
static const char *skip_launcher(const char *word, const char *end)
{
	if (strcmp(base(word), LAUNCHER) != 0)
		return word;
	word += strlen(word) + 1;
	if (word < end && !strcmp(word, "--"))
		word += strlen(word) + 1;
	return word;
}

bool vol_procs_parse_cmdline(const char *cmdline, size_t len,
			     struct vol_slurmd_spec *spec)
{
	const char *end = cmdline + len, *word = cmdline, *before = "";
	struct vol_slurmd_spec s = {.node = ""};
	bool foreground = false;

	if (len == 0 || cmdline[len - 1] != '\0')
		return false;
	word = skip_launcher(word, end);
	if (word == end || !is_slurmd(word))
		return false;
	for (; word < end; before = word, word += strlen(word) + 1) {
		if (!strcmp(word, "-D"))
			foreground = true;
		else if (!strcmp(before, "-N") &&
			 !copy(s.node, sizeof(s.node), word))
			return false;
		else if (!strcmp(before, "--conf-server") &&
			 !copy(s.conf_server, sizeof(s.conf_server), word))
			return false;
		else if (!strcmp(before, "--conf") &&
			 !copy(s.conf, sizeof(s.conf), word))
			return false;
	}
	if (!foreground || !vol_node_name_valid(s.node) || !s.conf_server[0])
		return false;
	*spec = s;
	return true;
}

/* Is it in its environment that we started it?  And what it can reach. */
static bool has_marker(const char *root, pid_t pid,
		       struct vol_slurmd_spec *spec)
{
	static const char view[] = VOL_ENV_VIEW "=";
	char marker[VOL_MARKER_SIZE];
	cleanup_free char *env = NULL;
	const char *word;
	bool found = false;
	size_t len;

	vol_procs_marker(spec->node, marker);
	env = read_proc(root, pid, "environ", &len);
	if (!env)
		return false;
	for (word = env; word < env + len; word += strlen(word) + 1)
		if (!strcmp(word, marker))
			found = true;
		else if (!strncmp(word, view, sizeof(view) - 1))
			(void)copy(spec->view, sizeof(spec->view),
				   word + sizeof(view) - 1);
	return found;
}

/* Its parent and session; false when they are not known. */
static bool family(const char *root, pid_t pid, long *ppid, long *session)
{
	cleanup_free char *stat = NULL;
	const char *after;
	size_t len;

	stat = read_proc(root, pid, "stat", &len);
	/* The name in parentheses may hold anything, so look from the end. */
	after = stat ? strrchr(stat, ')') : NULL;
	return after &&
	       sscanf(after + 1, " %*c %ld %*d %ld", ppid, session) == 2;
}

static bool ours(const char *root, pid_t pid, struct vol_slurmd_spec *spec)
{
	cleanup_free char *cmdline = NULL;
	size_t len;

	cmdline = read_proc(root, pid, "cmdline", &len);
	return cmdline && vol_procs_parse_cmdline(cmdline, len, spec) &&
	       has_marker(root, pid, spec) && same_namespace(root, pid) > 0;
}

/* slurmd forks: to exec a slurmstepd, to fetch its configuration.  Such a child
 * looks like its parent, and it may outlive it.  Only what we have started
 * leads a session and has a parent that is no slurmd. */
static bool is_first(const char *root, pid_t pid)
{
	struct vol_slurmd_spec spec;
	long ppid, session;

	return family(root, pid, &ppid, &session) && session == pid &&
	       !ours(root, (pid_t)ppid, &spec);
}

/* Next process, or 0. */
static pid_t next_pid(DIR *dir)
{
	struct dirent *e;

	while ((e = readdir(dir)) != NULL) {
		char *end;
		long pid = strtol(e->d_name, &end, 10);

		if (pid > 0 && !*end)
			return (pid_t)pid;
	}
	return 0;
}

static DIR *open_proc(const char *root)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/proc", root) >= (int)sizeof(path))
		return NULL;
	return opendir(path);
}

pid_t vol_procs_find_slurmd(const char *root, struct vol_slurmd_spec *spec)
{
	DIR *dir = open_proc(root);
	pid_t pid, found = 0;

	if (!dir)
		return 0;
	while (!found && (pid = next_pid(dir)) > 0)
		if (ours(root, pid, spec) && is_first(root, pid))
			found = pid;
	closedir(dir);
	return found;
}

bool vol_procs_catches(const char *root, pid_t pid, int signal)
{
	cleanup_free char *status = NULL;
	unsigned long long caught;
	const char *line;
	size_t len;

	status = read_proc(root, pid, "status", &len);
	line = status ? strstr(status, "\nSigCgt:") : NULL;
	return line && sscanf(line, " SigCgt: %llx", &caught) == 1 &&
	       caught >> (signal - 1) & 1;
}

/* Under systemd slurmd keeps "slurmstepd infinity" in its scope, so that the
 * scope outlives the steps; it is no step itself. */
static bool is_placeholder(const char *root, pid_t pid)
{
	cleanup_free char *cmdline = NULL;
	size_t len, first;

	cmdline = read_proc(root, pid, "cmdline", &len);
	if (!cmdline)
		return false;
	first = strlen(cmdline) + 1;
	return first < len && !strcmp(cmdline + first, "infinity");
}

int vol_procs_is_stepd(const char *root, pid_t pid)
{
	cleanup_free char *comm = NULL;
	size_t len;
	int same;

	comm = read_proc(root, pid, "comm", &len);
	if (!comm)
		return errno == ENOENT || errno == ESRCH ? 0 : -1;
	if (strncmp(comm, "slurmstepd", 10) != 0)
		return 0;
	same = same_namespace(root, pid);
	return same > 0 ? !is_placeholder(root, pid) : same;
}

int vol_procs_each_stepd(const char *root, void (*f)(pid_t pid, void *arg),
			 void *arg)
{
	DIR *dir = open_proc(root);
	int rc = 0, saved = 0;
	pid_t pid;

	if (!dir)
		return -1;
	while ((pid = next_pid(dir)) > 0) {
		int is = vol_procs_is_stepd(root, pid);

		if (is > 0)
			f(pid, arg);
		if (is < 0) {
			saved = errno;
			rc = -1;
		}
	}
	closedir(dir);
	if (rc < 0)
		errno = saved;
	return rc;
}
