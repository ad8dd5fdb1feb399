/* SPDX-License-Identifier: GPL-2.0-or-later */
/* images.c - images of one step become those of another one's ids
 *
 * Ids in CRIU's images are those inside; only userns.img says what they are on
 * the machine.  It is written anew: what a stranger wrote there is not read.
 */
#include "config.h"

#include "parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

/* CRIU's criu/include/magic.h: image files of its version 1.1, and this one. */
#define IMG_COMMON_MAGIC 0x54564319u
#define USERNS_MAGIC     0x55474906u

/* protobuf (see its "Encoding"): a field's number and type, a varint. */
struct bytes {
	size_t n;
	unsigned char b[128];
};

static void put_varint(struct bytes *to, uint32_t value)
{
	for (; value >= 0x80; value >>= 7)
		to->b[to->n++] = (unsigned char)(value | 0x80);
	to->b[to->n++] = (unsigned char)value;
}

static void put_number(struct bytes *to, unsigned int field, uint32_t value)
{
	put_varint(to, field << 3);
	put_varint(to, value);
}

/* images/userns.proto: uid_gid_extent { first, lower_first, count } */
static void put_extent(struct bytes *to, unsigned int field, uint32_t first,
		       uint32_t lower, uint32_t count)
{
	struct bytes one = {.n = 0};

	put_number(&one, 1, first);
	put_number(&one, 2, lower);
	put_number(&one, 3, count);
	put_varint(to, field << 3 | 2);
	put_varint(to, (uint32_t)one.n);
	memcpy(to->b + to->n, one.b, one.n);
	to->n += one.n;
}

/* As ids.c writes the map. */
static void put_map(struct bytes *to, unsigned int field, uint32_t base,
		    uint32_t id)
{
	uint32_t last = VOL_WALLS_RANGE - 1;

	if (id <= last) {
		put_extent(to, field, 0, base, VOL_WALLS_RANGE);
		return;
	}
	put_extent(to, field, 0, base, last);
	put_extent(to, field, id, base + last, 1);
}

static void put_u32(struct bytes *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to->b[to->n++] = (unsigned char)(value >> (8 * i));
}

static int write_userns(const struct vol_sandbox *s, const char *path,
			struct vol_error *err)
{
	struct bytes map = {.n = 0}, file = {.n = 0};

	/* userns_entry { uid_map, gid_map } */
	put_map(&map, 1, s->base, s->job.uid);
	put_map(&map, 2, s->base, s->job.gid);
	put_u32(&file, IMG_COMMON_MAGIC);
	put_u32(&file, USERNS_MAGIC);
	put_u32(&file, (uint32_t)map.n);
	memcpy(file.b + file.n, map.b, map.n);
	return vol_file_replace(path, file.b, file.n + map.n, 0600, 0, err);
}

/* Restored processes read their images themselves, as root of the step, and
 * before they are that as the machine's root without its capabilities. */
static int give(int dir, const char *name, uint32_t id, struct vol_error *err)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode) || st.st_nlink != 1)
		return vol_errorf_errno(err, EINVAL, "images: %s: no file",
					name);
	if (fchownat(dir, name, id, 0, AT_SYMLINK_NOFOLLOW) != 0 ||
	    fchmodat(dir, name, 0640, 0) != 0)
		return vol_errorf(err, "images: %s: %s", name, strerror(errno));
	return 0;
}

int vol_images_adopt(const struct vol_sandbox *s, const char *dir,
		     struct vol_error *err)
{
	uint32_t id = vol_ids_outside(s, 0);
	char path[PATH_MAX], name[PATH_MAX + NAME_MAX + 2];
	bool maps = false;
	struct dirent *e;
	int rc = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/" VOL_RECORD_IMAGES, dir);
	d = opendir(path);
	if (!d)
		return vol_errorf(err, "images: %s", strerror(errno));
	while (rc == 0 && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if (strncmp(e->d_name, "userns-", 7) == 0 && s->ids) {
			rc = maps ? vol_errorf_errno(err, EINVAL,
						     "images: two maps of ids")
				  : write_userns(s, name, err);
			maps = true;
		}
		if (rc == 0)
			rc = give(dirfd(d), e->d_name, id, err);
	}
	closedir(d);
	if (rc == 0 && maps != s->ids)
		return vol_errorf_errno(err, EINVAL,
					"images: %s ids of the job's own",
					maps ? "with" : "without");
	if (rc == 0 && (chown(path, id, 0) != 0 || chmod(path, 0750) != 0))
		return vol_errorf(err, "images: %s", strerror(errno));
	return rc;
}
