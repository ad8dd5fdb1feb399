/* SPDX-License-Identifier: GPL-2.0-or-later */
/* names.h - node names out of host names, and device identities
 *
 * Slurm expands brackets, commas and trailing numbers in node names and gives
 * one device's address to another that claims its name, so a name is made
 * here from a whitelist and made unique by the registry.
 */
#ifndef VOL_NAMES_H
#define VOL_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/* 63 + NUL: a DNS label, and what Slurm prints without cutting. */
#define VOL_NODE_NAME_SIZE 64
/* 128 bits in lower-case hex + NUL. */
#define VOL_DEVICE_ID_SIZE 33

/* First DNS label of host, lower case, [a-z0-9-] with other characters turned
 * into '-', no '-' at either end, at most 48 characters (room for a suffix).
 * "device" when nothing is left or the result is only digits.
 * Words that Slurm or we reserve (all, volunteer, default, localhost, dynamic,
 * none, nodeset, unlimited, ...) get "-device" appended. */
void vol_node_name_from_host(const char *host, char name[VOL_NODE_NAME_SIZE]);

/* name with the suffix "-N" for N >= 2, as is for N = 1. */
void vol_node_name_nth(const char *base, unsigned n,
		       char name[VOL_NODE_NAME_SIZE]);

/* Is this a name the functions above could have made? */
bool vol_node_name_valid(const char *name);

/* 32 lower-case hex digits? */
bool vol_device_id_valid(const char *id);

/* Fill id from getrandom(2). */
int vol_device_id_make(char id[VOL_DEVICE_ID_SIZE], struct vol_error *err);

#endif
