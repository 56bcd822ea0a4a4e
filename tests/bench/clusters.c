/* clusters.c -- scripted API servers with much in them, and a clock for what their changes do to answers.
 *
 * usage: clusters -n MEMBERS -s SERVICES [-z] [-w served|refused] [-f] FOLDER
 *
 * Serves MEMBERS clusters, each with SERVICES Services and EndpointSlices, and a host with a Domain and a
 * ServiceDNSRecord for each Service; writes FOLDER/host.kubeconfig and FOLDER/mN.kubeconfig.  -z: gzip of lists; -w: what
 * it makes of WatchList; -f: managedFields and annotations as real clusters have them, in all 1.9 KB a Service and
 * 1.7 KB an EndpointSlice in place of 0.9 and 0.6.  Then it does what lines of standard input say, and answers each by one line of JSON;
 * times are seconds of CLOCK_MONOTONIC:
 *
 *   served                  seconds on CPU so far, and bytes written to sockets
 *   connected N             waits for the first connection to member N: when
 *   change N I ready|not PORT  changes slice I of member N, asks nighd for service I until the address differs:
 *                           when the change was made and when the first such answer came
 *   await I PORT            says at once that it is asking for service I; a second line when the address differed
 *   storm N RATE SECONDS    changes slices of member N, in a random order, so many a second
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "tests/support/fakeapi.h"

enum { MEMBERS_MOST = 15, SERVICES_MOST = 1000000, POLL_US = 100, ANSWER_WITHIN_S = 30 };

struct member {
	struct fakeapi *api;
	unsigned number;
	bool is_real_size;
};

struct fleet {
	struct member members[MEMBERS_MOST];
	struct fakeapi *host;
	size_t member_count, service_count;
};

/* A slice as it is to be written. */
struct slice {
	const struct member *member;
	bool ready;
	unsigned generation;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void rest_until(double at_s)
{
	struct timespec t = {.tv_sec = (time_t)at_s};

	t.tv_nsec = (long)((at_s - (double)t.tv_sec) * 1e9);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* --- objects --- */

static uint32_t address_of(const struct member *m, size_t i)
{
	return 0x0a000001u + (m->number << 20) + (uint32_t)i;
}

static void add_address(struct text *out, uint32_t address)
{
	text_printf(out, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
	            address & 255);
}

/* No two look alike, so that they do not pack better than real ones. */
static void add_uid(struct text *out, size_t i, unsigned salt)
{
	uint64_t a = ((uint64_t)i * 4 + salt + 1) * 0x9e3779b97f4a7c15u, b;

	a = (a ^ a >> 30) * 0xbf58476d1ce4e5b9u;
	a = (a ^ a >> 27) * 0x94d049bb133111ebu;
	b = (a ^ a >> 31) * 0x9e3779b97f4a7c15u;
	text_printf(out, "%08x-%04x-4%03x-8%03x-%012" PRIx64, (unsigned)(a >> 32),
	            (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff), (unsigned)(b >> 52),
	            b & 0xffffffffffffu);
}

/* What kubectl apply and the service controller leave. */
static void add_service_history(struct text *out, size_t i)
{
	text_printf(
		out,
		",\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":"
		"\"{\\\"apiVersion\\\":\\\"v1\\\",\\\"kind\\\":\\\"Service\\\",\\\"metadata\\\":{"
		"\\\"name\\\":\\\"s%07zu\\\",\\\"namespace\\\":\\\"bench\\\"},\\\"spec\\\":{"
		"\\\"ports\\\":[{\\\"name\\\":\\\"http\\\",\\\"port\\\":80}],\\\"type\\\":"
		"\\\"LoadBalancer\\\"}}\\n\"}"
		",\"managedFields\":[{\"manager\":\"kubectl-client-side-apply\",\"operation\":"
		"\"Update\",\"apiVersion\":\"v1\",\"time\":\"2026-01-01T00:00:00Z\",\"fieldsType\":"
		"\"FieldsV1\",\"fieldsV1\":{\"f:metadata\":{\"f:annotations\":{\".\":{},"
		"\"f:kubectl.kubernetes.io/last-applied-configuration\":{}},\"f:labels\":{\".\":{},"
		"\"f:app.kubernetes.io/name\":{},\"f:kubefed.io/managed\":{}}},\"f:spec\":{"
		"\"f:allocateLoadBalancerNodePorts\":{},\"f:externalTrafficPolicy\":{},"
		"\"f:internalTrafficPolicy\":{},\"f:ports\":{\".\":{},"
		"\"k:{\\\"port\\\":80,\\\"protocol\\\":\\\"TCP\\\"}\":{\".\":{},\"f:name\":{},"
		"\"f:port\":{},\"f:protocol\":{},\"f:targetPort\":{}}},\"f:selector\":{},"
		"\"f:sessionAffinity\":{},\"f:type\":{}}}},{\"manager\":\"cloud-controller-"
		"manager\","
		"\"operation\":\"Update\",\"apiVersion\":\"v1\",\"time\":\"2026-01-01T00:00:07Z\","
		"\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:metadata\":{\"f:finalizers\":{\".\":"
		"{},"
		"\"v:\\\"service.kubernetes.io/load-balancer-cleanup\\\"\":{}}},\"f:status\":{"
		"\"f:loadBalancer\":{\"f:ingress\":{}}}},\"subresource\":\"status\"}]",
		i);
}

static void add_service(struct text *out, size_t i, void *arg)
{
	const struct member *m = arg;

	text_printf(out,
	            "{\"metadata\":{\"name\":\"s%07zu\",\"namespace\":\"bench\",\"labels\":{"
	            "\"app.kubernetes.io/name\":\"s%07zu\",\"app.kubernetes.io/instance\":\"main\","
	            "\"kubefed.io/managed\":\"true\"},\"uid\":\"",
	            i, i);
	add_uid(out, i, 0);
	text_add(out, "\"");
	if (m->is_real_size)
		add_service_history(out, i);
	text_add(out, ",\"finalizers\":[\"service.kubernetes.io/load-balancer-cleanup\"]},"
	              "\"spec\":{\"ports\":[{\"name\":\"http\",\"protocol\":\"TCP\",\"port\":80,"
	              "\"targetPort\":8080,\"nodePort\":30080}],\"selector\":{");
	text_printf(out, "\"app.kubernetes.io/name\":\"s%07zu\"},\"clusterIP\":\"", i);
	add_address(out, 0xac100001u + (uint32_t)i);
	text_add(out, "\",\"clusterIPs\":[\"");
	add_address(out, 0xac100001u + (uint32_t)i);
	text_add(out, "\"],\"type\":\"LoadBalancer\",\"sessionAffinity\":\"None\","
	              "\"externalTrafficPolicy\":\"Cluster\",\"ipFamilies\":[\"IPv4\"],"
	              "\"ipFamilyPolicy\":\"SingleStack\",\"allocateLoadBalancerNodePorts\":true,"
	              "\"internalTrafficPolicy\":\"Cluster\"},\"status\":{\"loadBalancer\":{"
	              "\"ingress\":[{\"ip\":\"");
	add_address(out, address_of(m, i));
	text_add(out, "\",\"ipMode\":\"VIP\"}]}}}");
}

/* What the endpoint slice controller leaves. */
static void add_slice_history(struct text *out, size_t i)
{
	text_printf(out,
	            ",\"annotations\":{\"endpoints.kubernetes.io/last-change-trigger-time\":"
	            "\"2026-01-01T00:00:09Z\"},\"ownerReferences\":[{\"apiVersion\":\"v1\","
	            "\"kind\":\"Service\",\"name\":\"s%07zu\",\"uid\":\"",
	            i);
	add_uid(out, i, 0);
	text_add(out, "\",\"controller\":true,\"blockOwnerDeletion\":true}],\"managedFields\":[{"
	              "\"manager\":\"kube-controller-manager\",\"operation\":\"Update\","
	              "\"apiVersion\":\"discovery.k8s.io/v1\",\"time\":\"2026-01-01T00:00:09Z\","
	              "\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:addressType\":{},"
	              "\"f:endpoints\":{},\"f:metadata\":{\"f:annotations\":{\".\":{},"
	              "\"f:endpoints.kubernetes.io/last-change-trigger-time\":{}},"
	              "\"f:generateName\":{},\"f:labels\":{\".\":{},"
	              "\"f:app.kubernetes.io/instance\":{},\"f:app.kubernetes.io/name\":{},"
	              "\"f:endpointslice.kubernetes.io/managed-by\":{},"
	              "\"f:kubefed.io/managed\":{},\"f:kubernetes.io/service-name\":{}},"
	              "\"f:ownerReferences\":{\".\":{},\"k:{\\\"uid\\\":\\\"");
	add_uid(out, i, 0);
	text_add(out, "\\\"}\":{}}},\"f:ports\":{}}}]");
}

static void write_slice(struct text *out, size_t i, const struct slice *s)
{
	const char *ready = s->ready ? "true" : "false";

	text_printf(out,
	            "{\"metadata\":{\"name\":\"s%07zu-x2x9q\",\"namespace\":\"bench\","
	            "\"generateName\":\"s%07zu-\",\"generation\":%u,\"labels\":{"
	            "\"app.kubernetes.io/instance\":\"main\",\"app.kubernetes.io/name\":\"s%07zu\","
	            "\"endpointslice.kubernetes.io/managed-by\":"
	            "\"endpointslice-controller.k8s.io\",\"kubefed.io/managed\":\"true\","
	            "\"kubernetes.io/service-name\":\"s%07zu\"},\"uid\":\"",
	            i, i, s->generation, i, i);
	add_uid(out, i, 1);
	text_add(out, "\"");
	if (s->member->is_real_size)
		add_slice_history(out, i);
	text_printf(out,
	            "},\"addressType\":\"IPv4\",\"endpoints\":[{\"addresses\":[\"172.31.0.7\"],"
	            "\"conditions\":{\"ready\":%s,\"serving\":%s,\"terminating\":false},"
	            "\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"bench\",\"name\":"
	            "\"s%07zu-5d8f9c7b6d-abcde\",\"uid\":\"",
	            ready, ready, i);
	add_uid(out, i, 2);
	text_add(out, "\"},\"nodeName\":\"node-1.example\",\"zone\":\"zone-a\"}],\"ports\":[{"
	              "\"name\":\"http\",\"protocol\":\"TCP\",\"port\":8080}]}");
}

static void add_slice(struct text *out, size_t i, void *arg)
{
	write_slice(out, i, &(struct slice){arg, true, 1});
}

static void add_record(struct text *out, size_t i, void *arg)
{
	(void)arg;
	text_printf(out,
	            "{\"metadata\":{\"name\":\"s%07zu\",\"namespace\":\"bench\"},"
	            "\"spec\":{\"domainRef\":\"fed\",\"recordTTL\":300}}",
	            i);
}

static void put_slice(const struct slice *s, size_t i)
{
	struct text json = {0};

	write_slice(&json, i, s);
	fakeapi_put(s->member->api, FAKEAPI_SLICES, "%s", json.data);
	text_fini(&json);
}

/* --- servers --- */

static void write_kubeconfig(const struct fakeapi *f, const char *folder, const char *name)
{
	struct text path = {0};
	FILE *out;

	text_printf(&path, "%s/%s.kubeconfig", folder, name);
	out = fopen(path.data, "w");
	CHECK(out != NULL);
	fprintf(out,
	        "{apiVersion: v1, kind: Config, current-context: fake, clusters: [{name: fake, "
	        "cluster: {server: \"%s\", certificate-authority-data: %s}}], users: [{name: "
	        "reader, "
	        "user: {token: \"%s\"}}], contexts: [{name: fake, context: {cluster: fake, user: "
	        "reader}}]}\n",
	        fakeapi_url(f), fakeapi_ca_base64(f), fakeapi_token(f));
	CHECK(fclose(out) == 0);
	text_fini(&path);
}

static void fleet_init(struct fleet *fleet, const struct fakeapi_options *options,
                       bool is_real_size, const char *folder)
{
	char name[16];

	fleet->host = fakeapi_new(NULL);
	fakeapi_put(fleet->host, FAKEAPI_DOMAINS,
	            "{'metadata':{'name':'fed','namespace':'kube-federation-system'},"
	            "'domain':'example.test'}");
	fakeapi_put_many(fleet->host, FAKEAPI_SERVICE_RECORDS, fleet->service_count, add_record,
	                 NULL);
	write_kubeconfig(fleet->host, folder, "host");
	for (unsigned n = 0; n < fleet->member_count; n++) {
		struct member *m = &fleet->members[n];

		*m = (struct member){fakeapi_new(options), n, is_real_size};
		if (options->watch_list == FAKEAPI_WATCH_LIST_SERVED)
			fakeapi_set_version_text(m->api, "v1.34.4");
		fakeapi_put_many(m->api, FAKEAPI_SERVICES, fleet->service_count, add_service, m);
		fakeapi_put_many(m->api, FAKEAPI_SLICES, fleet->service_count, add_slice, m);
		snprintf(name, sizeof(name), "m%u", n);
		write_kubeconfig(m->api, folder, name);
	}
}

static void fleet_fini(struct fleet *fleet)
{
	for (size_t n = 0; n < fleet->member_count; n++)
		fakeapi_free(fleet->members[n].api);
	fakeapi_free(fleet->host);
}

/* --- asking nighd --- */

static int asker_open(unsigned port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons((uint16_t)port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_usec = 200000};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && connect(fd, (void *)&to, sizeof(to)) == 0);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
	return fd;
}

static size_t add_labels(uint8_t *out, const char *name)
{
	size_t len = 0;

	while (*name) {
		size_t label = strcspn(name, ".");

		out[len++] = (uint8_t)label;
		memcpy(out + len, name, label);
		len += label;
		name += label + (name[label] == '.');
	}
	out[len++] = 0;
	return len;
}

/* The address that service i has now, the last four bytes of an answer of one A; 0: another answer, or none. */
static uint32_t ask(int fd, size_t i)
{
	uint8_t packet[512] = {0x4e, 0, 0, 0, 0, 1};
	uint32_t address;
	char name[64];
	ssize_t got;
	size_t len;

	snprintf(name, sizeof(name), "s%07zu.bench.fed.svc.example.test", i);
	len = 12 + add_labels(packet + 12, name);
	memcpy(packet + len, "\0\1\0\1", 4);
	if (send(fd, packet, len + 4, 0) < 0)
		return 0;
	got = recv(fd, packet, sizeof(packet), 0);
	if (got < 16 || (packet[3] & 15) != 0 || packet[7] != 1)
		return 0;
	memcpy(&address, packet + got - 4, 4);
	return ntohl(address);
}

/* When the first answer with another address came; 0: it never did. */
static double await(int fd, size_t i, uint32_t before)
{
	double limit_s = now_s() + ANSWER_WITHIN_S;

	for (double t = now_s(); t < limit_s; t = now_s()) {
		uint32_t address = ask(fd, i);

		if (address && address != before)
			return now_s();
		rest_until(t + POLL_US * 1e-6);
	}
	return 0;
}

/* --- commands --- */

static void reply(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void reply(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static void tell_served(const struct fleet *fleet)
{
	uint64_t bytes = 0;
	struct timespec t;

	for (size_t n = 0; n < fleet->member_count; n++)
		bytes += fakeapi_bytes(fleet->members[n].api);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	reply("{\"cpu\": %.6f, \"bytes\": %" PRIu64 "}",
	      (double)t.tv_sec + (double)t.tv_nsec * 1e-9, bytes);
}

static void tell_connected(struct member *m)
{
	while (fakeapi_connections_ever(m->api) == 0)
		rest_until(now_s() + 0.001);
	reply("{\"at\": %.6f}", now_s());
}

static void change(const struct member *m, size_t i, bool ready, unsigned port)
{
	static const unsigned next = 2;
	int fd = asker_open(port);
	uint32_t before = ask(fd, i);
	double put_s = now_s();

	put_slice(&(struct slice){m, ready, next}, i);
	reply("{\"put\": %.6f, \"answered\": %.6f}", put_s, await(fd, i, before));
	close(fd);
}

static void watch_answers(size_t i, unsigned port)
{
	int fd = asker_open(port);
	uint32_t before = ask(fd, i);

	reply("{\"before\": %" PRIu32 "}", before);
	reply("{\"answered\": %.6f}", await(fd, i, before));
	close(fd);
}

static void storm(const struct member *m, size_t count, unsigned rate, unsigned seconds)
{
	bool *away = xcalloc(count, sizeof(*away));
	uint64_t random = 88172645463325252u;
	double begin_s = now_s(), late_s = 0;
	unsigned made = 0;

	for (; made < rate * seconds; made++) {
		double due_s = begin_s + (double)made / rate;
		size_t i;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		i = random % count;
		if (now_s() < due_s)
			rest_until(due_s);
		else if (now_s() - due_s > late_s)
			late_s = now_s() - due_s;
		away[i] = !away[i];
		put_slice(&(struct slice){m, !away[i], made + 2}, i);
	}
	reply("{\"made\": %u, \"elapsed\": %.3f, \"late\": %.4f}", made, now_s() - begin_s, late_s);
	free(away);
}

static void obey(struct fleet *fleet, const char *line)
{
	unsigned n, port, rate, seconds;
	char word[8];
	size_t i;

	if (strcmp(line, "served\n") == 0)
		tell_served(fleet);
	else if (sscanf(line, "connected %u", &n) == 1 && n < fleet->member_count)
		tell_connected(&fleet->members[n]);
	else if (sscanf(line, "change %u %zu %7s %u", &n, &i, word, &port) == 4 &&
	         n < fleet->member_count && i < fleet->service_count)
		change(&fleet->members[n], i, strcmp(word, "ready") == 0, port);
	else if (sscanf(line, "await %zu %u", &i, &port) == 2)
		watch_answers(i, port);
	else if (sscanf(line, "storm %u %u %u", &n, &rate, &seconds) == 3 && rate > 0 &&
	         n < fleet->member_count)
		storm(&fleet->members[n], fleet->service_count, rate, seconds);
	else
		reply("{\"error\": \"not understood\"}");
}

static int usage(void)
{
	fputs("usage: clusters -n MEMBERS -s SERVICES [-z] [-w served|refused] [-f] FOLDER\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct fleet fleet = {.member_count = 1, .service_count = 1000};
	struct fakeapi_options options = {.bookmark_ms = 30000};
	bool is_real_size = false;
	char line[128];
	int option;

	while ((option = getopt(argc, argv, "n:s:zw:f")) != -1) {
		switch (option) {
		case 'n':
			fleet.member_count = strtoul(optarg, NULL, 10);
			break;
		case 's':
			fleet.service_count = strtoul(optarg, NULL, 10);
			break;
		case 'z':
			options.gzip = true;
			break;
		case 'f':
			is_real_size = true;
			break;
		case 'w':
			options.watch_list = strcmp(optarg, "served") == 0
			                             ? FAKEAPI_WATCH_LIST_SERVED
			                             : FAKEAPI_WATCH_LIST_REFUSED;
			break;
		default:
			return usage();
		}
	}
	if (optind + 1 != argc || fleet.member_count > MEMBERS_MOST || fleet.service_count == 0 ||
	    fleet.service_count > SERVICES_MOST)
		return usage();
	prctl(PR_SET_TIMERSLACK, 1000); /* else a rest is 50 us longer than it is asked to be */
	fleet_init(&fleet, &options, is_real_size, argv[optind]);
	reply("{\"ready\": %zu}", fleet.member_count);
	while (fgets(line, sizeof(line), stdin))
		obey(&fleet, line);
	fleet_fini(&fleet);
	return 0;
}
