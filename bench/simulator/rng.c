/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rng.c - random numbers that are the same on every machine */
#include "rng.h"

#include <math.h>

uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

struct rng rng_make(uint64_t seed, uint64_t stream)
{
	struct rng r = {seed};

	r.state = rng_next(&r) ^ stream * 0xd1342543de82ef95;
	rng_next(&r);
	return r;
}

double rng_uniform(struct rng *r, double low, double high)
{
	return low + (high - low) * (double)(rng_next(r) >> 11) * 0x1p-53;
}

bool rng_chance(struct rng *r, double p)
{
	return rng_uniform(r, 0, 1) < p;
}

double rng_normal(struct rng *r, double mean, double sd)
{
	double u = rng_uniform(r, 1e-12, 1), v = rng_uniform(r, 0, 1);

	return mean + sd * sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

double rng_exponential(struct rng *r, double mean)
{
	return -mean * log(rng_uniform(r, 1e-12, 1));
}

double rng_lognormal(struct rng *r, double median, double sigma)
{
	return median * exp(rng_normal(r, 0, sigma));
}

unsigned int rng_poisson(struct rng *r, double mean)
{
	double left = exp(-mean), product = rng_uniform(r, 0, 1);
	unsigned int n = 0;

	while (product > left && n < 1000) {
		product *= rng_uniform(r, 0, 1);
		n++;
	}
	return n;
}

unsigned int rng_below(struct rng *r, unsigned int n)
{
	return (unsigned int)(rng_next(r) % n);
}
