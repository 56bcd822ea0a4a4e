/* records_world.h -- facts and a records over them, and the names it has given out.
 *
 * Applies every result to a set of names, as zones does, and checks on the way
 * that no result says again what was known.  Endpoints are shown as text:
 *
 *   "SOURCE; open; la EL A 300 192.0.2.1 [192.0.2.1:443]; fallback X 180"
 *
 * E and L are the layers that are fine, f few ready ones, g no gateway, "2/3" and "capacity 2" what a policy asks
 * for, "held as NAME" a failback, [..] the probes, with their check; "fixed A 30 192.0.2.1"
 * for data without sites; "policy NS/NAME" behind "open" where one decides.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_RECORDS_WORLD_H
#define TESTS_SUPPORT_RECORDS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "records/build.h"

struct records_world_name {
	char *owner;    /* lower case, last dot */
	char *spelling; /* as it was given out */
	char *text;
};

struct records_world {
	struct facts *facts;
	struct records *records;
	struct records_settings settings;
	const struct records_result *last;
	uint64_t now_ms;
	struct records_world_name *names; /* sorted by owner */
	size_t count;
};

/* No zones but those of Domains, default TTL 30, guard off. */
struct records_world *records_world_new(void);
void records_world_free(struct records_world *w);
/* Takes the settings as they are in w->settings now. */
void records_world_configure(struct records_world *w);

/* Registers (or not) a member, synced; its id. */
uint16_t records_world_cluster(struct records_world *w, const char *name, bool registered);
void records_world_put(struct records_world *w, const char *cluster, const struct fact *fact);
/* key: "NS/NAME" */
void records_world_remove(struct records_world *w, const char *cluster, enum fact_kind kind,
                          const char *key);

/* How many changes there were. */
size_t records_world_build(struct records_world *w);
/* The same for one records_build(), which may leave more to do. */
size_t records_world_step(struct records_world *w);
/* NULL: not given out. */
const char *records_world_show(const struct records_world *w, const char *owner);
/* All names, a line each; free() it. */
char *records_world_print(const struct records_world *w);

/* All "where: message", or "name: winner over loser", joined by newlines; free() it. */
char *records_world_problems(const struct records_world *w);
char *records_world_conflicts(const struct records_world *w);

/* All policies, "NS/NAME of COUNT names", and what they lost, "NS/NAME lost TARGET to NS/NAME", lines in byte
 * order; free() it. */
char *records_world_policies(const struct records_world *w);

/* Members la (region us-west-2, zone us-west-2a) and ny (us-east-1, us-east-1a), and
 * Domain d for example.com. */
struct records_world *records_world_small(void);
/* Service shop/web, port 443, with a ready endpoint. */
void records_world_put_service(struct records_world *w, const char *cluster, const char *addresses);
/* The small world with ServiceDNSRecord shop/web, TTL 60, and a Service for it in la at 192.0.2.1; built once. */
struct records_world *records_world_of_web(void);
/* A Service of port 80 with the annotation, without ready endpoints. */
void records_world_put_annotated(struct records_world *w, const char *cluster, const char *key,
                                 const char *address, const char *hostname, int64_t created);
/* Fails the test if the name is not given out as that. */
void records_world_expect(const struct records_world *w, const char *owner, const char *want);
/* Fails the test if the texts differ; frees the first. */
void records_world_expect_text(char *have, const char *want);

/* A new world over the same facts, built once: what the first should be by now. */
struct records_world *records_world_again(const struct records_world *w);

#endif
