/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/member_admit.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube/access.h"
#include "kube/base64.h"
#include "propagator/complaints.h"
#include "propagator/jsontree.h"

enum { PATH_ROOM = 64, LIST_MOST = 1000 };

static const char *const validations[] = {"*", "SubjectName", "ValidityPeriod", NULL};
static const char *const types[] = {"Ready", "Offline", "ConfigMalformed", NULL};
static const char *const states[] = {"True", "False", "Unknown", NULL};

/* Its text; NULL, and said, when it is something else or, if that is `required`, missing or empty. */
static const char *check_text(struct json_object *value, const char *path, bool required,
                              struct complaints *c)
{
	bool is_text = json_object_is_type(value, json_type_string);

	if (value && !is_text)
		complain_invalid(c, path, value, "must be a string");
	else if (is_text && json_object_get_string_len(value) > 0)
		return json_object_get_string(value);
	else if (required)
		complain_required(c, path);
	return NULL;
}

static void check_word(struct json_object *value, const char *path, const char *const *words,
                       struct complaints *c)
{
	const char *text = check_text(value, path, true, c);

	if (!text)
		return;
	for (size_t i = 0; words[i]; i++)
		if (strcmp(words[i], text) == 0)
			return;
	complain_unsupported(c, path, value, words);
}

/* False: it is no list that can be read; said, unless it is missing. */
static bool check_list(struct json_object *value, const char *path, struct complaints *c)
{
	if (!value)
		return false;
	if (json_object_is_type(value, json_type_array) && jsontree_count(value) <= LIST_MOST)
		return true;
	complain_invalid(c, path, value, "must be a list");
	return false;
}

/* Without what KubeFed took and nobody can be dialled by, or no API server is asked by: a user, a query, a fragment, the
 * zone of an address, the colon of a port that is not there.  The caller frees it. */
static char *reduced(const char *endpoint)
{
	const char *scheme = strstr(endpoint, "://");
	const char *authority = scheme ? scheme + 3 : endpoint;
	const char *path = authority + strcspn(authority, "/?#");
	const char *at = memchr(authority, '@', (size_t)(path - authority));
	const char *host = at ? at + 1 : authority;
	const char *zone = memchr(host, '%', (size_t)(path - host));
	const char *bracket = memchr(host, ']', (size_t)(path - host));
	const char *end = path > host && path[-1] == ':' ? path - 1 : path;
	struct text out = {0};

	text_printf(&out, "%.*s", (int)(authority - endpoint), endpoint);
	if (zone && bracket && zone < bracket)
		text_printf(&out, "%.*s%.*s", (int)(zone - host), host, (int)(end - bracket),
		            bracket);
	else
		text_printf(&out, "%.*s", (int)(end - host), host);
	text_printf(&out, "%.*s", (int)strcspn(path, "?#"), path);
	return text_take(&out);
}

static void check_endpoint(struct json_object *spec, struct complaints *c)
{
	struct json_object *value = jsontree_get(spec, "apiEndpoint", NULL);
	const char *text = check_text(value, "spec.apiEndpoint", true, c);
	struct reason why = {0};
	char *plain = text ? reduced(text) : NULL, *server = NULL;

	if (text && kube_endpoint_read(plain, &server, &why) != ERR_OK)
		complain_invalid(c, "spec.apiEndpoint", value, why.text);
	free(server);
	free(plain);
}

static void check_secret(struct json_object *spec, struct complaints *c)
{
	struct json_object *value = jsontree_get(spec, "secretRef", "name", NULL);
	const char *text = check_text(value, "spec.secretRef.name", true, c);

	if (text)
		complain_unless_subdomain(c, "spec.secretRef.name", text, value);
}

static void check_ca(struct json_object *spec, struct complaints *c)
{
	struct json_object *value = jsontree_get(spec, "caBundle", NULL);
	const char *text = check_text(value, "spec.caBundle", value != NULL, c);
	struct buffer pem = {0};

	if (text && !base64_decode(bytes_of(text), &pem))
		complain_invalid(c, "spec.caBundle", value, "is not base64");
	buffer_fini(&pem);
}

static void check_validations(struct json_object *spec, struct complaints *c)
{
	static const char path[] = "spec.disabledTLSValidations";
	struct json_object *list = jsontree_get(spec, "disabledTLSValidations", NULL);
	bool has_all = false;

	if (!check_list(list, path, c))
		return;
	for (size_t i = 0; i < jsontree_count(list); i++) {
		struct json_object *item = jsontree_item(list, i);

		check_word(item, path, validations, c);
		has_all = has_all || (json_object_is_type(item, json_type_string) &&
		                      strcmp(json_object_get_string(item), "*") == 0);
	}
	if (has_all && jsontree_count(list) > 1)
		complain_invalid(c, path, list, "\"*\" must stand alone");
}

static void check_proxy(struct json_object *spec, struct complaints *c)
{
	const char *text =
		check_text(jsontree_get(spec, "proxyURL", NULL), "spec.proxyURL", false, c);
	struct json_object *hidden;
	struct reason why = {0};

	if (!text || kube_proxy_check(text, &why) == ERR_OK)
		return;
	hidden = json_object_new_string("***");
	complain_invalid(c, "spec.proxyURL", hidden, why.text);
	json_object_put(hidden);
}

static void check_spec(struct json_object *spec, struct complaints *c)
{
	check_endpoint(spec, c);
	check_secret(spec, c);
	check_ca(spec, c);
	check_validations(spec, c);
	check_proxy(spec, c);
}

static void check_condition(struct json_object *condition, size_t at, struct complaints *c)
{
	struct json_object *probed = jsontree_get(condition, "lastProbeTime", NULL);
	char path[PATH_ROOM];
	const char *text;

	snprintf(path, sizeof(path), "status.conditions[%zu].type", at);
	check_word(jsontree_get(condition, "type", NULL), path, types, c);
	snprintf(path, sizeof(path), "status.conditions[%zu].status", at);
	check_word(jsontree_get(condition, "status", NULL), path, states, c);
	snprintf(path, sizeof(path), "status.conditions[%zu].lastProbeTime", at);
	text = check_text(probed, path, true, c);
	if (text && strcmp(text, "0001-01-01T00:00:00Z") == 0)
		complain_required(c, path);
}

static void check_status(struct json_object *status, struct complaints *c)
{
	struct json_object *list = jsontree_get(status, "conditions", NULL);

	if (!check_list(list, "status.conditions", c))
		return;
	for (size_t i = 0; i < jsontree_count(list); i++)
		check_condition(jsontree_item(list, i), i, c);
}

bool member_admit(struct json_object *kubefed_cluster, bool is_status, struct text *messages)
{
	struct complaints c = {0};
	bool admitted;

	if (is_status)
		check_status(jsontree_get(kubefed_cluster, "status", NULL), &c);
	else
		check_spec(jsontree_get(kubefed_cluster, "spec", NULL), &c);
	complaints_print(&c, messages);
	admitted = c.count == 0;
	complaints_fini(&c);
	return admitted;
}
