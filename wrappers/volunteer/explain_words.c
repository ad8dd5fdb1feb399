/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_words.c - figures of the scheduler as people say them; pure */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "explain_words.h"
#include "score.h"
#include "text.h"

#define MINUTE 60
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

const char *vol_words_span(double s, char buf[VOL_WORDS_SIZE])
{
	uint64_t t;

	/* Not so for a NaN, either. */
	if (!(s > 0))
		s = 0;
	t = s < UINT32_MAX ? (uint64_t)(s + 0.5) : UINT32_MAX;
	if (t < 90)
		snprintf(buf, VOL_WORDS_SIZE, "%" PRIu64 "s", t);
	else if ((t + MINUTE / 2) / MINUTE < 60)
		snprintf(buf, VOL_WORDS_SIZE, "%" PRIu64 "m",
			 (t + MINUTE / 2) / MINUTE);
	else if ((t += MINUTE / 2) < 2 * DAY)
		snprintf(buf, VOL_WORDS_SIZE, "%" PRIu64 "h %02" PRIu64 "m",
			 t / HOUR, t % HOUR / MINUTE);
	else
		snprintf(buf, VOL_WORDS_SIZE, "%" PRIu64 "d %02" PRIu64 "h",
			 t / DAY, t % DAY / HOUR);
	return buf;
}

const char *vol_words_chance(double chance, char buf[VOL_WORDS_SIZE])
{
	if (!(chance > 0))
		snprintf(buf, VOL_WORDS_SIZE, "0%%");
	else if (chance < 0.005)
		snprintf(buf, VOL_WORDS_SIZE, "<1%%");
	else if (chance >= 1)
		snprintf(buf, VOL_WORDS_SIZE, "100%%");
	else if (chance > 0.995)
		snprintf(buf, VOL_WORDS_SIZE, ">99%%");
	else
		snprintf(buf, VOL_WORDS_SIZE, "%.0f%%", chance * 100);
	return buf;
}

const char *vol_words_speed(uint32_t speed, char buf[VOL_WORDS_SIZE])
{
	if (speed)
		snprintf(buf, VOL_WORDS_SIZE, "%.1fx",
			 (double)speed / VOL_SCORE_SPEED);
	else
		snprintf(buf, VOL_WORDS_SIZE, "-");
	return buf;
}

const char *vol_words_count(size_t n, const char *noun,
			    char buf[VOL_WORDS_SIZE])
{
	snprintf(buf, VOL_WORDS_SIZE, "%zu %s%s", n, noun, n == 1 ? "" : "s");
	return buf;
}

const char *vol_words_reason(const char *reason)
{
	static const char *const words[][2] = {
		{"None", "Slurm has not looked at it yet"},
		{"Resources", "not enough nodes are free for it"},
		{"Priority", "jobs before it wait for the same nodes"},
		{"Dependency", "it waits for another job"},
		{"DependencyNeverSatisfied",
		 "it waits for a job that did not end as it should"},
		{"PartitionNodeLimit",
		 "it asks for more nodes than the partition allows"},
		{"PartitionTimeLimit",
		 "it asks for more time than the partition allows"},
		{"PartitionConfig",
		 "it asks for something that the partition does not allow"},
		{"PartitionDown", "the partition is switched off"},
		{"PartitionInactive", "the partition is switched off"},
		{"JobHeldAdmin", "an admin has to release it"},
		{"JobHeldUser", "its user has to release it"},
		{"BeginTime",
		 "it is not time yet (a job that was requeued waits, too)"},
		{"Licenses", "it waits for a license"},
		{"Reservation", "it waits for its reservation"},
		{"ReqNodeNotAvail", "a node that it needs is out of service"},
		{"BadConstraints", "no node has what it asks for"},
		{"JobLaunchFailure", "it could not be started"},
		{"NodeDown", "its node went down"},
		{"Cleaning", "its last run is not cleaned up yet"},
		{"JobArrayTaskLimit",
		 "as many tasks of its array run as it allows"},
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i][0], reason) == 0)
			return words[i][1];
	return "a limit of its user, account or QOS is reached";
}

bool vol_words_job(const char *word, uint32_t *id, uint32_t *task)
{
	size_t len = strcspn(word, "_");
	uint64_t number, part = UINT32_MAX;

	if (vol_text_number(word, len, 1, UINT32_MAX - 1, &number) < 0)
		return false;
	if (word[len] && vol_text_number(word + len + 1, strlen(word + len + 1),
					 0, UINT32_MAX - 1, &part) < 0)
		return false;
	*id = (uint32_t)number;
	*task = (uint32_t)part;
	return true;
}
