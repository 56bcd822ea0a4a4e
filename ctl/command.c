/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "ctl/http.h"
#include "ctl/progress.h"
#include "records/ramp.h"

enum { DEPTH_MOST = 32 };

int command_fail(const struct command *c, const char *fmt, ...)
{
	va_list ap;

	progress_hide();
	fprintf(stderr, "%s: ", c->program);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return COMMAND_FAILED;
}

bool command_seconds(const struct command *c, const char *flag, const char *text, int64_t *out)
{
	if (ramp_parse_seconds(bytes_of(text), out))
		return true;
	command_fail(c, "%s is whole seconds, at most 8784h, such as 30m, not %s", flag, text);
	return false;
}

bool command_start(const struct command *c, int64_t now, int64_t *out)
{
	struct bytes text = bytes_of(c->start);
	bool is_later = text.len > 0 && text.data[0] == '+';
	bool is_read =
		is_later ? ramp_parse_seconds((struct bytes){text.data + 1, text.len - 1}, out)
			 : text_to_time(text, out);

	if (is_read && is_later)
		*out += now;
	if (!is_read)
		command_fail(c,
		             "--start is a time such as 2026-11-28T10:00:00Z, or +30m for so long "
		             "from now on, not %s",
		             c->start);
	else if (*out < now)
		command_fail(c, "--start %s is over", c->start);
	return is_read && *out >= now;
}

/* "http://host:8053" and "/status"; a server without a scheme is plain HTTP. */
static void make_url(const struct command *c, const char *path, struct text *url)
{
	size_t len = strlen(c->server);

	while (len && c->server[len - 1] == '/')
		len--;
	text_printf(url, "%s%.*s%s", strstr(c->server, "://") ? "" : "http://", (int)len, c->server,
	            path);
}

static struct json_object *parse(const struct text *body)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MOST);
	struct json_object *root;

	CHECK(tokener != NULL);
	CHECK(body->len < INT_MAX);
	root = json_tokener_parse_ex(tokener, body->data ? body->data : "", (int)body->len);
	json_tokener_free(tokener);
	return root;
}

static enum err fetch(const struct command *c, const char *path, bool is_post,
                      struct json_object **root, struct reason *why)
{
	struct text url = {0}, body = {0};
	enum err err;

	*root = NULL;
	make_url(c, path, &url);
	err = is_post ? http_post(url.data, &body, why) : http_get(url.data, &body, why);
	if (err == ERR_OK && !(*root = parse(&body)))
		err = reason_set(why, ERR_PARSE, "the answer is not JSON; is this nighd?");
	text_fini(&url);
	text_fini(&body);
	return err;
}

static int ask(const struct command *c, const char *path, bool is_post, struct json_object **root)
{
	struct reason why = {0};

	if (fetch(c, path, is_post, root, &why) != ERR_OK)
		return command_fail(c, "%s: %s", c->server, why.text);
	return COMMAND_FINE;
}

int command_get(const struct command *c, const char *path, struct json_object **root)
{
	return ask(c, path, false, root);
}

enum err command_ask(const struct command *c, const char *path, struct json_object **root,
                     struct reason *why)
{
	return fetch(c, path, false, root, why);
}

struct json_object *command_try(const struct command *c, const char *path)
{
	struct json_object *root;

	(void)fetch(c, path, false, &root, NULL);
	return root;
}

int command_post(const struct command *c, const char *path, struct json_object **root)
{
	return ask(c, path, true, root);
}

bool command_is_table(const struct command *c)
{
	return c->format == PRINT_TABLE || c->format == PRINT_WIDE;
}

void command_add(const struct command *c, struct json_object *root, struct text *out)
{
	if (c->format == PRINT_JSON)
		print_json(root, out);
	else
		print_yaml(root, out);
}

void command_tell(const struct command *c, struct json_object *root, const char *text)
{
	struct text out = {0};

	if (command_is_table(c))
		text_add(&out, text);
	else
		command_add(c, root, &out);
	fputs(out.data, stdout);
	text_fini(&out);
}

int command_show(const struct command *c, const char *path, command_print_fn *print)
{
	struct json_object *root;
	struct text out = {0};
	int status = ask(c, path, false, &root);

	if (status != COMMAND_FINE)
		return status;
	if (command_is_table(c))
		print(root, c->format == PRINT_WIDE, &out);
	else
		command_add(c, root, &out);
	if (out.data)
		fputs(out.data, stdout);
	text_fini(&out);
	json_object_put(root);
	return COMMAND_FINE;
}
