/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tickets_private.h - between tickets.c and tickets_file.c */
#ifndef VOL_TICKETS_PRIVATE_H
#define VOL_TICKETS_PRIVATE_H

#include "tickets.h"

/* 9999-12-31, for people who print it */
#define SECONDS_MAX INT64_C(253402300799)

struct vol_tickets {
	char *path;
	struct vol_ticket *ticket;
	size_t n, size;
	bool dirty;
	time_t clock;       /* the latest time seen ... */
	uint64_t boot_s;    /* ... and when that was, if ticking */
	bool ticking;       /* now was given once in this life */
	time_t saved_clock; /* clock of the file */
};

/* At the end; takes k->used over.  -1 without memory. */
int vol_tickets_append(struct vol_tickets *t, const struct vol_ticket *k);

#endif
