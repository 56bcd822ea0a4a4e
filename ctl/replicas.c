/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/replicas.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "ctl/login.h"
#include "ctl/overview.h"
#include "ctl/story.h"

const struct replicas_view replicas_status = {"status", overview_print, replicas_compare_status,
                                              false,    false,          true};
const struct replicas_view replicas_story = {"explain", story_print, replicas_compare_story,
                                             true,      true,        false};

/* --- tables --- */

static void add_pod_name(const struct pod *pod, struct text *out)
{
	struct text name = {0};

	text_printf(&name, "pod %s/%s", pod->namespace, pod->name);
	print_safe(name.data, out);
	text_fini(&name);
}

static void print_pod(const struct pod *pod, const struct replicas_view *view, bool wide,
                      struct text *out)
{
	if (!pod->said)
		return;
	if (out->len)
		text_add(out, "\n");
	add_pod_name(pod, out);
	text_add(out, pod->is_ready ? "\n" : " (not ready)\n");
	view->print(pod->said, wide, out);
}

static const struct pod *first_that_said(const struct pods *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->list[i].said)
			return &p->list[i];
	return NULL;
}

/* All of them say what `first` does. */
static void print_once(const struct pods *p, const struct pod *first,
                       const struct replicas_view *view, bool wide, struct text *out)
{
	size_t count = 0;

	view->print(first->said, wide, out);
	text_add(out, "\nsaid by ");
	for (size_t i = 0; i < p->count; i++) {
		if (!p->list[i].said)
			continue;
		text_add(out, count++ ? ", " : "");
		add_pod_name(&p->list[i], out);
	}
	text_add(out, "\n");
}

static void print_lines(struct json_object *lines, struct text *out)
{
	size_t count = json_object_array_length(lines);

	if (count)
		text_add(out, "\nthe replicas differ\n");
	for (size_t i = 0; i < count; i++) {
		text_add(out, "  ");
		print_safe(json_object_get_string(json_object_array_get_idx(lines, i)), out);
		text_add(out, "\n");
	}
}

void replicas_print(const struct pods *p, const struct replicas_view *view, bool wide,
                    struct text *out)
{
	struct json_object *lines = json_object_new_array();
	const struct pod *first = first_that_said(p);

	view->compare(p, lines);
	if (view->once && first && json_object_array_length(lines) == 0)
		print_once(p, first, view, wide, out);
	else
		for (size_t i = 0; i < p->count; i++)
			print_pod(&p->list[i], view, wide, out);
	print_lines(lines, out);
	json_object_put(lines);
}

/* --- JSON and YAML: {pods:[{namespace, name, ready, error, status|explain}], differences:[], propagators: as pods} --- */

static struct json_object *make_list(const struct pods *p, const char *word)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < p->count; i++) {
		const struct pod *pod = &p->list[i];
		struct json_object *item = json_object_new_object();

		json_object_object_add(item, "namespace", json_object_new_string(pod->namespace));
		json_object_object_add(item, "name", json_object_new_string(pod->name));
		json_object_object_add(item, "ready", json_object_new_boolean(pod->is_ready));
		json_object_object_add(item, "error",
		                       pod->said ? NULL : json_object_new_string(pod->why.text));
		json_object_object_add(item, word, json_object_get(pod->said));
		json_object_array_add(list, item);
	}
	return list;
}

/* --- the whole --- */

struct asked {
	const struct replicas_view *view;
	struct pods nighd, propagators;
};

static struct json_object *make_json(const struct asked *a)
{
	struct json_object *root = json_object_new_object(), *lines = json_object_new_array();

	a->view->compare(&a->nighd, lines);
	json_object_object_add(root, "pods", make_list(&a->nighd, a->view->word));
	json_object_object_add(root, "differences", lines);
	if (a->view->of_both)
		json_object_object_add(root, "propagators",
		                       make_list(&a->propagators, a->view->word));
	return root;
}

static void show(const struct command *c, const struct asked *a)
{
	bool is_wide = c->format == PRINT_WIDE;
	struct json_object *root;
	struct text out = {0};

	if (command_is_table(c)) {
		replicas_print(&a->nighd, a->view, is_wide, &out);
		for (size_t i = 0; i < a->propagators.count; i++)
			print_pod(&a->propagators.list[i], a->view, is_wide, &out);
	} else {
		root = make_json(a);
		command_add(c, root, &out);
		json_object_put(root);
	}
	if (out.data)
		fputs(out.data, stdout);
	text_fini(&out);
	fflush(stdout);
}

/* A cluster may have pods of one of them only. */
static enum err find(const struct command *c, const struct kube_access *access, struct asked *a,
                     struct reason *why)
{
	struct reason other;
	enum err err = pods_find(access, PODS_OF_NIGHD, c->pods_namespace, &a->nighd, why);

	if (!a->view->of_both || (err && err != ERR_NOTFOUND))
		return err;
	if (pods_find(access, PODS_OF_PROPAGATOR, c->pods_namespace, &a->propagators, &other) ==
	    ERR_OK)
		return ERR_OK;
	if (err)
		reason_prefix(why, "neither nighd nor nigh-propagator runs there "
		                   "(one that runs elsewhere: --server): ");
	return err;
}

static int tell_failures(const struct command *c, const struct pods *p)
{
	int status = COMMAND_FINE;

	for (size_t i = 0; i < p->count; i++)
		if (!p->list[i].said)
			status = command_fail(c, "pod %s/%s: %s", p->list[i].namespace,
			                      p->list[i].name, p->list[i].why.text);
	return status;
}

bool replicas_are_meant(const struct command *c) { return c->kubeconfig || c->context; }

int replicas_show(const struct command *c, const char *path, const struct replicas_view *view)
{
	struct kube_access access = {0};
	struct asked a = {.view = view};
	struct reason why = {0};
	int status;

	if (login_read(c, &access, &why) != ERR_OK)
		return command_fail(c, "%s", why.text);
	if (find(c, &access, &a, &why) != ERR_OK) {
		status = command_fail(c, "%s: %s", access.server, why.text);
	} else {
		pods_ask_all(&access, &a.nighd, path, view->only_ready);
		pods_ask_all(&access, &a.propagators, path, view->only_ready);
		show(c, &a);
		status = tell_failures(c, &a.nighd);
		if (tell_failures(c, &a.propagators) != COMMAND_FINE)
			status = COMMAND_FAILED;
	}
	pods_fini(&a.nighd);
	pods_fini(&a.propagators);
	kube_access_fini(&access);
	return status;
}
