/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_reporter.c - reports from the device's side: to disk, then over the link
 */
#include "config.h"

#include "device/reporter.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>

#include "log.h"
#include "outbox.h"

#include "vtest.h"

#define DEADLINE_S 30

struct bed {
	char *folder;
	sd_event *loop;
	struct vol_reporter *r;
	bool up;
	uint64_t stream, acked;   /* of the last hello */
	struct vol_link_msg last; /* that was sent */
	char sent[4096];
	unsigned redials;
	char log[16384];
};

static void keep_log(enum vol_log_level level, const char *msg, void *arg)
{
	struct bed *bed = arg;
	size_t len = strlen(bed->log);

	(void)level;
	assert_printable(msg);
	snprintf(bed->log + len, sizeof(bed->log) - len, "%s\n", msg);
}

static int keep_sent(const struct vol_link_msg *msg, void *arg)
{
	struct bed *bed = arg;
	size_t len = strlen(bed->sent);

	if (!bed->up)
		return -1;
	assert_true(msg->stream == bed->stream);
	bed->last = *msg;
	snprintf(bed->sent + len, sizeof(bed->sent) - len,
		 "%" PRIu64 ">%" PRIu64 ":%s ", msg->after, msg->report,
		 msg->type == VOL_LINK_EVICT ? "evict"
					     : vol_harvest_name(msg->harvest));
	return 0;
}

static void hello(struct bed *bed)
{
	struct vol_link_msg msg = {.type = VOL_LINK_HELLO};

	vol_reporter_hello(bed->r, &msg);
	bed->stream = msg.stream;
	bed->acked = msg.acked;
	*bed->sent = '\0';
	bed->up = true;
}

static void redial(const char *reason, void *arg)
{
	struct bed *bed = arg;

	assert_string_equal(reason, "reports begin anew");
	bed->redials++;
	bed->up = false;
}

static const struct vol_reporter_ops ops = {keep_sent, redial};

static void start(struct bed *bed)
{
	struct vol_error err = {""};

	bed->r = vol_reporter_create(bed->loop, bed->folder, &ops, bed, &err);
	if (!bed->r)
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	void *folder;

	if (!bed || vtest_folder_setup(&folder) < 0 ||
	    sd_event_new(&bed->loop) < 0)
		return -1;
	bed->folder = folder;
	vol_log_set(keep_log, bed, VOL_LOG_INFO);
	*state = bed;
	start(bed);
	return 0;
}

static int teardown(void **state)
{
	struct bed *bed = *state;
	void *folder = bed->folder;

	vol_reporter_destroy(bed->r);
	vol_log_set(NULL, NULL, VOL_LOG_ERR);
	sd_event_unref(bed->loop);
	free(bed);
	return vtest_folder_teardown(&folder);
}

#define run_until(bed, condition)                                           \
	do {                                                                \
		time_t end_ = time(NULL) + DEADLINE_S;                      \
		while (!(condition)) {                                      \
			assert_true(sd_event_run((bed)->loop, 20000) >= 0); \
			if (time(NULL) > end_)                              \
				fail_msg("in vain: %s\n%s\n%s", #condition, \
					 (bed)->sent, (bed)->log);          \
		}                                                           \
	} while (0)

static uint64_t moved(struct bed *bed, enum vol_harvest harvest)
{
	struct vol_link_msg msg = {.type = VOL_LINK_MOVED,
				   .harvest = harvest,
				   .why = "owner present since 10:31"};

	return vol_reporter_add(bed->r, &msg);
}

static uint64_t evict(struct bed *bed, uint32_t job)
{
	struct vol_link_msg msg = {
		.type = VOL_LINK_EVICT, .job = job, .force = true};

	/* As long as a reason can get. */
	memset(msg.why, '"', sizeof(msg.why) - 1);
	return vol_reporter_add(bed->r, &msg);
}

static void ack(struct bed *bed, uint64_t seq, bool again)
{
	struct vol_link_msg msg = {.type = VOL_LINK_ACK,
				   .stream = bed->stream,
				   .report = seq,
				   .again = again};

	vol_reporter_message(bed->r, &msg);
}

static void they_go_when_they_may_and_are_on_disk(void **state)
{
	struct bed *bed = *state;

	hello(bed);
	assert_int_equal(bed->acked, 0);
	assert_int_equal(moved(bed, VOL_HARVEST_PARKED), 1);
	assert_int_equal(evict(bed, 17), 2);
	run_until(bed, strstr(bed->log, "report 2 of "));
	assert_contains(bed->log, ": parked\n");
	assert_contains(bed->log, ": evict job 17\n");
	assert_string_equal(bed->sent, "");
	ack(bed, 0, true);
	assert_string_equal(bed->sent, "0>1:parked 1>2:evict ");
	assert_int_equal(bed->last.job, 17);
	assert_true(bed->last.force && !bed->last.exclude);
	assert_int_equal(strlen(bed->last.why), VOL_WHY_SIZE - 1);
	assert_in_range(bed->last.age_ms, 0, DEADLINE_S * 1000);
	/* One that is not on disk is not sent. */
	assert_int_equal(moved(bed, VOL_HARVEST_OPEN), 3);
	ack(bed, 1, false);
	assert_string_equal(bed->sent, "0>1:parked 1>2:evict ");
	assert_false(vol_reporter_waits(bed->r, 1));
	assert_true(vol_reporter_waits(bed->r, 2));
	run_until(bed, strstr(bed->sent, "2>3:open "));
	ack(bed, 3, false);
	assert_false(vol_reporter_waits(bed->r, 3));
}

static void again_after_each_link_and_each_life(void **state)
{
	struct bed *bed = *state;
	uint64_t stream;

	hello(bed);
	stream = bed->stream;
	ack(bed, 0, true);
	moved(bed, VOL_HARVEST_PARKED);
	moved(bed, VOL_HARVEST_OPEN);
	run_until(bed, strstr(bed->sent, "1>2:open "));
	bed->up = false;
	hello(bed);
	ack(bed, 1, true);
	assert_string_equal(bed->sent, "1>2:open ");
	ack(bed, 1, true); /* it got lost */
	assert_string_equal(bed->sent, "1>2:open 1>2:open ");
	bed->up = false;
	moved(bed, VOL_HARVEST_CLOSED);
	vol_reporter_destroy(bed->r); /* writes it */
	start(bed);
	hello(bed);
	assert_true(bed->stream == stream);
	ack(bed, 2, true);
	run_until(bed, strstr(bed->sent, "2>3:closed "));
	assert_null(strstr(bed->sent, "open"));
}

static void a_window_at_a_time(void **state)
{
	struct bed *bed = *state;

	hello(bed);
	for (int i = 0; i < 50; i++)
		moved(bed, VOL_HARVEST_OPEN);
	vol_reporter_flush(bed->r);
	ack(bed, 0, true);
	assert_int_equal(bed->last.report, VOL_OUTBOX_WINDOW);
	ack(bed, 10, false);
	assert_int_equal(bed->last.report, VOL_OUTBOX_WINDOW + 10);
	ack(bed, 42, false);
	assert_int_equal(bed->last.report, 50);
}

static void a_controller_that_knows_more_begins_a_stream(void **state)
{
	struct bed *bed = *state;
	uint64_t stream;

	hello(bed);
	stream = bed->stream;
	moved(bed, VOL_HARVEST_PARKED);
	vol_reporter_flush(bed->r);
	ack(bed, 9, true);
	assert_int_equal(bed->redials, 1);
	assert_contains(bed->log, "was an old state put back?");
	assert_string_equal(bed->sent, "");
	hello(bed);
	assert_true(bed->stream != stream);
	assert_int_equal(bed->acked, 0);
	ack(bed, 0, true);
	run_until(bed, strstr(bed->sent, "0>1:parked "));
	/* Late words about the old one. */
	bed->stream = stream;
	ack(bed, 9, true);
	assert_int_equal(bed->redials, 1);
}

/* Its number is that of one of ours, which is another report: ours was on disk,
 * but has never been sent. */
static void nor_does_it_know_what_waits(void **state)
{
	struct bed *bed = *state;

	hello(bed);
	ack(bed, 0, true);
	moved(bed, VOL_HARVEST_PARKED);
	run_until(bed, strstr(bed->sent, "0>1:parked "));
	ack(bed, 1, false);
	vol_reporter_destroy(bed->r);
	start(bed);
	bed->up = false;
	moved(bed, VOL_HARVEST_OPEN);
	evict(bed, 17);
	moved(bed, VOL_HARVEST_CLOSED);
	vol_reporter_flush(bed->r);
	hello(bed);
	ack(bed, 3, true);
	assert_int_equal(bed->redials, 1);
	hello(bed);
	ack(bed, 0, true);
	run_until(bed, strstr(bed->sent, "closed "));
	assert_contains(bed->sent, ":open ");
	assert_contains(bed->sent, ":evict ");
}

static void one_of_another_version_is_left_out(void **state)
{
	struct bed *bed = *state;
	struct vol_outbox *o;
	struct vol_error err;
	char path[256];

	vol_reporter_destroy(bed->r);
	snprintf(path, sizeof(path), "%s/" VOL_OUTBOX_NAME, bed->folder);
	o = vol_outbox_load(path, 5, &err);
	assert_non_null(o);
	vol_outbox_append(o, 2, false, 0, "{\"type\":\"evict\"}", 16);
	vol_outbox_append(o, 99, true, 0, "x", 1);
	vol_wal_commit_run(vol_outbox_begin(o));
	assert_true(vol_outbox_end(o, &err));
	vol_outbox_destroy(o);
	start(bed);
	assert_int_equal(moved(bed, VOL_HARVEST_PARKED), 3);
	hello(bed);
	ack(bed, 0, true);
	run_until(bed, strstr(bed->sent, "0>3:parked "));
	assert_contains(bed->log, "report 1 of ");
	assert_contains(bed->log, "can not be read and is left out");
}

static void trouble_with_the_file_is_said(void **state)
{
	struct bed *bed = *state;
	struct vol_error err;
	char path[256];
	FILE *f;

	vol_reporter_destroy(bed->r);
	snprintf(path, sizeof(path), "%s/" VOL_OUTBOX_NAME, bed->folder);
	f = fopen(path, "w");
	fputs("rubbish", f);
	fclose(f);
	start(bed);
	assert_contains(bed->log, "not a file of reports; moved to ");
	vol_reporter_destroy(bed->r);
	(void)unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	bed->r = vol_reporter_create(bed->loop, bed->folder, &ops, bed, &err);
	assert_null(bed->r);
	assert_contains(err.text, path);
}

static void a_full_box_is_said_once(void **state)
{
	struct bed *bed = *state;
	const char *first;
	uint64_t seq = 1;

	hello(bed);
	for (uint32_t job = 1; seq && job < 2000; job++)
		seq = evict(bed, job);
	assert_int_equal(seq, 0);
	assert_int_equal(evict(bed, 1), 0);
	first = strstr(bed->log, "finds no room");
	assert_non_null(first);
	assert_null(strstr(first + 1, "finds no room"));
	*bed->log = '\0';
	vol_reporter_flush(bed->r);
	ack(bed, 0, true);
	ack(bed, 2, false);
	assert_true(evict(bed, 1) > 0);
}

int main(void)
{
#define TEST(_name) cmocka_unit_test_setup_teardown(_name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(they_go_when_they_may_and_are_on_disk),
		TEST(again_after_each_link_and_each_life),
		TEST(a_window_at_a_time),
		TEST(a_controller_that_knows_more_begins_a_stream),
		TEST(nor_does_it_know_what_waits),
		TEST(one_of_another_version_is_left_out),
		TEST(trouble_with_the_file_is_said),
		TEST(a_full_box_is_said_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
