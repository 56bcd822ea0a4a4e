/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeapi_inside.h"
#include "tests/support/world.h"

void fakeapi_kubeconfig(const struct fakeapi *f, struct world *w, const char *name)
{
	world_write(w, name,
	            "apiVersion: v1\n"
	            "kind: Config\n"
	            "current-context: fake\n"
	            "clusters:\n"
	            "- name: fake\n"
	            "  cluster: {server: \"%s\", certificate-authority-data: %s}\n"
	            "users:\n"
	            "- name: reader\n"
	            "  user: {token: \"%s\"}\n"
	            "contexts:\n"
	            "- name: fake\n"
	            "  context: {cluster: fake, user: reader}\n",
	            f->url, f->ca_base64, f->token);
}
