/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/flags.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/version.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"usage: nigh-propagator --kubeconfig FILE [--context NAME] | --in-cluster\n"
	"                       [--namespace NAME] [--http ADDR:PORT] [--publish-sites] [-V]\n"
	"See nigh-propagator(8).\n";

static int misuse(const char *why)
{
	fprintf(stderr, "nigh-propagator: %s\n%s", why, usage);
	return EXIT_USAGE;
}

static int check(const struct flags *f, const char *http, struct flags *out)
{
	struct reason why = {0};

	*out = *f;
	if (!f->in_cluster && !f->kubeconfig)
		return misuse("where is the host cluster? --kubeconfig FILE or --in-cluster");
	if (f->in_cluster && (f->kubeconfig || f->context))
		return misuse("--in-cluster excludes --kubeconfig and --context");
	if (addr_port_parse(bytes_of(http), &out->http, &out->http_port, &why) != ERR_OK) {
		fprintf(stderr, "nigh-propagator: --http %s: %s\n", http, why.text);
		return EXIT_USAGE;
	}
	return -1;
}

int flags_read(int argc, char **argv, struct flags *out)
{
	enum { KUBECONFIG = 256, CONTEXT, IN_CLUSTER, NAMESPACE, HTTP, PUBLISH_SITES };
	static const struct option options[] = {
		{"kubeconfig", required_argument, NULL, KUBECONFIG},
		{"context", required_argument, NULL, CONTEXT},
		{"in-cluster", no_argument, NULL, IN_CLUSTER},
		{"namespace", required_argument, NULL, NAMESPACE},
		{"http", required_argument, NULL, HTTP},
		{"publish-sites", no_argument, NULL, PUBLISH_SITES},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct flags f = {.namespace = "kube-federation-system"};
	const char *http = "127.0.0.1:8054";
	int option;

	while ((option = getopt_long(argc, argv, "Vh", options, NULL)) != -1) {
		switch (option) {
		case KUBECONFIG:
			f.kubeconfig = optarg;
			break;
		case CONTEXT:
			f.context = optarg;
			break;
		case IN_CLUSTER:
			f.in_cluster = true;
			break;
		case NAMESPACE:
			f.namespace = optarg;
			break;
		case HTTP:
			http = optarg;
			break;
		case PUBLISH_SITES:
			f.publish_sites = true;
			break;
		case 'V':
			printf("nigh-propagator %s\n", NIGH_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc)
		return misuse("unexpected argument");
	return check(&f, http, out);
}
