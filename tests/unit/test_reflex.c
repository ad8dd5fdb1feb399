/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_reflex.c - from input to frozen tasks, and the race with thawing */
#include "config.h"

#include "vtest.h"

#include "device/reflex.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "cgroup_bed.h"

static const char *no_real; /* why there are no real cgroups */

struct test {
	struct bed *bed;
	sd_event *loop;
	struct vol_freezer *freezer;
	struct vol_reflex *reflex;
	unsigned changes;
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void on_change(void *arg)
{
	((struct test *)arg)->changes++;
}

static int setup(void **state, bool real)
{
	struct test *t = calloc(1, sizeof(*t));
	void *bed;

	if (!t || (real ? bed_setup_real(&bed) : bed_setup_fake(&bed)))
		return -1;
	t->bed = bed;
	t->freezer = vol_freezer_create(t->bed->root, NULL);
	if (!t->freezer || sd_event_new(&t->loop) < 0)
		return -1;
	t->reflex = vol_reflex_create(t->loop, t->freezer, on_change, t, NULL);
	*state = t;
	return t->reflex ? 0 : -1;
}

static int setup_fake(void **state)
{
	return setup(state, false);
}

static int setup_real(void **state)
{
	return no_real ? 0 : setup(state, true);
}

static int teardown(void **state)
{
	struct test *t = *state;
	void *bed;

	if (!t)
		return 0;
	bed = t->bed;
	vol_reflex_destroy(t->reflex);
	vol_freezer_destroy(t->freezer);
	sd_event_unref(t->loop);
	free(t);
	return bed_teardown(&bed);
}

/* A FIFO that the reflex watches; returns our end of it. */
static int add_fifo(struct test *t, const char *name, int flags)
{
	char path[PATH_MAX];
	struct vol_error err = {""};
	int ours, theirs;

	snprintf(path, sizeof(path), "/tmp/vol-fifo-%d-%s", (int)getpid(),
		 name);
	assert_int_equal(mkfifo(path, 0600), 0);
	theirs = open(path, flags | O_NONBLOCK | O_CLOEXEC);
	ours = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	unlink(path);
	assert_true(ours >= 0 && theirs >= 0);
	if (vol_reflex_add(t->reflex, theirs, name, &err) < 0)
		fail_msg("%s", err.text);
	return ours;
}

static void press(int fd)
{
	assert_int_equal(write(fd, "key", 3), 3);
}

static struct vol_reflex_state now(struct test *t)
{
	struct vol_reflex_state s;

	vol_reflex_state(t->reflex, &s);
	return s;
}

static void wait_inputs(struct test *t, uint64_t n)
{
	for (int i = 0; i < 10000 && now(t).inputs < n; i++)
		bed_nap_ms(1);
	assert_int_equal(now(t).inputs, n);
}

static void wait_closed(struct test *t)
{
	for (int i = 0; i < 10000 && !vol_freezer_is_closed(t->freezer); i++)
		bed_nap_ms(1);
	assert_true(vol_freezer_is_closed(t->freezer));
}

static void input_closes(void **state)
{
	struct test *t = *state;
	int kbd = add_fifo(t, "kbd", O_RDONLY), mouse;

	assert_int_equal(now(t).inputs, 0);
	assert_int_equal(now(t).last_input_ms, 0);
	assert_int_equal(now(t).devices, 1);
	assert_int_equal(vol_reflex_open(t->reflex, 0), 0);
	assert_false(vol_freezer_is_closed(t->freezer));
	press(kbd);
	wait_closed(t);
	wait_inputs(t, 1);
	assert_true(now(t).last_input_ms > 0);
	assert_string_equal(now(t).last_device, "kbd");
	/* A decision that did not know. */
	errno = 0;
	assert_int_equal(vol_reflex_open(t->reflex, 0), -1);
	assert_int_equal(errno, EAGAIN);
	assert_true(vol_freezer_is_closed(t->freezer));
	assert_int_equal(vol_reflex_open(t->reflex, 1), 0);
	mouse = add_fifo(t, "mouse", O_RDWR);
	assert_int_equal(now(t).devices, 2);
	press(mouse);
	wait_closed(t);
	wait_inputs(t, 2);
	assert_string_equal(now(t).last_device, "mouse");
	close(kbd);
	close(mouse);
}

static void resting_device_is_asked_before_a_thaw(void **state)
{
	struct test *t = *state;
	int kbd = add_fifo(t, "kbd", O_RDONLY);

	press(kbd);
	wait_inputs(t, 1);
	/* Nobody has counted this one. */
	press(kbd);
	assert_int_equal(vol_reflex_open(t->reflex, 1), -1);
	assert_true(vol_freezer_is_closed(t->freezer));
	wait_inputs(t, 2);
	assert_int_equal(vol_reflex_open(t->reflex, 2), 0);
	/* No rest: it is armed again with the thaw. */
	press(kbd);
	wait_closed(t);
	close(kbd);
}

static void typing_costs_one_look_a_second(void **state)
{
	struct test *t = *state;
	int kbd = add_fifo(t, "kbd", O_RDONLY);
	uint64_t end = now_us() + 2500 * 1000;
	uint64_t begin = now_us(), s;

	while (now_us() < end) {
		press(kbd);
		sd_event_run(t->loop, 5000);
	}
	s = (now_us() - begin) / 1000000 + 1;
	assert_true(now(t).inputs >= 2);
	assert_true(now(t).inputs <= s + 1);
	/* One more than inputs: how the thread started may be told, too. */
	assert_true(t->changes >= 2 && t->changes <= s + 2);
	close(kbd);
}

/* Whoever hears of input once a second hears of the first key on an open
 * machine at once: new jobs must not come.  On a busy machine a try may take
 * long by itself; one that waits for the second to end always does. */
static void the_first_key_is_told_at_once(void **state)
{
	struct test *t = *state;
	uint64_t told_us, took_us = UINT64_MAX;
	char name[16];
	int fds[10];

	for (size_t i = 0; i < N_ELEMENTS(fds); i++) {
		snprintf(name, sizeof(name), "kbd%zu", i);
		fds[i] = add_fifo(t, name, O_RDWR);
	}
	told_us = now_us();
	for (size_t i = 0; i < N_ELEMENTS(fds); i++) {
		assert_int_equal(vol_reflex_open(t->reflex, now(t).inputs), 0);
		t->changes = 0;
		press(fds[i]);
		wait_inputs(t, i + 1);
		while (!t->changes)
			assert_true(sd_event_run(t->loop, 5000000) > 0);
		if (i > 0 && now_us() - told_us < took_us)
			took_us = now_us() - told_us;
		told_us = now_us();
		close(fds[i]);
	}
	assert_true(took_us < 900000);
}

static void writers_may_leave_a_fifo(void **state)
{
	struct test *t = *state;
	int kbd = add_fifo(t, "kbd", O_RDONLY);

	press(kbd);
	close(kbd);
	wait_inputs(t, 1);
	for (int i = 0; i < 150; i++)
		sd_event_run(t->loop, 10000);
	assert_int_equal(now(t).inputs, 1);
	assert_int_equal(now(t).devices, 1);
	assert_int_equal(vol_reflex_open(t->reflex, 1), 0);
}

static void failed_device_counts_and_goes(void **state)
{
	struct test *t = *state;
	int ends[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	assert_int_equal(vol_reflex_add(t->reflex, ends[0], "usb", NULL), 0);
	assert_int_equal(vol_reflex_open(t->reflex, 0), 0);
	t->changes = 0;
	/* Pulled out by somebody's hand. */
	close(ends[1]);
	wait_closed(t);
	wait_inputs(t, 1);
	for (int i = 0; i < 300 && !t->changes; i++)
		sd_event_run(t->loop, 10000);
	assert_true(t->changes > 0);
	assert_int_equal(now(t).devices, 0);
	vol_reflex_remove(t->reflex, "usb");
	assert_int_equal(vol_reflex_open(t->reflex, 1), 0);
}

static void what_can_not_be_watched_is_told(void **state)
{
	struct test *t = *state;
	struct vol_error err = {""};
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	assert_int_equal(vol_reflex_add(t->reflex, fd, "file", &err), -1);
	assert_contains(err.text, "file: ");
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(now(t).devices, 0);
	vol_reflex_remove(t->reflex, "file");
	vol_reflex_destroy(NULL);
}

static void removed_device_is_not_heard(void **state)
{
	struct test *t = *state;
	int kbd = add_fifo(t, "kbd", O_RDWR), mouse = add_fifo(t, "m", O_RDWR);

	vol_reflex_remove(t->reflex, "kbd");
	assert_int_equal(now(t).devices, 1);
	assert_int_equal(write(kbd, "x", 1), -1); /* nobody reads it */
	press(mouse);
	wait_inputs(t, 1);
	assert_string_equal(now(t).last_device, "m");
	close(kbd);
	close(mouse);
}

/* ---- the race ---- */

#define ROUNDS 2000

struct writer {
	int fd;
	atomic_bool end;
	unsigned seed;
};

static void *write_at_random(void *arg)
{
	struct writer *w = arg;

	while (!w->end) {
		struct timespec t = {0, rand_r(&w->seed) % 200000};

		/* Full is as good. */
		(void)!write(w->fd, "x", 1);
		nanosleep(&t, NULL);
	}
	return NULL;
}

/* Whoever opens with what he has seen can not undo an input that he has not
 * seen: after the last one the tasks stand still. */
static void last_input_wins(void **state)
{
	struct test *t = *state;
	struct writer w = {.fd = add_fifo(t, "kbd", O_RDWR), .seed = 7};
	unsigned opened = 0;
	pthread_t thread;
	uint64_t before;

	bed_step(t->bed, "7.0");
	bed_task(t->bed, "7.0", "task_0");
	assert_int_equal(
		vol_freezer_add(
			t->freezer,
			&(struct vol_step){.job = 7, .stepd = 70, .born = true},
			false, bed_cgroup(t->bed, "7.0"), NULL),
		0);
	assert_int_equal(pthread_create(&thread, NULL, write_at_random, &w), 0);
	for (int i = 0; i < ROUNDS; i++)
		opened += vol_reflex_open(t->reflex, now(t).inputs) == 0;
	w.end = true;
	pthread_join(thread, NULL);
	assert_true(opened > 0);
	/* Whatever of it waits is drained now. */
	bed_nap_ms(50);
	while (vol_reflex_open(t->reflex, now(t).inputs) < 0)
		bed_nap_ms(1);
	before = now(t).inputs;
	press(w.fd);
	/* With no more knowledge than before: refused, or closed again. */
	for (int i = 0; i < ROUNDS; i++)
		(void)vol_reflex_open(t->reflex, before);
	wait_inputs(t, before + 1);
	wait_closed(t);
	assert_int_equal(bed_read(t->bed, "7.0", "user/task_0/cgroup.freeze"),
			 '1');
	assert_int_equal(vol_reflex_open(t->reflex, before), -1);
	close(w.fd);
}

/* ---- on the kernel ---- */

static json_int_t get(struct test *t, const char *key)
{
	json_t *o = vol_reflex_json(t->reflex);
	json_int_t n = json_integer_value(json_object_get(o, key));

	json_decref(o);
	return n;
}

static void histogram_counts_reactions(void **state)
{
	struct test *t = *state;
	json_t *o, *one;
	json_int_t sum = 0;
	size_t i;
	int kbd;

	kbd = add_fifo(t, "kbd", O_RDWR);
	assert_int_equal(vol_reflex_open(t->reflex, 0), 0);
	/* Nothing to freeze: no reaction. */
	vol_reflex_close(t->reflex);
	assert_int_equal(get(t, "count"), 0);
	bed_step(t->bed, "7.0");
	bed_task(t->bed, "7.0", "task_0");
	bed_spawn(t->bed, "7.0", "task_0", BED_BUSY);
	assert_int_equal(
		vol_freezer_add(
			t->freezer,
			&(struct vol_step){.job = 7, .stepd = 70, .born = true},
			false, bed_cgroup(t->bed, "7.0"), NULL),
		0);
	assert_int_equal(vol_reflex_open(t->reflex, 0), 0);
	assert_true(bed_runs(t->bed, 0));
	press(kbd);
	wait_closed(t);
	for (i = 0; i < 1000 && get(t, "count") < 1; i++)
		bed_nap_ms(10);
	assert_int_equal(get(t, "count"), 1);
	assert_true(bed_stands(t->bed));
	assert_int_equal(vol_reflex_open(t->reflex, now(t).inputs), 0);
	vol_reflex_close(t->reflex);
	/* Closed already. */
	vol_reflex_close(t->reflex);
	o = vol_reflex_json(t->reflex);
	assert_int_equal(json_integer_value(json_object_get(o, "count")), 2);
	assert_int_equal(json_array_size(json_object_get(o, "counts")),
			 json_array_size(json_object_get(o, "bounds_us")) + 1);
	json_array_foreach(json_object_get(o, "counts"), i, one)
		sum += json_integer_value(one);
	assert_int_equal(sum, 2);
	assert_true(json_integer_value(json_object_get(o, "max_us")) >=
		    json_integer_value(json_object_get(o, "last_us")));
	json_decref(o);
	close(kbd);
}

static void real_histogram_counts_reactions(void **state)
{
	if (no_real) {
		print_message("no real cgroups: %s\n", no_real);
		skip();
	}
	histogram_counts_reactions(state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_fake, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(input_closes),
		TEST(resting_device_is_asked_before_a_thaw),
		TEST(typing_costs_one_look_a_second),
		TEST(the_first_key_is_told_at_once),
		TEST(writers_may_leave_a_fifo),
		TEST(failed_device_counts_and_goes),
		TEST(what_can_not_be_watched_is_told),
		TEST(removed_device_is_not_heard),
		TEST(last_input_wins),
		cmocka_unit_test_setup_teardown(real_histogram_counts_reactions,
						setup_real, teardown),
	};

	no_real = bed_mount();
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
