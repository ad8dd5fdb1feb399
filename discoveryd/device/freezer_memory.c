/* SPDX-License-Identifier: GPL-2.0-or-later */
/* freezer_memory.c - what steps use: memory given back, CPU time limited */
#include "config.h"

#include "device/freezer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "device/freezer_private.h"

/* The kernel's own default, in microseconds. */
#define CPU_PERIOD 100000

/* ---- memory ---- */

static int64_t read_number(int fd)
{
	char text[32];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return -1;
	text[n] = '\0';
	return strtoll(text, NULL, 10);
}

/* The table has a line of headings; zram is in it, too. */
static bool have_swap(void)
{
	cleanup_file FILE *fp = fopen("/proc/swaps", "re");
	char line[256];

	return fp && fgets(line, sizeof(line), fp) &&
	       fgets(line, sizeof(line), fp);
}

/* The files of the index-th step, if it is frozen.  False when there is no such
 * step.  They are opened here, not kept: this is no hot path, and the write
 * that follows may take long and must not be done under a lock. */
static bool open_memory(struct vol_freezer *f, unsigned index, int *current,
			int *reclaim)
{
	const struct vol_frozen_step *s;

	*current = *reclaim = -1;
	pthread_mutex_lock(&f->slow);
	for (s = f->steps; s && index > 0; s = s->next)
		index--;
	if (s && (f->closed || s->hold)) {
		*current = vol_frozen_step_file(s, "memory.current", O_RDONLY);
		*reclaim = vol_frozen_step_file(s, "memory.reclaim", O_WRONLY);
	}
	pthread_mutex_unlock(&f->slow);
	return s != NULL;
}

/* Bytes that went. */
static int64_t reclaim_one(int current, int reclaim, uint64_t want)
{
	int64_t before = read_number(current), after;
	char text[32];
	int len;

	if (before <= 0)
		return 0;
	if (want > (uint64_t)before)
		want = (uint64_t)before;
	len = snprintf(text, sizeof(text), "%" PRIu64, want);
	/* EAGAIN: less than asked for.  What counts is what is gone. */
	(void)!write(reclaim, text, (size_t)len);
	after = read_number(current);
	return after >= 0 && after < before ? before - after : 0;
}

int64_t vol_freezer_reclaim(struct vol_freezer *f, uint64_t chunk,
			    struct vol_error *err)
{
	bool looked = false, able = false;
	int64_t gone = 0;

	for (unsigned i = 0; (uint64_t)gone < chunk; i++) {
		cleanup_fd int current = -1, reclaim = -1;

		if (!open_memory(f, i, &current, &reclaim))
			break;
		looked = true;
		if (current < 0 || reclaim < 0)
			continue;
		if (!have_swap())
			return vol_errorf_errno(err, ENOSPC,
						"no swap and no zram");
		able = true;
		gone += reclaim_one(current, reclaim, chunk - (uint64_t)gone);
	}
	if (looked && !able)
		return vol_errorf_errno(err, ENOTSUP, "no memory.reclaim here");
	return gone;
}

/* A line of memory.stat, "anon 4096"; 0: there is none. */
static uint64_t find_stat(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) == 0 && line[len] == ' ')
			return strtoull(line + len, NULL, 10);
	}
	return 0;
}

uint64_t vol_freezer_memory(struct vol_freezer *f, pid_t stepd)
{
	const struct vol_frozen_step *s;
	cleanup_fd int fd = -1;
	char text[8192];
	ssize_t n;

	pthread_mutex_lock(&f->slow);
	for (s = f->steps; s && s->info.stepd != stepd; s = s->next)
		;
	if (s)
		fd = vol_frozen_step_file(s, "memory.stat", O_RDONLY);
	pthread_mutex_unlock(&f->slow);
	n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return find_stat(text, "anon") + find_stat(text, "shmem");
}

/* ---- CPU time ---- */

int vol_frozen_step_throttle(const struct vol_frozen_step *s, uint32_t pct)
{
	cleanup_fd int fd = vol_frozen_step_file(s, "cpu.max", O_WRONLY);
	char text[48];
	int len;

	if (fd < 0)
		return -1;
	if (pct)
		len = snprintf(text, sizeof(text), "%" PRIu64 " %d",
			       (uint64_t)pct * CPU_PERIOD / 100, CPU_PERIOD);
	else
		len = snprintf(text, sizeof(text), "max %d", CPU_PERIOD);
	return write(fd, text, (size_t)len) == len ? 0 : -1;
}

int vol_freezer_throttle(struct vol_freezer *f, uint32_t pct,
			 struct vol_error *err)
{
	int rc = 0, saved = 0;

	pthread_mutex_lock(&f->slow);
	f->cpu_pct = pct;
	for (const struct vol_frozen_step *s = f->steps; s; s = s->next)
		if (vol_frozen_step_throttle(s, pct) < 0 && errno != ENODEV) {
			saved = errno == ENOENT ? ENOTSUP : errno;
			rc = -1;
		}
	pthread_mutex_unlock(&f->slow);
	if (rc < 0)
		return vol_errorf_errno(err, saved, "cpu.max: %s",
					saved == ENOTSUP ? "no cpu controller"
							 : strerror(saved));
	return 0;
}

/* ---- for status ---- */

static json_t *step_json(const struct vol_frozen_step *s)
{
	cleanup_fd int fd = vol_frozen_step_file(s, "memory.current", O_RDONLY);
	int64_t memory = fd < 0 ? -1 : read_number(fd);
	json_t *one =
		json_pack("{s:I, s:b, s:I}", "stepd", (json_int_t)s->info.stepd,
			  "frozen", vol_frozen_step_running(s) < 0, "tasks",
			  (json_int_t)s->info.tasks);

	json_object_set_new(one, "memory",
			    memory < 0 ? json_null() : json_integer(memory));
	if (s->info.job) {
		json_object_set_new(one, "job", json_integer(s->info.job));
		json_object_set_new(one, "step", json_integer(s->info.step));
		json_object_set_new(one, "uid",
				    json_integer((json_int_t)s->info.uid));
	}
	return one;
}

json_t *vol_freezer_json(struct vol_freezer *f)
{
	json_t *list = json_array();

	pthread_mutex_lock(&f->slow);
	for (const struct vol_frozen_step *s = f->steps; s; s = s->next)
		json_array_append_new(list, step_json(s));
	pthread_mutex_unlock(&f->slow);
	return list;
}
