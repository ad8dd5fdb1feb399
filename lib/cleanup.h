/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cleanup.h - scope-bound release of locals; the one cleanup idiom we use
 *
 *	cleanup_free char *line = NULL;
 *	cleanup_fd int fd = -1;
 *	...
 *	return steal_ptr(&line);
 */
#ifndef VOL_CLEANUP_H
#define VOL_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void vol_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void vol_cleanup_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void vol_cleanup_file(FILE **fp)
{
	int saved = errno;

	if (*fp)
		fclose(*fp);
	errno = saved;
}

#define cleanup_free __attribute__((cleanup(vol_cleanup_free)))
#define cleanup_fd   __attribute__((cleanup(vol_cleanup_fd)))
#define cleanup_file __attribute__((cleanup(vol_cleanup_file)))

/* Hand ownership out of a cleanup_ variable. */
#define steal_ptr(pp)                            \
	({                                       \
		__typeof__(pp) from_ = (pp);     \
		__typeof__(*from_) it_ = *from_; \
		*from_ = NULL;                   \
		it_;                             \
	})
#define steal_fd(pfd)               \
	({                          \
		int *from_ = (pfd); \
		int it_ = *from_;   \
		*from_ = -1;        \
		it_;                \
	})

#endif
