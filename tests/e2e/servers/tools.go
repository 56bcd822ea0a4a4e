//go:build tools

// Package servers names what the end-to-end tests build: a real etcd, a real
// kube-apiserver, its controller manager and kubectl. tests/e2e/build-servers
// builds them once for a machine.
package servers

import (
	_ "go.etcd.io/etcd/server/v3"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kubectl"
)
