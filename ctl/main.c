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
#include "ctl/flags.h"

static const char default_server[] = "http://127.0.0.1:8053";
static const char default_namespace[] = "kube-federation-system";

static int version_run(const struct command *c)
{
	struct json_object *root = json_object_new_object();

	json_object_object_add(root, "version", json_object_new_string(NIGH_VERSION));
	command_tell(c, root, "nighctl " NIGH_VERSION "\n");
	json_object_put(root);
	return COMMAND_FINE;
}

static const struct word {
	const char *name;
	size_t fewest, most; /* arguments */
	const char *says;    /* what it does, for --help */
	const char *usage;   /* without the flags that all have */
	int (*run)(const struct command *c);
	unsigned flags;
} words[] = {
	{"status", 0, 0,
         "what is known of clusters, zones, policies and federated types, and what is wrong",
         "status", overview_run, OF_NIGHD | OF_API},
	{"explain", 1, 1, "why a client gets what it gets",
         "explain NAME [--type T] [--client ADDR[/LEN]] [--resolver ADDR]", story_run,
         OF_NIGHD | OF_API | OF_QUESTION},
	{"check", 1, INT_MAX, "what is wrong in configs and manifests, before a server reads them",
         "check PATH...", verify_run, 0},
	{"guard", 2, 2, "let go what a zone holds back", "guard release ZONE", release_run,
         OF_NIGHD | OF_API | OF_NAMESPACE},
	{"zone", 1, 2,
         "zones from files: what stands in them, reading them again, telling secondaries",
         "zone status|export ZONE | zone reload|notify [ZONE]", zone_run, OF_NIGHD},
	{"failback", 0, 1, "send clients back to clusters that have recovered",
         "failback [NAME] [--cluster CLUSTER] [--policy NAMESPACE/NAME]", failback_run,
         OF_NIGHD | OF_API | OF_NAMESPACE | OF_CLUSTER | OF_POLICY},
	{"shift", 0, 0, "send a share of the clients to a cluster, at once or bit by bit",
         "shift --cluster CLUSTER --to SHARE|--undo [--over TIME] [--curve CURVE] [--start WHEN] "
         "[--dry-run]",
         shift_run, OF_API | OF_NAMESPACE | OF_CLUSTER | OF_SHIFT | OF_OVER},
	{"drain", 1, 1, "send a cluster's clients elsewhere",
         "drain CLUSTER [--over TIME [--ttl-wait TIME]] [--start WHEN] [--dry-run]", drain_run,
         OF_API | OF_NAMESPACE | OF_OVER | OF_WAIT},
	{"undrain", 1, 1, "let a cluster have clients again",
         "undrain CLUSTER [--over TIME] [--start WHEN] [--dry-run]", drain_undo_run,
         OF_API | OF_NAMESPACE | OF_OVER},
	{"federate", 0, 2, "make a type federated, or objects of it (KubeFed, Federation v1)",
         "federate enable|disable TYPE [--delete-crd] [--federated-group GROUP] "
         "[--federated-version VERSION] [--force] [--dry-run] | federate TYPE [NAMESPACE/]NAME "
         "[--contents] [--enable-types] [--federation NAME=ZONE] [--dry-run] | "
         "federate -f FILE [--federation NAME=ZONE] [--federated-group GROUP] "
         "[--federated-version VERSION]",
         federate_run,
         OF_API | OF_NAMESPACE | OF_OBJECT | OF_FEDERATE | OF_FILE | OF_FORCE | OF_DRY_RUN},
	{"join", 1, 1, "register a member cluster, with accounts that may do what is needed",
         "join CLUSTER [--cluster-kubeconfig FILE] [--cluster-context NAME] "
         "[--host-cluster-name NAME] [--secret-name NAME] [--token-for TIME] [--rotate] "
         "[--kubefed-compatible] [--force]",
         join_run, OF_API | OF_NAMESPACE | OF_MEMBER | OF_JOIN | OF_FORCE},
	{"unjoin", 1, 1, "end a membership; what becomes of its objects is asked",
         "unjoin CLUSTER --keep|--orphan|--remove [--cluster-kubeconfig FILE] "
         "[--cluster-context NAME] [--host-cluster-name NAME] [--force] [--dry-run]",
         unjoin_run, OF_API | OF_NAMESPACE | OF_MEMBER | OF_UNJOIN | OF_FORCE | OF_DRY_RUN},
	{"forget", 1, 1, "wait no longer for a cluster that does not come back",
         "forget CLUSTER [--force] [--dry-run]", forget_run,
         OF_API | OF_NAMESPACE | OF_FORCE | OF_DRY_RUN},
	{"plan", 0, 0,
         "what a manifest would change in the members; 0: nothing, 2: something, 1: an error",
         "plan -f FILE", plan_run, OF_API | OF_NAMESPACE | OF_FILE},
	{"diff", 2, 2, "in which members an object is not as it is to be; exit status as of plan",
         "diff TYPE [NAMESPACE/]NAME", diff_run, OF_API | OF_NAMESPACE | OF_OBJECT},
	{"get", 2, 2, "how an object fares in each member",
         "get TYPE [NAMESPACE/]NAME --by-cluster", get_run,
         OF_API | OF_NAMESPACE | OF_OBJECT | OF_GET},
	{"version", 0, 0, "the version of this program", "version", version_run, 0},
	{"completion", 1, 1, "a script for the shell: completion of commands, names and flags",
         "completion bash|zsh|fish", completion_run, 0},
};

enum { WORD_COUNT = sizeof(words) / sizeof(words[0]) };

static const struct word *find_word(const char *name)
{
	for (size_t i = 0; i < WORD_COUNT; i++)
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	return NULL;
}

/* The first argument that is a command, as flags may be wrong; NULL: none is. */
static const struct word *first_word(int argc, char **argv)
{
	const struct word *word = NULL;

	for (int i = 1; i < argc && !word; i++)
		word = find_word(argv[i]);
	return word;
}

/* At most so wide, but for what has no blank before an option. */
static void print_wrapped(const char *usage, FILE *out)
{
	enum { WIDTH = 88 };
	size_t column = 0;

	while (*usage) {
		size_t len = strcspn(usage + 1, " ") + 1;
		bool is_begin = usage[1] == '[' || usage[1] == '|';

		if (column > 0 && is_begin && column + strcspn(usage + 1, "]|") > WIDTH) {
			fputs("\n                 ", out);
			column = 0;
		}
		fprintf(out, "%.*s", (int)len, usage);
		column += len;
		usage += len;
	}
	fputc('\n', out);
}

static void print_word(const char *program, const struct word *word, FILE *out)
{
	fprintf(out, "  %s ", program);
	print_wrapped(word->usage, out);
	fprintf(out, "          %s\n", word->says);
}

/* Of that command, or of all (NULL). */
static void print_usage(const char *program, const struct word *word, FILE *out)
{
	fprintf(out,
	        "usage: %s [-o table|wide|json|yaml] [--server URL]\n"
	        "       [--kubeconfig FILE] [--context NAME] [-n NAMESPACE] [--kubefed-namespace "
	        "NAMESPACE]\n"
	        "       [--pods-namespace NAMESPACE] COMMAND\n\n",
	        program);
	for (size_t i = 0; i < WORD_COUNT; i++)
		if (!word || word == &words[i])
			print_word(program, &words[i], out);
	fputs("\nSee nighctl(1).\n", out);
}

static int point_to_help(const struct command *c)
{
	fprintf(stderr, "Try '%s --help'.\n", c->program);
	return COMMAND_USAGE;
}

static int wrong(const struct command *c, const char *text, const char *detail)
{
	command_fail(c, "%s%s", text, detail);
	return point_to_help(c);
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

enum {
	KUBECONFIG = 256,
	CONTEXT,
	PODS_IN,
	KUBEFED_IN,
	SERVER,
	TYPE,
	CLIENT,
	RESOLVER,
	CLUSTER,
	POLICY,
	TO,
	OVER,
	CURVE,
	TTL_WAIT,
	START,
	UNDO,
	DRY_RUN,
	FIRST_OF_FLAGS
};

static const struct option own_options[] = {
	{"output", required_argument, NULL, 'o'},
	{"server", required_argument, NULL, SERVER},
	{"type", required_argument, NULL, TYPE},
	{"client", required_argument, NULL, CLIENT},
	{"resolver", required_argument, NULL, RESOLVER},
	{"kubeconfig", required_argument, NULL, KUBECONFIG},
	{"context", required_argument, NULL, CONTEXT},
	{"namespace", required_argument, NULL, 'n'},
	{"kubefed-namespace", required_argument, NULL, KUBEFED_IN},
	{"pods-namespace", required_argument, NULL, PODS_IN},
	{"filename", required_argument, NULL, 'f'},
	{"cluster", required_argument, NULL, CLUSTER},
	{"policy", required_argument, NULL, POLICY},
	{"to", required_argument, NULL, TO},
	{"over", required_argument, NULL, OVER},
	{"curve", required_argument, NULL, CURVE},
	{"ttl-wait", required_argument, NULL, TTL_WAIT},
	{"start", required_argument, NULL, START},
	{"undo", no_argument, NULL, UNDO},
	{"dry-run", no_argument, NULL, DRY_RUN},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
};
enum { OWN_COUNT = sizeof(own_options) / sizeof(own_options[0]) };

/* Where a flag's value goes; NULL: it is none of these. */
static const char **value_of(struct command *c, int option)
{
	switch (option) {
	case SERVER:
		return &c->server;
	case TYPE:
		return &c->type;
	case CLIENT:
		return &c->client;
	case RESOLVER:
		return &c->resolver;
	case KUBECONFIG:
		return &c->kubeconfig;
	case CONTEXT:
		return &c->context;
	case 'n':
		return &c->object_namespace; /* or KubeFed's: settle_namespaces() */
	case KUBEFED_IN:
		return &c->namespace;
	case PODS_IN:
		return &c->pods_namespace;
	case 'f':
		return &c->file;
	case CLUSTER:
		return &c->cluster;
	case POLICY:
		return &c->policy;
	case TO:
		return &c->to;
	case OVER:
		return &c->over;
	case CURVE:
		return &c->curve;
	case TTL_WAIT:
		return &c->ttl_wait;
	case START:
		return &c->start;
	default:
		return NULL;
	}
}

/* -1 to go on, else the exit status. */
static int parse_flags(struct command *c, int argc, char **argv)
{
	struct option options[OWN_COUNT + FLAGS_MOST + 1] = {0};
	int option;

	memcpy(options, own_options, sizeof(own_options));
	flags_options(FIRST_OF_FLAGS, options + OWN_COUNT);
	while ((option = getopt_long(argc, argv, "o:n:f:hV", options, NULL)) != -1) {
		const char **value = value_of(c, option);

		if (value) {
			*value = optarg;
			continue;
		}
		if (option >= FIRST_OF_FLAGS) {
			flags_take(c, (size_t)(option - FIRST_OF_FLAGS), optarg);
			continue;
		}
		switch (option) {
		case 'o':
			if (!print_format_parse(optarg, &c->format))
				return wrong(c, "-o is table, wide, json or yaml, not ", optarg);
			break;
		case UNDO:
			c->undo = true;
			break;
		case DRY_RUN:
			c->dry_run = true;
			break;
		case 'h':
			print_usage(c->program, first_word(argc, argv), stdout);
			return COMMAND_FINE;
		case 'V':
			return version_run(c);
		default:
			return point_to_help(c); /* getopt has said what is wrong */
		}
	}
	return -1;
}

/* What is wrong with this flag beside this command; NULL: nothing. */
static const char *find_misuse(const struct command *c, unsigned flags)
{
	bool through_api = c->kubeconfig || c->context;

	if ((c->type || c->client || c->resolver) && !(flags & OF_QUESTION))
		return "--type, --client and --resolver belong to explain, not to ";
	if (through_api && !(flags & OF_API))
		return "no API server is asked (--kubeconfig, --context) by ";
	if (c->namespace && !(flags & OF_NAMESPACE))
		return "-n, the namespace of KubeFed, belongs to what asks for its objects, not "
		       "to ";
	if (c->pods_namespace && (!(flags & OF_NIGHD) || !through_api))
		return "--pods-namespace belongs to status, explain, guard and failback with "
		       "--kubeconfig or --context, not to ";
	if (c->namespace && (flags & OF_NIGHD) && !through_api)
		return "-n goes with --kubeconfig or --context in ";
	if (c->server && through_api)
		return "either --server or --kubeconfig and --context, not both, for ";
	return NULL;
}

/* The same of flags that move clients. */
static const char *find_misuse_of_moves(const struct command *c, unsigned flags)
{
	if (c->cluster && !(flags & OF_CLUSTER))
		return "--cluster belongs to shift and failback, not to ";
	if (c->policy && !(flags & OF_POLICY))
		return "--policy belongs to failback, not to ";
	if ((flags & OF_POLICY) && c->arg_count == 0 && !c->cluster && !c->policy)
		return "a NAME, --cluster or --policy says who is let back by ";
	if ((c->to || c->curve || c->undo) && !(flags & OF_SHIFT))
		return "--to, --curve and --undo belong to shift, not to ";
	if ((c->over || c->start) && !(flags & OF_OVER))
		return "--over and --start belong to shift, drain and undrain, not to ";
	if (c->dry_run && !(flags & (OF_OVER | OF_DRY_RUN)))
		return "--dry-run belongs to what moves clients, federate, unjoin and forget, not "
		       "to ";
	if (c->file && !(flags & OF_FILE))
		return "-f belongs to federate and plan, not to ";
	if (c->ttl_wait && (!(flags & OF_WAIT) || !(c->over || c->start)))
		return "--ttl-wait belongs to drain with --over, not to ";
	return NULL;
}

/* -n is the namespace of an object where one is named, as to kubectl; else KubeFed's.  NULL: nothing is wrong. */
static const char *settle_namespaces(struct command *c, unsigned flags)
{
	bool names_object = (flags & OF_OBJECT) && c->arg_count == 2 &&
	                    strcmp(c->args[0], "enable") != 0 && strcmp(c->args[0], "disable") != 0;

	if (names_object && c->object_namespace && strchr(c->args[1], '/'))
		return "either NAMESPACE/NAME or -n NAMESPACE, not both "
		       "(--kubefed-namespace is KubeFed's), for ";
	if (names_object)
		return NULL;
	if (c->namespace && c->object_namespace && strcmp(c->namespace, c->object_namespace) != 0)
		return "-n and --kubefed-namespace are the same for ";
	if (!c->namespace)
		c->namespace = c->object_namespace;
	c->object_namespace = NULL;
	return NULL;
}

static void set_defaults(struct command *c)
{
	const char *server = getenv("NIGH_SERVER");

	if (!c->server && server && *server)
		c->server = server;
	c->is_usual_server = !c->server;
	if (!c->server)
		c->server = default_server;
	if (!c->namespace)
		c->namespace = default_namespace;
}

static int run_word(struct command *c, const char *name)
{
	const struct word *word = find_word(name);
	const char *misuse;

	if (strcmp(name, "help") == 0) {
		print_usage(c->program, NULL, stdout);
		return COMMAND_FINE;
	}
	if (!word)
		return wrong(c, "no such command: ", name);
	if (c->arg_count < word->fewest || c->arg_count > word->most)
		return wrong_use(c, word->usage);
	misuse = settle_namespaces(c, word->flags);
	if (!misuse)
		misuse = find_misuse(c, word->flags);
	if (!misuse)
		misuse = find_misuse_of_moves(c, word->flags);
	if (!misuse)
		misuse = flags_find_misuse(c, word->flags);
	if (misuse)
		return wrong(c, misuse, name);
	set_defaults(c);
	return word->run(c);
}

/* There 2 is no wrong use, but that something would change. */
static bool is_preview(const struct word *word)
{
	return word && (strcmp(word->name, "plan") == 0 || strcmp(word->name, "diff") == 0);
}

static bool is_completer(const char *argv0)
{
	const char *slash = argv0 ? strrchr(argv0, '/') : NULL;

	return strcmp(slash ? slash + 1 : argv0 ? argv0 : "", "kubectl_complete-nigh") == 0;
}

int main(int argc, char **argv)
{
	struct command c = {.program = program_name(argc > 0 ? argv[0] : NULL)};
	bool previews = is_preview(first_word(argc, argv));
	int status;

	if (argc > 0 && is_completer(argv[0]))
		return completion_answer((size_t)argc - 1, argv + 1);
	status = parse_flags(&c, argc, argv);
	if (status == COMMAND_USAGE && previews)
		return COMMAND_FAILED;
	if (status >= 0)
		return status;
	if (optind >= argc) {
		print_usage(c.program, NULL, stderr);
		return COMMAND_USAGE;
	}
	c.args = argv + optind + 1;
	c.arg_count = (size_t)(argc - optind - 1);
	status = run_word(&c, argv[optind]);
	if (status == COMMAND_USAGE && previews)
		status = COMMAND_FAILED;
	if (status == COMMAND_CHANGES)
		status = COMMAND_CHANGES_STATUS;
	return fflush(stdout) == 0 ? status : COMMAND_FAILED;
}
