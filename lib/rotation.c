/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rotation.c - a new Slurm key for all devices and the controller */
#include "config.h"

#include "rotation.h"

#include <string.h>

#define NONE    VOL_ROTATION_NONE
#define PREPARE VOL_ROTATION_PREPARE
#define CLOSE   VOL_ROTATION_CLOSE
#define TURN    VOL_ROTATION_TURN
#define SELF    VOL_ROTATION_SELF
#define OPEN    VOL_ROTATION_OPEN
#define UNDO    VOL_ROTATION_UNDO

#define DO(_what) VOL_ROTATION_DO_##_what

/* All that may happen; what is not here changes nothing.  PREPARE is never on
 * disk, NONE is no file. */
static const struct {
	enum vol_rotation_phase from;
	enum vol_rotation_event event;
	enum vol_rotation_phase to;
	unsigned todo;
} table[] = {
	{NONE, VOL_ROTATION_BEGIN, PREPARE, DO(SEND)},

	{PREPARE, VOL_ROTATION_PREPARED, CLOSE, DO(CLOSE)},
	{PREPARE, VOL_ROTATION_STOP, NONE, DO(DROP)},
	{PREPARE, VOL_ROTATION_FAIL, NONE, DO(DROP)},

	/* Saved by whoever closes them: with their names. */
	{CLOSE, VOL_ROTATION_CLOSED, TURN, DO(SAVE) | DO(SEND)},
	{CLOSE, VOL_ROTATION_STOP, UNDO, DO(SAVE) | DO(OPEN)},
	{CLOSE, VOL_ROTATION_FAIL, UNDO, DO(SAVE) | DO(OPEN)},
	{CLOSE, VOL_ROTATION_START, UNDO, DO(SAVE) | DO(OPEN)},

	{UNDO, VOL_ROTATION_OPENED, NONE, DO(SAVE) | DO(DROP)},
	{UNDO, VOL_ROTATION_START, UNDO, DO(OPEN)},

	{TURN, VOL_ROTATION_TURNED, SELF, DO(SAVE) | DO(PLACE)},
	{TURN, VOL_ROTATION_START, TURN, DO(SEND)},

	{SELF, VOL_ROTATION_PLACED, OPEN, DO(SAVE) | DO(OPEN)},
	{SELF, VOL_ROTATION_START, SELF, DO(PLACE)},

	{OPEN, VOL_ROTATION_OPENED, NONE, DO(SAVE) | DO(DONE)},
	{OPEN, VOL_ROTATION_START, OPEN, DO(OPEN)},
};

unsigned vol_rotation_step(enum vol_rotation_phase *phase,
			   enum vol_rotation_event event)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].from != *phase || table[i].event != event)
			continue;
		*phase = table[i].to;
		return table[i].todo;
	}
	return DO(WRONG);
}

bool vol_rotation_turning(enum vol_rotation_phase phase)
{
	return phase == TURN || phase == SELF || phase == OPEN;
}

enum vol_rotation_send vol_rotation_due(enum vol_rotation_phase phase,
					const char *current, const char *next,
					const struct vol_rotation_device *d)
{
	bool turning = vol_rotation_turning(phase);
	const char *wanted = turning ? next : current;

	if (!d->approved || !d->allowed || !d->proven || !*wanted)
		return VOL_SEND_NOTHING;
	if (strcmp(d->has, wanted) != 0)
		return turning && strcmp(d->next, next) == 0 ? VOL_SEND_TURN
							     : VOL_SEND_KEY_NOW;
	if (phase == PREPARE && *next && strcmp(d->next, next) != 0)
		return VOL_SEND_KEY_NEXT;
	return VOL_SEND_NOTHING;
}

const char *vol_rotation_phase_name(enum vol_rotation_phase phase)
{
	static const char *const names[] = {
		[NONE] = "none", [PREPARE] = "prepare", [CLOSE] = "close",
		[TURN] = "turn", [SELF] = "self",       [OPEN] = "open",
		[UNDO] = "undo",
	};

	return phase <= UNDO ? names[phase] : "unknown";
}
