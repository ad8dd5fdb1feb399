/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conn_tls.c - the handshake of a connection
 *
 * A step at a time, each from the loop, so that thousands at once go on side by
 * side.  What is queued meanwhile waits for its end.
 */
#include "config.h"

#include "conn_private.h"

#include <errno.h>

int vol_conn_shake_start(struct vol_conn *c, struct vol_error *err)
{
	if (vol_conn_arm(c, VOL_CONN_SHAKE_MS, err) < 0)
		return -1;
	c->state = VOL_CONN_SHAKING;
	vol_conn_watch(c);
	return 0;
}

void vol_conn_shake(struct vol_conn *c)
{
	struct vol_error err = {""};

	switch (vol_tls_handshake(c->tls, &err)) {
	case VOL_TLS_FAILED:
		/* Who goes away does no harm; the rest is worth a line. */
		vol_conn_fail(c, errno == EPROTO || errno == EACCES, "%s",
			      err.text);
		break;
	case VOL_TLS_DONE:
		vol_conn_opened(c);
		break;
	case VOL_TLS_WANT_READ:
		c->shake_writes = false;
		vol_conn_watch(c);
		break;
	case VOL_TLS_WANT_WRITE:
		c->shake_writes = true;
		vol_conn_watch(c);
		break;
	}
}
