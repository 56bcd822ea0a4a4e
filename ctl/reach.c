/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/reach.h"

#include <json-c/json_object.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/grants.h"
#include "ctl/login.h"
#include "ctl/remote.h"
#include "propagator/condition.h"
#include "watcher/decode_link.h"

enum { UNREADY_MS = 2000 };

enum err reach_cluster(const struct command *c, const struct apiserver *host, const char *name,
                       struct json_object **out, struct reason *why)
{
	return apiserver_get(host, &remote_clusters, c->namespace, name, out, why);
}

bool reach_is_named(const struct command *c) { return c->member_kubeconfig || c->member_context; }

enum err reach_as_person(const struct command *c, const char *name, struct apiserver *out,
                         struct reason *why)
{
	struct command of_member = *c;
	struct reason said = {0};
	enum err err;

	*out = (struct apiserver){.dry_run = c->dry_run};
	if (c->member_kubeconfig)
		of_member.kubeconfig = c->member_kubeconfig;
	of_member.context = c->member_context      ? c->member_context
	                    : c->member_kubeconfig ? NULL
	                                           : name;
	err = login_read(&of_member, &out->access, &said);
	if (err)
		reason_set(why, err, "%s%s", said.text,
		           reach_is_named(c) ? ""
		                             : " (another way to it: --cluster-context, "
		                               "--cluster-kubeconfig)");
	else
		apiserver_dial(out);
	return err;
}

enum err reach_as_host(const struct command *c, const struct apiserver *host,
                       struct json_object *kubefed_cluster, struct apiserver *out,
                       struct reason *why)
{
	struct decode_link link = {0};
	struct json_object *secret = NULL;
	enum err err = decode_link(kubefed_cluster, DECODE_LINK_WRITE, &link, why);

	*out = (struct apiserver){.dry_run = c->dry_run};
	if (!err)
		err = apiserver_get(host, &grants_secrets, c->namespace, link.secret, &secret, why);
	if (!err)
		err = decode_token(secret, &link.access.token, why);
	if (!err)
		kube_access_copy(&out->access, &link.access);
	if (!err)
		apiserver_dial(out);
	json_object_put(secret);
	decode_link_fini(&link);
	return err;
}

enum err reach_check(const struct apiserver *member, struct json_object *kubefed_cluster,
                     struct reason *why)
{
	const char *ready = condition_status(kubefed_cluster, "Ready");
	uint64_t within_ms = *ready && strcmp(ready, "True") != 0 ? UNREADY_MS : REMOTE_TIMEOUT_MS;
	struct json_object *version;
	/* What anybody who is let in may read. */
	enum err err = remote_get_within(member->caller, &member->access, "/version", within_ms,
	                                 &version, why);

	json_object_put(version);
	return err;
}
