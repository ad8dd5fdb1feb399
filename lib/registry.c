/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registry.c - the controller's memory of devices: who they are, whether they
 * may come in, and their node names
 *
 * Two arrays of pointers to the same devices, one sorted by id and one by node
 * name: identities are chosen by strangers, who could make a hash degenerate.
 * Devices without a node come first in the latter, by id.  registry_file.c
 * reads and writes them.
 */
#include "config.h"

#include "registry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry_private.h"
#include "text.h"

#define SUFFIX_MAX 9999

/* id: of one among several without a node, or NULL for any. */
static int compare(const struct vol_device *d, enum vol_registry_order order,
		   const char *key, const char *id)
{
	int cmp = strcmp(order == BY_ID ? d->id : d->node, key);

	return cmp == 0 && order == BY_NODE && id ? strcmp(d->id, id) : cmp;
}

/* Place of key in the order: true if it is there, else where it belongs. */
static bool find(const struct vol_registry *r, enum vol_registry_order order,
		 const char *key, const char *id, size_t *place)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int cmp = compare(r->sorted[order][mid], order, key, id);

		if (cmp == 0) {
			*place = mid;
			return true;
		}
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*place = lo;
	return false;
}

static struct vol_device *lookup(struct vol_registry *r,
				 enum vol_registry_order order, const char *key)
{
	size_t place;

	return key && *key && find(r, order, key, NULL, &place)
		       ? r->sorted[order][place]
		       : NULL;
}

static int grow(struct vol_registry *r)
{
	size_t size = r->size ? 2 * r->size : 64;

	if (r->n < r->size)
		return 0;
	for (enum vol_registry_order order = 0; order < N_ORDERS; order++) {
		struct vol_device **p = reallocarray(
			r->sorted[order], size, sizeof(struct vol_device *));

		if (!p)
			return -1;
		r->sorted[order] = p;
	}
	r->size = size;
	return 0;
}

/* n: devices that are in this order already. */
static void put_in(struct vol_registry *r, enum vol_registry_order order,
		   struct vol_device *d)
{
	struct vol_device **at = r->sorted[order];
	size_t place;

	find(r, order, order == BY_ID ? d->id : d->node, d->id, &place);
	memmove(at + place + 1, at + place,
		(r->n - place) * sizeof(struct vol_device *));
	at[place] = d;
}

static void take_out(struct vol_registry *r, enum vol_registry_order order,
		     const struct vol_device *d)
{
	struct vol_device **at = r->sorted[order];
	size_t place;

	find(r, order, order == BY_ID ? d->id : d->node, d->id, &place);
	memmove(at + place, at + place + 1,
		(r->n - place - 1) * sizeof(struct vol_device *));
}

int vol_registry_insert(struct vol_registry *r, struct vol_device *d)
{
	if (grow(r) < 0)
		return -1;
	for (enum vol_registry_order order = 0; order < N_ORDERS; order++)
		put_in(r, order, d);
	r->n++;
	return 0;
}

static void free_device(struct vol_device *d)
{
	free(d->line);
	free(d);
}

void vol_registry_destroy(struct vol_registry *r)
{
	int saved = errno;

	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		free_device(r->sorted[BY_ID][i]);
	for (enum vol_registry_order order = 0; order < N_ORDERS; order++)
		free(r->sorted[order]);
	free(r->path);
	free(r);
	errno = saved;
}

struct vol_device *vol_registry_by_id(struct vol_registry *r, const char *id)
{
	return lookup(r, BY_ID, id);
}

struct vol_device *vol_registry_by_node(struct vol_registry *r,
					const char *node)
{
	return lookup(r, BY_NODE, node);
}

size_t vol_registry_count(const struct vol_registry *r)
{
	return r->n;
}

struct vol_device *vol_registry_at(struct vol_registry *r, size_t i)
{
	return i < r->n ? r->sorted[BY_NODE][i] : NULL;
}

/* Give d, which is in both orders, another node name. */
static void set_node(struct vol_registry *r, struct vol_device *d,
		     const char *node)
{
	char name[VOL_NODE_NAME_SIZE];

	/* node may be d's own. */
	snprintf(name, sizeof(name), "%s", node);
	take_out(r, BY_NODE, d);
	r->n--;
	memset(d->node, 0, sizeof(d->node));
	memcpy(d->node, name, strlen(name));
	put_in(r, BY_NODE, d);
	r->n++;
	r->base[0] = '\0'; /* a number below next is free again */
	vol_registry_touch(r, d);
}

/* First free name from number first on; 0 if there is none. */
static unsigned free_number(struct vol_registry *r, const char *base,
			    unsigned first, vol_name_taken_f taken, void *arg,
			    char name[VOL_NODE_NAME_SIZE])
{
	for (unsigned n = first; n <= SUFFIX_MAX; n++) {
		vol_node_name_nth(base, n, name);
		if (!lookup(r, BY_NODE, name) && !(taken && taken(name, arg)))
			return n;
	}
	return 0;
}

static int choose_name(struct vol_registry *r, const char *hostname,
		       vol_name_taken_f taken, void *arg,
		       char name[VOL_NODE_NAME_SIZE], struct vol_error *err)
{
	char base[VOL_NODE_NAME_SIZE];
	unsigned n = 0;

	vol_node_name_from_host(hostname, base);
	if (strcmp(base, r->base) == 0)
		n = free_number(r, base, r->next, taken, arg, name);
	if (n == 0)
		n = free_number(r, base, 1, taken, arg, name);
	if (n == 0)
		return vol_errorf_errno(err, ENOSPC,
					"all names from %s to %s-%d are taken",
					base, base, SUFFIX_MAX);
	memcpy(r->base, base, sizeof(base));
	r->next = n + 1;
	return 0;
}

/* Keep what load accepts, of a text that nobody checked. */
static void copy_text(char *to, size_t size, const char *from,
		      const char *charset)
{
	memset(to, 0, size);
	for (size_t i = 0; i < size - 1 && from && from[i]; i++)
		to[i] = vol_char_in((unsigned char)from[i], charset) ? from[i]
								     : '-';
}

static void set_standing(struct vol_registry *r, struct vol_device *d,
			 enum vol_standing standing, const char *by, time_t now)
{
	d->standing = standing;
	d->standing_at = now;
	copy_text(d->by, sizeof(d->by), by, " ._-");
	vol_registry_touch(r, d);
}

static struct vol_device *make_device(const char *id, const char *hostname,
				      time_t now, struct vol_error *err)
{
	struct vol_device *d;
	char excerpt[VOL_EXCERPT_SIZE];

	if (!vol_device_id_valid(id)) {
		vol_errorf_errno(err, EINVAL, "%s is not a device identity",
				 vol_text_excerpt(id, id ? strlen(id) : 0,
						  excerpt));
		return NULL;
	}
	d = calloc(1, sizeof(*d));
	if (!d) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	memcpy(d->id, id, sizeof(d->id));
	copy_text(d->hostname, sizeof(d->hostname), hostname,
		  VOL_HOSTNAME_CHARS);
	d->first_seen = d->last_seen = d->standing_at = now;
	return d;
}

struct vol_device *vol_registry_add(struct vol_registry *r, const char *id,
				    const char *hostname,
				    vol_name_taken_f taken, void *arg,
				    time_t now, struct vol_error *err)
{
	cleanup_free struct vol_device *d = make_device(id, hostname, now, err);

	if (!d)
		return NULL;
	if (lookup(r, BY_ID, id)) {
		vol_errorf_errno(err, EEXIST, "device %s is known", id);
		return NULL;
	}
	if (choose_name(r, hostname, taken, arg, d->node, err) < 0)
		return NULL;
	d->standing = VOL_APPROVED;
	if (vol_registry_insert(r, d) < 0) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	r->dirty = true;
	return steal_ptr(&d);
}

/* All pending ones have no node, so they are among the first.  One that waits
 * stays: whoever makes keys would push it out of the list, while its link goes
 * on.  false: there is no room. */
static bool drop_oldest_pending(struct vol_registry *r)
{
	struct vol_device *oldest = NULL;
	size_t n = 0;

	for (size_t i = 0; i < r->n && !*r->sorted[BY_NODE][i]->node; i++) {
		struct vol_device *d = r->sorted[BY_NODE][i];

		if (d->standing != VOL_PENDING)
			continue;
		n++;
		if (!d->waits && (!oldest || d->last_seen < oldest->last_seen))
			oldest = d;
	}
	if (n < VOL_REGISTRY_PENDING)
		return true;
	if (oldest)
		vol_registry_remove(r, oldest->id);
	return oldest != NULL;
}

static struct vol_device *add_pending(struct vol_registry *r,
				      const struct vol_fingerprint *key,
				      const char *id, const char *hostname,
				      time_t now, struct vol_error *err)
{
	cleanup_free struct vol_device *d = make_device(id, hostname, now, err);

	if (!d)
		return NULL;
	vol_fingerprint_text(key, d->fingerprint);
	d->standing = VOL_PENDING;
	if (!drop_oldest_pending(r)) {
		vol_errorf_errno(err, ENOSPC, "too many wait for approval");
		return NULL;
	}
	if (vol_registry_insert(r, d) < 0) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	return steal_ptr(&d);
}

struct vol_device *vol_registry_knock(struct vol_registry *r,
				      const struct vol_fingerprint *key,
				      const char *hostname, const char *address,
				      time_t now, struct vol_error *err)
{
	char id[VOL_DEVICE_ID_SIZE], text[VOL_FINGERPRINT_SIZE];
	struct vol_device *d;

	vol_fingerprint_id(key, id);
	vol_fingerprint_text(key, text);
	d = lookup(r, BY_ID, id);
	if (!d)
		d = add_pending(r, key, id, hostname, now, err);
	if (!d)
		return NULL;
	if (d->standing != VOL_PENDING || strcmp(d->fingerprint, text) != 0) {
		vol_errorf_errno(err, EEXIST, "device %s is %s", id,
				 vol_standing_name(d->standing));
		return NULL;
	}
	copy_text(d->hostname, sizeof(d->hostname), hostname,
		  VOL_HOSTNAME_CHARS);
	copy_text(d->address, sizeof(d->address), address, ".:%_-");
	d->last_seen = now;
	vol_registry_touch(r, d);
	return d;
}

static struct vol_device *known(struct vol_registry *r, const char *id,
				struct vol_error *err)
{
	struct vol_device *d = lookup(r, BY_ID, id);

	if (!d)
		vol_errorf_errno(err, ENOENT, "no such device");
	return d;
}

int vol_registry_approve(struct vol_registry *r, const char *id, const char *by,
			 vol_name_taken_f taken, void *arg, time_t now,
			 struct vol_error *err)
{
	struct vol_device *d = known(r, id, err);
	char name[VOL_NODE_NAME_SIZE];

	if (!d)
		return -1;
	if (d->standing == VOL_APPROVED)
		return vol_errorf_errno(err, EALREADY, "%s is approved already",
					d->node);
	if (!*d->node) {
		if (choose_name(r, d->hostname, taken, arg, name, err) < 0)
			return -1;
		set_node(r, d, name);
	}
	set_standing(r, d, VOL_APPROVED, by, now);
	return 0;
}

int vol_registry_vouch(struct vol_registry *r, const char *id, const char *by,
		       time_t now, struct vol_error *err)
{
	struct vol_device *d = known(r, id, err);

	if (!d)
		return -1;
	if (d->standing != VOL_APPROVED)
		return vol_errorf_errno(err, EINVAL, "it is %s",
					vol_standing_name(d->standing));
	set_standing(r, d, VOL_APPROVED, by, now);
	return 0;
}

int vol_registry_revoke(struct vol_registry *r, const char *id, const char *by,
			time_t now, struct vol_error *err)
{
	struct vol_device *d = known(r, id, err);

	if (!d)
		return -1;
	if (d->standing != VOL_REVOKED)
		set_standing(r, d, VOL_REVOKED, by, now);
	return 0;
}

void vol_registry_release(struct vol_registry *r, const char *id)
{
	struct vol_device *d = lookup(r, BY_ID, id);

	if (!d || d->standing != VOL_REVOKED || !*d->node)
		return;
	d->created = false;
	set_node(r, d, "");
}

int vol_registry_rename(struct vol_registry *r, const char *id,
			const char *node, vol_name_taken_f taken, void *arg,
			struct vol_error *err)
{
	struct vol_device *d = known(r, id, err);
	char name[VOL_NODE_NAME_SIZE], excerpt[VOL_EXCERPT_SIZE];

	if (!d)
		return -1;
	if (!*d->node)
		return vol_errorf_errno(err, ENOENT, "it has no node");
	if (!node && choose_name(r, d->hostname, taken, arg, name, err) < 0)
		return -1;
	if (node && !vol_node_name_valid(node))
		return vol_errorf_errno(
			err, EINVAL, "%s can not be the name of a node",
			vol_text_excerpt(node, strlen(node), excerpt));
	if (node && (lookup(r, BY_NODE, node) || (taken && taken(node, arg))))
		return vol_errorf_errno(err, EEXIST, "%s is taken", node);
	d->created = false; /* that was another one */
	set_node(r, d, node ? node : name);
	return 0;
}

void vol_registry_touch(struct vol_registry *r, struct vol_device *d)
{
	free(d->line);
	d->line = NULL;
	r->dirty = true;
}

void vol_registry_remove(struct vol_registry *r, const char *id)
{
	struct vol_device *d = lookup(r, BY_ID, id);

	if (!d)
		return;
	for (enum vol_registry_order order = 0; order < N_ORDERS; order++)
		take_out(r, order, d);
	r->n--;
	r->dirty = true;
	r->base[0] = '\0'; /* a number below next is free again */
	free_device(d);
}
