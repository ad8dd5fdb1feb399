/* SPDX-License-Identifier: GPL-2.0-or-later */
/* presence.h - what the sensors say, and what follows from all of them; pure
 *
 * A sensor claims the machine for its owner (PRESENT), or says since when it
 * has no claim (AWAY), or can not tell (UNKNOWN).  Power, heat and sleep are
 * sensors like the keyboard: whatever claims the machine, jobs have to yield.
 * One rule fuses them: the machine is free when every sensor that counts has
 * been away for the idle time.  A sensor that does not know counts as a claim
 * if policy names it, and is left out otherwise; if none is left that watches
 * people (input ... load) and knows, the machine is not free either (blind
 * means busy).
 *
 * What people read must not change with every key: as long as the machine is
 * claimed in the same words, since_ms stays where it was first, also over
 * breaks shorter than the idle time.  So a sensor of moments (a key, a touched
 * terminal) need not pretend that they last: AWAY since the last one will do,
 * and a sensor whose claim comes and goes reports just that.
 *
 * Times are milliseconds of CLOCK_BOOTTIME, so that a night asleep counts.
 */
#ifndef VOL_PRESENCE_H
#define VOL_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which they are named when several claim the machine. */
enum vol_sensor {
	VOL_SENSOR_INPUT,      /* keyboard, mouse, input_devices */
	VOL_SENSOR_SESSIONS,   /* logind: login, unlock, graphical idle */
	VOL_SENSOR_TERMINALS,  /* keys typed over ssh and on consoles */
	VOL_SENSOR_INHIBITORS, /* a film, a call */
	VOL_SENSOR_LOAD,       /* CPU of everything that is not a job */
	VOL_SENSOR_PRESSURE,   /* tasks of the owner wait for memory or disk */
	VOL_SENSOR_POWER,      /* on battery, lid closed on battery */
	VOL_SENSOR_HEAT,       /* above the temperature ceiling */
	VOL_SENSOR_SLEEP,      /* about to sleep or to shut down */
	VOL_SENSORS
};

enum vol_says { VOL_SAYS_UNKNOWN, VOL_SAYS_PRESENT, VOL_SAYS_AWAY };

#define VOL_DETAIL_SIZE 96

struct vol_reading {
	enum vol_says says;
	/* PRESENT, UNKNOWN: since when.  AWAY: when the last claim ended; for
	 * a sensor that has seen none yet, when it began to look. */
	uint64_t since_ms;
	/* What a person may read: "session 3 of ann is active",
	 * "no permission for /dev/input"; may be "". */
	char detail[VOL_DETAIL_SIZE];
	bool never; /* AWAY: no claim was seen yet, since_ms is when it began
		     * to look */
};

/* Bits 1u << enum vol_sensor. */
typedef uint32_t vol_sensor_set;

struct vol_presence {
	enum vol_says says;
	enum vol_sensor sensor; /* that decides: sleep while it is PRESENT; of
				 * several claims the first in the order above,
				 * those of "never" last; of none the one that
				 * was away for the shortest time; VOL_SENSORS
				 * when there is none that knows */
	bool over;         /* PRESENT, but the sensor is AWAY by now: only the
			    * idle time is waited for */
	bool never;        /* ... and has seen nobody at all: it began to look
			    * less than the idle time ago */
	uint64_t since_ms; /* PRESENT, UNKNOWN: since when without a break;
			    * AWAY: the last claim of all ended then */
	uint64_t next_ms;  /* by time alone the answer changes then at the
			    * earliest; UINT64_MAX = never */
	char detail[VOL_DETAIL_SIZE];
};

/* unknown_counts: sensors whose UNKNOWN is a claim.  A sensor that is away for
 * less than idle_ms still claims the machine.  *presence is the answer before
 * this one (its since_ms is needed), all zero at first. */
void vol_presence_fuse(const struct vol_reading readings[VOL_SENSORS],
		       vol_sensor_set unknown_counts, uint64_t idle_ms,
		       uint64_t now_ms, struct vol_presence *presence);

/* "input", "sessions", ...; "none" for VOL_SENSORS. */
const char *vol_sensor_name(enum vol_sensor sensor);
/* VOL_SENSORS when it is none. */
enum vol_sensor vol_sensor_by_name(const char *name, size_t len);
/* How a claim of this sensor is told to people who are not the owner: "owner
 * present", "owner's programs are busy", "on battery", ...; "" for
 * VOL_SENSORS.  Sensors with the same words share since_ms. */
const char *vol_sensor_claim(enum vol_sensor sensor);
const char *vol_says_name(enum vol_says says);

#endif
