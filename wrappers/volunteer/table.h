/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table.h - aligned text for people, from JSON */
#ifndef VOL_TABLE_H
#define VOL_TABLE_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* A column: its heading and the member it shows.  Members that end in _mb, _s
 * and _ms are shown with a unit; "last_seen" and
 * those that end in _at and _since as the time since then. */
struct vol_column {
	const char *heading;
	const char *member;
};

/* One row per object of list.  columns ends with a NULL heading. */
void vol_table_print(FILE *out, const json_t *list,
		     const struct vol_column *columns, time_t now);

/* "member  value" lines, aligned; objects inside become "outer inner". */
void vol_table_print_object(FILE *out, const json_t *object, time_t now);

/* One value as text, after the name of its member; returns buf. */
const char *vol_table_cell(const char *member, const json_t *value, time_t now,
			   char *buf, size_t size);

/* Whole seconds, from an hour on whole minutes, from two days on whole hours;
 * returns buf. */
const char *vol_table_duration(uint64_t ms, char *buf, size_t size);

#endif
