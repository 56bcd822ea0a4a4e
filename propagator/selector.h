/* selector.h -- label selectors over a JSON object of labels: Kubernetes' own, and Federation v1's annotation.
 *
 * Nothing is kept; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_SELECTOR_H
#define PROPAGATOR_SELECTOR_H

#include <stdbool.h>

#include "base/err.h"

struct json_object;
struct text;

enum { SELECTOR_REQUIREMENTS_MOST = 1000, SELECTOR_VALUES_MOST = 10000 };

/* Is it a label selector?  ERR_PARSE names the requirement that is not ("matchExpressions[0].operator: ..."). */
enum err selector_check(struct json_object *selector, struct reason *why) MUST_CHECK;
/* All of matchLabels and all of matchExpressions hold.  A selector without requirements selects all, NULL nothing;
 * `labels` may be NULL.  ERR_PARSE as selector_check() says. */
enum err selector_matches(struct json_object *selector, struct json_object *labels, bool *out,
                          struct reason *why) MUST_CHECK;

/* Appends it as a query has it ("app=web,tier in (a,b),!old"); false: it is none that is good, or selects all. */
bool selector_print(struct json_object *selector, struct text *out);

/* The value of federation.alpha.kubernetes.io/cluster-selector: a JSON array of requirements,
 * all of which hold.  NULL, no annotation: every cluster.  ERR_PARSE: it goes to none. */
enum err selector_matches_v1(const char *annotation, struct json_object *labels, bool *out,
                             struct reason *why) MUST_CHECK;

#endif
