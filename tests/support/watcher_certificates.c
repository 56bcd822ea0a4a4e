/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/watcher_certificates.h"

#include <stdio.h>

#include "base/check.h"
#include "tests/support/watcher_authority.h"

enum { DAY_S = 86400, PATH_SIZE = 512 };

static const char *path_in(const char *dir, const char *name, char path[PATH_SIZE])
{
	CHECK(snprintf(path, PATH_SIZE, "%s/%s", dir, name) < PATH_SIZE);
	return path;
}

SSL_CTX *certificates_context(const char *dir, bool expired, bool asks_client)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());
	struct authority *a = authority_new(dir);
	char path[PATH_SIZE];

	authority_issue_named(a, "server", "shop.test", expired ? -DAY_S : DAY_S);
	authority_issue_named(a, "client", "nighd.test", DAY_S);
	authority_free(a);
	CHECK(c && SSL_CTX_use_certificate_file(c, path_in(dir, "server.crt", path),
	                                        SSL_FILETYPE_PEM) == 1);
	CHECK(SSL_CTX_use_PrivateKey_file(c, path_in(dir, "server.key", path), SSL_FILETYPE_PEM) ==
	      1);
	if (asks_client) {
		CHECK(SSL_CTX_load_verify_file(c, path_in(dir, "ca.crt", path)) == 1);
		SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	return c;
}
