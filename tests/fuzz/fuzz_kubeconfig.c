/* fuzz_kubeconfig.c -- any bytes as a kubeconfig: refused and told why, or an access that holds together. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "kube/exec.h"
#include "kube/expiry.h"
#include "kube/kubeconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the transport relies on. */
static void check_access(const struct kube_access *a)
{
	int64_t at;
	char *again;

	CHECK(kube_endpoint_read(a->server, &again, NULL) == ERR_OK);
	CHECK(strcmp(again, a->server) == 0);
	free(again);
	CHECK(!a->proxy || kube_proxy_check(a->proxy, NULL) == ERR_OK);
	CHECK(!a->token.data || kube_token_check(kube_secret_bytes(&a->token), NULL) == ERR_OK);
	CHECK(!a->any_certificate || (!a->ca && !a->ca_file));
	CHECK(!(a->certificate.data || a->certificate_file) == !(a->key.data || a->key_file));
	CHECK(!a->exec.command || a->exec.api_version);
	for (size_t i = 0; i < a->exec.env_count; i++)
		CHECK(strchr(a->exec.env[i], '=') > a->exec.env[i]);
	(void)kube_expiry(a, &at);
}

static void check_credential(struct bytes text)
{
	struct kube_credential got = {0};
	struct reason why = {""};

	if (kube_exec_decode(text, "client.authentication.k8s.io/v1", &got, &why) == ERR_OK)
		CHECK(got.token.data || (got.certificate.data && got.key.data));
	else
		CHECK(why.text[0] && !got.token.data && !got.certificate.data && !got.key.data);
	kube_credential_fini(&got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct kube_access none;
	struct bytes text = {data, size};
	struct kube_access a, again;
	struct reason why = {""};

	check_credential(text);
	if (kubeconfig_parse(text, "folder/fuzz", NULL, &a, &why) != ERR_OK) {
		CHECK(strncmp(why.text, "folder/fuzz:", 12) == 0);
		CHECK(memcmp(&a, &none, sizeof(a)) == 0);
		return 0;
	}
	check_access(&a);
	CHECK(kubeconfig_parse(text, "folder/fuzz", NULL, &again, &why) == ERR_OK);
	CHECK(kube_access_equal(&a, &again));
	kube_access_fini(&again);
	kube_access_fini(&a);
	return 0;
}
