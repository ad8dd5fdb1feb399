/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policies.c - which of the open devices a job gets */
#include "policies.h"

#include "score.h"

const char *const policy_names[POLICIES] = {
	"random", "first-fit", "longest-idle",   "order-only",
	"oracle", "ours",      "patient-oracle",
};

static size_t longest_idle(const struct world *w, const size_t *candidates,
			   size_t n)
{
	size_t best = candidates[0];

	for (size_t i = 1; i < n; i++)
		if (w->device[candidates[i]].away_since <
		    w->device[best].away_since)
			best = candidates[i];
	return best;
}

static size_t oracle(const struct world *w, const struct job *job,
		     const size_t *candidates, size_t n)
{
	int64_t done = w->now + job->run_s, best_closes = 0;
	size_t best = candidates[0];

	for (size_t i = 0; i < n; i++) {
		int64_t closes = device_closes(w, &w->device[candidates[i]]);
		bool fits = closes >= done, best_fits = best_closes >= done;

		if (i == 0 || (fits && !best_fits) ||
		    (fits == best_fits && closes < best_closes)) {
			best = candidates[i];
			best_closes = closes;
		}
	}
	return best;
}

/* As the select plugin does it. */
static size_t ours(struct world *w, const struct vol_score_plan *plan,
		   uint32_t max_risk, uint32_t waited_s,
		   const size_t *candidates, size_t n)
{
	uint32_t allowed = vol_score_allowed(plan, max_risk, waited_s);
	unsigned int level, least = VOL_SCORE_LEVELS;
	uint32_t cost, best = UINT32_MAX, worst = 0;
	size_t chosen = SIZE_MAX;

	for (size_t i = 0; i < n; i++) {
		struct device *d = &w->device[candidates[i]];

		device_look(w, d);
		if (vol_score_risk(plan, &d->score) > allowed)
			continue;
		cost = vol_score_cost(plan, &d->score);
		best = cost < best ? cost : best;
		worst = cost > worst ? cost : worst;
	}
	for (size_t i = 0; i < n; i++) {
		struct device *d = &w->device[candidates[i]];

		if (vol_score_risk(plan, &d->score) > allowed)
			continue;
		cost = vol_score_cost(plan, &d->score);
		level = vol_score_level(cost, best, worst);
		if (level < least) {
			least = level;
			chosen = candidates[i];
		}
	}
	return chosen;
}

static size_t patient_oracle(const struct world *w, const struct job *job,
			     uint32_t waited_s, const size_t *candidates,
			     size_t n)
{
	size_t best = oracle(w, job, candidates, n);

	if (device_closes(w, &w->device[best]) < w->now + job->run_s &&
	    waited_s < (uint64_t)VOL_SCORE_PATIENCE * job->run_s)
		return SIZE_MAX;
	return best;
}

size_t policy_choose(enum policy policy, struct world *w, const struct job *job,
		     uint32_t waited_s, const size_t *candidates, size_t n,
		     struct rng *rng)
{
	struct vol_score_job facts = {job->limit_s, 0, RESTART_S};
	struct vol_score_plan plan;

	vol_score_plan(&plan, &facts);
	switch (policy) {
	case POLICY_RANDOM:
		return candidates[rng_below(rng, (unsigned int)n)];
	case POLICY_LONGEST_IDLE:
		return longest_idle(w, candidates, n);
	case POLICY_ORDER_ONLY:
		return ours(w, &plan, VOL_OUTLOOK_ONE, waited_s, candidates, n);
	case POLICY_OURS:
		return ours(w, &plan, VOL_SCORE_MAX_RISK, waited_s, candidates,
			    n);
	case POLICY_ORACLE:
		return oracle(w, job, candidates, n);
	case POLICY_PATIENT_ORACLE:
		return patient_oracle(w, job, waited_s, candidates, n);
	default:
		return candidates[0];
	}
}
