/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/support/objects.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "tests/support/world_inside.h"

#define MULTICLUSTERDNS "multiclusterdns.kubefed.io/v1alpha1"
#define CORE            "core.kubefed.io/v1beta1"

enum { PODS_MOST = 64, TOKEN_MS = 30000, DEFINED_MS = 30000, PATH_ROOM = 300 };

/* --- namespaces, nodes, Services --- */

void objects_namespace(struct cluster *c, const char *name)
{
	cluster_apply(c, "{apiVersion: v1, kind: Namespace, metadata: {name: %s}}", name);
}

void objects_node(struct cluster *c, const char *region, const char *zone)
{
	struct text labels = {0};

	text_add(&labels, "kubernetes.io/os: linux");
	if (*region)
		text_printf(&labels, ", topology.kubernetes.io/region: %s", region);
	if (*zone)
		text_printf(&labels, ", topology.kubernetes.io/zone: %s", zone);
	cluster_apply(c, "{apiVersion: v1, kind: Node, metadata: {name: node-1, labels: {%s}}}",
	              labels.data);
	text_fini(&labels);
}

void objects_service(struct cluster *c, const char *namespace, const char *name,
                     const char *address, unsigned port)
{
	cluster_apply(c,
	              "apiVersion: v1\n"
	              "kind: Service\n"
	              "metadata: {name: %s, namespace: %s}\n"
	              "spec:\n"
	              "  type: LoadBalancer\n"
	              "  selector: {app: %s}\n"
	              "  ports: [{name: http, port: %u, protocol: TCP}]\n"
	              "status: {loadBalancer: {ingress: [{ip: %s}]}}\n",
	              name, namespace, name, port, address);
}

/* There is no kubelet: the test says what it would, and nobody waits for it when the pod goes. */
static void put_pod(struct cluster *c, const char *namespace, const char *app, const char *name,
                    unsigned number, bool ready)
{
	cluster_apply(c,
	              "apiVersion: v1\n"
	              "kind: Pod\n"
	              "metadata: {name: %s, namespace: %s, labels: {app: %s}}\n"
	              "spec:\n"
	              "  nodeName: node-1\n"
	              "  terminationGracePeriodSeconds: 0\n"
	              "  containers: [{name: app, image: app}]\n"
	              "status:\n"
	              "  phase: Running\n"
	              "  podIP: 10.1.0.%u\n"
	              "  podIPs: [{ip: 10.1.0.%u}]\n"
	              "  conditions: [{type: Ready, status: \"%s\"}]\n",
	              name, namespace, app, number + 4, number + 4, ready ? "True" : "False");
}

void objects_pods(struct cluster *c, const char *namespace, const char *name, unsigned count,
                  bool ready)
{
	char pod[80], path[PATH_ROOM];

	assert_true(count <= PODS_MOST);
	for (unsigned i = 0; i < PODS_MOST; i++) {
		snprintf(pod, sizeof(pod), "%s-%u", name, i);
		snprintf(path, sizeof(path), "/api/v1/namespaces/%s/pods/%s", namespace, pod);
		if (i < count)
			put_pod(c, namespace, name, pod, i, ready);
		else if (cluster_send(c, "GET", path, NULL, NULL) == 200)
			cluster_delete(c, "v1", "Pod", namespace, pod);
		else
			return;
	}
}

static unsigned count_of(const char *text, const char *part)
{
	unsigned n = 0;

	for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
		n++;
	return n;
}

void objects_expect_endpoints(struct cluster *c, const char *namespace, const char *name,
                              unsigned ready, unsigned within_ms)
{
	struct deadline deadline = inside_deadline(within_ms);
	char path[PATH_ROOM];

	snprintf(path, sizeof(path),
	         "/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices"
	         "?labelSelector=kubernetes.io%%2Fservice-name%%3D%s",
	         namespace, name);
	while (cluster_send(c, "GET", path, NULL, NULL) != 200 ||
	       count_of(cluster_body(c), "\"ready\":true") != ready) {
		if (!inside_has_time(deadline))
			cluster_fail(c, "%s/%s has not %u ready endpoints after %u ms:\n%s",
			             namespace, name, ready, within_ms, cluster_body(c));
		inside_rest();
	}
}

/* --- the host --- */

static const char *const definitions[] = {"kubefedclusters",   "domains",      "servicednsrecords",
                                          "ingressdnsrecords", "dnsendpoints", "trafficpolicies"};

/* One that is still on its way out takes what is applied to it along: then it is applied again. */
static void define(struct cluster *host, const char *name)
{
	struct deadline deadline = inside_deadline(DEFINED_MS);
	char file[64], path[PATH_ROOM];
	bool is_there = false;

	snprintf(file, sizeof(file), "deploy/crds/%s.yaml", name);
	snprintf(path, sizeof(path),
	         "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/%s.%s", name,
	         strcmp(name, "kubefedclusters") == 0   ? "core.kubefed.io"
	         : strcmp(name, "trafficpolicies") == 0 ? "nigh.dev"
	                                                : "multiclusterdns.kubefed.io");
	while (!is_there) {
		cluster_apply_file(host, file);
		is_there = cluster_send(host, "GET", path, NULL, NULL) == 200 &&
		           strstr(cluster_body(host), "\"type\":\"Established\"") &&
		           !strstr(cluster_body(host), "\"deletionTimestamp\"");
		if (!is_there && !inside_has_time(deadline))
			cluster_fail(host, "%s is not defined: %s", name, cluster_body(host));
		inside_rest();
	}
}

void objects_definitions(struct cluster *host)
{
	for (size_t i = 0; i < sizeof(definitions) / sizeof(definitions[0]); i++)
		define(host, definitions[i]);
}

/* The roles are those of nighd's pods; the binding lets a user in, too. */
void objects_host(struct cluster *host)
{
	objects_definitions(host);
	cluster_apply_file(host, "deploy/kubernetes/host/namespace.yaml");
	cluster_apply_file(host, "deploy/kubernetes/host/rbac.yaml");
	cluster_apply(
		host,
		"apiVersion: rbac.authorization.k8s.io/v1\n"
		"kind: ClusterRoleBinding\n"
		"metadata: {name: nigh}\n"
		"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "
		"nighd-records}\n"
		"subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: nigh}]\n"
		"---\n"
		"apiVersion: rbac.authorization.k8s.io/v1\n"
		"kind: RoleBinding\n"
		"metadata: {name: nigh, namespace: " FEDERATION "}\n"
		"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: nighd-registry}\n"
		"subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: nigh}]\n");
}

void objects_domain(struct cluster *host, const char *name, const char *zone)
{
	cluster_apply(host,
	              "{apiVersion: " MULTICLUSTERDNS ", kind: Domain, metadata: {name: %s, "
	              "namespace: " FEDERATION "}, domain: %s}",
	              name, zone);
}

void objects_service_record(struct cluster *host, const char *namespace, const char *name,
                            const char *domain)
{
	cluster_apply(host,
	              "{apiVersion: " MULTICLUSTERDNS ", kind: ServiceDNSRecord, metadata: {name: "
	              "%s, namespace: %s}, spec: {domainRef: %s}}",
	              name, namespace, domain);
}

/* --- readers and joins --- */

static void add_rule(struct text *rules, const char *group, const char *resource,
                     const char *without)
{
	if (without && strcmp(resource, without) == 0)
		return;
	text_printf(rules, "- {apiGroups: [\"%s\"], resources: [%s], verbs: [get, list, watch]}\n",
	            group, resource);
}

void objects_reader_may(struct cluster *member, const char *without)
{
	struct text rules = {0};

	add_rule(&rules, "", "services", without);
	add_rule(&rules, "", "nodes", without);
	add_rule(&rules, "discovery.k8s.io", "endpointslices", without);
	add_rule(&rules, "networking.k8s.io", "ingresses", without);
	cluster_apply(member,
	              "apiVersion: rbac.authorization.k8s.io/v1\n"
	              "kind: ClusterRole\n"
	              "metadata: {name: nigh-reader}\n"
	              "rules:\n%s",
	              rules.data);
	text_fini(&rules);
}

void objects_reader(struct cluster *member)
{
	cluster_apply_file(member, "deploy/kubernetes/member/namespace.yaml");
	cluster_apply_file(member, "deploy/kubernetes/member/reader.yaml");
}

/* Padding becomes NULs, which end the text anyhow. */
static char *token_in(const char *secret)
{
	struct json_object *root = json_tokener_parse(secret), *data = NULL, *token = NULL;
	char *text = NULL;

	if (json_object_object_get_ex(root, "data", &data) &&
	    json_object_object_get_ex(data, "token", &token)) {
		const char *base64 = json_object_get_string(token);

		text = xcalloc(strlen(base64) + 1, 1);
		EVP_DecodeBlock((uint8_t *)text, (const uint8_t *)base64, (int)strlen(base64));
	}
	json_object_put(root);
	return text;
}

char *objects_reader_token(struct cluster *member, const char *name)
{
	struct deadline deadline = inside_deadline(TOKEN_MS);
	char path[PATH_ROOM], *token;

	cluster_apply(member,
	              "apiVersion: v1\n"
	              "kind: Secret\n"
	              "type: kubernetes.io/service-account-token\n"
	              "metadata:\n"
	              "  name: %s\n"
	              "  namespace: " READER_NAMESPACE "\n"
	              "  annotations: {kubernetes.io/service-account.name: nigh-reader}\n",
	              name);
	snprintf(path, sizeof(path), "/api/v1/namespaces/" READER_NAMESPACE "/secrets/%s", name);
	while (cluster_send(member, "GET", path, NULL, NULL) != 200 ||
	       !(token = token_in(cluster_body(member)))) {
		if (!inside_has_time(deadline))
			cluster_fail(member, "makes no token for a service account: %s",
			             cluster_body(member));
		inside_rest();
	}
	return token;
}

static char *base64_of(const char *text)
{
	size_t len = strlen(text);
	char *out = xcalloc(len / 3 * 4 + 5, 1);

	EVP_EncodeBlock((uint8_t *)out, (const uint8_t *)text, (int)len);
	return out;
}

void objects_join(struct cluster *host, struct cluster *member, const char *token,
                  const char *location)
{
	const char *name = cluster_name(member);
	char *ca = base64_of(cluster_ca(member));

	cluster_apply(host,
	              "apiVersion: v1\n"
	              "kind: Secret\n"
	              "metadata: {name: %s, namespace: " FEDERATION "}\n"
	              "stringData: {token: \"%s\"}\n"
	              "---\n"
	              "apiVersion: " CORE "\n"
	              "kind: KubeFedCluster\n"
	              "metadata:\n"
	              "  name: %s\n"
	              "  namespace: " FEDERATION "\n"
	              "  annotations:\n"
	              "    nigh.dev/location: \"%s\"\n"
	              "    nigh.dev/reader-secret: %s\n"
	              "spec: {apiEndpoint: \"%s\", caBundle: %s, secretRef: {name: %s}}\n",
	              name, token, name, location, name, cluster_url(member), ca, name);
	free(ca);
}

void objects_join_as(struct cluster *host, struct cluster *member, const char *name,
                     const char *token)
{
	char *ca = base64_of(cluster_ca(member));

	cluster_apply(host,
	              "apiVersion: v1\n"
	              "kind: Secret\n"
	              "metadata: {name: %s-x7k2p, namespace: " FEDERATION "}\n"
	              "stringData: {token: \"%s\"}\n"
	              "---\n"
	              "apiVersion: " CORE "\n"
	              "kind: KubeFedCluster\n"
	              "metadata: {name: %s, namespace: " FEDERATION "}\n"
	              "spec: {apiEndpoint: \"%s\", caBundle: %s, secretRef: {name: %s-x7k2p}}\n",
	              name, token, name, cluster_url(member), ca, name);
	free(ca);
}

void objects_join_as_kubefed(struct cluster *host, struct cluster *member, const char *token)
{
	objects_join_as(host, member, cluster_name(member), token);
}

void objects_unjoin(struct cluster *host, struct cluster *member)
{
	const char *name = cluster_name(member);

	cluster_delete(host, CORE, "KubeFedCluster", FEDERATION, name);
	cluster_delete(host, "v1", "Secret", FEDERATION, name);
}
