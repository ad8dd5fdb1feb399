/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckverify_ns.c - what the namespaces hold: ids, a loopback, System V's IPC */
#include "config.h"

#include "ckverify_private.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "bytes.h"
#include "walls.h"

/* As sandbox/ids.c writes a map: a range, the last of which stands for an id
 * above it. */
struct extent {
	uint32_t first, lower, count;
};

static size_t make_map(uint32_t base, uint32_t id, struct extent map[2])
{
	const uint32_t range = VOL_WALLS_RANGE;

	map[0] = (struct extent){0, base, id < range ? range : range - 1};
	map[1] = (struct extent){id, base + range - 1, 1};
	return id < range ? 1 : 2;
}

static int check_map(struct vol_ckbytes message, const struct vol_ckrow *row,
		     uint32_t base, uint32_t id, struct vol_error *err)
{
	const struct vol_ckrow *rows = vol_ckextent_rows;
	struct extent map[2];
	struct vol_ckfield f;
	size_t n = make_map(base, id, map), i = 0;

	for (; vol_ckproto_find(&message, row->number, &f); i++) {
		struct vol_ckvalue v[VOL_CKROWS_MAX];

		if (vol_ckproto_decode(f.bytes, rows, v, err) < 0)
			return vol_error_prefix(err, "%s", row->name);
		if (i >= n || v[VOL_CKEXTENT_first].number != map[i].first ||
		    v[VOL_CKEXTENT_lower_first].number != map[i].lower ||
		    v[VOL_CKEXTENT_count].number != map[i].count)
			return vol_ckrefuse(err,
					    "%s is %" PRId64 " %" PRId64
					    " %" PRId64
					    ", which is not the sandbox's",
					    row->name,
					    v[VOL_CKEXTENT_first].number,
					    v[VOL_CKEXTENT_lower_first].number,
					    v[VOL_CKEXTENT_count].number);
	}
	if (i != n)
		return vol_ckrefuse(err, "%s has %zu ranges, want %zu",
				    row->name, i, n);
	return 0;
}

int vol_ckcheck_userns(struct vol_ckset *set, struct vol_ckentry *e,
		       struct vol_error *err)
{
	const struct vol_ckwant *want = set->want;

	if (e->member->name.id !=
	    (uint64_t)set->inside[VOL_CKIDS_user_ns_id].number)
		return vol_ckrefuse(err, "the job is in another namespace");
	if (check_map(e->message, VOL_CKROW(e->rows, USERNS, uid_map),
		      want->id_base, want->uid, err) < 0)
		return -1;
	return check_map(e->message, VOL_CKROW(e->rows, USERNS, gid_map),
			 want->id_base, want->gid, err);
}

static size_t put_varint(uint8_t *at, uint32_t value)
{
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		at[n++] = (uint8_t)(value | 0x80);
	at[n++] = (uint8_t)value;
	return n;
}

/* One uid_map (field 1) or gid_map (2) after another. */
static size_t put_map(uint8_t *at, uint8_t number, uint32_t base, uint32_t id)
{
	struct extent map[2];
	size_t n = make_map(base, id, map), len = 0;

	for (size_t i = 0; i < n; i++) {
		const uint32_t value[3] = {map[i].first, map[i].lower,
					   map[i].count};
		uint8_t *message = at + len + 2;
		size_t size = 0;

		for (uint8_t f = 0; f < 3; f++) {
			message[size++] = (uint8_t)((f + 1) << 3);
			size += put_varint(message + size, value[f]);
		}
		at[len] = (uint8_t)(number << 3 | VOL_CKWIRE_BYTES);
		at[len + 1] = (uint8_t)size;
		len += 2 + size;
	}
	return len;
}

size_t vol_ckuserns_image(uint32_t uid, uint32_t gid, uint32_t id_base,
			  uint8_t buf[VOL_CKUSERNS_SIZE])
{
	uint8_t *message = buf + 12;
	size_t len = put_map(message, 1, id_base, uid);

	len += put_map(message + len, 2, id_base, gid);
	vol_put32(buf, VOL_CKMAGIC_COMMON);
	vol_put32(buf + 4, vol_ckkind_magic(VOL_CKKIND_USERNS));
	vol_put32(buf + 8, (uint32_t)len);
	return 12 + len;
}

int vol_ckcheck_netdev(struct vol_ckset *set, struct vol_ckentry *e,
		       struct vol_error *err)
{
	enum { LOOPBACK = 1 };
	const struct vol_ckvalue *name = &e->value[VOL_CKNETDEV_name];

	(void)set;
	if (vol_ckequal(VOL_CKROW(e->rows, NETDEV, type),
			&e->value[VOL_CKNETDEV_type], LOOPBACK, err) < 0)
		return -1;
	if (name->bytes.len != 2 || memcmp(name->bytes.at, "lo", 2) != 0)
		return vol_ckrefuse(err, "name is not lo");
	return 0;
}

int vol_ckcheck_pidns(struct vol_ckset *set, struct vol_ckentry *e,
		      struct vol_error *err)
{
	(void)set;
	/* One of the machine's. */
	return vol_cknone(VOL_CKROW(e->rows, PIDNS, ext_key),
			  &e->value[VOL_CKPIDNS_ext_key], err);
}

static int check_desc(const struct vol_ckset *set, struct vol_ckbytes desc,
		      struct vol_error *err)
{
	static const int users[] = {VOL_CKIPCDESC_uid, VOL_CKIPCDESC_cuid};
	static const int groups[] = {VOL_CKIPCDESC_gid, VOL_CKIPCDESC_cgid};
	struct vol_ckvalue v[VOL_CKROWS_MAX];

	if (vol_ckproto_decode(desc, vol_ckipcdesc_rows, v, err) < 0)
		return vol_error_prefix(err, "desc");
	for (int i = 0; i < 2; i++)
		if (vol_ckequal(&vol_ckipcdesc_rows[users[i]], &v[users[i]],
				set->want->uid, err) < 0 ||
		    vol_ckequal(&vol_ckipcdesc_rows[groups[i]], &v[groups[i]],
				set->want->gid, err) < 0)
			return vol_error_prefix(err, "desc");
	return 0;
}

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

int vol_ckcheck_shm(struct vol_ckset *set, struct vol_ckentry *e,
		    struct vol_error *err)
{
	uint64_t bytes = (uint64_t)e->value[VOL_CKIPCSHM_size].number;

	if (check_desc(set, e->value[VOL_CKIPCSHM_desc].bytes, err) < 0)
		return -1;
	if (e->value[VOL_CKIPCSHM_in_pagemaps].number)
		return 0;
	if (bytes > UINT64_MAX / 2)
		return vol_ckrefuse(err, "size is %" PRIu64, bytes);
	return vol_ckentries_skip(e->entries, round_up(bytes, 4), err);
}

int vol_ckcheck_sem(struct vol_ckset *set, struct vol_ckentry *e,
		    struct vol_error *err)
{
	uint64_t n = (uint64_t)e->value[VOL_CKIPCSEM_nsems].number;

	if (check_desc(set, e->value[VOL_CKIPCSEM_desc].bytes, err) < 0)
		return -1;
	return vol_ckentries_skip(e->entries, round_up(2 * n, 8), err);
}

/* Its messages are entries of their own, each with its text behind it. */
int vol_ckcheck_queue(struct vol_ckset *set, struct vol_ckentry *e,
		      struct vol_error *err)
{
	uint64_t n = (uint64_t)e->value[VOL_CKIPCQUEUE_qnum].number;

	if (check_desc(set, e->value[VOL_CKIPCQUEUE_desc].bytes, err) < 0)
		return -1;
	for (; n > 0; n--) {
		struct vol_ckvalue v[VOL_CKROWS_MAX];
		struct vol_ckbytes message;
		int rc = vol_ckentries_next(e->entries, &message, err);

		if (rc == 0)
			return vol_ckrefuse(
				err, "%" PRIu64 " messages are missing", n);
		if (rc < 0 ||
		    vol_ckproto_decode(message, vol_ckipcmsg_rows, v, err) <
			    0 ||
		    vol_ckentries_skip(
			    e->entries,
			    round_up((uint64_t)v[VOL_CKIPCMSG_msize].number, 8),
			    err) < 0)
			return -1;
	}
	return 0;
}
