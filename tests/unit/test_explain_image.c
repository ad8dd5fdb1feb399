/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_explain_image.c - what volunteer explain says of a job that was saved */
#include "config.h"

#include "explain_bed.h"

static char *job_page(const struct vol_job_facts *facts)
{
	json_t *job = vol_explain_job(facts, NOW);
	char *page = NULL;
	size_t size;
	FILE *out = open_memstream(&page, &size);

	assert_non_null(job);
	vol_explain_job_view(out, job, false, NOW);
	fclose(out);
	json_decref(job);
	return page;
}

/* desk1 is like the machine that it was saved on, desk2 is not, the others have
 * not said what they are. */
static json_t *image_of(bool waits)
{
	return json_pack("{s:i, s:i, s:s, s:I, s:b, s:[{s:i, s:s}]}", "job", 42,
			 "number", 3, "node", "desk9", "made_at",
			 (json_int_t)NOW - 1800, "waits", (int)waits, "unfit",
			 "machine", 2, "reason",
			 "this processor has no avx512f, which the job found "
			 "where it began");
}

static char *saved_page(const struct vol_slurm_request *r,
			struct vol_slurm_offer offers[N_DEVICES + 1],
			bool waits)
{
	const struct vol_slurm_offers all = {offers, N_DEVICES + 1};
	json_t *image = image_of(waits);
	struct vol_choices c = {0};
	struct vol_score_job score;
	struct vol_job_facts facts = {.name = "42",
				      .request = r,
				      .choices = &c,
				      .image = image,
				      .score = &score,
				      .devices = &devices,
				      .select_active = true};
	char *page;

	lab[NIGHT].machine = 1;
	lab[NOON].machine = 2;
	vol_choice_facts(r, &score);
	assert_int_equal(vol_choices_make(r, &score, &all, &devices, image, NOW,
					  &c, NULL),
			 0);
	page = job_page(&facts);
	vol_choices_clear(&c);
	json_decref(image);
	lab[NIGHT].machine = lab[NOON].machine = 0;
	return page;
}

/* The words of a page, whatever line they are on. */
static char *unfolded(char *page)
{
	for (char *at = page; *at && strncmp(at, "\n\n", 2) != 0; at++)
		if (*at == '\n')
			*at = ' ';
	return page;
}

static void waiting_for_one_that_fits(void **state)
{
	struct vol_slurm_offer offers[N_DEVICES + 1];
	struct vol_slurm_request r = request_of(120);
	char *page;

	(void)state;
	make_offers(offers);
	page = unfolded(saved_page(&r, offers, true));
	assert_contains(page, "It was saved on desk9 at 10:32 (image 3) and "
			      "waits for a device that can go on with it.");
	assert_contains(page, "Of the 7 devices that it could run on 1 is free "
			      "now; 6 can not go on with it.");
	assert_contains(page, "this processor has no avx512f, which the job "
			      "found where it began");
	assert_contains(page, "it has not said what its machine is");
	free(page);
	/* Sent to one, it begins anew there. */
	offers[NOON].required = true;
	r.n_required = 1;
	r.required = (char *)"desk2";
	page = saved_page(&r, offers, true);
	assert_null(strstr(page, "avx512f"));
	free(page);
	/* No one fits. */
	make_offers(offers);
	r = request_of(120);
	page = unfolded(saved_page(&r, offers, false));
	assert_contains(page,
			"(image 3), but no device that is known can go "
			"on with it (this processor has no avx512f, which "
			"the job found where it began): it waits for "
			"none, and begins anew where it is started.");
	assert_contains(page, "2 are free now");
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waiting_for_one_that_fits),
	};

	return cmocka_run_group_tests(tests, lab_set_up, NULL);
}
