/* propagator.c -- nigh-propagator at size: federated Deployments on many clusters, all of them scripted API servers in this
 * process (tests/support/fakeapi.h).  Prints what it takes.
 *
 * $PROPAGATOR is the program; $OBJECTS (1000) and $CLUSTERS (50) the size, $SILENT (10) how many are silent at the end.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "tests/bench/process.h"
#include "tests/support/fakeapi.h"

#define FEDERATION  "kube-federation-system"
#define CORE        "/apis/core.kubefed.io/"
#define TYPES       "/apis/types.kubefed.io/v1beta1/"
#define DEPLOYMENTS TYPES "federateddeployments"

enum { CLUSTERS_MOST = 200, PATIENCE_S = 600, STEADY_S = 20, ROUNDS = 5 };

struct bench {
	struct fakeapi *host, *members[CLUSTERS_MOST];
	unsigned objects, clusters;
	_Atomic uint64_t host_writes, member_writes[CLUSTERS_MOST];
	char kubeconfig[64];
	pid_t program;
};

struct counter {
	struct bench *b;
	unsigned member;
};

static void give_up(const char *why)
{
	fprintf(stderr, "propagator bench: %s\n", why);
	exit(1);
}

/* --- the world --- */

static void on_host_write(const char *request, void *arg)
{
	if (!strstr(request, "/leases") && !strstr(request, "/kubefedclusters/"))
		((struct bench *)arg)->host_writes++;
}

static void on_member_write(const char *request, void *arg)
{
	struct counter *c = arg;

	(void)request;
	c->b->member_writes[c->member]++;
}

static void put_type(struct bench *b, const char *name, const char *group, const char *kind,
                     const char *plural, const char *scope)
{
	fakeapi_put(b->host, CORE "v1beta1/federatedtypeconfigs",
	            "{'metadata':{'name':'%s','namespace':'" FEDERATION
	            "','generation':1},'spec':{'propagation':'Enabled','targetType':{'group':'%s',"
	            "'version':'v1','kind':'%s','pluralName':'%s','scope':'%s'},'federatedType':{"
	            "'group':'types.kubefed.io','version':'v1beta1','kind':'Federated%s',"
	            "'pluralName':'federated%s','scope':'Namespaced'}}}",
	            name, group, kind, plural, scope, kind, plural);
}

static void make_host(struct bench *b)
{
	b->host = fakeapi_new(NULL);
	fakeapi_register(b->host, CORE "v1beta1/federatedtypeconfigs", "FederatedTypeConfig", true);
	fakeapi_register(b->host, CORE "v1alpha1/propagatedversions", "PropagatedVersion", true);
	fakeapi_register(b->host, CORE "v1alpha1/clusterpropagatedversions",
	                 "ClusterPropagatedVersion", false);
	fakeapi_register(b->host, TYPES "federatednamespaces", "FederatedNamespace", true);
	fakeapi_register(b->host, DEPLOYMENTS, "FederatedDeployment", true);
	fakeapi_register(b->host, "/api/v1/events", "Event", true);
	put_type(b, "namespaces", "", "Namespace", "namespaces", "Cluster");
	put_type(b, "deployments.apps", "apps", "Deployment", "deployments", "Namespaced");
	fakeapi_put(b->host, FAKEAPI_NAMESPACES, "{'metadata':{'name':'shop'}}");
	fakeapi_put(b->host, TYPES "federatednamespaces",
	            "{'metadata':{'name':'shop','namespace':'shop','generation':1},'spec':{"
	            "'template':{},'placement':{'clusterSelector':{}}}}");
	fakeapi_on_write(b->host, on_host_write, b);
}

static void make_member(struct bench *b, unsigned i)
{
	struct fakeapi *f = b->members[i] = fakeapi_new(NULL);
	const char *token = fakeapi_token(f);
	struct counter *c = xcalloc(1, sizeof(*c));
	char coded[200];

	*c = (struct counter){b, i};
	EVP_EncodeBlock((unsigned char *)coded, (const unsigned char *)token, (int)strlen(token));
	fakeapi_put(b->host, FAKEAPI_SECRETS,
	            "{'metadata':{'name':'c%03u','namespace':'" FEDERATION "'},'data':{'token':'%s'}}",
	            i, coded);
	fakeapi_put(b->host, FAKEAPI_CLUSTERS,
	            "{'metadata':{'name':'c%03u','namespace':'" FEDERATION
	            "'},'spec':{'apiEndpoint':'%s','caBundle':'%s','secretRef':{'name':'c%03u'}}}",
	            i, fakeapi_url(f), fakeapi_ca_base64(f), i);
	fakeapi_on_write(f, on_member_write, c);
}

static void write_kubeconfig(struct bench *b)
{
	FILE *out;
	int fd;

	strcpy(b->kubeconfig, "/tmp/nigh-bench-XXXXXX");
	fd = mkstemp(b->kubeconfig);
	out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!out)
		give_up("no kubeconfig");
	fprintf(out,
	        "apiVersion: v1\nkind: Config\ncurrent-context: host\n"
	        "contexts: [{name: host, context: {cluster: host, user: host}}]\n"
	        "clusters: [{name: host, cluster: {server: \"%s\", certificate-authority-data: %s}}]\n"
	        "users: [{name: host, user: {token: %s}}]\n",
	        fakeapi_url(b->host), fakeapi_ca_base64(b->host), fakeapi_token(b->host));
	fclose(out);
}

static void start(struct bench *b)
{
	const char *program = getenv("PROPAGATOR");

	if (!program)
		give_up("PROPAGATOR is not set");
	b->program = fork();
	if (b->program > 0)
		return;
	int out = open("/dev/null", O_WRONLY);

	dup2(out, 1);
	dup2(out, 2);
	execl(program, program, "--kubeconfig", b->kubeconfig, "--http", "127.0.0.1:0", NULL);
	_exit(127);
}

/* --- what the program takes --- */

static double cpu_s(const struct bench *b) { return process_cpu_s(b->program); }

static unsigned memory_kib(const struct bench *b) { return process_memory_kib(b->program); }

static void rest(unsigned ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&t, NULL);
}

static uint64_t writes_of(struct bench *b, unsigned from)
{
	uint64_t sum = 0;

	for (unsigned i = from; i < b->clusters; i++)
		sum += b->member_writes[i];
	return sum;
}

/* Until the members from `from` on have had so many writes; in seconds. */
static double await(struct bench *b, unsigned from, uint64_t writes)
{
	uint64_t begin_ms = clock_monotonic_ms();

	while (writes_of(b, from) < writes) {
		if (clock_monotonic_ms() - begin_ms > PATIENCE_S * 1000ULL)
			give_up("it does not come to an end");
		rest(2);
	}
	return (double)(clock_monotonic_ms() - begin_ms) / 1000;
}

/* Until nothing was written for two seconds. */
static void calm(struct bench *b)
{
	uint64_t since_ms = clock_monotonic_ms(), seen = 0;

	while (clock_monotonic_ms() - since_ms < 2000) {
		uint64_t now = writes_of(b, 0) + b->host_writes;

		if (now != seen)
			since_ms = clock_monotonic_ms();
		seen = now;
		rest(50);
	}
}

/* --- what is done --- */

static void generate(struct text *out, size_t i, void *arg)
{
	text_printf(out,
	            "{'metadata':{'name':'web-%05u','namespace':'shop','generation':1},'spec':{"
	            "'template':{'metadata':{'labels':{'app':'web-%05u'}},'spec':{'replicas':%d,"
	            "'selector':{'matchLabels':{'app':'web-%05u'}},'template':{'metadata':{"
	            "'labels':{'app':'web-%05u'}},'spec':{'containers':[{'name':'web','image':"
	            "'registry.example/web:1.2.3','ports':[{'containerPort':8080}],'resources':{"
	            "'requests':{'cpu':'100m','memory':'128Mi'}},'env':[{'name':'A','value':'b'}]}]"
	            "}}}},'placement':{'clusterSelector':{}}}}",
	            (unsigned)i, (unsigned)i, *(int *)arg, (unsigned)i, (unsigned)i);
}

static void change(struct bench *b, unsigned i, int replicas)
{
	char name[32];

	snprintf(name, sizeof(name), "shop/web-%05u", i);
	fakeapi_edit(b->host, DEPLOYMENTS, name, "{'spec':{'template':{'spec':{'replicas':%d}}}}",
	             replicas);
}

static void change_all(struct bench *b, int replicas)
{
	for (unsigned i = 0; i < b->objects; i++)
		change(b, i, replicas);
}

/* Waits for so many more writes in the members from `from` on, and prints what they took since `cpu`. */
static void tell(struct bench *b, const char *what, unsigned from, uint64_t before, uint64_t count,
                 double cpu)
{
	double seconds = await(b, from, before + count);

	printf("%-34s %8.2f s %8.0f writes/s %8.1f us of CPU for a write\n", what, seconds,
	       (double)count / seconds, (cpu_s(b) - cpu) * 1e6 / (double)count);
	fflush(stdout);
}

/* As controllers of the members would say it. */
static void make_current(struct bench *b, int replicas)
{
	for (unsigned m = 0; m < b->clusters; m++)
		for (unsigned i = 0; i < b->objects; i++) {
			char name[32];

			snprintf(name, sizeof(name), "shop/web-%05u", i);
			fakeapi_edit(b->members[m], FAKEAPI_DEPLOYMENTS, name,
			             "{'status':{'observedGeneration':1,'replicas':%d,"
			             "'updatedReplicas':%d,'readyReplicas':%d,"
			             "'availableReplicas':%d,'conditions':[{'type':'Available',"
			             "'status':'True'}]}}",
			             replicas, replicas, replicas, replicas);
		}
}

static void measure_creation(struct bench *b)
{
	uint64_t copies = (uint64_t)b->objects * b->clusters, writes = writes_of(b, 0);
	unsigned before_kib = memory_kib(b);
	double cpu = cpu_s(b);
	int replicas = 1;

	fakeapi_put_many(b->host, DEPLOYMENTS, b->objects, generate, &replicas);
	tell(b, "all created", 0, writes, copies, cpu);
	calm(b);
	printf("%-34s %8u KiB, before %u KiB: %.2f KiB for an object and its %u copies\n", "memory",
	       memory_kib(b), before_kib,
	       (double)(memory_kib(b) - before_kib) / (double)b->objects, b->clusters);
	printf("%-34s %8llu\n", "writes too many in members",
	       (unsigned long long)(writes_of(b, 0) - writes - copies));
}

static void measure_steady(struct bench *b)
{
	uint64_t writes;
	double cpu;

	make_current(b, 1);
	rest(5000);
	calm(b);
	writes = writes_of(b, 0) + b->host_writes;
	cpu = cpu_s(b);
	rest(STEADY_S * 1000);
	printf("%-34s %8.2f %% of a core, %llu writes in %d s\n", "steady",
	       (cpu_s(b) - cpu) * 100 / STEADY_S,
	       (unsigned long long)(writes_of(b, 0) + b->host_writes - writes), STEADY_S);
}

static void measure_changes(struct bench *b)
{
	uint64_t copies = (uint64_t)b->objects * b->clusters, writes = writes_of(b, 0);
	double cpu = cpu_s(b);

	change(b, 0, 2);
	tell(b, "one template changed", 0, writes, b->clusters, cpu);
	calm(b);
	printf("%-34s %8llu\n", "writes in members for it",
	       (unsigned long long)(writes_of(b, 0) - writes));
	writes = writes_of(b, 0);
	cpu = cpu_s(b);
	change_all(b, 3);
	tell(b, "all templates changed", 0, writes, copies, cpu);
	calm(b);
}

/* How long the clusters from `silent` on take for a change of everything. */
static double change_for(struct bench *b, unsigned silent, int replicas)
{
	uint64_t copies = (uint64_t)b->objects * (b->clusters - silent);
	uint64_t writes = writes_of(b, silent);

	change_all(b, replicas);
	return await(b, silent, writes + copies);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* By turns all answer, and the first so many accept connections and are silent. */
static void measure_silent(struct bench *b, unsigned silent)
{
	double all[ROUNDS], rest_of_them[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		all[i] = change_for(b, silent, 10 + 2 * i);
		calm(b);
		for (unsigned m = 0; m < silent; m++)
			fakeapi_freeze(b->members[m]);
		rest_of_them[i] = change_for(b, silent, 11 + 2 * i);
		for (unsigned m = 0; m < silent; m++)
			fakeapi_thaw(b->members[m]);
		calm(b);
	}
	qsort(all, ROUNDS, sizeof(*all), by_size);
	qsort(rest_of_them, ROUNDS, sizeof(*rest_of_them), by_size);
	printf("all changed, %u counted: %.2f s (%.2f to %.2f) while all answer, %.2f s (%.2f to %.2f) "
	       "while %u are silent\n",
	       b->clusters - silent, all[ROUNDS / 2], all[0], all[ROUNDS - 1],
	       rest_of_them[ROUNDS / 2], rest_of_them[0], rest_of_them[ROUNDS - 1], silent);
}

static unsigned size_of(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)atoi(text) : otherwise;
}

int main(void)
{
	static struct bench b;
	unsigned silent = size_of("SILENT", 10);

	b.objects = size_of("OBJECTS", 1000);
	b.clusters = size_of("CLUSTERS", 50);
	if (b.clusters > CLUSTERS_MOST || b.clusters <= silent)
		give_up("CLUSTERS is at most 200, and above SILENT");
	make_host(&b);
	for (unsigned i = 0; i < b.clusters; i++)
		make_member(&b, i);
	write_kubeconfig(&b);
	start(&b);
	await(&b, 0, b.clusters);
	calm(&b);
	measure_creation(&b);
	measure_steady(&b);
	measure_changes(&b);
	measure_silent(&b, silent);
	kill(b.program, SIGKILL);
	waitpid(b.program, NULL, 0);
	unlink(b.kubeconfig);
	return 0;
}
