#!/usr/bin/env python3
"""What nighd does with API servers: initial list, one change among many, readiness, memory, a storm of changes.

usage: api.py [list] [event] [ready] [memory] [storm] [--short] [sizes]

list     Services and EndpointSlices of one scripted API server, as large as real ones: MB of JSON a second from connection
         to ready, CPU, peak memory against what is kept; by WatchList, by pages, by pages with gzip
event    one EndpointSlice changed among N services x M clusters, each a scripted API server: from the change in the server
         to the first answer that differs, and the CPU of nighd's control thread for it
ready    an endpoint that is not ready any more, committed in a real API server (KUBEBUILDER_ASSETS, or what
         tests/e2e/build-servers builds) and in a scripted one: to the first answer without it; p50, p99, max
memory   resident bytes per name of three sites: Services and EndpointSlices of three API servers, a ServiceDNSRecord each
storm    so many changes a second while queries run, against the same queries without: CPU per query, lost ones, gaps

nighd is $NIGHD or build/bin/nighd. Work files go to $BENCH_DIR or a temporary folder. Everything stays on loopback."""
import argparse
import http.client
import json
import os
import random
import re
import shutil
import ssl
import statistics
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
import data  # noqa: E402
import own  # noqa: E402
from servers import free_port  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(HERE))
CLUSTERS = os.path.abspath(os.environ.get("CLUSTERS", f"{ROOT}/build/release/tests/bench/clusters"))
PERCENTILES = ((50, "p50"), (99, "p99"))


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def name_of(i):
    return f"s{i:07d}.bench.fed.svc.{data.ZONE}"


def table(columns, rows):
    print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")
    print(flush=True)


def percentile(values, p):
    """The smallest value that p percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * p // 100) - 1)]


def quartiles(values, digits=2):
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


# ---- programs

class Clusters:
    """tests/bench/clusters: scripted API servers, told by lines."""

    def __init__(self, folder, members, services, flags=()):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.members = folder, members
        argv = [CLUSTERS, "-n", str(members), "-s", str(services), *flags, folder]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.hear()

    def tell(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("clusters ended")
        return json.loads(line)

    def ask(self, *words):
        self.tell(*words)
        return self.hear()

    def kubeconfig(self, name):
        return f"{self.folder}/{name}.kubeconfig"

    def cpu(self):
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Nighd(own.Nighd):
    """nighd that watches clusters; `members`: {name: kubeconfig}, `host`: kubeconfig or None."""

    def __init__(self, folder, members, host):
        os.makedirs(folder, exist_ok=True)
        sources = {"members": [{"name": n, "kubeconfig": k, "location": f"{5 * i},{20 * i}"} for i, (n, k) in enumerate(members.items())]}
        if host:
            sources["kubernetes"] = {"kubeconfig": host}
        more = {"sources": sources, "startup": {"patience": "1h"}, "probe": {"flapHold": 0}}  # the same sites go down and up all the time
        super().__init__(folder, None, more="".join(f"{key}: {json.dumps(value)}\n" for key, value in more.items()))

    def until_ready(self, limit=1800):
        """The moment when every source was read."""
        while time.monotonic() - self.began < limit:
            try:
                self.get("/readyz")
                return time.monotonic()
            except OSError:  # no connection, or 503
                pass
            if self.process.poll() is not None:
                sys.exit("nighd ended: see " + self.log.name)
            time.sleep(0.005)
        sys.exit("not ready within the limit: see " + self.log.name)

    def status(self, key):
        return int(re.search(rf"{key}:\s+(\d+)", open(f"/proc/{self.process.pid}/status").read()).group(1)) * 1024

    def metric(self, name):
        """The sum over its labels."""
        return sum(float(v) for v in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", self.get("/metrics"), re.M))

    def thread_cpu(self, wanted=None):
        """Seconds on CPU of the control thread (None), or of the threads whose name begins with `wanted`."""
        pid, total = self.process.pid, 0
        for tid in os.listdir(f"/proc/{pid}/task"):
            if tid == str(pid) if wanted is None else open(f"/proc/{pid}/task/{tid}/comm").read().startswith(wanted):
                total += int(open(f"/proc/{pid}/task/{tid}/schedstat").read().split()[0])
        return total / 1e9

    def pin_workers(self, core):
        for tid in os.listdir(f"/proc/{self.process.pid}/task"):
            if open(f"/proc/{self.process.pid}/task/{tid}/comm").read().startswith("dns-"):
                os.sched_setaffinity(int(tid), {core})


class Site:
    """Scripted clusters and a nighd that has read them all; both end with the block."""

    def __init__(self, work, members, services, flags=(), host=True, real=None):
        folder = os.path.join(work, "api")
        shutil.rmtree(folder, ignore_errors=True)
        self.nighd, self.clusters = None, Clusters(folder, members, services, flags)
        configs = {f"m{i}": self.clusters.kubeconfig(f"m{i}") for i in range(members)}
        if real:
            configs["m0"] = real
        self.nighd = Nighd(folder, configs, self.clusters.kubeconfig("host") if host else None)

    def settle(self):
        self.nighd.until_ready()
        self.nighd.until_quiet()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.nighd.stop()
        self.clusters.stop()


# ---- list

LIST_WAYS = [("WatchList", ["-w", "served"]), ("pages", ["-w", "refused"]), ("pages, gzip", ["-w", "refused", "-z"])]


def list_once(work, args, flags):
    with Site(work, 1, args.services, ["-f", *flags], host=False) as site:
        n, c = site.nighd, site.clusters
        began = c.ask("connected", 0)["at"]
        served = c.cpu()
        ready = n.until_ready()
        cpu, server_cpu = n.cpu(), c.cpu() - served
        n.until_quiet()
        return dict(mb=n.metric("watcher_api_bytes_total") / 1e6, wire=c.ask("served")["bytes"] / 1e6, s=ready - began, cpu=cpu, server=server_cpu,
                    peak=n.status("VmHWM"), kept=n.status("VmRSS"), objects=n.metric("records_objects"))


def initial_list(work, args):
    rows, empty = [], own.empty_rss(work)
    for way, flags in LIST_WAYS:
        runs = []
        for r in range(args.rounds):
            say(f"list: {way}, round {r + 1} of {args.rounds}")
            runs.append(list_once(work, args, flags))
        middle = lambda key: statistics.median(x[key] for x in runs)
        rows.append([way, f"{middle('mb'):.0f}", f"{middle('wire'):.1f}", f"{middle('s'):.2f}", quartiles([x["mb"] / x["s"] for x in runs], 0),
                     f"{middle('cpu'):.2f}", f"{middle('server'):.2f}", f"{middle('peak') / 2**20:.0f}", f"{middle('kept') / 2**20:.0f}",
                     quartiles([x["peak"] / x["kept"] for x in runs]), f"{statistics.median((x['kept'] - empty) / x['objects'] for x in runs):.0f}"])
    print(f"{args.services} Services and {args.services} EndpointSlices of one API server over TLS; limits: 60 MB/s, peak 1.5 x kept")
    table(["by", "JSON MB", "MB on the wire", "s to ready", "MB/s (quartiles)", "CPU s", "server's CPU s", "peak MiB", "kept MiB", "peak / kept", "kept B an object"], rows)


# ---- event

def clusters_that_fit(services, wanted):
    """About 1,900 bytes a service and cluster in the servers, 1,000 in nighd at its peak."""
    free = int(re.search(r"MemAvailable:\s+(\d+)", open("/proc/meminfo").read()).group(1)) * 1024
    return max(2, min(wanted, int(free * 0.8 / services / 2900)))


def event(work, args):
    members = clusters_that_fit(args.services, args.clusters)
    rng, waits, cpus, everything = random.Random(4), [], [], []
    with Site(work, members, args.services) as site:
        n, c = site.nighd, site.clusters
        say(f"event: reading {args.services} services x {members} clusters")
        site.settle()
        idle, began = n.thread_cpu(), time.monotonic()
        time.sleep(3)
        idle = (n.thread_cpu() - idle) / (time.monotonic() - began)
        updates = [n.metric(f"dnsd_update_seconds_{part}") for part in ("sum", "count")]
        for trial in range(args.changes):
            i = rng.randrange(args.services)
            for state in ("not", "ready"):
                control, process, began = n.thread_cpu(), n.cpu(), time.monotonic()
                change = c.ask("change", 0, i, state, n.port)
                time.sleep(0.05)
                cpus.append(n.thread_cpu() - control - idle * (time.monotonic() - began))
                everything.append(n.cpu() - process)
                if not change["answered"]:
                    sys.exit(f"event: no other answer for {name_of(i)}")
                waits.append(change["answered"] - change["put"])
        updates = [n.metric(f"dnsd_update_seconds_{part}") - before for part, before in zip(("sum", "count"), updates)]
    shown = f"{members} clusters" + (f" (of {args.clusters}: memory)" if members < args.clusters else "")
    print(f"{args.services} services x {shown}, {args.services} ServiceDNSRecords; {2 * args.changes} changes of one EndpointSlice; limits: 10 ms, 1 ms of CPU")
    table(["from the change to", "ms, median (quartiles)", "p99", "max"],
          [["the first other answer", quartiles([1e3 * w for w in waits]), f"{1e3 * percentile(waits, 99):.2f}", f"{1e3 * max(waits):.2f}"],
           ["published, nighd's own mean", f"{1e3 * updates[0] / max(1, updates[1]):.2f}", "", ""],
           ["CPU of the control thread", quartiles([1e3 * x for x in cpus], 3), f"{1e3 * percentile(cpus, 99):.3f}", f"{1e3 * max(cpus):.3f}"],
           ["CPU of nighd, with the questions", quartiles([1e3 * x for x in everything], 3), "", ""]])


# ---- ready

class RealApi:
    """etcd and a kube-apiserver with one namespace; who has the token may do everything."""

    def __init__(self, folder, assets):
        self.folder, self.processes = folder, []
        os.makedirs(folder, exist_ok=True)
        self.port, etcd, peer = free_port(), free_port(), free_port()
        etcd_url, peer_url = f"http://127.0.0.1:{etcd}", f"http://127.0.0.1:{peer}"
        subprocess.run(["openssl", "genrsa", "-out", f"{folder}/accounts.key", "2048"], check=True, capture_output=True)
        data.write(f"{folder}/tokens", "bench-token,bench,bench,system:masters\n")
        self.run(assets, "etcd", "--unsafe-no-fsync", "--data-dir", f"{folder}/etcd", "--listen-client-urls", etcd_url, "--advertise-client-urls", etcd_url,
                 "--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url, "--initial-cluster", f"default={peer_url}")
        self.run(assets, "kube-apiserver", f"--etcd-servers={etcd_url}", "--bind-address=127.0.0.1", f"--secure-port={self.port}", f"--cert-dir={folder}/certs",
                 f"--token-auth-file={folder}/tokens", "--authorization-mode=RBAC", "--service-account-issuer=https://bench.invalid",
                 f"--service-account-key-file={folder}/accounts.key", f"--service-account-signing-key-file={folder}/accounts.key",
                 "--service-cluster-ip-range=172.20.0.0/16")
        self.connection = None

    def run(self, assets, program, *argv):
        log = open(f"{self.folder}/{program}.log", "w")
        self.processes.append(subprocess.Popen([f"{assets}/{program}", *argv], stdout=log, stderr=log))

    def send(self, method, path, body=None, kind="application/json"):
        """(status, body); the connection is kept."""
        if not self.connection:
            tls = ssl.create_default_context(cafile=f"{self.folder}/certs/apiserver.crt")
            self.connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=tls, timeout=30)
        try:
            self.connection.request(method, path, json.dumps(body) if body else None, {"Authorization": "Bearer bench-token", "Content-Type": kind})
            r = self.connection.getresponse()
            return r.status, r.read().decode()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise

    def must(self, *words):
        status, body = self.send(*words)
        if status not in (200, 201):
            sys.exit(f"kube-apiserver: {words[0]} {words[1]}: {status} {body[:500]}")

    def until_ready(self):
        began = time.monotonic()
        while time.monotonic() - began < 120:
            try:
                if self.send("GET", "/readyz")[0] == 200:
                    return
            except (OSError, http.client.HTTPException):
                self.connection = None
            time.sleep(0.2)
        sys.exit(f"kube-apiserver is not ready: see {self.folder}")

    def fill(self, services):
        """The same objects as the scripted clusters have."""
        self.must("POST", "/api/v1/namespaces", {"metadata": {"name": "bench"}})
        for i in range(services):
            name = f"s{i:07d}"
            self.must("POST", "/api/v1/namespaces/bench/services", {
                "metadata": {"name": name, "labels": {"kubefed.io/managed": "true"}}, "spec": {"type": "LoadBalancer", "ports": [{"name": "http", "port": 80}]}})
            self.must("PATCH", f"/api/v1/namespaces/bench/services/{name}/status",
                      {"status": {"loadBalancer": {"ingress": [{"ip": f"10.0.0.{i + 1}"}]}}}, "application/merge-patch+json")
            self.must("POST", "/apis/discovery.k8s.io/v1/namespaces/bench/endpointslices", self.slice(i, True) | {
                "metadata": {"name": f"{name}-x2x9q", "labels": {"kubernetes.io/service-name": name, "kubefed.io/managed": "true"}}, "addressType": "IPv4"})

    @staticmethod
    def slice(i, ready):
        return {"endpoints": [{"addresses": ["172.31.0.7"], "conditions": {"ready": ready, "serving": ready}}], "ports": [{"name": "http", "port": 8080}]}

    def set_ready(self, i, ready):
        self.must("PATCH", f"/apis/discovery.k8s.io/v1/namespaces/bench/endpointslices/s{i:07d}-x2x9q", self.slice(i, ready), "application/merge-patch+json")

    def kubeconfig(self):
        path = f"{self.folder}/kubeconfig"
        return data.write(path, json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "real", "contexts": [{"name": "real", "context": {"cluster": "real", "user": "reader"}}],
            "clusters": [{"name": "real", "cluster": {"server": f"https://127.0.0.1:{self.port}", "certificate-authority": f"{self.folder}/certs/apiserver.crt"}}],
            "users": [{"name": "reader", "user": {"token": "bench-token"}}]}))

    def stop(self):
        for p in reversed(self.processes):
            p.terminate()
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()


def real_servers():
    """The folder of etcd and kube-apiserver, or None; tests/e2e/build-servers builds them when it is the first to need them."""
    folder, script = os.environ.get("KUBEBUILDER_ASSETS"), f"{ROOT}/tests/e2e/build-servers"
    if not folder and os.path.exists(script):
        done = subprocess.run([script], stdout=subprocess.PIPE, text=True)
        folder = done.stdout.strip() if done.returncode == 0 else None
    return folder if folder and all(os.access(f"{folder}/{p}", os.X_OK) for p in ("etcd", "kube-apiserver")) else None


READY_SERVICES = 20


def ready_scripted(site, i, ready):
    """(seconds from the change to the answer, the same)"""
    change = site.clusters.ask("change", 0, i, "ready" if ready else "not", site.nighd.port)
    return [change["answered"] - change["put"]] * 2 if change["answered"] else None


def ready_real(api, site, i, ready):
    """(seconds from the end of the request, from its beginning); the answer may be quicker than the server's."""
    site.clusters.ask("await", i, site.nighd.port)
    sent = time.monotonic()
    api.set_ready(i, ready)
    committed, answered = time.monotonic(), site.clusters.hear()["answered"]
    return [answered - committed, answered - sent] if answered else None


def ready_trials(what, site, args, change):
    rng, waits = random.Random(5), []
    site.settle()
    for trial in range(args.trials):
        i = rng.randrange(READY_SERVICES)
        for ready in (False, True):
            wait = change(site, i, ready)
            if not wait:
                sys.exit(f"ready: {what}: no other answer for {name_of(i)}")
            if not ready:
                waits.append(wait)
            time.sleep(rng.random() * 0.02)  # not in step with any timer
        if trial % 100 == 99:
            say(f"ready: {what}: {trial + 1} of {args.trials}")
    show = lambda values, begin: [what, begin, len(values), *(f"{1e3 * percentile(values, p):.2f}" for p, _ in PERCENTILES), f"{1e3 * max(values):.2f}"]
    if change is ready_scripted:
        return [show([w[0] for w in waits], "the change")]
    return [show([w[0] for w in waits], "its answer to the change"), show([w[1] for w in waits], "the request to change")]


def ready(work, args):
    with Site(work, 2, READY_SERVICES) as site:
        rows = ready_trials("scripted API server", site, args, ready_scripted)
    assets, folder = real_servers(), os.path.join(work, "real")
    if not assets:
        say("ready: no etcd and kube-apiserver: set KUBEBUILDER_ASSETS, or build them by tests/e2e/build-servers")
    else:
        shutil.rmtree(folder, ignore_errors=True)
        api = RealApi(folder, assets)
        try:
            api.until_ready()
            api.fill(READY_SERVICES)
            with Site(work, 2, READY_SERVICES, real=api.kubeconfig()) as site:
                rows += ready_trials("kube-apiserver", site, args, lambda s, i, r: ready_real(api, s, i, r))
        finally:
            api.stop()
    print("an endpoint becomes not ready, to the first answer without its cluster; limit: p99 100 ms")
    table(["of", "from", "trials", *(f"{name} ms" for _, name in PERCENTILES), "max ms"], rows)


# ---- memory

def memory(work, args):
    empty = own.empty_rss(work)
    with Site(work, 3, args.services) as site:
        n = site.nighd
        say(f"memory: reading {args.services} services x 3 clusters")
        site.settle()
        rss, peak, zones = n.rss(), n.status("VmHWM"), n.metric("zones_memory_bytes")
    old = re.search(r"resident bytes per name of three sites, from annotated Services.*?\| ([\d,]+) \|", open(f"{ROOT}/docs/performance.md").read())
    table(["names", "made of", "resident bytes per name", "of which zones", "whole process", "peak"],
          [[args.services, "three sites: Services and EndpointSlices of three API servers, a ServiceDNSRecord", f"{(rss - empty) / args.services:.0f}",
            f"{zones / args.services:.0f}", f"{rss / 2**20:.0f} MiB", f"{peak / 2**20:.0f} MiB"],
           ["100000", "three sites: annotated Services, from manifests (docs/performance.md)", old.group(1) if old else "", "", "", ""]])


# ---- storm

def questions(work, services):
    path, rng = os.path.join(work, "api-questions"), random.Random(6)
    packets = [data.query(name_of(rng.randrange(services)), edns=True, ident=rng.getrandbits(16)) for _ in range(data.QUERIES)]
    with open(path, "wb") as f:
        f.write(struct.pack("=II", len(packets[0]), len(packets)) + b"".join(packets))
    return path


class Load:
    """udpload on the second core against nighd's worker on the first; nighd's other threads may run on both."""

    def __init__(self, work, services, site):
        self.site, self.program, self.file = site, f"{work}/udpload", questions(work, services)
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", self.program, f"{HERE}/udpload.c"], check=True)
        cores = sorted(os.sched_getaffinity(0))
        self.core = cores[1 % len(cores)]
        site.nighd.pin_workers(cores[0])

    def slice(self, seconds):
        n, warmup = self.site.nighd, 0.2
        subprocess.run(self.argv(warmup, 0), preexec_fn=self.pin, stdout=subprocess.DEVNULL, check=True)
        worker, control = n.thread_cpu("dns-"), n.thread_cpu()
        done = subprocess.run(self.argv(seconds, 0), preexec_fn=self.pin, stdout=subprocess.PIPE, text=True, check=True)
        j = json.loads(done.stdout)
        j["worker_us"] = (n.thread_cpu("dns-") - worker) * 1e6 / max(1, j["answered"])
        j["control"] = (n.thread_cpu() - control) / j["elapsed"]
        return j

    def argv(self, seconds, warmup):
        return [self.program, "-p", str(self.site.nighd.port), "-f", self.file, "-P", str(self.site.nighd.process.pid), "-t", str(seconds), "-u", str(warmup)]

    def pin(self):
        os.sched_setaffinity(0, {self.core})


def storm(work, args):
    slice_s = min(5, max(1, args.seconds / 6))
    with Site(work, 3, args.services) as site:
        n, c = site.nighd, site.clusters
        say(f"storm: reading {args.services} services x 3 clusters")
        site.settle()
        load = Load(work, args.services, site)
        calm = [load.slice(slice_s) for _ in range(max(3, int(args.seconds / slice_s / 2)))]
        events, updates = n.metric("watcher_api_events_total"), n.metric("dnsd_updates_total")
        waits, stormy, began = [n.metric(f"dnsd_update_seconds_{p}") for p in ("sum", "count")], [], time.monotonic()
        c.tell("storm", 0, args.rate, args.seconds)
        while time.monotonic() - began + slice_s + 0.5 < args.seconds:
            say(f"storm: {time.monotonic() - began:.0f} of {args.seconds} s")
            stormy.append(load.slice(slice_s))
        made = c.hear()
        time.sleep(0.5)
        events, updates = n.metric("watcher_api_events_total") - events, n.metric("dnsd_updates_total") - updates
        waits = [n.metric(f"dnsd_update_seconds_{p}") - before for p, before in zip(("sum", "count"), waits)]
        calm += [load.slice(slice_s) for _ in range(max(3, int(args.seconds / slice_s / 2)))]
    print(f"{args.rate} changes of EndpointSlices a second for {args.seconds} s among {args.services} services x 3 clusters: {made['made']} made in "
          f"{made['elapsed']:.1f} s (latest {1e3 * made['late']:.0f} ms late), {events:.0f} seen, {updates:.0f} snapshots published, "
          f"{1e3 * waits[0] / max(1, waits[1]):.1f} ms from event to published in the mean; limit: CPU per query 1.05 x")
    middle = lambda js, key: statistics.median(j[key] for j in js)
    row = lambda what, js: [what, quartiles([j["worker_us"] for j in js]), f"{middle(js, 'worker_us') / middle(calm, 'worker_us'):.3f}", quartiles([j["us"] for j in js]),
                            f"{middle(js, 'qps') / 1e3:.0f}", sum(j["lost"] for j in js), f"{middle(js, 'gap_ms'):.2f}", f"{max(j['gap_ms'] for j in js):.2f}",
                            f"{100 * middle(js, 'control'):.1f} %", len(js)]
    table(["", "worker us/query (quartiles)", "ratio", "whole process us/query", "kq/s", "lost", "longest gap ms, median", "max", "control thread", "slices"],
          [row("undisturbed", calm), row("changing", stormy)])


PLANS = {"list": initial_list, "event": event, "ready": ready, "memory": memory, "storm": storm}


def arguments():
    p = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    p.add_argument("plans", nargs="*", metavar="PLAN", help="list, event, ready, memory, storm; without any, all of them")
    p.add_argument("--short", action="store_true", help="sizes for a look: all plans in about a minute")
    p.add_argument("--services", type=int, help="services in each cluster (100000)")
    p.add_argument("--clusters", type=int, help="clusters of event (10; fewer when memory does not allow them)")
    p.add_argument("--rounds", type=int, help="of list (3)")
    p.add_argument("--changes", type=int, help="of event, there and back (50)")
    p.add_argument("--trials", type=int, help="of ready (1000)")
    p.add_argument("--rate", type=int, default=1000, help="changes a second of storm (1000)")
    p.add_argument("--seconds", type=int, help="of storm (60)")
    args = p.parse_args()
    for unknown in set(args.plans) - set(PLANS):
        p.error(f"no plan named {unknown}")
    usual = dict(services=100_000, clusters=10, rounds=3, changes=50, trials=1000, seconds=60)
    short = dict(services=2000, clusters=3, rounds=1, changes=10, trials=30, seconds=5)
    for key, value in (short if args.short else usual).items():
        if getattr(args, key) is None:
            setattr(args, key, value)
    return args


def main():
    args = arguments()
    if not os.access(CLUSTERS, os.X_OK):
        sys.exit("api.py: the scripted clusters are not built: make bench-programs")
    own.run_plans(args.plans or PLANS, PLANS, args)


if __name__ == "__main__":
    main()
