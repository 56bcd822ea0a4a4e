#!/usr/bin/env python3
"""CPU time and answers per second over kept TCP and TLS connections, nighd beside Knot and NSD. See README.md beside this file.

One worker each, on one core, all up at once; streamload on the other core. Each round asks every server the same way, one after the
other; medians over the rounds. Knot of Debian 12 has no DNS over TLS. Peers that are not installed are named and skipped."""
import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
NIGHD = os.path.abspath(os.environ.get("NIGHD", "build/bin/nighd"))
ENV = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
KINDS = [("TCP, 1 in flight", ["-d", "1"], False), ("TCP, 10", ["-d", "10"], False), ("TCP, 100", ["-d", "100"], False),
         ("TLS, 1 in flight", ["-d", "1", "-T"], True), ("TLS, 10", ["-d", "10", "-T"], True), ("TLS, 100", ["-d", "100", "-T"], True),
         ("a TCP connection for each", ["-r"], False), ("a TLS session for each", ["-r", "-T"], True), ("the same, resumed", ["-r", "-R", "-T"], True)]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


def nigh(d, tcp, tls, names):
    records = ", ".join(f'"{n} 300 IN A 192.0.2.1"' for n in names)
    write(d + "/c.yaml", f"""listen: {{dns: ["127.0.0.1:{tcp}"], http: "127.0.0.1:0", tls: {{addresses: ["127.0.0.1:{tls}"], certificate: {d}/../cert.pem, key: {d}/../key.pem}}}}
workers: 1
user: root
zones: [{{name: bench.test, records: [{records}]}}]
""")
    return [NIGHD, "-c", d + "/c.yaml"]


def zone(d, names):
    return write(d + "/zone", "$ORIGIN bench.test.\n@ 300 SOA ns hostmaster 1 3600 600 86400 30\n@ 300 NS ns\nns 300 A 127.0.0.1\n"
                 + "".join(f"{n} 300 A 192.0.2.1\n" for n in names))


def knot(d, tcp, tls, names):
    os.makedirs(d + "/db", exist_ok=True)
    write(d + "/c", f"""server:
    rundir: {d}
    listen: 127.0.0.1@{tcp}
    tcp-workers: 1
    udp-workers: 1
    background-workers: 1
    tcp-max-clients: 1000
database:
    storage: {d}/db
zone:
  - domain: bench.test
    file: {zone(d, names)}
""")
    return ["knotd", "-c", d + "/c"]


def nsd(d, tcp, tls, names):
    write(d + "/c", f"""server:
    server-count: 1
    ip-address: 127.0.0.1@{tcp}
    ip-address: 127.0.0.1@{tls}
    tls-port: {tls}
    tls-service-key: {d}/../key.pem
    tls-service-pem: {d}/../cert.pem
    tcp-count: 1000
    minimal-responses: yes
    username: ""
    database: ""
    zonelistfile: {d}/zones
    xfrdfile: {d}/xfrd
    xfrdir: {d}
    pidfile: {d}/pid
remote-control:
    control-enable: no
zone:
    name: bench.test
    zonefile: {zone(d, names)}
""")
    return ["nsd", "-d", "-c", d + "/c"]


SERVERS = {"nigh": (nigh, True), "knot": (knot, False), "nsd": (nsd, True)}


def children(pid):
    found = [pid]
    for p in subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split():
        found += children(int(p))
    return found


def queries(path, names):
    made = []
    for i, name in enumerate(names):
        wire = b"".join(bytes([len(x)]) + x.encode() for x in (name, "bench", "test")) + b"\0"
        made.append(struct.pack(">HHHHHH", i, 0, 1, 0, 0, 1) + wire + struct.pack(">HH", 1, 1) + b"\0" + struct.pack(">HHIH", 41, 1232, 0, 0))
    with open(path, "wb") as f:
        f.write(struct.pack("=II", len(made[0]), len(made)) + b"".join(made))
    return path


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--secs", type=float, default=0.5)
    p.add_argument("--connections", type=int, default=64)
    args = p.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    work = tempfile.mkdtemp(prefix="streams-")
    names = [f"n{i:04}" for i in range(1000)]
    subprocess.run(["cc", "-O2", "-o", work + "/streamload", HERE + "/streamload.c", "-lssl", "-lcrypto"], check=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=bench.test",
                    "-keyout", work + "/key.pem", "-out", work + "/cert.pem"], check=True, capture_output=True)
    asked = queries(work + "/q", names)
    running, rows = {}, {}
    try:
        for name, (make, _) in SERVERS.items():
            folder, ports = f"{work}/{name}", (free_port(), free_port())
            os.makedirs(folder)
            argv = make(folder, *ports, names)
            if not shutil.which(argv[0], path=ENV["PATH"]):
                print(f"{name}: not installed", file=sys.stderr)
                continue
            argv[0] = shutil.which(argv[0], path=ENV["PATH"])
            log = open(folder + "/log", "w")
            running[name] = (subprocess.Popen(argv, env=ENV, stdout=log, stderr=log, preexec_fn=lambda: os.sched_setaffinity(0, {cores[0]})), ports)
        time.sleep(3)
        for r in range(args.rounds):
            for kind, options, is_tls in KINDS:
                for name, (process, ports) in running.items():
                    if is_tls and not SERVERS[name][1]:
                        continue
                    pids = ",".join(map(str, children(process.pid)))
                    got = subprocess.run([work + "/streamload", "-f", asked, "-p", str(ports[is_tls]), "-P", pids, "-c", str(args.connections), "-t", str(args.secs),
                                          *options], capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {cores[-1]}))
                    if got.returncode:
                        sys.exit(f"{name}, {kind}: {got.stderr}")
                    rows.setdefault((kind, name), []).append(json.loads(got.stdout))
        print("| | " + " | ".join(f"{n}: µs of CPU, answers/s" for n in running) + " |\n|---" * 1 + "|---" * len(running) + "|")
        for kind, _, _ in KINDS:
            cells = []
            for name in running:
                got = rows.get((kind, name))
                cells.append(f"{statistics.median(g['cpu_ns'] for g in got) / 1e3:.2f}, {statistics.median(g['qps'] for g in got):,.0f}" if got else "–")
            print(f"| {kind} | " + " | ".join(cells) + " |")
    finally:
        for process, _ in running.values():
            process.send_signal(signal.SIGTERM)
        for process, _ in running.values():
            process.wait(10)
        shutil.rmtree(work, True)


if __name__ == "__main__":
    main()
