/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/support/guide.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "tests/support/world_inside.h"

enum { BLOCKS_MOST = 40, SPAN_WORDS_MOST = 2 };

#define FENCE "```"

struct block {
	struct bytes heading; /* its line */
	struct bytes text;    /* its lines */
	unsigned which;       /* below that heading */
	bool is_followed;
};

struct guide {
	struct text page, prose; /* all of it; what is not in blocks */
	struct block block[BLOCKS_MOST];
	size_t count;
	char folder[200]; /* home */
	struct text said;
};

/* --- reading --- */

static const char *after_line(const char *at)
{
	const char *end = strchr(at, '\n');

	return end ? end + 1 : at + strlen(at);
}

static struct bytes line_at(const char *at)
{
	return (struct bytes){(const uint8_t *)at, strcspn(at, "\n")};
}

static bool is_fence(const char *line)
{
	return strncmp(line + strspn(line, " "), FENCE, strlen(FENCE)) == 0;
}

static const char *info_of(const char *fence) { return fence + strspn(fence, " ") + strlen(FENCE); }

static void add_block(struct guide *g, struct bytes heading, struct bytes text)
{
	struct block *b = &g->block[g->count], *last = g->count > 0 ? b - 1 : NULL;

	assert_true(g->count < BLOCKS_MOST);
	*b = (struct block){heading, text, 0, false};
	if (last && last->heading.data == heading.data)
		b->which = last->which + 1;
	g->count++;
}

/* Returns where the line behind the block begins. */
static const char *read_block(struct guide *g, const char *fence, struct bytes heading)
{
	const char *begin = after_line(fence), *end = begin;

	while (*end && !is_fence(end))
		end = after_line(end);
	if (!*end)
		fail_msg("a block has no end: %s", fence);
	if (*info_of(fence) == '\n')
		add_block(g, heading,
		          (struct bytes){(const uint8_t *)begin, (size_t)(end - begin)});
	return after_line(end);
}

static void read_page(struct guide *g)
{
	struct bytes heading = {0};

	for (const char *at = g->page.data; *at;) {
		if (is_fence(at)) {
			at = read_block(g, at, heading);
			continue;
		}
		if (strncmp(at, "## ", 3) == 0)
			heading = line_at(at);
		text_add_bytes(&g->prose, line_at(at));
		text_add(&g->prose, "\n");
		at = after_line(at);
	}
}

/* --- life --- */

static void make_folder(const char *path)
{
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		fail_msg("cannot make %s: %s", path, strerror(errno));
}

static void link_to(const char *from, const char *folder, const char *name)
{
	char path[260];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (symlink(from, path) != 0)
		fail_msg("cannot make %s: %s", path, strerror(errno));
}

struct guide *guide_open(const char *name, const char *folder, const char *kubeconfig)
{
	struct guide *g = xcalloc(1, sizeof(*g));
	char path[260], *deploy = realpath("deploy", NULL);

	assert_non_null(deploy);
	snprintf(path, sizeof(path), "docs/%s", name);
	if (!inside_read_file(path, &g->page))
		fail_msg("cannot read %s", path);
	read_page(g);
	snprintf(g->folder, sizeof(g->folder), "%s/home", folder);
	make_folder(g->folder);
	snprintf(path, sizeof(path), "%s/.kube", g->folder);
	make_folder(path);
	link_to(kubeconfig, path, "config");
	link_to(deploy, g->folder, "deploy");
	free(deploy);
	return g;
}

void guide_close(struct guide *g)
{
	if (!g)
		return;
	text_fini(&g->page);
	text_fini(&g->prose);
	text_fini(&g->said);
	free(g);
}

/* --- following --- */

static struct block *take_block(struct guide *g, const char *heading, unsigned which)
{
	for (struct block *b = g->block; b < g->block + g->count; b++)
		if (b->which == which && b->heading.len >= strlen(heading) &&
		    memcmp(b->heading.data, heading, strlen(heading)) == 0) {
			b->is_followed = true;
			return b;
		}
	fail_msg("the guide has no block %u below '%s'", which, heading);
	return NULL;
}

static char *folder_of(const char *name, const char *fallback)
{
	char *path = realpath(inside_program(name, fallback), NULL), *end;

	if (!path || !(end = strrchr(path, '/')))
		fail_msg("there is no %s", fallback);
	else
		*end = '\0';
	return path;
}

/* What a shell has before it is given the block. */
static void add_shell(const struct guide *g, struct text *script)
{
	char *ours = folder_of("PROPAGATOR", "build/bin/nigh-propagator");

	text_printf(script,
	            "set -e; unset KUBECONFIG; export HOME='%s'; "
	            "export PATH='%s':\"$KUBEBUILDER_ASSETS:$PATH\"; cd \"$HOME\"\n",
	            g->folder, ours);
	free(ours);
}

static pid_t run(const struct guide *g, const struct block *b, const char *log, bool goes_on)
{
	struct text script = {0};
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	pid_t pid;

	if (out < 0)
		fail_msg("cannot write %s: %s", log, strerror(errno));
	add_shell(g, &script);
	text_add(&script, goes_on ? "exec " : "set -x\n");
	text_add_bytes(&script, b->text);
	pid = inside_spawn((const char *const[]){"sh", "-c", script.data, NULL}, out);
	close(out);
	text_fini(&script);
	return pid;
}

const char *guide_follow(struct guide *g, const char *heading, unsigned which)
{
	const struct block *b = take_block(g, heading, which);
	char log[260];
	int status;
	pid_t pid;

	snprintf(log, sizeof(log), "%s/said", g->folder);
	unlink(log);
	pid = run(g, b, log, false);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	text_reset(&g->said);
	text_add(&g->said, "");
	inside_read_file(log, &g->said);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("the guide does not work: %s", g->said.data);
	return g->said.data;
}

pid_t guide_begin(struct guide *g, const char *heading, unsigned which, const char *log)
{
	return run(g, take_block(g, heading, which), log, true);
}

/* --- nothing is left out --- */

static bool is_command(struct bytes span)
{
	static const char *const programs[] = {"kubectl ",    "nighctl ", "nigh-propagator ",
	                                       "kubefedctl ", "helm ",    "curl "};
	unsigned words = 1;
	bool is_program = false;

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		is_program |= span.len > strlen(programs[i]) &&
		              memcmp(span.data, programs[i], strlen(programs[i])) == 0;
	for (size_t i = 0; i < span.len; i++)
		words += span.data[i] == ' ' || span.data[i] == '\n';
	return is_program && words > SPAN_WORDS_MOST;
}

static unsigned count_commands_in_prose(const struct guide *g)
{
	unsigned count = 0;

	for (const char *at = strchr(g->prose.data, '`'); at; at = strchr(at, '`')) {
		struct bytes span = {(const uint8_t *)at + 1, strcspn(at + 1, "`")};

		if (is_command(span)) {
			count++;
			fprintf(stderr, "a command that is in no block: %.*s\n", (int)span.len,
			        at + 1);
		}
		at += span.len + 1;
		if (*at)
			at++;
	}
	return count;
}

void guide_expect_all_followed(const struct guide *g)
{
	unsigned left = count_commands_in_prose(g);

	for (const struct block *b = g->block; b < g->block + g->count; b++)
		if (!b->is_followed) {
			left++;
			fprintf(stderr, "not followed, block %u of %.*s:\n%.*s\n", b->which,
			        (int)b->heading.len, (const char *)b->heading.data,
			        (int)b->text.len, (const char *)b->text.data);
		}
	if (left > 0)
		fail_msg("%u commands of the guide are not run", left);
}
