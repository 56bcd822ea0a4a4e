/* join.c -- nighctl join: a member cluster, with what it grants the host, and its KubeFedCluster. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "ctl/command.h"
#include "ctl/federate.h"
#include "ctl/grants.h"
#include "ctl/membership.h"
#include "ctl/progress.h"
#include "ctl/reach.h"
#include "ctl/remote.h"
#include "kube/base64.h"
#include "propagator/jsontree.h"
#include "watcher/decode_link.h"

enum { TOKEN_WAIT_MS = 30000, PAUSE_MS = 200, TOKEN_FOR_S = 30 * 86400, TOKEN_LEAST_S = 600 };

struct join {
	const struct command *c;
	const char *name;
	struct apiserver host, member;
	struct json_object *before; /* its KubeFedCluster; NULL: it is new */
	struct grants_names names;
	enum grants_scope scope;
	struct grants grants;
	bool made[GRANTS_MOST]; /* of the grants: it was not there before */
	struct written {
		struct text secret; /* of the host: its name; empty: none was written */
		bool is_new;
	} written[2];
	struct progress progress;
	int64_t token_for_s;
	char token_end[32]; /* when the tokens end, as the member says; "": never */
	struct text ca;     /* PEM; empty: the system's roots */
};

static void rest(void)
{
	const struct timespec pause = {0, PAUSE_MS * 1000000L};

	nanosleep(&pause, NULL);
}

/* --- in the member --- */

static enum err choose_grants(struct join *j, struct reason *why)
{
	const char *namespace = j->c->namespace;
	struct json_object *types = NULL;
	struct reason said = {0};
	enum err err =
		apiserver_list(&j->host, &federate_type_configs, namespace, NULL, &types, &said);

	grants_name(&j->names, j->name, membership_host_of(j->c, j->before), namespace,
	            j->c->compatible);
	/* A host without KubeFed's kinds propagates nothing. */
	if (err && err != ERR_NOTFOUND)
		return reason_set(why, err, "FederatedTypeConfigs of %s: %s", namespace, said.text);
	err = membership_scope(j->c, &j->host, &j->scope, why);
	if (!err && j->c->compatible)
		grants_make_compatible(&j->grants, &j->names, namespace, j->scope);
	else if (!err)
		grants_make(&j->grants, &j->names, namespace, j->scope, types);
	json_object_put(types);
	return err;
}

static enum err grant(struct join *j, struct reason *why)
{
	struct reason said = {0};
	enum err err = ERR_OK;

	for (size_t i = 0; !err && i < j->grants.count; i++) {
		const struct grant *g = &j->grants.list[i];
		const char *namespace = g->in_namespace ? j->c->namespace : NULL;
		struct json_object *there;

		progress_show(&j->progress, i, j->grants.count);
		err = apiserver_get(&j->member, g->resource, namespace, g->name, &there, &said);
		j->made[i] = err == ERR_NOTFOUND;
		if (!err || j->made[i])
			err = apiserver_apply(&j->member, g->resource, namespace, g->name,
			                      g->object, NULL, &said);
		if (err)
			reason_set(why, err, "%s: %s %s: %s", j->member.access.server,
			           g->resource->kind, g->name, said.text);
		json_object_put(there);
	}
	progress_show(&j->progress, j->grants.count, j->grants.count);
	return err;
}

/* Of the time when the control plane reached farther, or not as far. */
static void end_other_scope(struct join *j)
{
	struct grants any;

	if (j->c->compatible)
		grants_make_compatible(&any, &j->names, j->c->namespace, GRANTS_ANY);
	else
		grants_make(&any, &j->names, j->c->namespace, GRANTS_ANY, NULL);
	for (size_t i = 0; i < any.count; i++) {
		const struct grant *g = &any.list[i];
		const char *namespace = g->in_namespace ? j->c->namespace : NULL;
		struct json_object *there = NULL;
		struct reason why = {0};
		enum err err;

		if (grants_have(&j->grants, g))
			continue;
		err = apiserver_get(&j->member, g->resource, namespace, g->name, &there, &why);
		json_object_put(there);
		if (err == ERR_NOTFOUND || (!err && membership_is_anothers(j->c, &j->member, g)))
			continue;
		if (!err)
			err = apiserver_delete(&j->member, g->resource, namespace, g->name, &why);
		if (err)
			command_fail(j->c, "%s %s of another scope may stay in the member: %s",
			             g->resource->kind, g->name, why.text);
	}
	grants_fini(&any);
}

static void note_end(struct join *j, const char *end)
{
	if (*end && (!*j->token_end || strcmp(end, j->token_end) < 0))
		(void)snprintf(j->token_end, sizeof(j->token_end), "%s", end);
}

/* A token of the service account that ends by itself (TokenRequest). */
static enum err request_token(struct join *j, const char *account, struct text *token,
                              struct reason *why)
{
	struct json_object *request = json_object_new_object(), *answer;
	struct reason said = {0};
	enum err err;

	jsontree_set(request, json_object_new_string("authentication.k8s.io/v1"), "apiVersion",
	             NULL);
	jsontree_set(request, json_object_new_string("TokenRequest"), "kind", NULL);
	jsontree_set(request, json_object_new_int64(j->token_for_s), "spec", "expirationSeconds",
	             NULL);
	err = apiserver_create(&j->member, &grants_accounts, j->c->namespace, account, "token",
	                       request, &answer, &said);
	if (err)
		reason_set(why, err, "%s: a token of ServiceAccount %s: %s",
		           j->member.access.server, account, said.text);
	text_add(token, jsontree_word(answer, "status", "token", NULL));
	note_end(j, jsontree_word(answer, "status", "expirationTimestamp", NULL));
	if (!err && token->len == 0)
		err = reason_set(why, ERR_PARSE, "%s: the TokenRequest has no token",
		                 j->member.access.server);
	json_object_put(request);
	json_object_put(answer);
	return err;
}

/* The token and authority that the member's controllers write into the Secret, as of KubeFed. */
static enum err await_token(struct join *j, struct text *token, struct reason *why)
{
	uint64_t end_ms = clock_monotonic_ms() + TOKEN_WAIT_MS;
	enum err err = ERR_OK;

	while (!err && token->len == 0) {
		struct json_object *secret;
		struct kube_secret got = {0};
		struct buffer ca = {0};

		err = apiserver_get(&j->member, &grants_secrets, j->c->namespace,
		                    j->names.writer.data, &secret, why);
		if (!err && decode_token(secret, &got, NULL) == ERR_OK)
			text_add_bytes(token, kube_secret_bytes(&got));
		if (base64_decode(bytes_of(jsontree_word(secret, "data", "ca.crt", NULL)), &ca) &&
		    j->ca.len == 0)
			text_add_bytes(&j->ca, (struct bytes){ca.data, ca.len});
		kube_secret_fini(&got);
		buffer_fini(&ca);
		json_object_put(secret);
		if (!err && token->len == 0 && clock_monotonic_ms() > end_ms)
			err = reason_set(why, ERR_TIMEOUT, "Secret %s gets no token",
			                 j->names.writer.data);
		if (!err && token->len == 0)
			rest();
	}
	return err;
}

/* What the kubeconfig does not say, the member tells all who are let in. */
static void find_ca(struct join *j)
{
	struct json_object *map;
	struct reason why;

	if (j->member.access.ca)
		text_add(&j->ca, j->member.access.ca);
	if (j->ca.len || j->member.access.any_certificate || j->c->compatible)
		return;
	if (apiserver_get(&j->member, &grants_config_maps, j->c->namespace, "kube-root-ca.crt",
	                  &map, &why) == ERR_OK)
		text_add(&j->ca, jsontree_word(map, "data", "ca.crt", NULL));
	json_object_put(map);
}

/* --- on the host --- */

/* Where that cannot be told, it is taken for one that is not to be taken away. */
static bool may_be_on_host(const struct join *j, const char *secret)
{
	struct json_object *there;
	struct reason why;
	enum err err =
		apiserver_get(&j->host, &grants_secrets, j->c->namespace, secret, &there, &why);

	json_object_put(there);
	return err != ERR_NOTFOUND;
}

static void note_secret(struct join *j, const char *name, bool is_new)
{
	struct written *w = &j->written[j->written[0].secret.len > 0];

	text_add(&w->secret, name);
	w->is_new = is_new;
}

/* `name` NULL: the server makes one. */
static enum err write_secret(struct join *j, const char *name, const char *token,
                             struct text *name_out, struct reason *why)
{
	struct json_object *secret = json_object_new_object(), *made = NULL;
	bool was_there = name && may_be_on_host(j, name);
	struct text generated = {0};
	struct reason said = {0};
	enum err err;

	text_printf(&generated, "%s-", j->name);
	jsontree_set(secret, json_object_new_string("v1"), "apiVersion", NULL);
	jsontree_set(secret, json_object_new_string("Secret"), "kind", NULL);
	jsontree_set(secret, json_object_new_string(name ? name : generated.data), "metadata",
	             name ? "name" : "generateName", NULL);
	jsontree_set(secret, json_object_new_string(token), "stringData", "token", NULL);
	if (!j->c->compatible)
		jsontree_set(secret, json_object_new_string("true"), "metadata", "annotations",
		             MEMBERSHIP_ROTATE, NULL);
	if (name)
		err = apiserver_apply(&j->host, &grants_secrets, j->c->namespace, name, secret,
		                      &made, &said);
	else
		err = apiserver_create(&j->host, &grants_secrets, j->c->namespace, NULL, NULL,
		                       secret, &made, &said);
	text_add(name_out, jsontree_word(made, "metadata", "name", NULL));
	if (!err && !j->host.dry_run)
		note_secret(j, name_out->data, !was_there);
	/* A server may quote what it refuses. */
	if (err)
		reason_set(why, err, "%s: the Secret %s of %s: %s%s", j->host.access.server,
		           name ? name : generated.data, j->c->namespace,
		           err == ERR_PARSE ? "it is refused" : said.text,
		           err == ERR_NOTFOUND ? " (a host has this namespace: kubectl create "
		                                 "namespace)"
		                               : "");
	text_fini(&generated);
	json_object_put(secret);
	json_object_put(made);
	return err;
}

static void put_trust(const struct join *j, struct json_object *cluster)
{
	struct text ca = {0};

	if (j->ca.len) {
		base64_encode(bytes_of(j->ca.data), &ca);
		jsontree_set(cluster, json_object_new_string(ca.data), "spec", "caBundle", NULL);
	}
	if (j->member.access.any_certificate) {
		struct json_object *all = json_object_new_array();

		json_object_array_add(all, json_object_new_string("*"));
		jsontree_set(cluster, all, "spec", "disabledTLSValidations", NULL);
	}
	if (j->member.access.proxy)
		jsontree_set(cluster, json_object_new_string(j->member.access.proxy), "spec",
		             "proxyURL", NULL);
	text_fini(&ca);
}

static enum err write_cluster(const struct join *j, const char *secret, const char *reader,
                              struct reason *why)
{
	struct json_object *cluster = json_object_new_object();
	struct reason said = {0};
	enum err err;

	jsontree_set(cluster, json_object_new_string("core.kubefed.io/v1beta1"), "apiVersion",
	             NULL);
	jsontree_set(cluster, json_object_new_string("KubeFedCluster"), "kind", NULL);
	jsontree_set(cluster, json_object_new_string(j->name), "metadata", "name", NULL);
	jsontree_set(cluster, json_object_new_string(membership_host_of(j->c, j->before)),
	             "metadata", "annotations", MEMBERSHIP_HOST, NULL);
	if (reader)
		jsontree_set(cluster, json_object_new_string(reader), "metadata", "annotations",
		             MEMBERSHIP_READER, NULL);
	if (j->scope == GRANTS_NAMESPACED)
		jsontree_set(cluster, json_object_new_string(j->c->namespace), "metadata",
		             "annotations", MEMBERSHIP_NAMESPACE, NULL);
	jsontree_set(cluster, json_object_new_string(j->member.access.server), "spec",
	             "apiEndpoint", NULL);
	jsontree_set(cluster, json_object_new_string(secret), "spec", "secretRef", "name", NULL);
	put_trust(j, cluster);
	err = apiserver_apply(&j->host, &remote_clusters, j->c->namespace, j->name, cluster, NULL,
	                      &said);
	if (err)
		reason_set(why, err, "%s: KubeFedCluster %s: %s%s", j->host.access.server, j->name,
		           said.text,
		           err == ERR_NOTFOUND
		                   ? " (a host has KubeFed's kinds: kubectl apply --server-side "
		                     "-k deploy/crds)"
		                   : "");
	json_object_put(cluster);
	return err;
}

/* --- both --- */

/* KubeFed's Secret: again the one that the cluster has; NULL: the server makes its name. */
static const char *compatible_secret(const struct join *j)
{
	const char *kept = jsontree_word(j->before, "spec", "secretRef", "name", NULL);

	return j->c->secret_name ? j->c->secret_name : *kept ? kept : NULL;
}

static enum err join_compatible(struct join *j, struct reason *why)
{
	struct text token = {0}, secret = {0};
	enum err err = await_token(j, &token, why);

	if (!err)
		err = write_secret(j, compatible_secret(j), token.data, &secret, why);
	if (!err)
		err = write_cluster(j, secret.data, NULL, why);
	text_fini(&token);
	text_fini(&secret);
	return err;
}

/* Of KubeFed, or of another --secret-name: what it lets do there is not ended by a new one. */
static void tell_what_stays(const struct join *j, const char *secret)
{
	const char *before = jsontree_word(j->before, "spec", "secretRef", "name", NULL);

	if (*before && strcmp(before, secret) != 0)
		fprintf(stderr,
		        "%s: the Secret %s, which %s had before, stays, and so does its account in "
		        "the member with what it may do there: delete them\n",
		        j->c->program, before, j->name);
}

static void name_secrets(const struct join *j, struct text *writer, struct text *reader)
{
	if (j->c->secret_name)
		text_add(writer, j->c->secret_name);
	else
		text_printf(writer, "%s-nigh", j->name);
	text_printf(reader, "%s-reader", writer->data);
}

static enum err join_least(struct join *j, struct reason *why)
{
	struct text token = {0}, reader_token = {0};
	struct text secret = {0}, reader = {0}, name = {0}, reader_name = {0};
	enum err err = request_token(j, j->names.writer.data, &token, why);

	name_secrets(j, &name, &reader_name);
	if (!err)
		err = request_token(j, j->names.reader.data, &reader_token, why);
	if (!err)
		err = write_secret(j, name.data, token.data, &secret, why);
	if (!err)
		err = write_secret(j, reader_name.data, reader_token.data, &reader, why);
	if (!err)
		err = write_cluster(j, secret.data, reader.data, why);
	if (!err)
		tell_what_stays(j, secret.data);
	text_fini(&token);
	text_fini(&reader_token);
	text_fini(&secret);
	text_fini(&reader);
	text_fini(&name);
	text_fini(&reader_name);
	return err;
}

static void tell(const struct join *j)
{
	struct json_object *root = json_object_new_object();
	struct text line = {0};

	json_object_object_add(root, "cluster", json_object_new_string(j->name));
	json_object_object_add(root, "endpoint", json_object_new_string(j->member.access.server));
	json_object_object_add(root, "namespace", json_object_new_string(j->c->namespace));
	text_printf(&line, "%s %s is joined to namespace %s\n", j->name, j->member.access.server,
	            j->c->namespace);
	if (*j->token_end) {
		json_object_object_add(root, "tokensEnd", json_object_new_string(j->token_end));
		text_printf(
			&line,
			"its credentials end at %s; nigh-propagator makes new ones before that\n"
			"where it does not run, and for types that are enabled later: %s join %s "
			"--rotate\n",
			j->token_end, j->c->program, j->name);
	}
	command_tell(j->c, root, line.data);
	text_fini(&line);
	json_object_put(root);
}

/* Another cluster of that name is not to be taken for it. */
static int refuse_another(const struct join *j)
{
	const char *endpoint = jsontree_word(j->before, "spec", "apiEndpoint", NULL);

	if (j->c->rotate && !j->before)
		return command_fail(j->c, "--rotate: there is no KubeFedCluster %s", j->name);
	if (j->before && !membership_is_at(j->before, j->member.access.server) && !j->c->force)
		return command_fail(
			j->c,
			"KubeFedCluster %s is at %s, and the kubeconfig says %s: if it is the "
			"same cluster, or is to be another from now on, --force",
			j->name, endpoint, j->member.access.server);
	return COMMAND_FINE;
}

/* What the host would say to all that is to be written there, before anything is written anywhere. */
static enum err try_host(struct join *j, struct reason *why)
{
	struct text name = {0}, reader = {0}, written = {0};
	const char *secret;
	enum err err;

	name_secrets(j, &name, &reader);
	secret = j->c->compatible ? compatible_secret(j) : name.data;
	j->host.dry_run = true;
	err = write_secret(j, secret, "-", &written, why);
	if (!err)
		err = write_cluster(j, written.data, j->c->compatible ? NULL : reader.data, why);
	j->host.dry_run = false;
	text_fini(&name);
	text_fini(&reader);
	text_fini(&written);
	return err;
}

/* What was not there before goes again.  The namespace stays: gone, it could not be made anew for a while. */
static void take_back(struct join *j)
{
	const char *namespace = j->c->namespace;
	struct reason why = {0};

	for (size_t i = 0; i < 2; i++)
		if (j->written[i].is_new &&
		    apiserver_delete(&j->host, &grants_secrets, namespace,
		                     j->written[i].secret.data, &why) != ERR_OK)
			command_fail(j->c, "the Secret %s stays on the host: %s",
			             j->written[i].secret.data, why.text);
	for (size_t i = j->grants.count; i > 1; i--) {
		const struct grant *g = &j->grants.list[i - 1];

		if (j->made[i - 1] &&
		    apiserver_delete(&j->member, g->resource, g->in_namespace ? namespace : NULL,
		                     g->name, &why) != ERR_OK)
			command_fail(j->c, "%s %s stays in the member: %s", g->resource->kind,
			             g->name, why.text);
	}
}

static bool is_written(const struct join *j, const char *secret)
{
	return *secret &&
	       ((j->written[0].secret.len && strcmp(secret, j->written[0].secret.data) == 0) ||
	        (j->written[1].secret.len && strcmp(secret, j->written[1].secret.data) == 0));
}

/* The cluster may be registered though the answer says otherwise, or none came: then it lives by what was written. */
static bool may_be_needed(const struct join *j)
{
	struct json_object *cluster = NULL;
	struct reason why = {0};
	enum err err;
	bool is;

	if (!j->written[0].secret.len)
		return false;
	err = reach_cluster(j->c, &j->host, j->name, &cluster, &why);
	is = is_written(j, jsontree_word(cluster, "spec", "secretRef", "name", NULL)) ||
	     is_written(j,
	                jsontree_word(cluster, "metadata", "annotations", MEMBERSHIP_READER, NULL));
	json_object_put(cluster);
	return err == ERR_NOTFOUND ? false : err || is;
}

static void tell_kept(const struct join *j)
{
	command_fail(
		j->c,
		"nothing is taken back, as KubeFedCluster %s may be there and need it: %s join "
		"%s again, or unjoin it",
		j->name, j->c->program, j->name);
}

static enum err write_all(struct join *j, struct reason *why)
{
	enum err err = grant(j, why);

	if (!err) {
		find_ca(j);
		err = j->c->compatible ? join_compatible(j, why) : join_least(j, why);
	}
	if (!err)
		end_other_scope(j);
	else if (may_be_needed(j))
		tell_kept(j);
	else
		take_back(j);
	return err;
}

static int join(struct join *j)
{
	struct reason why = {0};
	enum err err = reach_cluster(j->c, &j->host, j->name, &j->before, &why);
	int status;

	if (err && err != ERR_NOTFOUND)
		return command_fail(j->c, "%s: KubeFedCluster %s: %s", j->host.access.server,
		                    j->name, why.text);
	status = refuse_another(j);
	if (status != COMMAND_FINE)
		return status;
	progress_begin(&j->progress, "joining");
	err = choose_grants(j, &why);
	if (!err)
		err = try_host(j, &why);
	if (!err)
		err = write_all(j, &why);
	if (err)
		return command_fail(j->c, "%s; it is not joined%s", why.text,
		                    j->before ? " anew" : "");
	tell(j);
	return COMMAND_FINE;
}

int join_run(const struct command *c)
{
	struct join j = {.c = c, .name = c->args[0], .token_for_s = TOKEN_FOR_S};
	struct reason why = {0};
	int status = membership_check(c, c->args[0]);

	if (status != COMMAND_FINE)
		return status;
	if (c->token_for && !command_seconds(c, "--token-for", c->token_for, &j.token_for_s))
		return COMMAND_USAGE;
	if (j.token_for_s < TOKEN_LEAST_S) {
		command_fail(c, "--token-for is 10m at least");
		return COMMAND_USAGE;
	}
	status = apiserver_open(&j.host, c);
	if (status != COMMAND_FINE)
		return status;
	if (reach_as_person(c, j.name, &j.member, &why) != ERR_OK)
		status = command_fail(c, "cluster %s: %s", j.name, why.text);
	else
		status = join(&j);
	apiserver_close(&j.host);
	apiserver_close(&j.member);
	grants_fini(&j.grants);
	grants_names_fini(&j.names);
	text_fini(&j.written[0].secret);
	text_fini(&j.written[1].secret);
	json_object_put(j.before);
	text_fini(&j.ca);
	return status;
}
