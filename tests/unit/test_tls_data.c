/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_tls_data.c - what goes through a TLS session, and what does not */
#include "config.h"

#include "tls_bed.h"

static void pour(struct vol_tls *from, struct vol_tls *to, size_t total)
{
	char *data = malloc(total), *got = malloc(total);
	size_t sent = 0, received = 0;
	struct vol_error err;

	for (size_t i = 0; i < total; i++)
		data[i] = (char)(i * 7 + i / 251);
	while (received < total) {
		ssize_t n = -1;

		errno = EAGAIN;
		if (sent < total)
			n = vol_tls_send(from, data + sent, total - sent, &err);
		if (n > 0)
			sent += (size_t)n;
		else
			assert_int_equal(errno, EAGAIN);
		/* Read only when it is full, so that sends are cut. */
		if (n > 0)
			continue;
		assert_true(vol_tls_flush(from, &err) == 0 || errno == EAGAIN);
		while (received < total &&
		       (n = vol_tls_recv(to, got + received, total - received,
					 &err)) > 0)
			received += (size_t)n;
		assert_true(n > 0 || errno == EAGAIN);
	}
	assert_memory_equal(data, got, total);
	free(data);
	free(got);
}

/* So that sends are cut. */
static void make_small(const struct fixture *f)
{
	int small = 4096;

	for (int i = 0; i < 2; i++)
		setsockopt(f->fd[i], SOL_SOCKET, SO_SNDBUF, &small,
			   sizeof(small));
}

static void data_both_ways(void **state)
{
	struct fixture *f = *state;

	make_small(f);
	shake_well(f, NULL);
	pour(f->device, f->controller, 1);
	pour(f->controller, f->device, 64 * 1024 + 4);
	pour(f->device, f->controller, 1024 * 1024);
}

/* One of them, or both. */
static void gathered(void **state)
{
	struct fixture *f = *state;

	make_small(f);
	shake_well(f, NULL);
	vol_tls_gather(f->device);
	for (int i = 0; i < 2; i++) {
		pour(f->device, f->controller, 1);
		pour(f->controller, f->device, 64 * 1024 + 4);
		pour(f->device, f->controller, 1024 * 1024);
		pour(f->controller, f->device, 1024 * 1024);
		vol_tls_gather(f->controller);
	}
}

/* Nothing is on its way before the flush, and then all of it; what was read
 * with it is known of. */
static void a_flush(void **state)
{
	struct fixture *f = *state;
	struct vol_error err;
	char got[8];

	shake_well(f, NULL);
	vol_tls_gather(f->device);
	vol_tls_gather(f->controller);
	assert_int_equal(vol_tls_send(f->device, "one", 3, NULL), 3);
	assert_int_equal(vol_tls_send(f->device, "two", 3, NULL), 3);
	assert_int_equal(vol_tls_recv(f->controller, got, 8, &err), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(vol_tls_flush(f->device, NULL), 0);
	assert_int_equal(vol_tls_recv(f->controller, got, 8, NULL), 3);
	assert_memory_equal(got, "one", 3);
	assert_true(vol_tls_pending(f->controller));
	assert_int_equal(vol_tls_recv(f->controller, got, 8, NULL), 3);
	assert_memory_equal(got, "two", 3);
	assert_false(vol_tls_pending(f->controller));
	vol_tls_bye(f->device);
	assert_int_equal(vol_tls_recv(f->controller, got, 8, NULL), 0);
}

/* A record is no larger than we ask for. */
static void record_sizes(void **state)
{
	struct fixture *f = *state;
	char *data = calloc(1, 60000);
	char *got = malloc(60000);

	shake_well(f, NULL);
	assert_in_range(vol_tls_send(f->device, data, 60000, NULL), 1,
			VOL_TLS_RECORD_MAX);
	assert_in_range(vol_tls_recv(f->controller, got, 60000, NULL), 1,
			VOL_TLS_RECORD_MAX);
	free(data);
	free(got);
}

static void a_small_buffer(void **state)
{
	struct fixture *f = *state;
	char got[4] = "";

	shake_well(f, NULL);
	assert_int_equal(vol_tls_send(f->device, "abc", 3, NULL), 3);
	assert_false(vol_tls_pending(f->controller));
	assert_int_equal(vol_tls_recv(f->controller, got, 1, NULL), 1);
	assert_true(vol_tls_pending(f->controller));
	assert_int_equal(vol_tls_recv(f->controller, got + 1, 3, NULL), 2);
	assert_string_equal(got, "abc");
	assert_false(vol_tls_pending(f->controller));
}

static void goodbyes(void **state)
{
	struct fixture *f = *state;
	char got[8];

	shake_well(f, NULL);
	assert_int_equal(vol_tls_send(f->device, "last", 4, NULL), 4);
	vol_tls_bye(f->device);
	assert_int_equal(vol_tls_recv(f->controller, got, 8, NULL), 4);
	assert_int_equal(vol_tls_recv(f->controller, got, 8, NULL), 0);
	/* The other half still works. */
	assert_int_equal(vol_tls_send(f->controller, "late", 4, NULL), 4);
	assert_int_equal(vol_tls_recv(f->device, got, 8, NULL), 4);
	vol_tls_bye(f->controller);
	assert_int_equal(vol_tls_recv(f->device, got, 8, NULL), 0);
}

/* A process that was killed. */
static void no_goodbye(void **state)
{
	struct fixture *f = *state;
	struct vol_error err = {""};
	char got[8];

	shake_well(f, NULL);
	assert_int_equal(vol_tls_send(f->controller, "last", 4, NULL), 4);
	close(f->fd[1]);
	f->fd[1] = -1;
	assert_int_equal(vol_tls_send(f->device, "x", 1, &err), -1);
	assert_int_equal(errno, EPIPE);
	assert_contains(err.text, "pipe");
	assert_int_equal(vol_tls_recv(f->device, got, 8, NULL), 4);
	assert_int_equal(vol_tls_recv(f->device, got, 8, NULL), 0);
}

/* One record of the device's, taken by somebody on the way. */
static size_t take_record(struct fixture *f, char *record, size_t size)
{
	ssize_t n;

	shake_well(f, NULL);
	assert_int_equal(vol_tls_send(f->device, "data", 4, NULL), 4);
	n = recv(f->fd[1], record, size, 0);
	assert_in_range(n, 20, size - 1);
	return (size_t)n;
}

static void pass_on(struct fixture *f, const char *record, size_t n,
		    ssize_t want)
{
	struct vol_error err = {""};
	char got[64];

	assert_int_equal(send(f->fd[0], record, n, 0), n);
	assert_int_equal(vol_tls_recv(f->controller, got, sizeof(got), &err),
			 want);
	if (want < 0)
		assert_int_equal(errno, EPROTO);
	assert_printable(err.text);
}

static void a_changed_bit(void **state)
{
	char record[512];
	size_t n = take_record(*state, record, sizeof(record));

	record[n - 1] ^= 1;
	pass_on(*state, record, n, -1);
}

static void a_replay(void **state)
{
	char record[512];
	size_t n = take_record(*state, record, sizeof(record));

	pass_on(*state, record, n, 4);
	pass_on(*state, record, n, -1);
}

/* A handshake message that says it has 16 MiB is not waited for, neither at the
 * beginning nor later on. */
static void a_message_without_end(void **state)
{
	static const char head[] = "\x16\x03\x03\x0f\xa4\x01\xff\xff\xff";
	struct fixture *f = *state;
	char record[5 + 4004] = "";
	enum vol_tls_step step = VOL_TLS_WANT_READ;
	struct vol_error err = {""};
	size_t sent = 0;

	memcpy(record, head, sizeof(head) - 1);
	begin(f, NULL);
	while (step > VOL_TLS_DONE && sent < 100 * sizeof(record)) {
		if (send(f->fd[0], record, sizeof(record), MSG_NOSIGNAL) > 0)
			sent += sizeof(record);
		memset(record + 5, 'x', sizeof(record) - 5);
		step = vol_tls_handshake(f->controller, &err);
	}
	assert_int_equal(step, VOL_TLS_FAILED);
	assert_int_equal(errno, EPROTO);
	assert_string_equal(err.text, "the peer sends TLS without end");
	assert_in_range(sent, VOL_TLS_SWALLOW_MAX / 2, 2 * VOL_TLS_SWALLOW_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(data_both_ways), WITH(gathered),
		WITH(a_flush),        WITH(record_sizes),
		WITH(a_small_buffer), WITH(goodbyes),
		WITH(no_goodbye),     WITH(a_changed_bit),
		WITH(a_replay),       WITH(a_message_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
