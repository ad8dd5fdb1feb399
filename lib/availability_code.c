/* SPDX-License-Identifier: GPL-2.0-or-later */
/* availability_code.c - the model of one device as bytes
 *
 * Little-endian:
 *	  0  4    "VAv1"
 *	  4  4    checksum: FNV-1a over bytes 8-511
 *	  8  8    now
 *	 16  8    since
 *	 24  2*4  Z: returned, expected, in 1/65536
 *	 32  9*4  each length's returned and expected, u16 in 1/256
 *	 68  336  a bit a quarter: open all the time
 *	404  84   a bit an hour: its four quarters are known
 *	488  8    it was open when it was seen last, then; 0: it was not
 *	496  16   zero
 */
#include "config.h"

#include "availability.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "availability_private.h"

#define AT_CHECKSUM 4
#define AT_NOW      8
#define AT_SINCE    16
#define AT_Z        24
#define AT_AGES     32
#define AT_OPEN     (AT_AGES + 4 * AGES)
#define AT_KNOWN    (AT_OPEN + RING_SLOTS / 8)
#define AT_SEEN     (AT_KNOWN + RING_SLOTS / 4 / 8)
#define AT_END      (AT_SEEN + 8)
#define Z_UNIT      65536.0
#define AGE_UNIT    256.0

_Static_assert(AT_END <= VOL_AVAILABILITY_SIZE, "does not fit");

static void put(uint8_t *p, unsigned int bytes, uint64_t value)
{
	for (unsigned int i = 0; i < bytes; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *p, unsigned int bytes)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint64_t)p[i] << 8 * i;
	return value;
}

static uint32_t checksum(const uint8_t *buf)
{
	uint32_t sum = 2166136261u;

	for (unsigned int i = AT_NOW; i < VOL_AVAILABILITY_SIZE; i++)
		sum = (sum ^ buf[i]) * 16777619u;
	return sum;
}

static uint64_t fixed(double value, double unit, double max)
{
	return (uint64_t)fmin(fmax(value * unit + 0.5, 0), max);
}

void vol_availability_encode(const struct vol_availability *a,
			     uint8_t buf[VOL_AVAILABILITY_SIZE])
{
	memset(buf, 0, VOL_AVAILABILITY_SIZE);
	memcpy(buf, "VAv1", 4);
	put(buf + AT_NOW, 8, (uint64_t)a->now);
	put(buf + AT_SINCE, 8, (uint64_t)a->since);
	put(buf + AT_Z, 4, fixed(a->returned, Z_UNIT, UINT32_MAX));
	put(buf + AT_Z + 4, 4, fixed(a->expected, Z_UNIT, UINT32_MAX));
	for (unsigned int i = 0; i < AGES; i++) {
		uint8_t *p = buf + AT_AGES + 4 * i;

		put(p, 2, fixed(a->age[i].returned, AGE_UNIT, UINT16_MAX));
		put(p + 2, 2, fixed(a->age[i].expected, AGE_UNIT, UINT16_MAX));
	}
	for (unsigned int i = 0; i < RING_SLOTS; i++)
		buf[AT_OPEN + i / 8] |= (uint8_t)(bit(a->open, i) << i % 8);
	for (unsigned int i = 0; i < RING_SLOTS / 4; i++) {
		bool known = bit(a->known, 4 * i) && bit(a->known, 4 * i + 1) &&
			     bit(a->known, 4 * i + 2) &&
			     bit(a->known, 4 * i + 3);

		buf[AT_KNOWN + i / 8] |= (uint8_t)(known << i % 8);
	}
	if (a->is == VOL_AVAILABLE_YES)
		put(buf + AT_SEEN, 8, (uint64_t)a->now);
	else if (a->is == VOL_AVAILABLE_UNKNOWN && a->was_open)
		put(buf + AT_SEEN, 8, (uint64_t)a->seen);
	put(buf + AT_CHECKSUM, 4, checksum(buf));
}

static void read_bits(struct vol_availability *a, const uint8_t *buf)
{
	for (unsigned int i = 0; i < RING_SLOTS; i++) {
		unsigned int hour = i / 4;
		uint64_t mask = 1ull << i % 64;

		if (!(buf[AT_KNOWN + hour / 8] >> hour % 8 & 1))
			continue;
		a->known[i / 64] |= mask;
		if (buf[AT_OPEN + i / 8] >> i % 8 & 1)
			a->open[i / 64] |= mask;
	}
}

struct vol_availability *vol_availability_decode(const uint8_t *buf,
						 size_t size,
						 struct vol_error *err)
{
	struct vol_availability *a;
	uint64_t now, since, seen;

	if (!buf || size != VOL_AVAILABILITY_SIZE ||
	    memcmp(buf, "VAv1", 4) != 0 ||
	    get(buf + AT_CHECKSUM, 4) != checksum(buf)) {
		vol_errorf_errno(err, EINVAL,
				 "not an availability, or damaged");
		return NULL;
	}
	now = get(buf + AT_NOW, 8);
	since = get(buf + AT_SINCE, 8);
	seen = get(buf + AT_SEEN, 8);
	if (now > TIME_MAX || since > now || seen > now) {
		vol_errorf_errno(err, EINVAL,
				 "an availability of another time");
		return NULL;
	}
	a = vol_availability_blank((int64_t)now);
	if (!a) {
		vol_errorf_errno(err, ENOMEM, "no memory");
		return NULL;
	}
	a->since = (int64_t)since;
	a->seen = (int64_t)seen;
	a->was_open = seen > 0;
	a->returned = (double)get(buf + AT_Z, 4) / Z_UNIT;
	a->expected = (double)get(buf + AT_Z + 4, 4) / Z_UNIT;
	for (unsigned int i = 0; i < AGES; i++) {
		const uint8_t *p = buf + AT_AGES + 4 * i;

		a->age[i].returned = (double)get(p, 2) / AGE_UNIT;
		a->age[i].expected = (double)get(p + 2, 2) / AGE_UNIT;
	}
	read_bits(a, buf);
	vol_availability_derive(a);
	return a;
}
