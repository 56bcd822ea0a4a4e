/* both_paths.c -- an object that is applied and one that can only be replaced end up as the same, on real API servers.
 *
 * gondor takes what is applied.  rohan is reached through a gate that refuses each apply in the words of a real server that was
 * asked to apply a list with one key twice; so all its objects are replaced, with retention.  What KubeFed reset with each
 * update, and a PUT resets still, is not here: fields and labels of others that no rule of retention names.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "tests/e2e/support/federation.h"

#define PLAIN (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

enum { SOON_MS = 30000, GONDOR = 0, ROHAN = 1, MEMBERS = 2, THINGS_MOST = 40 };

/* What is there and what happens to it; all of YAML's inline style. */
struct thing {
	const char *kind, *api, *path; /* in a member, without its name */
	const char *name;
	const char *
		before; /* what stands in both members already, without its identity; NULL: nothing */
	const char *first;          /* the template, but for its metadata */
	const char *meddled;        /* merged in both members by who works there; NULL: nothing */
	const char *second;         /* the next template; NULL: the first */
	const char *spec;           /* of the federated object, besides; NULL: nothing */
	const char *wanted, *other; /* must be seen in the end */
};

#define SHOP "namespaces/shop/"

/* A pod that nobody runs. */
#define POD                                                                                        \
	"template: {metadata: {labels: {app: a}}, spec: {containers: [{name: web, image: "         \
	"nginx}]}}"
#define WORKLOAD "selector: {matchLabels: {app: a}}, " POD

#define WORKLOAD_ONCE                                                                              \
	"selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: "       \
	"{restartPolicy: Never, containers: [{name: a, image: a}]}}"
#define OVERRIDES                                                                                  \
	"{path: /spec/replicas, value: 5}, {op: replace, path: "                                   \
	"/spec/template/spec/containers/0/image, value: 'nginx:1.17'}"

static const struct thing things[] = {
	/* --- KubeFed's vectors of replicas --- */
	{"Deployment", "apps/v1", "/apis/apps/v1/" SHOP "deployments/", "counted-here", NULL,
         "spec: {replicas: 1, " WORKLOAD "}", "{\"spec\":{\"replicas\":2}}", NULL, NULL,
         "\"replicas\":1,", NULL},
	{"Deployment", "apps/v1", "/apis/apps/v1/" SHOP "deployments/", "counted-there", NULL,
         "spec: {replicas: 1, " WORKLOAD "}", "{\"spec\":{\"replicas\":2}}", NULL,
         "retainReplicas: true,", "\"replicas\":2,", NULL},
	{"Deployment", "apps/v1", "/apis/apps/v1/" SHOP "deployments/", "uncounted", NULL,
         "spec: {" WORKLOAD "}", "{\"spec\":{\"replicas\":2}}", NULL, "retainReplicas: true,",
         "\"replicas\":2,", NULL},
	{"Deployment", "apps/v1", "/apis/apps/v1/" SHOP "deployments/", "grown-there", NULL,
         "spec: {" WORKLOAD "}", "{\"spec\":{\"replicas\":2}}", NULL, NULL, "\"replicas\":2,",
         NULL},
	{"Pod", "v1", "/api/v1/" SHOP "pods/", "alone", NULL,
         "spec: {containers: [{name: a, image: a}]}", NULL,
         "spec: {containers: [{name: a, image: b}]}", NULL, "\"image\":\"b\"", NULL},
	/* --- its vectors of Services, as far as a server lets them be; and the types that a Service becomes --- */
	{"Service", "v1", "/api/v1/" SHOP "services/", "unaddressed", NULL,
         "spec: {clusterIP: None, ports: [{port: 80}]}", NULL,
         "spec: {clusterIP: None, ports: [{port: 81}]}", NULL, "\"clusterIP\":\"None\"", NULL},
	{"Service", "v1", "/api/v1/" SHOP "services/", "one-address",
         "spec: {clusterIP: 10.96.77.1, ports: [{port: 80}]}", "spec: {ports: [{port: 80}]}", NULL,
         NULL, NULL, "\"clusterIP\":\"10.96.77.1\"", NULL},
	{"Service", "v1", "/api/v1/" SHOP "services/", "addresses",
         "spec: {clusterIP: 10.96.77.2, clusterIPs: [10.96.77.2], ports: [{port: 80}]}",
         "spec: {ports: [{port: 80}]}", NULL, "spec: {ports: [{port: 80}], selector: {a: b}}", NULL,
         "\"clusterIPs\":[\"10.96.77.2\"]", NULL},
	{"Service", "v1", "/api/v1/" SHOP "services/", "checked",
         "spec: {type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30999, "
         "clusterIP: 10.96.77.3, ports: [{name: a, port: 80, nodePort: 30998}]}",
         "spec: {type: LoadBalancer, externalTrafficPolicy: Local, ports: [{name: a, port: 80}]}",
         NULL,
         "spec: {type: LoadBalancer, externalTrafficPolicy: Local, ports: [{name: a, port: 80, "
         "targetPort: 8080}]}",
         NULL, "\"healthCheckNodePort\":30999", "\"nodePort\":30998"},
	{"Service", "v1", "/api/v1/" SHOP "services/", "becomes-inner",
         "spec: {type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30997, "
         "clusterIP: 10.96.77.4, ports: [{name: a, port: 80, nodePort: 30996}]}",
         "spec: {type: LoadBalancer, externalTrafficPolicy: Local, ports: [{name: a, port: 80}]}",
         NULL, "spec: {type: ClusterIP, ports: [{name: a, port: 80}]}", NULL,
         "\"clusterIP\":\"10.96.77.4\"", "\"type\":\"ClusterIP\""},
	{"Service", "v1", "/api/v1/" SHOP "services/", "becomes-outer",
         "spec: {clusterIP: 10.96.77.5, ports: [{name: a, port: 80}]}",
         "spec: {ports: [{name: a, port: 80}]}", NULL,
         "spec: {type: NodePort, ports: [{name: a, port: 80, nodePort: 30995}]}", NULL,
         "\"clusterIP\":\"10.96.77.5\"", "\"nodePort\":30995"},
	{"Service", "v1", "/api/v1/" SHOP "services/", "becomes-a-name",
         "spec: {clusterIP: 10.96.77.6, ports: [{name: a, port: 80}]}",
         "spec: {ports: [{name: a, port: 80}]}", NULL,
         "spec: {type: ExternalName, externalName: a.example, ports: [{name: a, port: 80}]}", NULL,
         "\"externalName\":\"a.example\"", "\"type\":\"ExternalName\""},
	/* --- other kinds of which a member's controllers have a part --- */
	{"ServiceAccount", "v1", "/api/v1/" SHOP "serviceaccounts/", "robot", NULL,
         "automountServiceAccountToken: false",
         "{\"secrets\":[{\"name\":\"robot-dockercfg\"}],\"imagePullSecrets\":[{\"name\":\"robot-"
         "dockercfg\"}]}",
         "automountServiceAccountToken: true", NULL, "\"secrets\":[{\"name\":\"robot-dockercfg\"}]",
         "\"imagePullSecrets\":[{\"name\":\"robot-dockercfg\"}]"},
	{"Job", "batch/v1", "/apis/batch/v1/" SHOP "jobs/", "once", NULL,
         "spec: {suspend: true, parallelism: 1, template: {spec: {restartPolicy: Never, "
         "containers: [{name: a, image: a}]}}}",
         NULL,
         "spec: {suspend: true, parallelism: 2, template: {spec: {restartPolicy: Never, "
         "containers: [{name: a, image: a}]}}}",
         NULL, "\"batch.kubernetes.io/controller-uid\":\"UID\"", "\"parallelism\":2"},
	{"PersistentVolumeClaim", "v1", "/api/v1/" SHOP "persistentvolumeclaims/", "claim", NULL,
         "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}",
         "{\"spec\":{\"volumeName\":\"found\"}}", NULL, NULL, "\"volumeName\":\"found\"",
         "\"storageClassName\":\"usual\""},
	{"PersistentVolume", "v1", "/api/v1/persistentvolumes/", "disk", NULL,
         "spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], storageClassName: other, "
         "hostPath: {path: /disk}}",
         "{\"spec\":{\"claimRef\":{\"kind\":\"PersistentVolumeClaim\",\"apiVersion\":\"v1\","
         "\"namespace\":\"shop\",\"name\":\"later\"}}}",
         "spec: {capacity: {storage: 2Gi}, accessModes: [ReadWriteOnce], storageClassName: other, "
         "hostPath: {path: /disk}}",
         NULL, "\"claimRef\":{", "\"storage\":\"2Gi\""},
	{"ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1",
         "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/", "guard", NULL,
         "webhooks: [{name: a.example.com, sideEffects: None, admissionReviewVersions: [v1], "
         "failurePolicy: Ignore, clientConfig: {service: {name: a, namespace: shop}}, rules: "
         "[{apiGroups: [none.example.com], apiVersions: [v1], resources: [nothing], operations: "
         "[CREATE]}]}]",
         "{\"webhooks\":[{\"name\":\"a.example.com\",\"sideEffects\":\"None\","
         "\"admissionReviewVersions\":[\"v1\"],\"failurePolicy\":\"Ignore\",\"clientConfig\":{"
         "\"caBundle\":\"AUTHORITY\",\"service\":{\"name\":\"a\",\"namespace\":\"shop\"}},"
         "\"rules\":[{\"apiGroups\":[\"none.example.com\"],\"apiVersions\":[\"v1\"],\"resources\":["
         "\"nothing\"],\"operations\":[\"CREATE\"]}]}]}",
         "webhooks: [{name: a.example.com, sideEffects: None, admissionReviewVersions: [v1], "
         "failurePolicy: Ignore, clientConfig: {service: {name: a, namespace: shop}}, rules: "
         "[{apiGroups: [none.example.com], apiVersions: [v1], resources: [nothing], operations: "
         "[UPDATE]}]}]",
         NULL, "\"caBundle\":", "\"UPDATE\""},
	{"CustomResourceDefinition", "apiextensions.k8s.io/v1",
         "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/", "trials.tests.example.com",
         NULL,
         "spec: {group: tests.example.com, scope: Namespaced, names: {kind: Trial, plural: "
         "trials}, conversion: {strategy: Webhook, webhook: {conversionReviewVersions: [v1], "
         "clientConfig: {service: {name: a, namespace: shop}}}}, versions: [{name: v1, served: "
         "true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}",
         "{\"spec\":{\"conversion\":{\"webhook\":{\"clientConfig\":{\"caBundle\":\"AUTHORITY\"}}}}"
         "}",
         "spec: {group: tests.example.com, scope: Namespaced, names: {kind: Trial, plural: trials, "
         "shortNames: [tr]}, conversion: {strategy: Webhook, webhook: {conversionReviewVersions: "
         "[v1], clientConfig: {service: {name: a, namespace: shop}}}}, versions: [{name: v1, "
         "served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}",
         NULL, "\"caBundle\":", "\"shortNames\":[\"tr\"]"},
	/* --- the shapes of KubeFed's own example, beside those above and below --- */
	{"Deployment", "apps/v1", "/apis/apps/v1/" SHOP "deployments/", "overridden", NULL,
         "spec: {replicas: 3, " WORKLOAD "}", NULL, NULL,
         "overrides: [{clusterName: gondor, clusterOverrides: [" OVERRIDES "]}, {clusterName: "
         "rohan, clusterOverrides: [" OVERRIDES "]}],",
         "\"replicas\":5,", "\"image\":\"nginx:1.17\""},
	{"Job", "batch/v1", "/apis/batch/v1/" SHOP "jobs/", "own-selector", NULL,
         "spec: {suspend: true, parallelism: 1, manualSelector: true, " WORKLOAD_ONCE "}", NULL,
         "spec: {suspend: true, parallelism: 2, manualSelector: true, " WORKLOAD_ONCE "}", NULL,
         "\"parallelism\":2", "\"matchLabels\":{\"app\":\"a\"}"},
	{"ReplicaSet", "apps/v1", "/apis/apps/v1/" SHOP "replicasets/", "set", NULL,
         "spec: {replicas: 0, " WORKLOAD "}", NULL, "spec: {replicas: 1, " WORKLOAD "}", NULL,
         "\"replicas\":1,", NULL},
	{"ClusterRole", "rbac.authorization.k8s.io/v1",
         "/apis/rbac.authorization.k8s.io/v1/clusterroles/", "looker", NULL,
         "rules: [{apiGroups: [''], resources: [pods], verbs: [get, list]}]", NULL,
         "rules: [{apiGroups: [''], resources: [pods], verbs: [list]}]", NULL,
         "\"verbs\":[\"list\"]", NULL},
	{"ClusterRoleBinding", "rbac.authorization.k8s.io/v1",
         "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/", "lookers", NULL,
         "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: looker}, "
         "subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: a}]",
         NULL,
         "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: looker}, "
         "subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: b}]",
         NULL, "\"name\":\"b\"", NULL},
	/* --- kinds of which nothing is kept, and what leaves their templates goes --- */
	{"ConfigMap", "v1", "/api/v1/" SHOP "configmaps/", "settings", NULL,
         "data: {a: one, b: two}", NULL, "data: {a: three}", NULL, "\"data\":{\"a\":\"three\"}",
         NULL},
	{"Secret", "v1", "/api/v1/" SHOP "secrets/", "emptied", NULL,
         "type: Opaque, data: {a: b25l, b: null}", NULL, "type: Opaque, data: {a: null}", NULL,
         "\"data\":{\"a\":\"\"}", NULL},
	{"Secret", "v1", "/api/v1/" SHOP "secrets/", "hidden", NULL,
         "type: Opaque, stringData: {a: one}", NULL, "type: Opaque, stringData: {a: three}", NULL,
         "\"data\":{\"a\":\"dGhyZWU=\"}", NULL},
	{"StatefulSet", "apps/v1", "/apis/apps/v1/" SHOP "statefulsets/", "database", NULL,
         "spec: {replicas: 0, serviceName: a, " WORKLOAD
         ", volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], "
         "resources: {requests: {storage: 1Gi}}}}]}",
         NULL,
         "spec: {replicas: 1, serviceName: a, " WORKLOAD
         ", volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], "
         "resources: {requests: {storage: 1Gi}}}}]}",
         NULL, "\"replicas\":1,", NULL},
	{"CronJob", "batch/v1", "/apis/batch/v1/" SHOP "cronjobs/", "nightly", NULL,
         "spec: {schedule: '0 0 1 1 *', suspend: true, jobTemplate: {spec: {template: {spec: "
         "{restartPolicy: Never, containers: [{name: a, image: a}]}}}}}",
         NULL,
         "spec: {schedule: '0 0 2 1 *', jobTemplate: {spec: {template: {spec: {restartPolicy: "
         "Never, containers: [{name: a, image: a}]}}}}}",
         NULL, "\"suspend\":false", NULL},
	{"HorizontalPodAutoscaler", "autoscaling/v2",
         "/apis/autoscaling/v2/" SHOP "horizontalpodautoscalers/", "grower", NULL,
         "spec: {minReplicas: 2, maxReplicas: 4, scaleTargetRef: {apiVersion: apps/v1, kind: "
         "Deployment, name: none}}",
         NULL,
         "spec: {maxReplicas: 5, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: "
         "none}}",
         NULL, "\"minReplicas\":1", "\"maxReplicas\":5"},
	{"Ingress", "networking.k8s.io/v1", "/apis/networking.k8s.io/v1/" SHOP "ingresses/", "door",
         NULL,
         "spec: {ingressClassName: a, defaultBackend: {service: {name: a, port: {number: 80}}}}",
         NULL, "spec: {defaultBackend: {service: {name: b, port: {number: 80}}}}", NULL,
         "\"name\":\"b\"", NULL},
};

/* --- the clusters --- */

static struct gate_answer refusal;
static unsigned refused;

static void refuse_apply(const struct gate_request *r, struct gate_answer *out, void *arg)
{
	unsigned *count = arg;

	if (strcmp(r->method, "PATCH") != 0 || !strstr(r->type, "apply-patch"))
		return;
	*out = refusal;
	++*count;
}

/* What a server says to a list with one key twice. */
static void learn_refusal(struct federation *f)
{
	static const char body[] =
		"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"a\"},"
		"\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"a\"}},\"template\":{"
		"\"metadata\":{\"labels\":{\"app\":\"a\"}},\"spec\":{\"containers\":[{\"name\":"
		"\"a\",\"image\":\"a\",\"env\":[{\"name\":\"A\",\"value\":\"1\"},{\"name\":\"A\","
		"\"value\":\"2\"}]}]}}}}";
	struct cluster *c = f->members[ROHAN];

	refusal.status = (unsigned)cluster_send(
		c, "PATCH", "/apis/apps/v1/namespaces/default/deployments/a?fieldManager=test",
		"application/apply-patch+yaml", body);
	refusal.body = xstrdup(cluster_body(c));
	if (refusal.status < 400 || !strstr(refusal.body, "duplicate"))
		fail_msg("%u: %s", refusal.status, refusal.body);
}

/* Of its kind. */
static bool is_first(size_t i)
{
	for (size_t before = 0; before < i; before++)
		if (strcmp(things[before].kind, things[i].kind) == 0)
			return false;
	return true;
}

/* "/apis/apps/v1/namespaces/shop/deployments/" -> "deployments.apps". */
static void enable(struct federation *f, const struct thing *t)
{
	size_t end = strlen(t->path) - 1, begin = end, len = 0;
	const char *group = "";
	char name[100];

	while (t->path[begin - 1] != '/')
		begin--;
	if (strncmp(t->path, "/apis/", 6) == 0) {
		group = t->path + 6;
		len = strcspn(group, "/");
	}
	snprintf(name, sizeof(name), "%.*s%s%.*s", (int)(end - begin), t->path + begin,
	         len > 0 ? "." : "", (int)len, group);
	federation_enable(f, name);
}

/* The class that a claim without one gets. */
static void furnish(struct federation *f)
{
	for (unsigned i = 0; i < MEMBERS; i++)
		cluster_apply(f->members[i],
		              "apiVersion: storage.k8s.io/v1\n"
		              "kind: StorageClass\n"
		              "metadata: {name: usual, annotations: "
		              "{storageclass.kubernetes.io/is-default-class: 'true'}}\n"
		              "provisioner: kubernetes.io/no-provisioner\n");
}

static int setup(void **state)
{
	struct federation *f = federation_new(MEMBERS);

	*state = f;
	learn_refusal(f);
	gate_decide(federation_gate(f, ROHAN), refuse_apply, &refused);
	federation_enable(f, "namespaces");
	for (size_t i = 0; i < sizeof(things) / sizeof(*things); i++)
		if (is_first(i))
			enable(f, &things[i]);
	federation_start(f);
	federation_namespace(f, "shop");
	for (unsigned i = 0; i < MEMBERS; i++)
		cluster_expect(f->members[i], "/api/v1/namespaces/shop", "kubefed.io/managed",
		               SOON_MS);
	furnish(f);
	return 0;
}

/* --- what happens --- */

static void replace_all(struct text *out, const char *text, const char *what, const char *with)
{
	for (const char *at; (at = strstr(text, what)) != NULL; text = at + strlen(what))
		text_printf(out, "%.*s%s", (int)(at - text), text, with);
	text_add(out, text);
}

static const char *namespace_of(const struct thing *t)
{
	return strstr(t->path, SHOP) ? "shop" : "";
}

static void put(struct federation *f, const struct thing *t, const char *template, const char *step)
{
	cluster_apply(f->host,
	              "apiVersion: types.kubefed.io/v1beta1\n"
	              "kind: Federated%s\n"
	              "metadata: {name: %s, namespace: \"%s\"}\n"
	              "spec: {%s template: {metadata: {labels: {step: %s}}, %s}, placement: "
	              "{clusterSelector: {}}}\n",
	              t->kind, t->name, namespace_of(t), t->spec ? t->spec : "", step, template);
}

/* The step is done, and what the member's controllers do has been done. */
static void expect_step(struct federation *f, const struct thing *t, const char *step)
{
	char path[200], text[40];

	snprintf(path, sizeof(path), "%s%s", t->path, t->name);
	snprintf(text, sizeof(text), "\"step\":\"%s\"", step);
	for (unsigned i = 0; i < MEMBERS; i++)
		cluster_expect(f->members[i], path, text, SOON_MS);
}

/* AUTHORITY stands for one. */
static void merge(struct federation *f, unsigned member, const struct thing *t)
{
	const char *pem = cluster_ca(f->members[member]);
	char *ca = xcalloc(1, strlen(pem) * 2);
	struct text patch = {0};

	EVP_EncodeBlock((unsigned char *)ca, (const unsigned char *)pem, (int)strlen(pem));
	replace_all(&patch, t->meddled, "AUTHORITY", ca);
	cluster_patch(f->members[member], t->api, t->kind, namespace_of(t), t->name, "%s",
	              patch.data);
	text_fini(&patch);
	free(ca);
}

/* Also what every controller of a member may do: its finalizer and its annotation. */
static void meddle(struct federation *f, const struct thing *t)
{
	for (unsigned i = 0; i < MEMBERS; i++) {
		cluster_patch(f->members[i], t->api, t->kind, namespace_of(t), t->name,
		              "{\"metadata\":{\"annotations\":{\"theirs\":\"kept\"},"
		              "\"finalizers\":[\"example.com/theirs\"]}}");
		if (t->meddled)
			merge(f, i, t);
	}
}

static void let_happen(struct federation *f, const struct thing *t)
{
	for (unsigned i = 0; t->before && i < MEMBERS; i++)
		cluster_apply(f->members[i],
		              "apiVersion: %s\nkind: %s\nmetadata: {name: %s, namespace: "
		              "\"%s\"}\n%s\n",
		              t->api, t->kind, t->name, namespace_of(t), t->before);
	put(f, t, t->first, "one");
}

/* --- what is there --- */

/* "kube-api-access-r7s4j" is of the server's dice. */
static void forget_dice(char *text)
{
	static const char name[] = "kube-api-access-";

	while ((text = strstr(text, name)) != NULL) {
		text += strlen(name);
		memset(text, '-', strspn(text, "bcdfghjklmnpqrstvwxz2456789"));
	}
}

/* Without what two servers can never have in common: identity and history, of which `generation` counts what was asked,
 * also while one of them was not seen yet.  A status is neither path's. */
static char *essence(struct federation *f, unsigned member, const struct thing *t)
{
	static const char *const own[] = {"managedFields", "resourceVersion", "creationTimestamp",
	                                  "generation", "uid"};
	struct json_object *object, *metadata;
	struct text out = {0};
	char path[200], *uid;

	snprintf(path, sizeof(path), "%s%s", t->path, t->name);
	assert_int_equal(cluster_send(f->members[member], "GET", path, NULL, NULL), 200);
	object = json_tokener_parse(cluster_body(f->members[member]));
	metadata = json_object_object_get(object, "metadata");
	assert_non_null(metadata);
	uid = xstrdup(json_object_get_string(json_object_object_get(metadata, "uid")));
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		json_object_object_del(metadata, own[i]);
	json_object_object_del(object, "status");
	replace_all(&out, json_object_to_json_string_ext(object, PLAIN), uid, "UID");
	json_object_put(object);
	free(uid);
	forget_dice(out.data);
	return text_take(&out);
}

static void expect_alike(struct federation *f, const struct thing *t, unsigned *wrong)
{
	char *applied = essence(f, GONDOR, t), *replaced = essence(f, ROHAN, t);
	struct json_object *a = json_tokener_parse(applied), *b = json_tokener_parse(replaced);
	const char *const wanted[] = {"\"theirs\":\"kept\"", "example.com/theirs", t->wanted,
	                              t->other};

	if (!json_object_equal(a, b)) {
		print_error("%s %s\n  applied:  %s\n  replaced: %s\n", t->kind, t->name, applied,
		            replaced);
		++*wrong;
	}
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (wanted[i] && !strstr(applied, wanted[i])) {
			print_error("%s %s has no %s: %s\n", t->kind, t->name, wanted[i], applied);
			++*wrong;
		}
	json_object_put(a);
	json_object_put(b);
	free(applied);
	free(replaced);
}

#define EACH(t) (const struct thing *t = things; t < things + sizeof(things) / sizeof(*things); t++)

static void test_both_paths_lead_to_the_same_object(void **state)
{
	struct federation *f = *state;
	unsigned wrong = 0;

	for
		EACH(t)
	let_happen(f, t);
	for
		EACH(t)
		{
			expect_step(f, t, "one");
			meddle(f, t);
			put(f, t, t->second ? t->second : t->first, "two");
		}
	for
		EACH(t)
		{
			expect_step(f, t, "two");
			expect_alike(f, t, &wrong);
		}
	assert_int_equal(wrong, 0);
}

/* Whoever asks then what a member has otherwise than it should is told: nothing, by both paths. */
static void test_nothing_differs_from_what_is_asked_for_then(void **state)
{
	struct federation *f = *state;

	for
		EACH(t)
		{
			char kind[80], name[100];

			snprintf(kind, sizeof(kind), "Federated%s", t->kind);
			snprintf(name, sizeof(name), "%s%s%s", namespace_of(t),
			         namespace_of(t)[0] != '\0' ? "/" : "", t->name);
			federation_expect(f, 0, "the members have what they should have",
			                  (const char *const[]){"diff", kind, name, NULL});
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_paths_lead_to_the_same_object),
		cmocka_unit_test(test_nothing_differs_from_what_is_asked_for_then),
	};

	return cmocka_run_group_tests_name("e2e/both_paths", tests, setup, federation_teardown);
}
