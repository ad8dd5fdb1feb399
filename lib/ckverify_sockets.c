/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckverify_sockets.c - sockets that do not lead out of the sandbox */
#include "config.h"

#include "ckverify_private.h"

#include <inttypes.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "text.h"

/* What a job may set without privileges (socket(7), SO_PRIORITY). */
#define PRIORITY_MAX 6

static bool is_lo(const struct vol_ckvalue *name)
{
	return name->n == 0 || name->bytes.len == 0 ||
	       (name->bytes.len == 2 && memcmp(name->bytes.at, "lo", 2) == 0);
}

static int check_options(struct vol_ckbytes opts, struct vol_error *err)
{
	const struct vol_ckrow *mark =
		VOL_CKROW(vol_ckskopts_rows, SKOPTS, so_mark);
	struct vol_ckvalue v[VOL_CKROWS_MAX];

	if (vol_ckproto_decode(opts, vol_ckskopts_rows, v, err) < 0)
		return vol_error_prefix(err, "opts");
	if (vol_ckequal_or_none(mark, &v[VOL_CKSKOPTS_so_mark], 0, err) < 0)
		return -1;
	if (v[VOL_CKSKOPTS_so_priority].number > PRIORITY_MAX)
		return vol_ckrefuse(err, "so_priority is %" PRId64,
				    v[VOL_CKSKOPTS_so_priority].number);
	if (!is_lo(&v[VOL_CKSKOPTS_so_bound_dev]))
		return vol_ckrefuse(err, "so_bound_dev is not lo");
	return 0;
}

/* Words of an address in network order, as they are in memory. */
static bool is_loopback(const uint8_t *at, size_t len, bool any)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	static const uint8_t one[16] = {[15] = 1}, none[16];

	if (any && memcmp(at, none, len) == 0)
		return true;
	if (len == 4)
		return at[0] == 127;
	if (memcmp(at, mapped, sizeof(mapped)) == 0)
		return at[12] == 127 || (any && memcmp(at + 12, none, 4) == 0);
	return memcmp(at, one, sizeof(one)) == 0;
}

static int check_address(struct vol_ckbytes message,
			 const struct vol_ckrow *row, size_t words, bool any,
			 struct vol_error *err)
{
	struct vol_ckfield f;
	uint8_t address[16];
	size_t n = 0;

	while (vol_ckproto_find(&message, row->number, &f)) {
		uint32_t word = (uint32_t)f.value;

		if (n == words)
			return vol_ckrefuse(err, "%s is too long", row->name);
		memcpy(address + 4 * n++, &word, sizeof(word));
	}
	/* CRIU writes none of a peer that is not there. */
	if (n == 0 && any)
		return 0;
	if (n != words || !is_loopback(address, 4 * words, any))
		return vol_ckrefuse(err, "%s is not the loopback's", row->name);
	return 0;
}

/* CRIU puts connections back with a right over the network namespace, which
 * nobody in the job's user namespace has where the machine made it. */
static int check_state(const struct vol_ckset *set, const struct vol_ckvalue *v,
		       struct vol_error *err)
{
	int64_t state = v[VOL_CKINET_state].number;

	if (set->want->in_net && v[VOL_CKINET_type].number == SOCK_STREAM &&
	    state != TCP_LISTEN && state != TCP_CLOSE)
		return vol_ckrefuse(err, "a TCP connection can not be moved of "
					 "a job that has a network");
	return 0;
}

int vol_ckcheck_inet(const struct vol_ckset *set, struct vol_ckbytes message,
		     struct vol_error *err)
{
	const struct vol_ckrow *rows = vol_ckinet_rows;
	struct vol_ckvalue v[VOL_CKROWS_MAX];
	int64_t family, type, proto;
	size_t words;

	if (vol_ckproto_decode(message, rows, v, err) < 0)
		return -1;
	family = v[VOL_CKINET_family].number;
	type = v[VOL_CKINET_type].number;
	proto = v[VOL_CKINET_proto].number;
	if (family != AF_INET && family != AF_INET6)
		return vol_ckrefuse(err, "family is %" PRId64, family);
	if ((type != SOCK_STREAM || proto != IPPROTO_TCP) &&
	    (type != SOCK_DGRAM ||
	     (proto != IPPROTO_UDP && proto != IPPROTO_UDPLITE)))
		return vol_ckrefuse(err,
				    "type is %" PRId64 ", proto %" PRId64
				    ": neither TCP nor UDP",
				    type, proto);
	if (check_state(set, v, err) < 0)
		return -1;
	if (!is_lo(&v[VOL_CKINET_ifname]))
		return vol_ckrefuse(err, "ifname is not lo");
	/* Bound to none it still has but lo to go by. */
	words = family == AF_INET ? 1 : 4;
	if (check_address(message, VOL_CKROW(rows, INET, src_addr), words, true,
			  err) < 0 ||
	    check_address(message, VOL_CKROW(rows, INET, dst_addr), words, true,
			  err) < 0)
		return -1;
	return check_options(v[VOL_CKINET_opts].bytes, err);
}

int vol_ckcheck_netlink(const struct vol_ckset *set, struct vol_ckbytes message,
			struct vol_error *err)
{
	struct vol_ckvalue v[VOL_CKROWS_MAX];

	(void)set;
	if (vol_ckproto_decode(message, vol_cknetlink_rows, v, err) < 0)
		return -1;
	if (vol_ckequal(VOL_CKROW(vol_cknetlink_rows, NETLINK, protocol),
			&v[VOL_CKNETLINK_protocol], NETLINK_ROUTE, err) < 0)
		return -1;
	return check_options(v[VOL_CKNETLINK_opts].bytes, err);
}

/* The path that a name is bound at; "" for an abstract one, or none. */
static int socket_path(const struct vol_ckvalue *v, char path[VOL_CKPATH_SIZE],
		       struct vol_error *err)
{
	struct vol_ckbytes name = v[VOL_CKUNIX_name].bytes;
	struct vol_ckbytes dir = v[VOL_CKUNIX_name_dir].bytes;
	int len;

	path[0] = '\0';
	if (name.len == 0 || name.at[0] == '\0')
		return 0;
	if (name.at[name.len - 1] == '\0')
		name.len--;
	if (memchr(name.at, '\0', name.len) || name.len > VOL_CKPATH_SIZE ||
	    dir.len > VOL_CKPATH_SIZE)
		return vol_ckrefuse(err, "name is no path");
	if (name.at[0] == '/')
		len = snprintf(path, VOL_CKPATH_SIZE, "%.*s", (int)name.len,
			       (const char *)name.at);
	else
		len = snprintf(path, VOL_CKPATH_SIZE, "%.*s/%.*s", (int)dir.len,
			       (const char *)dir.at, (int)name.len,
			       (const char *)name.at);
	/* Of a relative one without a folder nobody knows where it is. */
	if (len >= VOL_CKPATH_SIZE || (name.at[0] != '/' && dir.len == 0) ||
	    !vol_ckpath_valid(path))
		return vol_ckrefuse(err, "name is no normal path");
	return 0;
}

/* CRIU removes what is there, and makes it anew. */
static int check_bound(const struct vol_ckset *set, const struct vol_ckvalue *v,
		       struct vol_error *err)
{
	const struct vol_ckvalue *mount = &v[VOL_CKUNIX_mnt_id];
	char path[VOL_CKPATH_SIZE], excerpt[VOL_EXCERPT_SIZE];
	const struct vol_ckplace *place;

	if (socket_path(v, path, err) < 0)
		return -1;
	if (!path[0])
		return 0;
	place = vol_ckplaces_of(set->want->places, path);
	if (place && mount->n && mount->number > 0) {
		const struct vol_ckmount *m =
			vol_ckset_mount(set, (uint32_t)mount->number);

		place = m && m->place == place ? place : NULL;
	}
	if (!place || place->kind != VOL_CKPLACE_TMPFS)
		return vol_ckrefuse(err,
				    "%s: a socket can not be moved that has "
				    "its name outside /tmp and the like",
				    vol_text_excerpt(path, strlen(path),
						     excerpt));
	return 0;
}

static int check_perms(const struct vol_ckset *set, struct vol_ckbytes perms,
		       struct vol_error *err)
{
	const struct vol_ckrow *rows = vol_ckperms_rows;
	struct vol_ckvalue v[VOL_CKROWS_MAX];

	if (vol_ckproto_decode(perms, rows, v, err) < 0 ||
	    vol_ckequal(VOL_CKROW(rows, PERMS, uid), &v[VOL_CKPERMS_uid],
			set->want->uid, err) < 0 ||
	    vol_ckequal(VOL_CKROW(rows, PERMS, gid), &v[VOL_CKPERMS_gid],
			set->want->gid, err) < 0)
		return -1;
	if (v[VOL_CKPERMS_mode].number & (S_ISUID | S_ISGID | S_ISVTX))
		return vol_ckrefuse(err, "mode is 0%" PRIo64,
				    (uint64_t)v[VOL_CKPERMS_mode].number);
	return 0;
}

int vol_ckcheck_unix(const struct vol_ckset *set, struct vol_ckbytes message,
		     struct vol_error *err)
{
	const struct vol_ckrow *rows = vol_ckunix_rows;
	struct vol_ckvalue v[VOL_CKROWS_MAX];

	if (vol_ckproto_decode(message, rows, v, err) < 0)
		return -1;
	/* USK_EXTERN, _CALLBACK, _INHERIT: its other end is outside. */
	if (vol_ckequal(VOL_CKROW(rows, UNIX, uflags), &v[VOL_CKUNIX_uflags], 0,
			err) < 0 ||
	    check_bound(set, v, err) < 0)
		return -1;
	if (v[VOL_CKUNIX_file_perms].n &&
	    check_perms(set, v[VOL_CKUNIX_file_perms].bytes, err) < 0)
		return vol_error_prefix(err, "file_perms");
	return check_options(v[VOL_CKUNIX_opts].bytes, err);
}
