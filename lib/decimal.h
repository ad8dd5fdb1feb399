/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decimal.h - exact decimals as 64-bit integers
 *
 * A decimal is a whole number of units of its last digit.  At most 18 digits:
 * magnitudes then stay below 10^18, and sums and products of the kind
 * lo + step * index fit 64 bits, here and in the arithmetic of a job's shell.
 */
#ifndef VOL_DECIMAL_H
#define VOL_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#define VOL_DECIMAL_DIGITS 18

struct vol_decimal {
	int64_t units; /* value * 10^decimals */
	unsigned decimals;
};

/* Read "-12.50" at *s and move *s behind it.  -1 if there is none, or it has
 * too many digits, or leading zeros: "007" could only come out as "7", and a
 * file name made of it would surprise. */
int vol_decimal_read(const char **s, struct vol_decimal *d);

/* Bring to more decimals; -1 if there is no room for them. */
int vol_decimal_scale(struct vol_decimal *d, unsigned decimals);

/* Print with exactly as many decimals; as snprintf. */
int vol_decimal_format(int64_t units, unsigned decimals, char *buf,
		       size_t size);

#endif
