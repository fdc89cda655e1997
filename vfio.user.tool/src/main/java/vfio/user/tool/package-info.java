// SPDX-License-Identifier: Apache-2.0
/// Programs for the command line that talk to a vfio-user server, this project's or another's: what `./vfio probe` and `./vfio replay` run.
/// They need no runtime: the bundles are on their class path as plain libraries.
package vfio.user.tool;
