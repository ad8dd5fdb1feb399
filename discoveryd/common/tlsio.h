/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tlsio.h - a TLS session for those who may wait: threads and programs
 *
 * A peer that is too slow is given up (ETIMEDOUT): nothing may take longer than
 * the grace, and all together no longer than that and a second for each
 * VOL_TLSIO_SLOWEST bytes.
 */
#ifndef VOL_TLSIO_H
#define VOL_TLSIO_H

#include <stdint.h>

#include "error.h"
#include "imagewire.h"
#include "tls.h"

#ifndef VOL_TLSIO_GRACE_MS /* tests have less patience */
#define VOL_TLSIO_GRACE_MS 30000
#endif
/* The slowest uplink on which images of some 100 MB are worth their way. */
#define VOL_TLSIO_SLOWEST (64 * 1024)

struct vol_tlsio {
	struct vol_tls *tls; /* the caller's */
	int fd;              /* its socket; non-blocking */
	int stop;            /* a descriptor: readable means stop; -1: none */
	/* CLOCK_BOOTTIME */
	uint64_t begun_ms, grace_ms, until_ms;
	uint64_t moved; /* bytes, since begun_ms */
};

/* Begin to measure; wire then moves bytes over io. */
void vol_tlsio_init(struct vol_tlsio *io, struct vol_tls *tls, int fd, int stop,
		    struct vol_imagewire *wire);
/* Measure anew, with this grace. */
void vol_tlsio_grace(struct vol_tlsio *io, uint64_t ms);
int vol_tlsio_handshake(struct vol_tlsio *io, struct vol_error *err);
/* After the last word: wait until the peer has closed too, at most ms, so that
 * no reset overtakes it. */
void vol_tlsio_bye(struct vol_tlsio *io, uint64_t ms);

#endif
