/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readings.h - what all sensors say, in few characters
 *
 *	input+30      present since 30 s
 *	input-30      away since 30 s
 *	input~30      away, has been looking for 30 s and seen nothing
 *	input?30      unknown since 30 s
 * separated by blanks; sensors that are not named are away for an hour.
 */
#ifndef VOL_READINGS_H
#define VOL_READINGS_H

#include "presence.h"
#include "vtest.h"

static inline void readings_word(const char *word, uint64_t now_ms,
				 struct vol_reading readings[VOL_SENSORS])
{
	size_t len = strcspn(word, "+-~?");
	enum vol_sensor sensor = vol_sensor_by_name(word, len);
	struct vol_reading *r = &readings[sensor];

	assert_true(sensor < VOL_SENSORS);
	r->says = word[len] == '+'   ? VOL_SAYS_PRESENT
		  : word[len] == '?' ? VOL_SAYS_UNKNOWN
				     : VOL_SAYS_AWAY;
	r->never = word[len] == '~';
	r->since_ms = now_ms - strtoull(word + len + 1, NULL, 10) * 1000;
	snprintf(r->detail, sizeof(r->detail), "%s", word);
}

static inline void readings_set(const char *text, uint64_t now_ms,
				struct vol_reading readings[VOL_SENSORS])
{
	char words[256], *word, *more;
	int i;

	memset(readings, 0, VOL_SENSORS * sizeof(*readings));
	for (i = 0; i < VOL_SENSORS; i++) {
		readings[i].says = VOL_SAYS_AWAY;
		readings[i].since_ms = now_ms - 3600 * 1000;
	}
	snprintf(words, sizeof(words), "%s", text);
	for (word = strtok_r(words, " ", &more); word;
	     word = strtok_r(NULL, " ", &more))
		readings_word(word, now_ms, readings);
}

#endif
