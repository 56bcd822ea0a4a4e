/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/config_parts.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { NSID_MOST = 128, CHAOS_MOST = 255 };

/* --- identity --- */

static void read_said(struct conf_file *file, struct json_object *value, size_t most,
                      const char *key, char **field)
{
	const char *text = config_text(file, value, value, key);

	if (text && strlen(text) > most) {
		conf_complain(file, value, "%s must be at most %zu bytes", key, most);
	} else if (text) {
		free(*field);
		*field = xstrdup(text);
	}
}

void config_nsid_read(struct conf_file *file, struct json_object *value, void *field)
{
	read_said(file, value, NSID_MOST, "identity.nsid", field);
}

void config_hostname_read(struct conf_file *file, struct json_object *value, void *field)
{
	read_said(file, value, CHAOS_MOST, "identity.hostname", field);
}

void config_version_read(struct conf_file *file, struct json_object *value, void *field)
{
	read_said(file, value, CHAOS_MOST, "identity.version", field);
}

void config_identity_print(const void *field, struct text *out)
{
	const char *const *text = field;

	if (*text)
		text_add_json(out, bytes_of(*text));
}

void config_identity_fini(struct config *c)
{
	free(c->identity.nsid);
	free(c->identity.hostname);
	free(c->identity.version);
}

/* --- networks --- */

void config_networks_read(struct conf_file *file, struct json_object *value, const char *key,
                          struct config_networks *out)
{
	size_t count = config_list(file, value, key);

	config_networks_fini(out);
	out->limited = true;
	out->item = xcalloc(count, sizeof(*out->item));
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(value, i);
		const char *text = config_text(file, value, item, key);
		struct reason why;

		if (!text)
			continue;
		if (addr_network_parse(bytes_of(text), &out->item[out->count], &why) == ERR_OK)
			out->count++;
		else
			conf_complain(file, item, "%s: %s", key, why.text);
	}
}

void config_networks_print(const struct config_networks *networks, struct text *out)
{
	char text[ADDR_NETWORK_TEXT_SIZE];

	text_add(out, "[");
	for (size_t i = 0; i < networks->count; i++)
		text_printf(out, "%s\"%s\"", i ? ", " : "",
		            addr_network_print(&networks->item[i], text));
	text_add(out, "]");
}

void config_networks_fini(struct config_networks *networks)
{
	free(networks->item);
	*networks = (struct config_networks){0};
}

void config_ecs_read(struct conf_file *file, struct json_object *value, void *field)
{
	struct config_networks *from = field;

	if (json_object_is_type(value, json_type_array))
		config_networks_read(file, value, "ecs.from", from);
	else if (json_object_is_type(value, json_type_string) &&
	         strcmp(json_object_get_string(value), "any") == 0)
		config_networks_fini(from);
	else
		conf_complain(file, value, "ecs.from must be any, or a list of networks");
}

void config_ecs_print(const void *field, struct text *out)
{
	const struct config_networks *from = field;

	if (from->limited)
		config_networks_print(from, out);
	else
		text_add(out, "any");
}
