/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/config_parts.h"

#include <ctype.h>
#include <json-c/json_object.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { HOST_MOST = 253, NAME_MOST = 63, PEERS_MOST = 64 };

void config_replicas_listen_read(struct conf_file *file, struct json_object *value, void *field)
{
	struct config_listen *out = field;
	const char *text = config_text(file, value, value, "replicas.listen");
	struct reason why;

	if (text && addr_port_parse(bytes_of(text), &out->addr, &out->port, &why) != ERR_OK)
		conf_complain(file, value, "replicas.listen: %s", why.text);
}

void config_replicas_listen_print(const void *field, struct text *out)
{
	const struct config_listen *l = field;
	char text[ADDR_PORT_TEXT_SIZE];

	if (l->addr.family != ADDR_NONE)
		text_printf(out, "\"%s\"", addr_port_print(&l->addr, l->port, text));
}

/* --- peers --- */

static struct config *config_of(const void *field)
{
	return (void *)((char *)(uintptr_t)field - offsetof(struct config, replicas.peers));
}

static bool is_host(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("-._", text[i]))
			return false;
	return len > 0 && len <= HOST_MOST && text[0] != '.';
}

/* "nighd-replicas.nigh.svc.cluster.local:8054" */
static bool parse_host(const char *text, struct config_peer *out)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;

	if (!colon || !is_host(text, (size_t)(colon - text)) ||
	    !text_to_u64(bytes_of(colon + 1), UINT16_MAX, &port) || port == 0)
		return false;
	out->port = (uint16_t)port;
	out->host = xstrndup(text, (size_t)(colon - text));
	for (char *c = out->host; *c; c++)
		*c = (char)bytes_lower((uint8_t)*c);
	return true;
}

static bool parse_peer(const char *text, struct config_peer *out)
{
	struct reason why;

	*out = (struct config_peer){0};
	if (addr_port_parse(bytes_of(text), &out->addr, &out->port, &why) == ERR_OK)
		return out->port != 0;
	return parse_host(text, out);
}

void config_peers_read(struct conf_file *file, struct json_object *value, void *field)
{
	struct config *c = config_of(field);
	size_t count = config_list(file, value, "replicas.peers");

	config_peers_fini(c);
	if (count > PEERS_MOST) {
		conf_complain(file, value, "replicas.peers may be %d at most", PEERS_MOST);
		return;
	}
	c->replicas.peers = xcalloc(count + 1, sizeof(*c->replicas.peers));
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(value, i);
		const char *text = config_text(file, value, item, "replicas.peers");

		if (!text)
			continue;
		if (parse_peer(text, &c->replicas.peers[c->replicas.peer_count]))
			c->replicas.peer_count++;
		else
			conf_complain(file, item,
			              "replicas.peers: '%.100s' is neither ADDR:PORT nor NAME:PORT",
			              text);
	}
}

void config_peers_print(const void *field, struct text *out)
{
	const struct config *c = config_of(field);
	char text[ADDR_PORT_TEXT_SIZE];

	if (c->replicas.peer_count == 0)
		return;
	for (size_t i = 0; i < c->replicas.peer_count; i++) {
		const struct config_peer *peer = &c->replicas.peers[i];

		text_add(out, i ? ", \"" : "[\"");
		if (peer->host)
			text_printf(out, "%s:%u\"", peer->host, peer->port);
		else
			text_printf(out, "%s\"", addr_port_print(&peer->addr, peer->port, text));
	}
	text_add(out, "]");
}

void config_peers_fini(struct config *c)
{
	for (size_t i = 0; i < c->replicas.peer_count; i++)
		free(c->replicas.peers[i].host);
	free(c->replicas.peers);
	c->replicas.peers = NULL;
	c->replicas.peer_count = 0;
}

/* --- all of it --- */

static bool is_name(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			return false;
	return *text && strlen(text) <= NAME_MOST;
}

bool config_replicas_check(const struct config *c, const char *file, struct text *errors)
{
	bool any = c->replicas.listen.addr.family != ADDR_NONE || c->replicas.peer_count > 0 ||
	           c->replicas.certificate || c->replicas.key || c->replicas.ca;
	size_t before = errors->len;

	if (any && (!c->replicas.certificate || !c->replicas.key || !c->replicas.ca))
		text_printf(errors, "%sreplicas needs certificate, key and ca\n", file);
	if (any && c->replicas.listen.addr.family == ADDR_NONE && c->replicas.peer_count == 0)
		text_printf(errors, "%sreplicas needs listen, or peers\n", file);
	if (c->replicas.name && !is_name(c->replicas.name))
		text_printf(errors, "%sreplicas.name must be at most %d printable characters\n",
		            file, NAME_MOST);
	return errors->len == before;
}
