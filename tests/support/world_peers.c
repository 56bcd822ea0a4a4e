/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_peers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/world_inside.h"

enum { STOP_MS = 15000 };

static bool can_bind(int type, unsigned port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
	                         .sin_port = htons((uint16_t)port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	bool can = fd >= 0 && bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;

	close(fd);
	return can;
}

unsigned peers_free_port(unsigned which)
{
	enum { FIRST = 10000, TRIES = 1000 };
	unsigned seed = (unsigned)getpid() * 31;

	for (unsigned i = 0; i < TRIES; i++) {
		unsigned port = FIRST + ((seed + i) * PEERS_MOST + which) % 20000;

		if (can_bind(SOCK_DGRAM, port) && can_bind(SOCK_STREAM, port))
			return port;
	}
	fail_msg("no port is free");
	return 0;
}

void peers_run(struct world *w, struct peer *p, const char *const *argv)
{
	char log[64];
	int fd;

	snprintf(log, sizeof(log), "%s/log", p->name);
	fd = open(world_path(w, log), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	p->pid = inside_spawn(argv, fd);
	close(fd);
}

void peers_print_logs(struct world *w, const struct peer *p, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char log[64];
		const char *out;

		snprintf(log, sizeof(log), "%s/log", p[i].name);
		(void)world_run(w, (const char *[]){"tail", "-n", "15", world_path(w, log), NULL},
		                &out);
		fprintf(stderr, "--- %s ---\n%s", p[i].name, out);
	}
}

void peers_demand_alive(struct world *w, struct peer *p, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int status;

		if (p[i].pid == 0 || waitpid(p[i].pid, &status, WNOHANG) != p[i].pid)
			continue;
		p[i].pid = 0;
		peers_print_logs(w, p, count);
		peers_stop(p, count);
		world_fail(w, "%s ended by itself, with %s %d", p[i].name,
		           WIFSIGNALED(status) ? "signal" : "exit status",
		           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	}
}

void peers_stop(struct peer *p, size_t count)
{
	struct deadline deadline = inside_deadline(STOP_MS);

	for (size_t i = 0; i < count; i++)
		if (p[i].pid > 0)
			kill(p[i].pid, SIGTERM);
	for (size_t i = 0; i < count; i++) {
		while (p[i].pid > 0 && waitpid(p[i].pid, NULL, WNOHANG) == 0) {
			if (!inside_has_time(deadline))
				kill(p[i].pid, SIGKILL);
			inside_rest();
		}
		p[i].pid = 0;
	}
}
