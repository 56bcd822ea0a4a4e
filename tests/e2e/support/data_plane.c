/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/support/data_plane.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { BACKLOG = 4096 };

int data_plane_open(const char *address, unsigned *port)
{
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};
	socklen_t len = sizeof(local);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (inet_pton(AF_INET, address, &local.sin_addr) != 1 ||
	    bind(fd, (void *)&local, len) != 0 || listen(fd, BACKLOG) != 0 ||
	    getsockname(fd, (void *)&local, &len) != 0)
		fail_msg("cannot listen on %s:%u: %s", address, *port, strerror(errno));
	*port = ntohs(local.sin_port);
	return fd;
}

void data_plane_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
