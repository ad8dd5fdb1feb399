/* SPDX-License-Identifier: GPL-2.0-or-later */
/* member_private.h - between member.c and member_act.c */
#ifndef VOL_MEMBER_PRIVATE_H
#define VOL_MEMBER_PRIVATE_H

#include "member.h"

/* Fire the member's only timer in ms from now (moves an armed one). */
void vol_member_arm(struct vol_member *s, uint64_t ms);
/* What slurmctld says about the node. */
void vol_member_note_node(struct vol_member *s,
			  const struct vol_slurm_node *node);
/* Ask Slurm about the node, now or after the next delay. */
void vol_member_look(struct vol_member *s);
void vol_member_look_later(struct vol_member *s);

#endif
