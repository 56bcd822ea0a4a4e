/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/membership.h"

#include <ctype.h>
#include <json-c/json_object.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/apiserver.h"
#include "ctl/command.h"
#include "ctl/federate.h"
#include "kube/access.h"
#include "propagator/jsontree.h"

enum { NAME_MOST = 100 }; /* two of them, and some letters, are a name (RFC 1123 subdomain: 253) */

static bool is_name(const char *s)
{
	size_t len = strlen(s);

	return len > 0 && len <= NAME_MOST && isalnum((unsigned char)s[0]) &&
	       isalnum((unsigned char)s[len - 1]) &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

static const char *host_named(const struct command *c)
{
	return c->host_name ? c->host_name : c->context ? c->context : "host";
}

const char *membership_host_of(const struct command *c, struct json_object *kubefed_cluster)
{
	const char *host =
		jsontree_text(kubefed_cluster, "metadata", "annotations", MEMBERSHIP_HOST, NULL);

	return host && !c->host_name ? host : host_named(c);
}

bool membership_is_at(struct json_object *kubefed_cluster, const char *server)
{
	const char *said = jsontree_word(kubefed_cluster, "spec", "apiEndpoint", NULL);
	char *here = NULL, *there = NULL;
	struct reason why;
	bool is = strcmp(said, server) == 0;

	if (!is && kube_endpoint_read(said, &here, &why) == ERR_OK &&
	    kube_endpoint_read(server, &there, &why) == ERR_OK)
		is = strcmp(here, there) == 0;
	free(here);
	free(there);
	return is;
}

enum err membership_scope(const struct command *c, const struct apiserver *host,
                          enum grants_scope *out, struct reason *why)
{
	struct json_object *config = NULL;
	struct reason said = {0};
	enum err err = apiserver_get(host, &federate_configs, c->namespace, FEDERATE_CONFIG,
	                             &config, &said);

	*out = strcmp(jsontree_word(config, "spec", "scope", NULL), "Namespaced") == 0
	               ? GRANTS_NAMESPACED
	               : GRANTS_CLUSTER;
	json_object_put(config);
	if (err && err != ERR_NOTFOUND)
		return reason_set(why, err, "KubeFedConfig %s of %s: %s", FEDERATE_CONFIG,
		                  c->namespace, said.text);
	return ERR_OK;
}

/* What may not be read may not be taken away either, and that is told. */
bool membership_is_anothers(const struct command *c, const struct apiserver *member,
                            const struct grant *g)
{
	struct json_object *binding = NULL;
	struct reason why = {0};
	bool is = !g->in_namespace &&
	          apiserver_get(member, &grants_cluster_bindings, NULL, g->name, &binding, &why) ==
	                  ERR_OK &&
	          grants_are_anothers(binding, c->namespace);

	json_object_put(binding);
	return is;
}

int membership_check(const struct command *c, const char *cluster)
{
	if (!is_name(cluster))
		command_fail(c, "'%s' is not the name of a cluster", cluster);
	else if (!is_name(host_named(c)))
		command_fail(c,
		             "'%s' cannot be part of a name: say how the host is called with "
		             "--host-cluster-name",
		             host_named(c));
	else
		return COMMAND_FINE;
	return COMMAND_USAGE;
}
