/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe - static trace points (USDT) for bpftrace, perf, SystemTap and gdb
 *
 * Each is a nop and a note in the program (sys/sdt.h of SystemTap). Without that header they
 * compile to nothing. Arguments must need no extra computation. docs/observability.md lists the
 * probes; tests/lint/probes.py compares the list with the code and the program.
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
