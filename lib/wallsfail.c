/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wallsfail.c - how a job step tells discoveryd that a wall could not be built
 *
 * libc only: it is linked into slurmstepd.
 */
#include "config.h"

#include "wallsfail.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "keyvalue.h"
#include "text.h"

#define VERSION 1

enum key { KEY_VERSION, KEY_JOB, KEY_REASON };
#define N_KEYS (KEY_REASON + 1)

static const char *const keys[N_KEYS] = {"version", "job", "reason"};

void vol_wallsfail_set(struct vol_wallsfail *fail, uint32_t job,
		       const char *reason)
{
	size_t n = 0;

	memset(fail, 0, sizeof(*fail));
	fail->job = job;
	if (!reason || !*reason)
		reason = "unknown";
	for (; *reason && n < sizeof(fail->reason) - 1; reason++)
		fail->reason[n++] = vol_char_printable((unsigned char)*reason)
					    ? *reason
					    : '?';
}

static const char *reason_problem(const char *reason, size_t len)
{
	if (len == 0)
		return "empty";
	if (len >= VOL_WALLSFAIL_REASON_SIZE)
		return "too long";
	for (size_t i = 0; i < len; i++)
		if (!vol_char_printable((unsigned char)reason[i]))
			return "forbidden character";
	return NULL;
}

static int take(int key, const char *value, size_t len, void *arg,
		struct vol_error *err)
{
	struct vol_wallsfail *fail = arg;
	const char *problem = reason_problem(value, len);
	char shown[VOL_EXCERPT_SIZE];
	uint64_t number;

	vol_text_excerpt(value, len, shown);
	if (key == KEY_REASON) {
		if (problem)
			return vol_errorf_errno(err, EINVAL, "%s: %s", shown,
						problem);
		memcpy(fail->reason, value, len);
		return 0;
	}
	if (vol_text_number(value, len, key == KEY_VERSION ? VERSION : 0,
			    key == KEY_VERSION ? VERSION : UINT32_MAX,
			    &number) < 0)
		return vol_errorf_errno(err, EINVAL, "%s is not a number of it",
					shown);
	if (key == KEY_JOB)
		fail->job = (uint32_t)number;
	return 0;
}

int vol_wallsfail_parse(const char *name, const char *text, size_t len,
			struct vol_wallsfail *fail, struct vol_error *err)
{
	static const struct vol_keyvalue format = {keys, N_KEYS, N_KEYS,
						   VOL_WALLSFAIL_MAX, take};
	struct vol_wallsfail parsed = {0};

	if (vol_keyvalue_parse(&format, name, text, len, &parsed, err) < 0)
		return -1;
	*fail = parsed;
	return 0;
}

int vol_wallsfail_format(const struct vol_wallsfail *fail, char *buf,
			 size_t size)
{
	int n;

	if (reason_problem(fail->reason,
			   strnlen(fail->reason, sizeof(fail->reason)))) {
		errno = EINVAL;
		return -1;
	}
	n = snprintf(buf, size, "version=%d\njob=%" PRIu32 "\nreason=%s\n",
		     VERSION, fail->job, fail->reason);
	if (n < 0 || (size_t)n >= size) {
		errno = ENOSPC;
		return -1;
	}
	return n;
}
