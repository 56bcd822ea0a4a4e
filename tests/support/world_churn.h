/* world_churn.h -- a world in which everything changes: config, zone file, manifests, certificate.
 *
 * All states of it are good, and some names are answered the same in all of them.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_CHURN_H
#define TESTS_SUPPORT_WORLD_CHURN_H

#include "tests/support/world.h"
#include "tests/support/world_askers.h"
#include "tests/support/world_probe.h"

/* Of the key "transfer". */
#define CHURN_SECRET "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IDEyMzQ="

/* What may be asked at any time, and what is right. */
enum { CHURN_QUESTIONS = 6 };
extern const struct askers_question churn_questions[CHURN_QUESTIONS];

/* Starts nighd with the state of step 0: the zones example.com (transferred to loopback, for world_hostile.h too) and
 * file.test, cookies.secretFile, tsig, TLS. */
void churn_start(struct world *w, struct transport transports[PROBE_TRANSPORTS]);
/* Another config for each step, taken up by SIGHUP. */
void churn_reload(struct world *w, unsigned step);
void churn_zone_file(struct world *w, unsigned step);
void churn_manifests(struct world *w, unsigned step);
void churn_certificate(struct world *w);

#endif
