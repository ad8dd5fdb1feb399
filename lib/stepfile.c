/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stepfile.c - how a job step tells discoveryd where its cgroup is */
#include "config.h"

#include "stepfile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "keyvalue.h"
#include "text.h"

#define VERSION 1

enum key {
	KEY_VERSION,
	KEY_JOB,
	KEY_STEP,
	KEY_UID,
	KEY_STEPD,
	KEY_CGROUP,
	KEY_TASKS,
	KEY_BORN,
	KEY_ACCOUNT,
	KEY_SAVE,
	KEY_EVERY,
	KEY_RESTARTS,
	KEY_SIGNAL
};
#define N_KEYS (KEY_SIGNAL + 1)

static const char *const keys[N_KEYS] = {
	"version", "job",     "step", "uid",   "stepd",    "cgroup", "tasks",
	"born",    "account", "save", "every", "restarts", "signal"};

/* Of the numbers. */
static const struct {
	uint64_t min, max;
} ranges[N_KEYS] = {
	[KEY_VERSION] = {VERSION, VERSION},
	[KEY_JOB] = {1, UINT32_MAX},
	[KEY_STEP] = {0, UINT32_MAX},
	/* (uid_t)-1 is nobody's, and chown(2)'s "leave as is" */
	[KEY_UID] = {0, UINT32_MAX - 1},
	[KEY_STEPD] = {1, INT32_MAX},
	[KEY_TASKS] = {0, UINT32_MAX},
	[KEY_BORN] = {0, 1},
	[KEY_SAVE] = {0, 1},
	[KEY_EVERY] = {0, UINT32_MAX},
	[KEY_RESTARTS] = {0, UINT32_MAX},
	[KEY_SIGNAL] = {0, 31},
};

/* NULL, or what is wrong with a cgroup path of len bytes. */
static const char *path_problem(const char *path, size_t len)
{
	size_t begin = 1; /* of the component at hand */

	if (len < 2 || path[0] != '/')
		return "not an absolute path below the root";
	if (len >= VOL_CGROUP_SIZE)
		return "too long";
	for (size_t i = 1; i <= len; i++) {
		size_t n = i - begin;

		if (i < len &&
		    ((unsigned char)path[i] < 0x20 || path[i] == 0x7f))
			return "forbidden character";
		if (i < len && path[i] != '/')
			continue;
		if (n == 0 || (n == 1 && path[begin] == '.') ||
		    (n == 2 && memcmp(path + begin, "..", 2) == 0))
			return "empty, \".\" or \"..\" component";
		begin = i + 1;
	}
	return NULL;
}

static const char *account_problem(const char *account, size_t len)
{
	if (len >= VOL_ACCOUNT_SIZE)
		return "too long";
	for (size_t i = 0; i < len; i++)
		if (!vol_char_printable((unsigned char)account[i]) ||
		    account[i] == ' ')
			return "forbidden character";
	return NULL;
}

static int parse_text(int key, const char *value, size_t len,
		      struct vol_step *step, struct vol_error *err)
{
	char excerpt[VOL_EXCERPT_SIZE];
	const char *problem = key == KEY_CGROUP ? path_problem(value, len)
						: account_problem(value, len);

	if (problem)
		return vol_errorf_errno(err, EINVAL, "%s: %s",
					vol_text_excerpt(value, len, excerpt),
					problem);
	memcpy(key == KEY_CGROUP ? step->cgroup : step->account, value, len);
	return 0;
}

static int take(int key, const char *value, size_t len, void *arg,
		struct vol_error *err)
{
	struct vol_step *step = arg;
	char excerpt[VOL_EXCERPT_SIZE];
	uint64_t number = 0;

	if (key == KEY_CGROUP || key == KEY_ACCOUNT)
		return parse_text(key, value, len, step, err);
	vol_text_excerpt(value, len, excerpt);
	if (vol_text_number(value, len, ranges[key].min, ranges[key].max,
			    &number) < 0)
		return vol_errorf_errno(err, EINVAL,
					"%s is not a number from %" PRIu64
					" to %" PRIu64,
					excerpt, ranges[key].min,
					ranges[key].max);
	if (key == KEY_JOB)
		step->job = (uint32_t)number;
	else if (key == KEY_STEP)
		step->step = (uint32_t)number;
	else if (key == KEY_UID)
		step->uid = (uid_t)number;
	else if (key == KEY_STEPD)
		step->stepd = (pid_t)number;
	else if (key == KEY_TASKS)
		step->tasks = (uint32_t)number;
	else if (key == KEY_BORN)
		step->born = number;
	else if (key == KEY_SAVE)
		step->save = number;
	else if (key == KEY_EVERY)
		step->every_s = (uint32_t)number;
	else if (key == KEY_RESTARTS)
		step->restarts = (uint32_t)number;
	else if (key == KEY_SIGNAL)
		step->signal = (uint32_t)number;
	return 0;
}

int vol_step_parse(const char *name, const char *text, size_t len,
		   struct vol_step *step, struct vol_error *err)
{
	static const struct vol_keyvalue format = {keys, N_KEYS, N_KEYS,
						   VOL_STEPFILE_MAX, take};
	struct vol_step parsed = {0};

	if (vol_keyvalue_parse(&format, name, text, len, &parsed, err) < 0)
		return -1;
	*step = parsed;
	return 0;
}

int vol_step_format(const struct vol_step *step, char *buf, size_t size)
{
	int n;

	if (path_problem(step->cgroup,
			 strnlen(step->cgroup, sizeof(step->cgroup))) ||
	    account_problem(step->account,
			    strnlen(step->account, sizeof(step->account)))) {
		errno = EINVAL;
		return -1;
	}
	n = snprintf(buf, size,
		     "version=%d\njob=%" PRIu32 "\nstep=%" PRIu32
		     "\nuid=%lu\nstepd=%ld\ncgroup=%s\ntasks=%" PRIu32
		     "\nborn=%d\naccount=%s\nsave=%d\nevery=%" PRIu32
		     "\nrestarts=%" PRIu32 "\nsignal=%" PRIu32 "\n",
		     VERSION, step->job, step->step, (unsigned long)step->uid,
		     (long)step->stepd, step->cgroup, step->tasks, step->born,
		     step->account, step->save, step->every_s, step->restarts,
		     step->signal);
	if (n < 0 || (size_t)n >= size) {
		errno = ENOSPC;
		return -1;
	}
	return n;
}

int vol_step_cgroup(const char *proc_cgroup, char *buf, size_t size,
		    struct vol_error *err)
{
	static const char unified[] = "0::";
	char excerpt[VOL_EXCERPT_SIZE];
	const char *line = proc_cgroup;
	const char *problem;
	size_t len;

	while (line && strncmp(line, unified, strlen(unified)) != 0) {
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	if (!line)
		return vol_errorf_errno(err, ENOENT,
					"no cgroup v2 (no line "
					"that begins with 0::)");
	line += strlen(unified);
	len = strcspn(line, "\n");
	vol_text_excerpt(line, len, excerpt);
	problem = path_problem(line, len);
	if (problem)
		return vol_errorf_errno(err, EINVAL, "cgroup %s: %s", excerpt,
					problem);
	while (line[len - 1] != '/')
		len--;
	len--;
	if (len == 0)
		return vol_errorf_errno(
			err, EINVAL, "cgroup %s is not below a step", excerpt);
	if (len >= size)
		return vol_errorf_errno(err, ENOSPC, "cgroup %s is too long",
					excerpt);
	memcpy(buf, line, len);
	buf[len] = '\0';
	return 0;
}
