/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

double process_cpu_s(pid_t pid)
{
	clockid_t clock;
	struct timespec t;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0) {
		fprintf(stderr, "bench: process %d has ended\n", (int)pid);
		exit(1);
	}
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

unsigned process_memory_kib(pid_t pid)
{
	char path[40], line[200];
	unsigned kib = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	in = fopen(path, "r");
	while (in && fgets(line, sizeof(line), in))
		if (sscanf(line, "VmRSS: %u kB", &kib) == 1)
			break;
	if (in)
		fclose(in);
	return kib;
}
