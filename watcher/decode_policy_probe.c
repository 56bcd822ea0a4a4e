/* How the addresses of a TrafficPolicy are probed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/text.h"
#include "records/names.h"
#include "watcher/decode.h"
#include "watcher/decode_policy.h"

enum { SECOND = 1000, BODY_MOST = 1024, PATH_MOST = 2048, COUNT_MOST = 100 };

static const char *const kinds[] = {"tcp", "http", "https", "grpc", "import", NULL};
static const char *const tcp_fields[] = {"port", NULL};
static const char *const http_fields[] = {"port",    "host", "path", "status",
                                          "headers", "body", NULL};
#define TLS_FIELDS                                                                                 \
	"caSecret", "caFile", "clientCertificateSecret", "clientCertificateFile", "clientKeyFile", \
		"insecureSkipVerify"
static const char *const https_fields[] = {"port",    "host", "path",     "status",
                                           "headers", "body", TLS_FIELDS, NULL};
static const char *const grpc_fields[] = {"port", "service", "host", "tls", TLS_FIELDS, NULL};
static const char *const import_fields[] = {"name", NULL};

/* Printable ASCII: what may stand in a line of a request. */
static bool is_line(struct bytes s, uint8_t least)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < least || s.data[i] > '~')
			return false;
	return true;
}

static void read_port(const struct field *of, struct policy_check *out)
{
	struct field port = field_get(of, "port");

	out->port = (uint16_t)field_int(&port, 1, UINT16_MAX, 0, "a port");
}

static void read_host(const struct field *of, struct policy_check *out)
{
	struct field host = field_get(of, "host");
	uint8_t wire[NAMES_WIRE_MAX];
	size_t len;

	out->host = field_text(&host);
	if (out->host.len > 0 &&
	    (!is_line(out->host, '!') || names_from_text(out->host, wire, &len, NULL)))
		field_fail(&host, ERR_PARSE, "is not a host name");
}

static uint16_t read_code(struct bytes text)
{
	uint64_t code;

	return text.len == 3 && text_to_u64(text, 599, &code) && code >= 100 ? (uint16_t)code : 0;
}

static void read_range(const struct field *item, struct policy_range *out)
{
	struct bytes text = field_required(item);
	const uint8_t *dash = text.len > 0 ? memchr(text.data, '-', text.len) : NULL;
	size_t len = dash ? (size_t)(dash - text.data) : text.len;

	out->from = out->to = read_code((struct bytes){text.data, len});
	if (dash)
		out->to = read_code((struct bytes){dash + 1, text.len - len - 1});
	if (out->from == 0 || out->to < out->from)
		field_fail(item, ERR_PARSE, "is not a status code or a range (\"200-299\")");
}

static void read_status(const struct field *of, struct policy_check *out)
{
	struct field list = field_get(of, "status");
	size_t count = decode_policy_count(&list, DECODE_POLICY_HEADERS_MOST);
	struct policy_range *ranges = arena_calloc(of->reading->arena, count, sizeof(*ranges));

	if (list.value && count == 0)
		field_fail(&list, ERR_PARSE, "is empty");
	for (size_t i = 0; i < count; i++) {
		struct field item = field_item(&list, i);

		read_range(&item, &ranges[i]);
	}
	out->status = ranges;
	out->status_count = count;
}

/* RFC 9110 5.6.2. */
static bool is_token(struct bytes s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    (c == 0 || !strchr(others, c)))
			return false;
	}
	return s.len > 0;
}

static void read_header(const struct field *item, struct policy_header *out)
{
	static const char *const known[] = {"name", "value", NULL};
	struct field name = field_get(item, "name");
	struct field value = field_get(item, "value");

	field_only(item, known);
	out->name = field_required(&name);
	out->value = field_text(&value);
	if (!is_token(out->name))
		field_fail(&name, ERR_PARSE, "is not the name of a header");
	if (!is_line(out->value, ' '))
		field_fail(&value, ERR_PARSE, "has characters that no header may have");
}

static void read_headers(const struct field *of, struct policy_check *out)
{
	struct field list = field_get(of, "headers");
	size_t count = decode_policy_count(&list, DECODE_POLICY_HEADERS_MOST);
	struct policy_header *headers = arena_calloc(of->reading->arena, count, sizeof(*headers));

	for (size_t i = 0; i < count; i++) {
		struct field item = field_item(&list, i);

		read_header(&item, &headers[i]);
	}
	out->headers = headers;
	out->header_count = count;
}

static void read_http(const struct field *of, struct policy_check *out)
{
	struct field path = field_get(of, "path");
	struct field body = field_get(of, "body");

	read_port(of, out);
	read_host(of, out);
	out->path = field_text(&path);
	if (out->path.len > 0 &&
	    (out->path.data[0] != '/' || out->path.len > PATH_MOST || !is_line(out->path, '!')))
		field_fail(&path, ERR_PARSE, "is not a path (\"/healthz\")");
	read_status(of, out);
	read_headers(of, out);
	out->body = field_text(&body);
	if (out->body.len > BODY_MOST)
		field_fail(&body, ERR_RANGE, "has %zu bytes, over %d", out->body.len, BODY_MOST);
}

static struct bytes read_secret(const struct field *f)
{
	struct bytes name = field_text(f);

	if (name.len > 0 && !decode_is_name(name))
		field_fail(f, ERR_PARSE, "is not the name of a Secret");
	return name;
}

static void read_tls(const struct field *of, struct policy_check *out)
{
	struct field ca_secret = field_get(of, "caSecret"), ca_file = field_get(of, "caFile");
	struct field client = field_get(of, "clientCertificateSecret");
	struct field certificate = field_get(of, "clientCertificateFile");
	struct field key = field_get(of, "clientKeyFile");
	struct field insecure = field_get(of, "insecureSkipVerify");

	out->ca_secret = read_secret(&ca_secret);
	out->ca_file = field_text(&ca_file);
	out->client_secret = read_secret(&client);
	out->certificate_file = field_text(&certificate);
	out->key_file = field_text(&key);
	out->insecure = field_bool(&insecure, false);
	if (out->ca_secret.len && out->ca_file.len)
		field_fail(&ca_file, ERR_CONFLICT, "is there besides caSecret");
	if (out->client_secret.len && (out->certificate_file.len || out->key_file.len))
		field_fail(&client, ERR_CONFLICT, "is there besides clientCertificateFile");
	if ((out->certificate_file.len == 0) != (out->key_file.len == 0))
		field_fail(out->key_file.len ? &certificate : &key, ERR_PARSE, "is missing");
	if (out->insecure && (out->ca_secret.len || out->ca_file.len))
		field_fail(&insecure, ERR_CONFLICT, "is there besides a CA to verify with");
}

static void read_grpc(const struct field *of, struct policy_check *out)
{
	struct field service = field_get(of, "service");
	struct field tls = field_get(of, "tls");

	read_port(of, out);
	read_host(of, out);
	out->path = field_text(&service);
	if (out->path.len > BODY_MOST || !is_line(out->path, '!'))
		field_fail(&service, ERR_PARSE, "is not the name of a gRPC service");
	out->tls = field_bool(&tls, false);
	read_tls(of, out);
	if (!out->tls && (out->ca_secret.len || out->ca_file.len || out->client_secret.len ||
	                  out->certificate_file.len || out->insecure))
		field_fail(of, ERR_CONFLICT, "has fields of TLS without tls: true");
}

static void read_import(const struct field *of, struct policy_check *out)
{
	struct field name = field_get(of, "name");

	out->import = field_required(&name);
	if (!decode_is_name(out->import))
		field_fail(&name, ERR_PARSE, "is not the name of an import");
}

static void read_kind(const struct field *probe, struct policy_check *out)
{
	static const char *const *const fields[] = {tcp_fields, http_fields, https_fields,
	                                            grpc_fields, import_fields};

	for (size_t i = 0; kinds[i]; i++) {
		struct field of = field_get(probe, kinds[i]);

		if (!of.value)
			continue;
		if (out->kind != POLICY_CHECK_NONE)
			field_fail(probe, ERR_CONFLICT, "has both %s and %s",
			           kinds[out->kind - POLICY_CHECK_TCP], kinds[i]);
		field_only(&of, fields[i]);
		out->kind = (enum policy_check_kind)(POLICY_CHECK_TCP + i);
		if (out->kind == POLICY_CHECK_TCP)
			read_port(&of, out);
		else if (out->kind == POLICY_CHECK_GRPC)
			read_grpc(&of, out);
		else if (out->kind == POLICY_CHECK_IMPORT)
			read_import(&of, out);
		else
			read_http(&of, out);
		if (out->kind == POLICY_CHECK_HTTPS)
			read_tls(&of, out);
	}
}

void decode_policy_probe(const struct field *spec, struct policy_check *out)
{
	static const char *const known[] = {"tcp",    "http",     "https",   "grpc",
	                                    "import", "interval", "timeout", "down",
	                                    "up",     "mode",     NULL};
	static const char *const modes[] = {"Unseen", "Always", "Off", NULL};
	struct field probe = field_get(spec, "probe");
	struct field interval = field_get(&probe, "interval");
	struct field timeout = field_get(&probe, "timeout");
	struct field down = field_get(&probe, "down"), up = field_get(&probe, "up");
	struct field mode = field_get(&probe, "mode");
	const char *count = "a number from 1 to 100";

	field_only(&probe, known);
	read_kind(&probe, out);
	out->interval_ms = (uint32_t)field_duration(&interval, SECOND, 3600 * SECOND, 0,
	                                            "a time from 1s to 1h");
	out->timeout_ms =
		(uint32_t)field_duration(&timeout, 10, 60 * SECOND, 0, "a time from 10ms to 1m");
	out->down = (uint32_t)field_int(&down, 1, COUNT_MOST, 0, count);
	out->up = (uint32_t)field_int(&up, 1, COUNT_MOST, 0, count);
	if (mode.value)
		out->mode = (uint8_t)(1 + field_word(&mode, modes, 0));
}
