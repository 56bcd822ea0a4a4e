/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "propagator/options.h"

/* A file of its own for each call; the caller unlinks and frees it. */
static char *file_of(const char *yaml)
{
	char *path = strdup("/tmp/nigh-options-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
	close(fd);
	return path;
}

static enum err read_yaml(const char *yaml, struct options *out, struct text *errors)
{
	char *path = file_of(yaml);
	enum err err = options_read(path, out, errors);

	unlink(path);
	free(path);
	return err;
}

static void test_without_a_file_the_defaults_hold(void **state)
{
	struct options o;
	struct text errors = {0};
	char text[ADDR_PORT_TEXT_SIZE];

	(void)state;
	assert_int_equal(options_read(NULL, &o, &errors), ERR_OK);
	assert_null(o.kubeconfig);
	assert_false(o.in_cluster);
	assert_string_equal(o.namespace, "kube-federation-system");
	assert_string_equal(addr_port_print(&o.http.addr, o.http.port, text), "127.0.0.1:8054");
	assert_int_equal(o.webhook.addr.family, ADDR_NONE);
	assert_int_equal(o.log_level, LOG_INFO);
	options_fini(&o);
}

#define WHOLE                                                                                      \
	"host: {kubeconfig: /etc/host, context: west}\n"                                           \
	"namespace: fed\n"                                                                         \
	"http: '[::1]:8055'\n"                                                                     \
	"nighd: {namespace: dns, urls: ['http://192.0.2.53:8053']}\n"                              \
	"webhook: {address: '0.0.0.0:8443', certificate: /c.crt, key: /c.key}\n"                   \
	"log: {level: debug, format: json}\n"

static void test_what_is_printed_reads_back_to_the_same(void **state)
{
	struct options o, again;
	struct text errors = {0}, once = {0}, twice = {0};

	(void)state;
	assert_int_equal(read_yaml(WHOLE, &o, &errors), ERR_OK);
	assert_string_equal(o.context, "west");
	assert_string_equal(o.key, "/c.key");
	assert_int_equal(o.webhook.port, 8443);
	assert_int_equal(o.log_format, LOG_FORMAT_JSON);
	options_print(&o, &once);
	assert_int_equal(read_yaml(once.data, &again, &errors), ERR_OK);
	options_print(&again, &twice);
	assert_string_equal(once.data, twice.data);
	options_fini(&o);
	options_fini(&again);
	text_fini(&once);
	text_fini(&twice);
}

static void test_every_error_is_told_with_its_line(void **state)
{
	struct options o;
	struct text errors = {0};

	(void)state;
	assert_int_equal(read_yaml("http: 127.0.0.1\nwebhok: 1\nlog: {level: loud}\n", &o, &errors),
	                 ERR_PARSE);
	assert_non_null(strstr(errors.data, ":1: "));
	assert_non_null(strstr(errors.data, ":2: "));
	assert_non_null(strstr(errors.data, ":3: "));
	text_fini(&errors);
}

static void assert_check(const char *yaml, enum err want, const char *says)
{
	struct options o;
	struct text errors = {0};
	struct reason why = {""};

	assert_int_equal(read_yaml(yaml, &o, &errors), ERR_OK);
	assert_int_equal(options_check(&o, &why), want);
	if (!strstr(why.text, says))
		fail_msg("want '%s' in '%s'", says, why.text);
	options_fini(&o);
}

static void test_what_belongs_together_comes_together(void **state)
{
	(void)state;
	assert_check(WHOLE, ERR_OK, "");
	assert_check("host: {inCluster: true}\n", ERR_OK, "");
	assert_check("namespace: fed\n", ERR_NOTFOUND, "where is the host cluster?");
	assert_check("host: {inCluster: true, kubeconfig: /k}\n", ERR_CONFLICT, "--in-cluster");
	assert_check("host: {inCluster: true, context: west}\n", ERR_CONFLICT, "--in-cluster");
	assert_check("host: {inCluster: true}\nwebhook: {certificate: /c, key: /k}\n", ERR_NOTFOUND,
	             "--webhook");
	assert_check("host: {inCluster: true}\nwebhook: {address: '1.2.3.4:5', certificate: /c}\n",
	             ERR_NOTFOUND, "--key");
	assert_check("host: {inCluster: true}\nwebhook: {address: '1.2.3.4:5', key: /c}\n",
	             ERR_NOTFOUND, "--certificate");
}

static void test_nighds_are_asked_in_their_pods_or_at_urls_of_http(void **state)
{
	struct options o;
	struct text errors = {0};

	(void)state;
	assert_int_equal(read_yaml("nighd: {urls: ['http://192.0.2.53:8053', 'https://a/b']}\n", &o,
	                           &errors),
	                 ERR_OK);
	assert_string_equal(o.nighd_namespace, "nigh-system");
	assert_int_equal(o.nighd_urls.count, 2);
	options_fini(&o);
#define HOST "host: {inCluster: true}\n"
	assert_check(HOST "nighd: {urls: ['http://[2001:db8::1]:8053']}\n", ERR_OK, "");
	assert_check(HOST "nighd: {urls: ['192.0.2.53:8053']}\n", ERR_PARSE,
	             "nighd.urls: '192.0.2.53:8053': is no URL of http or https");
	assert_check(HOST "nighd: {urls: ['http://a:99999']}\n", ERR_PARSE, "nighd.urls: ");
	assert_check(HOST "nighd: {urls: ['http://a?b=c']}\n", ERR_PARSE, "nighd.urls: ");
}

static void test_the_man_page_holds_the_table_word_for_word(void **state)
{
	FILE *f = fopen("docs/man/nigh-propagator.yaml.5", "r");
	struct text keys = {0}, page = {0};
	char line[1024];

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		text_add(&page, line);
	fclose(f);
	options_manual(&keys);
	if (!strstr(page.data, keys.data))
		fail_msg("it is not in the page:\n%s", keys.data);
	text_fini(&page);
	text_fini(&keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_file_the_defaults_hold),
		cmocka_unit_test(test_what_is_printed_reads_back_to_the_same),
		cmocka_unit_test(test_every_error_is_told_with_its_line),
		cmocka_unit_test(test_what_belongs_together_comes_together),
		cmocka_unit_test(test_nighds_are_asked_in_their_pods_or_at_urls_of_http),
		cmocka_unit_test(test_the_man_page_holds_the_table_word_for_word),
	};

	return cmocka_run_group_tests_name("propagator/options", tests, NULL, NULL);
}
