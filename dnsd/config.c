/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "dnsd/config_parts.h"

/* --- reading --- */

static bool check_doubles(const struct config *c, const char *file, struct text *errors)
{
	const struct conf_strings *lists[] = {&c->manifests, &c->geo.databases,
	                                      &c->geo.unknown_order};
	const char *names[] = {"sources.manifests", "geo.databases", "geo.unknownOrder"};
	size_t before = errors->len;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (size_t k = 0; k < lists[i]->count; k++)
			for (size_t j = 0; j < k; j++)
				if (strcmp(lists[i]->item[k], lists[i]->item[j]) == 0)
					text_printf(errors, "%s:1: %s names %s twice\n", file,
					            names[i], lists[i]->item[k]);
	return errors->len == before;
}

struct config *config_read(const char *file, struct text *errors)
{
	struct config *c = xcalloc(1, sizeof(*c));
	bool good = true;

	conf_defaults(config_rows, config_row_count, c);
	if (file) {
		c->file = xstrdup(file);
		good = conf_read(config_rows, config_row_count, file, c, errors) == ERR_OK;
		good = check_doubles(c, file, errors) && good;
	}
	if (good)
		return c;
	config_free(c);
	return NULL;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	conf_fini(config_rows, config_row_count, c);
	config_dns_fini(c);
	config_tls_fini(c);
	config_zones_fini(c);
	config_identity_fini(c);
	config_peers_fini(c);
	config_networks_fini(&c->ecs_from);
	config_kubernetes_fini(c);
	config_members_fini(c);
	config_imports_fini(c);
	free(c->file);
	free(c);
}

/* --- flags --- */

static const struct conf_row *find_row(const char *path)
{
	for (size_t i = 0; i < config_row_count; i++)
		if (strcmp(config_rows[i].path, path) == 0)
			return &config_rows[i];
	return NULL;
}

/* A number where one is asked for; anything else is quoted, so that it stays a text. */
static void add_scalar(struct text *yaml, const struct conf_row *row, struct bytes value)
{
	uint64_t number;

	if (row->type == CONF_U64 && text_to_u64(value, UINT64_MAX, &number))
		text_add_bytes(yaml, value);
	else
		text_add_json(yaml, value);
}

static void add_list(struct text *yaml, const char *lines)
{
	text_add(yaml, "[");
	while (*lines) {
		size_t len = strcspn(lines, "\n");

		text_add_json(yaml, (struct bytes){(const uint8_t *)lines, len});
		lines += len;
		if (*lines == '\n') {
			lines++;
			text_add(yaml, ", ");
		}
	}
	text_add(yaml, "]");
}

static bool takes_list(const struct conf_row *row)
{
	return row->type == CONF_STRINGS || row->type == CONF_NETWORKS || row->type == CONF_PATHS ||
	       row->custom == config_dns_read;
}

/* "probe.interval" and "1s": {"probe": {"interval": "1s"}}. */
static void add_setting(struct text *yaml, const struct conf_row *row, const char *value)
{
	const char *dot = strchr(row->path, '.');

	text_add(yaml, "{");
	if (dot)
		text_printf(yaml, "%.*s: {", (int)(dot - row->path), row->path);
	text_printf(yaml, "%s: ", dot ? dot + 1 : row->path);
	if (takes_list(row))
		add_list(yaml, value);
	else
		add_scalar(yaml, row, bytes_of(value));
	text_add(yaml, dot ? "}}" : "}");
}

/* A flag has no line: "FLAG:1: text" is told as "text". */
static void tell_errors(const char *told, struct text *errors)
{
	while (told && *told) {
		const char *text = strstr(told, ": ");
		size_t len = strcspn(told, "\n");

		text = text && text < told + len ? text + 2 : told;
		text_printf(errors, "%.*s\n", (int)(told + len - text), text);
		told += told[len] ? len + 1 : len;
	}
}

bool config_override(struct config *c, const char *path, const char *value, struct text *errors)
{
	const struct conf_row *row = find_row(path);
	struct text yaml = {0}, told = {0};
	bool good;

	CHECK(row != NULL);
	if (!*value) {
		text_printf(errors, "%s must not be empty\n", path);
		return false;
	}
	add_setting(&yaml, row, value);
	good = conf_read_text(config_rows, config_row_count, "flag", bytes_of(yaml.data), c,
	                      &told) == ERR_OK;
	tell_errors(told.data, errors);
	text_fini(&told);
	text_fini(&yaml);
	return good;
}

/* --- checking, printing, comparing --- */

static bool check_http(const struct config *c, const char *file, struct text *errors)
{
	char text[ADDR_PORT_TEXT_SIZE];

	for (size_t i = 0; i < c->dns_count; i++)
		if (c->http.port && c->dns[i].port == c->http.port &&
		    addr_equal(&c->dns[i].addr, &c->http.addr)) {
			text_printf(errors, "%s%s is both listen.dns and listen.http\n", file,
			            addr_port_print(&c->http.addr, c->http.port, text));
			return false;
		}
	return true;
}

/* TLS has its addresses for itself (RFC 7858 3.1). */
static bool check_tls(const struct config *c, const char *file, struct text *errors)
{
	const struct config_tls *tls = &c->tls;
	char text[ADDR_PORT_TEXT_SIZE];
	size_t before = errors->len;

	for (size_t i = 0; i < tls->address_count; i++) {
		const struct config_listen *l = &tls->addresses[i];
		const char *other = NULL;

		if (!l->port)
			continue;
		if (c->http.port == l->port && addr_equal(&c->http.addr, &l->addr))
			other = "http";
		for (size_t k = 0; k < c->dns_count; k++)
			if (c->dns[k].port == l->port && addr_equal(&c->dns[k].addr, &l->addr))
				other = "dns";
		if (other)
			text_printf(errors, "%s%s is both listen.tls.addresses and listen.%s\n",
			            file, addr_port_print(&l->addr, l->port, text), other);
	}
	return errors->len == before;
}

static bool check_publish(const struct config *c, const char *file, struct text *errors)
{
	bool good = true;

	for (size_t i = 0; i < c->publish.allow.count; i++)
		for (size_t k = 0; k < c->publish.deny.count; k++)
			if (strcmp(c->publish.allow.item[i], c->publish.deny.item[k]) == 0) {
				text_printf(errors, "%s%s is both publish.allow and publish.deny\n",
				            file, c->publish.allow.item[i]);
				good = false;
			}
	return good;
}

bool config_check(const struct config *c, struct text *errors)
{
	struct text file = {0};
	bool good;

	if (c->file)
		text_printf(&file, "%s:1: ", c->file);
	else
		text_add(&file, "");
	good = check_http(c, file.data, errors);
	good = check_tls(c, file.data, errors) && good;
	good = check_publish(c, file.data, errors) && good;
	good = config_replicas_check(c, file.data, errors) && good;
	text_fini(&file);
	return good;
}

void config_print(const struct config *c, struct text *out)
{
	conf_print(config_rows, config_row_count, c, out);
}

void config_needs_restart(const struct config *before, const struct config *after, struct text *out)
{
	conf_changed(config_rows, config_row_count, before, after, out);
}

void config_manual(struct text *out) { conf_manual(config_rows, config_row_count, out); }
