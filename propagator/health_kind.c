/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "propagator/condition.h"
#include "propagator/jsontree.h"
#include "propagator/health_inside.h"

static bool has_address(struct json_object *object)
{
	struct json_object *list = jsontree_get(object, "status", "loadBalancer", "ingress", NULL);

	for (size_t i = 0; i < jsontree_count(list); i++)
		if (*jsontree_word(jsontree_item(list, i), "ip", NULL) ||
		    *jsontree_word(jsontree_item(list, i), "hostname", NULL))
			return true;
	return false;
}

static void of_service(const struct health_subject *s, struct health *h)
{
	if (!health_is(jsontree_word(s->object, "spec", "type", NULL), "LoadBalancer"))
		return;
	if (!*jsontree_word(s->object, "spec", "clusterIP", NULL))
		health_say(h, HEALTH_IN_PROGRESS, "NoIPAssigned", "has no cluster IP yet");
	else if (!has_address(s->object))
		health_say(h, HEALTH_IN_PROGRESS, "NoAddress",
		           "its load balancer has no address yet");
}

static void of_ingress(const struct health_subject *s, struct health *h)
{
	if (!has_address(s->object))
		health_say(h, HEALTH_IN_PROGRESS, "NoAddress", "has no address yet");
}

static void of_claim(const struct health_subject *s, struct health *h)
{
	const char *phase = jsontree_word(s->object, "status", "phase", NULL);

	if (health_is(phase, "Lost"))
		health_say(h, HEALTH_FAILED, "ClaimLost", "its volume is lost");
	else if (!health_is(phase, "Bound"))
		health_say(h, HEALTH_IN_PROGRESS, "NotBound", "is not bound; phase: %s",
		           *phase ? phase : "unknown");
	else
		health_say(h, HEALTH_CURRENT, "", "is bound");
}

static void of_cron_job(const struct health_subject *s, struct health *h)
{
	if (jsontree_is_true(s->object, "spec", "suspend", NULL))
		health_say(h, HEALTH_CURRENT, "", "is suspended");
}

static void of_namespace(const struct health_subject *s, struct health *h)
{
	if (health_is(jsontree_word(s->object, "status", "phase", NULL), "Terminating"))
		health_say(h, HEALTH_TERMINATING, "Deleting", "is being deleted");
}

/* What only a change of its spec mends. */
static bool is_hopeless(const char *reason)
{
	return health_is(reason, "InvalidSelector") || health_is(reason, "AmbiguousSelector") ||
	       health_is(reason, "InvalidMetricSourceType");
}

static bool is_hindered(struct json_object *condition, struct health *h)
{
	const char *reason = jsontree_word(condition, "reason", NULL);

	/* ScalingDisabled: its target has no replicas, as wanted. */
	if (!health_is(jsontree_word(condition, "status", NULL), "False") ||
	    health_is(reason, "ScalingDisabled"))
		return false;
	health_say_condition(h, is_hopeless(reason) ? HEALTH_FAILED : HEALTH_IN_PROGRESS, condition,
	                     "ScalingInactive", "cannot scale");
	return true;
}

static void of_autoscaler(const struct health_subject *s, struct health *h)
{
	if (is_hindered(condition_find(s->object, "AbleToScale"), h) ||
	    is_hindered(condition_find(s->object, "ScalingActive"), h))
		return;
	if (!jsontree_get(s->object, "status", "currentReplicas", NULL) &&
	    !jsontree_get(s->object, "status", "conditions", NULL))
		health_say(h, HEALTH_IN_PROGRESS, "NotObserved", "is not observed yet");
}

static void of_definition(const struct health_subject *s, struct health *h)
{
	struct json_object *names = condition_find(s->object, "NamesAccepted");
	struct json_object *established = condition_find(s->object, "Established");
	const char *status = jsontree_word(established, "status", NULL);

	if (health_is(jsontree_word(names, "status", NULL), "False"))
		health_say_condition(h, HEALTH_FAILED, names, "NamesNotAccepted",
		                     "its names are not accepted");
	else if (health_is(status, "False") &&
	         !health_is(jsontree_word(established, "reason", NULL), "Installing"))
		health_say_condition(h, HEALTH_FAILED, established, "NotEstablished",
		                     "is not established");
	else if (health_is(status, "True"))
		health_say(h, HEALTH_CURRENT, "", "is established");
	else
		health_say(h, HEALTH_IN_PROGRESS, "Installing", "is being installed");
}

static const struct {
	const char *group, *kind;
	health_rule_fn *rule;
} rules[] = {
	{"apps", "Deployment", health_of_deployment},
	{"extensions", "Deployment", health_of_deployment},
	{"apps", "ReplicaSet", health_of_replica_set},
	{"extensions", "ReplicaSet", health_of_replica_set},
	{"apps", "StatefulSet", health_of_stateful_set},
	{"apps", "DaemonSet", health_of_daemon_set},
	{"extensions", "DaemonSet", health_of_daemon_set},
	{"", "Pod", health_of_pod},
	{"batch", "Job", health_of_job},
	{"batch", "CronJob", of_cron_job},
	{"", "Service", of_service},
	{"networking.k8s.io", "Ingress", of_ingress},
	{"extensions", "Ingress", of_ingress},
	{"", "PersistentVolumeClaim", of_claim},
	{"autoscaling", "HorizontalPodAutoscaler", of_autoscaler},
	{"", "Namespace", of_namespace},
	{"apiextensions.k8s.io", "CustomResourceDefinition", of_definition},
};

health_rule_fn *health_rule_of(const char *api_version, const char *kind)
{
	const char *slash = strchr(api_version, '/');
	size_t len = slash ? (size_t)(slash - api_version) : 0;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (health_is(kind, rules[i].kind) && strlen(rules[i].group) == len &&
		    strncmp(api_version, rules[i].group, len) == 0)
			return rules[i].rule;
	return NULL;
}
