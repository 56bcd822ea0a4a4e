/* probes.c -- what probes cost: many targets, one prober, and the processor time of its process.
 *
 * usage: probes [-k tcp|http|https|grpc] [-n TARGETS] [-i INTERVAL_S] [-s SECONDS]
 *
 * The targets are addresses of 127.0.0.0/8; who answers is another process (on loopback the kernel does the work of both
 * ends for whoever sends, so that this is a little too much).  After one interval it measures for SECONDS, and prints a
 * line of JSON: probes a second, the share of a core, microseconds a probe, the most probes in a tenth of a second against
 * an even share, probes that failed, waited or were void, and resident memory.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "tests/support/watcher_httpd.h"
#include "watcher/probe.h"

enum { SLICE_MS = 100, SLICES_MOST = 36000, A_THIRD_BYTE = 250 };

struct bench {
	const char *kind;
	size_t targets;
	uint64_t interval_s, seconds;
	char dir[32];
	uint16_t port;
	pid_t server;

	uv_loop_t loop;
	uv_timer_t end;
	uint64_t from_ms; /* 0: not measured yet */
	uint64_t from_cpu_us;
	struct prober *prober;
	struct prober_counts before;
	uint32_t in_slice[SLICES_MOST];
	uint64_t verdicts, failed;
};

static bool is_kind(const struct bench *b, const char *kind) { return !strcmp(b->kind, kind); }

static uint64_t cpu_us(void)
{
	struct rusage r;

	CHECK(getrusage(RUSAGE_SELF, &r) == 0);
	return (uint64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

/* In a process of its own, which tells its port. */
static void start_server(struct bench *b)
{
	struct httpd_settings settings = {.address = "0.0.0.0",
	                                  .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	                                  .has_tls = is_kind(b, "https"),
	                                  .is_grpc = is_kind(b, "grpc"),
	                                  .serving = 1};
	int ends[2];

	CHECK(pipe(ends) == 0);
	b->server = fork();
	CHECK(b->server >= 0);
	if (b->server == 0) {
		struct httpd *d;
		uint16_t port;

		CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
		d = httpd_start(&settings, b->dir);
		port = httpd_port(d);
		CHECK(write(ends[1], &port, sizeof port) == sizeof port);
		for (;;)
			pause();
	}
	CHECK(read(ends[0], &b->port, sizeof b->port) == sizeof b->port);
}

static void on_verdict(size_t index, const struct probe_verdict *verdict, void *arg)
{
	struct bench *b = arg;
	uint64_t slice;

	(void)index;
	if (b->from_ms == 0 || verdict->is_void)
		return;
	slice = (clock_monotonic_ms() - b->from_ms) / SLICE_MS;
	if (slice < SLICES_MOST)
		b->in_slice[slice]++;
	b->verdicts++;
	b->failed += !verdict->succeeded;
}

static void set_targets(struct bench *b)
{
	struct policy_check check = {.kind = is_kind(b, "http")    ? POLICY_CHECK_HTTP
	                                     : is_kind(b, "https") ? POLICY_CHECK_HTTPS
	                                     : is_kind(b, "grpc")  ? POLICY_CHECK_GRPC
	                                                           : POLICY_CHECK_TCP,
	                             .host = bytes_of("shop.test"),
	                             .ca_file = is_kind(b, "https") ? bytes_of("ca.crt")
	                                                            : (struct bytes){0}};
	struct probe_way way = {&check, bytes_of("the one"), {0}};
	struct probe_target *list = xcalloc(b->targets, sizeof *list);

	for (size_t i = 0; i < b->targets; i++) {
		list[i] = (struct probe_target){.port = b->port, .wanted = true};
		list[i].addr = (struct addr){.family = ADDR_IPV4,
		                             .bytes = {127, (uint8_t)(i / 62500 + 1),
		                                       (uint8_t)(i / A_THIRD_BYTE % A_THIRD_BYTE),
		                                       (uint8_t)(i % A_THIRD_BYTE + 1)}};
	}
	prober_set_targets(b->prober, &way, 1, list, b->targets);
	free(list);
}

static size_t resident_kib(void)
{
	unsigned long whole, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	CHECK(f && fscanf(f, "%lu %lu", &whole, &resident) == 2);
	(void)fclose(f);
	return resident * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

static void print(const struct bench *b)
{
	struct prober_counts c = prober_counts(b->prober);
	double s = (double)(clock_monotonic_ms() - b->from_ms) / 1000;
	double cpu = (double)(cpu_us() - b->from_cpu_us) / 1e6;
	uint32_t most = 0;

	for (size_t i = 0; i < SLICES_MOST; i++)
		most = b->in_slice[i] > most ? b->in_slice[i] : most;
	printf("{\"kind\": \"%s\", \"targets\": %zu, \"perSecond\": %.0f, \"core\": %.4f, "
	       "\"usEach\": %.1f, \"mostInATenth\": %u, \"evenTenth\": %.0f, \"failed\": %lu, "
	       "\"waits\": %lu, \"voided\": %lu, \"residentKiB\": %zu}\n",
	       b->kind, b->targets, (double)b->verdicts / s, cpu / s, cpu / (double)b->verdicts * 1e6,
	       most, (double)b->targets / (double)b->interval_s / 10, b->failed,
	       c.waits - b->before.waits, c.voided - b->before.voided, resident_kib());
}

static void on_stopped(void *arg) { (void)arg; }

static void on_end(uv_timer_t *timer)
{
	struct bench *b = timer->data;

	if (b->from_ms == 0) {
		b->from_ms = clock_monotonic_ms();
		b->from_cpu_us = cpu_us();
		b->before = prober_counts(b->prober);
		return;
	}
	print(b);
	uv_close((uv_handle_t *)timer, NULL);
	prober_stop(b->prober, on_stopped, b);
}

static void run(struct bench *b)
{
	struct probe_settings settings = {.interval_ms = b->interval_s * 1000,
	                                  .timeout_ms = 1000,
	                                  .down = 3,
	                                  .up = 2,
	                                  .files = b->dir};
	char command[64];

	CHECK(uv_loop_init(&b->loop) == 0 && uv_timer_init(&b->loop, &b->end) == 0);
	b->prober = prober_new(&b->loop, &settings, on_verdict, b);
	set_targets(b);
	b->end.data = b;
	CHECK(uv_timer_start(&b->end, on_end, b->interval_s * 1000, b->seconds * 1000) == 0);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&b->loop) == 0);
	CHECK(kill(b->server, SIGKILL) == 0 && waitpid(b->server, NULL, 0) == b->server);
	(void)snprintf(command, sizeof command, "rm -r %s", b->dir);
	CHECK(system(command) == 0);
}

int main(int argc, char **argv)
{
	struct bench *b = xcalloc(1, sizeof *b);
	int option;

	*b = (struct bench){.kind = "tcp", .targets = 20000, .interval_s = 10, .seconds = 30};
	while ((option = getopt(argc, argv, "k:n:i:s:")) != -1)
		switch (option) {
		case 'k': b->kind = optarg; break;
		case 'n': b->targets = strtoul(optarg, NULL, 10); break;
		case 'i': b->interval_s = strtoul(optarg, NULL, 10); break;
		case 's': b->seconds = strtoul(optarg, NULL, 10); break;
		default:
			(void)fprintf(stderr, "usage: probes [-k tcp|http|https|grpc] [-n TARGETS] "
			                      "[-i INTERVAL_S] [-s SECONDS]\n");
			return 2;
		}
	(void)strcpy(b->dir, "/tmp/nigh-probes-XXXXXX");
	CHECK(mkdtemp(b->dir) != NULL);
	start_server(b);
	run(b);
	free(b);
	return 0;
}
