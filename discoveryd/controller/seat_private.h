/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seat_private.h - between seat.c and seat_act.c */
#ifndef VOL_SEAT_PRIVATE_H
#define VOL_SEAT_PRIVATE_H

#include "seat.h"

/* Fire the seat's only timer in ms from now (moves an armed one). */
void vol_seat_arm(struct vol_seat *s, uint64_t ms);
/* Ask Slurm about the node, now or after the next delay. */
void vol_seat_look(struct vol_seat *s);
void vol_seat_look_later(struct vol_seat *s);

#endif
