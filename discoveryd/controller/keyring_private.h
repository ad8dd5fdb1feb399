/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keyring_private.h - between keyring.c (devices), keyring_work.c (files and
 * slurmctld) and keyring_tell.c (people) */
#ifndef VOL_KEYRING_PRIVATE_H
#define VOL_KEYRING_PRIVATE_H

#include <systemd/sd-event.h>

#include "authkey.h"
#include "controller.h"
#include "keyring.h"
#include "registrar.h"
#include "rotation_file.h"

/* Closes or opens partitions, on the registrar's thread. */
struct vol_keyring_errand {
	struct vol_errand errand; /* first */
	struct vol_keyring *k;    /* NULL: nobody waits any more */
	bool up;
	bool find; /* the names are those that are up */
	char names[VOL_ROTATION_PARTITIONS];
	bool failed;
	struct vol_error why;
};

struct vol_keyring {
	struct vol_controller *c;
	char *folder, *record_path, *next_path, *install_path;
	struct vol_authkey current, next;
	struct vol_rotation_record record;
	bool resumed; /* this rotation was begun by a life before this one */
	bool offered; /* install.key was put down: without it, it was taken */
	sd_event_source *timer, *placed;
	struct vol_keyring_errand *errand; /* under way */
	unsigned open_tries;
	/* For people. */
	unsigned serial;
	const char *result;
	char trouble[256];
	uint64_t closed_ms, apart_ms; /* how long */
	size_t have, of;
};

/* Something happened to the rotation (keyring.c). */
void vol_keyring_event(struct vol_keyring *k, enum vol_rotation_event event);
/* (Re)arm the only timer; 0: off. */
void vol_keyring_arm(struct vol_keyring *k, uint64_t ms);
bool vol_keyring_eligible(const struct vol_member *s);
void vol_keyring_trouble(struct vol_keyring *k, const char *text);
uint64_t vol_keyring_wall_ms(void);

/* keyring_work.c */
int vol_keyring_load(struct vol_keyring *k, struct vol_error *err);
int vol_keyring_save(struct vol_keyring *k, struct vol_error *err);
/* Find those that are up, write them down, and close them. */
int vol_keyring_close(struct vol_keyring *k);
/* Open those that were written down, also when they are still being closed:
 * nobody waits for that any more then. */
int vol_keyring_open(struct vol_keyring *k);
/* Put the new key down for slurm-volunteer-auth-key(8); again after -1. */
int vol_keyring_place(struct vol_keyring *k, struct vol_error *err);
/* It was put down, and was taken. */
bool vol_keyring_is_placed(const struct vol_keyring *k);
void vol_keyring_forget_files(struct vol_keyring *k);
void vol_keyring_drop_errand(struct vol_keyring *k);

/* keyring_tell.c */
void vol_keyring_note_done(struct vol_keyring *k);
/* Nodes that get no key from here, "" for none; -1: they are many. */
void vol_keyring_others(const struct vol_controller *c, char *list,
			size_t size);

#endif
