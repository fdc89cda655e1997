// SPDX-License-Identifier: Apache-2.0
/// What a message over the socket costs: the server in a process of its own, a client that costs the same whatever it talks to, and as
/// the limit an echo of the same bytes. Start at [bench.socket.Main].
package bench.socket;
