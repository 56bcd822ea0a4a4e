/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/cluster.h"

#include <ctype.h>
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/login.h"
#include "ctl/moves.h"
#include "ctl/remote.h"

enum { NAME_MOST = 253 };

/* The name of a Kubernetes object (RFC 1123 subdomain). */
static bool is_cluster_name(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len > NAME_MOST || !isalnum((unsigned char)s[0]) ||
	    !isalnum((unsigned char)s[len - 1]))
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

/* --- for those who decide --- */

int cluster_read_now(const struct cluster_asked *asked, struct moves_now *out)
{
	struct reason why = {0};

	if (moves_read(asked->drain, asked->shift, clock_unix_s(), out, &why) != ERR_OK)
		return command_fail(asked->c, "%s: %s", asked->name, why.text);
	if (asked->c->start && !command_start(asked->c, out->at, &out->begins))
		return COMMAND_USAGE;
	return COMMAND_FINE;
}

void cluster_take_plan(struct cluster_change *change, const char *says, const struct ramp *plan)
{
	change->has_shift = true;
	change->begins = plan->ttl_from;
	ramp_print(plan, &change->shift);
	text_add(&change->says, says);
	moves_print(plan, &change->says);
	moves_add(plan, change->root);
}

/* --- where no API server keeps the cluster --- */

/* `shift` holds what asked->shift points to. */
static void learn(struct cluster_asked *asked, struct text *shift)
{
	struct json_object *status = command_try(asked->c, "/status");
	struct json_object *cluster = fields_named(status, "clusters", asked->name);
	struct json_object *plan = fields_find(cluster, "shift");
	struct moves_now now;

	if (plan) {
		text_printf(shift, "from=%g%% to=%g%% start=%s end=%s curve=%s",
		            fields_double(plan, "from"), fields_double(plan, "to"),
		            fields_text(plan, "start"), fields_text(plan, "end"),
		            fields_text(plan, "curve"));
		asked->shift = shift->data;
	}
	/* A share of nothing drains as well. */
	if (fields_bool(cluster, "drained") &&
	    (moves_read(NULL, asked->shift, clock_unix_s(), &now, NULL) != ERR_OK ||
	     now.share != 0))
		asked->drain = "true";
	json_object_put(status);
}

/* In a file an annotation that is to go is told to go, but for drain, which has a word for it. */
static void add_lines(const struct cluster_change *change, struct text *out)
{
	if (change->has_drain)
		text_printf(out, "%s: \"%s\"\n", MOVES_DRAIN,
		            change->drain ? change->drain : "false");
	if (change->has_shift && change->shift.len)
		text_printf(out, "%s: \"%s\"\n", MOVES_SHIFT, change->shift.data);
}

static void hint(const struct cluster_asked *asked, const struct cluster_change *change,
                 const struct text *lines)
{
	bool drains = change->has_drain && change->drain;

	if (change->has_shift && !change->shift.len)
		fprintf(stderr, "and take %s away, if it is there\n", MOVES_SHIFT);
	if (drains || (change->has_shift && change->shift.len))
		fprintf(stderr,
		        "(no KubeFedCluster %s yet? a file with: "
		        "apiVersion: core.kubefed.io/v1beta1, kind: KubeFedCluster, "
		        "metadata: {name: %s, annotations: {%.*s}})\n",
		        asked->name, asked->name, (int)strcspn(lines->data, "\n"), lines->data);
	if (change->has_drain && !change->has_shift)
		fprintf(stderr,
		        "(a member of nighd's own config has `drain: %s` there, in "
		        "sources.members)\n",
		        drains ? "true" : "false");
}

/* A file is read when it is committed, or later. */
static void tell_when(const struct cluster_asked *asked, const struct cluster_change *change)
{
	char text[CLOCK_TEXT_SIZE];

	clock_print(change->begins, text);
	if (asked->c->start)
		fprintf(stderr, "so that every replica has it before %s, when it begins\n", text);
	else
		fprintf(stderr,
		        "at once: it begins at %s, whenever it is read (--start says when else)\n",
		        text);
}

/* It is not done yet, so this is a failure. */
static int tell_lines(const struct cluster_asked *asked, const struct cluster_change *change)
{
	const struct command *c = asked->c;
	struct json_object *root = json_object_new_object();
	struct text lines = {0};

	fprintf(stderr,
	        "%s: the clients of manifest folders' clusters are moved in files: below "
	        "metadata.annotations of\n"
	        "KubeFedCluster %s, in the folder host/, write\n",
	        c->program, asked->name);
	add_lines(change, &lines);
	json_object_object_add(root, "cluster", json_object_new_string(asked->name));
	json_object_object_add(root, "changed", json_object_new_boolean(false));
	json_object_object_add(root, "write",
	                       json_object_new_string_len(lines.data, (int)lines.len - 1));
	command_tell(c, root, lines.data);
	fflush(stdout);
	hint(asked, change, &lines);
	if (change->shift.len) {
		tell_when(asked, change);
		fprintf(stderr, "%s %s", asked->name, change->says.data);
	}
	text_fini(&lines);
	json_object_put(root);
	return COMMAND_FAILED;
}

/* --- where one does --- */

static void tell_done(const struct cluster_asked *asked, struct cluster_change *change)
{
	const struct command *c = asked->c;
	bool changed = (change->has_drain || change->has_shift) && !c->dry_run;
	struct text line = {0};

	text_printf(&line, "%sKubeFedCluster %s/%s %s", c->dry_run ? "not done: " : "",
	            c->namespace, asked->name, change->says.data);
	json_object_object_add(change->root, "changed", json_object_new_boolean(changed));
	command_tell(c, change->root, line.data);
	text_fini(&line);
}

static enum err annotate(const struct cluster_asked *asked, const struct cluster_change *change,
                         const char *path, struct reason *why)
{
	struct remote_note notes[2];
	size_t count = 0;

	if (change->has_drain)
		notes[count++] = (struct remote_note){MOVES_DRAIN, change->drain};
	if (change->has_shift)
		notes[count++] = (struct remote_note){
			MOVES_SHIFT, change->shift.len ? change->shift.data : NULL};
	return count ? remote_annotate(asked->access, path, notes, count, why) : ERR_OK;
}

static int decide_and_do(struct cluster_asked *asked, const char *path, cluster_decide_fn *decide)
{
	struct cluster_change change = {.root = json_object_new_object()};
	struct reason why = {0};
	struct text shift = {0};
	int status;

	if (!asked->is_kept)
		learn(asked, &shift);
	json_object_object_add(change.root, "cluster", json_object_new_string(asked->name));
	json_object_object_add(change.root, "namespace",
	                       json_object_new_string(asked->c->namespace));
	status = decide(asked, &change);
	if (status == COMMAND_FINE && !asked->is_kept && (change.has_drain || change.has_shift)) {
		status = tell_lines(asked, &change);
	} else if (status == COMMAND_FINE) {
		if (!asked->c->dry_run && annotate(asked, &change, path, &why) != ERR_OK)
			status = command_fail(asked->c, "%s: KubeFedCluster %s/%s: %s",
			                      asked->access->server, asked->c->namespace,
			                      asked->name, why.text);
		else
			tell_done(asked, &change);
	}
	text_fini(&shift);
	text_fini(&change.shift);
	text_fini(&change.says);
	json_object_put(change.root);
	return status;
}

static int change_at(struct cluster_asked *asked, cluster_decide_fn *decide)
{
	const struct command *c = asked->c;
	struct json_object *object;
	struct reason why = {0};
	struct text path = {0};
	int status;
	enum err err;

	kube_path(&path, &remote_clusters, c->namespace, asked->name);
	err = remote_get(asked->access, path.data, &object, &why);
	asked->is_kept = err == ERR_OK;
	if (err == ERR_OK) {
		asked->drain = remote_annotation(object, MOVES_DRAIN);
		asked->shift = remote_annotation(object, MOVES_SHIFT);
	} else {
		command_fail(c, "%s: %sKubeFedCluster %s/%s: %s", asked->access->server,
		             err == ERR_NOTFOUND ? "no " : "", c->namespace, asked->name, why.text);
	}
	status = err == ERR_OK || err == ERR_NOTFOUND ? decide_and_do(asked, path.data, decide)
	                                              : COMMAND_FAILED;
	json_object_put(object);
	text_fini(&path);
	return status;
}

int cluster_change(const struct command *c, const char *name, cluster_decide_fn *decide)
{
	struct cluster_asked asked = {.c = c, .name = name};
	struct kube_access access = {0};
	struct reason why = {0};
	int status;

	if (!is_cluster_name(name)) {
		command_fail(c, "'%s' is not the name of a cluster", name);
		return COMMAND_USAGE;
	}
	if (!login_is_known(c))
		return decide_and_do(&asked, NULL, decide);
	if (login_read(c, &access, &why) != ERR_OK)
		return command_fail(c, "%s", why.text);
	asked.access = &access;
	status = change_at(&asked, decide);
	kube_access_fini(&access);
	return status;
}
