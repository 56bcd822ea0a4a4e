/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/health.h"

#include <json-c/json_object.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "propagator/condition.h"
#include "propagator/jsontree.h"
#include "propagator/health_inside.h"

static const char *const state_texts[] = {
	[HEALTH_CURRENT] = "Current",         [HEALTH_IN_PROGRESS] = "InProgress",
	[HEALTH_TERMINATING] = "Terminating", [HEALTH_UNKNOWN] = "Unknown",
	[HEALTH_FAILED] = "Failed",
};

const char *health_state_text(enum health_state state) { return state_texts[state]; }

/* --- saying --- */

bool health_is(const char *a, const char *b) { return strcmp(a, b) == 0; }

void health_say(struct health *h, enum health_state state, const char *reason, const char *fmt, ...)
{
	char word[HEALTH_REASON_SIZE] = {0}, message[HEALTH_MESSAGE_SIZE];
	va_list args;

	(void)snprintf(word, sizeof(word), "%s", reason);
	va_start(args, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	h->state = state;
	memcpy(h->reason, word, sizeof(word));
	(void)text_shown(bytes_of(message), h->message, sizeof(h->message));
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* What Kubernetes takes for the reason of a condition, as far as it fits. */
static bool is_reason(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len >= HEALTH_REASON_SIZE || !is_letter(s[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_letter(s[i]) && !is_digit(s[i]) && !strchr("_,:", s[i]))
			return false;
	return is_letter(s[len - 1]) || is_digit(s[len - 1]) || s[len - 1] == '_';
}

void health_say_condition(struct health *h, enum health_state state, struct json_object *condition,
                          const char *reason, const char *message)
{
	const char *own = jsontree_word(condition, "reason", NULL);
	const char *said = jsontree_word(condition, "message", NULL);

	health_say(h, state, is_reason(own) ? own : reason, "%s", *said ? said : message);
}

struct health health_unknown(const char *why)
{
	struct health h;

	health_say(&h, HEALTH_UNKNOWN, "Unreachable", "%s", why);
	return h;
}

/* --- what every object may have --- */

static bool is_terminating(struct json_object *object, struct health *h)
{
	static const char *const remains[] = {
		"NamespaceDeletionDiscoveryFailure", "NamespaceDeletionContentFailure",
		"NamespaceDeletionGroupVersionParsingFailure", "NamespaceContentRemaining",
		"NamespaceFinalizersRemaining"};
	const char *finalizer =
		json_object_is_type(
			jsontree_item(jsontree_get(object, "metadata", "finalizers", NULL), 0),
			json_type_string)
			? json_object_get_string(jsontree_item(
				  jsontree_get(object, "metadata", "finalizers", NULL), 0))
			: "";

	if (!*jsontree_word(object, "metadata", "deletionTimestamp", NULL))
		return false;
	health_say(h, HEALTH_TERMINATING, "Deleting", "is being deleted%s%s",
	           *finalizer ? "; waits for finalizer " : "", finalizer);
	for (size_t i = 0; i < sizeof(remains) / sizeof(remains[0]); i++)
		if (health_is(condition_status(object, remains[i]), "True")) {
			health_say_condition(h, HEALTH_TERMINATING,
			                     condition_find(object, remains[i]), "Deleting",
			                     "is being deleted");
			break;
		}
	return true;
}

static bool is_observed(struct json_object *object, struct health *h)
{
	int64_t generation = jsontree_int(object, 0, "metadata", "generation", NULL);
	int64_t observed = jsontree_int(object, generation, "status", "observedGeneration", NULL);

	if (generation == 0 || observed == generation)
		return true;
	health_say(h, HEALTH_IN_PROGRESS, "LatestGenerationNotObserved",
	           "generation is %lld, observed is %lld", (long long)generation,
	           (long long)observed);
	return false;
}

/* kstatus's own two conditions, which any controller may set. */
static bool has_standard_condition(struct json_object *object, struct health *h)
{
	if (health_is(condition_status(object, "Reconciling"), "True")) {
		health_say_condition(h, HEALTH_IN_PROGRESS, condition_find(object, "Reconciling"),
		                     "Reconciling", "is being reconciled");
		return true;
	}
	if (health_is(condition_status(object, "Stalled"), "True")) {
		health_say_condition(h, HEALTH_FAILED, condition_find(object, "Stalled"), "Stalled",
		                     "is stalled");
		return true;
	}
	return false;
}

/* What has no rule of its own: custom resources. */
static void by_ready(struct json_object *object, struct health *h)
{
	struct json_object *ready = condition_find(object, "Ready");
	const char *status = jsontree_word(ready, "status", NULL);
	int64_t generation = jsontree_int(object, 0, "metadata", "generation", NULL);
	int64_t observed = jsontree_int(ready, generation, "observedGeneration", NULL);

	if (observed < generation)
		health_say(h, HEALTH_IN_PROGRESS, "LatestGenerationNotObserved",
		           "generation is %lld, that of condition Ready is %lld",
		           (long long)generation, (long long)observed);
	else if (health_is(status, "False") || health_is(status, "Unknown"))
		health_say_condition(h, HEALTH_IN_PROGRESS, ready, "NotReady", "is not ready");
	else if (health_is(status, "True"))
		health_say(h, HEALTH_CURRENT, "", "is ready");
}

struct health health_of(struct json_object *object, int64_t now_s)
{
	const struct health_subject subject = {object, now_s};
	struct health h;
	health_rule_fn *rule;

	if (!object)
		health_say(&h, HEALTH_IN_PROGRESS, "NotFound", "is not there");
	else if (!json_object_is_type(object, json_type_object))
		health_say(&h, HEALTH_UNKNOWN, "NoObject", "is no object");
	else
		health_say(&h, HEALTH_CURRENT, "", "is as it shall be");
	if (is_terminating(object, &h) || !is_observed(object, &h) ||
	    has_standard_condition(object, &h))
		return h;
	rule = health_rule_of(jsontree_word(object, "apiVersion", NULL),
	                      jsontree_word(object, "kind", NULL));
	if (rule)
		rule(&subject, &h);
	else
		by_ready(object, &h);
	return h;
}

/* --- several clusters --- */

void health_roll_add(struct health_roll *r, const char *cluster, const struct health *h)
{
	bool first = true;

	for (size_t i = 0; i <= HEALTH_FAILED; i++)
		first = first && r->count[i] == 0;
	r->count[h->state]++;
	if (!first && (h->state < r->worst.state ||
	               (h->state == r->worst.state && strcmp(cluster, r->cluster) >= 0)))
		return;
	r->worst = *h;
	(void)snprintf(r->cluster, sizeof(r->cluster), "%s", cluster);
}

struct health health_roll_up(const struct health_roll *r)
{
	struct health h;
	size_t all = 0;

	for (size_t i = 0; i <= HEALTH_FAILED; i++)
		all += r->count[i];
	if (all == 0)
		health_say(&h, HEALTH_CURRENT, "", "is in no cluster");
	else if (r->worst.state == HEALTH_CURRENT)
		health_say(&h, HEALTH_CURRENT, "", "is Current in %s%zu cluster%s",
		           all > 1 ? "all " : "", all, all > 1 ? "s" : "");
	else
		health_say(&h, r->worst.state, r->worst.reason,
		           "is Current in %zu of %zu clusters; %s %s: %s", r->count[HEALTH_CURRENT],
		           all, r->cluster, health_state_text(r->worst.state), r->worst.message);
	return h;
}
