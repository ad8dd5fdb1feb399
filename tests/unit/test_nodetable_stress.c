/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_nodetable_stress.c - a writer that never rests
 *
 * A process puts records as fast as it can (some 100 000 a second), moves
 * devices between slots, lets the file grow and is killed and started again,
 * while readers check that what they take belongs together.
 */
#include "config.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "nodetable_bed.h"

#define DEVICES 24
#define RUN_MS  1500

static uint64_t clock_ms(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &now), 0);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A device is always in the same state, so that one in the state of another
 * shows. */
static enum vol_nodetable_state state_of(unsigned int i)
{
	return i & 1 ? VOL_NODETABLE_PARKED : VOL_NODETABLE_OPEN;
}

static void put(struct bed *bed, unsigned int i, uint32_t value)
{
	struct vol_nodetable_node node = bed_node(bed, i, value);

	node.state = state_of(i);
	if (vol_nodetable_put(bed->table, &node, NULL) < 0)
		_exit(1);
}

static void write_for_ever(struct bed *bed)
{
	uint32_t random = (uint32_t)getpid();

	bed->table = vol_nodetable_create(bed->path, 0, &bed->err);
	if (!bed->table)
		_exit(1);
	for (uint32_t value = 1;; value++) {
		bed->now_ms = clock_ms();
		random = random * 1103515245 + 12345;
		put(bed, random >> 16 & (DEVICES - 1), value);
		/* Its slot goes to whoever comes next. */
		if (value % 64 == 0)
			vol_nodetable_remove(
				bed->table,
				bed_node(bed, random >> 8 & (DEVICES - 1), 0)
					.id);
		if (value % 500 == 0)
			for (unsigned int i = DEVICES; i < 100; i++)
				put(bed, i, value);
		vol_nodetable_beat(bed->table, bed->now_ms);
	}
}

static pid_t start_writer(struct bed *bed)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* A failed assertion must not leave it behind. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		write_for_ever(bed);
	}
	return pid;
}

static void stop_writer(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

/* All of it is of one value, and the state in the word is that device's. */
static uint32_t check_node(struct bed *bed, uint32_t slot)
{
	const struct vol_nodetable_node *got =
		vol_nodeview_node(bed->view, slot);
	struct vol_nodetable_node want;
	unsigned int i;

	if (!got || vol_nodeview_state(bed->view, slot) == VOL_NODETABLE_FREE)
		return 0;
	assert_int_equal(sscanf(got->name, "desk%u", &i), 1);
	want = bed_node(bed, i, got->speed);
	assert_string_equal(got->id, want.id);
	assert_string_equal(got->why, want.why);
	assert_int_equal(got->closes_at, want.closes_at);
	assert_int_equal(got->cached, want.cached);
	assert_int_equal(got->last_eviction, want.last_eviction);
	assert_memory_equal(&got->outlook, &want.outlook, sizeof(want.outlook));
	assert_int_equal(got->state, state_of(i));
	assert_int_equal(vol_nodeview_slot(bed->view, got->name), slot);
	return got->speed;
}

static void what_is_read_belongs_together(void **state)
{
	struct bed *bed = *state;
	uint64_t end = clock_ms() + RUN_MS;
	unsigned long restarts = 0, usable = 0, seen = 0;
	pid_t writer;

	/* A reader that finds no file looks again after a second. */
	bed->now_ms = clock_ms();
	bed_start(bed, 0);
	vol_nodetable_destroy(bed->table);
	bed->table = NULL;
	writer = start_writer(bed);

	while (clock_ms() < end) {
		bed->now_ms = clock_ms();
		if (bed_refresh(bed) < 0 ||
		    vol_nodeview_slots(bed->view) < DEVICES)
			continue;
		/* Killed in the midst of its work, not before. */
		if (++usable % 400 == 0) {
			stop_writer(writer);
			writer = start_writer(bed);
			restarts++;
		}
		for (uint32_t i = 0; i < vol_nodeview_slots(bed->view); i++)
			seen += check_node(bed, i) > 0;
	}
	stop_writer(writer);
	print_message("%lu readings, %lu records, %lu restarts\n", usable, seen,
		      restarts);
	/* Even where all of the machine is busy. */
	assert_true(usable > 10);
	assert_true(seen > 10 * usable);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bed_test(what_is_read_belongs_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
