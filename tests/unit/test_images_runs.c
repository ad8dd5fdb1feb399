/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_images_runs.c - images of a job that stays after all, or leaves at once
 */
#include "config.h"

#include "images.h"

#include "images_bed.h"

/* What it did since is not in them. */
static void a_job_that_stays_has_no_images(void **state)
{
	struct bed *bed = *state;
	struct vol_controller *role = bed->role;
	int fd = stream_file(3, LEN);
	struct client a;
	struct errand e;

	join(bed, &a, ID_A, "desk", "desk");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	put_job(JOB + 1, "desk", VOL_JOB_RUNNING, 0);
	assert_int_equal(do_put(bed, ID_A, JOB, 0, fd, &e), 0);
	assert_int_equal(do_put(bed, ID_A, JOB + 1, 0, fd, &e), 0);
	assert_int_equal(vol_images_forget(NULL, JOB, 0), 0);
	/* It had come from elsewhere with one, which it may need again. */
	assert_int_equal(vol_images_forget(role->images, JOB, 1), 0);
	assert_int_equal(stored(bed, JOB), 1);
	assert_int_equal(vol_images_forget(role->images, JOB, 0), 0);
	assert_int_equal(stored(bed, JOB), 0);
	assert_int_equal(stored(bed, JOB + 1), 1);
	close(fd);
	hang_up(&a);
}

/* Its run after so many restarts has to leave that device. */
static void send_on(struct bed *bed, struct client *c, const char *node,
		    uint32_t restarts)
{
	struct vol_link_msg m = {.type = VOL_LINK_EVICT, .job = JOB};

	put_job(JOB, node, VOL_JOB_RUNNING, restarts);
	report(c, &m);
	expect(bed, c, VOL_LINK_EVICTED, &m);
	assert_int_equal(m.outcome, VOL_OUTCOME_REQUEUED);
}

/* An owner came before its image did. */
static void a_job_that_leaves_before_it_began(void **state)
{
	struct vol_link_msg unbegun = {.type = VOL_LINK_UNBEGUN, .job = JOB};
	struct bed *bed = *state;
	int fd = stream_file(3, LEN), got = stream_file(0, 0);
	struct client a, b;
	struct errand e;

	join(bed, &a, ID_A, "desk", "desk");
	join(bed, &b, ID_B, "pc", "pc");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	assert_int_equal(do_put(bed, ID_A, JOB, 0, fd, &e), 0);
	send_on(bed, &b, "pc", 1);
	/* It is not there. */
	send_msg(&a, &unbegun);
	put_job(JOB, "desk", VOL_JOB_RUNNING, 2);
	assert_int_equal(do_get(bed, ID_A, JOB, 0, got, &e), 0);
	assert_int_equal(e.here.until, 0);
	send_on(bed, &b, "pc", 1);
	send_msg(&b, &unbegun);
	run_until(bed, strstr(bed->log, "sent on before it began"));
	put_job(JOB, "desk", VOL_JOB_RUNNING, 2);
	assert_int_equal(do_get(bed, ID_A, JOB, 0, got, &e), 0);
	assert_int_equal(e.here.restarts, 0);
	assert_int_equal(e.here.until, 1);
	/* Said again, it is of the run that it was said of. */
	send_msg(&b, &unbegun);
	assert_int_equal(do_get(bed, ID_A, JOB, 0, got, &e), 0);
	assert_int_equal(e.here.until, 1);
	close(fd);
	close(got);
	hang_up(&a);
	hang_up(&b);
}

int main(void)
{
#define TEST(_name) cmocka_unit_test_setup_teardown(_name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_job_that_stays_has_no_images),
		TEST(a_job_that_leaves_before_it_began),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
