/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_fits.c - the controller knows which devices can go on with a saved job
 *
 * Devices and their images come over TLS on loopback; what the select plugin
 * would read is read from the files.
 */
#include "config.h"

#include "fits.h"
#include "images.h"
#include "imagetable.h"
#include "nodetable.h"

#include "images_bed.h"

#define ID_C "cccccccccccccccccccccccccccccccc"

#define V2                                                           \
	"fpu tsc cx8 cmov mmx fxsr sse sse2 syscall pni ssse3 cx16 " \
	"sse4_1 sse4_2 popcnt lahf_lm "
#define V3 V2 "avx avx2 bmi1 bmi2 f16c fma abm movbe xsave "

static void say_machine(struct client *c, const char *flags, uint32_t criu)
{
	struct vol_link_msg m = {.type = VOL_LINK_MACHINE,
				 .machine = {.arch = "x86_64",
					     .kernel = "6.12.48",
					     .criu = criu}};

	vol_ckcpu_parse(flags, &m.machine.cpu);
	if (!criu)
		strcpy(m.why, "no CRIU here");
	send_msg(c, &m);
}

/* ---- what the select plugin sees ---- */

struct seen {
	struct vol_nodeview *view;
	struct vol_imagetable table;
	void *buf;
};

static void look(struct bed *bed, struct seen *s)
{
	struct vol_error err = {""};
	char path[PATH_MAX];

	free(s->buf);
	s->buf = NULL;
	memset(&s->table, 0, sizeof(s->table));
	if (!s->view) {
		snprintf(path, sizeof(path), "%s/nodes", bed->folder);
		s->view = vol_nodeview_create(path);
	}
	if (vol_nodeview_refresh(s->view, vol_controller_now_ms(), &err) < 0)
		fail_msg("%s", err.text);
	if (!vol_nodeview_images(s->view))
		return;
	snprintf(path, sizeof(path), "%s/images", bed->folder);
	if (vol_imagetable_read(path, &s->table, &s->buf, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(s->table.edition, vol_nodeview_images(s->view));
}

static void look_no_more(struct seen *s)
{
	vol_nodeview_destroy(s->view);
	free(s->buf);
	*s = (struct seen){0};
}

static uint32_t kind_of(const struct seen *s, const char *node)
{
	uint32_t slot = vol_nodeview_slot(s->view, node);

	return slot == UINT32_MAX ? 0
				  : vol_nodeview_node(s->view, slot)->machine;
}

/* Does the job need a device that fits, and is this one? */
static bool waits(struct bed *bed, struct seen *s)
{
	look(bed, s);
	return vol_imagetable_find(&s->table, JOB) != NULL;
}

static bool fits(const struct seen *s, const char *node)
{
	return vol_imagetable_fits(vol_imagetable_find(&s->table, JOB),
				   kind_of(s, node));
}

/* ---- */

struct lab {
	struct client a, b, c;
};

/* desk and tower are alike, laptop has no AVX. */
static void join_all(struct bed *bed, struct lab *lab)
{
	struct vol_controller *role = bed->role;

	join(bed, &lab->a, ID_A, "desk", "desk");
	join(bed, &lab->b, ID_B, "laptop", "laptop");
	join(bed, &lab->c, ID_C, "tower", "tower");
	say_machine(&lab->a, V3, 40101);
	say_machine(&lab->b, V2, 40101);
	say_machine(&lab->c, V3, 40101);
	for (size_t i = 0; i < 3; i++)
		run_until(bed, vol_ckmachine_known(
				       &role->members[i]->device->machine));
}

static void leave(struct lab *lab)
{
	hang_up(&lab->a);
	hang_up(&lab->b);
	hang_up(&lab->c);
}

static void save(struct bed *bed)
{
	int sent = stream_file(3, 1000);
	struct errand e;

	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	assert_int_equal(do_put(bed, ID_A, JOB, 0, sent, &e), 0);
	close(sent);
}

/* A program that saves itself begins anew with its files, on any processor. */
static void without_processes_anywhere(void **state)
{
	struct bed *bed = *state;
	struct seen s = {NULL};
	struct lab lab;
	json_t *data;

	join_all(bed, &lab);
	put_fits_any = true;
	save(bed);
	put_fits_any = false;
	assert_int_equal(stored(bed, JOB), 1);
	data = vol_fits_job(((struct vol_controller *)bed->role)->fits, JOB,
			    NULL);
	assert_int_equal(json_integer_value(json_object_get(data, "number")),
			 1);
	assert_false(json_is_true(json_object_get(data, "waits")));
	json_decref(data);
	assert_false(waits(bed, &s));
	/* The next one is of processes. */
	save(bed);
	run_until(bed, waits(bed, &s));
	look_no_more(&s);
	leave(&lab);
}

static const char *reason_of(json_t *data, uint32_t kind)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(data, "unfit"), i, one)
		if (json_integer_value(json_object_get(one, "machine")) == kind)
			return json_string_value(
				json_object_get(one, "reason"));
	return "";
}

static void only_those_that_fit(void **state)
{
	struct bed *bed = *state;
	struct vol_controller *role = bed->role;
	struct seen s = {NULL};
	struct lab lab;
	json_t *data;

	join_all(bed, &lab);
	assert_false(waits(bed, &s));
	save(bed);
	run_until(bed, waits(bed, &s));
	assert_true(kind_of(&s, "desk") == kind_of(&s, "tower"));
	assert_true(kind_of(&s, "laptop") > 0);
	assert_true(fits(&s, "desk"));
	assert_true(fits(&s, "tower"));
	assert_false(fits(&s, "laptop"));
	data = vol_fits_job(role->fits, JOB, NULL);
	assert_true(json_is_true(json_object_get(data, "waits")));
	assert_string_equal(json_string_value(json_object_get(data, "node")),
			    "desk");
	assert_contains(reason_of(data, kind_of(&s, "laptop")),
			"this processor has no avx");
	assert_string_equal(reason_of(data, kind_of(&s, "desk")), "");
	json_decref(data);
	/* Other jobs go anywhere. */
	assert_null(vol_imagetable_find(&s.table, JOB + 1));
	data = vol_fits_job(role->fits, JOB + 1, NULL);
	assert_int_equal(json_integer_value(json_object_get(data, "number")),
			 0);
	json_decref(data);
	/* Without its image this one does, too. */
	assert_int_equal(vol_images_forget(role->images, JOB, 0), 0);
	run_until(bed, !waits(bed, &s));
	assert_int_equal(vol_nodeview_images(s.view), 0);
	look_no_more(&s);
	leave(&lab);
}

static void one_that_learned_or_forgot(void **state)
{
	struct bed *bed = *state;
	struct seen s = {NULL};
	struct lab lab;
	uint32_t before;

	join_all(bed, &lab);
	save(bed);
	run_until(bed, waits(bed, &s));
	before = kind_of(&s, "laptop");
	/* A new processor. */
	say_machine(&lab.b, V3 "avx512f ", 40101);
	run_until(bed, waits(bed, &s) && kind_of(&s, "laptop") != before);
	assert_true(fits(&s, "laptop"));
	/* CRIU was removed. */
	say_machine(&lab.c, V3, 0);
	run_until(bed, waits(bed, &s) && !fits(&s, "tower"));
	assert_non_null(strstr(bed->log, "tower: no saved job can go on there: "
					 "no CRIU here"));
	look_no_more(&s);
	leave(&lab);
}

/* The job waits for devices that are not there, but known. */
static void the_controller_remembers(void **state)
{
	struct bed *bed = *state;
	struct seen s = {NULL};
	struct lab lab;

	join_all(bed, &lab);
	save(bed);
	run_until(bed, waits(bed, &s));
	leave(&lab);
	look_no_more(&s);
	restart(bed);
	assert_true(waits(bed, &s));
	assert_true(fits(&s, "desk"));
	assert_true(fits(&s, "tower"));
	assert_false(fits(&s, "laptop"));
	look_no_more(&s);
}

static void forget(struct bed *bed, const char *node)
{
	struct vol_controller *role = bed->role;

	vol_controller_forget(role, vol_controller_member_at_node(role, node));
}

/* For those that nobody knows any more it does not. */
static void the_controller_forgets(void **state)
{
	struct bed *bed = *state;
	struct vol_controller *role = bed->role;
	struct seen s = {NULL};
	struct lab lab;
	json_t *data;

	join_all(bed, &lab);
	save(bed);
	run_until(bed, waits(bed, &s));
	leave(&lab);
	for (size_t i = 0; i < 3; i++)
		run_until(bed, !role->members[i]->peer);
	/* The image outlives its device. */
	forget(bed, "desk");
	run_until(bed, waits(bed, &s) && !kind_of(&s, "desk"));
	assert_true(fits(&s, "tower"));
	assert_false(fits(&s, "laptop"));
	forget(bed, "tower");
	run_until(bed, !waits(bed, &s));
	data = vol_fits_job(role->fits, JOB, NULL);
	assert_true(json_is_false(json_object_get(data, "waits")));
	assert_contains(reason_of(data, kind_of(&s, "laptop")), "avx");
	json_decref(data);
	look_no_more(&s);
}

/* One device does not take the kinds of all others. */
static void one_that_is_always_another(void **state)
{
	struct bed *bed = *state;
	struct seen s = {NULL};
	struct client a, b;
	uint32_t first;

	join(bed, &a, ID_A, "desk", "desk");
	join(bed, &b, ID_B, "laptop", "laptop");
	say_machine(&a, V3, 40101);
	run_until(bed, (look(bed, &s), kind_of(&s, "desk") > 0));
	first = kind_of(&s, "desk");
	for (uint32_t i = 1; i < 16; i++) {
		say_machine(&a, V3, 40101 + i);
		run_until(bed, (look(bed, &s), kind_of(&s, "desk") > i));
	}
	run_until(bed, strstr(bed->log, "desk: has been 16 kinds of machines"));
	say_machine(&a, V3, 40201);
	run_until(bed, (look(bed, &s), !kind_of(&s, "desk")));
	/* What is known is no other, and others have theirs. */
	say_machine(&a, V3, 40101);
	run_until(bed, (look(bed, &s), kind_of(&s, "desk") == first));
	say_machine(&b, V2, 40101);
	run_until(bed, (look(bed, &s), kind_of(&s, "laptop") > first + 15));
	look_no_more(&s);
	hang_up(&a);
	hang_up(&b);
}

/* It is not in the way of what an older device, or image, can not tell. */
static void nothing_is_known(void **state)
{
	struct bed *bed = *state;
	struct seen s = {NULL};
	struct client a;
	int sent = stream_file(3, 1000);
	struct errand e;

	join(bed, &a, ID_A, "desk", "desk");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	assert_int_equal(do_put(bed, ID_A, JOB, 0, sent, &e), 0);
	run_until(bed, strstr(bed->log, "image 1 of job 17 kept"));
	say_machine(&a, V3, 40101);
	run_until(bed, strstr(bed->log, "desk: saved jobs can go on there: "
					"x86-64-v3, kernel 6.12.48, CRIU "
					"4.1.1"));
	assert_false(waits(bed, &s));
	assert_true(kind_of(&s, "desk") > 0);
	/* The next one is known. */
	assert_int_equal(do_put(bed, ID_A, JOB, 0, sent, &e), 0);
	run_until(bed, waits(bed, &s));
	look_no_more(&s);
	close(sent);
	hang_up(&a);
}

int main(void)
{
#define TEST(_name) cmocka_unit_test_setup_teardown(_name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(only_those_that_fit),
		TEST(without_processes_anywhere),
		TEST(one_that_learned_or_forgot),
		TEST(the_controller_remembers),
		TEST(the_controller_forgets),
		TEST(one_that_is_always_another),
		TEST(nothing_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
