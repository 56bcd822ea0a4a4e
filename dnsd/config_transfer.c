/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "base/yaml.h"
#include "dnsd/config_parts.h"

/* --- who may have it --- */

static void read_network(struct conf_file *file, struct json_object *mapping,
                         struct json_object *value, struct config_transfer_rule *rule)
{
	static const char key[] = "zones.transfer.allow.address";
	const char *text = config_text(file, mapping, value, key);
	struct reason why = {0};

	if (!text)
		return;
	rule->has_network = true;
	if (addr_network_parse(bytes_of(text), &rule->network, &why) != ERR_OK)
		conf_complain(file, value, "%s: %s", key, why.text);
}

static void read_transport(struct conf_file *file, struct json_object *mapping,
                           struct json_object *value, struct config_transfer_rule *rule)
{
	const char *text = config_text(file, mapping, value, "zones.transfer.allow.transport");

	if (text && strcmp(text, "tcp") == 0)
		rule->transport = CONFIG_TRANSFER_TCP;
	else if (text && strcmp(text, "tls") == 0)
		rule->transport = CONFIG_TRANSFER_TLS;
	else if (text)
		conf_complain(file, value, "zones.transfer.allow.transport is tcp or tls");
}

static void read_key_name(struct conf_file *file, struct json_object *mapping,
                          struct json_object *value, struct config_transfer_rule *rule)
{
	config_name_read(file, mapping, value, "zones.transfer.allow.key", &rule->key);
	rule->key_line = yaml_line(value);
}

static bool read_rule_key(struct conf_file *file, struct json_object *mapping, const char *key,
                          struct json_object *value, void *out)
{
	struct config_transfer_rule *rule = out;

	if (strcmp(key, "address") == 0)
		read_network(file, mapping, value, rule);
	else if (strcmp(key, "key") == 0)
		read_key_name(file, mapping, value, rule);
	else if (strcmp(key, "transport") == 0)
		read_transport(file, mapping, value, rule);
	else
		return false;
	return true;
}

/* A rule that names nobody would name everybody. */
static void read_allow(struct conf_file *file, struct json_object *value, struct config_transfer *t)
{
	static const char path[] = "zones.transfer.allow";
	size_t count = config_list(file, value, path);

	t->rules = xcalloc(count, sizeof(*t->rules));
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(value, i);
		struct config_transfer_rule *rule = &t->rules[t->rule_count++];

		if (config_mapping(file, value, item, path, read_rule_key, rule) &&
		    !rule->has_network && !rule->key)
			conf_complain(file, item, "%s needs an address, a key, or both", path);
	}
}

/* --- who is told, and what --- */

static void read_notify(struct conf_file *file, struct json_object *value,
                        struct config_transfer *t)
{
	static const char path[] = "zones.transfer.notify";
	size_t count = config_list(file, value, path);

	t->notify = xcalloc(count, sizeof(*t->notify));
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(value, i);
		const char *text = config_text(file, value, item, path);
		struct config_listen *to = &t->notify[t->notify_count];
		struct reason why = {0};

		if (!text)
			continue;
		if (addr_port_parse(bytes_of(text), &to->addr, &to->port, &why) != ERR_OK)
			conf_complain(file, item, "%s: %s", path, why.text);
		else if (to->port == 0)
			conf_complain(file, item, "%s: %s has no port", path, text);
		else
			t->notify_count++;
	}
}

static void read_as(struct conf_file *file, struct json_object *mapping, struct json_object *value,
                    struct config_transfer *t)
{
	const char *text = config_text(file, mapping, value, "zones.transfer.as");

	if (text && strcmp(text, "all") != 0)
		t->as = xstrdup(text);
}

static bool read_key(struct conf_file *file, struct json_object *mapping, const char *key,
                     struct json_object *value, void *out)
{
	struct config_transfer *t = out;

	if (strcmp(key, "allow") == 0)
		read_allow(file, value, t);
	else if (strcmp(key, "notify") == 0)
		read_notify(file, value, t);
	else if (strcmp(key, "as") == 0)
		read_as(file, mapping, value, t);
	else
		return false;
	return true;
}

void config_transfer_read(struct conf_file *file, struct json_object *mapping,
                          struct json_object *value, struct config_transfer *out)
{
	config_transfer_fini(out);
	if (json_object_is_type(value, json_type_object))
		(void)config_mapping(file, mapping, value, "zones.transfer", read_key, out);
	else
		conf_complain(file, value ? value : mapping,
		              "zones.transfer must be a mapping: allow, notify, as");
}

/* --- printing --- */

static void print_rule(const struct config_transfer_rule *rule, struct text *out)
{
	static const char *const transports[] = {"", "tcp", "tls"};
	const char *comma = "";
	char network[ADDR_NETWORK_TEXT_SIZE];

	text_add(out, "{");
	if (rule->has_network) {
		text_printf(out, "address: \"%s\"", addr_network_print(&rule->network, network));
		comma = ", ";
	}
	if (rule->key) {
		text_printf(out, "%skey: ", comma);
		text_add_json(out, bytes_of(rule->key));
		comma = ", ";
	}
	if (rule->transport != CONFIG_TRANSFER_ANY)
		text_printf(out, "%stransport: %s", comma, transports[rule->transport]);
	text_add(out, "}");
}

void config_transfer_print(const struct config_transfer *t, struct text *out)
{
	char address[ADDR_PORT_TEXT_SIZE];

	if (!config_transfer_is_given(t))
		return;
	text_add(out, ",\n   transfer: {allow: [");
	for (size_t i = 0; i < t->rule_count; i++) {
		text_add(out, i > 0 ? ", " : "");
		print_rule(&t->rules[i], out);
	}
	text_add(out, "], notify: [");
	for (size_t i = 0; i < t->notify_count; i++)
		text_printf(out, "%s\"%s\"", i > 0 ? ", " : "",
		            addr_port_print(&t->notify[i].addr, t->notify[i].port, address));
	text_add(out, "], as: ");
	text_add_json(out, bytes_of(t->as ? t->as : "all"));
	text_add(out, "}");
}

void config_transfer_fini(struct config_transfer *t)
{
	for (size_t i = 0; i < t->rule_count; i++)
		free(t->rules[i].key);
	free(t->rules);
	free(t->notify);
	free(t->as);
	*t = (struct config_transfer){0};
}
