/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/login.h"

#include <stdlib.h>
#include <uv.h>

#include "base/check.h"
#include "ctl/command.h"
#include "kube/exec.h"
#include "kube/kubeconfig.h"

bool login_is_known(const struct command *c)
{
	char *file = kubeconfig_find();
	bool known = c->kubeconfig || c->context || file || getenv("KUBERNETES_SERVICE_HOST");

	free(file);
	return known;
}

static enum err read_access(const struct command *c, struct kube_access *out, struct reason *why)
{
	char *file;
	enum err err;

	if (c->kubeconfig)
		return kubeconfig_read(c->kubeconfig, c->context, out, why);
	file = kubeconfig_find();
	if (file)
		err = kubeconfig_read_list(file, c->context, out, why);
	else if (c->context)
		err = reason_set(why, ERR_NOTFOUND,
		                 "--context %s: no kubeconfig (--kubeconfig, KUBECONFIG, "
		                 "~/.kube/config)",
		                 c->context);
	else if (!getenv("KUBERNETES_SERVICE_HOST"))
		err = reason_set(why, ERR_NOTFOUND,
		                 "which API server? there is no kubeconfig (--kubeconfig, "
		                 "KUBECONFIG, ~/.kube/config), and this is no pod");
	else
		err = kubeconfig_in_cluster(out, why);
	free(file);
	return err;
}

/* --- a credential plugin --- */

struct plugin {
	struct kube_access *access;
	enum err err;
	struct reason *why;
};

static void on_plugin(enum err err, struct kube_credential *got, const struct reason *why,
                      void *arg)
{
	struct plugin *plugin = arg;
	struct kube_access *access = plugin->access;

	plugin->err = err;
	if (err) {
		reason_set(plugin->why, err, "credential plugin %s", why->text);
		return;
	}
	if (got->token.len)
		kube_secret_set(&access->token, kube_secret_bytes(&got->token));
	if (got->certificate.len) {
		kube_secret_set(&access->certificate, kube_secret_bytes(&got->certificate));
		kube_secret_set(&access->key, kube_secret_bytes(&got->key));
	}
}

static enum err run_plugin(struct kube_access *access, struct reason *why)
{
	const struct kube_exec_cluster cluster = kube_exec_cluster_of(access);
	struct plugin plugin = {access, ERR_OK, why};
	uv_loop_t loop;

	CHECK(uv_loop_init(&loop) == 0);
	kube_exec_run(&loop, &access->exec, &cluster, on_plugin, &plugin);
	uv_run(&loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&loop) == 0);
	return plugin.err;
}

enum err login_read(const struct command *c, struct kube_access *out, struct reason *why)
{
	enum err err = read_access(c, out, why);

	if (err)
		return err;
	if (out->exec.command)
		err = run_plugin(out, why);
	if (err)
		kube_access_fini(out);
	return err;
}
