/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/ttls.h"

#include <json-c/json_object.h>

#include "ctl/cluster.h"
#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/pods.h"

/* False: it says nothing of the cluster. */
static bool take_largest(struct json_object *status, const char *cluster, int64_t *out)
{
	struct json_object *one = fields_named(status, "clusters", cluster);
	int64_t ttl = (int64_t)fields_u64(one, "largestTTL");

	if (!fields_find(one, "largestTTL"))
		return false;
	*out = ttl > *out ? ttl : *out;
	return true;
}

static bool ask_pods(const struct cluster_asked *asked, int64_t *out)
{
	struct pods pods = {0};
	struct reason why = {0};
	bool any = false;

	if (asked->access && pods_find(asked->access, PODS_OF_NIGHD, NULL, &pods, &why) == ERR_OK) {
		pods_ask_all(asked->access, &pods, "/status", false);
		for (size_t i = 0; i < pods.count; i++)
			any |= take_largest(pods.list[i].said, asked->name, out);
	}
	pods_fini(&pods);
	return any;
}

static int ask_server(const struct cluster_asked *asked, int64_t *out)
{
	struct json_object *status = NULL;
	int result = command_get(asked->c, "/status", &status);

	if (result == COMMAND_FINE && !take_largest(status, asked->name, out))
		result = command_fail(asked->c, "%s does not know the cluster %s", asked->c->server,
		                      asked->name);
	json_object_put(status);
	if (result != COMMAND_FINE)
		command_fail(asked->c, "so nobody says how long caches keep its answers: say "
		                       "--ttl-wait 180s, the largest TTL of its names");
	return result;
}

int ttls_find(const struct cluster_asked *asked, int64_t *out)
{
	*out = 0;
	if (asked->c->ttl_wait)
		return command_seconds(asked->c, "--ttl-wait", asked->c->ttl_wait, out)
		               ? COMMAND_FINE
		               : COMMAND_USAGE;
	return ask_pods(asked, out) ? COMMAND_FINE : ask_server(asked, out);
}
