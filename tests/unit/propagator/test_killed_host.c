/* A leader killed with -9 between any two writes: what it writes to the host, and the tokens that it asks for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "kube/base64.h"
#include "tests/support/propagator_murder.h"

#define CLUSTER(name) 0, FAKEAPI_CLUSTERS, WORLD_FEDERATION "/" name
#define TYPE(name)    0, WORLD_TYPES, WORLD_FEDERATION "/" name

/* --- DNS data --- */

#define RECORD(name)      0, FAKEAPI_SERVICE_RECORDS, "shop/" name
#define INGRESS(name)     0, FAKEAPI_INGRESS_RECORDS, "shop/" name
#define DNSENDPOINT(name) 0, FAKEAPI_ENDPOINTS_OF_KUBEFED, "shop/" name

static void put_service(struct propagator_world *w, unsigned i, unsigned last_byte)
{
	fakeapi_put(w->members[i], FAKEAPI_SERVICES,
	            "{'metadata':{'name':'web','namespace':'shop'},'spec':{'type':'LoadBalancer',"
	            "'ports':[{'port':80}]},'status':{'loadBalancer':{'ingress':[{'ip':"
	            "'192.0.2.%u'}]}}}",
	            last_byte);
}

static void serve(struct propagator_world *w)
{
	for (unsigned i = 0; i < MURDER_MEMBERS; i++) {
		fakeapi_put(w->members[i], FAKEAPI_NODES,
		            "{'metadata':{'name':'n','labels':{'topology.kubernetes.io/region':"
		            "'r%u','topology.kubernetes.io/zone':'z%u'}}}",
		            i, i);
		fakeapi_put(
			w->members[i], FAKEAPI_SLICES,
			"{'metadata':{'name':'web-1','namespace':'shop','labels':"
			"{'kubernetes.io/service-name':'web'}},'addressType':'IPv4',"
			"'endpoints':[{'addresses':['10.1.0.4'],'conditions':{'ready':true}}]}");
		put_service(w, i, 10 + 10 * i);
		fakeapi_put(w->members[i], FAKEAPI_INGRESSES,
		            "{'metadata':{'name':'site','namespace':'shop'},'spec':{},'status':{"
		            "'loadBalancer':{'ingress':[{'ip':'192.0.2.%u'}]}}}",
		            11 + 10 * i);
	}
	propagator_world_kubeconfig(w);
	fakeapi_put(w->host, FAKEAPI_DOMAINS,
	            "{'metadata':{'name':'fed','namespace':'" WORLD_FEDERATION
	            "'},'domain':'example.com'}");
	fakeapi_put(w->host, FAKEAPI_SERVICE_RECORDS,
	            "{'metadata':{'name':'web','namespace':'shop'},'spec':{'domainRef':'fed'}}");
	fakeapi_put(w->host, FAKEAPI_INGRESS_RECORDS,
	            "{'metadata':{'name':'site','namespace':'shop'},'spec':{'hosts':"
	            "['site.example.com']}}");
}

/* Written, changed when an address does, and taken away with their records. */
static void name(struct murder *m)
{
	struct propagator_world *w = m->w;

	MURDER_EXPECT(m, {RECORD("web"), "192.0.2.10"}, {RECORD("web"), "192.0.2.20"},
	              {INGRESS("site"), "192.0.2.11"}, {INGRESS("site"), "192.0.2.21"},
	              {DNSENDPOINT("service-web"), "\"192.0.2.10\",\"192.0.2.20\""},
	              {DNSENDPOINT("service-web"), "\"ownerReferences\""},
	              {DNSENDPOINT("nigh-service-web"), "\"setIdentifier\":\"rohan\""},
	              {DNSENDPOINT("ingress-site"), "\"192.0.2.11\",\"192.0.2.21\""},
	              {DNSENDPOINT("nigh-ingress-site"), "\"setIdentifier\":\"gondor\""});
	put_service(w, 0, 99);
	MURDER_EXPECT(m, {RECORD("web"), "192.0.2.99"},
	              {DNSENDPOINT("service-web"), "\"192.0.2.20\",\"192.0.2.99\""},
	              {DNSENDPOINT("nigh-service-web"), "192.0.2.99"});
	fakeapi_delete(w->host, FAKEAPI_SERVICE_RECORDS, "shop/web");
	MURDER_EXPECT(m, {DNSENDPOINT("service-web"), "!"}, {DNSENDPOINT("nigh-service-web"), "!"});
}

/* --- conditions of TrafficPolicies --- */

#define PODS "/api/v1/namespaces/" WORLD_NIGHDS "/pods"
#define POD  PODS "/nighd-a:8053/proxy/status"

/* What the one pod of nighd says of shop/web: that it knows that generation. */
static void say(struct propagator_world *w, int generation)
{
	struct text body = {0};

	text_printf(&body,
	            "{\"ready\":true,\"errors\":[],\"policies\":[{\"namespace\":\"shop\",\"name\":"
	            "\"web\",\"generation\":%d,\"conditions\":[{\"type\":\"Accepted\",\"status\":"
	            "\"True\",\"reason\":\"Accepted\",\"message\":\"\"},{\"type\":\"Programmed\","
	            "\"status\":\"True\",\"reason\":\"Programmed\",\"message\":\"\"}]}]}",
	            generation);
	fakeapi_no_rule(w->host, POD);
	fakeapi_answer_bytes(w->host, POD, 0, 200, "application/json", body.data, body.len);
	text_fini(&body);
}

static void put_policy(struct propagator_world *w)
{
	static const char pods[] =
		"{\"kind\":\"PodList\",\"items\":[{\"metadata\":{\"name\":\"nighd-a\",\"namespace\""
		":\"" WORLD_NIGHDS "\"},\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\""
		":\"Ready\",\"status\":\"True\"}]}}]}";

	fakeapi_answer_bytes(w->host, PODS, 0, 200, "application/json", pods, sizeof(pods) - 1);
	say(w, 1);
	fakeapi_put(w->host, FAKEAPI_POLICIES,
	            "{'metadata':{'name':'web','namespace':'shop','generation':1},'spec':"
	            "{'targetRefs':[{'hostname':'www.example.com'}]}}");
}

#define POLICY 0, FAKEAPI_POLICIES, "shop/web"

static void rule(struct murder *m)
{
	MURDER_EXPECT(m, {POLICY, "\"Programmed\""}, {POLICY, "\"observedGeneration\":1"});
	say(m->w, 2);
	fakeapi_edit(m->w->host, FAKEAPI_POLICIES, "shop/web",
	             "{'spec':{'targetRefs':[{'hostname':'w.example.com'}]}}");
	MURDER_EXPECT(m, {POLICY, "\"observedGeneration\":2"}, {POLICY, "\"Programmed\""},
	              {POLICY, "!\"observedGeneration\":1"});
}

/* --- tokens of members --- */

#define TOKEN  "POST /api/v1/serviceaccounts/fed/nigh-gondor-host/token"
#define SECRET 0, FAKEAPI_SECRETS, WORLD_FEDERATION "/gondor"

/* One that was issued so long ago, and ends in so long. */
static void print_token(struct text *out, int64_t issued_s, int64_t for_s)
{
	struct text claims = {0};
	int64_t now_s = clock_unix_s();

	text_printf(&claims,
	            "{\"sub\":\"system:serviceaccount:fed:nigh-gondor-host\",\"iat\":%" PRId64
	            ",\"exp\":%" PRId64 "}",
	            now_s - issued_s, now_s + for_s);
	text_add(out, "e30.");
	base64_encode(bytes_of(claims.data), out);
	while (out->data[out->len - 1] == '=')
		out->data[--out->len] = '\0';
	text_add(out, ".c2ln");
	text_fini(&claims);
}

/* Half of its time is over; what is asked for is as good as new. */
static void age(struct propagator_world *w)
{
	struct text token = {0}, encoded = {0}, answer = {0};

	fakeapi_set_token(w->members[0], ""); /* the old and the new one are let in */
	print_token(&token, 5000, 4000);
	base64_encode(bytes_of(token.data), &encoded);
	fakeapi_put(
		w->host, FAKEAPI_SECRETS,
		"{'metadata':{'name':'gondor','namespace':'" WORLD_FEDERATION
		"','annotations':{'nigh.dev/rotate':'true'}},'data':{'token':'%s','ca':'b2xk'}}",
		encoded.data);
	text_reset(&token);
	print_token(&token, 0, 9000);
	text_printf(&answer, "{\"status\":{\"token\":\"%s\"}}", token.data);
	fakeapi_answer_bytes(w->members[0], TOKEN, 0, 201, "application/json", answer.data,
	                     answer.len);
	text_fini(&token);
	text_fini(&encoded);
	text_fini(&answer);
}

static bool is_renewed(struct murder *m)
{
	return fakeapi_changes(m->w->host, FAKEAPI_SECRETS, WORLD_FEDERATION "/gondor") > 2;
}

/* Its first one was put by the world, and made old by age(); with the old one it works until the new one is there. */
static void renew(struct murder *m)
{
	uint64_t end_ms = clock_monotonic_ms() + WORLD_PATIENCE_MS;
	unsigned asked;

	while (!is_renewed(m)) {
		assert_true(clock_monotonic_ms() < end_ms);
		MURDER_EXPECT(m, {CLUSTER("gondor"), "\"Ready\",\"status\":\"True\""});
		murder_rest(m);
	}
	MURDER_EXPECT(m, {SECRET, "\"ca\":\"b2xk\""}, {SECRET, "\"token\":"},
	              {CLUSTER("gondor"), "\"Ready\",\"status\":\"True\""});
	/* One that was made and not kept is nowhere; it ends by itself. */
	asked = fakeapi_requests(m->w->members[0], "/serviceaccounts/nigh-gondor-host/token");
	assert_in_range(asked, 1, m->kill_at > 0 ? 2 : 1);
	assert_int_equal(fakeapi_count(m->w->host, FAKEAPI_SECRETS), MURDER_MEMBERS);
	assert_int_equal(fakeapi_count(m->w->members[0], FAKEAPI_SECRETS), 0);
}

/* --- types and clusters --- */

static void give_finalizer(struct propagator_world *w)
{
	fakeapi_edit(w->host, WORLD_TYPES, WORLD_FEDERATION "/configmaps",
	             "{'metadata':{'finalizers':['core.kubefed.io/federated-type-config']}}");
}

static void configure(struct murder *m)
{
	struct propagator_world *w = m->w;

	MURDER_EXPECT(m, {TYPE("configmaps"), "\"propagationController\":\"Running\""},
	              {TYPE("deployments.apps"), "\"propagationController\":\"Running\""},
	              {TYPE("namespaces"), "\"propagationController\":\"Running\""},
	              {CLUSTER("gondor"), "\"Ready\""}, {CLUSTER("rohan"), "\"Ready\""});
	fakeapi_edit(w->host, WORLD_TYPES, WORLD_FEDERATION "/deployments.apps",
	             "{'spec':{'propagation':'Disabled'}}");
	fakeapi_ask_to_delete(w->host, WORLD_TYPES, WORLD_FEDERATION "/configmaps");
	MURDER_EXPECT(m, {TYPE("deployments.apps"), "\"propagationController\":\"NotRunning\""},
	              {TYPE("deployments.apps"), "\"observedGeneration\":2"},
	              {TYPE("configmaps"), "!"});
}

int main(int argc, char **argv)
{
	static const struct murder_story stories[] = {
		{.name = "DNS data is written once wherever the leader died",
	         .prepare = serve,
	         .live = name,
	         .about = {"dnsrecords/", "/dnsendpoints"},
	         .least = 11,
	         .changes = {{RECORD("web"), 4},
	                     {INGRESS("site"), 2},
	                     {DNSENDPOINT("service-web"), 3},
	                     {DNSENDPOINT("nigh-service-web"), 3},
	                     {DNSENDPOINT("ingress-site"), 1},
	                     {DNSENDPOINT("nigh-ingress-site"), 1}}},
		{.name = "conditions of policies are written once wherever the leader died",
	         .prepare = put_policy,
	         .live = rule,
	         .about = {"/trafficpolicies/"},
	         .least = 2,
	         .changes = {{POLICY, 4}}},
		{.name = "a member's token is made anew and kept wherever the leader died",
	         .prepare = age,
	         .live = renew,
	         .about = {"/token", "/secrets/"},
	         .least = 2,
	         .changes = {{SECRET, 3}}},
		{.name = "types and clusters are told of once wherever the leader died",
	         .prepare = give_finalizer,
	         .live = configure,
	         .about = {"/federatedtypeconfigs/", "/kubefedclusters/"},
	         .least = 7,
	         .changes = {{TYPE("namespaces"), 2},
	                     {TYPE("deployments.apps"), 4},
	                     {CLUSTER("gondor"), 3}, /* that it is ready, then its version */
	                     {CLUSTER("rohan"), 3}}},
	};

	return murder_main(argc, argv, "propagator/killed_host", stories,
	                   sizeof(stories) / sizeof(*stories));
}
