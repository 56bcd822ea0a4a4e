/* drain.c -- nighctl drain and undrain: the annotation of a KubeFedCluster, or what to write into a file. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <ctype.h>
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/login.h"
#include "ctl/remote.h"

enum { NAME_MOST = 253 };

static const char annotation[] = "nigh.dev/drain";

/* The name of a Kubernetes object (RFC 1123 subdomain). */
static bool is_cluster_name(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len > NAME_MOST || !isalnum((unsigned char)s[0]) ||
	    !isalnum((unsigned char)s[len - 1]))
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

static void show(const struct command *c, struct json_object *root, const char *text)
{
	struct text out = {0};

	if (c->format == PRINT_JSON || c->format == PRINT_YAML)
		command_add(c, root, &out);
	else
		text_add(&out, text);
	fputs(out.data, stdout);
	fflush(stdout);
	text_fini(&out);
}

/* --- where no API server keeps the cluster --- */

/* It is not done yet, so this is a failure. */
static int tell_line(const struct command *c, bool drain)
{
	const char *cluster = c->args[0];
	struct json_object *root = json_object_new_object();
	struct text line = {0};

	fprintf(stderr,
	        "%s: clusters of manifest folders are %s in their file: below metadata.annotations "
	        "of\n"
	        "KubeFedCluster %s, in the folder host/, write\n",
	        c->program, drain ? "drained" : "put to work again", cluster);
	text_printf(&line, "%s: \"%s\"\n", annotation, drain ? "true" : "false");
	json_object_object_add(root, "cluster", json_object_new_string(cluster));
	json_object_object_add(root, "changed", json_object_new_boolean(false));
	json_object_object_add(root, "write",
	                       json_object_new_string_len(line.data, (int)line.len - 1));
	show(c, root, line.data);
	if (drain)
		fprintf(stderr,
		        "(no KubeFedCluster %s yet? a file with: "
		        "apiVersion: core.kubefed.io/v1beta1, kind: KubeFedCluster, "
		        "metadata: {name: %s, annotations: {nigh.dev/drain: \"true\"}})\n",
		        cluster, cluster);
	fprintf(stderr,
	        "(a member of nighd's own config has `drain: %s` there, in sources.members)\n",
	        drain ? "true" : "false");
	text_fini(&line);
	json_object_put(root);
	return COMMAND_FAILED;
}

/* --- where one does --- */

static void tell_done(const struct command *c, bool drain, bool changed)
{
	struct json_object *root = json_object_new_object();
	struct text line = {0};

	text_printf(&line, "KubeFedCluster %s/%s ", c->namespace, c->args[0]);
	if (drain)
		text_add(&line, changed ? "is drained\n" : "was drained already\n");
	else
		text_add(&line, changed ? "is not drained any more\n" : "was not drained\n");
	json_object_object_add(root, "cluster", json_object_new_string(c->args[0]));
	json_object_object_add(root, "namespace", json_object_new_string(c->namespace));
	json_object_object_add(root, "drained", json_object_new_boolean(drain));
	json_object_object_add(root, "changed", json_object_new_boolean(changed));
	show(c, root, line.data);
	text_fini(&line);
	json_object_put(root);
}

/* What is neither "true" nor "false" does not drain (nigh-manifests(5)), and undrain takes it away. */
static bool is_so_already(struct json_object *object, bool drain)
{
	const char *value = remote_annotation(object, annotation);

	if (drain)
		return value && strcmp(value, "true") == 0;
	return !value || strcmp(value, "false") == 0;
}

static int change_at(const struct command *c, const struct kube_access *access, bool drain)
{
	struct json_object *object;
	struct reason why = {0};
	struct text path = {0};
	int status = COMMAND_FINE;
	bool is_so = false;
	enum err err;

	kube_path(&path, &remote_clusters, c->namespace, c->args[0]);
	err = remote_get(access, path.data, &object, &why);
	if (err == ERR_OK) {
		is_so = is_so_already(object, drain);
		if (!is_so)
			err = remote_annotate(access, path.data, annotation, drain ? "true" : NULL,
			                      &why);
	} else if (err == ERR_NOTFOUND) {
		command_fail(c, "%s: no KubeFedCluster %s/%s: %s", access->server, c->namespace,
		             c->args[0], why.text);
		status = tell_line(c, drain);
	}
	if (err == ERR_OK)
		tell_done(c, drain, !is_so);
	else if (status == COMMAND_FINE)
		status = command_fail(c, "%s: KubeFedCluster %s/%s: %s", access->server,
		                      c->namespace, c->args[0], why.text);
	json_object_put(object);
	text_fini(&path);
	return status;
}

static int change(const struct command *c, bool drain)
{
	struct kube_access access = {0};
	struct reason why = {0};
	int status;

	if (!is_cluster_name(c->args[0])) {
		command_fail(c, "'%s' is not the name of a cluster", c->args[0]);
		return COMMAND_USAGE;
	}
	if (!login_is_known(c))
		return tell_line(c, drain);
	if (login_read(c, &access, &why) != ERR_OK)
		return command_fail(c, "%s", why.text);
	status = change_at(c, &access, drain);
	kube_access_fini(&access);
	return status;
}

int drain_run(const struct command *c) { return change(c, true); }

int drain_undo_run(const struct command *c) { return change(c, false); }
