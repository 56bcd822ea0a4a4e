/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/selector.h"

#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <json-c/json_tokener.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/text.h"
#include "propagator/jsontree.h"

enum { SHOWN = 128, LABEL_MOST = 63, PREFIX_MOST = 253, DEPTH_V1 = 8, TEXT_V1_MOST = 1 << 20 };

/* --- what a label may be (apimachinery: IsQualifiedName, IsValidLabelValue) --- */

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_label_name(const char *s, size_t len)
{
	if (len == 0 || len > LABEL_MOST || !is_alnum(s[0]) || !is_alnum(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(s[i]) && !strchr("-_.", s[i]))
			return false;
	return true;
}

static bool is_label_prefix(const char *s, size_t len)
{
	bool inside = false; /* of a part: after a letter or digit */

	if (len == 0 || len > PREFIX_MOST)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool lower = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9');

		if (!lower && (s[i] == '.' ? !inside || s[i - 1] == '-' : s[i] != '-' || !inside))
			return false;
		inside = s[i] != '.';
	}
	return inside && s[len - 1] != '-';
}

static bool is_label_key(const char *key)
{
	const char *slash = strchr(key, '/');

	if (slash && !is_label_prefix(key, (size_t)(slash - key)))
		return false;
	key = slash ? slash + 1 : key;
	return is_label_name(key, strlen(key));
}

static bool is_label_value(const char *value)
{
	return value[0] == '\0' || is_label_name(value, strlen(value));
}

/* --- one requirement --- */

enum operator_kind { OP_IN, OP_NOT_IN, OP_EXISTS, OP_DOES_NOT_EXIST, OP_GREATER, OP_LESS };

struct requirement {
	enum operator_kind op;
	bool is_single; /* exactly one value: =, ==, !=, and those that compare */
	const char *key;
	struct json_object *values; /* an array, or NULL */
};

struct operator_name {
	const char *name;
	enum operator_kind op;
	bool is_single;
};

static const struct operator_name standard[] = {{"In", OP_IN, false},
                                                {"NotIn", OP_NOT_IN, false},
                                                {"Exists", OP_EXISTS, false},
                                                {"DoesNotExist", OP_DOES_NOT_EXIST, false},
                                                {NULL, OP_IN, false}};
/* Federation v1 took Kubernetes' older words too. */
static const struct operator_name federation_v1[] = {{"in", OP_IN, false},
                                                     {"In", OP_IN, false},
                                                     {"notin", OP_NOT_IN, false},
                                                     {"NotIn", OP_NOT_IN, false},
                                                     {"exists", OP_EXISTS, false},
                                                     {"Exists", OP_EXISTS, false},
                                                     {"!", OP_DOES_NOT_EXIST, false},
                                                     {"DoesNotExist", OP_DOES_NOT_EXIST, false},
                                                     {"=", OP_IN, true},
                                                     {"==", OP_IN, true},
                                                     {"!=", OP_NOT_IN, true},
                                                     {"gt", OP_GREATER, true},
                                                     {"Gt", OP_GREATER, true},
                                                     {">", OP_GREATER, true},
                                                     {"lt", OP_LESS, true},
                                                     {"Lt", OP_LESS, true},
                                                     {"<", OP_LESS, true},
                                                     {NULL, OP_IN, false}};

static const char *shown(const char *text, char out[SHOWN])
{
	return text_shown(bytes_of(text), out, SHOWN);
}

/* A label's value has no sign. */
static bool to_number(const char *text, uint64_t *out)
{
	return text_to_u64(bytes_of(text), INT64_MAX, out);
}

static size_t count_of(const struct requirement *r)
{
	return r->values ? json_object_array_length(r->values) : 0;
}

static const char *value_at(const struct requirement *r, size_t i)
{
	struct json_object *value = json_object_array_get_idx(r->values, i);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static enum err check_values(const struct requirement *r, struct reason *why)
{
	size_t count = count_of(r);
	uint64_t number;
	char buf[SHOWN];

	if (count > SELECTOR_VALUES_MOST)
		return reason_set(why, ERR_PARSE, ".values: more than %d", SELECTOR_VALUES_MOST);
	if ((r->op == OP_EXISTS || r->op == OP_DOES_NOT_EXIST) && count > 0)
		return reason_set(why, ERR_PARSE, ".values: must be empty with this operator");
	if ((r->op == OP_IN || r->op == OP_NOT_IN) && count == 0)
		return reason_set(why, ERR_PARSE, ".values: must not be empty with this operator");
	if (r->is_single && count != 1)
		return reason_set(why, ERR_PARSE, ".values: must be one with this operator");
	for (size_t i = 0; i < count; i++) {
		const char *value = value_at(r, i);

		if (!value || !is_label_value(value))
			return reason_set(why, ERR_PARSE, ".values[%zu]: %s is no label's value", i,
			                  value ? shown(value, buf) : "what is no text");
		if ((r->op == OP_GREATER || r->op == OP_LESS) && !to_number(value, &number))
			return reason_set(why, ERR_PARSE,
			                  ".values[%zu]: '%s' is not a whole number", i,
			                  shown(value, buf));
	}
	return ERR_OK;
}

/* A member, whatever the case of its name when Go would not have minded either. */
static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *found = jsontree_get(object, name, NULL);

	if (found || !json_object_is_type(object, json_type_object))
		return found;
	json_object_object_foreach(object, key, value)
	{
		if (strcasecmp(key, name) == 0)
			return value;
	}
	return NULL;
}

static enum err read_requirement(struct json_object *object, const struct operator_name *operators,
                                 struct requirement *out, struct reason *why)
{
	struct json_object *key = member(object, "key"), *op = member(object, "operator");
	const char *name;
	char buf[SHOWN];

	*out = (struct requirement){.values = member(object, "values")};
	if (!json_object_is_type(object, json_type_object))
		return reason_set(why, ERR_PARSE, ": is %s, not an object", jsontree_kind(object));
	if (!json_object_is_type(key, json_type_string) ||
	    !is_label_key(json_object_get_string(key)))
		return reason_set(why, ERR_PARSE, ".key: is not the name of a label");
	out->key = json_object_get_string(key);
	if (!json_object_is_type(op, json_type_string))
		return reason_set(why, ERR_PARSE, ".operator: is missing");
	name = json_object_get_string(op);
	while (operators->name && strcmp(operators->name, name) != 0)
		operators++;
	if (!operators->name)
		return reason_set(why, ERR_PARSE, ".operator: '%s' is not a valid one",
		                  shown(name, buf));
	out->op = operators->op;
	out->is_single = operators->is_single;
	if (out->values && !json_object_is_type(out->values, json_type_array))
		return reason_set(why, ERR_PARSE, ".values: is %s, not a list",
		                  jsontree_kind(out->values));
	return check_values(out, why);
}

static bool is_among(const struct requirement *r, const char *label)
{
	for (size_t i = 0; i < count_of(r); i++)
		if (strcmp(value_at(r, i), label) == 0)
			return true;
	return false;
}

static bool holds(const struct requirement *r, struct json_object *labels)
{
	const char *label = jsontree_text(labels, r->key, NULL);
	uint64_t have, want;

	switch (r->op) {
	case OP_IN:
		return label && is_among(r, label);
	case OP_NOT_IN:
		return !label || !is_among(r, label);
	case OP_EXISTS:
		return label != NULL;
	case OP_DOES_NOT_EXIST:
		return label == NULL;
	case OP_GREATER:
	case OP_LESS:
		if (!label || !to_number(label, &have) || !to_number(value_at(r, 0), &want))
			return false;
		return r->op == OP_GREATER ? have > want : have < want;
	}
	return false;
}

/* --- selectors --- */

/* All of a list of requirements; `name` is what it is called in errors. */
static enum err match_list(struct json_object *list, const struct operator_name *operators,
                           const char *name, struct json_object *labels, bool *out,
                           struct reason *why)
{
	if (list && !json_object_is_type(list, json_type_array))
		return reason_set(why, ERR_PARSE, "%s: is %s, not a list", name,
		                  jsontree_kind(list));
	if (list && json_object_array_length(list) > SELECTOR_REQUIREMENTS_MOST)
		return reason_set(why, ERR_PARSE, "%s: more than %d requirements", name,
		                  SELECTOR_REQUIREMENTS_MOST);
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct requirement r;
		enum err err =
			read_requirement(json_object_array_get_idx(list, i), operators, &r, why);

		if (err != ERR_OK) {
			reason_prefix(why, "%s[%zu]", name, i);
			return err;
		}
		*out = *out && holds(&r, labels);
	}
	return ERR_OK;
}

static enum err match_labels(struct json_object *wanted, struct json_object *labels, bool *out,
                             struct reason *why)
{
	char buf[SHOWN];

	if (!wanted)
		return ERR_OK;
	if (!json_object_is_type(wanted, json_type_object))
		return reason_set(why, ERR_PARSE, "matchLabels: is %s, not an object",
		                  jsontree_kind(wanted));
	if (json_object_object_length(wanted) > SELECTOR_REQUIREMENTS_MOST)
		return reason_set(why, ERR_PARSE, "matchLabels: more than %d",
		                  SELECTOR_REQUIREMENTS_MOST);
	json_object_object_foreach(wanted, key, value)
	{
		const char *label = jsontree_text(labels, key, NULL);

		if (!is_label_key(key))
			return reason_set(why, ERR_PARSE,
			                  "matchLabels: '%s' is not the name of a label",
			                  shown(key, buf));
		if (!json_object_is_type(value, json_type_string) ||
		    !is_label_value(json_object_get_string(value)))
			return reason_set(why, ERR_PARSE, "matchLabels.%s: is no label's value",
			                  shown(key, buf));
		*out = *out && label && strcmp(label, json_object_get_string(value)) == 0;
	}
	return ERR_OK;
}

enum err selector_matches(struct json_object *selector, struct json_object *labels, bool *out,
                          struct reason *why)
{
	enum err err;

	*out = false;
	if (!selector)
		return ERR_OK;
	if (!json_object_is_type(selector, json_type_object))
		return reason_set(why, ERR_PARSE, "is %s, not an object", jsontree_kind(selector));
	*out = true;
	err = match_labels(jsontree_get(selector, "matchLabels", NULL), labels, out, why);
	if (err == ERR_OK)
		err = match_list(jsontree_get(selector, "matchExpressions", NULL), standard,
		                 "matchExpressions", labels, out, why);
	*out = *out && err == ERR_OK;
	return err;
}

enum err selector_check(struct json_object *selector, struct reason *why)
{
	bool ignored;

	return selector_matches(selector, NULL, &ignored, why);
}

/* The array that the annotation is; NULL: it is none. */
static struct json_object *parse_v1(const char *annotation)
{
	size_t len = strlen(annotation);
	json_tokener *tokener = json_tokener_new_ex(DEPTH_V1);
	struct json_object *list = NULL;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	if (len < TEXT_V1_MOST)
		list = json_tokener_parse_ex(tokener, annotation, (int)len + 1);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    !json_object_is_type(list, json_type_array)) {
		json_object_put(list);
		list = NULL;
	}
	json_tokener_free(tokener);
	return list;
}

enum err selector_matches_v1(const char *annotation, struct json_object *labels, bool *out,
                             struct reason *why)
{
	struct json_object *list;
	enum err err;

	*out = annotation == NULL;
	if (!annotation)
		return ERR_OK;
	list = parse_v1(annotation);
	if (!list)
		return reason_set(why, ERR_PARSE,
		                  "federation.alpha.kubernetes.io/cluster-selector: not a list "
		                  "of requirements in JSON");
	*out = true;
	err = match_list(list, federation_v1, "federation.alpha.kubernetes.io/cluster-selector",
	                 labels, out, why);
	*out = *out && err == ERR_OK;
	json_object_put(list);
	return err;
}

/* --- as a query --- */

static void print_values(struct json_object *values, struct text *out)
{
	for (size_t i = 0; i < jsontree_count(values); i++)
		text_printf(out, "%s%s", i > 0 ? "," : "",
		            jsontree_word(jsontree_item(values, i), NULL));
}

static void print_expression(struct json_object *expression, struct text *out)
{
	const char *key = jsontree_word(expression, "key", NULL);
	const char *op = jsontree_word(expression, "operator", NULL);

	if (strcmp(op, "Exists") == 0 || strcmp(op, "DoesNotExist") == 0) {
		text_printf(out, "%s%s", op[0] == 'D' ? "!" : "", key);
		return;
	}
	text_printf(out, "%s %s (", key, strcmp(op, "In") == 0 ? "in" : "notin");
	print_values(jsontree_get(expression, "values", NULL), out);
	text_add(out, ")");
}

bool selector_print(struct json_object *selector, struct text *out)
{
	struct json_object *labels = jsontree_get(selector, "matchLabels", NULL);
	struct json_object *expressions = jsontree_get(selector, "matchExpressions", NULL);
	size_t begin = out->len;
	struct reason why;

	if (!selector || selector_check(selector, &why) != ERR_OK)
		return false;
	if (labels) {
		json_object_object_foreach(labels, key, value)
			text_printf(out, "%s%s=%s", out->len > begin ? "," : "", key,
		                    jsontree_word(value, NULL));
	}
	for (size_t i = 0; i < jsontree_count(expressions); i++) {
		text_add(out, out->len > begin ? "," : "");
		print_expression(jsontree_item(expressions, i), out);
	}
	return out->len > begin;
}
