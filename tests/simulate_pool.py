#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A pool of many gateways behind one shared subscription, simulated: what round robin, leaving the pool and deaths do to waiting times.

simulate_pool.py [--gateways 1000] [--devices 100000] [--seconds 60] [--seed 1] [--check]

Devices ask at random times; the broker gives each request to the next member (Mosquitto knows nothing else). A gateway has SLOTS requests
under way and a line behind them; those whose deadline has passed are dropped unseen. Gateways differ in speed by four. One that expects a
request to wait longer than LEAVE unsubscribes, looks every CHECK seconds, and comes back below half of that. Every DEATHS seconds one dies
with what it holds; who asked asks again after RETRY. --check compares the runs and fails where leaving the pool does not help.
"""
import argparse
import heapq
import random
import sys

SLOTS, LINE = 4, 64
DEADLINE, RETRY, LEAVE, CHECK = 2.0, 2.0, 0.5, 2.0
SERVICE = (0.05, 0.1, 0.2)  # seconds in a slot: a third of the gateways each
BACK_AFTER = 5.0


class Gateway:
    def __init__(self, number):
        self.mean = SERVICE[number % len(SERVICE)]
        self.free = [0.0] * SLOTS  # when each slot is
        self.inside, self.down_until = [], 0.0  # ends of what it holds

    def wait(self, now):
        while self.inside and self.inside[0] <= now:
            heapq.heappop(self.inside)
        return len(self.inside) * self.mean / SLOTS

    def take(self, now, rng):
        """When the answer is there; None when it is dropped."""
        self.wait(now)
        if len(self.inside) >= SLOTS + LINE:
            return None
        start = max(now, self.free[0])
        if start - now > DEADLINE:
            return None
        end = start + rng.expovariate(1 / self.mean)
        heapq.heapreplace(self.free, end)
        heapq.heappush(self.inside, end)
        return end


def run(n, devices, seconds, load, leave, deaths, seed):
    rng = random.Random(seed)
    gateways = [Gateway(i) for i in range(n)]
    capacity = sum(SLOTS / g.mean for g in gateways)
    rate = load * capacity
    members, waits, lost, asked = list(gateways), [], 0, 0
    events = [(rng.expovariate(rate), 0, 0.0)]  # time, kind (0: a device asks, 1: asks again, 2: look, 3: death), first asked
    if leave:
        events.append((CHECK, 2, 0.0))
    if deaths:
        events.append((deaths, 3, 0.0))
    heapq.heapify(events)
    turn = 0
    doomed = {}  # of a gateway that dies: what it holds is asked again
    while events:
        now, kind, first = heapq.heappop(events)
        if now > seconds:
            break
        if kind == 2:
            members = [g for g in gateways if now >= g.down_until and g.wait(now) < (LEAVE if g in members else LEAVE / 2)] or gateways
            heapq.heappush(events, (now + CHECK, 2, 0.0))
            continue
        if kind == 3:
            dead = rng.choice(gateways)
            for entered in doomed.pop(id(dead), []):
                if entered[1] > now:
                    heapq.heappush(events, (now + RETRY, 1, entered[0]))
            dead.inside, dead.free, dead.down_until = [], [now + BACK_AFTER] * SLOTS, now + BACK_AFTER
            members = [g for g in members if g is not dead] or gateways
            heapq.heappush(events, (now + deaths, 3, 0.0))
            continue
        if kind == 0:
            first = now
            asked += 1
            heapq.heappush(events, (now + rng.expovariate(rate), 0, 0.0))
        if not leave and turn % 97 == 0:
            members = [g for g in gateways if now >= g.down_until] or gateways
        gateway = members[turn % len(members)]
        turn += 1
        end = gateway.take(now, rng)
        if end is None:
            lost += 1
        else:
            waits.append(end - first)
            if deaths:
                doomed.setdefault(id(gateway), []).append((first, end))
    waits.sort()
    pick = lambda q: waits[int(q * (len(waits) - 1))] * 1000  # noqa: E731
    return {"rate": rate, "per_device": rate / devices, "asked": asked, "p50": pick(0.5), "p99": pick(0.99), "lost": 100 * lost / max(1, asked)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gateways", type=int, default=1000)
    parser.add_argument("--devices", type=int, default=100000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    print("load  leaves  deaths   requests/s  per device/s   p50 ms   p99 ms  dropped %")
    results = {}
    for load in (0.3, 0.5, 0.7, 0.9):
        for leave, deaths in ((False, 0), (True, 0), (True, 1.0)):
            r = run(given.gateways, given.devices, given.seconds, load, leave, deaths, given.seed)
            results[load, leave, deaths] = r
            print(f"{load:4.1f}  {'yes' if leave else 'no':6}  {'1/s' if deaths else 'none':6} {r['rate']:11.0f} {r['per_device']:13.3f} "
                  f"{r['p50']:8.0f} {r['p99']:8.0f} {r['lost']:10.2f}")
    if given.check:
        for load in (0.7, 0.9):
            if results[load, True, 0]["lost"] > results[load, False, 0]["lost"]:
                print(f"leaving the pool does not help at load {load}")
                return 1
        print("1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
