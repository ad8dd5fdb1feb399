/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner_view.h - the owner's side of a device's status, for people; pure
 *
 * status is the reply to "status" of a device; of its members any may be
 * missing, and the part of the page that shows it then is, too.
 */
#ifndef VOL_OWNER_VIEW_H
#define VOL_OWNER_VIEW_H

#include <jansson.h>
#include <stdio.h>
#include <time.h>

/* The page of `volunteer status`. */
void vol_owner_view(FILE *out, const json_t *status, time_t now);

/* The paragraph of `volunteer why`. */
void vol_owner_why(FILE *out, const json_t *status, time_t now);

/* What was just asked for and what became of running jobs, for `volunteer
 * pause` and `volunteer resume`. */
void vol_owner_paused(FILE *out, const json_t *status, time_t now);

/* Reactions as bars, {"bounds_us":, "counts":}. */
void vol_reactions_chart(FILE *out, const json_t *reactions);

/* The list of `volunteer log`. */
void vol_owner_log(FILE *out, const json_t *events);

#endif
