/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/support/cloud.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/e2e/support/cluster_inside.h"
#include "tests/support/world_inside.h"

enum { HEALTHY_MS = 60000, REQUEST_MS = 10000, PORT_TRIES = 5, LOG_SHOWN = 3000 };

/* --- processes --- */

pid_t cloud_run(struct cloud *c, const char *const *argv, const char *name)
{
	const char *assets = getenv("KUBEBUILDER_ASSETS"), *words[ARGS_MOST + 4] = {"nice", "-n10"};
	char program[512], log[256];
	pid_t pid;
	int fd;

	if (!assets)
		fail_msg("KUBEBUILDER_ASSETS is not set: use make e2e");
	snprintf(program, sizeof(program), "%s/%s", assets, argv[0]);
	words[2] = program;
	for (size_t i = 1; argv[i]; i++) {
		assert_true(i < ARGS_MOST);
		words[2 + i] = argv[i];
	}
	snprintf(log, sizeof(log), "%s/%s.log", c->dir, name);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		fail_msg("cannot write %s: %s", log, strerror(errno));
	pid = inside_spawn(words, fd);
	close(fd);
	return pid;
}

bool cloud_lives(pid_t *pid)
{
	if (*pid && waitpid(*pid, NULL, WNOHANG) == *pid)
		*pid = 0;
	return *pid != 0;
}

void cloud_end(pid_t *pid)
{
	if (*pid) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

unsigned cloud_free_port(const char *address)
{
	struct sockaddr_in local = {.sin_family = AF_INET};
	socklen_t len = sizeof(local);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (inet_pton(AF_INET, address, &local.sin_addr) != 1 ||
	    bind(fd, (void *)&local, len) != 0 || getsockname(fd, (void *)&local, &len) != 0)
		fail_msg("no port on %s: %s", address, strerror(errno));
	close(fd);
	return ntohs(local.sin_port);
}

void cloud_show_log(struct cloud *c, const char *name)
{
	struct text log = {0};
	char file[64];

	snprintf(file, sizeof(file), "%s.log", name);
	inside_read_file(cloud_path(c, file), &log);
	fprintf(stderr, "--- the words of %s ---\n%s---\n", name,
	        log.len > LOG_SHOWN ? log.data + log.len - LOG_SHOWN : log.data);
	text_fini(&log);
}

/* --- etcd --- */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	text_add_bytes(arg, (struct bytes){(const uint8_t *)data, size * count});
	return size * count;
}

/* The status, 0 for no answer; `body` NULL: a GET. */
static long ask_etcd(struct cloud *c, const char *path, const char *body, struct text *answer)
{
	CURL *curl = curl_easy_init();
	char url[128];
	long status = 0;

	text_reset(answer);
	text_add(answer, "");
	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", c->etcd_port, path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)REQUEST_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	if (body)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	return status;
}

/* A hard disk's patience is not what is tested: nothing is flushed. */
static void run_etcd(struct cloud *c)
{
	char data[256], client[64], peer[64], cluster[96];
	const char *argv[] = {"etcd",
	                      "--unsafe-no-fsync",
	                      "--log-level=warn",
	                      "--quota-backend-bytes=4294967296",
	                      "--data-dir",
	                      data,
	                      "--listen-client-urls",
	                      client,
	                      "--advertise-client-urls",
	                      client,
	                      "--listen-peer-urls",
	                      peer,
	                      "--initial-advertise-peer-urls",
	                      peer,
	                      "--initial-cluster",
	                      cluster,
	                      NULL};

	snprintf(data, sizeof(data), "%s/etcd", c->dir);
	snprintf(client, sizeof(client), "http://127.0.0.1:%u", c->etcd_port);
	snprintf(peer, sizeof(peer), "http://127.0.0.1:%u", c->peer_port);
	snprintf(cluster, sizeof(cluster), "default=%s", peer);
	c->etcd = cloud_run(c, argv, "etcd");
}

/* False: it ended, as it does when somebody was quicker to take a port. */
static bool etcd_becomes_healthy(struct cloud *c)
{
	struct deadline deadline = inside_deadline(HEALTHY_MS);
	struct text answer = {0};
	bool is_healthy = false;

	while (!is_healthy && cloud_lives(&c->etcd)) {
		is_healthy = ask_etcd(c, "/health", NULL, &answer) == 200;
		if (!is_healthy && !inside_has_time(deadline)) {
			cloud_show_log(c, "etcd");
			fail_msg("etcd is not healthy after %d ms", HEALTHY_MS);
		}
		inside_rest();
	}
	text_fini(&answer);
	return is_healthy;
}

static void start_etcd(struct cloud *c)
{
	for (unsigned i = 0; i < PORT_TRIES; i++) {
		c->etcd_port = cloud_free_port("127.0.0.1");
		c->peer_port = cloud_free_port("127.0.0.1");
		run_etcd(c);
		if (etcd_becomes_healthy(c))
			return;
	}
	cloud_show_log(c, "etcd");
	fail_msg("etcd does not start");
}

pid_t cloud_etcd(const struct cloud *c) { return c->etcd; }

void cloud_restart_etcd(struct cloud *c)
{
	struct deadline deadline = inside_deadline(HEALTHY_MS);

	cloud_end(&c->etcd);
	do
		run_etcd(c);
	while (!etcd_becomes_healthy(c) && inside_has_time(deadline));
	if (!c->etcd) {
		cloud_show_log(c, "etcd");
		fail_msg("etcd does not come back");
	}
}

/* "header": {"revision": "623"}, a number as text. */
static int64_t newest_revision(struct cloud *c, struct text *answer)
{
	struct json_object *root, *header, *revision;
	int64_t number = 0;

	if (ask_etcd(c, "/v3/kv/range", "{\"key\":\"YQ==\"}", answer) != 200)
		fail_msg("etcd does not say its revision: %s", answer->data);
	root = json_tokener_parse(answer->data);
	if (json_object_object_get_ex(root, "header", &header) &&
	    json_object_object_get_ex(header, "revision", &revision))
		number = json_object_get_int64(revision);
	json_object_put(root);
	return number;
}

void cloud_compact(struct cloud *c)
{
	struct text answer = {0};
	char body[96];

	snprintf(body, sizeof(body), "{\"revision\":\"%lld\",\"physical\":true}",
	         (long long)newest_revision(c, &answer));
	if (ask_etcd(c, "/v3/kv/compaction", body, &answer) != 200)
		fail_msg("etcd does not compact: %s", answer.data);
	text_fini(&answer);
}

/* --- life --- */

struct cloud *cloud_new(void) { return cloud_new_at("127.8.0"); }

struct cloud *cloud_new_at(const char *network)
{
	struct cloud *c = xcalloc(1, sizeof(*c));
	const char *tmp = getenv("TMPDIR");

	snprintf(c->dir, sizeof(c->dir), "%s/nigh-cloud-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(c->dir))
		fail_msg("cannot make %s: %s", c->dir, strerror(errno));
	c->network = network;
	c->authority = authority_new(c->dir);
	authority_key(c->authority, "accounts");
	start_etcd(c);
	return c;
}

void cloud_issue_replica(struct cloud *c, const char *name, const char *dns_name)
{
	authority_issue_named(c->authority, name, dns_name, 24L * 3600);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

void cloud_free(struct cloud *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++)
		cluster_free(c->cluster[i]);
	cloud_end(&c->etcd);
	nftw(c->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	authority_free(c->authority);
	text_fini(&c->path);
	free(c);
}

const char *cloud_path(struct cloud *c, const char *name)
{
	text_reset(&c->path);
	text_printf(&c->path, "%s/%s", c->dir, name);
	return c->path.data;
}
