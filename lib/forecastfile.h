/* SPDX-License-Identifier: GPL-2.0-or-later */
/* forecastfile.h - what the controller remembers of its devices' owners, as one
 * file; pure
 *
 * STATE_DIR/forecast, replaced as a whole.  Little-endian:
 *
 *	header    VOL_FORECASTFILE_HEADER bytes
 *	   0  char[8]   "VOLFCAST"
 *	   8  u32       version, VOL_FORECASTFILE_VERSION
 *	  12  u32       n: number of records that follow
 *	  16  i64       saved: when, on the clock of availability.h (seconds of
 *	                local wall clock since 1970-01-01 00:00)
 *	  24  u64       FNV-1a (64 bit) of bytes 8-23 and of all records
 *	records   n * VOL_FORECASTFILE_RECORD bytes, ids ascending, each once
 *	   0  char[32]  identity of the device
 *	  32  u32       evictions of jobs by its owner, ever
 *	  36  u32       newest slot of the last week's evictions (tally.h)
 *	  40  i64       the last eviction, Unix seconds, 0 = never
 *	  48  u16[56]   slots
 *	 160  u8[512]   vol_availability_encode
 *
 * To make one by hand, stop discoveryd, write it, start discoveryd: devices
 * that are not in the registry are dropped at the next write.
 */
#ifndef VOL_FORECASTFILE_H
#define VOL_FORECASTFILE_H

#include <stddef.h>
#include <stdint.h>

#include "availability.h"
#include "error.h"
#include "names.h"
#include "tally.h"

#define VOL_FORECASTFILE_NAME    "forecast" /* in the controller's state_dir */
#define VOL_FORECASTFILE_VERSION 1
#define VOL_FORECASTFILE_HEADER  32
#define VOL_FORECASTFILE_RECORD  (160 + VOL_AVAILABILITY_SIZE)
/* As many as the node table can hold. */
#define VOL_FORECASTFILE_DEVICES 65536
#define VOL_FORECASTFILE_MAX       \
	(VOL_FORECASTFILE_HEADER + \
	 VOL_FORECASTFILE_DEVICES * VOL_FORECASTFILE_RECORD)

struct vol_forecastfile_record {
	char id[VOL_DEVICE_ID_SIZE];
	struct vol_tally evictions;
	uint8_t model[VOL_AVAILABILITY_SIZE]; /* not looked into here */
};

/* Writing: a buffer for n records (malloc'ed, its length in *len; NULL with
 * ENOMEM), each put once in ascending order of ids, then sealed. */
uint8_t *vol_forecastfile_new(uint32_t n, int64_t saved, size_t *len);
void vol_forecastfile_put(uint8_t *buf, uint32_t i,
			  const struct vol_forecastfile_record *record);
void vol_forecastfile_seal(uint8_t *buf);

/* Reading: check a whole file; -1 with EINVAL and what is wrong with it. */
int vol_forecastfile_check(const uint8_t *buf, size_t len, uint32_t *n,
			   int64_t *saved, struct vol_error *err);
/* One record of a checked one. */
void vol_forecastfile_get(const uint8_t *buf, uint32_t i,
			  struct vol_forecastfile_record *record);
/* The place of a device in a checked one; UINT32_MAX: it is not there. */
uint32_t vol_forecastfile_find(const uint8_t *buf, uint32_t n, const char *id);

#endif
