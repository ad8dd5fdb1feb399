/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info.c - one line that tells a scientist where a step runs */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "plugin.h"
#include "stepfile.h"

/* Names of the special steps; the numbers are those of slurm.h, the same in
 * every version since 20.11. */
static const struct {
	uint32_t step;
	const char *name;
} special[] = {
	{0xfffffffa, "interactive"},
	{VOL_STEP_BATCH, "batch"},
	{0xfffffffc, "extern"},
};

/* slurm.h's NO_VAL: the array task of a job that is none. */
#define NO_ARRAY_TASK 0xfffffffe

struct text {
	char *buf;
	size_t size, len;
};

static void add(struct text *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *fmt, ...)
{
	size_t room = text->size - text->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text->buf + text->len, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		text->len += (size_t)n < room ? (size_t)n : room - 1;
}

static void add_step(struct text *text, const struct vol_spank_info *info)
{
	add(text, "volunteer: step %" PRIu32 ".", info->job);
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (special[i].step == info->step) {
			add(text, "%s", special[i].name);
			return;
		}
	add(text, "%" PRIu32, info->step);
}

static void add_grant(struct text *text, const struct vol_spank_info *info)
{
	add(text, ": %" PRIu32 " cpu%s", info->cpus,
	    info->cpus == 1 ? "" : "s");
	if (info->cores && info->cores[0])
		add(text, " (cores %s)", info->cores);
	if (info->memory_mb)
		add(text, ", %" PRIu64 " MB of memory", info->memory_mb);
	else
		add(text, ", memory not limited");
	if (info->restarts)
		add(text, ", restart %" PRIu32, info->restarts);
	if (info->cgroup[0])
		add(text, ", cgroup %s", info->cgroup);
}

size_t vol_spank_info_format(const struct vol_spank_info *info, char *buf,
			     size_t size)
{
	/* One byte stays for the newline, whatever is cut. */
	struct text text = {buf, size - 1, 0};

	add_step(&text, info);
	if (info->array_job && info->array_task != NO_ARRAY_TASK)
		add(&text, " (array %" PRIu32 "_%" PRIu32 ")", info->array_job,
		    info->array_task);
	if (info->device[0]) {
		add(&text, " on device %s", info->device);
		add_grant(&text, info);
	} else {
		add(&text, " does not run on a volunteer device");
	}
	buf[text.len++] = '\n';
	buf[text.len] = '\0';
	return text.len;
}
