/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/exec.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/program.h"
#include "base/text.h"
#include "base/xalloc.h"

enum { TIMEOUT_MS = 30000 };

struct kube_exec_run {
	struct program *program;
	char *name; /* of the program */
	char *api_version;
	kube_exec_on_done_fn *on_done;
	void *arg;
};

/* --- the end --- */

static void on_end(enum err err, struct bytes output, const struct reason *how, void *arg)
{
	struct kube_exec_run *run = arg;
	struct kube_credential got = {0};
	struct reason why = *how;

	if (!err)
		err = kube_exec_decode(output, run->api_version, &got, &why);
	if (err)
		reason_prefix(&why, "%.100s: ", run->name);
	run->on_done(err, err ? NULL : &got, &why, run->arg);
	kube_credential_fini(&got);
}

static void on_closed(void *arg)
{
	struct kube_exec_run *run = arg;

	free(run->name);
	free(run->api_version);
	free(run);
}

/* --- the beginning --- */

static void add_text(struct json_object *map, const char *key, const char *value)
{
	if (value)
		CHECK(json_object_object_add(map, key, json_object_new_string(value)) == 0);
}

/* As base64, as bytes are in JSON. */
static void add_bytes(struct json_object *map, const char *key, const char *value)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *at = (const uint8_t *)value;
	size_t left = value ? strlen(value) : 0;
	struct text out = {0};

	for (; left > 0; at += 3, left = left > 3 ? left - 3 : 0) {
		uint32_t v = (uint32_t)at[0] << 16 | (left > 1 ? (uint32_t)at[1] << 8 : 0) |
		             (left > 2 ? at[2] : 0);
		char four[5] = {digits[v >> 18], digits[v >> 12 & 63],
		                left > 1 ? digits[v >> 6 & 63] : '=',
		                left > 2 ? digits[v & 63] : '='};

		text_add(&out, four);
	}
	add_text(map, key, out.data);
	text_fini(&out);
}

static struct json_object *cluster_info(const struct kube_exec_cluster *cluster)
{
	struct json_object *info = json_object_new_object();

	add_text(info, "server", cluster->server);
	add_text(info, "tls-server-name", cluster->server_name);
	add_text(info, "proxy-url", cluster->proxy);
	add_bytes(info, "certificate-authority-data", cluster->ca);
	if (cluster->any_certificate)
		json_object_object_add(info, "insecure-skip-tls-verify",
		                       json_object_new_boolean(true));
	return info;
}

static char *exec_info(const struct kube_exec *exec, const struct kube_exec_cluster *cluster)
{
	struct json_object *info = json_object_new_object(), *spec = json_object_new_object();
	struct text text = {0};

	add_text(info, "kind", "ExecCredential");
	add_text(info, "apiVersion", exec->api_version);
	json_object_object_add(spec, "interactive", json_object_new_boolean(false));
	if (exec->wants_cluster && cluster)
		json_object_object_add(spec, "cluster", cluster_info(cluster));
	json_object_object_add(info, "spec", spec);
	text_add(&text, "KUBERNETES_EXEC_INFO=");
	text_add(&text, json_object_to_json_string_ext(
				info, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(info);
	return text_take(&text);
}

/* Are both "NAME=..." of one name? */
static bool same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, "=");

	return strncmp(a, b, len) == 0 && b[len] == '=';
}

static bool has_name(const char *const *env, size_t count, const char *entry)
{
	for (size_t i = 0; i < count; i++)
		if (same_name(entry, env[i]))
			return true;
	return false;
}

/* What the kubeconfig says counts more than the process's own (of doubles the last), ours most; a name is there once,
 * as programs differ in which of two they see.  The entries are borrowed. */
static const char **make_env(const struct kube_exec *exec, const char *info)
{
	size_t own = 0, n = 0;
	const char **env;

	while (environ && environ[own])
		own++;
	env = xcalloc(own + exec->env_count + 2, sizeof(*env));
	env[n++] = info;
	for (size_t i = exec->env_count; i > 0; i--)
		if (!has_name(env, n, exec->env[i - 1]))
			env[n++] = exec->env[i - 1];
	for (size_t i = 0, set = n; i < own; i++)
		if (!has_name(env, set, environ[i]))
			env[n++] = environ[i];
	return env;
}

static const char **make_command(const struct kube_exec *exec)
{
	const char **command = xcalloc(exec->arg_count + 2, sizeof(*command));

	command[0] = exec->command;
	for (size_t i = 0; i < exec->arg_count; i++)
		command[i + 1] = exec->arg[i];
	return command;
}

struct kube_exec_run *kube_exec_run(uv_loop_t *loop, const struct kube_exec *exec,
                                    const struct kube_exec_cluster *cluster,
                                    kube_exec_on_done_fn *on_done, void *arg)
{
	struct kube_exec_run *run = xcalloc(1, sizeof(*run));
	const struct program_events events = {on_end, on_closed, run};
	const char *slash = strrchr(exec->command, '/');
	char *info = exec_info(exec, cluster);
	const char **command = make_command(exec), **env = make_env(exec, info);

	run->name = xstrdup(slash ? slash + 1 : exec->command);
	run->api_version = xstrdup(exec->api_version);
	run->on_done = on_done;
	run->arg = arg;
	run->program = program_run(
		loop, &(struct program_settings){command, env, TIMEOUT_MS, false}, &events);
	free(command);
	free(env);
	free(info);
	return run;
}

void kube_exec_cancel(struct kube_exec_run *run)
{
	if (run)
		program_cancel(run->program);
}

void kube_exec_set_timeout(struct kube_exec_run *run, uint64_t timeout_ms)
{
	program_set_timeout(run->program, timeout_ms);
}
