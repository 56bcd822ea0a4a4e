/* SPDX-License-Identifier: Apache-2.0 */
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

#include "base/check.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "kube/kubeconfig.h"
#include "tests/support/kube_folder.h"

/* base64 of "-----BEGIN CA-----\n" and so on: PEM enough to be taken */
#define CA64   "LS0tLS1CRUdJTiBDQS0tLS0tCg=="
#define CERT64 "LS0tLS1CRUdJTiBDRVJULS0tLS0K"
#define KEY64  "LS0tLS1CRUdJTiBLRVktLS0tLQo="

/* One file of many cases: their `%s` is a user or a cluster. */
#define HEAD                                                                                       \
	"apiVersion: v1\n"                                                                         \
	"kind: Config\n"                                                                           \
	"current-context: dev\n"                                                                   \
	"contexts: [{name: dev, context: {cluster: c, user: u}}]\n"
#define SERVER "clusters: [{name: c, cluster: {server: 'https://192.0.2.1:6443'}}]\n"
#define NOBODY "users: [{name: u, user: {}}]\n"

static struct kube_access a;
static struct reason why;

static int setup(void **state)
{
	(void)state;
	a = (struct kube_access){0};
	why = (struct reason){""};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kube_access_fini(&a);
	return 0;
}

static void parses_in(const char *text, const char *context)
{
	kube_access_fini(&a);
	why.text[0] = '\0';
	if (kubeconfig_parse(bytes_of(text), "/etc/nigh/config", context, &a, &why) != ERR_OK)
		fail_msg("%s", why.text);
}

static void fails_in(const char *text, const char *context, enum err err, const char *reason)
{
	static const struct kube_access none;

	kube_access_fini(&a);
	assert_int_equal(kubeconfig_parse(bytes_of(text), "/etc/nigh/config", context, &a, &why),
	                 err);
	assert_string_equal(why.text, reason);
	assert_memory_equal(&a, &none, sizeof(a));
}

static void parses(const char *text) { parses_in(text, NULL); }
static void fails(const char *text, enum err err, const char *reason)
{
	fails_in(text, NULL, err, reason);
}

/* A file with this user or this cluster, each in flow style; the user is in line 6, the cluster in line 5. */
static void user_parses(const char *user)
{
	struct text text = {0};

	text_printf(&text, HEAD SERVER "users: [{name: u, user: {%s}}]\n", user);
	parses(text.data);
	text_fini(&text);
}

static void user_fails(const char *user, enum err err, const char *reason)
{
	struct text text = {0}, said = {0};

	text_printf(&text, HEAD SERVER "users: [{name: u, user: {%s}}]\n", user);
	text_printf(&said, "/etc/nigh/config:6: users[0].user.%s", reason);
	fails(text.data, err, said.data);
	text_fini(&text);
	text_fini(&said);
}

static void cluster_parses(const char *cluster)
{
	struct text text = {0};

	text_printf(&text,
	            HEAD "clusters: [{name: c, cluster: {server: 'https://h', %s}}]\n" NOBODY,
	            cluster);
	parses(text.data);
	text_fini(&text);
}

static void cluster_fails(const char *cluster, enum err err, const char *reason)
{
	struct text text = {0}, said = {0};

	text_printf(&text, HEAD "clusters: [{name: c, cluster: {%s}}]\n" NOBODY, cluster);
	text_printf(&said, "/etc/nigh/config:5: clusters[0].cluster.%s", reason);
	fails(text.data, err, said.data);
	text_fini(&text);
	text_fini(&said);
}

/* --- good ones --- */

/* As `kubectl config view --raw` writes them. */
static const char good[] = "apiVersion: v1\n"
			   "clusters:\n"
			   "- cluster:\n"
			   "    certificate-authority-data: " CA64 "\n"
			   "    server: https://192.0.2.1:6443/\n"
			   "    extensions: [{name: x, extension: {a: 1}}]\n"
			   "  name: tokyo\n"
			   "- cluster:\n"
			   "    server: http://[2001:db8::1]:8080/base\n"
			   "    proxy-url: socks5://proxy.example:1080\n"
			   "    tls-server-name: api.example.com\n"
			   "    disable-compression: true\n"
			   "  name: la\n"
			   "contexts:\n"
			   "- context:\n"
			   "    cluster: tokyo\n"
			   "    user: admin\n"
			   "    namespace: kube-federation-system\n"
			   "  name: admin@tokyo\n"
			   "- context:\n"
			   "    cluster: la\n"
			   "    user: robot\n"
			   "  name: robot@la\n"
			   "current-context: admin@tokyo\n"
			   "kind: Config\n"
			   "preferences: {}\n"
			   "users:\n"
			   "- name: admin\n"
			   "  user:\n"
			   "    client-certificate-data: " CERT64 "\n"
			   "    client-key-data: " KEY64 "\n"
			   "- name: robot\n"
			   "  user:\n"
			   "    token: CANARY-5d1f\n"
			   "    as: system:serviceaccount:dns:nigh\n";

static void test_the_current_context_is_taken(void **state)
{
	(void)state;
	parses(good);
	assert_string_equal(a.server, "https://192.0.2.1:6443");
	assert_string_equal(a.ca, "-----BEGIN CA-----\n");
	assert_string_equal(a.certificate.data, "-----BEGIN CERT-----\n");
	assert_string_equal(a.key.data, "-----BEGIN KEY-----\n");
	assert_string_equal(a.namespace, "kube-federation-system");
	assert_null(a.token.data);
	assert_null(a.ca_file);
	assert_null(a.proxy);
	assert_false(a.any_certificate || a.no_compression);
}

static void test_another_context_may_be_asked_for(void **state)
{
	(void)state;
	parses_in(good, "robot@la");
	assert_string_equal(a.server, "http://[2001:db8::1]:8080/base");
	assert_string_equal(a.proxy, "socks5://proxy.example:1080");
	assert_string_equal(a.server_name, "api.example.com");
	assert_string_equal(a.token.data, "CANARY-5d1f");
	assert_string_equal(a.impersonate, "system:serviceaccount:dns:nigh");
	assert_null(a.namespace);
	assert_true(a.no_compression);
	parses_in(good, "");
	assert_string_equal(a.server, "https://192.0.2.1:6443");
}

static void test_json_is_taken(void **state)
{
	(void)state;
	parses("{\"kind\":\"Config\",\"apiVersion\":\"v1\",\"current-context\":\"x\","
	       "\"contexts\":[{\"name\":\"x\",\"context\":{\"cluster\":\"y\",\"user\":\"z\"}}],"
	       "\"clusters\":[{\"name\":\"y\",\"cluster\":{\"server\":\"example.com\"}}],"
	       "\"users\":[{\"name\":\"z\",\"user\":{\"token\":\"t\"}}]}");
	assert_string_equal(a.server, "https://example.com");
	assert_string_equal(a.token.data, "t");
}

static void test_a_context_without_a_user_is_nobody(void **state)
{
	(void)state;
	parses("current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\n" SERVER);
	assert_string_equal(a.server, "https://192.0.2.1:6443");
	assert_null(a.token.data);
}

/* --- contexts --- */

static void test_what_is_named_must_be_there(void **state)
{
	(void)state;
	fails_in(good, "none", ERR_NOTFOUND,
	         "/etc/nigh/config:14: contexts: there is none named 'none'");
	fails("contexts: []\n", ERR_NOTFOUND,
	      "/etc/nigh/config:1: current-context: missing, and no context is asked for");
	fails("current-context: x\n", ERR_NOTFOUND,
	      "/etc/nigh/config:1: current-context: there is no such context");
	fails(HEAD NOBODY, ERR_NOTFOUND,
	      "/etc/nigh/config:4: contexts[0].context.cluster: there is no such cluster");
	fails(HEAD SERVER, ERR_NOTFOUND,
	      "/etc/nigh/config:4: contexts[0].context.user: there is no such user");
	fails("current-context: x\ncontexts:\n- name: x\n", ERR_PARSE,
	      "/etc/nigh/config: contexts[0].context.cluster: missing");
	fails("current-context: x\ncontexts:\n- name: x\n  context: {namespace: A_b}\n", ERR_PARSE,
	      "/etc/nigh/config:4: contexts[0].context.namespace: is no name of a namespace");
}

static void test_a_name_that_is_there_twice_is_an_error_as_to_kubectl(void **state)
{
	(void)state;
	fails(HEAD SERVER "users:\n- {name: u}\n- {name: v}\n- {name: v}\n", ERR_CONFLICT,
	      "/etc/nigh/config:9: users[2].name: the same as of users[1]");
	fails(HEAD "clusters: [{name: c}, {name: c}]\n" NOBODY, ERR_CONFLICT,
	      "/etc/nigh/config:5: clusters[1].name: the same as of clusters[0]");
}

static void test_the_text_must_be_one_mapping_of_the_kind(void **state)
{
	(void)state;
	fails("", ERR_PARSE, "/etc/nigh/config: empty");
	fails("# nothing\n", ERR_PARSE, "/etc/nigh/config: empty");
	fails("\n- a\n", ERR_PARSE, "/etc/nigh/config:2: no mapping");
	fails("a: 1\n---\nb: 1\n", ERR_PARSE, "/etc/nigh/config: more than one document");
	fails("kind: Secret\n", ERR_PARSE, "/etc/nigh/config:1: kind: is not Config");
	fails("apiVersion: v2\n", ERR_UNSUPPORTED, "/etc/nigh/config:1: apiVersion: is not v1");
}

static void test_what_is_of_another_type_is_told(void **state)
{
	(void)state;
	user_fails("token: 12345", ERR_PARSE, "token: must be text, not a number");
	user_fails("token: [a]", ERR_PARSE, "token: must be text, not a list");
	user_fails("exec: text", ERR_PARSE, "exec: must be a mapping, not text");
	cluster_fails("server: true", ERR_PARSE, "server: must be text, not true or false");
	cluster_fails("server: 'https://h', insecure-skip-tls-verify: 'true'", ERR_PARSE,
	              "insecure-skip-tls-verify: must be true or false, not text");
	fails("current-context: x\ncontexts: {a: b}\n", ERR_PARSE,
	      "/etc/nigh/config:2: contexts: must be a list, not a mapping");
	fails("current-context: x\ncontexts:\n- {name: y}\n- null\n", ERR_PARSE,
	      "/etc/nigh/config:2: contexts: item 1 is no mapping");
}

/* --- clusters --- */

static void test_a_cluster_is_checked(void **state)
{
	(void)state;
	cluster_fails("extensions: []", ERR_PARSE, "server: missing");
	cluster_fails("server: ''", ERR_PARSE, "server: missing");
	cluster_fails("server: 'https://h:0'", ERR_PARSE, "server: its port is not 1..65535");
	cluster_fails("server: h, proxy-url: 'ftp://p'", ERR_PARSE,
	              "proxy-url: its scheme is none of http, https, socks5");
	cluster_fails("server: h, tls-server-name: 'https://h'", ERR_PARSE,
	              "tls-server-name: is no name of a host");
	cluster_fails("server: h, certificate-authority-data: 'a'", ERR_PARSE,
	              "certificate-authority-data: is not base64");
	cluster_fails("server: h, certificate-authority-data: 'AAAA'", ERR_PARSE,
	              "certificate-authority-data: has no PEM in it");
	cluster_fails("server: \"a\\0b\"", ERR_PARSE, "server: holds a NUL");
	cluster_fails("server: \"a\\nb\"", ERR_PARSE, "server: holds a control character");
}

static void test_a_cluster_of_any_certificate_has_no_authority(void **state)
{
	(void)state;
	cluster_parses("insecure-skip-tls-verify: true, certificate-authority-data: ''");
	assert_true(a.any_certificate);
	cluster_fails("server: h, insecure-skip-tls-verify: true, certificate-authority: ca.crt",
	              ERR_CONFLICT,
	              "insecure-skip-tls-verify: there is a certificate-authority, too: one of "
	              "them must go");
}

static void test_paths_are_relative_to_the_folder_and_data_wins(void **state)
{
	(void)state;
	cluster_parses("certificate-authority: pki/ca.crt");
	assert_string_equal(a.ca_file, "/etc/nigh/pki/ca.crt");
	cluster_parses("certificate-authority: /pki/ca.crt");
	assert_string_equal(a.ca_file, "/pki/ca.crt");
	cluster_parses("certificate-authority: ca.crt, certificate-authority-data: " CA64);
	assert_null(a.ca_file);
	assert_non_null(a.ca);
	user_parses("client-certificate: c, client-key: k, client-certificate-data: " CERT64);
	assert_null(a.certificate_file);
	assert_string_equal(a.key_file, "/etc/nigh/k");
}

/* --- users --- */

static void test_tokens_are_trimmed_and_checked(void **state)
{
	(void)state;
	user_parses("token: \"abc\\n\"");
	assert_string_equal(a.token.data, "abc");
	user_parses("token: abc, tokenFile: token");
	assert_string_equal(a.token.data, "abc");
	assert_string_equal(a.token_file, "/etc/nigh/token");
	user_parses("token: null, tokenFile: ''");
	assert_null(a.token.data);
	assert_null(a.token_file);
	user_fails("token: \"a\\r\\nb\"", ERR_PARSE,
	           "token: holds a space, a control character or one that is not ASCII");
}

static void test_half_a_pair_is_an_error(void **state)
{
	(void)state;
	user_fails("client-certificate-data: " CERT64, ERR_PARSE,
	           "client-key: missing: there is a client-certificate");
	user_fails("client-key: k", ERR_PARSE,
	           "client-certificate: missing: there is a client-key");
	user_fails("password: p", ERR_PARSE, "username: missing: there is a password");
	user_fails("client-key-data: '!', client-certificate: c", ERR_PARSE,
	           "client-key-data: is not base64");
}

static void test_a_name_and_a_password(void **state)
{
	(void)state;
	user_parses("username: me, password: \"p:w\\n\"");
	assert_string_equal(a.user, "me");
	assert_string_equal(a.password.data, "p:w\n");
	user_fails("username: 'a:b'", ERR_PARSE, "username: holds a colon");
	user_fails("username: a, token: b", ERR_CONFLICT,
	           "username: there is a token, too: one of them must go");
}

static void test_what_is_not_supported_is_named(void **state)
{
	(void)state;
	user_fails("auth-provider: {name: gcp}", ERR_UNSUPPORTED, "auth-provider: not supported");
	user_fails("as: a, as-groups: [b]", ERR_UNSUPPORTED, "as-groups: not supported");
	user_fails("as-uid: '1'", ERR_UNSUPPORTED, "as-uid: not supported");
	user_fails("as-user-extra: {a: [b]}", ERR_UNSUPPORTED, "as-user-extra: not supported");
	user_parses("auth-provider: null, as-groups: [], as-user-extra: {}, as-uid: ''");
}

static void test_a_credential_plugin(void **state)
{
	(void)state;
	user_parses("exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, "
	            "args: [eks, ''], env: [{name: A, value: 'b=c'}, {name: D}], "
	            "provideClusterInfo: true, interactiveMode: IfAvailable, installHint: x}");
	assert_string_equal(a.exec.command, "aws");
	assert_int_equal(a.exec.arg_count, 2);
	assert_string_equal(a.exec.arg[0], "eks");
	assert_string_equal(a.exec.arg[1], "");
	assert_int_equal(a.exec.env_count, 2);
	assert_string_equal(a.exec.env[0], "A=b=c");
	assert_string_equal(a.exec.env[1], "D=");
	assert_true(a.exec.wants_cluster);
	user_parses("exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: ./a, "
	            "args: null}");
	assert_string_equal(a.exec.command, "/etc/nigh/./a");
	assert_int_equal(a.exec.arg_count, 0);
	assert_false(a.exec.wants_cluster);
}

#define PLUGIN "exec: {apiVersion: client.authentication.k8s.io/v1, command: a, "

static void test_a_credential_plugin_is_checked(void **state)
{
	(void)state;
	user_fails("exec: {apiVersion: client.authentication.k8s.io/v1}", ERR_PARSE,
	           "exec.command: missing");
	user_fails("exec: {command: a}", ERR_PARSE, "exec.apiVersion: missing");
	user_fails("exec: {command: a, apiVersion: client.authentication.k8s.io/v1alpha1}",
	           ERR_UNSUPPORTED,
	           "exec.apiVersion: only client.authentication.k8s.io/v1 and v1beta1 are known");
	user_fails(PLUGIN "interactiveMode: Always}", ERR_UNSUPPORTED,
	           "exec.interactiveMode: Always: there is nobody to type");
	user_fails(PLUGIN "interactiveMode: x}", ERR_PARSE,
	           "exec.interactiveMode: must be Never or IfAvailable");
	user_fails(PLUGIN "args: [1]}", ERR_PARSE, "exec.args: item 0 is no text");
	user_fails(PLUGIN "args: [\"a\\0\"]}", ERR_PARSE, "exec.args: item 0 holds a NUL");
	user_fails(PLUGIN "env: [{value: a}]}", ERR_PARSE, "exec.env[0].name: missing");
	user_fails(PLUGIN "env: [{name: a=b}]}", ERR_PARSE,
	           "exec.env[0].name: holds an equals sign");
	user_fails(PLUGIN "env: [a]}", ERR_PARSE, "exec.env: item 0 is no mapping");
}

/* --- secrets stay secret --- */

static void test_yaml_errors_do_not_repeat_what_is_there(void **state)
{
	(void)state;
	fails("users: *CANARY\n", ERR_PARSE,
	      "/etc/nigh/config:1: alias '' has no anchor before it");
	fails("{CANARY: 1, CANARY: 2}\n", ERR_PARSE, "/etc/nigh/config:1: key '' is there twice");
	fails("{\"it's CANARY\": 1, \"it's CANARY\": 2}\n", ERR_PARSE,
	      "/etc/nigh/config:1: key '' is there twice");
	fails("current-context: CANARY\n", ERR_NOTFOUND,
	      "/etc/nigh/config:1: current-context: there is no such context");
}

static const char full_of_canaries[] =
	"apiVersion: v1\n"
	"kind: Config\n"
	"current-context: dev\n"
	"clusters:\n"
	"- name: c\n"
	"  cluster: {server: 'https://192.0.2.1:6443', certificate-authority-data: " CA64 ",\n"
	"    proxy-url: 'http://CANARY:CANARY@proxy:3128'}\n"
	"contexts:\n"
	"- name: dev\n"
	"  context: {cluster: c, user: u, namespace: dns}\n"
	"users:\n"
	"- name: u\n"
	"  user:\n"
	"    token: CANARY\n"
	"    client-certificate-data: " CERT64 "\n"
	"    client-key-data: " KEY64 "\n"
	"    exec:\n"
	"      command: plugin\n"
	"      apiVersion: client.authentication.k8s.io/v1\n"
	"      env: [{name: SECRET, value: CANARY}]\n"
	"      args: [CANARY, \"CANARY\"]\n"
	"- name: v\n"
	"  user: {username: me, password: CANARY}\n";

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Bytes changed, pieces cut out, doubled or moved. */
static size_t mutate(char *text, size_t len, size_t room, uint64_t *random)
{
	static const char odd[] = "*&'\"{}[],:\n\t-#%!|>@`~\\ 0CANARY";
	size_t at = next_random(random) % len, piece = next_random(random) % 60 + 1;
	size_t to = next_random(random) % len;
	const char *canary = memmem(text + at, len - at, "CANARY", 6);
	char copy[64];

	/* Every other time where it hurts. */
	if (canary && next_random(random) % 2)
		at = (size_t)(canary - text);
	if (piece > len - at)
		piece = len - at;
	memcpy(copy, text + at, piece);
	switch (next_random(random) % 4) {
	case 0:
		text[at] = odd[next_random(random) % (sizeof(odd) - 1)];
		return len;
	case 1:
		if (piece == len)
			return len;
		memmove(text + at, text + at + piece, len - at - piece);
		return len - piece;
	case 2:
		if (len + piece > room)
			return len;
		memmove(text + to + piece, text + to, len - to);
		memcpy(text + to, copy, piece);
		return len + piece;
	default:
		if (len == room)
			return len;
		memmove(text + at + 1, text + at, len - at);
		text[at] = odd[next_random(random) % (sizeof(odd) - 1)];
		return len + 1;
	}
}

static void test_no_error_of_a_damaged_file_holds_a_credential(void **state)
{
	enum { TIMES = 4000, ROOM = 4096 };
	char text[ROOM];
	uint64_t random = 0x9e3779b97f4a7c15;
	unsigned refused = 0;

	(void)state;
	parses(full_of_canaries);
	kube_access_fini(&a);
	for (unsigned i = 0; i < TIMES; i++) {
		size_t len = sizeof(full_of_canaries) - 1;
		size_t changes = next_random(&random) % 4 + 1;

		memcpy(text, full_of_canaries, len);
		for (; changes > 0; changes--)
			len = mutate(text, len, ROOM, &random);
		why.text[0] = '\0';
		if (kubeconfig_parse((struct bytes){(const uint8_t *)text, len}, "f", NULL, &a,
		                     &why) != ERR_OK) {
			refused++;
			assert_true(why.text[0] != '\0');
		}
		if (strstr(why.text, "CANAR") || strstr(why.text, "ANARY"))
			fail_msg("%s\n--- of ---\n%.*s", why.text, (int)len, text);
		kube_access_fini(&a);
	}
	assert_true(refused > TIMES / 4);
}

/* --- files --- */

static int setup_files(void **state)
{
	kube_folder_make();
	return setup(state);
}

static int teardown_files(void **state)
{
	kube_folder_remove();
	unsetenv("KUBERNETES_SERVICE_HOST");
	unsetenv("KUBERNETES_SERVICE_PORT");
	unsetenv("KUBECONFIG");
	return teardown(state);
}

static void test_a_file_is_read_with_the_files_that_it_names(void **state)
{
	struct text said = {0};

	(void)state;
	kube_folder_put("config", HEAD SERVER "users: [{name: u, user: {tokenFile: token}}]\n");
	assert_int_equal(kubeconfig_read(kube_folder_path("config"), NULL, &a, &why), ERR_NOTFOUND);
	text_printf(&said, "%s: tokenFile: No such file or directory", kube_folder_path("config"));
	assert_string_equal(why.text, said.data);
	assert_null(a.server);
	kube_folder_put("token", "secret\n");
	assert_int_equal(kubeconfig_read(kube_folder_path("config"), NULL, &a, &why), ERR_OK);
	assert_string_equal(a.token.data, "secret");
	text_fini(&said);
}

static void test_a_file_that_is_not_there_is_named(void **state)
{
	struct text said = {0};

	(void)state;
	assert_int_equal(kubeconfig_read(kube_folder_path("config"), NULL, &a, &why), ERR_NOTFOUND);
	text_printf(&said, "%s: No such file or directory", kube_folder_path("config"));
	assert_string_equal(why.text, said.data);
	text_fini(&said);
}

static void test_a_pod_has_an_access(void **state)
{
	(void)state;
	assert_int_equal(kubeconfig_in_folder(kube_folder(), &a, &why), ERR_NOTFOUND);
	setenv("KUBERNETES_SERVICE_HOST", "2001:db8::1", 1);
	setenv("KUBERNETES_SERVICE_PORT", "443", 1);
	assert_int_equal(kubeconfig_in_folder(kube_folder(), &a, &why), ERR_NOTFOUND);
	assert_null(a.server);
	kube_folder_put("ca.crt", "-----BEGIN CERTIFICATE-----\n");
	kube_folder_put("token", "abc");
	assert_int_equal(kubeconfig_in_folder(kube_folder(), &a, &why), ERR_OK);
	assert_string_equal(a.server, "https://[2001:db8::1]:443");
	assert_string_equal(a.token.data, "abc");
	assert_string_equal(a.token_file, kube_folder_path("token"));
	assert_null(a.namespace);
	kube_access_fini(&a);
	kube_folder_put("namespace", "dns\n");
	assert_int_equal(kubeconfig_in_folder(kube_folder(), &a, &why), ERR_OK);
	assert_string_equal(a.namespace, "dns");
	kube_access_fini(&a);
	setenv("KUBERNETES_SERVICE_PORT", "x", 1);
	assert_int_equal(kubeconfig_in_folder(kube_folder(), &a, &why), ERR_PARSE);
	assert_string_equal(why.text, "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: its "
	                              "port is not 1..65535");
}

static void test_kubectls_files_are_found(void **state)
{
	struct text list = {0}, want = {0};
	char *found;

	(void)state;
	text_printf(&list, ":%s/absent:%s/config:%s/token", kube_folder(), kube_folder(),
	            kube_folder());
	setenv("KUBECONFIG", list.data, 1);
	assert_null(kubeconfig_find());
	kube_folder_put("config", "");
	kube_folder_put("token", "x");
	found = kubeconfig_find();
	assert_string_equal(found, kube_folder_path("token"));
	free(found);
	kube_folder_put("config", "x");
	text_printf(&want, "%s/config:%s/token", kube_folder(), kube_folder());
	found = kubeconfig_find();
	assert_string_equal(found, want.data);
	free(found);
	unsetenv("KUBECONFIG");
	setenv("HOME", kube_folder(), 1);
	assert_null(kubeconfig_find());
	assert_int_equal(mkdir(kube_folder_path(".kube"), 0700), 0);
	assert_int_equal(rename(kube_folder_path("config"), kube_folder_path(".kube/config")), 0);
	found = kubeconfig_find();
	assert_string_equal(found, kube_folder_path(".kube/config"));
	free(found);
	unlink(kube_folder_path(".kube/config"));
	rmdir(kube_folder_path(".kube"));
	text_fini(&list);
	text_fini(&want);
}

/* The two files of a list, and what comes of them. */
static enum err read_both(const char *first, const char *second, const char *context)
{
	struct text list = {0};
	enum err err;

	kube_access_fini(&a);
	kube_folder_put("config", first);
	kube_folder_put("token", second);
	text_printf(&list, "%s/config:%s/token", kube_folder(), kube_folder());
	err = kubeconfig_read_list(list.data, context, &a, &why);
	text_fini(&list);
	return err;
}

static void test_several_files_count_as_one_and_the_first_as_the_first(void **state)
{
	static const char *const users = "users: [{name: u, user: {token: second}}, {name: v, "
					 "user: {token: other}}]\n";
	struct text second = {0}, said = {0};

	(void)state;
	text_printf(&second,
	            "current-context: more\n"
	            "contexts: [{name: dev, context: {cluster: d, user: v}},"
	            " {name: more, context: {cluster: d, user: v, namespace: shop}}]\n"
	            "clusters: [{name: c, cluster: {server: 'https://192.0.2.9'}},"
	            " {name: d, cluster: {server: 'https://192.0.2.2'}}]\n%s",
	            users);
	assert_int_equal(read_both(HEAD SERVER, second.data, NULL), ERR_OK);
	assert_string_equal(a.server, "https://192.0.2.1:6443");
	assert_string_equal(a.token.data, "second");
	assert_int_equal(read_both(HEAD SERVER, second.data, "more"), ERR_OK);
	assert_string_equal(a.server, "https://192.0.2.2");
	assert_string_equal(a.token.data, "other");
	assert_string_equal(a.namespace, "shop");
	assert_int_equal(read_both("kind: Config\n", second.data, NULL), ERR_OK);
	assert_string_equal(a.server, "https://192.0.2.2");
	assert_int_equal(read_both(HEAD SERVER, second.data, "nowhere"), ERR_NOTFOUND);
	text_printf(&said, "%s/config:%s/token: contexts: there is none named 'nowhere'",
	            kube_folder(), kube_folder());
	assert_string_equal(why.text, said.data);
	assert_null(a.server);
	text_fini(&second);
	text_fini(&said);
}

static void test_a_broken_file_of_several_is_named(void **state)
{
	struct text said = {0};

	(void)state;
	assert_int_equal(read_both(HEAD SERVER NOBODY, "users: 5\n", NULL), ERR_PARSE);
	text_printf(&said, "%s/token:1: users: must be a list, not a number", kube_folder());
	assert_string_equal(why.text, said.data);
	text_reset(&said);
	assert_int_equal(
		read_both("users: [{name: u, user: {tokenFile: absent}}]\n", HEAD SERVER, NULL),
		ERR_NOTFOUND);
	assert_non_null(strstr(why.text, "tokenFile: No such file or directory"));
	text_fini(&said);
}

#define TEST(test)       cmocka_unit_test_setup_teardown(test, setup, teardown)
#define OVER_FILES(test) cmocka_unit_test_setup_teardown(test, setup_files, teardown_files)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_current_context_is_taken),
		TEST(test_another_context_may_be_asked_for),
		TEST(test_json_is_taken),
		TEST(test_a_context_without_a_user_is_nobody),
		TEST(test_what_is_named_must_be_there),
		TEST(test_a_name_that_is_there_twice_is_an_error_as_to_kubectl),
		TEST(test_the_text_must_be_one_mapping_of_the_kind),
		TEST(test_what_is_of_another_type_is_told),
		TEST(test_a_cluster_is_checked),
		TEST(test_a_cluster_of_any_certificate_has_no_authority),
		TEST(test_paths_are_relative_to_the_folder_and_data_wins),
		TEST(test_tokens_are_trimmed_and_checked),
		TEST(test_half_a_pair_is_an_error),
		TEST(test_a_name_and_a_password),
		TEST(test_what_is_not_supported_is_named),
		TEST(test_a_credential_plugin),
		TEST(test_a_credential_plugin_is_checked),
		TEST(test_yaml_errors_do_not_repeat_what_is_there),
		TEST(test_no_error_of_a_damaged_file_holds_a_credential),
		OVER_FILES(test_a_file_is_read_with_the_files_that_it_names),
		OVER_FILES(test_a_file_that_is_not_there_is_named),
		OVER_FILES(test_a_pod_has_an_access),
		OVER_FILES(test_kubectls_files_are_found),
		OVER_FILES(test_several_files_count_as_one_and_the_first_as_the_first),
		OVER_FILES(test_a_broken_file_of_several_is_named),
	};

	return cmocka_run_group_tests_name("kube/kubeconfig", tests, NULL, NULL);
}
