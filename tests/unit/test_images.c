/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_images.c - images between a device's carrier and the controller, over
 * TLS on loopback
 *
 * Both ends are real; only Slurm is in memory.
 */
#include "config.h"

#include <sys/eventfd.h>

#include "atomicfile.h"
#include "fits.h"
#include "images.h"
#include "images_private.h"

#include "images_bed.h"

/* ---- the way there and back ---- */

static void there_and_back(void **state)
{
	struct bed *bed = *state;
	int sent = stream_file(3, LEN), got = stream_file(0, 0);
	struct client a, b;
	struct errand e;

	join(bed, &a, ID_A, "desk", "desk");
	join(bed, &b, ID_B, "pc", "pc");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	assert_int_equal(do_put(bed, ID_A, JOB, 0, sent, &e), 0);
	assert_int_equal(e.number, 1);
	run_until(bed, strstr(bed->log, "image 1 of job 17 kept"));
	/* It is not for the run that made it. */
	assert_int_equal(do_get(bed, ID_A, JOB, 0, got, &e), ENOENT);
	assert_string_equal(e.carrier.refusal.code, "no_image");
	/* Requeued, it starts elsewhere. */
	put_job(JOB, "pc", VOL_JOB_RUNNING, 1);
	assert_int_equal(do_get(bed, ID_B, JOB, 0, got, &e), 0);
	assert_int_equal(e.here.number, 1);
	assert_int_equal(e.here.restarts, 0);
	assert_int_equal(e.here.bytes, LEN);
	assert_same(sent, got, LEN);
	/* The one that it left gets nothing any more. */
	assert_int_equal(do_get(bed, ID_A, JOB, 0, got, &e), EACCES);
	assert_string_equal(e.carrier.refusal.code, "not_here");
	assert_int_equal(do_put(bed, ID_A, JOB, 1, sent, &e), EACCES);
	close(sent);
	close(got);
	hang_up(&a);
	hang_up(&b);
}

static void the_one_before(void **state)
{
	struct bed *bed = *state;
	int sent[2] = {stream_file(3, 1000), stream_file(5, LEN)};
	struct client a;
	struct errand e;

	join(bed, &a, ID_A, "desk", "desk");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(do_put(bed, ID_A, JOB, 0, sent[i], &e), 0);
	put_job(JOB, "desk", VOL_JOB_RUNNING, 1);
	for (uint32_t before = 0, i = 2; i-- > 0;) {
		int got = stream_file(0, 0);
		size_t len = i ? LEN : 1000;

		assert_int_equal(do_get(bed, ID_A, JOB, before, got, &e), 0);
		assert_int_equal(e.here.number, i + 1);
		assert_same(sent[i], got, len);
		before = e.here.number;
		close(got);
	}
	assert_int_equal(do_get(bed, ID_A, JOB, 1, sent[0], &e), ENOENT);
	close(sent[0]);
	close(sent[1]);
	hang_up(&a);
}

/* A bit of it flips on the disk; the carrier, which may try again, gets the one
 * before. */
static void one_is_damaged(void **state)
{
	struct bed *bed = *state;
	int sent[2] = {stream_file(3, LEN), stream_file(5, LEN)};
	int got = stream_file(0, 0), file;
	char path[PATH_MAX], byte = 'x';
	struct client a;
	struct errand e;

	join(bed, &a, ID_A, "desk", "desk");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(do_put(bed, ID_A, JOB, 0, sent[i], &e), 0);
	put_job(JOB, "desk", VOL_JOB_RUNNING, 1);
	snprintf(path, sizeof(path), "%s/checkpoints/%u/2.image", bed->folder,
		 JOB);
	file = open(path, O_WRONLY);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pwrite(file, &byte, 1, 200000 + i), 1);
	close(file);
	assert_int_equal(do_get(bed, ID_A, JOB, 0, got, &e), EBADMSG);
	assert_string_equal(e.carrier.refusal.code, "damaged");
	close(got);
	got = stream_file(0, 0);
	memset(&e, 0, sizeof(e));
	address(bed, &e, ID_A);
	e.get = true;
	e.fd = got;
	e.job = JOB;
	e.carrier.until_ms = vol_controller_now_ms() + 60000;
	run(bed, &e);
	assert_int_equal(e.rc, 0);
	assert_int_equal(e.here.number, 1);
	assert_same(sent[0], got, LEN);
	assert_int_equal(logged(bed, "image 2 of job 17: chunk 3"), 1);
	close(got);
	close(sent[0]);
	close(sent[1]);
	hang_up(&a);
}

/* ---- who may not ---- */

static void who_may_not(void **state)
{
	struct bed *bed = *state;
	int fd = stream_file(3, 1000);
	struct client a, b;
	struct errand e;

	join(bed, &a, ID_A, "desk", "desk");
	join(bed, &b, ID_B, "pc", "pc");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 2);
	put_job(18, "desk", VOL_JOB_PENDING, 2);
	put_job(19, "desk", VOL_JOB_ENDED, 2);
	/* A job that is not, one elsewhere, one that waits, one that ended. */
	assert_int_equal(do_put(bed, ID_A, 99, 0, fd, &e), EACCES);
	assert_string_equal(e.carrier.refusal.code, "not_here");
	assert_int_equal(do_put(bed, ID_B, JOB, 2, fd, &e), EACCES);
	assert_contains(e.err.text, "job 17 does not run on pc");
	assert_int_equal(do_get(bed, ID_B, JOB, 0, fd, &e), EACCES);
	assert_int_equal(do_put(bed, ID_A, 18, 2, fd, &e), EACCES);
	assert_int_equal(do_get(bed, ID_A, 19, 0, fd, &e), EACCES);
	/* On several devices. */
	put_job(20, "desk,pc", VOL_JOB_RUNNING, 0);
	assert_int_equal(do_put(bed, ID_A, 20, 0, fd, &e), EACCES);
	/* Another run of it. */
	assert_int_equal(do_put(bed, ID_A, JOB, 1, fd, &e), EACCES);
	assert_contains(e.err.text, "restarted 2 times, its image after 1");
	/* A stranger. */
	assert_int_equal(do_put(bed, "stranger", JOB, 2, fd, &e), EACCES);
	assert_string_equal(e.carrier.refusal.code, "not_enrolled");
	assert_int_equal(do_put(bed, "stranger", JOB, 2, fd, &e), EACCES);
	/* Once for each reason. */
	assert_int_equal(logged(bed, "image refused 127.0.0.1: images are for"),
			 1);
	assert_int_equal(stored(bed, JOB), 0);
	/* One that is not approved any more. */
	json_decref(do_it(bed, named("forget", "desk")));
	assert_int_equal(do_put(bed, ID_A, JOB, 2, fd, &e), EACCES);
	assert_string_equal(e.carrier.refusal.code, "not_enrolled");
	close(fd);
	hang_up(&a);
	hang_up(&b);
}

/* The controller has another key than the one that is known. */
static void the_wrong_controller(void **state)
{
	struct bed *bed = *state;
	int fd = stream_file(3, 1000);
	struct errand e;

	memset(&e, 0, sizeof(e));
	address(bed, &e, ID_A);
	e.carrier.pin.key.byte[0] ^= 1;
	e.carrier.until_ms = vol_controller_now_ms() + 60000;
	e.fd = fd;
	e.job = JOB;
	run(bed, &e);
	assert_int_equal(e.rc, -1);
	assert_int_equal(e.error, EKEYREJECTED);
	close(fd);
}

static void say_image(struct bed *bed, struct client *c, const char *name,
		      enum vol_link_type type, uint32_t proto)
{
	struct vol_link_msg m = {.type = type, .proto = proto, .job = JOB};

	dial(bed, c);
	shake_hands(c, device_key(bed, name));
	send_msg(c, &m);
}

static void of_another_version(void **state)
{
	struct bed *bed = *state;
	struct client a, c;

	join(bed, &a, ID_A, "desk", "desk");
	say_image(bed, &c, ID_A, VOL_LINK_IMAGE_GET, VOL_LINK_PROTO + 1);
	expect_refuse(bed, &c, "version", "another version");
	hang_up(&a);
}

/* Not in place of hello, and nothing while it is looked up. */
static void out_of_turn(void **state)
{
	struct vol_link_msg m = {.type = VOL_LINK_IMAGE_GET,
				 .proto = VOL_LINK_PROTO,
				 .job = JOB};
	struct bed *bed = *state;
	struct client a, c;

	join(bed, &a, ID_A, "desk", "desk");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	fake_cluster_set_slow(500);
	say_image(bed, &c, ID_A, VOL_LINK_IMAGE_PUT, VOL_LINK_PROTO);
	send_msg(&c, &m);
	expect_refuse(bed, &c, "bad_message", "before its turn");
	fake_cluster_set_slow(0);
	send_msg(&a, &m);
	expect_refuse(bed, &a, "bad_message", "unexpected message");
}

/* ---- what breaks on its way ---- */

/* It may send; what it sends is TLS data from here on. */
static void begin_put(struct bed *bed, struct client *c)
{
	struct vol_link_msg m;

	say_image(bed, c, ID_A, VOL_LINK_IMAGE_PUT, VOL_LINK_PROTO);
	expect(bed, c, VOL_LINK_IMAGE_GO, &m);
	assert_int_equal(m.number, 1);
}

static void the_device_vanishes(void **state)
{
	struct bed *bed = *state;
	static uint8_t piece[4 + 1000] = {0, 0, 0x03, 0xe8};
	struct client a, c;

	join(bed, &a, ID_A, "desk", "desk");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	begin_put(bed, &c);
	send_bytes(&c, piece, sizeof(piece));
	send_bytes(&c, piece, 500);
	run_until(bed, stored(bed, JOB) == 1);
	hang_up(&c);
	run_until(bed, strstr(bed->log, "image of job 17 not kept: peer"));
	assert_int_equal(stored(bed, JOB), 0);
	hang_up(&a);
}

/* It says nothing more; its patience is VOL_TLSIO_GRACE_MS. */
static void the_device_is_slow(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client a, c;

	join(bed, &a, ID_A, "desk", "desk");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	begin_put(bed, &c);
	expect(bed, &c, VOL_LINK_REFUSE, &m);
	assert_contains(m.reason, "too slow");
	hang_up(&c);
	run_until(bed, strstr(bed->log, "not kept: the peer is too slow"));
	assert_int_equal(stored(bed, JOB), 0);
	hang_up(&a);
}

static void nonsense_in_place_of_pieces(void **state)
{
	static const uint8_t heads[][4] = {
		{0, 1, 0, 1}, {0x7f, 0xff, 0xff, 0xff}, {'G', 'E', 'T', ' '}};
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client a, c;

	join(bed, &a, ID_A, "desk", "desk");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	for (size_t i = 0; i < N_ELEMENTS(heads); i++) {
		begin_put(bed, &c);
		send_bytes(&c, heads[i], sizeof(heads[i]));
		expect(bed, &c, VOL_LINK_REFUSE, &m);
		assert_string_equal(m.code, "bad_message");
		hang_up(&c);
		run_until(bed, stored(bed, JOB) == 0);
		/* Its place is free again. */
		run_until(bed, logged(bed, "bytes announced") == i + 1);
	}
	hang_up(&a);
}

/* What fails on the device is said, and logged here. */
static void the_device_can_not_read_it(void **state)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY);
	struct bed *bed = *state;
	struct client a;
	struct errand e;

	join(bed, &a, ID_A, "desk", "desk");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	assert_int_equal(do_put(bed, ID_A, JOB, 0, fd, &e), EISDIR);
	run_until(bed, strstr(bed->log, "broken off by the device: image not"));
	assert_int_equal(stored(bed, JOB), 0);
	close(fd);
	hang_up(&a);
}

static void told_to_stop(void **state)
{
	struct bed *bed = *state;
	struct client a;
	struct errand e;
	int pipes[2], stop = eventfd(1, 0);

	join(bed, &a, ID_A, "desk", "desk");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	assert_int_equal(pipe(pipes), 0);
	memset(&e, 0, sizeof(e));
	address(bed, &e, ID_A);
	e.carrier.stop = stop;
	e.carrier.until_ms = vol_controller_now_ms() + 60000;
	e.fd = pipes[0];
	e.job = JOB;
	run(bed, &e);
	assert_int_equal(e.rc, -1);
	assert_int_equal(e.error, ECANCELED);
	close(stop);
	close(pipes[0]);
	close(pipes[1]);
	hang_up(&a);
}

/* A quota is in the way: said before it is sent, or on the way, and soon. */
static void no_room(void **state)
{
	struct bed *bed = *state;
	struct vol_controller *role = bed->role;
	int fd = stream_file(3, 4 * LEN);
	struct client a;
	struct errand e;

	join(bed, &a, ID_A, "desk", "desk");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	role->conf.checkpoint_user_quota = LEN;
	vol_images_reload(role->images);
	for (int announced = 0; announced < 2; announced++) {
		memset(&e, 0, sizeof(e));
		address(bed, &e, ID_A);
		e.fd = fd;
		e.job = JOB;
		e.bytes = announced ? 4 * LEN : 0;
		lseek(fd, 0, SEEK_SET);
		run(bed, &e);
		assert_int_equal(e.rc, -1);
		assert_int_equal(e.error, EDQUOT);
		assert_contains(e.err.text, "checkpoint_user_quota");
		assert_string_equal(e.carrier.refusal.code, "no_room");
	}
	assert_int_equal(stored(bed, JOB), 0);
	close(fd);
	hang_up(&a);
}

static void not_too_many(void **state)
{
	struct client a, c[VOL_IMAGES_MOVING];
	struct vol_link_msg m;
	struct bed *bed = *state;

	join(bed, &a, ID_A, "desk", "desk");
	for (uint32_t i = 0; i < 3; i++) {
		m = (struct vol_link_msg){.type = VOL_LINK_IMAGE_PUT,
					  .proto = VOL_LINK_PROTO,
					  .job = JOB + i};
		put_job(JOB + i, "desk", VOL_JOB_RUNNING, 0);
		dial(bed, &c[i]);
		shake_hands(&c[i], device_key(bed, ID_A));
		send_msg(&c[i], &m);
		if (i < 2)
			expect(bed, &c[i], VOL_LINK_IMAGE_GO, &m);
		else
			expect_refuse(bed, &c[i], "busy", "too many images");
	}
	hang_up(&c[0]);
	hang_up(&c[1]);
	hang_up(&a);
}

/* The controller ends in the middle of one. */
static void the_controller_ends(void **state)
{
	struct bed *bed = *state;
	struct client a, c;

	join(bed, &a, ID_A, "desk", "desk");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	begin_put(bed, &c);
	restart(bed);
	assert_int_equal(stored(bed, JOB), 0);
	hang_up(&c);
	hang_up(&a);
}

static void the_device_is_revoked(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client a, c;

	join(bed, &a, ID_A, "desk", "desk");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	begin_put(bed, &c);
	json_decref(do_it(bed, named("forget", "desk")));
	expect(bed, &c, VOL_LINK_REFUSE, &m);
	assert_string_equal(m.code, "interrupted");
	hang_up(&c);
	run_until(bed, stored(bed, JOB) == 0);
	hang_up(&a);
}

/* ---- administrators ---- */

static void administrators_see_and_prune(void **state)
{
	struct bed *bed = *state;
	struct vol_controller *role = bed->role;
	int fd = stream_file(3, LEN);
	json_t *data, *image;
	struct client a;
	struct errand e;

	join(bed, &a, ID_A, "desk", "desk");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 4);
	put_job(JOB + 1, "desk", VOL_JOB_RUNNING, 0);
	assert_int_equal(do_put(bed, ID_A, JOB, 4, fd, &e), 0);
	assert_int_equal(do_put(bed, ID_A, JOB + 1, 0, fd, &e), 0);
	data = do_it(bed, json_pack("{s:s}", "type", "images"));
	assert_int_equal(json_array_size(json_object_get(data, "images")), 2);
	image = json_array_get(json_object_get(data, "images"), 0);
	assert_int_equal(json_integer_value(json_object_get(image, "job")),
			 JOB);
	assert_int_equal(json_integer_value(json_object_get(image, "uid")),
			 1000);
	assert_int_equal(json_integer_value(json_object_get(image, "bytes")),
			 LEN);
	assert_int_equal(json_integer_value(json_object_get(image, "restarts")),
			 4);
	assert_string_equal(json_string_value(json_object_get(image, "node")),
			    "desk");
	assert_string_equal(json_string_value(json_object_get(image, "state")),
			    "whole");
	json_decref(data);
	data = do_it(bed, json_pack("{s:s, s:i, s:i}", "type", "images",
				    "after_job", JOB, "after_number", 1));
	assert_int_equal(json_array_size(json_object_get(data, "images")), 1);
	json_decref(data);
	data = do_it(bed, json_pack("{s:s, s:i, s:i}", "type", "verify-image",
				    "job", JOB, "number", 1));
	while (json_is_true(json_object_get(data, "running"))) {
		json_decref(data);
		turn(bed);
		data = do_it(bed, json_pack("{s:s}", "type", "verified-image"));
	}
	assert_string_equal(json_string_value(json_object_get(data, "state")),
			    "whole");
	assert_int_equal(json_integer_value(json_object_get(data, "done")),
			 LEN);
	json_decref(data);
	/* Its job ends, which is noticed. */
	role->conf.checkpoint_keep_ms = 0;
	put_job(JOB, "", VOL_JOB_ENDED, 4);
	run_until(bed, stored(bed, JOB) == 0);
	assert_int_equal(stored(bed, JOB + 1), 1);
	data = do_it(bed, json_pack("{s:s, s:i}", "type", "prune-images", "job",
				    JOB + 1));
	assert_int_equal(json_integer_value(json_object_get(data, "removed")),
			 1);
	json_decref(data);
	refuse(bed, json_pack("{s:s, s:i}", "type", "prune-images", "job", -1),
	       "job: want a number");
	refuse(bed, json_pack("{s:s, s:s}", "type", "images", "after_job", "x"),
	       "after_job");
	close(fd);
	hang_up(&a);
}

/* The controller goes on without a disk that is broken, and takes it when it is
 * mended. */
static void without_a_store(void **state)
{
	struct bed *bed = *state;
	struct vol_controller *role;
	char path[PATH_MAX - 8], aside[PATH_MAX];
	int fd = stream_file(3, LEN);
	struct vol_error err;
	struct client a;
	struct errand e;

	snprintf(path, sizeof(path), "%s/checkpoints", bed->folder);
	snprintf(aside, sizeof(aside), "%s.aside", path);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(vol_file_replace(path, "", 0, 0600, 0, NULL), 0);
	restart(bed);
	role = bed->role;
	assert_contains(bed->log, "jobs that leave a device are not saved: ");
	join(bed, &a, ID_A, "desk", "desk");
	put_job(JOB, "desk", VOL_JOB_RUNNING, 0);
	assert_int_equal(do_put(bed, ID_A, JOB, 0, fd, &e), ENODEV);
	assert_string_equal(e.carrier.refusal.code, "no_store");
	assert_int_equal(do_get(bed, ID_A, JOB, 0, fd, &e), ENODEV);
	assert_string_equal(e.carrier.refusal.code, "no_store");
	assert_null(vol_images_list(role->images, 0, 0, &err));
	assert_contains(err.text, "no images are kept: ");
	assert_null(vol_images_verified(role->images, &err));
	assert_null(vol_images_prune(role->images, JOB, 0, &err));
	assert_null(vol_fits_job(role->fits, JOB, &err));
	assert_contains(err.text, "no images are kept: ");
	assert_int_equal(vol_images_verify(role->images, JOB, 1, &err), -1);
	assert_int_equal(vol_images_forget(role->images, JOB, 0), -1);
	vol_images_reload(role->images);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rename(aside, path), 0);
	run_until(bed, role->images->store);
	assert_contains(bed->log, "images of jobs are kept again");
	assert_int_equal(do_put(bed, ID_A, JOB, 0, fd, &e), 0);
	close(fd);
	hang_up(&a);
}

int main(void)
{
#define TEST(_name) cmocka_unit_test_setup_teardown(_name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(there_and_back),
		TEST(the_one_before),
		TEST(one_is_damaged),
		TEST(who_may_not),
		TEST(the_wrong_controller),
		TEST(of_another_version),
		TEST(out_of_turn),
		TEST(the_device_vanishes),
		TEST(the_device_is_slow),
		TEST(nonsense_in_place_of_pieces),
		TEST(the_device_can_not_read_it),
		TEST(told_to_stop),
		TEST(no_room),
		TEST(not_too_many),
		TEST(the_controller_ends),
		TEST(the_device_is_revoked),
		TEST(administrators_see_and_prune),
		TEST(without_a_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
