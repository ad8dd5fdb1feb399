/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_probe.c - a refused link and a slurmctld, on the loopback */
#include "config.h"

#include "device/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "vtest.h"

struct port {
	int fd;
	uint16_t number;
};

static sd_event *loop;
static int calls;
static bool nobody;
static struct vol_probe *probe;

static void done(bool is_nobody, void *arg)
{
	assert_ptr_equal(arg, &calls);
	calls++;
	nobody = is_nobody;
	vol_probe_destroy(probe);
	probe = NULL;
	sd_event_exit(loop, 0);
}

/* Bound, so that nobody else gets the number, and open if it listens. */
static struct port take_port(bool open)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(sa);
	struct port port = {socket(AF_INET, SOCK_STREAM, 0), 0};

	assert_true(port.fd >= 0);
	assert_int_equal(bind(port.fd, (struct sockaddr *)&sa, len), 0);
	if (open)
		assert_int_equal(listen(port.fd, 4), 0);
	assert_int_equal(getsockname(port.fd, (struct sockaddr *)&sa, &len), 0);
	port.number = ntohs(sa.sin_port);
	return port;
}

static void asks(void **state)
{
	static const struct {
		bool link, slurmctld, nobody;
	} rows[] = {
		{false, true, true},
		{true, true, false},
		{true, false, false},
		{false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct port link = take_port(rows[i].link);
		struct port slurmctld = take_port(rows[i].slurmctld);
		struct vol_error err = {""};

		calls = 0;
		nobody = false;
		assert_int_equal(sd_event_new(&loop), 0);
		probe = vol_probe_start(loop, "127.0.0.1", link.number,
					slurmctld.number, done, &calls, &err);
		assert_non_null(probe);
		sd_event_loop(loop);
		assert_int_equal(calls, 1);
		assert_int_equal(nobody, rows[i].nobody);
		sd_event_unref(loop);
		close(link.fd);
		close(slurmctld.fd);
	}
}

static void odd_addresses(void **state)
{
	struct vol_error err = {""};

	(void)state;
	assert_int_equal(sd_event_new(&loop), 0);
	assert_null(vol_probe_start(loop, "a.name", 1, 2, done, &calls, &err));
	assert_contains(err.text, "a.name");
	vol_probe_destroy(NULL);
	sd_event_unref(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks),
		cmocka_unit_test(odd_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
