/* SPDX-License-Identifier: GPL-2.0-or-later */
/* openmp.c - cells that depend on their neighbours, by three threads */
#include <stdint.h>
#include <stdio.h>

#include "section.h"

#define CELLS 60000
#define STEPS 40

static uint32_t cell[2][CELLS];

int main(void)
{
	int now = 0;

	for (int i = 0; i < CELLS; i++)
		cell[0][i] = (uint32_t)i * 2654435761u;
	for (int s = 0; s < SECTIONS; s++) {
		uint64_t sum = 0;

		section(s);
		for (int step = 0; step < STEPS; step++) {
			const uint32_t *from = cell[now];
			uint32_t *to = cell[!now];

#pragma omp parallel for num_threads(3) schedule(dynamic, 500)
			for (int i = 0; i < CELLS; i++)
				to[i] = from[(i + CELLS - 1) % CELLS] * 31 ^
					from[(i + 1) % CELLS] >> 3;
			now = !now;
			usleep(50000);
		}
#pragma omp parallel for num_threads(3) reduction(+ : sum)
		for (int i = 0; i < CELLS; i++)
			sum += cell[now][i];
		printf("%d %llu\n", s, (unsigned long long)sum);
		fflush(stdout);
	}
	return 0;
}
