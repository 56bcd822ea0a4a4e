/* verify.c -- nighctl check: hands configs, manifest folders and manifest files to nighd --check. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <json-c/json_object.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/yaml.h"
#include "ctl/command.h"
#include "ctl/documents.h"

extern char **environ;

static bool is_program(const char *path) { return access(path, X_OK) == 0; }

/* NIGHD, else beside this program, else in the sbin beside its bin, else wherever PATH finds it. */
static void find_nighd(struct text *out)
{
	const char *given = getenv("NIGHD");
	char self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (given && *given) {
		text_add(out, given);
		return;
	}
	self[len > 0 ? len : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash) {
		*slash = '\0';
		text_printf(out, "%s/nighd", self);
		if (is_program(out->data))
			return;
		text_reset(out);
		text_printf(out, "%s/../sbin/nighd", self);
		if (is_program(out->data))
			return;
		text_reset(out);
	}
	text_add(out, "nighd");
}

/* nighd tells what is wrong on our own standard error. */
static int run_nighd(const struct command *c, const char *nighd, char *flag, char *path)
{
	char name[] = "nighd", check[] = "--check";
	char *const argv[] = {name, check, flag, path, NULL};
	pid_t child;
	int status = 0;
	int failed = posix_spawnp(&child, nighd, NULL, NULL, argv, environ);

	if (failed)
		return command_fail(c, "cannot run %s: %s", nighd, strerror(failed));
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return command_fail(c, "cannot wait for nighd: %s", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return COMMAND_FINE;
	if (WIFSIGNALED(status))
		return command_fail(c, "nighd ended by signal %d", WTERMSIG(status));
	return COMMAND_FAILED;
}

static bool has_folder(const char *path, const char *name)
{
	struct text folder = {0};
	struct stat st;
	bool has;

	text_printf(&folder, "%s/%s", path, name);
	has = stat(folder.data, &st) == 0 && S_ISDIR(st.st_mode);
	text_fini(&folder);
	return has;
}

static void on_document(struct json_object *root, unsigned line, void *arg)
{
	bool *is_manifest = arg;

	(void)line;
	/* Neither is a key of a config; an object that lacks one of them is a manifest with a mistake. */
	*is_manifest = *is_manifest || json_object_object_get_ex(root, "apiVersion", NULL) ||
	               json_object_object_get_ex(root, "kind", NULL);
	json_object_put(root);
}

/* A file that is neither is a config: nighd says what is wrong with it. */
static bool holds_manifest(const char *path)
{
	struct buffer text = {0};
	bool is_manifest = false;
	/* What cannot be read is nighd's to tell. */
	enum err err = documents_load(path, &text, NULL);

	/* Of a broken file the documents before the fault are seen; the fault is nighd's to tell. */
	err = yaml_read((struct bytes){text.data, text.len}, on_document, &is_manifest, NULL);
	(void)err;
	buffer_fini(&text);
	return is_manifest;
}

static int verify(const struct command *c, const char *nighd, char *path)
{
	char manifests[] = "--manifests", config[] = "--config";
	struct stat st;

	if (stat(path, &st) != 0)
		return command_fail(c, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return run_nighd(c, nighd, holds_manifest(path) ? manifests : config, path);
	/* nighd waits for folders that are still to come; whoever checks has mistyped the path. */
	if (!has_folder(path, "host") && !has_folder(path, "clusters"))
		return command_fail(c, "%s: neither host/ nor clusters/ in it", path);
	return run_nighd(c, nighd, manifests, path);
}

int verify_run(const struct command *c)
{
	struct text nighd = {0};
	int status = COMMAND_FINE;

	find_nighd(&nighd);
	for (size_t i = 0; i < c->arg_count; i++)
		if (verify(c, nighd.data, c->args[i]) != COMMAND_FINE)
			status = COMMAND_FAILED;
	text_fini(&nighd);
	return status;
}
