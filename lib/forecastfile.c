/* SPDX-License-Identifier: GPL-2.0-or-later */
/* forecastfile.c - what the controller remembers of its devices' owners, as one
 * file */
#include "config.h"

#include "forecastfile.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC    "VOLFCAST"
#define ID_CHARS (VOL_DEVICE_ID_SIZE - 1)

enum { AT_VERSION = 8, AT_N = 12, AT_SAVED = 16, AT_CHECKSUM = 24 };
enum {
	AT_TOTAL = 32,
	AT_NEWEST = 36,
	AT_LAST = 40,
	AT_SLOTS = 48,
	AT_MODEL = 160,
};

_Static_assert(AT_SLOTS + 2 * VOL_TALLY_SLOTS == AT_MODEL, "layout");
_Static_assert(AT_MODEL + VOL_AVAILABILITY_SIZE == VOL_FORECASTFILE_RECORD,
	       "layout");

static void put16(uint8_t *p, uint16_t v)
{
	v = htole16(v);
	memcpy(p, &v, sizeof(v));
}

static void put32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static void put64(uint8_t *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

static uint16_t get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static uint64_t fnv(uint64_t hash, const uint8_t *p, size_t len)
{
	while (len-- > 0)
		hash = (hash ^ *p++) * UINT64_C(1099511628211);
	return hash;
}

static uint64_t checksum(const uint8_t *buf, uint32_t n)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	hash = fnv(hash, buf + AT_VERSION, AT_CHECKSUM - AT_VERSION);
	return fnv(hash, buf + VOL_FORECASTFILE_HEADER,
		   (size_t)n * VOL_FORECASTFILE_RECORD);
}

static const uint8_t *record_at(const uint8_t *buf, uint32_t i)
{
	return buf + VOL_FORECASTFILE_HEADER +
	       (size_t)i * VOL_FORECASTFILE_RECORD;
}

uint8_t *vol_forecastfile_new(uint32_t n, int64_t saved, size_t *len)
{
	uint8_t *buf;

	*len = VOL_FORECASTFILE_HEADER + (size_t)n * VOL_FORECASTFILE_RECORD;
	buf = calloc(1, *len);
	if (!buf)
		return NULL;
	memcpy(buf, MAGIC, sizeof(MAGIC) - 1);
	put32(buf + AT_VERSION, VOL_FORECASTFILE_VERSION);
	put32(buf + AT_N, n);
	put64(buf + AT_SAVED, (uint64_t)saved);
	return buf;
}

void vol_forecastfile_put(uint8_t *buf, uint32_t i,
			  const struct vol_forecastfile_record *record)
{
	uint8_t *p = buf + (record_at(buf, i) - (const uint8_t *)buf);

	memcpy(p, record->id, ID_CHARS);
	put32(p + AT_TOTAL, record->evictions.total);
	put32(p + AT_NEWEST, record->evictions.newest);
	put64(p + AT_LAST, (uint64_t)record->evictions.last);
	for (size_t k = 0; k < VOL_TALLY_SLOTS; k++)
		put16(p + AT_SLOTS + 2 * k, record->evictions.slots[k]);
	memcpy(p + AT_MODEL, record->model, sizeof(record->model));
}

void vol_forecastfile_seal(uint8_t *buf)
{
	put64(buf + AT_CHECKSUM, checksum(buf, get32(buf + AT_N)));
}

static void id_of(const uint8_t *buf, uint32_t i, char id[VOL_DEVICE_ID_SIZE])
{
	memcpy(id, record_at(buf, i), ID_CHARS);
	id[ID_CHARS] = '\0';
}

static int check_ids(const uint8_t *buf, uint32_t n, struct vol_error *err)
{
	char before[VOL_DEVICE_ID_SIZE] = "", id[VOL_DEVICE_ID_SIZE];

	for (uint32_t i = 0; i < n; i++) {
		id_of(buf, i, id);
		if (!vol_device_id_valid(id))
			return vol_errorf_errno(err, EINVAL,
						"record %u: not an identity",
						i + 1);
		if (strcmp(before, id) >= 0)
			return vol_errorf_errno(
				err, EINVAL, "record %u: out of order", i + 1);
		memcpy(before, id, sizeof(before));
	}
	return 0;
}

int vol_forecastfile_check(const uint8_t *buf, size_t len, uint32_t *n,
			   int64_t *saved, struct vol_error *err)
{
	uint32_t count, version;

	if (len < VOL_FORECASTFILE_HEADER ||
	    memcmp(buf, MAGIC, sizeof(MAGIC) - 1) != 0)
		return vol_errorf_errno(err, EINVAL, "not a forecast file");
	version = get32(buf + AT_VERSION);
	if (version != VOL_FORECASTFILE_VERSION)
		return vol_errorf_errno(err, EINVAL, "version %u, want %d",
					version, VOL_FORECASTFILE_VERSION);
	count = get32(buf + AT_N);
	if (count > VOL_FORECASTFILE_DEVICES ||
	    len != VOL_FORECASTFILE_HEADER +
			    (size_t)count * VOL_FORECASTFILE_RECORD)
		return vol_errorf_errno(err, EINVAL,
					"%zu bytes do not hold %u devices", len,
					count);
	if (get64(buf + AT_CHECKSUM) != checksum(buf, count))
		return vol_errorf_errno(err, EINVAL, "checksum is wrong");
	if (check_ids(buf, count, err) < 0)
		return -1;
	*n = count;
	*saved = (int64_t)get64(buf + AT_SAVED);
	return 0;
}

void vol_forecastfile_get(const uint8_t *buf, uint32_t i,
			  struct vol_forecastfile_record *record)
{
	const uint8_t *p = record_at(buf, i);

	id_of(buf, i, record->id);
	record->evictions.total = get32(p + AT_TOTAL);
	record->evictions.newest = get32(p + AT_NEWEST);
	record->evictions.last = (int64_t)get64(p + AT_LAST);
	for (size_t k = 0; k < VOL_TALLY_SLOTS; k++)
		record->evictions.slots[k] = get16(p + AT_SLOTS + 2 * k);
	memcpy(record->model, p + AT_MODEL, sizeof(record->model));
}

uint32_t vol_forecastfile_find(const uint8_t *buf, uint32_t n, const char *id)
{
	uint32_t low = 0, high = n, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = strncmp((const char *)record_at(buf, middle), id,
				ID_CHARS);
		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return UINT32_MAX;
}
