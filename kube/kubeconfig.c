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

/* The one mapping of the text, into `out`, whose map the caller puts; without one where it is refused. */
static void read_document(struct kubefields_source *in, struct bytes text, const char *file,
                          struct kubefields *out)
{
	struct document d = {.is_alone = true};

	*out = (struct kubefields){.in = in, .file = file};
	in->err = yaml_read(text, on_document, &d, in->why);
	if (in->err) {
		hide_quoted(in->why);
		reason_prefix(in->why, "%s:", file);
	} else if (!d.root) {
		in->err = reason_set(in->why, ERR_PARSE, "%s: empty", file);
	} else if (!d.is_alone) {
		in->err = reason_set(in->why, ERR_PARSE, "%s: more than one document", file);
	} else if (!json_object_is_type(d.root, json_type_object)) {
		in->err = reason_set(in->why, ERR_PARSE, "%s:%u: no mapping", file,
		                     yaml_line(d.root));
	}
	if (in->err)
		json_object_put(d.root);
	else
		out->map = d.root;
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
static bool find_in(const struct kubefields *root, const char *list, const char *kind,
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

/* --- the files --- */

/* One, or several that count as one. */
struct files {
	const struct kubefields *root;
	size_t count;
	const char *names; /* of all */
};

/* What is not in any of several is in no line. */
static struct kubefields whole_of(const struct files *files)
{
	if (files->count == 1)
		return files->root[0];
	return (struct kubefields){.in = files->root[0].in, .file = files->names};
}

/* In the first file that has it. */
static bool find_named(const struct files *files, const char *list, const char *kind,
                       const char *wanted, struct kubefields *out)
{
	bool found = false;

	for (size_t i = 0; i < files->count; i++) {
		struct kubefields here = {.in = files->root[i].in, .file = files->root[i].file};

		if (!find_in(&files->root[i], list, kind, wanted, &here) || found)
			continue;
		found = true;
		*out = here;
	}
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
static void read_context(const struct files *files, const struct kubefields *context,
                         struct kube_access *out)
{
	const char *cluster_name = kubefields_text(context, "cluster");
	const char *user_name = kubefields_text(context, "user");
	const char *namespace = kubefields_text(context, "namespace");
	struct kubefields cluster = {.in = context->in, .file = context->file}, user = cluster;

	if (namespace && !is_namespace(namespace))
		kubefields_fail(context, "namespace", ERR_PARSE, "is no name of a namespace");
	if (!cluster_name)
		kubefields_fail(context, "cluster", ERR_PARSE, "missing");
	if (!find_named(files, "clusters", "cluster", cluster_name, &cluster))
		kubefields_fail(context, "cluster", ERR_NOTFOUND, "there is no such cluster");
	/* Without a user: nobody, as to kubectl. */
	if (!find_named(files, "users", "user", user_name, &user) && user_name)
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

/* The first that is set; *where: the file. */
static const char *find_current(const struct files *files, struct kubefields *where)
{
	*where = whole_of(files);
	for (size_t i = 0; i < files->count; i++) {
		const char *current = kubefields_text(&files->root[i], "current-context");

		if (!current)
			continue;
		*where = files->root[i];
		return current;
	}
	return NULL;
}

static void read_files(const struct files *files, const char *wanted, struct kube_access *out)
{
	struct kubefields whole = whole_of(files), context = whole, where;
	const char *current;

	for (size_t i = 0; i < files->count; i++)
		check_kind(&files->root[i]);
	current = find_current(files, &where);
	if (!wanted && !current)
		kubefields_fail(&whole, "current-context", ERR_NOTFOUND,
		                "missing, and no context is asked for");
	context.map = NULL;
	if (!find_named(files, "contexts", "context", wanted ? wanted : current, &context)) {
		if (wanted)
			kubefields_fail(&whole, "contexts", ERR_NOTFOUND,
			                "there is none named '%s'", wanted);
		else
			kubefields_fail(&where, "current-context", ERR_NOTFOUND,
			                "there is no such context");
	}
	read_context(files, &context, out);
}

static const char *name_or_null(const char *context)
{
	return context && context[0] ? context : NULL;
}

enum err kubeconfig_parse(struct bytes text, const char *file, const char *context,
                          struct kube_access *out, struct reason *why)
{
	struct kubefields_source in = {.why = why};
	struct kubefields root;

	*out = (struct kube_access){0};
	if (text.len > KUBECONFIG_MOST)
		return reason_set(why, ERR_RANGE, "%s: more than %d bytes", file, KUBECONFIG_MOST);
	read_document(&in, text, file, &root);
	if (in.err)
		return in.err;
	read_files(&(const struct files){&root, 1, file}, name_or_null(context), out);
	json_object_put(root.map);
	if (in.err)
		kube_access_fini(out);
	return in.err;
}

/* What the kubeconfig names is read as well. */
static enum err refresh(const char *file, struct kube_access *out, struct reason *why)
{
	bool changed;
	enum err err = kube_access_refresh(out, &changed, why);

	if (err)
		reason_prefix(why, "%s: ", file);
	return err;
}

enum err kubeconfig_read(const char *file, const char *context, struct kube_access *out,
                         struct reason *why)
{
	struct buffer text = {0};
	enum err err = smallfile_read(file, KUBECONFIG_MOST, &text, NULL, why);

	*out = (struct kube_access){0};
	if (err)
		reason_prefix(why, "%s: ", file);
	else
		err = kubeconfig_parse((struct bytes){text.data, text.len}, file, context, out,
		                       why);
	if (!err)
		err = refresh(file, out, why);
	smallfile_wipe(&text);
	if (err)
		kube_access_fini(out);
	return err;
}

/* --- several files --- */

struct file {
	char *name;
	struct buffer text;
};

/* Those of the list that have something in them, parsed; returns how many. */
static size_t read_all(const char *list, struct kubefields_source *in, struct file *file,
                       struct kubefields *root)
{
	size_t count = 0;

	while (*list && !in->err) {
		size_t len = strcspn(list, ":");
		struct file *f = &file[count];

		*f = (struct file){.name = xstrndup(list, len)};
		count++;
		in->err = smallfile_read(f->name, KUBECONFIG_MOST, &f->text, NULL, in->why);
		if (in->err)
			reason_prefix(in->why, "%s: ", f->name);
		else
			read_document(in, (struct bytes){f->text.data, f->text.len}, f->name,
			              &root[count - 1]);
		list += len + (list[len] == ':');
	}
	return count;
}

enum err kubeconfig_read_list(const char *list, const char *context, struct kube_access *out,
                              struct reason *why)
{
	struct kubefields_source in = {.why = why};
	struct kubefields *root;
	struct file *file;
	size_t count = 1;

	*out = (struct kube_access){0};
	for (const char *at = list; *at; at++)
		count += *at == ':';
	root = xcalloc(count, sizeof(*root));
	file = xcalloc(count, sizeof(*file));
	count = read_all(list, &in, file, root);
	if (!in.err)
		read_files(&(const struct files){root, count, list}, name_or_null(context), out);
	if (!in.err)
		in.err = refresh(list, out, why);
	for (size_t i = 0; i < count; i++) {
		json_object_put(root[i].map);
		smallfile_wipe(&file[i].text);
		free(file[i].name);
	}
	free(root);
	free(file);
	if (in.err)
		kube_access_fini(out);
	return in.err;
}
