/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/kubeconfig.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "base/yaml.h"
#include "kube/kubeconfig_user.h"
#include "kube/kubefields.h"
#include "base/smallfile.h"

enum { LIST_MOST = 10000, NAMESPACE_MOST = 63 };

static char *copy(const char *text) { return text ? xstrdup(text) : NULL; }

/* --- the document --- */

struct document {
	struct json_object *root;
	bool is_alone;
};

static void on_document(struct json_object *root, unsigned line, void *arg)
{
	struct document *d = arg;

	(void)line;
	d->is_alone = !d->root;
	if (d->root)
		json_object_put(root);
	else
		d->root = root;
}

/* What base/yaml quotes, "key '...' is there twice" and the like, may be a credential in the wrong place. */
static void hide_quoted(struct reason *why)
{
	char *first = strstr(why->text, "key '"), *last = strrchr(why->text, '\'');

	if (!first)
		first = strstr(why->text, "alias '");
	first = first ? strchr(first, '\'') : NULL;
	if (!first)
		return;
	/* Where the text was cut to fit, the closing mark is gone. */
	if (last == first)
		first[1] = '\0';
	else
		memmove(first + 1, last, strlen(last) + 1);
}

/* The one mapping of the text, which the caller puts; NULL: refused. */
static struct json_object *read_document(struct kubefields_source *in, struct bytes text)
{
	struct document d = {.is_alone = true};

	in->err = yaml_read(text, on_document, &d, in->why);
	if (in->err) {
		hide_quoted(in->why);
		reason_prefix(in->why, "%s:", in->file);
	} else if (!d.root) {
		in->err = reason_set(in->why, ERR_PARSE, "%s: empty", in->file);
	} else if (!d.is_alone) {
		in->err = reason_set(in->why, ERR_PARSE, "%s: more than one document", in->file);
	} else if (!json_object_is_type(d.root, json_type_object)) {
		in->err = reason_set(in->why, ERR_PARSE, "%s:%u: no mapping", in->file,
		                     yaml_line(d.root));
	}
	if (!in->err)
		return d.root;
	json_object_put(d.root);
	return NULL;
}

/* --- the lists of named things --- */

struct named {
	const char *name;
	size_t index;
};

static int compare_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order != 0)
		return order;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* kubectl refuses a file in which a name is there twice, used or not: which of them was meant? */
static void refuse_doubles(const struct kubefields *root, const char *list, struct named *named,
                           size_t count)
{
	struct kubefields item;

	if (count > 1)
		qsort(named, count, sizeof(*named), compare_named);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(named[i - 1].name, named[i].name) != 0)
			continue;
		kubefields_item(root, list, named[i].index, &item);
		kubefields_fail(&item, "name", ERR_CONFLICT, "the same as of %s[%zu]", list,
		                named[i - 1].index);
	}
}

/* The mapping `kind` of the item of that name; false: there is none. */
static bool find_named(const struct kubefields *root, const char *list, const char *kind,
                       const char *wanted, struct kubefields *out)
{
	size_t count = kubefields_count(root, list, LIST_MOST), named_count = 0;
	struct named *named = xcalloc(count, sizeof(*named));
	bool found = false;

	for (size_t i = 0; i < count; i++) {
		struct kubefields item;
		const char *name;

		kubefields_item(root, list, i, &item);
		name = kubefields_text(&item, "name");
		if (!name)
			continue;
		named[named_count++] = (struct named){name, i};
		if (!wanted || strcmp(name, wanted) != 0)
			continue;
		found = true;
		kubefields_child(&item, kind, out);
	}
	refuse_doubles(root, list, named, named_count);
	free(named);
	return found;
}

/* --- a cluster --- */

static void read_ca(const struct kubefields *cluster, struct kube_access *out)
{
	struct kube_secret ca = {0};

	kubefields_pem(cluster, "certificate-authority-data", &ca);
	out->ca = ca.data;
	if (!out->ca)
		out->ca_file = kubefields_path(cluster, "certificate-authority");
	out->any_certificate = kubefields_bool(cluster, "insecure-skip-tls-verify");
	if (out->any_certificate && (out->ca || out->ca_file))
		kubefields_fail(cluster, "insecure-skip-tls-verify", ERR_CONFLICT,
		                "there is a certificate-authority, too: one of them must go");
}

static void read_cluster(const struct kubefields *cluster, struct kube_access *out)
{
	const char *server = kubefields_text(cluster, "server");
	const char *proxy = kubefields_text(cluster, "proxy-url");
	const char *name = kubefields_text(cluster, "tls-server-name");
	struct reason why;
	enum err err;

	if (!server)
		kubefields_fail(cluster, "server", ERR_PARSE, "missing");
	else if ((err = kube_endpoint_read(server, &out->server, &why)) != ERR_OK)
		kubefields_fail(cluster, "server", err, "%s", why.text);
	if (proxy && (err = kube_proxy_check(proxy, &why)) != ERR_OK)
		kubefields_fail(cluster, "proxy-url", err, "%s", why.text);
	if (name && strpbrk(name, " /:@"))
		kubefields_fail(cluster, "tls-server-name", ERR_PARSE, "is no name of a host");
	out->proxy = copy(proxy);
	out->server_name = copy(name);
	out->no_compression = kubefields_bool(cluster, "disable-compression");
	read_ca(cluster, out);
}

/* --- the whole --- */

static bool is_namespace(const char *text)
{
	size_t len = strlen(text);

	return len <= NAMESPACE_MOST &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && text[0] != '-' &&
	       text[len - 1] != '-';
}

/* The context's own fields, and the cluster and the user that it names. */
static void read_context(const struct kubefields *root, const struct kubefields *context,
                         struct kube_access *out)
{
	const char *cluster_name = kubefields_text(context, "cluster");
	const char *user_name = kubefields_text(context, "user");
	const char *namespace = kubefields_text(context, "namespace");
	struct kubefields cluster = {.in = root->in}, user = {.in = root->in};

	if (namespace && !is_namespace(namespace))
		kubefields_fail(context, "namespace", ERR_PARSE, "is no name of a namespace");
	if (!cluster_name)
		kubefields_fail(context, "cluster", ERR_PARSE, "missing");
	if (!find_named(root, "clusters", "cluster", cluster_name, &cluster))
		kubefields_fail(context, "cluster", ERR_NOTFOUND, "there is no such cluster");
	/* Without a user: nobody, as to kubectl. */
	if (!find_named(root, "users", "user", user_name, &user) && user_name)
		kubefields_fail(context, "user", ERR_NOTFOUND, "there is no such user");
	out->namespace = copy(namespace);
	read_cluster(&cluster, out);
	kubeconfig_user_read(&user, out);
}

static void check_kind(const struct kubefields *root)
{
	const char *kind = kubefields_text(root, "kind");
	const char *version = kubefields_text(root, "apiVersion");

	if (kind && strcmp(kind, "Config") != 0)
		kubefields_fail(root, "kind", ERR_PARSE, "is not Config");
	if (version && strcmp(version, "v1") != 0)
		kubefields_fail(root, "apiVersion", ERR_UNSUPPORTED, "is not v1");
}

static void read_root(const struct kubefields *root, const char *wanted, struct kube_access *out)
{
	struct kubefields context = {.in = root->in};
	const char *current;

	check_kind(root);
	current = kubefields_text(root, "current-context");
	if (!wanted && !current)
		kubefields_fail(root, "current-context", ERR_NOTFOUND,
		                "missing, and no context is asked for");
	if (!find_named(root, "contexts", "context", wanted ? wanted : current, &context)) {
		if (wanted)
			kubefields_fail(root, "contexts", ERR_NOTFOUND, "there is none named '%s'",
			                wanted);
		else
			kubefields_fail(root, "current-context", ERR_NOTFOUND,
			                "there is no such context");
	}
	read_context(root, &context, out);
}

enum err kubeconfig_parse(struct bytes text, const char *file, const char *context,
                          struct kube_access *out, struct reason *why)
{
	struct kubefields_source in = {.file = file, .why = why};
	struct kubefields root = {.in = &in};

	*out = (struct kube_access){0};
	if (text.len > KUBECONFIG_MOST)
		return reason_set(why, ERR_RANGE, "%s: more than %d bytes", file, KUBECONFIG_MOST);
	root.map = read_document(&in, text);
	if (!root.map)
		return in.err;
	read_root(&root, context && context[0] ? context : NULL, out);
	json_object_put(root.map);
	if (in.err)
		kube_access_fini(out);
	return in.err;
}

enum err kubeconfig_read(const char *file, const char *context, struct kube_access *out,
                         struct reason *why)
{
	struct buffer text = {0};
	bool changed;
	enum err err = smallfile_read(file, KUBECONFIG_MOST, &text, NULL, why);

	*out = (struct kube_access){0};
	if (err) {
		reason_prefix(why, "%s: ", file);
	} else {
		err = kubeconfig_parse((struct bytes){text.data, text.len}, file, context, out,
		                       why);
		if (!err && (err = kube_access_refresh(out, &changed, why)) != ERR_OK)
			reason_prefix(why, "%s: ", file);
	}
	smallfile_wipe(&text);
	if (err)
		kube_access_fini(out);
	return err;
}
