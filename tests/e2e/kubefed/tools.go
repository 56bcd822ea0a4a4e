//go:build tools

// Package kubefed names KubeFed's manager, which tests/e2e/build-kubefed
// builds once for a machine, so that the end-to-end tests can take over from it.
package kubefed

import (
	_ "sigs.k8s.io/kubefed/cmd/hyperfed"
)
