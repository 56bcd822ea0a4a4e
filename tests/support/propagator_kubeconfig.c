/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/propagator_kubeconfig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

void propagator_kubeconfig(const struct fakeapi *f, char *path, size_t room)
{
	int fd;
	FILE *file;

	(void)snprintf(path, room, "/tmp/nigh-kubeconfig-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	fprintf(file,
	        "current-context: fake\n"
	        "clusters: [{name: fake, cluster: {server: \"%s\", certificate-authority-data: "
	        "%s}}]\n"
	        "users: [{name: fake, user: {token: \"%s\"}}]\n"
	        "contexts: [{name: fake, context: {cluster: fake, user: fake}}]\n",
	        fakeapi_url(f), fakeapi_ca_base64(f), fakeapi_token(f));
	assert_int_equal(fclose(file), 0);
}
