/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_explain.c - what volunteer explain concludes */
#include "config.h"

#include <math.h>

#include "explain_bed.h"
#include "explain_words.h"

/* ---- words ---- */

static void spans(void **state)
{
	static const struct {
		double s;
		const char *text;
	} rows[] = {
		{-5, "0s"},
		{0, "0s"},
		{NAN, "0s"},
		{0.4, "0s"},
		{89.4, "89s"},
		{90, "2m"},
		{149, "2m"},
		{150, "3m"},
		{3569, "59m"},
		{3570, "1h 00m"},
		{7380, "2h 03m"},
		{172769, "47h 59m"},
		{172770, "2d 00h"},
		{273600, "3d 04h"},
		{1e300, "49710d 06h"},
		{INFINITY, "49710d 06h"},
	};
	char buf[VOL_WORDS_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++)
		assert_string_equal(vol_words_span(rows[i].s, buf),
				    rows[i].text);
}

static void chances(void **state)
{
	static const struct {
		double chance;
		const char *text;
	} rows[] = {
		{-1, "0%"},     {0, "0%"},        {NAN, "0%"},
		{1e-9, "<1%"},  {0.0049, "<1%"},  {0.006, "1%"},
		{0.0149, "1%"}, {0.044, "4%"},    {0.5, "50%"},
		{0.994, "99%"}, {0.9951, ">99%"}, {0.99999, ">99%"},
		{1, "100%"},    {2, "100%"},
	};
	char buf[VOL_WORDS_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++)
		assert_string_equal(vol_words_chance(rows[i].chance, buf),
				    rows[i].text);
}

static void small_words(void **state)
{
	char buf[VOL_WORDS_SIZE];

	(void)state;
	assert_string_equal(vol_words_speed(0, buf), "-");
	assert_string_equal(vol_words_speed(1000, buf), "1.0x");
	assert_string_equal(vol_words_speed(1249, buf), "1.2x");
	assert_string_equal(vol_words_count(0, "device", buf), "0 devices");
	assert_string_equal(vol_words_count(1, "device", buf), "1 device");
	assert_string_equal(vol_words_reason("Resources"),
			    "not enough nodes are free for it");
	assert_non_null(strstr(vol_words_reason("reason 57"), "QOS"));
	assert_non_null(vol_words_reason(""));
}

static void job_names(void **state)
{
	static const struct {
		const char *word;
		bool job;
		uint32_t id, task;
	} rows[] = {
		{"", false, 0, 0},
		{"0", false, 0, 0},
		{"37", true, 37, UINT32_MAX},
		{"037", false, 0, 0},
		{"37_0", true, 37, 0},
		{"37_12", true, 37, 12},
		{"37_", false, 0, 0},
		{"_3", false, 0, 0},
		{"37_3_1", false, 0, 0},
		{"37.0", false, 0, 0},
		{"-37", false, 0, 0},
		{"desk1", false, 0, 0},
		{"4294967294", true, 4294967294u, UINT32_MAX},
		{"4294967295", false, 0, 0},
		{"99999999999999999999", false, 0, 0},
	};
	uint32_t id, task;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		id = task = 0;
		assert_int_equal(vol_words_job(rows[i].word, &id, &task),
				 rows[i].job);
		assert_int_equal(id, rows[i].id);
		assert_int_equal(task, rows[i].task);
	}
}

static void task_lists(void **state)
{
	static const struct {
		const char *list;
		uint32_t task;
		bool have;
	} rows[] = {
		{"", 0, false},          {"0", 0, true},
		{"0", 1, false},         {"1-3", 0, false},
		{"1-3", 1, true},        {"1-3", 3, true},
		{"1-3", 4, false},       {"1-3,7,9%2", 9, true},
		{"1-3,7,9%2", 8, false}, {"1-3%7", 7, false},
		{"0-30:10", 20, true},   {"0-30:10", 21, false},
		{"0-30:0", 0, false},    {"1,2,...", 77, true},
		{"x", 0, false},         {"1-3x", 9, false},
		{"5-", 5, false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++)
		if (vol_slurm_tasks_have(rows[i].list, rows[i].task) !=
		    rows[i].have)
			fail_msg("%s, %u", rows[i].list, rows[i].task);
}

static void constraints(void **state)
{
	static const struct {
		const char *constraint;
		int fits;
	} rows[] = {
		{"", 1},
		{"avx2", 1},
		{"avx", 0},
		{"avx2,intel", 1},
		{"avx2&intel", 1},
		{"avx2&amd", 0},
		{"amd|intel", 1},
		{"amd|arm", 0},
		{"amd&avx2|intel", 1},
		{"intel|amd&avx2", 1},
		{"amd&intel|arm", 0},
		{"[a|b]", -1},
		{"intel*2", -1},
		{"(intel)", -1},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++)
		if (vol_choice_features(rows[i].constraint,
					"volunteer,avx2,intel") != rows[i].fits)
			fail_msg("%s", rows[i].constraint);
	assert_int_equal(vol_choice_features("a", ""), 0);
}

/* ---- choices ---- */

static const struct vol_choice *choice_of(const struct vol_choices *c,
					  const char *name)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (!strcmp(c->list[i].name, name))
			return &c->list[i];
	return NULL;
}

static void facts_for_the_scorer(void **state)
{
	struct vol_slurm_request r = request_of(120);
	struct vol_score_job facts;

	(void)state;
	vol_choice_facts(&r, &facts);
	assert_int_equal(facts.limit_s, 7200);
	assert_int_equal(facts.restart_s, 30);
	assert_int_equal(facts.checkpoint_s, 0);
	r.limit_min = VOL_JOB_UNLIMITED;
	vol_choice_facts(&r, &facts);
	assert_int_equal(facts.limit_s, 0);
	r.limit_min = UINT32_MAX - 1;
	vol_choice_facts(&r, &facts);
	assert_int_equal(facts.limit_s, UINT32_MAX);
}

static void devices_are_told_apart(void **state)
{
	static const struct {
		const char *node;
		enum vol_choice_kind kind;
		const char *why;
	} rows[] = {
		{"desk1", VOL_CHOICE_FITS, ""},
		{"desk2", VOL_CHOICE_FITS, ""},
		{"desk3", VOL_CHOICE_OWNER, "owner present since 10:31"},
		{"desk4", VOL_CHOICE_CLOSED, "closed: paused until 14:00"},
		{"desk5", VOL_CHOICE_NO_LINK, "no link to it for 12m"},
		{"desk6", VOL_CHOICE_BUSY, "busy with other jobs"},
		{"desk7", VOL_CHOICE_OUT, "drained: new disk"},
	};
	struct vol_slurm_offer offers[N_DEVICES + 1];
	struct vol_slurm_request r = request_of(120);
	struct vol_choices c = {0};
	size_t i;

	(void)state;
	make_offers(offers);
	choose(&r, offers, &c);
	assert_int_equal(c.n, N_DEVICES); /* rack1 concerns nobody */
	assert_int_equal(c.ours, N_DEVICES);
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		const struct vol_choice *found = choice_of(&c, rows[i].node);

		assert_int_equal(found->kind, rows[i].kind);
		assert_string_equal(found->why, rows[i].why);
		assert_int_equal(found->order != 0,
				 rows[i].kind == VOL_CHOICE_FITS);
	}
	assert_string_equal(c.list[0].name, "desk1");
	assert_int_equal(c.devices[VOL_CHOICE_FITS], 2);
	assert_int_equal(c.devices[VOL_CHOICE_OWNER], 1);
	assert_string_equal(c.list[0].name, "desk1");
	assert_int_equal(c.list[0].level, 0);
	assert_int_equal(c.list[1].order, 2);
	assert_true(c.list[1].figures.evicted > c.list[0].figures.evicted);
	vol_choices_clear(&c);
	/* A node like any other never leaves. */
	offers[N_DEVICES].in_partition = true;
	choose(&r, offers, &c);
	assert_int_equal(c.others, 1);
	assert_string_equal(c.list[0].name, "rack1");
	assert_int_equal(c.list[0].level, 0);
	assert_string_equal(c.list[1].name, "desk1");
	assert_in_range(c.list[1].level, 1, VOL_SCORE_LEVELS - 2);
	offers[N_DEVICES].in_partition = false;
	vol_choices_clear(&c);
	/* The admin's Weight comes first, whatever the owners do. */
	offers[NIGHT].weight = 2;
	choose(&r, offers, &c);
	assert_string_equal(c.list[0].name, "desk2");
	assert_int_equal(c.list[1].order, 2);
	vol_choices_clear(&c);
}

static void states_in_words(void **state)
{
	static const struct {
		enum vol_nodetable_state state;
		int64_t since;
		uint64_t heard_s;
		const char *why, *text;
	} rows[] = {
		{VOL_NODETABLE_OPEN, 0, 0, "", "open"},
		{VOL_NODETABLE_OPEN, NOW, 0, "", "open since 11:02"},
		{VOL_NODETABLE_PARKED, NOW, 0, "", "owner present since 11:02"},
		{VOL_NODETABLE_PARKED, NOW, 0, "paused", "paused"},
		{VOL_NODETABLE_DRAINING, NOW, 0, "", "its jobs move away"},
		{VOL_NODETABLE_DRAINING, NOW, 0, "x", "its jobs move away: x"},
		{VOL_NODETABLE_CLOSED, 0, 0, "", "closed"},
		{VOL_NODETABLE_CLOSED, NOW, 0, "", "closed since 11:02"},
		{VOL_NODETABLE_CLOSED, NOW, 0, "paused", "closed: paused"},
		{VOL_NODETABLE_CLOSED, NOW, 0, "owner present since 10:31",
		 "owner present since 10:31"},
		{VOL_NODETABLE_UNKNOWN, NOW, 0, "x", "no link to it"},
		{VOL_NODETABLE_UNKNOWN, 0, BOOT + 9, "",
		 "no link to it for 0s"},
		{(enum vol_nodetable_state)77, 0, BOOT - 9, "",
		 "no link to it for 9s"},
	};
	struct vol_nodetable_node node;
	char buf[256];
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		memset(&node, 0, sizeof(node));
		node.state = rows[i].state;
		node.since = rows[i].since;
		node.heard_s = rows[i].heard_s;
		snprintf(node.why, sizeof(node.why), "%s", rows[i].why);
		vol_choice_state_words(&node, BOOT, NOW, buf, sizeof(buf));
		assert_string_equal(buf, rows[i].text);
	}
}

/* Without jobs it is closed, not parked, when its owner comes. */
static void owners_close_devices(void **state)
{
	struct vol_nodetable_node node = {.name = "desk1",
					  .state = VOL_NODETABLE_CLOSED};
	const struct vol_device_list one = {.list = &node, .n = 1};
	struct vol_slurm_offer offer = {.name = "desk1", .in_partition = true};
	const struct vol_slurm_offers offers = {&offer, 1};
	struct vol_slurm_request r = request_of(10);
	struct vol_choices c = {0};
	struct vol_score_job facts;

	(void)state;
	vol_choice_facts(&r, &facts);
	strcpy(node.why, "owner present since 10:31");
	assert_int_equal(vol_choices_make(&r, &facts, &offers, &one, NULL, NOW,
					  &c, NULL),
			 0);
	assert_int_equal(c.list[0].kind, VOL_CHOICE_OWNER);
	strcpy(node.why, "on battery");
	assert_int_equal(vol_choices_make(&r, &facts, &offers, &one, NULL, NOW,
					  &c, NULL),
			 0);
	assert_int_equal(c.list[0].kind, VOL_CHOICE_CLOSED);
	vol_choices_clear(&c);
}

static void jobs_are_choosy(void **state)
{
	static char two[] = "desk[2-3]", features[] = "volunteer&gpu";
	struct vol_slurm_offer offers[N_DEVICES + 1];
	struct vol_slurm_request r;
	struct vol_choices c = {0};

	(void)state;
	make_offers(offers);
	offers[NIGHT].excluded = true;
	r = request_of(10);
	choose(&r, offers, &c);
	assert_string_equal(choice_of(&c, "desk1")->why,
			    "excluded by the job (-x)");
	vol_choices_clear(&c);

	make_offers(offers);
	offers[NOON].required = offers[PARKED].required = true;
	r.required = two;
	r.n_required = r.min_nodes = 2;
	choose(&r, offers, &c);
	assert_string_equal(choice_of(&c, "desk1")->why,
			    "the job wants desk[2-3] (-w)");
	assert_int_equal(choice_of(&c, "desk2")->kind, VOL_CHOICE_FITS);
	vol_choices_clear(&c);
	r.min_nodes = 3; /* one more is to be chosen */
	choose(&r, offers, &c);
	assert_int_equal(choice_of(&c, "desk1")->kind, VOL_CHOICE_FITS);
	vol_choices_clear(&c);

	make_offers(offers);
	r = request_of(10);
	r.features = features;
	strcpy(offers[NIGHT].features, "gpu,volunteer");
	choose(&r, offers, &c);
	assert_int_equal(choice_of(&c, "desk1")->kind, VOL_CHOICE_FITS);
	assert_string_equal(choice_of(&c, "desk2")->why,
			    "lacks constraint volunteer&gpu");
	assert_false(c.unsure);
	vol_choices_clear(&c);
	r.features = two; /* has brackets */
	choose(&r, offers, &c);
	assert_int_equal(choice_of(&c, "desk2")->kind, VOL_CHOICE_FITS);
	assert_true(c.unsure);
	vol_choices_clear(&c);
}

static void jobs_need_room(void **state)
{
	struct vol_slurm_offer offers[N_DEVICES + 1];
	struct vol_slurm_request r = request_of(10);
	struct vol_choices c = {0};

	(void)state;
	make_offers(offers);
	r.memory_mb = 8001;
	choose(&r, offers, &c);
	assert_string_equal(choice_of(&c, "desk1")->why,
			    "has 8000 MB of memory, 8001 wanted");
	vol_choices_clear(&c);
	r.memory_mb = 8000;
	r.cpus_per_node = 5;
	choose(&r, offers, &c);
	assert_string_equal(choice_of(&c, "desk1")->why,
			    "has 4 CPUs, 5 wanted");
	vol_choices_clear(&c);
	r.cpus_per_node = 2;
	offers[NIGHT].shared = offers[NOON].shared = true;
	offers[NIGHT].cpus_used = 3;
	offers[NOON].cpus_used = 2;
	choose(&r, offers, &c);
	assert_int_equal(choice_of(&c, "desk1")->kind, VOL_CHOICE_BUSY);
	assert_string_equal(choice_of(&c, "desk2")->why,
			    "shared with other jobs");
	vol_choices_clear(&c);
	r.exclusive = true;
	choose(&r, offers, &c);
	assert_int_equal(choice_of(&c, "desk2")->kind, VOL_CHOICE_BUSY);
	vol_choices_clear(&c);
	offers[NOON].shared = false;
	offers[NOON].cpus_used = 0;
	choose(&r, offers, &c);
	assert_int_equal(choice_of(&c, "desk2")->kind, VOL_CHOICE_FITS);
	vol_choices_clear(&c);
	/* Nothing at all. */
	assert_int_equal(vol_choices_make(&r, &(struct vol_score_job){0},
					  &(struct vol_slurm_offers){0},
					  &(struct vol_device_list){0}, NULL,
					  NOW, &c, NULL),
			 0);
	assert_int_equal(c.n, 0);
	vol_choices_clear(&c);
}

/* A risky device waits for another job, unless somebody waits for this one. */
static void risky_devices_are_held(void **state)
{
	static const struct {
		bool batch;
		uint32_t n_required, waited_s, limit_min;
		size_t held;
	} rows[] = {
		{true, 0, 0, 120, 1},    {false, 0, 0, 120, 0},
		{true, 1, 0, 120, 0},    {true, 0, 7200, 120, 0},
		{true, 0, 3600, 120, 1}, {true, 0, 0, VOL_JOB_UNLIMITED, 0},
		{true, 0, 0, 10, 0},
	};
	struct vol_slurm_offer offers[N_DEVICES + 1];

	(void)state;
	make_offers(offers);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct vol_slurm_request r = request_of(rows[i].limit_min);
		struct vol_choices c = {0};

		r.batch = rows[i].batch;
		r.n_required = rows[i].n_required;
		r.eligible = NOW - rows[i].waited_s;
		offers[NOON].required = r.n_required > 0;
		choose(&r, offers, &c);
		if (c.devices[VOL_CHOICE_HELD] != rows[i].held)
			fail_msg("row %zu: %zu held", i,
				 c.devices[VOL_CHOICE_HELD]);
		vol_choices_clear(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans),
		cmocka_unit_test(chances),
		cmocka_unit_test(small_words),
		cmocka_unit_test(job_names),
		cmocka_unit_test(task_lists),
		cmocka_unit_test(constraints),
		cmocka_unit_test(facts_for_the_scorer),
		cmocka_unit_test(devices_are_told_apart),
		cmocka_unit_test(states_in_words),
		cmocka_unit_test(owners_close_devices),
		cmocka_unit_test(jobs_are_choosy),
		cmocka_unit_test(jobs_need_room),
		cmocka_unit_test(risky_devices_are_held),
	};

	return cmocka_run_group_tests(tests, lab_set_up, NULL);
}
