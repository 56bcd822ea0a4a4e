#!/usr/bin/env python3
"""What the kit beside this file does not measure of nighd: memory per name, one change among many, restart from state.

usage: own.py [memory] [change] [restart] [--names N] [--services N]

memory   resident bytes per name, an empty nighd subtracted: names of one A from DNSEndpoints (whole process), and
         names with three sites from Services and EndpointSlices of three clusters (whole process)
change   one EndpointSlice changed among N services x 3 clusters: time from the event to the published snapshot
         (nighd's own histogram), time from the rename of the file to the new answer, CPU spent
restart  N names saved, every folder taken away, nighd started again: exec to first answer

nighd is $NIGHD or build/bin/nighd. Work files go to $BENCH_DIR or a temporary folder. Everything stays on loopback."""
import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import data  # noqa: E402
from servers import free_port  # noqa: E402

NIGHD = os.path.abspath(os.environ.get("NIGHD", "build/bin/nighd"))
CLUSTERS = [("ny", 40.71, -74.01), ("hou", 29.76, -95.37), ("la", 34.05, -118.24)]


class Nighd:
    def __init__(self, folder, manifests, state=None, more=""):
        self.port, self.http = free_port(), free_port()
        config = f'listen: {{dns: ["127.0.0.1:{self.port}"], http: "127.0.0.1:{self.http}"}}\nworkers: 1\n'
        config += "user: root\n" if os.geteuid() == 0 else ""
        config += f"sources: {{manifests: [{manifests}]}}\n" if manifests else ""
        config += f"state: {state}\n" if state else ""
        config += more
        path = data.write(os.path.join(folder, "nighd.yaml"), config)
        self.log = open(os.path.join(folder, "log"), "w")
        self.began = time.monotonic()
        self.process = subprocess.Popen([NIGHD, "-c", path], stdout=self.log, stderr=self.log)

    def ask(self, question, timeout=1.0):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(timeout)
            try:
                s.connect(("127.0.0.1", self.port))
                s.send(question)
                return s.recv(4096)
            except OSError:
                return None

    def until(self, question, wanted=None, limit=600):
        """Seconds since the start until the question is answered with records (with `wanted` among the bytes)."""
        while time.monotonic() - self.began < limit:
            answer = self.ask(question, 0.05)
            if answer and answer[3] & 15 == 0 and answer[7] > 0 and (wanted is None or wanted in answer):
                return time.monotonic() - self.began
            if self.process.poll() is not None:
                sys.exit("nighd ended: see " + self.log.name)
            time.sleep(0.0005)
        sys.exit("no answer within the limit")

    def get(self, path):
        return urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=60).read().decode()

    def until_quiet(self):
        """Waits until nothing is being read any more."""
        last, calm = -1.0, 0
        while calm < 6:
            now = self.cpu()
            calm = calm + 1 if now - last < 0.02 else 0
            last = now
            time.sleep(0.5)

    def cpu(self):
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def rss(self):
        return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{self.process.pid}/status").read()).group(1)) * 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.log.close()


def endpoints(folder, names):
    data.write(f"{folder}/host/domain.yaml", data.domain("bench", data.ZONE))
    os.makedirs(f"{folder}/clusters", exist_ok=True)
    data.SIZES["own"] = names
    for part in range((names + 999) // 1000):
        data.write(f"{folder}/host/hosts-{part:04d}.yaml", data.endpoints_text("own", part))
    return data.last_query("own")


def service_name(i):
    return f"s{i:07d}.{data.ZONE}"


def slice_of(i, ready):
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"s{i:07d}-x", "namespace": "bench", "labels": {"kubernetes.io/service-name": f"s{i:07d}"}},
            "endpoints": [{"addresses": ["10.1.2.3"], "conditions": {"ready": ready}}]}


def services(folder, count):
    """Services annotated with one host name in three clusters: `count` names of three sites.  JSON, 500 a file."""
    data.write(f"{folder}/host/domain.yaml", data.domain("bench", data.ZONE))
    data.write(f"{folder}/host/clusters.yaml", [json.dumps(
        {"apiVersion": "core.kubefed.io/v1beta1", "kind": "KubeFedCluster",
         "metadata": {"name": n, "namespace": "kube-federation-system", "annotations": {"nigh.dev/location": f"{lat},{lon}"}},
         "spec": {"apiEndpoint": f"https://{n}.invalid", "secretRef": {"name": n}}}) + "\n---\n" for n, lat, lon in CLUSTERS])
    for c, (name, _, _) in enumerate(CLUSTERS):
        for part in range((count + 499) // 500):
            items = []
            for i in range(part * 500, min(count, part * 500 + 500)):
                items.append({"apiVersion": "v1", "kind": "Service",
                              "metadata": {"name": f"s{i:07d}", "namespace": "bench",
                                           "annotations": {"external-dns.alpha.kubernetes.io/hostname": service_name(i)}},
                              "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
                              "status": {"loadBalancer": {"ingress": [{"ip": f"10.{c + 1}.{i >> 8 & 255}.{i & 255}"}]}}})
                items.append(slice_of(i, True))
            data.write(f"{folder}/clusters/{name}/part-{part:05d}.json",
                       json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return data.query(service_name(count - 1))


def empty_rss(work):
    folder = os.path.join(work, "empty")
    data.write(f"{folder}/m/host/domain.yaml", data.domain("bench", data.ZONE))
    n = Nighd(folder, f"{folder}/m")
    time.sleep(2)
    rss = n.rss()
    n.stop()
    return rss


def memory(work, args):
    base = empty_rss(work)
    print("| names | made of | resident bytes per name | whole process |\n|---|---|---|---|")
    for what, count, make in (("one A, DNSEndpoint", args.names, endpoints), ("three sites, Services and EndpointSlices", args.services, services)):
        folder = os.path.join(work, "memory")
        shutil.rmtree(folder, ignore_errors=True)
        n_query = make(f"{folder}/m", count)
        n = Nighd(folder, f"{folder}/m")
        n.until(n_query)
        n.until_quiet()
        rss = n.rss()
        n.stop()
        print(f"| {count} | {what} | {(rss - base) / count:.0f} | {rss / 2**20:.0f} MiB |", flush=True)


def change(work, args):
    folder = os.path.join(work, "change")
    shutil.rmtree(folder, ignore_errors=True)
    question = services(f"{folder}/m", args.services)
    path = f"{folder}/m/clusters/ny/one.json"
    last = args.services - 1
    extra = lambda ready: json.dumps(slice_of(last, ready) | {"metadata": slice_of(last, ready)["metadata"] | {"name": "extra"}})
    n = Nighd(folder, f"{folder}/m")
    n.until(question)
    n.until_quiet()

    def updates():
        text = n.get("/metrics")
        return [float(re.search(rf"^dnsd_update_seconds_{part} (\S+)", text, re.M).group(1)) for part in ("sum", "count")]

    cpus, before = [], updates()
    for i in range(50):
        data.write(f"{folder}/new", extra(i % 2 == 0) + "\n")
        cpu = n.cpu()
        os.rename(f"{folder}/new", path)
        time.sleep(0.15)
        cpus.append(n.cpu() - cpu)
    after = updates()
    n.stop()
    count = after[1] - before[1]
    print(f"one small file with one EndpointSlice written 50 times beside {args.services} services x 3 clusters: "
          f"event to published {1e3 * (after[0] - before[0]) / max(1, count):.2f} ms in the mean of {count:.0f} updates, "
          f"CPU {1e3 * statistics.median(cpus):.2f} ms in the median (reading and parsing included)")


def restart(work, args):
    for what, count, make in (("one A, DNSEndpoint", args.names, endpoints), ("three sites, Services", args.services, services)):
        folder = os.path.join(work, "restart")
        shutil.rmtree(folder, ignore_errors=True)
        question = make(f"{folder}/m", count)
        n = Nighd(folder, f"{folder}/m", f"{folder}/state")
        n.until(question)
        n.until_quiet()
        n.stop()
        os.rename(f"{folder}/m", f"{folder}/away")
        times = []
        for _ in range(5):
            n = Nighd(folder, f"{folder}/m", f"{folder}/state")
            times.append(n.until(question))
            n.stop()
        print(f"restart in the dark, {count} names ({what}): first answer after {statistics.median(times):.2f} s "
              f"(of 5: {min(times):.2f} to {max(times):.2f})", flush=True)


def run_plans(names, plans, args):
    """Each plan with a folder to work in: BENCH_DIR, which stays, or a temporary one."""
    work = os.path.abspath(os.environ.get("BENCH_DIR") or tempfile.mkdtemp(prefix="bench-"))
    os.makedirs(work, exist_ok=True)
    try:
        for name in names:
            print(f"\n### {name}\n", flush=True)
            plans[name](work, args)
    finally:
        if "BENCH_DIR" not in os.environ:
            shutil.rmtree(work, ignore_errors=True)


def main():
    p = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    p.add_argument("plans", nargs="*", metavar="PLAN", help="memory, change, restart; without any, all of them")
    p.add_argument("--names", type=int, default=1_000_000)
    p.add_argument("--services", type=int, default=100_000)
    args = p.parse_args()
    plans = {"memory": memory, "change": change, "restart": restart}
    for unknown in set(args.plans) - set(plans):
        p.error(f"no plan named {unknown}")
    run_plans(args.plans or plans, plans, args)


if __name__ == "__main__":
    main()
