/* kubefed_chart.c -- what KubeFed's chart has in a host, and the webhook of it that runs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/evp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/e2e/support/cluster_inside.h"
#include "tests/e2e/support/kubefed.h"
#include "tests/support/world_inside.h"

enum { SOON_MS = 30000 };

#define CHART   "tests/e2e/kubefed/chart.yaml"
#define WEBHOOK "kubefed-admission-webhook"
#define SERVICE "/api/v1/namespaces/" FEDERATION "/services/" WEBHOOK
#define LOG     "kubefed-webhook"

/* --- the network --- */

void kubefed_be_alone(void)
{
	if (unshare(CLONE_NEWNET | (geteuid() == 0 ? 0 : CLONE_NEWUSER)) != 0)
		fail_msg("a network of its own: %s", strerror(errno));
	if (system("ip link set lo up") != 0)
		fail_msg("no loopback of its own");
}

/* There is no kube-proxy: the address of its Service is the webhook's own. */
static void take_service_address(struct kubefed *k)
{
	const char *key = "\"clusterIP\":\"", *at;
	char address[INET6_ADDRSTRLEN], command[120];

	assert_int_equal(cluster_send(k->f->host, "GET", SERVICE, NULL, NULL), 200);
	at = strstr(cluster_body(k->f->host), key);
	assert_non_null(at);
	at += strlen(key);
	snprintf(address, sizeof(address), "%.*s", (int)strcspn(at, "\""), at);
	snprintf(command, sizeof(command), "ip address add %s/32 dev lo", address);
	if (system(command) != 0)
		fail_msg("%s", command);
}

/* --- the chart --- */

static char *base64(const char *bytes)
{
	size_t len = strlen(bytes);
	char *out = xcalloc(len + 4, 2);

	EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)bytes, (int)len);
	return out;
}

/* With `value` wherever the text says `word`. */
static char *replaced(const char *text, const char *word, const char *value)
{
	struct text out = {0};
	const char *at;
	char *copy;

	for (; (at = strstr(text, word)); text = at + strlen(word))
		text_printf(&out, "%.*s%s", (int)(at - text), text, value);
	text_add(&out, text);
	copy = xstrdup(out.data);
	text_fini(&out);
	return copy;
}

static void add_certificate(struct kubefed *k, const char *file, const char *key, struct text *out)
{
	struct text pem = {0};
	char *encoded;

	assert_true(inside_read_file(cloud_path(k->f->cloud, file), &pem));
	encoded = base64(pem.data);
	text_printf(out, "  %s: %s\n", key, encoded);
	free(encoded);
	text_fini(&pem);
}

/* Helm makes an authority anew each time; this is that of the cloud. */
static void apply_certificate(struct kubefed *k)
{
	struct text secret = {0};

	cloud_issue_replica(k->f->cloud, "tls", WEBHOOK "." FEDERATION ".svc");
	text_add(&secret, "apiVersion: v1\n"
	                  "kind: Secret\n"
	                  "metadata: {name: " WEBHOOK "-serving-cert, namespace: " FEDERATION "}\n"
	                  "type: kubernetes.io/tls\n"
	                  "data:\n");
	add_certificate(k, "tls.crt", "tls.crt", &secret);
	add_certificate(k, "tls.key", "tls.key", &secret);
	cluster_apply(k->f->host, "%s", secret.data);
	text_fini(&secret);
}

/* What remembers a release: its list is empty here. */
static void apply_release(struct kubefed *k)
{
	cluster_apply(k->f->host, "apiVersion: v1\n"
	                          "kind: Secret\n"
	                          "metadata:\n"
	                          "  name: sh.helm.release.v1.kubefed.v1\n"
	                          "  namespace: " FEDERATION "\n"
	                          "  labels: {owner: helm, name: kubefed, status: deployed, "
	                          "version: \"1\"}\n"
	                          "type: helm.sh/release.v1\n"
	                          "data: {release: e30=}\n");
}

void kubefed_install(struct kubefed *k)
{
	struct text chart = {0};
	char *ca, *whole;

	apply_certificate(k);
	apply_release(k);
	ca = base64(cluster_ca(k->f->host));
	assert_true(inside_read_file(CHART, &chart));
	whole = replaced(chart.data, "CA_BUNDLE", ca);
	/* Its registration comes last: from then on what nobody answers is refused. */
	cluster_apply(k->f->host, "%s", whole);
	text_fini(&chart);
	free(whole);
	free(ca);
	take_service_address(k);
}

/* --- the webhook --- */

/* Its Deployment has what it wants, whichever its generation is. */
static void say_available(struct kubefed *k)
{
	cluster_patch_status(k->f->host, "apps/v1", "Deployment", FEDERATION, WEBHOOK,
	                     "{\"status\":{\"observedGeneration\":1000,\"replicas\":1,"
	                     "\"updatedReplicas\":1,\"readyReplicas\":1,\"availableReplicas\":1}}");
}

void kubefed_start_webhook(struct kubefed *k)
{
	char kubeconfig[220], certificates[220];
	const char *const argv[] = {"hyperfed", "webhook",           kubeconfig, certificates,
	                            "--v=2",    "--secure-port=443", NULL};

	snprintf(kubeconfig, sizeof(kubeconfig), "--kubeconfig=%s", k->f->kubeconfig);
	snprintf(certificates, sizeof(certificates), "--cert-dir=%s", k->f->cloud->dir);
	k->webhook = cloud_run(k->f->cloud, argv, LOG);
	say_available(k);
}

void kubefed_stop_webhook(struct kubefed *k) { cloud_end(&k->webhook); }
