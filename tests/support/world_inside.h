/* world_inside.h -- what the parts of the world share: one struct, texts, and waiting.
 *
 * For tests/support/world*.c and fakeapi*.c, and for the clusters of tests/e2e/support beside them.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_INSIDE_H
#define TESTS_SUPPORT_WORLD_INSIDE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/text.h"
#include "tests/support/world.h"

struct world {
	char dir[128];
	struct text config;       /* what world_config() gave */
	const char *const *flags; /* what world_flags() gave, or NULL */
	pid_t pid;                /* of nighd; 0: not running */
	unsigned dns_port, http_port;
	size_t log_from;                             /* where the words of the last start begin */
	struct text path, log, answer, body, output; /* what was returned last */
};

uint64_t inside_now_ms(void);
/* Until the next look: a short rest. */
void inside_rest(void);
/* A time by which something has to be so: 0 ms is now, at the first look. */
struct deadline {
	uint64_t at_ms;
};
struct deadline inside_deadline(unsigned within_ms);
bool inside_has_time(struct deadline d);
/* Fails the test with nighd's words when it has ended without being asked. */
void inside_demand_alive(struct world *w);
/* The whole file; false when it cannot be read. */
bool inside_read_file(const char *path, struct text *out);
/* $NAME, else `fallback`. */
const char *inside_program(const char *name, const char *fallback);
void inside_write_config(struct world *w);
/* A program in its own process, its words to `out`; it dies with the thread that called this, also when that is
 * killed. */
pid_t inside_spawn(const char *const *argv, int out);

#endif
