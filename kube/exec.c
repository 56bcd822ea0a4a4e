/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/exec.h"

#include <json-c/json_object.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "base/smallfile.h"

/* How long a program that has ended may be survived by one that holds its output open. */
enum { LINGER_MS = 1000 };

struct kube_exec_run {
	uv_process_t process;
	uv_pipe_t output;
	uv_timer_t timer;
	unsigned open; /* handles that are not closed yet */

	struct kube_exec exec;         /* own copy */
	char *info;                    /* "KUBERNETES_EXEC_INFO=..." */
	kube_exec_on_done_fn *on_done; /* NULL: told, or cancelled */
	void *arg;

	bool is_running; /* started and not waited for */
	bool is_read;    /* to the end */
	int spawned;     /* what uv_spawn() said */
	int64_t status;  /* how it ended */
	int signal;
	struct buffer read;
};

/* --- the end --- */

static void free_list(char **text, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		explicit_bzero(text[i], strlen(text[i]));
		free(text[i]);
	}
	free(text);
}

static void free_run(struct kube_exec_run *run)
{
	smallfile_wipe(&run->read);
	free_list(run->exec.arg, run->exec.arg_count);
	free_list(run->exec.env, run->exec.env_count);
	free(run->exec.command);
	free(run->exec.api_version);
	free(run->info);
	free(run);
}

static void on_closed(uv_handle_t *handle)
{
	struct kube_exec_run *run = handle->data;

	if (--run->open == 0)
		free_run(run);
}

static void close_handle(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, on_closed);
}

/* Nobody waits for the result any more.  The process's handle is closed when it has been waited for: else it would
 * stay behind as a zombie. */
static void wind_up(struct kube_exec_run *run)
{
	if (run->is_running)
		(void)uv_process_kill(&run->process, SIGKILL);
	else
		close_handle((uv_handle_t *)&run->process);
	close_handle((uv_handle_t *)&run->output);
	close_handle((uv_handle_t *)&run->timer);
}

static const char *name_of(const struct kube_exec_run *run)
{
	const char *slash = strrchr(run->exec.command, '/');

	return slash ? slash + 1 : run->exec.command;
}

static void tell(struct kube_exec_run *run, enum err err, struct kube_credential *got,
                 struct reason *why)
{
	kube_exec_on_done_fn *on_done = run->on_done;

	run->on_done = NULL;
	if (err)
		reason_prefix(why, "%.100s: ", name_of(run));
	wind_up(run);
	if (on_done)
		on_done(err, err ? NULL : got, why, run->arg);
}

static void fail(struct kube_exec_run *run, enum err err, const char *text)
{
	struct reason why;

	(void)reason_set(&why, err, "%s", text);
	tell(run, err, NULL, &why);
}

/* It has ended and its output is read, or nobody will write any more. */
static void finish(struct kube_exec_run *run)
{
	struct kube_credential got = {0};
	struct reason why = {""};
	enum err err;

	if (run->signal)
		err = reason_set(&why, ERR_IO, "ended by signal %d", run->signal);
	else if (run->status)
		err = reason_set(&why, ERR_DENIED, "ended with status %d", (int)run->status);
	else
		err = kube_exec_decode((struct bytes){run->read.data, run->read.len},
		                       run->exec.api_version, &got, &why);
	tell(run, err, &got, &why);
	kube_credential_fini(&got);
}

/* --- while it runs --- */

static void on_timer(uv_timer_t *timer)
{
	struct kube_exec_run *run = timer->data;

	if (run->spawned != 0)
		fail(run, run->spawned == UV_ENOENT ? ERR_NOTFOUND : ERR_IO,
		     uv_strerror(run->spawned));
	else if (run->is_running)
		fail(run, ERR_TIMEOUT, "has not ended in time");
	else
		finish(run);
}

static void on_ended(uv_process_t *process, int64_t status, int term_signal)
{
	struct kube_exec_run *run = process->data;

	run->is_running = false;
	run->status = status;
	run->signal = term_signal;
	if (!run->on_done)
		close_handle((uv_handle_t *)process);
	else if (run->is_read)
		finish(run);
	else
		CHECK(uv_timer_start(&run->timer, on_timer, LINGER_MS, 0) == 0);
}

/* Always the same memory: it does not grow, so no copy of a secret stays behind. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct kube_exec_run *run = handle->data;

	(void)suggested;
	*buf = uv_buf_init((char *)run->read.data + run->read.len,
	                   (unsigned)(run->read.room - run->read.len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct kube_exec_run *run = stream->data;

	(void)buf;
	if (n >= 0) {
		run->read.len += (size_t)n;
		if (run->read.len > KUBE_EXEC_MOST)
			fail(run, ERR_RANGE, "more than 1 MiB of output");
		return;
	}
	run->is_read = true;
	(void)uv_read_stop(stream);
	if (!run->is_running)
		finish(run);
}

/* --- the beginning --- */

static char **copy_list(char *const *text, size_t count)
{
	char **copies = xcalloc(count, sizeof(*copies));

	for (size_t i = 0; i < count; i++)
		copies[i] = xstrdup(text[i]);
	return copies;
}

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

static bool has_name(char *const *env, size_t count, const char *entry)
{
	for (size_t i = 0; i < count; i++)
		if (same_name(entry, env[i]))
			return true;
	return false;
}

/* What the kubeconfig says counts more than the process's own (of doubles the last), ours most; a name is there once,
 * as programs differ in which of two they see.  The entries are borrowed. */
static char **make_env(struct kube_exec_run *run)
{
	size_t own = 0, n = 0;
	char **env;

	while (environ && environ[own])
		own++;
	env = xcalloc(own + run->exec.env_count + 2, sizeof(*env));
	env[n++] = run->info;
	for (size_t i = run->exec.env_count; i > 0; i--)
		if (!has_name(env, n, run->exec.env[i - 1]))
			env[n++] = run->exec.env[i - 1];
	for (size_t i = 0, set = n; i < own; i++)
		if (!has_name(env, set, environ[i]))
			env[n++] = environ[i];
	return env;
}

static void spawn(struct kube_exec_run *run)
{
	char **args = xcalloc(run->exec.arg_count + 2, sizeof(*args));
	uv_stdio_container_t stdio[] = {
		{.flags = UV_IGNORE},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
	         .data.stream = (uv_stream_t *)&run->output},
		{.flags = UV_IGNORE},
	};
	uv_process_options_t options = {.exit_cb = on_ended,
	                                .file = run->exec.command,
	                                .args = args,
	                                .env = make_env(run),
	                                .stdio = stdio,
	                                .stdio_count = 3};

	args[0] = run->exec.command;
	for (size_t i = 0; i < run->exec.arg_count; i++)
		args[i + 1] = run->exec.arg[i];
	run->spawned = uv_spawn(run->process.loop, &run->process, &options);
	run->is_running = run->spawned == 0;
	free(options.env);
	free(args);
}

static void start(uv_loop_t *loop, struct kube_exec_run *run)
{
	run->process.loop = loop;
	run->process.data = run->output.data = run->timer.data = run;
	CHECK(uv_timer_init(loop, &run->timer) == 0);
	CHECK(uv_pipe_init(loop, &run->output, 0) == 0);
	spawn(run);
	/* uv_spawn() readies the handle before anything can fail; it is closed like the others. */
	run->open = 3;
	if (run->spawned == 0)
		run->spawned = uv_read_start((uv_stream_t *)&run->output, on_alloc, on_read);
	CHECK(uv_timer_start(&run->timer, on_timer, run->spawned ? 0 : KUBE_EXEC_TIMEOUT_MS, 0) ==
	      0);
}

struct kube_exec_run *kube_exec_run(uv_loop_t *loop, const struct kube_exec *exec,
                                    const struct kube_exec_cluster *cluster,
                                    kube_exec_on_done_fn *on_done, void *arg)
{
	struct kube_exec_run *run = xcalloc(1, sizeof(*run));

	run->exec = (struct kube_exec){
		.command = xstrdup(exec->command),
		.arg = copy_list(exec->arg, exec->arg_count),
		.arg_count = exec->arg_count,
		.env = copy_list(exec->env, exec->env_count),
		.env_count = exec->env_count,
		.api_version = xstrdup(exec->api_version),
	};
	run->info = exec_info(exec, cluster);
	run->on_done = on_done;
	run->arg = arg;
	(void)buffer_extend(&run->read, KUBE_EXEC_MOST + 1);
	buffer_reset(&run->read);
	start(loop, run);
	return run;
}

void kube_exec_cancel(struct kube_exec_run *run)
{
	if (!run || !run->on_done)
		return;
	run->on_done = NULL;
	wind_up(run);
}

void kube_exec_set_timeout(struct kube_exec_run *run, uint64_t timeout_ms)
{
	if (run->spawned == 0)
		CHECK(uv_timer_start(&run->timer, on_timer, timeout_ms, 0) == 0);
}
