/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/config_parts.h"

#include <json-c/json_object.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

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
static bool has_listen(const struct config_listen *list, size_t count,
                       const struct config_listen *l)
{
	for (size_t i = 0; l->port && i < count; i++)
		if (list[i].port == l->port && addr_equal(&list[i].addr, &l->addr))
			return true;
	return false;
}

/* A list that is not empty, in place of what there was. */
static void read_list(struct conf_file *file, struct json_object *value, const char *key,
                      struct config_listen **out, size_t *out_count)
{
	bool is_list = json_object_is_type(value, json_type_array);
	size_t count = is_list ? json_object_array_length(value) : 0;

	if (!count) {
		conf_complain(file, value, "%s must be a list of at least one address", key);
		return;
	}
	free(*out);
	*out = xcalloc(count, sizeof(**out));
	*out_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(value, i);
		struct config_listen l = {0};

		if (!read_listen(file, item ? item : value, key, &l))
			continue;
		if (has_listen(*out, *out_count, &l))
			conf_complain(file, item, "%s names %s twice", key,
			              json_object_get_string(item));
		else
			(*out)[(*out_count)++] = l;
	}
}

static void print_list(const struct config_listen *list, size_t count, struct text *out)
{
	char text[ADDR_PORT_TEXT_SIZE];

	text_add(out, "[");
	for (size_t i = 0; i < count; i++)
		text_printf(out, "%s\"%s\"", i ? ", " : "",
		            addr_port_print(&list[i].addr, list[i].port, text));
	text_add(out, "]");
}

void config_dns_read(struct conf_file *file, struct json_object *value, void *field)
{
	struct config *c = config_of_dns(field);

	read_list(file, value, "listen.dns", &c->dns, &c->dns_count);
}

void config_dns_print(const void *field, struct text *out)
{
	const struct config *c = (const void *)((const char *)field - offsetof(struct config, dns));

	print_list(c->dns, c->dns_count, out);
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

/* --- TLS --- */

static void read_tls_path(struct conf_file *file, struct json_object *mapping,
                          struct json_object *value, const char *key, char **out)
{
	const char *text = config_text(file, mapping, value, key);

	if (!text)
		return;
	free(*out);
	*out = conf_relative(file, text);
}

static bool read_tls_key(struct conf_file *file, struct json_object *mapping, const char *key,
                         struct json_object *value, void *out)
{
	struct config_tls *tls = out;

	if (strcmp(key, "addresses") == 0)
		read_list(file, value ? value : mapping, "listen.tls.addresses", &tls->addresses,
		          &tls->address_count);
	else if (strcmp(key, "certificate") == 0)
		read_tls_path(file, mapping, value, "listen.tls.certificate", &tls->certificate);
	else if (strcmp(key, "key") == 0)
		read_tls_path(file, mapping, value, "listen.tls.key", &tls->key);
	else
		return false;
	return true;
}

static bool has_key(struct json_object *mapping, const char *key)
{
	return json_object_object_get_ex(mapping, key, NULL);
}

static void tls_fini(struct config_tls *tls)
{
	free(tls->addresses);
	free(tls->certificate);
	free(tls->key);
	*tls = (struct config_tls){0};
}

void config_tls_read(struct conf_file *file, struct json_object *value, void *field)
{
	struct config_tls *tls = field;

	tls_fini(tls);
	if (!value)
		return;
	if (!json_object_is_type(value, json_type_object)) {
		conf_complain(file, value, "listen.tls must be a mapping");
		return;
	}
	(void)config_mapping(file, value, value, "listen.tls", read_tls_key, tls);
	if (!has_key(value, "addresses") || !has_key(value, "certificate") ||
	    !has_key(value, "key"))
		conf_complain(file, value, "listen.tls needs addresses, certificate and key");
}

void config_tls_print(const void *field, struct text *out)
{
	const struct config_tls *tls = field;

	if (!tls->address_count)
		return;
	text_add(out, "{addresses: ");
	print_list(tls->addresses, tls->address_count, out);
	text_add(out, ", certificate: ");
	conf_print_path(tls->certificate, out);
	text_add(out, ", key: ");
	conf_print_path(tls->key, out);
	text_add(out, "}");
}

void config_tls_fini(struct config *c) { tls_fini(&c->tls); }
