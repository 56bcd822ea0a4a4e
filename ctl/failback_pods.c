/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/failback_pods.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/login.h"
#include "ctl/pods.h"
#include "ctl/remote.h"

enum { POLL_MS = 200, POLLS = 25 };

static const char annotation[] = "nigh.dev/failback";

struct asking {
	const struct command *c;
	struct kube_access access;
	struct pods pods;
	struct text value;   /* of the annotation */
	struct text objects; /* paths of those that get it, each ended by NUL */
};

/* --- who waits --- */

static bool is_meant(const struct command *c, struct json_object *one)
{
	if (c->arg_count > 0 && !fields_is_domain(one, "name", c->args[0]))
		return false;
	if (c->cluster && strcmp(fields_text(one, "cluster"), c->cluster) != 0)
		return false;
	return !c->policy || strcmp(fields_text(one, "policy"), c->policy) == 0;
}

/* The next that is meant of those that a pod tells of, from *at on; NULL: there is none. */
static struct json_object *next_meant(const struct command *c, const struct pod *pod, size_t *at)
{
	size_t count = fields_count(pod->said, "pending");

	while (*at < count) {
		struct json_object *one = fields_item(pod->said, "pending", (*at)++);

		if (is_meant(c, one))
			return one;
	}
	return NULL;
}

static bool is_same(struct json_object *a, struct json_object *b)
{
	return strcmp(fields_text(a, "name"), fields_text(b, "name")) == 0 &&
	       strcmp(fields_text(a, "cluster"), fields_text(b, "cluster")) == 0;
}

static bool was_told(const struct command *c, const struct pods *p, size_t before,
                     struct json_object *one)
{
	for (size_t i = 0; i < before; i++) {
		struct json_object *other;

		for (size_t at = 0; (other = next_meant(c, &p->list[i], &at)) != NULL;)
			if (is_same(one, other))
				return true;
	}
	return false;
}

/* How many sites of those meant wait in any of the pods, which were asked for /status, each counted once. */
static size_t count_waiting(const struct command *c, const struct pods *p)
{
	size_t count = 0;

	for (size_t i = 0; i < p->count; i++) {
		struct json_object *one;

		for (size_t at = 0; (one = next_meant(c, &p->list[i], &at)) != NULL;)
			count += !was_told(c, p, i, one);
	}
	return count;
}

static bool waits(const struct command *c, const struct pod *pod)
{
	size_t at = 0;

	return next_meant(c, pod, &at) != NULL;
}

/* --- the objects --- */

static void tell_by_hand(const struct asking *a)
{
	const struct command *c = a->c;

	fprintf(stderr, "each pod in which it waits is told by hand:\n");
	for (size_t i = 0; i < a->pods.count; i++) {
		const struct pod *pod = &a->pods.list[i];

		if (waits(c, pod))
			fprintf(stderr, "  kubectl -n %s port-forward pod/%s 8053:%u\n",
			        pod->namespace, pod->name, pod->port);
	}
	fprintf(stderr, "and beside it\n  %s --server http://127.0.0.1:8053 failback%s%s%s%s%s%s\n",
	        c->program, c->arg_count > 0 ? " " : "", c->arg_count > 0 ? c->args[0] : "",
	        c->cluster ? " --cluster " : "", c->cluster ? c->cluster : "",
	        c->policy ? " --policy " : "", c->policy ? c->policy : "");
}

static bool has_object(const struct asking *a, const char *path)
{
	for (size_t at = 0; at < a->objects.len; at += strlen(a->objects.data + at) + 1)
		if (strcmp(a->objects.data + at, path) == 0)
			return true;
	return false;
}

static void add_object(struct asking *a, const struct kube_resource *resource,
                       struct bytes namespace, const char *name)
{
	struct text path = {0};
	char *in = text_copy(namespace);

	kube_path(&path, resource, in, name);
	if (!has_object(a, path.data)) {
		text_add(&a->objects, path.data);
		text_add_bytes(&a->objects, (struct bytes){(const uint8_t *)"", 1});
	}
	text_fini(&path);
	free(in);
}

/* The policy by which it waits. */
static void add_policy(struct asking *a, const char *policy)
{
	const char *slash = strchr(policy, '/');

	if (slash)
		add_object(a, &remote_policies,
		           (struct bytes){(const uint8_t *)policy, (size_t)(slash - policy)},
		           slash + 1);
}

static void find_objects(struct asking *a)
{
	const struct command *c = a->c;

	if (c->arg_count == 0 && !c->policy) {
		add_object(a, &remote_clusters, bytes_of(c->namespace), c->cluster);
		return;
	}
	for (size_t i = 0; i < a->pods.count; i++) {
		struct json_object *one;

		for (size_t at = 0; (one = next_meant(c, &a->pods.list[i], &at)) != NULL;)
			add_policy(a, fields_text(one, "policy"));
	}
}

/* By the clock that is ahead: every pod has seen them go down by then. */
static void make_value(struct asking *a)
{
	const struct command *c = a->c;
	char local[CLOCK_TEXT_SIZE];
	const char *now = clock_print(clock_unix_s(), local);

	for (size_t i = 0; i < a->pods.count; i++) {
		const char *said = fields_text(a->pods.list[i].said, "now");

		if (strcmp(said, now) > 0)
			now = said;
	}
	text_add(&a->value, now);
	if (c->arg_count == 0 && !c->policy)
		return;
	if (c->arg_count > 0)
		text_printf(&a->value, " name=%s", c->args[0]);
	if (c->cluster)
		text_printf(&a->value, " cluster=%s", c->cluster);
}

static int annotate(struct asking *a)
{
	const struct remote_note note = {annotation, a->value.data};

	for (size_t at = 0; at < a->objects.len; at += strlen(a->objects.data + at) + 1) {
		const char *path = a->objects.data + at;
		struct reason why = {0};

		if (remote_annotate(&a->access, path, &note, 1, &why) == ERR_OK)
			continue;
		command_fail(a->c, "%s: %s: annotation %s: %s", a->access.server, path, annotation,
		             why.text);
		tell_by_hand(a);
		return COMMAND_FAILED;
	}
	return COMMAND_FINE;
}

/* --- all of it --- */

static void ask_all(struct asking *a) { pods_ask_all(&a->access, &a->pods, "/status", false); }

static int wait_for_all(struct asking *a)
{
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};

	for (unsigned i = 0; i < POLLS; i++) {
		nanosleep(&pause, NULL);
		ask_all(a);
		if (count_waiting(a->c, &a->pods) == 0)
			return COMMAND_FINE;
	}
	for (size_t i = 0; i < a->pods.count; i++)
		if (waits(a->c, &a->pods.list[i]))
			command_fail(a->c, "in pod %s/%s it waits still", a->pods.list[i].namespace,
			             a->pods.list[i].name);
	return command_fail(a->c, "the annotation %s: \"%s\" stays, which they have not followed",
	                    annotation, a->value.data);
}

static int let_back(struct asking *a)
{
	struct json_object *root;
	size_t count;
	int status;

	ask_all(a);
	count = count_waiting(a->c, &a->pods);
	if (count == 0) {
		struct text who = {0};

		failback_describe(a->c, &who);
		status =
			command_fail(a->c, "no site of %s waits in any pod that answers", who.data);
		text_fini(&who);
		return status;
	}
	find_objects(a);
	make_value(a);
	status = annotate(a);
	if (status == COMMAND_FINE)
		status = wait_for_all(a);
	if (status != COMMAND_FINE)
		return status;
	root = json_object_new_object();
	if (a->c->arg_count > 0)
		json_object_object_add(root, "name", json_object_new_string(a->c->args[0]));
	json_object_object_add(root, "sites", json_object_new_int64((int64_t)count));
	failback_tell(a->c, root);
	json_object_put(root);
	return status;
}

int failback_pods(const struct command *c)
{
	struct asking a = {.c = c};
	struct reason why = {0};
	int status;

	if (login_read(c, &a.access, &why) != ERR_OK)
		return command_fail(c, "%s", why.text);
	if (pods_find(&a.access, PODS_OF_NIGHD, c->pods_namespace, &a.pods, &why) != ERR_OK) {
		status = command_fail(c, "%s: %s", a.access.server, why.text);
	} else {
		status = let_back(&a);
		for (size_t i = 0; i < a.pods.count; i++)
			if (!a.pods.list[i].said)
				status = command_fail(c, "pod %s/%s: %s", a.pods.list[i].namespace,
				                      a.pods.list[i].name, a.pods.list[i].why.text);
	}
	text_fini(&a.value);
	text_fini(&a.objects);
	pods_fini(&a.pods);
	kube_access_fini(&a.access);
	return status;
}
