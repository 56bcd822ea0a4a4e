/* credentials.c -- how a cluster is reached and one is let in: TLS, proxies, and every credential a kubeconfig can have. */
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

#include "base/text.h"
#include "tests/support/world_fleet.h"
#include "tests/support/world_proxy.h"

#define LA    "198.18.3.10"
#define OTHER "198.18.3.11"

#define LA_MEMBER WORLD_FLEET_HOST ", members: [{name: la, kubeconfig: la.kubeconfig}]"

/* --- what TLS has to verify --- */

static struct fakeapi *certified(struct world_fleet *f, enum fakeapi_certificate certificate)
{
	return world_fleet_api(f, &(struct fakeapi_options){.certificate = certificate});
}

/* A member with such a certificate is refused without `validation`, and taken with it. */
static void expect_validation(struct world_fleet *f, enum fakeapi_certificate certificate,
                              const char *validation)
{
	struct fakeapi *la = certified(f, certificate);
	char spec[128];

	world_fleet_publish(f, la, "la", LA);
	world_fleet_join(f, "la", la, "");
	world_start_unready(f->world);
	world_fleet_expect_status(f, "\"error\":\"services: TLS: ");
	assert_int_equal(fakeapi_requests(la, ""), 0);
	snprintf(spec, sizeof(spec), ",'disabledTLSValidations':['%s']", validation);
	world_fleet_join(f, "la", la, spec);
	world_fleet_expect(f, "la", LA);
	world_fleet_expect_status(f, "!TLS: ");
}

static void test_another_name_needs_subject_name(void **state)
{
	expect_validation(*state, FAKEAPI_CERTIFICATE_WRONG_NAME, "SubjectName");
}

static void test_an_expired_certificate_needs_validity_period(void **state)
{
	expect_validation(*state, FAKEAPI_CERTIFICATE_EXPIRED, "ValidityPeriod");
}

static void test_a_certificate_of_the_future_needs_validity_period(void **state)
{
	expect_validation(*state, FAKEAPI_CERTIFICATE_NOT_YET, "ValidityPeriod");
}

static void test_a_strange_authority_needs_all_disabled_and_is_warned_of(void **state)
{
	struct world_fleet *f = *state;

	expect_validation(f, FAKEAPI_CERTIFICATE_STRANGE, "*");
	world_fleet_expect_status(f, "\"warnings\":[\"its certificate is not verified\"]");
}

static void expect_refused(struct world_fleet *f, enum fakeapi_certificate certificate,
                           const char *validations)
{
	struct fakeapi *la = certified(f, certificate);
	char spec[128];

	snprintf(spec, sizeof(spec), ",'disabledTLSValidations':[%s]", validations);
	world_fleet_publish(f, la, "la", LA);
	world_fleet_join(f, "la", la, spec);
	world_start_unready(f->world);
	world_fleet_expect_status(f, "\"error\":\"services: TLS: ");
	assert_int_equal(fakeapi_requests(la, ""), 0);
}

static void test_one_validation_disabled_leaves_the_others(void **state)
{
	expect_refused(*state, FAKEAPI_CERTIFICATE_EXPIRED, "'SubjectName'");
}

static void test_the_chain_is_verified_in_any_case_but_one(void **state)
{
	expect_refused(*state, FAKEAPI_CERTIFICATE_STRANGE, "'SubjectName','ValidityPeriod'");
}

static void test_the_name_is_verified_with_any_time(void **state)
{
	expect_refused(*state, FAKEAPI_CERTIFICATE_WRONG_NAME, "'ValidityPeriod'");
}

static void test_a_validation_that_nobody_knows_is_an_error(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);

	world_fleet_publish(f, la, "la", LA);
	world_fleet_join(f, "la", la, ",'disabledTLSValidations':['*','SubjectName']");
	world_start_unready(f->world);
	world_fleet_expect_status(f, "spec.disabledTLSValidations: has \\\"*\\\" beside others");
	world_fleet_join(f, "la", la, ",'disabledTLSValidations':['Everything']");
	world_fleet_expect_status(f, "spec.disabledTLSValidations[0]: is not \\\"*\\\"");
	assert_int_equal(fakeapi_connections_ever(la), 0);
	world_fleet_join(f, "la", la, "");
	world_fleet_expect(f, "la", LA);
}

/* --- proxies --- */

static struct world_proxy *expect_proxied(struct world_fleet *f, struct fakeapi *la,
                                          const char *more)
{
	struct world_proxy *proxy = world_proxy_new();
	char spec[256], target[64];

	snprintf(spec, sizeof(spec), ",'proxyURL':'http://someone:secret@127.0.0.1:%u'%s",
	         world_proxy_port(proxy), more);
	snprintf(target, sizeof(target), "CONNECT 127.0.0.1:%u HTTP/1.1", fakeapi_port(la));
	world_fleet_publish(f, la, "la", LA);
	world_fleet_join(f, "la", la, spec);
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	assert_int_equal(world_proxy_count(proxy), 1);
	assert_non_null(strstr(world_proxy_request(proxy), target));
	assert_non_null(strstr(world_proxy_request(proxy), "Proxy-Authorization: Basic "));
	assert_null(strstr(world_proxy_request(proxy), fakeapi_token(la)));
	return proxy;
}

static void test_a_proxy_is_used(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);
	struct world_proxy *proxy = expect_proxied(f, la, "");

	/* Without it, later. */
	world_fleet_join(f, "la", la, "");
	world_fleet_service(la, "la", OTHER);
	world_fleet_expect(f, "la", OTHER);
	assert_int_equal(fakeapi_connections_ever(la), 2);
	world_fleet_expect_metric(f, "watcher_api_replaced_total{cluster=\"la\"}", 1);
	world_proxy_free(proxy);
}

/* KubeFed forgot it then. */
static void test_a_proxy_is_used_also_where_validations_are_disabled(void **state)
{
	struct world_fleet *f = *state;

	world_proxy_free(expect_proxied(f, certified(f, FAKEAPI_CERTIFICATE_EXPIRED),
	                                ",'disabledTLSValidations':['ValidityPeriod']"));
}

/* Nor is it a matter of who started nighd. */
static void test_the_environment_does_not_overrule_a_proxy(void **state)
{
	struct world_fleet *f = *state;

	setenv("no_proxy", "127.0.0.1", 1);
	world_proxy_free(expect_proxied(f, world_fleet_api(f, NULL), ""));
	unsetenv("no_proxy");
}

static void test_the_environments_proxy_is_not_asked_for_this_machine(void **state)
{
	struct world_fleet *f = *state;
	struct world_proxy *proxy = world_proxy_new();
	struct fakeapi *la = world_fleet_api(f, NULL);
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u", world_proxy_port(proxy));
	unsetenv("no_proxy");
	unsetenv("NO_PROXY");
	setenv("https_proxy", url, 1);
	world_fleet_publish(f, la, "la", LA);
	world_fleet_join(f, "la", la, "");
	world_start(f->world);
	unsetenv("https_proxy");
	world_fleet_expect(f, "la", LA);
	assert_int_equal(world_proxy_count(proxy), 0);
	world_proxy_free(proxy);
}

/* --- kubeconfigs --- */

static const char *ca_data(struct fakeapi *api, char out[8192])
{
	snprintf(out, 8192, ", certificate-authority-data: %s", fakeapi_ca_base64(api));
	return out;
}

/* la.kubeconfig with that user. */
static void write_la(struct world_fleet *f, struct fakeapi *la, const char *fmt, ...)
{
	char cluster[8192], user[8192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(user, sizeof(user), fmt, ap);
	va_end(ap);
	world_fleet_kubeconfig(f, "la.kubeconfig", fakeapi_url(la), ca_data(la, cluster), user);
	world_fleet_config(f, LA_MEMBER, "");
}

static void start_with_la(struct world_fleet *f, struct fakeapi *la)
{
	world_fleet_publish(f, la, "la", LA);
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
}

/* What is changed now is seen, with that credential. */
static void expect_goes_on(struct world_fleet *f, struct fakeapi *la, const char *authorization)
{
	world_fleet_service(la, "la", OTHER);
	world_fleet_expect(f, "la", OTHER);
	assert_string_equal(fakeapi_authorization(la), authorization);
}

static void test_a_changed_kubeconfig_is_taken_up(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);

	write_la(f, la, "token: \"%s\"", fakeapi_token(la));
	start_with_la(f, la);
	fakeapi_set_token(la, "written-later");
	world_write(f->world, "la.kubeconfig", "half of it: [");
	world_fleet_expect_status(f, "la: kubeconfig");
	world_fleet_expect_stays(f, "la", LA, 300);
	write_la(f, la, "token: written-later");
	world_fleet_expect_status(f, "!la: kubeconfig");
	expect_goes_on(f, la, "Bearer written-later");
}

static void test_a_token_file_is_read_again_when_its_token_is_refused(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);

	world_write(f->world, "tokens/la", "%s\n", fakeapi_token(la));
	write_la(f, la, "tokenFile: tokens/la");
	start_with_la(f, la);
	fakeapi_set_token(la, "of-a-later-hour");
	world_write(f->world, "tokens/la", "of-a-later-hour\n");
	fakeapi_close_watches(la, "");
	expect_goes_on(f, la, "Bearer of-a-later-hour");
	/* One that is gone is named, and the last one is good still. */
	world_remove(f->world, "tokens/la");
	fakeapi_answer(la, "", 1, 401, NULL);
	fakeapi_close_watches(la, "");
	world_fleet_expect_status(f, "tokenFile: No such file");
	world_fleet_expect_stays(f, "la", OTHER, 300);
}

static void write_file(struct world_fleet *f, const char *name, char *text)
{
	world_write(f->world, name, "%s", text);
	free(text);
}

static void test_a_client_certificate_of_files(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);
	char *certificate, *key;

	fakeapi_client_certificate(la, false, &certificate, &key);
	write_file(f, "la.crt", certificate);
	write_file(f, "la.key", key);
	write_la(f, la, "client-certificate: la.crt, client-key: la.key");
	start_with_la(f, la);
	expect_goes_on(f, la, "");
	world_fleet_expect_status(f, "\"credentialExpires\":\"");
}

static void test_a_client_certificate_that_is_expired_is_refused_until_it_is_replaced(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);
	char *certificate, *key;

	fakeapi_client_certificate(la, true, &certificate, &key);
	write_file(f, "la.crt", certificate);
	write_file(f, "la.key", key);
	write_la(f, la, "client-certificate: la.crt, client-key: la.key");
	world_fleet_publish(f, la, "la", LA);
	world_start_unready(f->world);
	world_fleet_expect_status(f, "\"error\":\"services: 401");
	fakeapi_client_certificate(la, false, &certificate, &key);
	write_file(f, "la.crt", certificate);
	write_file(f, "la.key", key);
	world_fleet_expect(f, "la", LA);
}

static void test_an_authority_of_a_file(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);
	char user[256];

	snprintf(user, sizeof(user), "token: \"%s\"", fakeapi_token(la));
	world_write(f->world, "la-ca.crt", "%s", fakeapi_ca_pem(la));
	world_fleet_kubeconfig(f, "la.kubeconfig", fakeapi_url(la),
	                       ", certificate-authority: la-ca.crt", user);
	world_fleet_config(f, LA_MEMBER, "");
	start_with_la(f, la);
}

static void test_a_server_name_of_its_own_and_a_proxy(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);
	struct world_proxy *proxy = world_proxy_new();
	char cluster[9000], ca[8192], user[256];

	snprintf(user, sizeof(user), "token: \"%s\"", fakeapi_token(la));
	/* "localhost" stands in the certificate, "elsewhere.invalid" does not. */
	snprintf(cluster, sizeof(cluster), ", tls-server-name: elsewhere.invalid%s",
	         ca_data(la, ca));
	world_fleet_kubeconfig(f, "la.kubeconfig", fakeapi_url(la), cluster, user);
	world_fleet_config(f, LA_MEMBER, "");
	world_fleet_publish(f, la, "la", LA);
	world_start_unready(f->world);
	world_fleet_expect_status(f, "TLS: SSL: no alternative certificate subject name matches");
	snprintf(cluster, sizeof(cluster),
	         ", tls-server-name: localhost, proxy-url: \"http://127.0.0.1:%u\"%s",
	         world_proxy_port(proxy), ca);
	world_fleet_kubeconfig(f, "la.kubeconfig", fakeapi_url(la), cluster, user);
	world_fleet_expect(f, "la", LA);
	assert_true(world_proxy_count(proxy) > 0);
	world_proxy_free(proxy);
}

/* --- plugins --- */

static void write_plugin(struct world_fleet *f, const char *token, const char *expires)
{
	world_write(f->world, "plugin",
	            "#!/bin/sh\n"
	            "echo ran >> \"$(dirname \"$0\")/plugin.ran\"\n"
	            "cat <<'END'\n"
	            "{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": "
	            "\"ExecCredential\", \"status\": {\"token\": \"%s\"%s}}\n"
	            "END\n",
	            token, expires);
	assert_int_equal(chmod(world_path(f->world, "plugin"), 0755), 0);
}

static void test_a_plugin_gives_the_token_and_runs_again_when_it_is_refused(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);
	char plugin[512];

	snprintf(plugin, sizeof(plugin), "%s", world_path(f->world, "plugin"));
	write_plugin(f, fakeapi_token(la), ", \"expirationTimestamp\": \"2096-01-02T03:04:05Z\"");
	write_la(f, la,
	         "exec: {apiVersion: client.authentication.k8s.io/v1, command: \"%s\", "
	         "interactiveMode: Never}",
	         plugin);
	start_with_la(f, la);
	world_fleet_expect_status(f, "\"credentialExpires\":\"2096-01-02T03:04:05Z\"");
	write_plugin(f, "of-the-second-run", "");
	fakeapi_set_token(la, "of-the-second-run");
	fakeapi_close_watches(la, "");
	expect_goes_on(f, la, "Bearer of-the-second-run");
	assert_non_null(strstr(world_log(f->world), "a plugin of a kubeconfig"));
}

/* System calls are restricted by then. */
static void test_a_plugin_that_comes_later_needs_a_restart_and_ends_nothing(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);
	char plugin[512];

	snprintf(plugin, sizeof(plugin), "%s", world_path(f->world, "plugin"));
	write_plugin(f, fakeapi_token(la), "");
	write_la(f, la, "token: \"%s\"", fakeapi_token(la));
	start_with_la(f, la);
	write_la(f, la,
	         "exec: {apiVersion: client.authentication.k8s.io/v1, command: \"%s\", "
	         "interactiveMode: Never}",
	         plugin);
	world_fleet_expect_status(f, "needs a restart");
	world_fleet_expect_stays(f, "la", LA, 500);
	world_fleet_service(la, "la", OTHER); /* it goes on with what it had */
	world_fleet_expect(f, "la", OTHER);
	world_stop(f->world);
	world_start(f->world);
	world_fleet_expect(f, "la", OTHER);
	world_fleet_expect_status(f, "!needs a restart");
}

static void test_a_plugin_that_fails_is_named_and_tried_again(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);
	char plugin[512];

	snprintf(plugin, sizeof(plugin), "%s", world_path(f->world, "plugin"));
	world_write(f->world, "plugin", "#!/bin/sh\necho a-secret-on-stderr >&2\nexit 3\n");
	assert_int_equal(chmod(plugin, 0755), 0);
	write_la(f, la,
	         "exec: {apiVersion: client.authentication.k8s.io/v1, command: \"%s\", "
	         "interactiveMode: Never}",
	         plugin);
	world_fleet_publish(f, la, "la", LA);
	world_start_unready(f->world);
	world_fleet_expect_status(f, "la: credentials");
	assert_null(strstr(world_log(f->world), "a-secret-on-stderr"));
	write_plugin(f, fakeapi_token(la), "");
	world_fleet_expect(f, "la", LA);
	world_fleet_expect_status(f, "!la: credentials");
}

/* What an object of a cluster says is never run. */
static void test_no_program_of_an_object_is_run(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL);
	char spec[1024];

	write_plugin(f, fakeapi_token(la), "");
	snprintf(spec, sizeof(spec),
	         ",'exec':{'command':'%s'},'kubeconfig':'users: [{user: {exec: {command: %s}}}]'",
	         world_path(f->world, "plugin"), world_path(f->world, "plugin"));
	world_fleet_publish(f, la, "la", LA);
	world_fleet_join_with(f, "la", la, "la", spec);
	fakeapi_put(f->host, FAKEAPI_SECRETS,
	            "{'metadata':{'name':'la','namespace':'" WORLD_FLEET_NAMESPACE
	            "'},'data':{'exec':'eA==','kubeconfig':'eA=='}}");
	world_start_unready(f->world);
	world_fleet_expect_status(f, "has no data key 'token'");
	assert_int_not_equal(access(world_path(f->world, "plugin.ran"), F_OK), 0);
	world_fleet_secret(f, "la", fakeapi_token(la));
	world_fleet_expect(f, "la", LA);
	assert_int_not_equal(access(world_path(f->world, "plugin.ran"), F_OK), 0);
}

/* --- where may be dialled --- */

static void test_loopback_endpoints_of_kubefedclusters_are_refused(void **state)
{
	static const char *const forms[] = {
		"https://127.0.0.1",      "https://localhost",  "https://[::1]",
		"https://127.1",          "https://0.0.0.0",    "https://[::ffff:127.0.0.1]",
		"https://2130706433",     "https://0x7f000001", "https://017700000001",
		"https://[::]",           "https://0",          "https://127.3.2.1",
		"https://LOCALHOST.",     "127.0.0.1",          "https://169.254.169.254",
		"https://[fe80::1%25lo]",
	};
	enum { FORMS = sizeof(forms) / sizeof(forms[0]) };
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, NULL), *own = world_fleet_api(f, NULL);
	struct text refused = {0};

	world_fleet_publish(f, own, "la", LA);
	fakeapi_kubeconfig(own, f->world, "own.kubeconfig");
	world_fleet_secret(f, "token", fakeapi_token(la));
	for (size_t i = 0; i < FORMS; i++) {
		char url[128];

		snprintf(url, sizeof(url), "%s:%u", forms[i], fakeapi_port(la));
		fakeapi_put(f->host, FAKEAPI_CLUSTERS,
		            "{'metadata':{'name':'c%02zu','namespace':'" WORLD_FLEET_NAMESPACE
		            "'},'spec':{'apiEndpoint':'%s','disabledTLSValidations':['*'],"
		            "'secretRef':{'name':'token'}}}",
		            i, url);
	}
	world_fleet_config(f,
	                   "kubernetes: {kubeconfig: host.kubeconfig}, members: [{name: own, "
	                   "kubeconfig: own.kubeconfig}]",
	                   "");
	world_start_unready(f->world);
	world_fleet_expect(f, "la", LA); /* a member of the config may be here */
	for (size_t i = 0; i < FORMS; i++) {
		text_reset(&refused);
		text_printf(&refused,
		            "\"name\":\"c%02zu\",\"source\":\"kubernetes\",\"knowledge\":"
		            "\"never\"",
		            i);
		world_fleet_expect_status(f, refused.data);
	}
	world_fleet_expect_status(f, "sources.kubernetes.allowLoopback");
	assert_int_equal(fakeapi_connections_ever(la), 0);
	text_fini(&refused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_fleet_test(test_another_name_needs_subject_name),
		world_fleet_test(test_an_expired_certificate_needs_validity_period),
		world_fleet_test(test_a_certificate_of_the_future_needs_validity_period),
		world_fleet_test(test_a_strange_authority_needs_all_disabled_and_is_warned_of),
		world_fleet_test(test_one_validation_disabled_leaves_the_others),
		world_fleet_test(test_the_chain_is_verified_in_any_case_but_one),
		world_fleet_test(test_the_name_is_verified_with_any_time),
		world_fleet_test(test_a_validation_that_nobody_knows_is_an_error),
		world_fleet_test(test_a_proxy_is_used),
		world_fleet_test(test_a_proxy_is_used_also_where_validations_are_disabled),
		world_fleet_test(test_the_environment_does_not_overrule_a_proxy),
		world_fleet_test(test_the_environments_proxy_is_not_asked_for_this_machine),
		world_fleet_test(test_a_changed_kubeconfig_is_taken_up),
		world_fleet_test(test_a_token_file_is_read_again_when_its_token_is_refused),
		world_fleet_test(test_a_client_certificate_of_files),
		world_fleet_test(
			test_a_client_certificate_that_is_expired_is_refused_until_it_is_replaced),
		world_fleet_test(test_an_authority_of_a_file),
		world_fleet_test(test_a_server_name_of_its_own_and_a_proxy),
		world_fleet_test(test_a_plugin_gives_the_token_and_runs_again_when_it_is_refused),
		world_fleet_test(test_a_plugin_that_comes_later_needs_a_restart_and_ends_nothing),
		world_fleet_test(test_a_plugin_that_fails_is_named_and_tried_again),
		world_fleet_test(test_no_program_of_an_object_is_run),
		world_fleet_test(test_loopback_endpoints_of_kubefedclusters_are_refused),
	};

	return cmocka_run_group_tests_name("scenario/credentials", tests, NULL, NULL);
}
