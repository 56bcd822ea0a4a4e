/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/config_parts.h"

#include <json-c/json_object.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/xalloc.h"

static struct config *config_of_dns(void *field)
{
	return (void *)((char *)field - offsetof(struct config, dns));
}

static bool read_listen(struct conf_file *file, struct json_object *value, const char *key,
                        struct config_listen *out)
{
	struct reason why;

	if (!json_object_is_type(value, json_type_string)) {
		conf_complain(file, value, "%s must be A.B.C.D:PORT or [V6]:PORT", key);
		return false;
	}
	if (addr_port_parse(bytes_of(json_object_get_string(value)), &out->addr, &out->port,
	                    &why) == ERR_OK)
		return true;
	conf_complain(file, value, "%s: %s", key, why.text);
	return false;
}

/* Two sockets that the kernel numbers are two; any other pair of equals is a mistake. */
static bool has_listen(const struct config *c, const struct config_listen *l)
{
	for (size_t i = 0; l->port && i < c->dns_count; i++)
		if (c->dns[i].port == l->port && addr_equal(&c->dns[i].addr, &l->addr))
			return true;
	return false;
}

void config_dns_read(struct conf_file *file, struct json_object *value, void *field)
{
	struct config *c = config_of_dns(field);
	bool is_list = json_object_is_type(value, json_type_array);
	size_t count = is_list ? json_object_array_length(value) : 0;

	if (!count) {
		conf_complain(file, value, "listen.dns must be a list of at least one address");
		return;
	}
	config_dns_fini(c);
	c->dns = xcalloc(count, sizeof(*c->dns));
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(value, i);
		struct config_listen l = {0};

		if (!read_listen(file, item ? item : value, "listen.dns", &l))
			continue;
		if (has_listen(c, &l))
			conf_complain(file, item, "listen.dns names %s twice",
			              json_object_get_string(item));
		else
			c->dns[c->dns_count++] = l;
	}
}

void config_dns_print(const void *field, struct text *out)
{
	const struct config *c = (const void *)((const char *)field - offsetof(struct config, dns));
	char text[ADDR_PORT_TEXT_SIZE];

	text_add(out, "[");
	for (size_t i = 0; i < c->dns_count; i++)
		text_printf(out, "%s\"%s\"", i ? ", " : "",
		            addr_port_print(&c->dns[i].addr, c->dns[i].port, text));
	text_add(out, "]");
}

void config_dns_fini(struct config *c)
{
	free(c->dns);
	c->dns = NULL;
	c->dns_count = 0;
}

void config_http_read(struct conf_file *file, struct json_object *value, void *field)
{
	struct config_listen l = {0};

	if (read_listen(file, value, "listen.http", &l))
		*(struct config_listen *)field = l;
}

void config_http_print(const void *field, struct text *out)
{
	const struct config_listen *l = field;
	char text[ADDR_PORT_TEXT_SIZE];

	text_printf(out, "\"%s\"", addr_port_print(&l->addr, l->port, text));
}
