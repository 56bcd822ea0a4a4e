/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/support/wishes.h"

#include <stdio.h>
#include <string.h>

const char wishes_namespaces[] = "apiVersion: v1\n"
				 "kind: Namespace\n"
				 "metadata: {name: everywhere}\n"
				 "---\n"
				 "apiVersion: v1\n"
				 "kind: Namespace\n"
				 "metadata: {name: south}\n"
				 "---\n"
				 "apiVersion: types.kubefed.io/v1beta1\n"
				 "kind: FederatedNamespace\n"
				 "metadata: {name: everywhere, namespace: everywhere}\n"
				 "spec: {template: {}, placement: {clusterSelector: {}}}\n"
				 "---\n"
				 "apiVersion: types.kubefed.io/v1beta1\n"
				 "kind: FederatedNamespace\n"
				 "metadata: {name: south, namespace: south}\n"
				 "spec: {template: {}, placement: {clusters: [{name: gondor}]}}\n";

enum kind { CONFIGMAP, SECRET, DEPLOYMENT, SERVICE, ACCOUNT, JOB, REPLICASET, CLUSTER_ROLE };

static const struct {
	const char *federated, *plural, *api;
} kinds[WISHES_KINDS] = {
	[CONFIGMAP] = {"FederatedConfigMap", "configmaps", "/api/v1"},
	[SECRET] = {"FederatedSecret", "secrets", "/api/v1"},
	[DEPLOYMENT] = {"FederatedDeployment", "deployments", "/apis/apps/v1"},
	[SERVICE] = {"FederatedService", "services", "/api/v1"},
	[ACCOUNT] = {"FederatedServiceAccount", "serviceaccounts", "/api/v1"},
	[JOB] = {"FederatedJob", "jobs", "/apis/batch/v1"},
	[REPLICASET] = {"FederatedReplicaSet", "replicasets", "/apis/apps/v1"},
	[CLUSTER_ROLE] = {"FederatedClusterRole", "clusterroles",
                          "/apis/rbac.authorization.k8s.io/v1"},
};

struct wish wish_number(unsigned i)
{
	unsigned kind = i % WISHES_KINDS;
	struct wish w = {kinds[kind].federated, kinds[kind].plural, kinds[kind].api,
	                 i / WISHES_KINDS % 4 == 3 ? "south" : "everywhere", ""};

	if (kind == CLUSTER_ROLE)
		w.namespace = "";
	snprintf(w.name, sizeof(w.name), "wish-%u", i);
	return w;
}

static void print_list(const struct wish *w, const char *api, const char *prefix,
                       char out[WISHES_PATH])
{
	bool is_in_one = w->namespace[0] != '\0';

	snprintf(out, WISHES_PATH, "%s%s%s/%s%s", api, is_in_one ? "/namespaces/" : "",
	         w->namespace, prefix, w->plural);
}

void wish_list(const struct wish *w, char out[WISHES_PATH])
{
	print_list(w, "/apis/types.kubefed.io/v1beta1", "federated", out);
}

void wish_copy(const struct wish *w, char out[WISHES_PATH])
{
	size_t len;

	print_list(w, w->api, "", out);
	len = strlen(out);
	snprintf(out + len, WISHES_PATH - len, "/%s", w->name);
}

static enum kind kind_of(const struct wish *w)
{
	unsigned kind = 0;

	while (strcmp(kinds[kind].federated, w->federated) != 0)
		kind++;
	return (enum kind)kind;
}

/* --- templates --- */

static const char *const keys[] = {"a", "b", "example.com/c"};
static const char *const words[] = {"one", "two", "", "<&>", "d\\u00e9j\\u00e0 \\\"vu\\\""};
static const char *const label_words[] = {"one", "two", ""};

static void add_map(struct text *out, struct dice *d, const char *name, const char *const *of,
                    size_t count)
{
	const char *comma = "";

	text_printf(out, "\"%s\":{", name);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!dice_chance(d, 50))
			continue;
		text_printf(out, "%s\"%s\":\"%s\"", comma, keys[i], of[dice_roll(d, count)]);
		comma = ",";
	}
	text_add(out, "}");
}

/* Annotations of a template and another name are none of its business. */
static void add_metadata(struct text *out, struct dice *d)
{
	text_add(out, "\"metadata\":{");
	add_map(out, d, "labels", label_words, sizeof(label_words) / sizeof(label_words[0]));
	if (dice_chance(d, 15)) {
		text_add(out, ",");
		add_map(out, d, "annotations", words, sizeof(words) / sizeof(words[0]));
	}
	if (dice_chance(d, 5))
		text_add(out, ",\"name\":\"another\",\"namespace\":\"elsewhere\"");
	text_add(out, "}");
}

static void add_data(struct text *out, struct dice *d)
{
	static const char *const base64[] = {"bWVsbG9u", "AAEC", ""};
	static const char *const names[] = {"k1", "k2", "k.3"};
	const char *comma = "";

	text_add(out, ",\"data\":{");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!dice_chance(d, 70))
			continue;
		text_printf(out, "%s\"%s\":\"%s\"", comma, names[i], dice_pick(d, base64));
		comma = ",";
	}
	text_add(out, "}");
}

/* Of a Job it is another each time: KubeFed's replacing of a Job is refused whatever changes.  Each image has its tag: what a server makes of one that has none (imagePullPolicy) stays when it is applied anew. */
static void add_pod(struct text *out, struct dice *d, const char *app, const char *restart)
{
	static const char *const images[] = {"nginx:1", "nginx:2", "httpd:1"};

	text_add(out, "\"template\":{");
	if (*app)
		text_printf(out, "\"metadata\":{\"labels\":{\"app\":\"%s\"}},", app);
	text_printf(out, "\"spec\":{%s\"containers\":[{\"name\":\"one\",\"image\":\"%s\"", restart,
	            dice_pick(d, images));
	if (*restart)
		text_printf(out, ",\"env\":[{\"name\":\"MADE\",\"value\":\"%u\"}]",
		            dice_roll(d, 1 << 30));
	else if (dice_chance(d, 50))
		text_printf(out, ",\"env\":[{\"name\":\"RING\",\"value\":\"%u\"}]",
		            dice_roll(d, 3));
	text_add(out, "}");
	if (dice_chance(d, 30))
		text_printf(out, ",{\"name\":\"two\",\"image\":\"%s\"}", dice_pick(d, images));
	text_add(out, "]}}");
}

static void add_workload(struct text *out, const struct wish *w, struct dice *d)
{
	text_printf(out, ",\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"%s\"}},", w->name);
	if (dice_chance(d, 80))
		text_printf(out, "\"replicas\":%u,", dice_roll(d, 5));
	if (dice_chance(d, 40))
		text_printf(out, "\"minReadySeconds\":%u,", dice_roll(d, 3));
	if (kind_of(w) == DEPLOYMENT && dice_chance(d, 30))
		text_add(out, "\"strategy\":{\"type\":\"Recreate\"},");
	if (kind_of(w) == DEPLOYMENT && dice_chance(d, 10))
		text_add(out, "\"paused\":null,");
	add_pod(out, d, w->name, "");
	text_add(out, "}");
}

static void add_service(struct text *out, struct dice *d)
{
	static const char *const service_types[] = {"ClusterIP", "NodePort", "LoadBalancer"};
	static const char *const ports[] = {
		"{\"name\":\"http\",\"port\":80}",
		"{\"name\":\"http\",\"port\":80,\"protocol\":\"TCP\",\"targetPort\":8080}",
		"{\"name\":\"dns\",\"port\":53,\"protocol\":\"UDP\"}"};

	text_add(out, ",\"spec\":{");
	if (dice_chance(d, 70))
		text_printf(out, "\"type\":\"%s\",", dice_pick(d, service_types));
	if (dice_chance(d, 20))
		text_add(out, "\"sessionAffinity\":\"ClientIP\",");
	if (dice_chance(d, 70))
		text_add(out, "\"selector\":{\"app\":\"web\"},");
	text_printf(out, "\"ports\":[%s", ports[dice_roll(d, 2)]);
	if (dice_chance(d, 50))
		text_printf(out, ",%s", ports[2]);
	text_add(out, "]}");
}

static void add_rules(struct text *out, struct dice *d)
{
	static const char *const rules[] = {
		"{\"apiGroups\":[\"\"],\"resources\":[\"pods\"],\"verbs\":[\"get\",\"list\"]}",
		"{\"apiGroups\":[\"apps\"],\"resources\":[\"deployments\"],\"verbs\":[\"get\"]}",
		"{\"nonResourceURLs\":[\"/healthz\"],\"verbs\":[\"get\"]}"};

	text_printf(out, ",\"rules\":[%s", dice_pick(d, rules));
	if (dice_chance(d, 50))
		text_printf(out, ",%s", dice_pick(d, rules));
	text_add(out, "]");
}

static void add_template(struct text *out, const struct wish *w, struct dice *d)
{
	text_add(out, "\"template\":{");
	if (dice_chance(d, 5))
		text_add(out, "\"kind\":\"Another\",");
	add_metadata(out, d);
	switch (kind_of(w)) {
	case CONFIGMAP:
	case SECRET:
		add_data(out, d);
		break;
	case DEPLOYMENT:
	case REPLICASET:
		add_workload(out, w, d);
		break;
	case CLUSTER_ROLE:
		add_rules(out, d);
		break;
	case SERVICE:
		add_service(out, d);
		break;
	case ACCOUNT:
		if (dice_chance(d, 50))
			text_add(out, ",\"imagePullSecrets\":[{\"name\":\"pull\"}]");
		break;
	case JOB:
		text_printf(out, ",\"spec\":{\"backoffLimit\":%u,", dice_roll(d, 3));
		add_pod(out, d, "", "\"restartPolicy\":\"Never\",");
		text_add(out, "}");
		break;
	}
	text_add(out, "}");
}

/* --- placement and overrides --- */

const char *wish_place(struct dice *d)
{
	static const char *const placements[] = {
		"{\"clusterSelector\":{}}",
		"{\"clusterSelector\":{}}",
		"{\"clusterSelector\":{}}",
		"{\"clusterSelector\":{\"matchLabels\":{\"realm\":\"south\"}}}",
		"{\"clusterSelector\":{\"matchExpressions\":[{\"key\":\"realm\",\"operator\":"
		"\"NotIn\",\"values\":[\"south\"]}]}}",
		"{\"clusterSelector\":{\"matchExpressions\":[{\"key\":\"realm\",\"operator\":"
		"\"Exists\"}]}}",
		"{\"clusters\":[{\"name\":\"gondor\"},{\"name\":\"rohan\"}]}",
		"{\"clusters\":[{\"name\":\"rohan\"},{\"name\":\"mordor\"}]}",
		"{\"clusters\":[{\"name\":\"gondor\"},{\"name\":\"gondor\"}],\"clusterSelector\":{}"
		"}",
		"{\"clusters\":[],\"clusterSelector\":{}}",
		"{}"};

	return dice_pick(d, placements);
}

/* None adds annotations: those stay with KubeFed when their override goes. */
static const char *const any_edits[] = {
	"{\"op\":\"add\",\"path\":\"/metadata/labels/d\",\"value\":\"four\"}",
	"{\"op\":\"add\",\"path\":\"/metadata/labels\",\"value\":{\"e\":\"five\"}}",
	"{\"path\":\"/metadata/labels/example.com~1c\",\"value\":\"seven\"}",
	"{\"op\":\"remove\",\"path\":\"/metadata/labels/a\"}",
	"{\"op\":\"replace\",\"path\":\"/metadata/labels/b\",\"value\":\"eight\"}",
	"{\"op\":\"add\",\"path\":\"/metadata/labels/kubefed.io~1managed\",\"value\":\"no\"}",
	"{\"op\":\"add\",\"path\":\"/nowhere/at/all\",\"value\":1}"};
static const char *const data_edits[] = {
	"{\"path\":\"/data/k1\",\"value\":\"AAAA\"}",
	"{\"op\":\"add\",\"path\":\"/data/k4\",\"value\":\"BBBB\"}",
	"{\"op\":\"remove\",\"path\":\"/data/k2\"}",
	"{\"path\":\"/data\",\"value\":{\"k5\":\"CCCC\"}}",
	"{\"op\":\"remove\",\"path\":\"/data\"}"};
static const char *const deployment_edits[] = {
	"{\"op\":\"add\",\"path\":\"/spec/replicas\",\"value\":4}",
	"{\"path\":\"/spec/template/spec/containers/0/image\",\"value\":\"caddy:2\"}",
	"{\"op\":\"add\",\"path\":\"/spec/template/spec/containers/-\",\"value\":{\"name\":"
	"\"three\",\"image\":\"envoy:1\"}}",
	"{\"op\":\"add\",\"path\":\"/spec/template/spec/containers/0/env/-\",\"value\":{\"name\":"
	"\"MORE\",\"value\":\"1\"}}",
	"{\"op\":\"remove\",\"path\":\"/spec/template/spec/containers/1\"}",
	"{\"op\":\"remove\",\"path\":\"/spec/minReadySeconds\"}",
	"{\"path\":\"/spec/replicas\",\"value\":\"many\"}"};
static const char *const service_edits[] = {
	"{\"path\":\"/spec/ports/0/port\",\"value\":8080}",
	"{\"op\":\"add\",\"path\":\"/spec/externalTrafficPolicy\",\"value\":\"Local\"}",
	"{\"op\":\"add\",\"path\":\"/spec/type\",\"value\":\"LoadBalancer\"}",
	"{\"op\":\"remove\",\"path\":\"/spec/selector\"}",
	"{\"op\":\"add\",\"path\":\"/spec/ports/0\",\"value\":{\"name\":\"tls\",\"port\":443}}"};

static const char *const role_edits[] = {
	"{\"op\":\"add\",\"path\":\"/rules/-\",\"value\":{\"apiGroups\":[\"\"],\"resources\":["
	"\"nodes\"],\"verbs\":[\"list\"]}}",
	"{\"op\":\"remove\",\"path\":\"/rules/0\"}",
	"{\"path\":\"/rules/0/verbs\",\"value\":[\"watch\"]}",
	"{\"op\":\"add\",\"path\":\"/rules/0/verbs/0\",\"value\":\"watch\"}",
	"{\"op\":\"replace\",\"path\":\"/rules/7\",\"value\":{}}"};

static const char *edit_for(enum kind kind, struct dice *d)
{
	switch (kind) {
	case CONFIGMAP:
	case SECRET:
		return dice_pick(d, data_edits);
	case DEPLOYMENT:
	case REPLICASET:
		return dice_pick(d, deployment_edits);
	case CLUSTER_ROLE:
		return dice_pick(d, role_edits);
	case SERVICE:
		return dice_pick(d, service_edits);
	case ACCOUNT:
	case JOB:
		break;
	}
	return "{\"op\":\"add\",\"path\":\"/metadata/labels/g\",\"value\":\"nine\"}";
}

/* What KubeFed cannot read at all (a forbidden path, a cluster or a path twice) is an error of all clusters there, and of one
 * here, so there is none. */
static void add_overrides(struct text *out, const struct wish *w, struct dice *d)
{
	static const char *const clusters[] = {"gondor", "rohan", "mordor"};
	const char *comma = "";
	bool own;

	text_add(out, ",\"overrides\":[");
	for (unsigned i = 0; i < 3; i++) {
		if (!dice_chance(d, 40))
			continue;
		text_printf(out, "%s{\"clusterName\":\"%s\",\"clusterOverrides\":[", comma,
		            clusters[i]);
		if ((own = dice_chance(d, 60)))
			text_add(out, edit_for(kind_of(w), d));
		if (!own || dice_chance(d, 40))
			text_printf(out, "%s%s", own ? "," : "", dice_pick(d, any_edits));
		text_add(out, "]}");
		comma = ",";
	}
	text_add(out, "]");
}

void wish_make(const struct wish *w, struct dice *d, struct text *out)
{
	bool is_in_one = w->namespace[0] != '\0';

	text_reset(out);
	text_printf(out,
	            "{\"apiVersion\":\"types.kubefed.io/v1beta1\",\"kind\":\"%s\",\"metadata\":{"
	            "\"name\":\"%s\"%s%s%s%s},\"spec\":{",
	            w->federated, w->name, is_in_one ? ",\"namespace\":\"" : "", w->namespace,
	            is_in_one ? "\"" : "",
	            dice_chance(d, 5) ? ",\"annotations\":{\"kubefed.io/orphan\":\"true\"}" : "");
	add_template(out, w, d);
	text_printf(out, ",\"placement\":%s", wish_place(d));
	if (dice_chance(d, 50))
		add_overrides(out, w, d);
	if (wish_has_replicas(w) && dice_chance(d, 30))
		text_add(out, ",\"retainReplicas\":true");
	text_add(out, "}}");
}

/* --- preferences --- */

bool wish_has_replicas(const struct wish *w)
{
	return kind_of(w) == DEPLOYMENT || kind_of(w) == REPLICASET;
}

bool wish_is_planned(const struct wish *w) { return kind_of(w) == REPLICASET; }

static void add_shares(struct text *out, struct dice *d)
{
	static const char *const clusters[] = {"gondor", "rohan", "*", "mordor"};
	const char *comma = "";

	for (size_t i = 0; i < sizeof(clusters) / sizeof(clusters[0]); i++) {
		unsigned least = dice_roll(d, 4);

		if (!dice_chance(d, 50))
			continue;
		text_printf(out, "%s\"%s\":{\"weight\":%u", comma, clusters[i], dice_roll(d, 4));
		if (dice_chance(d, 40))
			text_printf(out, ",\"minReplicas\":%u", least);
		if (dice_chance(d, 40))
			text_printf(out, ",\"maxReplicas\":%u", least + dice_roll(d, 5));
		text_add(out, "}");
		comma = ",";
	}
}

void wish_prefer(const struct wish *w, struct dice *d, struct text *out)
{
	text_reset(out);
	text_printf(out,
	            "{\"apiVersion\":\"scheduling.kubefed.io/v1alpha1\",\"kind\":"
	            "\"ReplicaSchedulingPreference\",\"metadata\":{\"name\":\"%s\",\"namespace\":"
	            "\"%s\"},\"spec\":{\"targetKind\":\"%s\",\"totalReplicas\":%u,"
	            "\"rebalance\":%s,\"intersectWithClusterSelector\":%s,\"clusters\":{",
	            w->name, w->namespace, w->federated, dice_roll(d, 13),
	            dice_chance(d, 50) ? "true" : "false", dice_chance(d, 30) ? "true" : "false");
	add_shares(out, d);
	text_add(out, "}}}");
}
