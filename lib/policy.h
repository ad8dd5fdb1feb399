/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.h - what the owner allows, and whether that means "open" now; pure
 *
 * The owner's preferences of device.conf ([owner] and [jobs]), as a part of
 * struct vol_device_conf, and one function that puts them together with
 * presence and circumstances into a verdict.
 */
#ifndef VOL_POLICY_H
#define VOL_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "error.h"
#include "hours.h"
#include "presence.h"

/* What happens to jobs when the machine is claimed. */
enum vol_reaction { VOL_REACT_FREEZE, VOL_REACT_THROTTLE, VOL_REACT_EVICT };

struct vol_policy {
	uint64_t idle_after_ms;
	struct vol_hours hours;    /* when jobs are welcome at all */
	bool on_battery;           /* run on battery, too */
	uint32_t max_load_pct;     /* owner's CPU use, of the whole machine */
	uint32_t max_celsius;      /* 0 = not looked at */
	uint32_t max_pressure_pct; /* memory PSI "some avg10" at which parked
				    * jobs are evicted early */
	int reaction;              /* enum vol_reaction */
	uint64_t parked_max_ms;    /* parked for longer: evict */
	/* srun and salloc jobs can not be requeued: they are cancelled after
	 * this; 0 = like parked_max. */
	uint64_t interactive_max_ms;
	vol_sensor_set unknown_is_present;
};

/* Everything besides presence that decides. */
struct vol_circumstances {
	uint64_t now_ms; /* CLOCK_BOOTTIME */
	time_t wall;     /* for hours and for reasons; local time zone */
	bool paused;
	time_t pause_until; /* 0 = until resumed */
	bool leaving;       /* discoveryd is being stopped */
	bool cut_off;       /* the controller was not heard for too long */
	bool blind;         /* parts of the daemon failed: say so in detail */
	const char *walls;  /* NULL: they stand; else why a job has none */
};

/* Why the machine is not open; the first that holds, in this order. */
enum vol_cause {
	VOL_CAUSE_NONE, /* it is open */
	VOL_CAUSE_LEAVING,
	VOL_CAUSE_SLEEP, /* sensor sleep: everything must be gone in seconds */
	VOL_CAUSE_BLIND,
	VOL_CAUSE_WALLS, /* no job could be walled in */
	VOL_CAUSE_PAUSED,
	VOL_CAUSE_HOURS,
	VOL_CAUSE_OWNER,   /* a sensor's claim: presence.sensor */
	VOL_CAUSE_CUT_OFF, /* no link to the controller */
};

#define VOL_WHY_SIZE 160
/* How a "why" of VOL_CAUSE_WALLS begins; the controller looks for it. */
#define VOL_WHY_WALLS "sandbox: "

struct vol_verdict {
	bool open;
	bool urgent;  /* do not wait for parked_max: evict now */
	bool cut_off; /* nobody can be asked to evict, whatever the cause */
	enum vol_cause cause;
	uint64_t next_ms; /* look again then, whatever happens */
	/* The moment that why tells, for the next time: a clock that is set
	 * or rounds differently must not change the text. */
	uint64_t told_ms;
	time_t told_wall;
	/* For sinfo and people, printable ASCII without the prefix of our
	 * reasons and without figures that change while the cause stays:
	 * "owner present since 10:31", "paused until 14:00", "on battery",
	 * "outside the owner's hours until 18:00", "no input sensor works". */
	char why[VOL_WHY_SIZE];
};

/* *verdict is the one before this one, all zero at first.  on_battery, max_load
 * and max_celsius are the sensors' business. */
void vol_policy_decide(const struct vol_policy *policy,
		       const struct vol_presence *presence,
		       const struct vol_circumstances *now,
		       struct vol_verdict *verdict);

/* "input,load" into a set; "none" is empty.  EINVAL names the word. */
int vol_sensor_set_parse(const char *text, vol_sensor_set *set,
			 struct vol_error *err);

/* Is name in a list "ann, bob"?  An empty or NULL list and "all" hold
 * everybody, a list without a name (",") nobody. */
bool vol_list_welcomes(const char *list, const char *name);

const char *vol_cause_name(enum vol_cause cause);

#endif
