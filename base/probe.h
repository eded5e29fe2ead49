/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe - places that tracers (bpftrace, perf, SystemTap, gdb) can attach to while edged runs
 *
 * Each is one nop and a note in the program (sys/sdt.h of SystemTap); built without that header there is
 * nothing. Arguments are what is at hand anyway. docs/observability.md lists them, tests/lint/probes.py holds it
 * against the code and the program.
 */
#ifndef BASE_PROBE_H
#define BASE_PROBE_H

#ifdef EDGED_PROBES
#include <sys/sdt.h>
#define PROBE2(name, a, b) DTRACE_PROBE2(edged, name, a, b)
#define PROBE3(name, a, b, c) DTRACE_PROBE3(edged, name, a, b, c)
#define PROBE4(name, a, b, c, d) DTRACE_PROBE4(edged, name, a, b, c, d)
#define PROBE5(name, a, b, c, d, e) DTRACE_PROBE5(edged, name, a, b, c, d, e)
#else
#define PROBE_NOTHING(...) ((void)sizeof(#__VA_ARGS__))
#define PROBE2(name, ...) PROBE_NOTHING(__VA_ARGS__)
#define PROBE3(name, ...) PROBE_NOTHING(__VA_ARGS__)
#define PROBE4(name, ...) PROBE_NOTHING(__VA_ARGS__)
#define PROBE5(name, ...) PROBE_NOTHING(__VA_ARGS__)
#endif

#endif
