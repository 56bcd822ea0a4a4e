/* main.c -- nighctl: words and flags of the command line, and which command they mean. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <getopt.h>
#include <json-c/json_object.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "ctl/command.h"

static const char default_server[] = "http://127.0.0.1:8053";

static int version_run(const struct command *c)
{
	struct json_object *root;
	struct text out = {0};

	if (c->format == PRINT_TABLE || c->format == PRINT_WIDE) {
		printf("nighctl %s\n", NIGH_VERSION);
		return COMMAND_FINE;
	}
	root = json_object_new_object();
	json_object_object_add(root, "version", json_object_new_string(NIGH_VERSION));
	if (c->format == PRINT_JSON)
		print_json(root, &out);
	else
		print_yaml(root, &out);
	fputs(out.data, stdout);
	text_fini(&out);
	json_object_put(root);
	return COMMAND_FINE;
}

static const struct word {
	const char *name;
	size_t fewest, most; /* arguments */
	const char *usage;
	int (*run)(const struct command *c);
} words[] = {
	{"status", 0, 0, "status", overview_run},
	{"explain", 1, 1, "explain NAME [--type T] [--client ADDR[/LEN]] [--resolver ADDR]",
         story_run},
	{"check", 1, INT_MAX, "check PATH...", verify_run},
	{"guard", 2, 2, "guard release ZONE", release_run},
	{"drain", 1, 1, "drain CLUSTER", drain_run},
	{"undrain", 1, 1, "undrain CLUSTER", drain_undo_run},
	{"version", 0, 0, "version", version_run},
	{"completion", 1, 1, "completion bash|zsh|fish", completion_run},
};

enum { WORD_COUNT = sizeof(words) / sizeof(words[0]) };

static void print_usage(const char *program, FILE *out)
{
	fprintf(out, "usage: %s [-o table|wide|json|yaml] [--server URL] COMMAND\n", program);
	for (size_t i = 0; i < WORD_COUNT; i++)
		fprintf(out, "       %s %s\n", program, words[i].usage);
	fputs("See nighctl(1).\n", out);
}

static int wrong(const struct command *c, const char *text, const char *detail)
{
	command_fail(c, "%s%s", text, detail);
	fprintf(stderr, "Try '%s --help'.\n", c->program);
	return COMMAND_USAGE;
}

static int wrong_use(const struct command *c, const char *usage)
{
	fprintf(stderr, "usage: %s %s\n", c->program, usage);
	return COMMAND_USAGE;
}

/* As a plugin it is called kubectl-nigh and typed kubectl nigh. */
static const char *program_name(const char *argv0)
{
	const char *slash = argv0 ? strrchr(argv0, '/') : NULL;
	const char *name = slash ? slash + 1 : argv0;

	return name && strcmp(name, "kubectl-nigh") == 0 ? "kubectl nigh" : "nighctl";
}

enum { KUBECONFIG = 256, CONTEXT, SERVER, TYPE, CLIENT, RESOLVER };

static const struct option options[] = {
	{"output", required_argument, NULL, 'o'},
	{"server", required_argument, NULL, SERVER},
	{"type", required_argument, NULL, TYPE},
	{"client", required_argument, NULL, CLIENT},
	{"resolver", required_argument, NULL, RESOLVER},
	{"kubeconfig", required_argument, NULL, KUBECONFIG},
	{"context", required_argument, NULL, CONTEXT},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

/* -1 to go on, else the exit status. */
static int parse_flags(struct command *c, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "o:hV", options, NULL)) != -1) {
		switch (option) {
		case 'o':
			if (!print_format_parse(optarg, &c->format))
				return wrong(c, "-o is table, wide, json or yaml, not ", optarg);
			break;
		case SERVER:
			c->server = optarg;
			break;
		case TYPE:
			c->type = optarg;
			break;
		case CLIENT:
			c->client = optarg;
			break;
		case RESOLVER:
			c->resolver = optarg;
			break;
		case KUBECONFIG:
		case CONTEXT:
			return command_fail(
				c,
				"--kubeconfig and --context: real clusters are not supported yet");
		case 'h':
			print_usage(c->program, stdout);
			return COMMAND_FINE;
		case 'V':
			return version_run(c);
		default:
			print_usage(c->program, stderr);
			return COMMAND_USAGE;
		}
	}
	return -1;
}

static int run_word(struct command *c, const char *name)
{
	const struct word *word = NULL;

	if (strcmp(name, "help") == 0) {
		print_usage(c->program, stdout);
		return COMMAND_FINE;
	}
	for (size_t i = 0; i < WORD_COUNT; i++)
		if (strcmp(words[i].name, name) == 0)
			word = &words[i];
	if (!word)
		return wrong(c, "no such command: ", name);
	if (c->arg_count < word->fewest || c->arg_count > word->most)
		return wrong_use(c, word->usage);
	if ((c->type || c->client || c->resolver) && word->run != story_run)
		return wrong(c, "--type, --client and --resolver belong to explain, not to ", name);
	return word->run(c);
}

int main(int argc, char **argv)
{
	const char *server = getenv("NIGH_SERVER");
	struct command c = {
		.program = program_name(argc > 0 ? argv[0] : NULL),
		.server = server && *server ? server : default_server,
	};
	int status = parse_flags(&c, argc, argv);

	if (status >= 0)
		return status;
	if (optind >= argc) {
		print_usage(c.program, stderr);
		return COMMAND_USAGE;
	}
	c.args = argv + optind + 1;
	c.arg_count = (size_t)(argc - optind - 1);
	status = run_word(&c, argv[optind]);
	return fflush(stdout) == 0 ? status : COMMAND_FAILED;
}
