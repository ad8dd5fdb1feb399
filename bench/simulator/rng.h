/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rng.h - random numbers that are the same on every machine
 *
 * splitmix64 (Steele, Lea, Flood 2014): a seed is enough, streams of different
 * seeds are independent.
 */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

/* A stream of its own for each part of a run. */
struct rng rng_make(uint64_t seed, uint64_t stream);
uint64_t rng_next(struct rng *r);
double rng_uniform(struct rng *r, double low, double high);
bool rng_chance(struct rng *r, double p);
double rng_normal(struct rng *r, double mean, double sd);
double rng_exponential(struct rng *r, double mean);
/* By its median. */
double rng_lognormal(struct rng *r, double median, double sigma);
unsigned int rng_poisson(struct rng *r, double mean);
/* 0 ... n - 1 */
unsigned int rng_below(struct rng *r, unsigned int n);

#endif
