/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json_object.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "dnsd/config_parts.h"

enum { INTERVAL_MS = 10000, TIMEOUT_MS = 5000, LEAST_MS = 1000, MOST_MS = 3600000 };

static struct config *config_of(void *field)
{
	return (void *)((char *)field - offsetof(struct config, probe.imports));
}

/* --- one import --- */

static void set_duration(struct conf_file *file, struct json_object *mapping,
                         struct json_object *value, const char *key, uint64_t *out)
{
	const char *text = config_text(file, mapping, value, key);

	if (text &&
	    (!text_to_duration_ms(bytes_of(text), out) || *out < LEAST_MS || *out > MOST_MS))
		conf_complain(file, value, "%s must be a duration from 1s to 1h", key);
}

/* A program with a slash in its name is that file; another is looked for as by a shell. */
static const char *program(const struct conf_file *file, const char *text)
{
	return strchr(text, '/') ? conf_relative(file, text) : xstrdup(text);
}

static void read_command(struct conf_file *file, struct json_object *value,
                         struct config_import *out)
{
	size_t count = config_list(file, value, "probe.imports.command");
	const char **command;

	if (count == 0) {
		conf_complain(file, value, "probe.imports.command has no program");
		return;
	}
	command = xcalloc(count + 1, sizeof(*command));
	for (size_t i = 0; i < count; i++) {
		const char *text = config_text(file, value, json_object_array_get_idx(value, i),
		                               "probe.imports.command");

		command[i] = !text ? xstrdup("") : i == 0 ? program(file, text) : xstrdup(text);
	}
	out->command = command;
}

static bool read_key(struct conf_file *file, struct json_object *mapping, const char *key,
                     struct json_object *value, void *out)
{
	struct config_import *i = out;
	const char *text;

	if (strcmp(key, "name") == 0) {
		text = config_text(file, mapping, value, "probe.imports.name");
		i->name = text ? xstrdup(text) : NULL;
	} else if (strcmp(key, "file") == 0) {
		text = config_text(file, mapping, value, "probe.imports.file");
		i->file = text ? conf_relative(file, text) : NULL;
	} else if (strcmp(key, "command") == 0) {
		read_command(file, value, i);
	} else if (strcmp(key, "interval") == 0) {
		set_duration(file, mapping, value, "probe.imports.interval", &i->interval_ms);
	} else if (strcmp(key, "timeout") == 0) {
		set_duration(file, mapping, value, "probe.imports.timeout", &i->timeout_ms);
	} else {
		return false;
	}
	return true;
}

static void import_fini(struct config_import *i)
{
	for (size_t k = 0; i->command && i->command[k]; k++)
		free((void *)(uintptr_t)i->command[k]);
	free(i->command);
	free(i->name);
	free(i->file);
}

/* --- the list --- */

static bool has_import(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->probe.import_count; i++)
		if (strcmp(c->probe.imports[i].name, name) == 0)
			return true;
	return false;
}

void config_imports_read(struct conf_file *file, struct json_object *value, void *field)
{
	struct config *c = config_of(field);
	size_t count;

	config_imports_fini(c);
	count = config_list(file, value, "probe.imports");
	c->probe.imports = xcalloc(count, sizeof(*c->probe.imports));
	for (size_t k = 0; k < count; k++) {
		struct json_object *item = json_object_array_get_idx(value, k);
		struct config_import i = {.interval_ms = INTERVAL_MS, .timeout_ms = TIMEOUT_MS};

		config_mapping(file, value, item, "probe.imports", read_key, &i);
		if (!i.name || !i.file == !i.command) {
			conf_complain(file, item ? item : value,
			              "probe.imports needs a name, and either a file or a command");
		} else if (has_import(c, i.name)) {
			conf_complain(file, item, "probe.imports names %s twice", i.name);
		} else {
			c->probe.imports[c->probe.import_count++] = i;
			continue;
		}
		import_fini(&i);
	}
}

void config_imports_fini(struct config *c)
{
	for (size_t i = 0; i < c->probe.import_count; i++)
		import_fini(&c->probe.imports[i]);
	free(c->probe.imports);
	c->probe.imports = NULL;
	c->probe.import_count = 0;
}

static void print_command(const struct config_import *i, struct text *out)
{
	text_add(out, ", command: [");
	for (size_t k = 0; i->command[k]; k++) {
		text_add(out, k > 0 ? ", " : "");
		if (k == 0 && strchr(i->command[k], '/'))
			conf_print_path(i->command[k], out);
		else
			text_add_json(out, bytes_of(i->command[k]));
	}
	text_printf(out, "], interval: %llums, timeout: %llums", (unsigned long long)i->interval_ms,
	            (unsigned long long)i->timeout_ms);
}

void config_imports_print(const void *field, struct text *out)
{
	const struct config *c =
		(const void *)((const char *)field - offsetof(struct config, probe.imports));

	if (c->probe.import_count == 0)
		return;
	text_add(out, "[");
	for (size_t k = 0; k < c->probe.import_count; k++) {
		const struct config_import *i = &c->probe.imports[k];

		text_add(out, k > 0 ? ",\n  {name: " : "\n  {name: ");
		text_add_json(out, bytes_of(i->name));
		if (i->file) {
			text_add(out, ", file: ");
			conf_print_path(i->file, out);
		} else {
			print_command(i, out);
		}
		text_add(out, "}");
	}
	text_add(out, "]");
}
