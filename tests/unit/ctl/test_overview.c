/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <string.h>

#include "ctl/overview.h"

static void assert_overview(const char *json, bool wide, const char *want)
{
	struct json_object *root = json_tokener_parse(json);
	struct text out = {0};

	assert_non_null(root);
	overview_print(root, wide, &out);
	assert_string_equal(out.data, want);
	text_fini(&out);
	json_object_put(root);
}

static const char full[] =
	"{\"version\":\"0.1.0\",\"ready\":true,\"now\":\"2026-01-02T03:04:05Z\",\"listen\":[\"127."
	"0.0.1:53\",\"[::1]:53\",\"[::1]:853\"],\"tls\":[\"[::1]:853\"],"
	"\"clusters\":[{\"name\":\"la\",\"source\":\"manifests\",\"knowledge\":\"synced\","
	"\"ageSeconds\":0,"
	"\"region\":\"us-west-2\",\"zones\":[\"a\",\"b\"],\"location\":{\"latitude\":34.05,"
	"\"longitude\":-118.24,"
	"\"from\":\"annotation\"},\"drained\":false,\"up\":true,\"error\":\"\"},"
	"{\"name\":\"ny\",\"source\":\"manifests\",\"knowledge\":\"unseen\",\"ageSeconds\":7300,"
	"\"region\":\"\","
	"\"zones\":[],\"location\":null,\"drained\":true,\"up\":false,\"error\":\"no folder\"}],"
	"\"zones\":[{\"name\":\"example.com\",\"serial\":1767323045,\"names\":12,\"held\":3}],"
	"\"guard\":[{\"zone\":\"example.com\",\"names\":3,\"since\":\"S\",\"until\":null,\"id\":"
	"\"7\"}]"
	","
	"\"errors\":[{\"where\":\"x.yaml:3\",\"message\":\"bad\\u001b\",\"since\":\"T\"},"
	"{\"where\":\"y.yaml\",\"message\":\"y.yaml:1: bad\",\"since\":null}],"
	"\"conflicts\":[{\"name\":\"w.example.com\",\"winner\":\"A\",\"loser\":\"B\"}],"
	"\"counts\":{\"names\":12,\"records\":30,\"answers\":99}}";

static void test_policies_say_whether_they_are_in_force(void **state)
{
	(void)state;
	assert_overview(
		"{\"ready\":true,\"policies\":[{\"namespace\":\"shop\",\"name\":\"api\","
		"\"targets\":1,\"names\":3,\"conditions\":["
		"{\"type\":\"Accepted\",\"status\":\"True\",\"reason\":\"Accepted\",\"message\":"
		"\"\"}]},"
		"{\"namespace\":\"shop\",\"name\":\"web\",\"targets\":1,\"names\":0,\"conditions\":"
		"["
		"{\"type\":\"Conflicted\",\"status\":\"True\",\"reason\":\"TargetConflict\","
		"\"message\":\"Service web is shop/api's\"}]}]}",
		false,
		"nighd , ready, listening on nothing\n0 names, 0 records, 0 answers given\n\n"
		"POLICY     NAMES   STATE            WHY\n"
		"shop/api   3       in force         -\n"
		"shop/web   0       TargetConflict   Service web is shop/api's\n");
}

static void test_everything_of_a_status_has_its_place(void **state)
{
	(void)state;
	assert_overview(
		full, false,
		"nighd 0.1.0, ready, listening on 127.0.0.1:53, [::1]:53, [::1]:853 (TLS)\n"
		"12 names, 30 records, 99 answers given\n"
		"\n"
		"CLUSTER   STATE           KNOWLEDGE   AGE   VERSION   REGION      LOCATION        "
		"ERROR\n"
		"la        up              synced      0s    -         us-west-2   34.05,-118.24   "
		"-\n"
		"ny        drained, down   unseen      2h    -         -           -               "
		"no folder\n"
		"\n"
		"ZONE          SERIAL       NAMES   HELD\n"
		"example.com   1767323045   12      3\n"
		"\n"
		"GUARD HOLDS   NAMES   SINCE   UNTIL      ID\n"
		"example.com   3       S       released   7\n"
		"\n"
		"2 errors\n"
		"  x.yaml:3: bad? (since T)\n"
		"  y.yaml:1: bad\n"
		"\n"
		"TWO SOURCES OF   ANSWERED   PASSED OVER\n"
		"w.example.com    A          B\n");
}

static void test_what_moves_is_told_until_it_is_as_if_nothing_had(void **state)
{
	(void)state;
	assert_overview(
		"{\"version\":\"1\",\"clusters\":["
		"{\"name\":\"la\",\"up\":true,\"knowledge\":\"synced\",\"share\":62.5,\"shift\":"
		"{\"state\":\"moving\",\"from\":100,\"to\":20,\"start\":\"S\",\"end\":\"E\"}},"
		"{\"name\":\"ny\",\"up\":true,\"knowledge\":\"synced\",\"share\":100,\"shift\":"
		"{\"state\":\"over\",\"from\":20,\"to\":100,\"start\":\"S\",\"end\":\"E\"}},"
		"{\"name\":\"sf\",\"up\":true,\"knowledge\":\"synced\",\"share\":100,\"shift\":"
		"{\"state\":\"ttlLowered\",\"from\":100,\"to\":0,\"start\":\"S\",\"end\":\"E\"}}"
		"]}",
		false,
		"nighd 1, not ready, listening on nothing\n"
		"0 names, 0 records, 0 answers given\n"
		"\n"
		"CLUSTER   STATE   KNOWLEDGE   AGE   VERSION   REGION   LOCATION   ERROR\n"
		"la        up      synced      0s    -         -        -          -\n"
		"ny        up      synced      0s    -         -        -          -\n"
		"sf        up      synced      0s    -         -        -          -\n"
		"\n"
		"SHIFT   SHARE   FROM   TO    STATE         START   END\n"
		"la      62.5%   100%   20%   moving        S       E\n"
		"sf      100%    100%   0%    TTL lowered   S       E\n");
}

static void test_who_waits_to_come_back_is_told_with_what_it_needs(void **state)
{
	(void)state;
	assert_overview("{\"version\":\"1\",\"pending\":["
	                "{\"name\":\"www.example.com\",\"cluster\":\"la\",\"mode\":\"After\","
	                "\"usableForSeconds\":42,\"needsSeconds\":600},"
	                "{\"name\":\"www.example.com\",\"cluster\":\"ny\",\"mode\":\"Manual\","
	                "\"usableForSeconds\":7200,\"needsSeconds\":null}]}",
	                false,
	                "nighd 1, not ready, listening on nothing\n"
	                "0 names, 0 records, 0 answers given\n"
	                "\n"
	                "WAITS TO COME BACK   CLUSTER   USABLE FOR   NEEDS\n"
	                "www.example.com      la        42s          10m\n"
	                "www.example.com      ny        2h           nighctl failback\n");
}

static void test_who_votes_is_told_and_whether_anybody_can(void **state)
{
	(void)state;
	assert_overview("{\"version\":\"1\",\"frozen\":true,\"replicas\":["
	                "{\"name\":\"a\",\"self\":true,\"heardSecondsAgo\":0,\"voter\":true,"
	                "\"sees\":{\"up\":2,\"down\":1,\"unknown\":0}},"
	                "{\"name\":\"b\",\"self\":false,\"heardSecondsAgo\":7,\"voter\":false,"
	                "\"sees\":{\"up\":0,\"down\":0,\"unknown\":3}}]}",
	                false,
	                "nighd 1, not ready, listening on nothing\n"
	                "0 names, 0 records, 0 answers given\n"
	                "\n"
	                "REPLICA   VOTES   HEARD      SEES UP   DOWN   UNKNOWN\n"
	                "a         yes     this one   2         1      0\n"
	                "b         no      7s         0         0      3\n"
	                "frozen: this replica reaches no site and hears nobody who does; what is "
	                "down stays as it was last\n");
}

static void test_wide_adds_columns(void **state)
{
	(void)state;
	assert_overview("{\"version\":\"1\",\"clusters\":[{\"name\":\"la\",\"source\":"
	                "\"manifests\",\"up\":true,"
	                "\"knowledge\":\"synced\",\"zones\":[\"a\",\"b\"],"
	                "\"location\":{\"latitude\":1,\"longitude\":2,\"from\":\"region\"}}]}",
	                true,
	                "nighd 1, not ready, listening on nothing\n"
	                "0 names, 0 records, 0 answers given\n"
	                "\n"
	                "CLUSTER   STATE   KNOWLEDGE   AGE   VERSION   REGION   LOCATION   ERROR   "
	                "SOURCE      ZONES   LOCATION FROM   CREDENTIAL ENDS   FORBIDDEN   ABSENT\n"
	                "la        up      synced      0s    -         -        1,2        -       "
	                "manifests   a,b     region          -                 -           -\n");
}

#define SERVERS                                                                                    \
	"{\"version\":\"1\",\"ready\":true,\"listen\":[\"::1\"],\"now\":\"2026-01-10T00:00:00Z\"," \
	"\"host\":{\"source\":\"kubernetes\",\"knowledge\":\"synced\",\"ageSeconds\":0,\"error\":" \
	"\"\","                                                                                    \
	"\"version\":\"v1.31.2\",\"forbidden\":[],\"absent\":[\"dnsendpoints.externaldns.k8s."     \
	"io\"],"                                                                                   \
	"\"credentialExpires\":\"2026-01-17T00:00:00Z\",\"warnings\":[]},"                         \
	"\"clusters\":[{\"name\":\"la\",\"knowledge\":\"synced\",\"up\":true,\"version\":\"v1.30." \
	"1\","                                                                                     \
	"\"forbidden\":[\"services\",\"nodes\"],\"absent\":[],"                                    \
	"\"credentialExpires\":\"2026-01-12T12:00:00Z\",\"warnings\":[\"it can\\u0007 write\"]},"  \
	"{\"name\":\"ny\",\"knowledge\":\"unseen\",\"up\":true,\"version\":\"\",\"forbidden\":[]," \
	"\"absent\":[],\"credentialExpires\":\"2026-01-09T00:00:00Z\",\"warnings\":[7]}]}"

/* A credential that lasts a week is no trouble; kinds that are not installed are none. */
static void test_what_api_servers_make_difficult_is_told_below_them(void **state)
{
	(void)state;
	assert_overview(SERVERS, false,
	                "nighd 1, ready, listening on ::1\n"
	                "0 names, 0 records, 0 answers given\n"
	                "\n"
	                "HOST         KNOWLEDGE   AGE   VERSION   ERROR\n"
	                "kubernetes   synced      0s    v1.31.2   -\n"
	                "\n"
	                "CLUSTER   STATE   KNOWLEDGE   AGE   VERSION   REGION   LOCATION   ERROR\n"
	                "la        up      synced      0s    v1.30.1   -        -          -\n"
	                "ny        up      unseen      0s    -         -        -          -\n"
	                "  la: forbidden: services, nodes\n"
	                "  la: its credential ends 2026-01-12T12:00:00Z, in 2d\n"
	                "  la: warning: it can? write\n"
	                "  ny: its credential has expired: 2026-01-09T00:00:00Z\n");
}

static void test_wide_says_when_every_credential_ends_and_what_is_absent(void **state)
{
	struct json_object *root = json_tokener_parse(SERVERS);
	struct text out = {0};

	(void)state;
	overview_print(root, true, &out);
	assert_non_null(strstr(out.data, "ERROR   CREDENTIAL ENDS        FORBIDDEN   ABSENT\n"
	                                 "kubernetes   synced      0s    v1.31.2   -       "
	                                 "2026-01-17T00:00:00Z   -           "
	                                 "dnsendpoints.externaldns.k8s.io\n"));
	assert_non_null(strstr(out.data, "2026-01-12T12:00:00Z   services,nodes   -\n"));
	text_fini(&out);
	json_object_put(root);
}

static void test_a_foreign_shape_is_shown_as_empty(void **state)
{
	(void)state;
	assert_overview("{\"version\":7,\"clusters\":{},\"zones\":[3],\"errors\":\"many\"}", false,
	                "nighd , not ready, listening on nothing\n"
	                "0 names, 0 records, 0 answers given\n"
	                "\n"
	                "ZONE   SERIAL   NAMES   HELD\n"
	                "-      0        0       0\n");
	assert_overview(
		"[]", false,
		"nighd , not ready, listening on nothing\n0 names, 0 records, 0 answers given\n");
}

static void test_a_propagator_shows_who_leads_members_and_types(void **state)
{
	struct json_object *root = json_tokener_parse(
		"{\"version\":\"0.1.0\",\"leading\":false,\"leader\":\"other\",\"clusters\":["
		"{\"name\":\"gondor\",\"ready\":true,\"version\":\"v1.34.4\",\"waiting\":2,"
		"\"underWay\":1,\"trouble\":\"\",\"ceiling\":\"held\"}],\"types\":[{\"name\":"
		"\"secrets\",\"running\":"
		"false,"
		"\"why\":\"no such kind\",\"objects\":3,\"copies\":6,\"waiting\":0,\"failing\":1}],"
		"\"preferences\":[{\"name\":\"shop/web\",\"total\":9,\"planned\":8,\"held\":0,"
		"\"message\":\"one has no cluster\"}],"
		"\"errors\":[{\"where\":\"gondor\",\"message\":\"no route\"}]}");
	struct text out = {0};

	(void)state;
	overview_print(root, false, &out);
	assert_string_equal(
		out.data,
		"nigh-propagator 0.1.0, waiting for other, which leads\n"
		"\n"
		"CLUSTER   READY   VERSION   CEILING   WAITING   UNDER WAY   TROUBLE\n"
		"gondor    yes     v1.34.4   held      2         1           -\n"
		"\n"
		"TYPE      RUNNING   OBJECTS   COPIES   WAITING   FAILING   WHY\n"
		"secrets   no        3         6        0         1         no such kind\n"
		"\n"
		"PREFERENCE   TOTAL   PLANNED   HELD   MESSAGE\n"
		"shop/web     9       8         0      one has no cluster\n"
		"\n"
		"1 error\n"
		"  gondor: no route\n");
	text_fini(&out);
	json_object_put(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policies_say_whether_they_are_in_force),
		cmocka_unit_test(test_everything_of_a_status_has_its_place),
		cmocka_unit_test(test_what_moves_is_told_until_it_is_as_if_nothing_had),
		cmocka_unit_test(test_who_waits_to_come_back_is_told_with_what_it_needs),
		cmocka_unit_test(test_who_votes_is_told_and_whether_anybody_can),
		cmocka_unit_test(test_wide_adds_columns),
		cmocka_unit_test(test_what_api_servers_make_difficult_is_told_below_them),
		cmocka_unit_test(test_wide_says_when_every_credential_ends_and_what_is_absent),
		cmocka_unit_test(test_a_foreign_shape_is_shown_as_empty),
		cmocka_unit_test(test_a_propagator_shows_who_leads_members_and_types),
	};

	return cmocka_run_group_tests_name("ctl/overview", tests, NULL, NULL);
}
