/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_choice.h - which nodes could take a job now, and in which order; pure
 *
 * What slurmctld with our select plugin would find, as far as it can be told
 * from outside: partition, required and excluded nodes, simple constraints,
 * memory, CPUs and the owners are looked at; GRES, reservations, cores and
 * other users' priorities are not.
 */
#ifndef VOL_EXPLAIN_CHOICE_H
#define VOL_EXPLAIN_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <jansson.h>

#include "device_list.h"
#include "error.h"
#include "request.h"
#include "score.h"

enum vol_choice_kind {
	VOL_CHOICE_FITS,
	VOL_CHOICE_HELD,  /* free, but its owner will likely be back too soon */
	VOL_CHOICE_BUSY,  /* with other jobs */
	VOL_CHOICE_OWNER, /* he is there, or jobs still leave */
	VOL_CHOICE_CLOSED, /* paused, on battery, outside of its hours, ... */
	VOL_CHOICE_NO_LINK,
	VOL_CHOICE_OUT,    /* Slurm has it down, drained or reserved */
	VOL_CHOICE_CANNOT, /* its machine can not go on with a saved job */
	VOL_CHOICE_UNFIT,  /* the job does not want it */
	VOL_CHOICE_KINDS
};

struct vol_choice {
	const char *name; /* borrowed from offers or devices */
	enum vol_choice_kind kind;
	bool device;        /* one of ours */
	unsigned int order; /* 1, 2, ...; alike: the same.  0: does not fit */
	uint32_t weight, speed;
	unsigned int level; /* of what fits */
	uint32_t cost;
	struct vol_score_figures figures; /* of devices that are open */
	char why[320]; /* it does not fit; else what to add, or "" */
};

struct vol_choices {
	struct vol_choice *list; /* owned; those that fit first, in order */
	size_t n;
	size_t devices[VOL_CHOICE_KINDS]; /* how many of ours are what */
	size_t ours;                      /* devices in the job's partition */
	size_t others; /* nodes that fit and are none of ours */
	bool unsure;   /* a constraint too complex to be looked at */
};

/* facts: as the plugin would see the job; image: what discoveryd says of its
 * image (the reply to "image-fits"), or NULL.  -1: no memory. */
int vol_choices_make(const struct vol_slurm_request *r,
		     const struct vol_score_job *facts,
		     const struct vol_slurm_offers *offers,
		     const struct vol_device_list *devices, const json_t *image,
		     time_t now, struct vol_choices *c, struct vol_error *err);
void vol_choices_clear(struct vol_choices *c);

const char *vol_choice_name(enum vol_choice_kind kind);

/* What the plugin tells the scorer of such a job.  How often it saves its state
 * can not be seen from outside, and is left at never. */
void vol_choice_facts(const struct vol_slurm_request *r,
		      struct vol_score_job *facts);

/* Why a device is not open: "owner present since 10:31", "closed: paused until
 * 14:00", "no link to it for 12m". */
void vol_choice_state_words(const struct vol_nodetable_node *node,
			    uint64_t now_s, time_t now, char *buf, size_t size);

/* Do a node's features satisfy a constraint of names, "&" and "|"?  1, 0, or
 * -1 when it has brackets, counts or parentheses. */
int vol_choice_features(const char *constraint, const char *features);

#endif
