// SPDX-License-Identifier: Apache-2.0
/// Mediators that tests install. The whole package goes into each bundle that [itest.bundles.MediatorBundle] builds and is loaded from
/// there: the test's own copy of a class is another class. What crosses between the two is the [itest.mediators.Board], made of the JDK's
/// types only, so that a test holds nothing of a bundle it wants to see gone.
package itest.mediators;
