// SPDX-License-Identifier: Apache-2.0
/// Builds bundles inside the framework under test, and installs and uninstalls them.
package itest.bundles;
