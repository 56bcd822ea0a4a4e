/* SPDX-License-Identifier: Apache-2.0 */
/* Where a kubeconfig is, and what a pod has instead of one. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "kube/kubeconfig.h"
#include "base/smallfile.h"

enum { NAMESPACE_FILE_MOST = 1024 };

static char *join(const char *folder, const char *name)
{
	struct text path = {0};

	text_add(&path, folder);
	text_add(&path, "/");
	text_add(&path, name);
	return text_take(&path);
}

/* --- a pod's --- */

static enum err read_server(char **out, struct reason *why)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	struct text url = {0};
	enum err err;

	if (!host || !port || !host[0] || !port[0])
		return reason_set(why, ERR_NOTFOUND,
		                  "not in a pod: KUBERNETES_SERVICE_HOST and "
		                  "KUBERNETES_SERVICE_PORT are not set");
	text_printf(&url, strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port);
	err = kube_endpoint_read(url.data, out, why);
	if (err)
		reason_prefix(why, "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: ");
	text_fini(&url);
	return err;
}

/* Absent or odd: none; whoever needs one asks for it by name. */
static char *read_namespace(const char *folder)
{
	char *path = join(folder, "namespace"), *name = NULL;
	struct buffer read = {0};
	struct bytes text;

	if (smallfile_read(path, NAMESPACE_FILE_MOST, &read, NULL, NULL) == ERR_OK) {
		text = kube_token_trim((struct bytes){read.data, read.len});
		if (kube_token_check(text, NULL) == ERR_OK && !memchr(text.data, '/', text.len))
			name = text_copy(text);
	}
	buffer_fini(&read);
	free(path);
	return name;
}

enum err kubeconfig_in_folder(const char *folder, struct kube_access *out, struct reason *why)
{
	bool changed;
	enum err err;

	*out = (struct kube_access){0};
	err = read_server(&out->server, why);
	if (err)
		return err;
	out->ca_file = join(folder, "ca.crt");
	out->token_file = join(folder, "token");
	out->namespace = read_namespace(folder);
	err = kube_access_refresh(out, &changed, why);
	if (err) {
		reason_prefix(why, "%s: ", folder);
		kube_access_fini(out);
	}
	return err;
}

enum err kubeconfig_in_cluster(struct kube_access *out, struct reason *why)
{
	return kubeconfig_in_folder("/var/run/secrets/kubernetes.io/serviceaccount", out, why);
}

/* --- kubectl's --- */

static bool has_something(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_size > 0;
}

static char *those_that_exist(const char *list)
{
	struct text found = {0};

	while (*list) {
		size_t len = strcspn(list, ":");
		char *path = xstrndup(list, len);

		if (len > 0 && has_something(path))
			text_printf(&found, "%s%s", found.len ? ":" : "", path);
		free(path);
		list += len + (list[len] == ':');
	}
	return found.len ? text_take(&found) : NULL;
}

char *kubeconfig_find(void)
{
	const char *list = getenv("KUBECONFIG"), *home = getenv("HOME");
	char *path;

	if (list && list[0])
		return those_that_exist(list);
	if (!home || !home[0])
		return NULL;
	path = join(home, ".kube/config");
	if (has_something(path))
		return path;
	free(path);
	return NULL;
}
