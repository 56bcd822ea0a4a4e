/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/options.h"

#include <json-c/json_object.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "kube/access.h"
#include "propagator/nighd_pods.h"
#include "propagator/nighds.h"

static void read_at(struct conf_file *file, struct json_object *value, void *field)
{
	struct options_at at = {0};
	struct reason why = {0};

	if (!json_object_is_type(value, json_type_string))
		conf_complain(file, value, "an address is ADDR:PORT");
	else if (addr_port_parse(bytes_of(json_object_get_string(value)), &at.addr, &at.port,
	                         &why) != ERR_OK)
		conf_complain(file, value, "%s", why.text);
	else
		*(struct options_at *)field = at;
}

static void print_at(const void *field, struct text *out)
{
	const struct options_at *at = field;
	char text[ADDR_PORT_TEXT_SIZE];

	if (at->addr.family != ADDR_NONE)
		text_printf(out, "\"%s\"", addr_port_print(&at->addr, at->port, text));
}

#define AT(member) .offset = offsetof(struct options, member)

static const struct conf_row rows[] = {
	{.path = "host.kubeconfig",
         .type = CONF_PATH,
         AT(kubeconfig),
         .sentence = "The kubeconfig in which the host cluster is."},
	{.path = "host.context",
         .type = CONF_STRING,
         AT(context),
         .sentence = "The context of it, instead of its current one."},
	{.path = "host.inCluster",
         .type = CONF_BOOL,
         AT(in_cluster),
         .preset = "false",
         .sentence = "The host cluster is the one in which this is a pod."},
	{.path = "namespace",
         .type = CONF_STRING,
         AT(namespace),
         .preset = "kube-federation-system",
         .sentence = "KubeFed's namespace, where clusters, types and settings are."},
	{.path = "http",
         .type = CONF_CUSTOM,
         AT(http),
         .preset = "\"127.0.0.1:8054\"",
         .custom = read_at,
         .print = print_at,
         .sentence = "The address and port of the HTTP interface: health, metrics, status."},
	{.path = "publishSites",
         .type = CONF_BOOL,
         AT(publish_sites),
         .preset = "false",
         .sentence = "DNSEndpoints with one endpoint for each site are written for edges, too."},
	{.path = "members.keepMebibytes",
         .type = CONF_U64,
         AT(member_mebibytes),
         .preset = "256",
         .min = 1,
         .max = 65536,
         .sentence =
                 "So much is kept of the managed objects of one member at most, and half of it of "
                 "one kind; of a kind that has more nothing is kept, and nothing is done there."},
	{.path = "nighd.namespace",
         .type = CONF_STRING,
         AT(nighd_namespace),
         .preset = NIGHD_PODS_NAMESPACE,
         .sentence =
                 "The namespace of the host cluster in which nighd's pods are: what they report of "
                 "TrafficPolicies is written into their status."},
	{.path = "nighd.urls",
         .type = CONF_STRINGS,
         AT(nighd_urls),
         .sentence = "The HTTP interfaces of nighds that are asked for that instead of pods: "
                     "http://192.0.2.53:8053."},
	{.path = "webhook.address",
         .type = CONF_CUSTOM,
         AT(webhook),
         .custom = read_at,
         .print = print_at,
         .sentence = "The address and port at which KubeFed's admission webhooks are served over "
                     "HTTPS; without it they are not."},
	{.path = "webhook.certificate",
         .type = CONF_PATH,
         AT(certificate),
         .sentence = "A PEM file with the certificate of the webhooks and what leads to its "
                     "issuer; it is read again when it changes."},
	{.path = "webhook.key", .type = CONF_PATH, AT(key), .sentence = "A PEM file with its key."},
	{.path = "log.level",
         .type = CONF_ENUM,
         AT(log_level),
         .preset = "info",
         .words = "error|warn|info|debug",
         .sentence = "How much is told on standard error."},
	{.path = "log.format",
         .type = CONF_ENUM,
         AT(log_format),
         .preset = "text",
         .words = "text|json",
         .sentence = "Whether a line of the log is text or a JSON object."},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

_Static_assert((int)LOG_ERROR == 0 && (int)LOG_DEBUG == 3,
               "log.level's words follow enum log_level");
_Static_assert((int)LOG_FORMAT_JSON == 1, "log.format's words follow enum log_format");

enum err options_read(const char *file, struct options *out, struct text *errors)
{
	enum err err = ERR_OK;

	*out = (struct options){0};
	conf_defaults(rows, ROWS, out);
	if (file)
		err = conf_read(rows, ROWS, file, out, errors);
	if (err != ERR_OK)
		options_fini(out);
	return err;
}

static enum err check_urls(const struct conf_strings *urls, struct reason *why)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < urls->count && !err; i++) {
		const char *url = urls->item[i];
		char *server = NULL;

		if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
			err = reason_set(why, ERR_PARSE, "is no URL of http or https");
		else
			err = kube_endpoint_read(url, &server, why);
		free(server);
		if (err)
			reason_prefix(why, "nighd.urls: '%s': ", url);
	}
	if (!err && urls->count > NIGHDS_MOST)
		err = reason_set(why, ERR_RANGE, "nighd.urls: there are more than %d", NIGHDS_MOST);
	return err;
}

enum err options_check(const struct options *c, struct reason *why)
{
	bool has_webhook = c->webhook.addr.family != ADDR_NONE;

	if (!c->in_cluster && !c->kubeconfig)
		return reason_set(why, ERR_NOTFOUND,
		                  "where is the host cluster? --kubeconfig FILE or --in-cluster "
		                  "(host.kubeconfig, host.inCluster)");
	if (c->in_cluster && (c->kubeconfig || c->context))
		return reason_set(why, ERR_CONFLICT,
		                  "--in-cluster excludes --kubeconfig and --context");
	if (has_webhook != (c->certificate != NULL) || has_webhook != (c->key != NULL))
		return reason_set(why, ERR_NOTFOUND,
		                  "--webhook, --certificate and --key come together "
		                  "(webhook.address, webhook.certificate, webhook.key)");
	return check_urls(&c->nighd_urls, why);
}

void options_print(const struct options *c, struct text *out) { conf_print(rows, ROWS, c, out); }

void options_manual(struct text *out) { conf_manual(rows, ROWS, out); }

void options_fini(struct options *c)
{
	conf_fini(rows, ROWS, c);
	*c = (struct options){0};
}
