/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_example.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/geo_mmdb.h"

#define WEB  "web.shop.fed.svc.example.com"
#define CART "cart.shop.example.com"

#define LOS_ANGELES "198.18.3.10"
#define HOUSTON     "198.18.2.10"
#define NEW_YORK    "198.18.1.10"

#define BERLIN        "192.0.2.0/24"
#define PARIS         "198.51.100.0/24"
#define SAN_FRANCISCO "203.0.113.0/24"
#define AUSTIN        "20.1.0.0/24"
/* 1,210 km to Houston, 1,257 to Los Angeles, without the bias. */
#define CHIHUAHUA "20.2.0.0/24"
/* 1,279 km to Houston, and with the bias 1,177 to Los Angeles; but nearest to Denver, in the region of Houston. */
#define COLORADO_SPRINGS "20.3.0.0/24"
#define NOWHERE          "10.9.9.0/24"

enum { SOON_MS = 5000, BUCKETS = 500 };

/* --- the world --- */

#define CLUSTER(name, labels, location, region)                                                    \
	"---\n"                                                                                    \
	"apiVersion: core.kubefed.io/v1beta1\n"                                                    \
	"kind: KubeFedCluster\n"                                                                   \
	"metadata:\n"                                                                              \
	"  name: " name "\n"                                                                       \
	"  namespace: kube-federation-system\n"                                                    \
	"  labels: {" labels "}\n"                                                                 \
	"  annotations: {nigh.dev/location: \"" location "\"}\n"                                   \
	"spec: {apiEndpoint: \"https://" name ".invalid:6443\", secretRef: {name: " name "}}\n"    \
	"status: {region: " region "}\n"

const char *example_host(void)
{
	return "apiVersion: multiclusterdns.kubefed.io/v1alpha1\n"
	       "kind: Domain\n"
	       "metadata: {name: fed, namespace: kube-federation-system}\n"
	       "domain: example.com\n"
	       "---\n"
	       "apiVersion: multiclusterdns.kubefed.io/v1alpha1\n"
	       "kind: ServiceDNSRecord\n"
	       "metadata: {name: web, namespace: shop}\n"
	       "spec: {domainRef: fed}\n"
		/**/
		CLUSTER("losangeles", "", "34.05,-118.24",
	                "us-west") CLUSTER("houston", "", "29.76,-95.37", "us-south")
			CLUSTER("newyork", "tier: backup", "40.71,-74.01", "us-east")
				CLUSTER("denver", "", "39.74,-104.99", "us-south")
					CLUSTER("frankfurt", "", "50.11,8.68", "eu-central");
}

/* Of three endpoints, which is to be ready? */
static void put_site(struct world *w, const char *cluster, const char *addresses, unsigned ready)
{
	char path[96];

	snprintf(path, sizeof path, "manifests/clusters/%s/service-web.yaml", cluster);
	world_write(w, path,
	            "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n"
	            "spec: {type: LoadBalancer, ports: [{name: https, port: 443, protocol: TCP}]}\n"
	            "status: {loadBalancer: {ingress: [%s]}}\n"
	            "---\n"
	            "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
	            "metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: "
	            "web}}\n"
	            "addressType: IPv4\nports: [{name: https, port: 8443, protocol: TCP}]\n"
	            "endpoints:\n"
	            "- {addresses: [10.1.0.4], conditions: {ready: %s}}\n"
	            "- {addresses: [10.1.0.5], conditions: {ready: %s}}\n"
	            "- {addresses: [10.1.0.6], conditions: {ready: %s}}\n",
	            addresses, ready > 0 ? "true" : "false", ready > 1 ? "true" : "false",
	            ready > 2 ? "true" : "false");
}

/* Somewhere within 2,000 km around Chihuahua. */
static void write_places(struct world *w)
{
	struct geo_mmdb *m = geo_mmdb_new(6, 28);

	geo_mmdb_put(
		m, "20.4.0.0/15",
		"{\"location\":{\"latitude\":27.5,\"longitude\":-107.5,\"accuracy_radius\":2000},"
		"\"country\":{\"iso_code\":\"MX\"}}");
	geo_mmdb_write(m, world_path(w, "city.mmdb"));
	geo_mmdb_free(m);
	world_write(w, "networks.csv",
	            BERLIN ",52.52,13.40,DE\n" PARIS ",48.85,2.35,FR\n" SAN_FRANCISCO
	                   ",37.77,-122.42,US-CA\n" AUSTIN ",30.27,-97.74,US-TX\n" CHIHUAHUA
	                   ",27.5,-107.5,MX\n" COLORADO_SPRINGS ",38.8,-104.0,US-CO\n");
}

#define FRANKFURT_ALL "{ip: 198.18.4.10}, {ip: 198.18.4.11}, {ip: 198.18.4.12}"

void example_write(struct world *w)
{
	static const char cart[] = "external-dns.alpha.kubernetes.io/hostname: " CART;

	write_places(w);
	put_site(w, "losangeles", "{ip: " LOS_ANGELES "}", 3);
	put_site(w, "houston", "{ip: " HOUSTON "}", 3);
	put_site(w, "newyork", "{ip: " NEW_YORK "}", 3);
	put_site(w, "frankfurt", FRANKFURT_ALL, 3);
	world_folder(w, "manifests/clusters/denver");
	world_service(w, "houston", "cart", "198.18.2.20", true, cart);
	world_service(w, "frankfurt", "cart", "198.18.4.20", true, cart);
}

/* --- what it says --- */

static void expect(struct world *w, const char *client, const char *address)
{
	world_expect(w, WEB, "A", client, address, SOON_MS);
}

static void expect_ttl(struct world *w, const char *client, uint32_t ttl)
{
	struct world_answer a = world_query(w, WEB, "A", client);

	if (a.ttl != ttl)
		world_fail(w, "the TTL is %u, not %u", a.ttl, ttl);
}

/* Of three addresses in Frankfurt at most two are told. */
static void expect_in_frankfurt(struct world *w, const char *client)
{
	struct world_answer a = world_query(w, WEB, "A", client);

	if (strncmp(a.records, "198.18.4.", 9) != 0 || a.address_count != 2)
		world_fail(w, "%s gets %s", client, a.records);
}

/* Who may be as near to the one as to the other, for all that the database knows: 80 of 100 in Los Angeles, by /24. */
static void expect_weights(struct world *w)
{
	unsigned there = 0;

	for (unsigned i = 0; i < BUCKETS; i++) {
		char client[32];
		struct world_answer a;

		snprintf(client, sizeof client, "20.%u.%u.0/24", 4 + i / 250, i % 250);
		a = world_query(w, WEB, "A", client);
		if (a.scope != 24 ||
		    (strcmp(a.records, LOS_ANGELES) != 0 && strcmp(a.records, HOUSTON) != 0))
			world_fail(w, "%s gets %s, for /%d", client, a.records, a.scope);
		there += strcmp(a.records, LOS_ANGELES) == 0;
	}
	if (there < BUCKETS * 74 / 100 || there > BUCKETS * 86 / 100)
		world_fail(w, "%u of %u are in Los Angeles", there, (unsigned)BUCKETS);
}

static void expect_stages(struct world *w)
{
	expect_in_frankfurt(w, BERLIN);
	expect_in_frankfurt(w, PARIS);
	expect(w, SAN_FRANCISCO, LOS_ANGELES);
	expect(w, AUSTIN, HOUSTON);
	expect(w, CHIHUAHUA, LOS_ANGELES);    /* by its bias */
	expect(w, COLORADO_SPRINGS, HOUSTON); /* the same region */
	expect(w, NOWHERE, HOUSTON);          /* New York would be first, but is the backup */
	expect_weights(w);
	expect_ttl(w, SAN_FRANCISCO, 30);
	/* By the pattern. */
	world_expect(w, CART, "A", PARIS, "198.18.4.20", 0);
	world_expect(w, CART, "A", AUSTIN, "198.18.2.20", 0);
}

static void expect_without_sites(struct world *w)
{
	put_site(w, "losangeles", "{ip: " LOS_ANGELES "}", 1);
	expect(w, SAN_FRANCISCO, HOUSTON);
	world_expect_http(w, "/explain?name=" WEB "&client=" SAN_FRANCISCO,
	                  "1 of 3 endpoints ready, 50 % wanted", 0);
	/* It comes back, and has to be proven for ten minutes, ... */
	put_site(w, "losangeles", "{ip: " LOS_ANGELES "}", 3);
	world_expect_http(w, "/status",
	                  "{\"name\":\"" WEB "\",\"cluster\":\"losangeles\",\"mode\":\"After\"",
	                  SOON_MS);
	world_expect_http(w, "/status", "\"needsSeconds\":600}", 0);
	expect(w, SAN_FRANCISCO, HOUSTON);
	/* ... but for whom only the backup would be left, which has no weight. */
	put_site(w, "houston", "{ip: " HOUSTON "}", 0);
	expect(w, AUSTIN, LOS_ANGELES);
	put_site(w, "losangeles", "{ip: " LOS_ANGELES "}", 0);
	expect(w, SAN_FRANCISCO, NEW_YORK);
	/* Nobody is let out of Europe. */
	put_site(w, "frankfurt", FRANKFURT_ALL, 0);
	world_expect_http(w, "/explain?name=" WEB "&client=" PARIS,
	                  "no site that this client may be sent to is usable", SOON_MS);
	expect_in_frankfurt(w, PARIS);
	expect_ttl(w, PARIS, 5);
}

void example_expect(struct world *w, unsigned within_ms)
{
	world_expect_http(w, "/status",
	                  "\"policies\":[{\"namespace\":\"shop\",\"name\":\"web\",\"targets\":2,",
	                  within_ms);
	world_expect_http(w, "/status",
	                  "{\"type\":\"Programmed\",\"status\":\"True\",\"reason\":\"Programmed\","
	                  "\"message\":\"\"}",
	                  SOON_MS);
	world_expect_http(w, "/status", "{\"type\":\"Accepted\",\"status\":\"True\"", 0);
	world_expect_http(w, "/explain?name=" WEB "&client=" PARIS,
	                  "\"check\":\"https\",\"ok\":null", SOON_MS);
	expect_stages(w);
	expect_without_sites(w);
}
