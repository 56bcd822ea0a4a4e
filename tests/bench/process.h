/* process.h -- what a process takes of the machine.
 *
 * It is a child of the one that asks, and lives; else the benchmark ends.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_BENCH_PROCESS_H
#define TESTS_BENCH_PROCESS_H

#include <sys/types.h>

/* Seconds of CPU, user and kernel, of all its threads until now. */
double process_cpu_s(pid_t pid);
/* Resident, in KiB. */
unsigned process_memory_kib(pid_t pid);

#endif
