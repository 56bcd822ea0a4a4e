/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/flags.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/version.h"
#include "base/xalloc.h"

enum { EXIT_USAGE = 2 };

enum {
	KUBECONFIG = 256,
	CONTEXT,
	IN_CLUSTER,
	NAMESPACE,
	HTTP,
	PUBLISH_SITES,
	WEBHOOK,
	CERTIFICATE,
	KEY,
	CHECK_ONLY,
	PRINT_CONFIG,
};

static const struct option known[] = {
	{"config", required_argument, NULL, 'c'},
	{"kubeconfig", required_argument, NULL, KUBECONFIG},
	{"context", required_argument, NULL, CONTEXT},
	{"in-cluster", no_argument, NULL, IN_CLUSTER},
	{"namespace", required_argument, NULL, NAMESPACE},
	{"http", required_argument, NULL, HTTP},
	{"publish-sites", no_argument, NULL, PUBLISH_SITES},
	{"webhook", required_argument, NULL, WEBHOOK},
	{"certificate", required_argument, NULL, CERTIFICATE},
	{"key", required_argument, NULL, KEY},
	{"check", no_argument, NULL, CHECK_ONLY},
	{"print-config", no_argument, NULL, PRINT_CONFIG},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const char letters[] = "c:Vh";

static const char usage[] =
	"usage: nigh-propagator [-c FILE] [--kubeconfig FILE [--context NAME] | --in-cluster]\n"
	"                       [--namespace NAME] [--http ADDR:PORT] [--publish-sites]\n"
	"                       [--webhook ADDR:PORT --certificate FILE --key FILE]\n"
	"                       [--check] [--print-config] [-V]\n"
	"\n"
	"  -c FILE              settings from this file; what a flag says goes before it\n"
	"  --kubeconfig FILE    the host cluster, by that context of it\n"
	"  --in-cluster         the host cluster is the one this runs in\n"
	"  --namespace NAME     KubeFed's there (kube-federation-system)\n"
	"  --http ADDR:PORT     health, metrics, status (127.0.0.1:8054)\n"
	"  --publish-sites      also write DNSEndpoints with an endpoint for each site\n"
	"  --webhook ADDR:PORT  serve KubeFed's admission, with certificate and key in PEM\n"
	"  --check              say what is wrong with flags and files, and end\n"
	"  --print-config       print all settings, and end\n"
	"  -V                   print the version, and end\n"
	"\n"
	"See nigh-propagator(8), nigh-propagator.yaml(5).\n";

static int point_to_help(void)
{
	fputs("Try 'nigh-propagator --help'.\n", stderr);
	return EXIT_USAGE;
}

static int misuse(const char *why)
{
	fprintf(stderr, "nigh-propagator: %s\n", why);
	return point_to_help();
}

/* The file comes first, wherever it stands.  -1: go on. */
static int read_file(int argc, char **argv, struct flags *out)
{
	struct text errors = {0};
	const char *file = NULL;
	int option;

	while ((option = getopt_long(argc, argv, letters, known, NULL)) != -1) {
		if (option == 'c') {
			file = optarg;
		} else if (option == 'V') {
			printf("nigh-propagator %s\n", NIGH_VERSION);
			return EXIT_SUCCESS;
		} else if (option == 'h') {
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		} else if (option == '?') {
			return point_to_help(); /* getopt has said what is wrong */
		}
	}
	if (optind < argc) {
		fprintf(stderr, "nigh-propagator: unexpected argument '%s'\n", argv[optind]);
		return point_to_help();
	}
	if (options_read(file, &out->options, &errors) == ERR_OK) {
		text_fini(&errors);
		return -1;
	}
	fputs(errors.data, stderr);
	text_fini(&errors);
	return EXIT_USAGE;
}

static void replace(char **text)
{
	free(*text);
	*text = optarg ? xstrdup(optarg) : NULL;
}

static bool read_at(const char *flag, struct options_at *out)
{
	struct reason why = {0};

	if (addr_port_parse(bytes_of(optarg), &out->addr, &out->port, &why) == ERR_OK)
		return true;
	fprintf(stderr, "nigh-propagator: --%s %s: %s\n", flag, optarg, why.text);
	return false;
}

/* Where the host is, is said by flags or by the file, not by halves of both. */
static void take_host(int option, struct options *o)
{
	if (option == KUBECONFIG)
		replace(&o->kubeconfig);
	else if (option == CONTEXT)
		replace(&o->context);
	else
		o->in_cluster = true;
}

static bool take(int option, struct flags *f)
{
	struct options *o = &f->options;

	switch (option) {
	case KUBECONFIG:
	case CONTEXT:
	case IN_CLUSTER:
		take_host(option, o);
		return true;
	case NAMESPACE:
		replace(&o->namespace);
		return true;
	case HTTP:
		return read_at("http", &o->http);
	case PUBLISH_SITES:
		o->publish_sites = true;
		return true;
	case WEBHOOK:
		return read_at("webhook", &o->webhook);
	case CERTIFICATE:
		replace(&o->certificate);
		return true;
	case KEY:
		replace(&o->key);
		return true;
	case CHECK_ONLY:
		f->check = true;
		return true;
	case PRINT_CONFIG:
		f->print = true;
		return true;
	default:
		return true;
	}
}

/* A flag about the host clears what the file said of it. */
static void forget_host(int argc, char **argv, struct options *o)
{
	bool names_host = false;
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, letters, known, NULL)) != -1)
		names_host = names_host || option == KUBECONFIG || option == IN_CLUSTER;
	if (!names_host)
		return;
	free(o->kubeconfig);
	free(o->context);
	o->kubeconfig = o->context = NULL;
	o->in_cluster = false;
}

int flags_read(int argc, char **argv, struct flags *out)
{
	struct reason why = {0};
	int option, status;

	*out = (struct flags){0};
	optind = 1;
	status = read_file(argc, argv, out);
	if (status >= 0)
		return status;
	forget_host(argc, argv, &out->options);
	optind = 1;
	while ((option = getopt_long(argc, argv, letters, known, NULL)) != -1)
		if (!take(option, out))
			status = EXIT_USAGE;
	if (status < 0 && options_check(&out->options, &why) != ERR_OK)
		status = misuse(why.text);
	if (status >= 0)
		flags_fini(out);
	return status;
}

void flags_fini(struct flags *f)
{
	options_fini(&f->options);
	*f = (struct flags){0};
}
