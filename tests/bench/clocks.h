// What the load generators measure by: the time, and the CPU time of the server's processes.
#ifndef NIGH_BENCH_CLOCKS_H
#define NIGH_BENCH_CLOCKS_H
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_PIDS = 64 };
static int pids[MAX_PIDS], npids;

static inline double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// PID[,PID...]; the list is cut at its commas.
static inline void read_pids(char *list)
{
	for (char *s = strtok(list, ","); s && npids < MAX_PIDS; s = strtok(NULL, ","))
		pids[npids++] = atoi(s);
}

// Nanoseconds on CPU of the server's processes with all their threads, ended ones too.
static inline uint64_t server_cpu_ns(void)
{
	uint64_t sum = 0;
	for (int i = 0; i < npids; i++) {
		clockid_t clock;
		struct timespec t;
		if (!clock_getcpuclockid(pids[i], &clock) && !clock_gettime(clock, &t))
			sum += (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	}
	return sum;
}

#endif
