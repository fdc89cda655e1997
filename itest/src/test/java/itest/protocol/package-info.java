// SPDX-License-Identifier: Apache-2.0
/// The protocol, a class a command: failures first. The server is the one of the runtime, in a real framework, before simulated devices;
/// the client and its codec are the tests' own. Each test leaves the process with the descriptors, threads and mappings it began with.
package itest.protocol;
