/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tls_bed.h - both ends of a TLS session on a socket pair */
#ifndef VOL_TLS_BED_H
#define VOL_TLS_BED_H

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "keypair.h"
#include "tls.h"

#include "vtest.h"

/* Steps of a handshake; it takes three. */
#define STEPS 100

struct fixture {
	struct vol_keypair *device_key, *controller_key, *other_key;
	struct vol_tls_context *device_ctx, *controller_ctx;
	int fd[2]; /* of the device, of the controller */
	struct vol_tls *device, *controller;
	struct vol_error device_err, controller_err;
	int device_errno, controller_errno;
};

static void nonblock(int fd)
{
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->device_key = vol_keypair_make(NULL);
	f->controller_key = vol_keypair_make(NULL);
	f->other_key = vol_keypair_make(NULL);
	f->device_ctx = vol_tls_context_create(f->device_key, NULL);
	f->controller_ctx = vol_tls_context_create(f->controller_key, NULL);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, f->fd) < 0)
		return -1;
	nonblock(f->fd[0]);
	nonblock(f->fd[1]);
	*state = f;
	return f->device_ctx && f->controller_ctx && f->other_key ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vol_tls_destroy(f->device);
	vol_tls_destroy(f->controller);
	vol_tls_context_destroy(f->device_ctx);
	vol_tls_context_destroy(f->controller_ctx);
	vol_keypair_destroy(f->device_key);
	vol_keypair_destroy(f->controller_key);
	vol_keypair_destroy(f->other_key);
	for (int i = 0; i < 2; i++)
		if (f->fd[i] >= 0)
			close(f->fd[i]);
	free(f);
	return 0;
}

/* The whole fingerprint of a key as a pin. */
static inline struct vol_tls_pin pin_of(const struct vol_keypair *key)
{
	return (struct vol_tls_pin){*vol_keypair_fingerprint(key),
				    VOL_FINGERPRINT_BYTES};
}

static void begin(struct fixture *f, const struct vol_tls_pin *pin)
{
	f->device = vol_tls_create(f->device_ctx, VOL_TLS_DEVICE, f->fd[0], pin,
				   NULL);
	f->controller = vol_tls_create(f->controller_ctx, VOL_TLS_CONTROLLER,
				       f->fd[1], NULL, NULL);
	assert_non_null(f->device);
	assert_non_null(f->controller);
}

/* Both sides in turn until neither goes on. */
static void shake(struct fixture *f, enum vol_tls_step *device,
		  enum vol_tls_step *controller)
{
	*device = *controller = VOL_TLS_WANT_READ;
	for (int i = 0; i < STEPS; i++) {
		if (*device > VOL_TLS_DONE) {
			*device = vol_tls_handshake(f->device, &f->device_err);
			f->device_errno = errno;
		}
		if (*controller > VOL_TLS_DONE) {
			*controller = vol_tls_handshake(f->controller,
							&f->controller_err);
			f->controller_errno = errno;
		}
	}
}

static void shake_well(struct fixture *f, const struct vol_tls_pin *pin)
{
	enum vol_tls_step device, controller;

	begin(f, pin);
	shake(f, &device, &controller);
	if (device != VOL_TLS_DONE || controller != VOL_TLS_DONE)
		fail_msg("%s; %s", f->device_err.text, f->controller_err.text);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
