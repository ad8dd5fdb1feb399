/* SPDX-License-Identifier: GPL-2.0-or-later */
/* images_bed.h - a device's carrier beside the controller's loop
 *
 * The carrier waits, so it has a thread of its own.
 */
#ifndef VOL_IMAGES_BED_H
#define VOL_IMAGES_BED_H

#include <pthread.h>
#include <stdatomic.h>

#include "controller.h"
#include "device/carrier.h"

#include "controller_bed.h"
#include "door_bed.h"

#define JOB 17
#define LEN 300000

static inline void put_job(uint32_t id, const char *node,
			   enum vol_job_state state, uint32_t restarts)
{
	struct vol_slurm_job job = {
		.id = id,
		.array_task = VOL_JOB_NO_TASK,
		.state = state,
		.batch = true,
		.requeue = true,
		.restarts = restarts,
		.user = 1000,
		.start = time(NULL),
		.nodes = (char *)node,
	};

	fake_cluster_put_job(&job);
}

/* ---- a carrier and its thread ---- */

struct errand {
	struct vol_carrier carrier;
	bool get;
	int fd;
	uint32_t job, restarts, before;
	uint64_t bytes;
	int rc, error;
	uint32_t number;
	struct vol_link_msg here;
	struct vol_error err;
	atomic_bool done;
};

static void *go(void *arg)
{
	struct errand *e = arg;

	if (e->get)
		e->rc = vol_carrier_get(&e->carrier, e->fd, e->job, e->before,
					&e->here, &e->err);
	else
		e->rc = vol_carrier_put(&e->carrier, e->fd, e->job, e->restarts,
					e->bytes, &e->number, &e->err);
	e->error = errno;
	e->done = true;
	return NULL;
}

static inline void address(struct bed *bed, struct errand *e, const char *name)
{
	struct vol_controller *role = bed->role;

	e->carrier.tls = device_key(bed, name)->ctx;
	e->carrier.pin.key = *vol_controller_key(role);
	e->carrier.pin.bytes = VOL_FINGERPRINT_BYTES;
	snprintf(e->carrier.address, sizeof(e->carrier.address), "127.0.0.1");
	e->carrier.port = bed->port;
	e->carrier.stop = -1;
}

static inline void run(struct bed *bed, struct errand *e)
{
	pthread_t thread;

	e->done = false;
	assert_int_equal(pthread_create(&thread, NULL, go, e), 0);
	run_until(bed, e->done);
	pthread_join(thread, NULL);
	assert_printable(e->err.text);
}

static inline int stream_file(uint64_t n, size_t len)
{
	char path[] = "/tmp/vol-image.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)(i * n + i / 251);

		assert_int_equal(pwrite(fd, &byte, 1, (off_t)i), 1);
	}
	return fd;
}

static inline void assert_same(int a, int b, size_t len)
{
	uint8_t *x = malloc(len + 1), *y = malloc(len + 1);

	assert_int_equal(pread(a, x, len + 1, 0), len);
	assert_int_equal(pread(b, y, len + 1, 0), len);
	assert_memory_equal(x, y, len);
	free(x);
	free(y);
}

/* Of what do_put puts. */
static bool put_fits_any;

/* 0, or the errno. */
static inline int do_put(struct bed *bed, const char *name, uint32_t job,
			 uint32_t restarts, int fd, struct errand *e)
{
	memset(e, 0, sizeof(*e));
	address(bed, e, name);
	e->fd = fd;
	e->job = job;
	e->restarts = restarts;
	e->carrier.fits_any = put_fits_any;
	lseek(fd, 0, SEEK_SET);
	run(bed, e);
	return e->rc < 0 ? e->error : 0;
}

static inline int do_get(struct bed *bed, const char *name, uint32_t job,
			 uint32_t before, int fd, struct errand *e)
{
	memset(e, 0, sizeof(*e));
	address(bed, e, name);
	e->get = true;
	e->fd = fd;
	e->job = job;
	e->before = before;
	run(bed, e);
	return e->rc < 0 ? e->error : 0;
}

static inline size_t stored(struct bed *bed, uint32_t job)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/checkpoints/%u", bed->folder, job);
	return access(path, F_OK) == 0 ? vtest_count_entries(path) : 0;
}

static inline size_t logged(const struct bed *bed, const char *part)
{
	const char *at = bed->log;
	size_t n = 0;

	while ((at = strstr(at, part))) {
		n++;
		at++;
	}
	return n;
}

#endif
