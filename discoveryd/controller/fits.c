/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fits.c - which devices can go on with which saved jobs
 *
 * Kinds are numbered as they come and keep their number for as long as we run:
 * node table and table of images are written one after the other, and a number
 * that meant something else a moment ago would send a job to the wrong place.
 */
#include "config.h"

#include "fits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "controller.h"
#include "imagetable.h"
#include "images.h"
#include "log.h"
#include "nodes.h"
#include "store.h"

/* Kinds that one device may be the first of: more than it is given other
 * processors, kernels and versions of CRIU while we run. */
#define DEVICE_KINDS 16

struct vol_fits {
	struct vol_controller *c;
	char *path;
	struct vol_ckmachine *kinds; /* owned; [0] is not used */
	uint32_t n_kinds;
	/* Of what the table was made. */
	bool devices_changed;
	uint64_t store_changes;
	uint32_t edition;
	void *written; /* as the file, owned; NULL: none, or one before us */
	size_t written_len;
	bool too_many;
	char complaint[256]; /* last error that was logged */
};

/* What is being made. */
struct making {
	struct vol_fits *f;
	struct vol_imagetable_need here; /* kinds of devices */
	struct vol_ckmachine *made;      /* on what; of each need */
	struct vol_imagetable_need *needs;
	struct vol_imagetable_job *jobs;
	uint32_t n_needs, n_jobs;
};

/* ---- kinds ---- */

/* 0: none yet. */
static uint32_t find_kind(const struct vol_fits *f,
			  const struct vol_ckmachine *m)
{
	for (uint32_t i = 1; i < f->n_kinds; i++)
		if (vol_ckfit_alike(&f->kinds[i], m))
			return i;
	return 0;
}

static uint32_t new_kind(struct vol_fits *f, const struct vol_ckmachine *m)
{
	uint32_t i = f->n_kinds;
	struct vol_ckmachine *more;

	if (i == VOL_IMAGETABLE_KINDS) {
		if (!f->too_many)
			vol_warn("more than %d kinds of machines: saved jobs "
				 "do not go on on further ones",
				 VOL_IMAGETABLE_KINDS - 1);
		f->too_many = true;
		return 0;
	}
	more = reallocarray(f->kinds, i + 1, sizeof(*more));
	if (!more)
		return 0;
	f->kinds = more;
	f->kinds[i] = *m;
	f->n_kinds = i + 1;
	return i;
}

/* As kinds are never forgotten, one device must not use them all. */
static uint32_t new_kind_of(struct vol_fits *f, struct vol_member *s)
{
	if (s->kinds == DEVICE_KINDS)
		return 0;
	if (++s->kinds == DEVICE_KINDS)
		vol_warn("%s: has been %d kinds of machines; should it become "
			 "another, saved jobs do not go on there",
			 s->node_name, DEVICE_KINDS);
	return new_kind(f, &s->device->machine);
}

uint32_t vol_fits_kind(struct vol_member *s)
{
	struct vol_fits *f = s->c->fits;
	const struct vol_ckmachine *m = &s->device->machine;

	if (!f || !vol_ckmachine_known(m))
		return 0;
	if (!s->kind) {
		s->kind = find_kind(f, m);
		if (!s->kind)
			s->kind = new_kind_of(f, s);
		f->devices_changed = true;
	}
	return s->kind;
}

/* ---- the table ---- */

static void add_kind(struct vol_imagetable_need *set, uint32_t kind)
{
	set->fits[kind / 64] |= UINT64_C(1) << kind % 64;
}

/* All kinds of devices that could go on from what was made on m. */
static bool look_around(const struct making *k, const struct vol_ckmachine *m,
			struct vol_imagetable_need *need)
{
	bool any = false;

	memset(need, 0, sizeof(*need));
	for (uint32_t i = 1; i < k->f->n_kinds; i++) {
		if (!vol_imagetable_fits(&k->here, i) ||
		    vol_ckfit(m, NULL, &k->f->kinds[i], NULL, NULL, NULL) < 0)
			continue;
		add_kind(need, i);
		any = true;
	}
	return any;
}

/* UINT32_MAX: no device fits. */
static uint32_t need_of(struct making *k, const struct vol_ckmachine *m)
{
	uint32_t i;

	for (i = 0; i < k->n_needs; i++)
		if (vol_ckfit_alike(&k->made[i], m))
			return i;
	if (i == VOL_IMAGETABLE_KINDS || !look_around(k, m, &k->needs[i]))
		return UINT32_MAX;
	k->made[i] = *m;
	return k->n_needs++;
}

/* The newest image of the job that list[i] is of that can be used; *i: the
 * last of that job. */
static const struct vol_store_image *newest(const struct vol_store_image *list,
					    size_t n, size_t *i)
{
	const struct vol_store_image *found = NULL;
	uint32_t job = list[*i].head.job;

	for (; *i < n && list[*i].head.job == job; (*i)++)
		if (list[*i].state == VOL_STORE_WHOLE)
			found = &list[*i];
	(*i)--;
	return found;
}

static void add_jobs(struct making *k, const struct vol_store_image *list,
		     size_t n)
{
	for (size_t i = 0; i < n && k->n_jobs < VOL_IMAGETABLE_JOBS; i++) {
		const struct vol_store_image *image = newest(list, n, &i);
		uint32_t need;

		if (!image || !vol_ckmachine_known(&image->head.machine))
			continue;
		need = need_of(k, &image->head.machine);
		if (need != UINT32_MAX)
			k->jobs[k->n_jobs++] = (struct vol_imagetable_job){
				image->head.job, need};
	}
}

static void note_devices(struct making *k)
{
	struct vol_controller *c = k->f->c;

	for (size_t i = 0; i < c->n_members; i++) {
		uint32_t kind = vol_fits_kind(c->members[i]);

		if (kind && !c->members[i]->revoked)
			add_kind(&k->here, kind);
	}
}

static void complain(struct vol_fits *f, const char *text)
{
	if (strcmp(text, f->complaint) == 0)
		return;
	snprintf(f->complaint, sizeof(f->complaint), "%s", text);
	vol_err("table of images: %s", text);
}

/* Without the edition, which is all that may differ. */
static bool is_same(const struct vol_fits *f, const struct vol_imagetable *t)
{
	struct vol_imagetable old;

	return f->written &&
	       vol_imagetable_decode(f->written, f->written_len, &old, NULL) ==
		       0 &&
	       old.n_jobs == t->n_jobs && old.n_needs == t->n_needs &&
	       (!t->n_jobs ||
		memcmp(old.jobs, t->jobs, t->n_jobs * sizeof(*t->jobs)) == 0) &&
	       (!t->n_needs || memcmp(old.needs, t->needs,
				      t->n_needs * sizeof(*t->needs)) == 0);
}

static int publish(struct vol_fits *f, struct vol_imagetable *t,
		   struct vol_error *err)
{
	size_t len;
	void *buf;

	if (is_same(f, t))
		return 0;
	t->edition = f->edition + 1 ? f->edition + 1 : 1;
	buf = vol_imagetable_encode(t, &len);
	if (!buf)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	if (vol_file_replace(f->path, buf, len, 0644, 0, err) < 0) {
		free(buf);
		return -1;
	}
	free(f->written);
	f->written = buf;
	f->written_len = len;
	f->edition = t->edition;
	vol_nodes_images(f->c->nodes, t->n_jobs ? t->edition : 0);
	return 0;
}

static int make(struct vol_fits *f, const struct vol_store_image *list,
		size_t n, struct vol_error *err)
{
	cleanup_free struct vol_ckmachine *made =
		calloc(VOL_IMAGETABLE_KINDS, sizeof(*made));
	cleanup_free struct vol_imagetable_need *needs =
		calloc(VOL_IMAGETABLE_KINDS, sizeof(*needs));
	cleanup_free struct vol_imagetable_job *jobs =
		calloc(n + 1, sizeof(*jobs));
	struct making k = {.f = f, .made = made, .needs = needs, .jobs = jobs};
	struct vol_imagetable t = {.jobs = jobs, .needs = needs};

	if (!made || !needs || !jobs)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	note_devices(&k);
	add_jobs(&k, list, n);
	t.n_jobs = k.n_jobs;
	t.n_needs = k.n_needs;
	return publish(f, &t, err);
}

void vol_fits_changed(struct vol_fits *f)
{
	if (f)
		f->devices_changed = true;
}

void vol_fits_update(struct vol_fits *f)
{
	cleanup_free struct vol_store_image *list = NULL;
	struct vol_store *store = f ? vol_images_store(f->c->images) : NULL;
	struct vol_error err = {"out of memory"};
	uint64_t changes;
	size_t n = 0;

	if (!store)
		return;
	changes = vol_store_changes(store);
	if (!f->devices_changed && changes == f->store_changes)
		return;
	list = vol_store_list(store, &n);
	if (!list || make(f, list, n, &err) < 0) {
		complain(f, err.text);
		return;
	}
	f->complaint[0] = '\0';
	f->devices_changed = false;
	f->store_changes = changes;
}

/* ---- devices ---- */

void vol_fits_machine(struct vol_member *s, const struct vol_link_msg *msg)
{
	struct vol_device *d = s->device;
	char cpu[VOL_CKMACHINE_CPU], criu[16];
	bool alike = vol_ckmachine_known(&d->machine) &&
		     vol_ckfit_alike(&d->machine, &msg->machine);

	vol_member_keep(&s->saves_not, msg->why);
	if (memcmp(&d->machine, &msg->machine, sizeof(d->machine)) == 0)
		return;
	d->machine = msg->machine;
	vol_registry_touch(s->c->registry, d);
	vol_controller_save_later(s->c);
	if (alike)
		return;
	if (msg->machine.criu)
		vol_info("%s: saved jobs can go on there: %s, kernel %s, "
			 "CRIU %s",
			 s->node_name, vol_ckmachine_cpu(&msg->machine, cpu),
			 msg->machine.kernel,
			 vol_ckcriu_format(msg->machine.criu, criu));
	else
		vol_info("%s: no saved job can go on there: %s", s->node_name,
			 msg->why);
	s->kind = 0;
	vol_nodes_put(s);
	vol_fits_changed(s->c->fits);
	vol_fits_update(s->c->fits);
}

/* ---- for people ---- */

json_t *vol_fits_machine_json(struct vol_member *s)
{
	const struct vol_ckmachine *m = &s->device->machine;
	char cpu[VOL_CKMACHINE_CPU], criu[16] = "";
	json_t *json;

	if (!vol_ckmachine_known(m))
		return json_null();
	json = vol_ckmachine_to_json(m);
	if (!json)
		return NULL;
	if (m->criu)
		vol_ckcriu_format(m->criu, criu);
	json_object_set_new(json, "criu", json_string(criu));
	json_object_set_new(json, "features",
			    json_incref(json_object_get(json, "cpu")));
	json_object_set_new(json, "cpu",
			    json_string(vol_ckmachine_cpu(m, cpu)));
	json_object_set_new(json, "kind",
			    json_integer((json_int_t)vol_fits_kind(s)));
	return json;
}

/* Of each kind that does not fit, the reason. */
static json_t *unfit_json(struct vol_fits *f, const struct vol_ckmachine *m,
			  bool *any_fits)
{
	struct making k = {.f = f};
	json_t *list = json_array();
	struct vol_error err;

	*any_fits = false;
	note_devices(&k);
	for (uint32_t i = 1; list && i < f->n_kinds; i++) {
		if (!vol_imagetable_fits(&k.here, i))
			continue;
		if (vol_ckfit(m, NULL, &f->kinds[i], NULL, NULL, &err) == 0)
			*any_fits = true;
		else
			json_array_append_new(list,
					      json_pack("{s:I, s:s}", "machine",
							(json_int_t)i, "reason",
							err.text));
	}
	return list;
}

json_t *vol_fits_job(struct vol_fits *f, uint32_t job, struct vol_error *err)
{
	cleanup_free struct vol_store_image *list = NULL;
	const struct vol_store_image *image = NULL;
	json_t *data = NULL, *unfit;
	size_t n = 0, i = 0;
	bool any = false;

	if (vol_images_check_store(f->c->images, err) < 0)
		return NULL;
	list = vol_store_list(vol_images_store(f->c->images), &n);
	while (list && i < n && list[i].head.job != job)
		i++;
	if (list && i < n)
		image = newest(list, n, &i);
	if (list && !image)
		data = json_pack("{s:I, s:i}", "job", (json_int_t)job, "number",
				 0);
	if (image) {
		unfit = vol_ckmachine_known(&image->head.machine)
				? unfit_json(f, &image->head.machine, &any)
				: json_array();
		data = json_pack("{s:I, s:I, s:s, s:I, s:b, s:o}", "job",
				 (json_int_t)job, "number",
				 (json_int_t)image->head.number, "node",
				 image->head.node, "made_at",
				 (json_int_t)image->head.made, "waits",
				 (int)any, "unfit", unfit);
	}
	if (!data)
		vol_errorf_errno(err, ENOMEM, "out of memory");
	return data;
}

/* ---- life ---- */

struct vol_fits *vol_fits_create(struct vol_controller *c,
				 struct vol_error *err)
{
	struct vol_fits *f = calloc(1, sizeof(*f));

	if (!f) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	f->c = c;
	f->n_kinds = 1;
	f->devices_changed = true;
	/* Another one than that of a discoveryd before us. */
	f->edition = (uint32_t)vol_controller_now_ms();
	f->path = vol_nodes_beside(c, VOL_IMAGETABLE_FILE, err);
	if (!f->path) {
		free(f);
		return NULL;
	}
	c->fits = f;
	for (size_t i = 0; i < c->n_members; i++)
		vol_nodes_put(c->members[i]);
	vol_fits_update(f);
	return f;
}

void vol_fits_destroy(struct vol_fits *f)
{
	if (!f)
		return;
	f->c->fits = NULL;
	free(f->written);
	free(f->kinds);
	free(f->path);
	free(f);
}
