/* story.h -- the story that all end-to-end programs begin with: a host, three cities, nighd and a replica of it, and an asker who
 * never stops.
 *
 * Each city is a real cluster that serves shop/web and calm/still; both are published by ServiceDNSRecords of the host.
 * Tests may do to shop/web what they want, and leave calm/still alone: it is asked for all the time, and each of its answers
 * is right or counted.  For cmocka's group fixtures; one thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_E2E_SUPPORT_STORY_H
#define TESTS_E2E_SUPPORT_STORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/e2e/support/asker.h"
#include "tests/e2e/support/cloud.h"
#include "tests/e2e/support/cluster.h"
#include "tests/e2e/support/objects.h"
#include "tests/support/world.h"

#define WEB           "web.shop.fed.svc.example.com"
#define STILL         "still.calm.fed.svc.example.com"
#define BOSTON        "192.0.2.0/24"
#define AUSTIN        "198.51.100.0/24"
#define SAN_FRANCISCO "203.0.113.0/24"

enum site { NEW_YORK, HOUSTON, LOS_ANGELES, SITES };

/* What a change, a failure that is seen at once, and one that is only noticed by its silence may take. */
enum { CHANGED_MS = 2000, AVOIDED_MS = 4000, NOTICED_MS = 15000, BACK_MS = 30000 };

struct story_site {
	const char *name, *location, *region, *zone;
	const char *web, *still; /* addresses */
	struct cluster *cluster;
	char *token;         /* of its reader, */
	char token_name[32]; /* in that Secret of the member */
	unsigned tokens;     /* made until now */
	int listener[2];     /* at `web` and `still`; -1: refused */
};
struct story {
	struct cloud *cloud;
	struct cluster *host;
	struct story_site site[SITES];
	unsigned port; /* of every Service */
	struct world *nighd, *replica;
	struct asker *asker;
	struct asker_result before; /* this test */
};

/* Group fixtures: the whole story; or the clusters alone, with all objects, but joined by nobody, and no nighd. */
int story_setup(void **state);
int story_setup_unjoined(void **state);
int story_teardown(void **state);
/* A test of it: begins when all is well, which it waits for, and ends without a lost question. */
int story_begin_test(void **state);
int story_end_test(void **state);
#define story_test(function)                                                                       \
	cmocka_unit_test_setup_teardown(function, story_begin_test, story_end_test)

void story_start(struct story *s); /* nighd and its replica */
void story_ask(struct story *s);   /* and the asker */
void story_join(struct story *s, enum site site);
/* The reader's next token, in a Secret of its own; for story_join(). */
void story_new_token(struct story *s, enum site site);
/* Stops nighd (SIGTERM) and starts it again; the replica is asked meanwhile. */
void story_restart_nighd(struct story *s);
void story_restart_replica(struct story *s);
void story_kill_nighd(struct story *s); /* the same by SIGKILL */
/* A city's addresses take connections, or refuse them. */
void story_open(struct story *s, enum site site);
void story_refuse(struct story *s, enum site site);
/* What is there at the beginning of every test is there again. */
void story_furnish_host(struct story *s);
void story_furnish(struct story *s, enum site site);

/* That client is sent to that city: over UDP within that time, and then so over TCP, with an honest scope, explained, and with /status and /metrics that agree. */
void story_expect(struct story *s, const char *client, enum site site, unsigned within_ms);
/* The nearest city answers each client, now, and for that time. */
void story_expect_nothing_changes(struct story *s, unsigned for_ms);
/* What /status says of the city has this text (with a leading '!': has it not). */
void story_expect_status(struct story *s, enum site site, const char *text, unsigned within_ms);
/* "synced" or "unseen", in /status and in /metrics. */
void story_expect_knowledge(struct story *s, enum site site, const char *knowledge,
                            unsigned within_ms);
/* The asker's whole account: nothing lost, nothing wrong; printed.  For the last test. */
void story_expect_no_loss(struct story *s);

#endif
