/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/dnsd_worker.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

const struct addr worker_address = {.family = ADDR_IPV4, .bytes = {127, 0, 0, 1}};

static uint16_t port_of(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;
	uint16_t port;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	(void)addr_from_sockaddr((struct sockaddr *)&sa, &port);
	return port;
}

void worker_start(struct worker *k, struct world *w, const struct tcp_limits *limits)
{
	struct tcp_limits usual = tcp_limits_usual();
	struct reason why = {0};
	int tcp, udp;

	if (limits == NULL)
		limits = &usual;
	memset(k, 0, sizeof *k);
	assert_int_equal(tcp_open(&worker_address, 0, true, &tcp, &k->tcp_port, &why), ERR_OK);
	assert_int_equal(udp_open(&worker_address, 0, false, &udp, &why), ERR_OK);
	k->udp_port = port_of(udp);
	k->reader = handover_join(zones_handover(world_zones(w)));
	k->responder.stats = stats_new();
	assert_int_equal(uv_loop_init(&k->loop), 0);
	k->quota = quota_new((unsigned)limits->max_connections, (unsigned)limits->max_per_network);
	k->tcp = tcp_new(&k->loop, k->reader, &k->responder, limits, k->quota);
	k->batch = udp_batch_new(k->reader, &k->responder);
	k->udp = udp_start(&k->loop, udp, false, k->batch);
	assert_int_equal(tcp_listen(k->tcp, tcp, NULL, &why), ERR_OK);
}

void worker_stop(struct worker *k)
{
	udp_stop(k->udp);
	tcp_stop(k->tcp);
	assert_int_equal(uv_run(&k->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&k->loop), 0);
	udp_free(k->udp);
	udp_batch_free(k->batch);
	tcp_free(k->tcp);
	assert_int_equal(quota_count(k->quota), 0);
	quota_free(k->quota);
	handover_leave(k->reader);
	free(k->responder.stats);
}

void worker_turn(struct worker *k) { (void)uv_run(&k->loop, UV_RUN_NOWAIT); }

uint64_t worker_answered(const struct worker *k, enum stats_transport transport)
{
	return stats_answers_coded(k->responder.stats, transport, RCODE_NOERROR);
}

int worker_dial(int type, uint16_t port)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(&worker_address, port, &sa);
	int fd = socket(sa.ss_family, type | SOCK_CLOEXEC, 0), on = 1;

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
	return fd;
}
