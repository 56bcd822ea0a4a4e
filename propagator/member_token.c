/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/member_token.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "kube/claims.h"
#include "propagator/field_manager.h"
#include "propagator/jsontree.h"
#include "propagator/plain_json.h"

/* An API server makes none that is shorter. */
enum { LEAST_S = 600, PAUSE_LEAST_MS = 10000, PAUSE_MOST_MS = 600000 };

struct member_token {
	const struct members_settings *settings;
	const char *cluster;
	char *secret, *version;             /* whose token is asked for, as it was then */
	struct dispatch_job *asks, *writes; /* in the member; on the host */
	uint64_t pause_ms, tried_ms;        /* 0: never */
	bool has_warned;
};

bool member_token_rotates(struct json_object *secret)
{
	return strcmp(jsontree_word(secret, "metadata", "annotations", "nigh.dev/rotate", NULL),
	              "true") == 0;
}

/* Once, until it has gone well. */
static void fail(struct member_token *t, const char *why)
{
	if (!t->has_warned)
		log_warn("propagator", "cluster %s: no new token for Secret %s: %s", t->cluster,
		         t->secret, why);
	t->has_warned = true;
}

/* --- on the host --- */

static void on_written(const struct kube_answer *answer, void *arg)
{
	struct member_token *t = arg;

	struct reason why;

	t->writes = NULL;
	if (answer->reason == KUBE_REASON_CONFLICT) /* by another's, which is looked at */
		return;
	if (!kube_answer_is_good(answer)) {
		reason_set(&why, ERR_OK,
		           "%s (deploy/kubernetes/propagator has the right that it needs on the "
		           "host)",
		           answer->why);
		fail(t, why.text);
		return;
	}
	t->has_warned = false;
	log_info("propagator", "cluster %s: Secret %s has a new token", t->cluster, t->secret);
}

static void write_secret(struct member_token *t, const char *token)
{
	struct json_object *patch = json_object_new_object();
	struct kube_write write = {
		.verb = KUBE_MERGE_PATCH,
		.resource = {"", "v1", "secrets", "Secret"},
		.namespace = t->settings->namespace,
		.name = t->secret,
		.field_manager = FIELD_MANAGER,
	};

	jsontree_set(patch, json_object_new_string(token), "stringData", "token", NULL);
	/* Somebody may have joined another cluster by that name meanwhile. */
	if (*t->version)
		jsontree_set(patch, json_object_new_string(t->version), "metadata",
		             "resourceVersion", NULL);
	write.body = bytes_of(json_object_to_json_string_ext(patch, PLAIN_JSON));
	t->writes = dispatch_add(t->settings->host_dispatch, &write, on_written, t);
	json_object_put(patch);
}

/* --- in the member --- */

static void on_made(const struct kube_answer *answer, void *arg)
{
	struct member_token *t = arg;
	const char *token = jsontree_word(answer->object, "status", "token", NULL);
	struct reason why;

	t->asks = NULL;
	if (!kube_answer_is_good(answer)) {
		reason_set(&why, ERR_OK,
		           "%s (nighctl join %s --rotate makes one, and grants what is needed)",
		           answer->why, t->cluster);
		fail(t, why.text);
	} else if (*token == '\0') {
		fail(t, "the answer has none");
	} else {
		write_secret(t, token);
	}
}

static void ask(struct member_token *t, struct dispatch *member, const struct kube_claims *claims,
                int64_t for_s)
{
	struct json_object *request = json_object_new_object();
	struct kube_write write = {
		.verb = KUBE_CREATE,
		.resource = {"", "v1", "serviceaccounts", "ServiceAccount"},
		.namespace = claims->namespace,
		.name = claims->account,
		.subresource = "token",
	};

	jsontree_set(request, json_object_new_string("authentication.k8s.io/v1"), "apiVersion",
	             NULL);
	jsontree_set(request, json_object_new_string("TokenRequest"), "kind", NULL);
	jsontree_set(request, json_object_new_int64(for_s > LEAST_S ? for_s : LEAST_S), "spec",
	             "expirationSeconds", NULL);
	write.body = bytes_of(json_object_to_json_string_ext(request, PLAIN_JSON));
	t->asks = dispatch_add(member, &write, on_made, t);
	json_object_put(request);
}

static bool is_due(const struct kube_claims *claims, int64_t now_s)
{
	return claims->account[0] != '\0' && claims->issued_s >= 0 &&
	       claims->ends_s > claims->issued_s &&
	       now_s >= claims->issued_s + (claims->ends_s - claims->issued_s) / 2;
}

static uint64_t pause_of(int64_t for_s)
{
	uint64_t pause_ms = (uint64_t)for_s * 1000 / 20;

	if (pause_ms < PAUSE_LEAST_MS)
		return PAUSE_LEAST_MS;
	return pause_ms > PAUSE_MOST_MS ? PAUSE_MOST_MS : pause_ms;
}

void member_token_look(struct member_token *t, struct dispatch *member,
                       const struct member_token_secret *secret)
{
	uint64_t now_ms = clock_monotonic_ms();
	struct kube_claims claims;

	if (t->asks || t->writes || (t->tried_ms > 0 && now_ms - t->tried_ms < t->pause_ms) ||
	    !kube_claims_read(secret->token, &claims) || !is_due(&claims, clock_unix_s()))
		return;
	t->tried_ms = now_ms;
	t->pause_ms = pause_of(claims.ends_s - claims.issued_s);
	free(t->secret);
	free(t->version);
	t->secret = xstrdup(secret->name);
	t->version = xstrdup(secret->version);
	ask(t, member, &claims, claims.ends_s - claims.issued_s);
}

/* --- life --- */

struct member_token *member_token_new(const struct members_settings *settings, const char *cluster)
{
	struct member_token *t = xcalloc(1, sizeof(*t));

	t->settings = settings;
	t->cluster = cluster;
	return t;
}

void member_token_drop(struct member_token *t)
{
	dispatch_cancel(t->asks);
	t->asks = NULL;
}

void member_token_free(struct member_token *t)
{
	member_token_drop(t);
	dispatch_cancel(t->writes);
	free(t->secret);
	free(t->version);
	free(t);
}
