/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_bed.h - a store in a test's folder, and images that can be told apart
 */
#ifndef VOL_STORE_BED_H
#define VOL_STORE_BED_H

#include <errno.h>

#include "digest.h"
#include "store.h"

#include "vtest.h"

#define DEVICE   "0123456789abcdef0123456789abcdef"
#define RESTARTS 2

static inline struct vol_store *open_store(const char *folder, uint64_t quota,
					   uint64_t user_quota)
{
	struct vol_store_limits limits = {quota, user_quota};
	struct vol_error err = {""};
	struct vol_store *s;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/store", folder);
	s = vol_store_open(path, &limits, &err);
	if (!s)
		fail_msg("%s", err.text);
	return s;
}

static inline struct vol_image_head head_of(uint32_t job, uint32_t uid)
{
	return (struct vol_image_head){.job = job,
				       .restarts = RESTARTS,
				       .uid = uid,
				       .device = DEVICE,
				       .node = "desk"};
}

/* The stream of image n; xorshift64* (Vigna, ACM TOMS 42(4), 2016). */
static inline uint8_t *stream_of(size_t len, uint64_t n)
{
	uint8_t *bytes = malloc(len + 1);
	uint64_t x = n * 2 + 1;

	for (size_t i = 0; i < len; i++) {
		x ^= x >> 12;
		x ^= x << 25;
		x ^= x >> 27;
		bytes[i] = (uint8_t)((x * UINT64_C(2685821657736338717)) >> 56);
	}
	return bytes;
}

/* In odd pieces. */
static inline int put(struct vol_store *s, uint32_t job, uint32_t uid,
		      size_t len, uint64_t n, struct vol_error *err)
{
	struct vol_image_head head = head_of(job, uid);
	struct vol_image_tail tail = {.bytes = len};
	uint8_t *bytes = stream_of(len, n);
	struct vol_store_put *p = vol_store_put_begin(s, &head, len, err);
	size_t at = 0, piece = 1;
	int rc = p ? 0 : -1, saved;

	vol_sha256(bytes, len, tail.sha256, NULL);
	for (; rc == 0 && at < len; at += piece, piece = piece * 3 + 1) {
		if (piece > len - at)
			piece = len - at;
		rc = vol_store_put_data(p, bytes + at, piece, err);
	}
	if (rc == 0)
		rc = vol_store_put_commit(p, &tail, err);
	else
		vol_store_put_abort(p);
	saved = errno;
	free(bytes);
	errno = saved;
	return rc;
}

/* The number of the newest image of the job that can be read to its end; it
 * must be stream n.  0: there is none. */
static inline int read_back(struct vol_store *s, uint32_t job, uint32_t uid,
			    uint32_t before, size_t len, uint64_t n)
{
	static _Thread_local uint8_t buf[VOL_IMAGE_CHUNK];
	uint8_t *bytes = stream_of(len, n);
	struct vol_store_get *g;
	int number = 0;

	while (!number && (g = vol_store_get_begin(s, job, uid, RESTARTS + 1,
						   before, NULL))) {
		size_t at = 0;
		ssize_t got;

		while ((got = vol_store_get_data(g, buf, NULL)) > 0) {
			if (at + (size_t)got <= len &&
			    memcmp(buf, bytes + at, (size_t)got) == 0)
				at += (size_t)got;
		}
		if (got == 0)
			number = at == len ? (int)vol_store_get_image(g)
						     ->head.number
					   : -1;
		vol_store_get_end(g);
	}
	free(bytes);
	return number;
}

static inline int verify(struct vol_store *s, uint32_t job, uint32_t number)
{
	struct vol_store_get *g = vol_store_verify_begin(s, job, number, NULL);
	static uint8_t buf[VOL_IMAGE_CHUNK];
	ssize_t got = g ? 1 : -1;

	while (got > 0)
		got = vol_store_get_data(g, buf, NULL);
	vol_store_get_end(g);
	return (int)got;
}

static inline size_t count(struct vol_store *s, enum vol_store_state state)
{
	size_t n, found = 0;
	struct vol_store_image *list = vol_store_list(s, &n);

	assert_non_null(list);
	for (size_t i = 0; i < n; i++)
		found += list[i].state == state;
	free(list);
	return found;
}

static inline const char *image_path(const char *folder, uint32_t job,
				     uint32_t number, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/store/%u/%u.image", folder, job, number);
	return path;
}

/* Files of a job; 0: not even its folder. */
static inline size_t entries(const char *folder, uint32_t job)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/store/%u", folder, job);
	return access(path, F_OK) == 0 ? vtest_count_entries(path) : 0;
}

static inline uint8_t *slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	uint8_t *bytes;
	long size;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	bytes = malloc((size_t)size + 1);
	*len = fread(bytes, 1, (size_t)size, f);
	fclose(f);
	return bytes;
}

static inline void spill(const char *path, const uint8_t *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

#endif
