/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_explain_pages.c - what volunteer explain says */
#include "config.h"

#include "explain_bed.h"

static char *job_page(const struct vol_job_facts *facts, bool all)
{
	json_t *job = vol_explain_job(facts, NOW);
	char *page = NULL;
	size_t size;
	FILE *out = open_memstream(&page, &size);

	assert_non_null(job);
	vol_explain_job_view(out, job, all, NOW);
	fclose(out);
	json_decref(job);
	return page;
}

static void waiting_job(void **state)
{
	struct vol_slurm_offer offers[N_DEVICES + 1];
	struct vol_slurm_request r = request_of(120);
	struct vol_choices c = {0};
	struct vol_score_job score;
	struct vol_job_facts facts = {.name = "42",
				      .request = &r,
				      .choices = &c,
				      .score = &score,
				      .devices = &devices,
				      .select_active = true};
	char *page;

	(void)state;
	make_offers(offers);
	vol_choice_facts(&r, &score);
	choose(&r, offers, &c);
	page = job_page(&facts, false);
	assert_string_equal(
		page, "Job 42 (time limit 2h 00m) waits in partition"
		      " volunteer: Resources, not enough\n"
		      "nodes are free for it. Of the 7 devices that it"
		      " could run on 2 are free now; 1\n"
		      "is in use by its owner, 1 is closed, 1 has no link,"
		      " 1 is busy with other jobs,\n"
		      "1 is down or drained. Slurm looks again within"
		      " seconds; which cores and what\n"
		      "GRES it needs, and reservations, are not looked at"
		      " here.\n"
		      "\n"
		      "If it could start now:\n"
		      "ORDER  NODE   OWNER-BACK  WASTED  DONE-AFTER  SPEED"
		      "  WEIGHT  LEVEL  REMARK\n"
		      "1      desk1  3%          68s     1h 13m      1.0x"
		      "   1       0      -\n"
		      "2      desk2  50%         30m     1h 30m      1.2x"
		      "   1       10     -\n"
		      "-      desk6  60%         55m     2h 07m      -"
		      "      1       -      busy with other jobs\n"
		      "-      desk3  -           -       -           0.8x"
		      "   1       -      owner present since 10:31\n"
		      "-      desk4  -           -       -           -"
		      "      1       -      closed: paused until 14:00\n"
		      "-      desk5  -           -       -           -"
		      "      1       -      no link to it for 12m\n"
		      "-      desk7  60%         55m     2h 07m      -"
		      "      1       -      drained: new disk\n");
	free(page);
	vol_choices_clear(&c);
}

/* Free, and yet not for this job: it waits, and says for how long. */
static void waiting_for_a_better_one(void **state)
{
	struct vol_slurm_offer offers[N_DEVICES + 1];
	struct vol_slurm_request r = request_of(120);
	struct vol_choices c = {0};
	struct vol_job_facts facts = {.name = "42",
				      .request = &r,
				      .choices = &c,
				      .devices = &devices,
				      .select_active = true};
	char *page;

	(void)state;
	make_offers(offers);
	offers[NIGHT].full = true;
	r.batch = true;
	r.eligible = NOW - 600;
	choose(&r, offers, &c);
	page = job_page(&facts, false);
	assert_contains(page, "None of the devices that it could run on will "
			      "do now: 1\nis free, but its owner will likely "
			      "be back too soon, 1 is in use");
	/* Three tenths of risk at first, five after 2 / 7 of 4 * 72 minutes, of
	 * which 10 are over. */
	assert_contains(page, "desk2  50%");
	assert_contains(page, "the job waits for a better one, for 1h 12m at "
			      "most");
	free(page);
	vol_choices_clear(&c);
}

static void waiting_in_vain(void **state)
{
	struct vol_slurm_offer offers[N_DEVICES + 1];
	struct vol_slurm_request r = request_of(120);
	struct vol_choices c = {0};
	struct vol_job_facts facts = {.name = "42_7",
				      .request = &r,
				      .choices = &c,
				      .devices = &devices};
	char *page;

	(void)state;
	make_offers(offers);
	offers[NIGHT].full = offers[NOON].excluded = true;
	r.reason = (char *)"Priority";
	r.limit_min = VOL_JOB_UNLIMITED;
	r.min_nodes = 2;
	r.detail = (char *)"Priority";
	choose(&r, offers, &c);
	page = job_page(&facts, false);
	assert_string_equal(
		page, "Job 42_7 (no time limit: taken for one of 4h 00m)"
		      " waits in partition\n"
		      "volunteer: Priority, jobs before it wait for the"
		      " same nodes. None of the\n"
		      "devices that it could run on is free now: 1 is in"
		      " use by its owner, 1 is\n"
		      "closed, 1 has no link, 2 are busy with other jobs, 1"
		      " is down or drained. 1\n"
		      "more is not what it asks for. It needs 2 nodes at"
		      " once. The select plugin is\n"
		      "not active: Slurm does not look at what follows"
		      " (volunteer select --status).\n"
		      "\n"
		      "What is in its way:\n"
		      "ORDER  NODE   OWNER-BACK  WASTED  DONE-AFTER  SPEED"
		      "  WEIGHT  LEVEL  REMARK\n"
		      "-      desk1  10%         13m     4h 13m      1.0x"
		      "   1       -      busy with other jobs\n"
		      "-      desk6  100%        2d 17h  2d 21h      -"
		      "      1       -      busy with other jobs\n"
		      "-      desk3  -           -       -           0.8x"
		      "   1       -      owner present since 10:31\n"
		      "-      desk4  -           -       -           -"
		      "      1       -      closed: paused until 14:00\n"
		      "-      desk5  -           -       -           -"
		      "      1       -      no link to it for 12m\n"
		      "-      desk7  100%        2d 17h  2d 21h      -"
		      "      1       -      drained: new disk\n"
		      "-      desk2  100%        2d 17h  2d 20h      1.2x"
		      "   1       -      excluded by the job (-x)\n");
	free(page);
	vol_choices_clear(&c);
}

static struct vol_placement placement = {
	.at = NOW - 20 * 60,
	.job = 41,
	.facts = {.limit_s = 7200},
	.taken = 1,
	.passed = 2,
	.dropped = 3,
	.others = 1,
	.n_nodes = 5,
	.nodes = {
		{.name = "desk1",
		 .fate = VOL_PLACEMENT_TAKEN,
		 .state = VOL_NODETABLE_OPEN,
		 .weight = 1,
		 .speed = 1000,
		 .figures = {0.04, 7200, 180, 7380}},
		{.name = "desk2",
		 .fate = VOL_PLACEMENT_PASSED,
		 .state = VOL_NODETABLE_OPEN,
		 .weight = 1,
		 .level = 15,
		 .speed = 1200,
		 .figures = {0.71, 6000, 3720, 9720}},
		{.name = "desk6",
		 .fate = VOL_PLACEMENT_PASSED,
		 .state = VOL_NODETABLE_OPEN,
		 .weight = 10,
		 .level = 0,
		 .speed = 1000,
		 .figures = {0.01, 7200, 10, 7210}},
		{.name = "desk3",
		 .fate = VOL_PLACEMENT_DROPPED,
		 .state = VOL_NODETABLE_PARKED,
		 .weight = 1},
		{.name = "desk5",
		 .fate = VOL_PLACEMENT_DROPPED,
		 .state = VOL_NODETABLE_UNKNOWN,
		 .weight = 1},
	}};

/* For looking into paragraphs. */
static char *unwrap(char *page)
{
	char *p;

	for (p = page; *p; p++)
		if (*p == '\n')
			*p = ' ';
	return page;
}

/* Of one that was evicted and begins again. */
static void saving_job(void **state)
{
	struct vol_placement p = placement;
	struct vol_slurm_request r = request_of(120);
	struct vol_job_facts facts = {
		.name = "41", .request = &r, .placement = &p};
	char *page;

	(void)state;
	r.state = VOL_JOB_RUNNING;
	r.restarts = 1;
	p.facts.limit_s = 0;
	p.facts.checkpoint_s = 600;
	page = job_page(&facts, false);
	assert_non_null(strstr(unwrap(page),
			       "no time limit and saves its state "
			       "every 10m. It had to begin again once."));
	free(page);
	r.state = VOL_JOB_PENDING;
	r.restarts = 2;
	page = job_page(&facts, false);
	assert_non_null(strstr(unwrap(page), "again 2 times."));
	assert_non_null(
		strstr(unwrap(page), "Job 41 was last started at 10:42 on"));
	free(page);
}

static void started_job(void **state)
{
	struct vol_job_facts facts = {.name = "41",
				      .placement = &placement,
				      .devices = &devices,
				      .select_active = true};
	char *page = job_page(&facts, false);

	(void)state;
	assert_string_equal(
		page, "Job 41 was started at 10:42 on desk1; it may run for"
		      " 2h 00m. Slurm had 6\n"
		      "devices and 1 other node to choose from: 1 taken, 2"
		      " passed over, 3 not open.\n"
		      "desk1 was taken: there it would finish after 2h 03m,"
		      " including 3m of expected\n"
		      "wasted work; the chance that the owner is back"
		      " before the job ends was 4%.\n"
		      "desk2 was passed over (would be done later): there"
		      " it would finish after 2h\n"
		      "42m, including 1h 02m of expected wasted work; the"
		      " chance that the owner is\n"
		      "back before the job ends was 71%.\n"
		      "\n"
		      "NODE   FATE         OWNER-BACK  WASTED  DONE-AFTER"
		      "  SPEED  WEIGHT  LEVEL  REMARK\n"
		      "desk1  taken        4%          3m      2h 03m"
		      "      1.0x   1       0      -\n"
		      "desk2  passed over  71%         1h 02m  2h 42m"
		      "      1.2x   1       15     would be done later\n"
		      "desk6  passed over  1%          10s     2h 00m"
		      "      1.0x   10      0      its Weight 10 comes"
		      " after 1\n"
		      "desk3  dropped      -           -       -"
		      "           -      1       -      owner present since"
		      " 10:31\n"
		      "desk5  dropped      -           -       -"
		      "           -      1       -      no link to it\n");
	free(page);
}

static bool is_node(const char *hostlist, const char *name)
{
	return !strcmp(hostlist, name);
}

static void starts_of_tasks(void **state)
{
	struct vol_slurm_request r = request_of(120);

	(void)state;
	r.nodes = (char *)"desk1";
	r.start = placement.at + 1;
	assert_true(vol_explain_is_start(&placement, &r, is_node));
	r.start = placement.at - 5;
	assert_true(vol_explain_is_start(&placement, &r, is_node));
	r.start = placement.at - 6;
	assert_false(vol_explain_is_start(&placement, &r, is_node));
	r.start = placement.at + 6;
	assert_false(vol_explain_is_start(&placement, &r, is_node));
	r.start = placement.at;
	r.nodes = (char *)"desk2"; /* passed over */
	assert_false(vol_explain_is_start(&placement, &r, is_node));
}

/* A record of before that lies about its length, and a lab that has changed. */
static void old_records(void **state)
{
	struct vol_placement p = placement;
	struct vol_job_facts facts = {.name = "41", .placement = &p};
	char *page;

	(void)state;
	p.at = NOW - 40 * 60; /* desk3's owner came later */
	facts.devices = &devices;
	page = job_page(&facts, false);
	assert_null(strstr(page, "10:31"));
	assert_non_null(strstr(page, "parked\n"));
	free(page);
	p.n_nodes = 4000000000u;
	facts.devices = NULL;
	free(job_page(&facts, false));
	p.n_nodes = 0;
	free(job_page(&facts, false));
}

static void refusals(void **state)
{
	struct vol_slurm_request r = request_of(10);
	struct vol_choices c = {.ours = 0};
	struct vol_job_facts facts = {.name = "41", .ctld_trouble = "no route"};
	struct vol_error err;

	(void)state;
	assert_int_equal(vol_explain_job_check(&facts, &err), -1);
	assert_non_null(strstr(err.text, "does not know job 41"));
	facts.ctld_away = true;
	assert_int_equal(vol_explain_job_check(&facts, &err), -1);
	assert_non_null(strstr(err.text, "no route"));
	facts.placement = &placement;
	assert_int_equal(vol_explain_job_check(&facts, &err), 0);
	facts.placement = NULL;
	facts.request = &r;
	facts.choices = &c;
	assert_int_equal(vol_explain_job_check(&facts, &err), -1);
	assert_non_null(strstr(err.text, "which has no volunteer devices"));
	c.ours = 1;
	assert_int_equal(vol_explain_job_check(&facts, &err), 0);
	r.state = VOL_JOB_RUNNING;
	assert_int_equal(vol_explain_job_check(&facts, &err), -1);
	assert_non_null(strstr(err.text, "before it was started"));
	r.nodes = (char *)"rack1";
	assert_int_equal(vol_explain_job_check(&facts, &err), -1);
	assert_non_null(strstr(err.text, "no volunteer device among them"));
	facts.on_devices = true;
	assert_int_equal(vol_explain_job_check(&facts, &err), -1);
	assert_non_null(strstr(err.text, "plugin is not active"));
	facts.select_active = true;
	assert_int_equal(vol_explain_job_check(&facts, &err), -1);
	assert_non_null(strstr(err.text, "nothing is remembered"));
	assert_null(strstr(err.text, "of an array"));
	r.array_id = 40;
	assert_int_equal(vol_explain_job_check(&facts, &err), -1);
	assert_non_null(strstr(err.text, "of an array"));
}

static char *node_page(const struct vol_node_facts *facts)
{
	json_t *node = vol_explain_node(facts, NOW);
	char *page = NULL;
	size_t size;
	FILE *out = open_memstream(&page, &size);

	assert_non_null(node);
	vol_explain_node_view(out, node, NOW);
	fclose(out);
	json_decref(node);
	return page;
}

#define HISTORY(node, horizon, weekdays, back, alike, alike_back)  \
	"{\"node\": \"" node                                       \
	"\", \"now\": 1763722920, \"horizon_s\": " #horizon        \
	", \"weekdays\": " #weekdays ", \"weekdays_back\": " #back \
	", \"alike\": " #alike ", \"alike_back\": " #alike_back "}"

static void history(void **state)
{
	static const struct {
		const char *json, *text;
	} rows[] = {
		{"{}", ""},
		{"[]", ""},
		{HISTORY("d", 3600, 0, 0, 0, 0), ""},
		{HISTORY("d", 3600, 4, 3, 20, 15),
		 " On 3 of the last 4 Fridays the owner of d was there between "
		 "11:02 and 12:02."},
		{HISTORY("d", 28800, 4, 0, 20, 7),
		 " On none of the last 4 Fridays the owner of d was there "
		 "between 11:02 and 19:02."},
		{HISTORY("d", 3600, 2, 2, 9, 9),
		 " On each of the last 9 workdays the owner of d was there "
		 "between 11:02 and 12:02."},
		{HISTORY("d", 86400, 0, 0, 2, 1),
		 " On 1 of the last 2 workdays the owner of d was there within "
		 "a day from 11:02."},
	};
	char *text = NULL;
	json_t *json;
	size_t i, size;
	FILE *out;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		json = json_loads(rows[i].json, 0, NULL);
		assert_non_null(json);
		out = open_memstream(&text, &size);
		vol_explain_history(out, json);
		fclose(out);
		assert_string_equal(text, rows[i].text);
		free(text);
		json_decref(json);
	}
}

static void rivals(void **state)
{
	static const struct {
		const char *json;
		size_t n;
		const char *names[2];
	} rows[] = {
		{"{}", 0, {NULL, NULL}},
		{"{\"now\": {\"nodes\": [{\"fate\": \"fits\", \"node\":"
		 " \"rack1\", \"device\": false}, {\"fate\": \"fits\","
		 " \"node\": \"a\", \"device\": true}]}}",
		 1,
		 {"a", NULL}},
		{"{\"now\": {\"nodes\": [{\"fate\": \"fits\", \"node\":"
		 " \"a\", \"device\": true}, {\"fate\": \"fits\", \"node\":"
		 " \"b\", \"device\": true}, {\"fate\": \"fits\", \"node\":"
		 " \"c\", \"device\": true}, {\"fate\": \"busy\", \"node\":"
		 " \"d\", \"device\": true}]}}",
		 2,
		 {"a", "c"}},
		{"{\"placement\": {\"at\": 1763722620, \"nodes\": [{\"fate\":"
		 " \"taken\", \"node\": \"a\"}, {\"fate\": \"passed over\","
		 " \"node\": \"b\"}]}}",
		 2,
		 {"a", "b"}},
		{"{\"placement\": {\"at\": 1763720000, \"nodes\": [{\"fate\":"
		 " \"taken\", \"node\": \"a\"}]}}",
		 0,
		 {NULL, NULL}},
	};
	const char *names[2];
	json_t *json;
	size_t i, k;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		json = json_loads(rows[i].json, 0, NULL);
		assert_non_null(json);
		assert_int_equal(vol_explain_rivals(json, NOW, names, 2),
				 rows[i].n);
		for (k = 0; k < rows[i].n; k++)
			assert_string_equal(names[k], rows[i].names[k]);
		assert_in_range(vol_explain_rivals(json, NOW, names, 1), 0, 1);
		json_decref(json);
	}
}

static void open_device(void **state)
{
	json_t *list = json_pack(
		"[o, o]",
		json_loads(HISTORY("desk1", 3600, 4, 3, 20, 9), 0, NULL),
		json_loads(HISTORY("desk1", 28800, 4, 3, 20, 9), 0, NULL));
	struct vol_slurm_node slurm = {.state = "IDLE+DYNAMIC_NORM",
				       .reason = "long ago"};
	struct vol_node_facts facts = {.node = &lab[NIGHT],
				       .now_s = BOOT,
				       .slurm = &slurm,
				       .select_active = true,
				       .history = list};
	char *page = node_page(&facts);

	(void)state;
	assert_string_equal(
		page, "desk1 is open for jobs since 10:02 (for 1h 00m); its"
		      " owner is away since 09:57\n"
		      "(for 1h 05m). Its speed is 1.0x that of a usual"
		      " device here. Slurm has it as\n"
		      "IDLE+DYNAMIC_NORM. Jobs evicted by its owner: 0 in"
		      " 24 hours, 1 in 7 days, 7\n"
		      "altogether, the last on Tue 11:02. On 3 of the last"
		      " 4 Fridays the owner of\n"
		      "desk1 was there between 11:02 and 12:02.\n"
		      "\n"
		      "The chance that it stays open: 97% for 1 hour, 90%"
		      " for 4 hours, 80% for 8\n"
		      "hours, 40% for 24 hours. Half of the time it stays"
		      " for at least 20h 00m.\n"
		      "\n"
		      "TIME-LIMIT  OWNER-BACK  WASTED  DONE-AFTER\n"
		      "10m         <1%         1s      6m\n"
		      "1h 00m      1%          17s     36m\n"
		      "8h 00m      12%         20m     5h 08m\n");
	free(page);
	json_decref(list);
}

static void other_devices(void **state)
{
	struct vol_slurm_node slurm = {.state = "IDLE+DRAIN",
				       .drained = true,
				       .reason = "volunteer: owner present"};
	struct vol_node_facts facts = {.node = &lab[PARKED],
				       .now_s = BOOT,
				       .slurm = &slurm,
				       .select_active = true};
	char *page = node_page(&facts);

	(void)state;
	assert_string_equal(
		page, "desk3 takes no jobs since 10:31 (for 31m): owner"
		      " present since 10:31. Its\n"
		      "speed is 0.8x that of a usual device here. Slurm has"
		      " it as IDLE+DRAIN:\n"
		      "volunteer: owner present. No job has been evicted"
		      " from it yet.\n");
	free(page);
	facts.node = &lab[NOON];
	facts.slurm = NULL;
	facts.select_active = false;
	page = node_page(&facts);
	assert_non_null(strstr(page, "It closes at 15:02 (in 4h 00m)."));
	assert_non_null(strstr(page, "It runs on battery."));
	assert_non_null(strstr(page, "plugin is not active"));
	free(page);
	facts.node = &lab[LOST];
	page = node_page(&facts);
	assert_non_null(strstr(page, "desk5 takes no jobs: no link to it for "
				     "12m."));
	free(page);
}

/* Any member may be missing, or of another type. */
static void pages_are_tolerant(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"{\"state\": \"pending\"}",
		"{\"state\": \"pending\", \"now\": 3, \"placement\": []}",
		"{\"placement\": {\"nodes\": [1, null, {\"fate\": 3}]}}",
		"{\"placement\": {\"nodes\": [{\"fate\": \"taken\", \"chance\":"
		" \"x\", \"node\": \"\\u001b[2J\"}]}}",
		"{\"state\": \"open\", \"forecast\": {}, \"jobs\": [1, {}],"
		" \"history\": [3, \"\"]}",
		"{\"state\": \"open\", \"forecast\": {\"1h\": \"x\","
		" \"median_s\": -5}, \"evictions\": 7}",
	};
	char *page = NULL;
	size_t i, size;
	json_t *json;
	FILE *out;

	(void)state;
	for (i = 0; i < N_ELEMENTS(texts); i++) {
		json = json_loads(texts[i], 0, NULL);
		assert_non_null(json);
		out = open_memstream(&page, &size);
		vol_explain_job_view(out, json, false, NOW);
		vol_explain_node_view(out, json, NOW);
		fclose(out);
		assert_null(strchr(page, 27));
		free(page);
		json_decref(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waiting_job),
		cmocka_unit_test(saving_job),
		cmocka_unit_test(waiting_for_a_better_one),
		cmocka_unit_test(waiting_in_vain),
		cmocka_unit_test(started_job),
		cmocka_unit_test(starts_of_tasks),
		cmocka_unit_test(old_records),
		cmocka_unit_test(refusals),
		cmocka_unit_test(history),
		cmocka_unit_test(rivals),
		cmocka_unit_test(open_device),
		cmocka_unit_test(other_devices),
		cmocka_unit_test(pages_are_tolerant),
	};

	return cmocka_run_group_tests(tests, lab_set_up, NULL);
}
