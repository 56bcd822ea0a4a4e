/* served.h -- what API servers have been asked, as they count it themselves (their metric apiserver_request_total), whoever asked.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_BENCH_SERVED_H
#define TESTS_BENCH_SERVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/e2e/support/cluster.h"

enum { SERVED_MOST = 1000 };

struct served {
	struct served_row {
		char what
			[96]; /* "APPLY deployments", "PATCH kubefedclusters/status", "APPLY deployments 409" */
		bool is_write;
		uint64_t count;
	} row[SERVED_MOST];
	size_t count;
};

/* Adds what that server has been asked since it began. */
void served_add(struct served *s, struct cluster *c);
/* Leaves what was asked after `before`. */
void served_since(struct served *s, const struct served *before);
/* Of what begins with `what`; "": of all. */
uint64_t served_writes(const struct served *s, const char *what);
/* One line: "90 PUT leases, 50 PATCH kubefedclusters/status"; "none". */
void served_print(const struct served *s, bool writes);

#endif
