/* world_proxy.h -- an HTTP proxy that knows CONNECT and nothing else, in threads of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_PROXY_H
#define TESTS_SUPPORT_WORLD_PROXY_H

struct world_proxy;

struct world_proxy *world_proxy_new(void); /* listens on 127.0.0.1 */
void world_proxy_free(struct world_proxy *p);
unsigned world_proxy_port(const struct world_proxy *p);
/* How many connections it was asked for. */
unsigned world_proxy_count(struct world_proxy *p);
/* The headers of the newest such request; good until the next call. */
const char *world_proxy_request(struct world_proxy *p);

#endif
