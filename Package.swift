// swift-tools-version: 6.0
// SPDX-License-Identifier: GPL-2.0-or-later
import Foundation
import PackageDescription

// The one version is that of debian/changelog. SwiftPM caches manifests by their own text, so a
// build that must see a new changelog passes `--manifest-cache none`, as debian/rules does.
let changelog = Context.packageDirectory + "/debian/changelog"
guard
  let head = try? String(contentsOfFile: changelog, encoding: .utf8).prefix(while: { $0 != "\n" }),
  let open = head.firstIndex(of: "("), let close = head.firstIndex(of: ")"), open < close
else {
  fatalError("read the version from \(changelog): no first line of the form 'cma-test (VERSION) …'")
}
// Upstream's part of it, as in the module and in DKMS: what follows the last hyphen is Debian's.
let whole = head[head.index(after: open)..<close]
let version = whole.lastIndex(of: "-").map { whole[..<$0] } ?? whole

// An unpacked source package carries the one dependency as a component, so that it builds offline.
let component = "swift-argument-parser"
let argumentParser: Package.Dependency =
  FileManager.default.fileExists(
    atPath: Context.packageDirectory + "/\(component)/Package.swift")
  ? .package(path: component)
  : .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2")

// CI makes warnings errors in this package's own targets; a dependency's are not ours to mend.
let strict = Context.environment["CMA_TEST_STRICT"] == "1"
let settings: [SwiftSetting] =
  [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ] + (strict ? [.unsafeFlags(["-warnings-as-errors"])] : [])

// What debian/rules has from dpkg-buildflags, for the targets in C alone: `-Xcc` would give the flags to
// Swift's importer, too, for which the C library's functions become ambiguous with _FORTIFY_SOURCE.
let compilerFlags = (Context.environment["CMA_TEST_CFLAGS"] ?? "").split(separator: " ")
let cSettings: [CSetting] =
  compilerFlags.isEmpty ? [] : [.unsafeFlags(compilerFlags.map(String.init))]

let package = Package(
  name: "cma-test",
  products: [
    .executable(name: "cma-test", targets: ["cma-test"]),
    .executable(name: "cma-test-configure", targets: ["cma-test-configure"]),
  ],
  dependencies: [argumentParser],
  // From the ground up: a target depends on none below it in this list, and SwiftPM refuses a circle.
  targets: [
    // What Swift lacks, in C. CLibkmod is no system library, for it is not linked: Sources/CLibkmod
    // says why.
    .target(name: "CLibkmod", cSettings: cSettings),
    .target(
      name: "CVersion",
      cSettings: [.define("CMA_TEST_VERSION", to: "\"\(version)\"")] + cSettings),
    .target(name: "CLinux", cSettings: cSettings),
    .target(name: "CCMATestABI", cSettings: cSettings),
    // Three that know nothing of each other: values, system calls, libkmod.
    .target(name: "CMATestCore", dependencies: ["CVersion"], swiftSettings: settings),
    .target(name: "CMATestSystem", dependencies: ["CLinux"], swiftSettings: settings),
    .target(name: "Kmod", dependencies: ["CLibkmod"], swiftSettings: settings),
    // What shells make of the files that they source; the boot helper does without.
    .target(name: "CMATestShell", swiftSettings: settings),
    // The machine that these three make.
    .target(
      name: "CMATestMachine", dependencies: ["CMATestCore", "CMATestSystem", "Kmod"],
      swiftSettings: settings),
    // The road to `modprobe cmatest`.
    .target(
      name: "CMATestConfigure",
      dependencies: ["CMATestCore", "CMATestMachine", "CMATestSystem", "Kmod"],
      swiftSettings: settings),
    .target(
      name: "CMATestReserve",
      dependencies: ["CMATestCore", "CMATestMachine", "CMATestShell", "CMATestSystem"],
      swiftSettings: settings),
    .target(
      name: "CMATestStatus",
      dependencies: [
        "CMATestConfigure", "CMATestCore", "CMATestMachine", "CMATestShell", "CMATestSystem",
        "Kmod",
      ],
      swiftSettings: settings),
    // The module at work.
    .target(
      name: "CMATestDevice",
      dependencies: ["CCMATestABI", "CLinux", "CMATestCore", "CMATestMachine", "CMATestSystem"],
      swiftSettings: settings),
    // Results and their forms, of whatever was measured.
    .target(
      name: "CMATestBench",
      dependencies: ["CLinux", "CMATestCore", "CMATestDevice", "CMATestMachine", "CMATestSystem"],
      swiftSettings: settings),
    .target(
      name: "CMATestHolders",
      dependencies: ["CLinux", "CMATestCore", "CMATestDevice", "CMATestMachine", "CMATestSystem"],
      swiftSettings: settings),
    .target(
      name: "CMATestReport",
      dependencies: ["CMATestBench", "CMATestCore", "CMATestDevice", "CMATestHolders"],
      swiftSettings: settings),
    .target(
      name: "CMATestSuite",
      dependencies: ["CMATestCore", "CMATestDevice", "CMATestReport", "CMATestSystem"],
      swiftSettings: settings),
    // The programs.
    .executableTarget(
      name: "cma-test-configure",
      dependencies: ["CMATestConfigure", "CMATestCore", "CMATestMachine", "CMATestSystem"],
      swiftSettings: settings),
    .executableTarget(
      name: "cma-test",
      dependencies: [
        "CMATestBench", "CMATestConfigure", "CMATestCore", "CMATestDevice", "CMATestHolders",
        "CMATestMachine", "CMATestReport", "CMATestReserve", "CMATestStatus", "CMATestSuite",
        "CMATestSystem",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .target(
      name: "TestSupport", dependencies: ["CMATestMachine", "CMATestSystem"],
      path: "Tests/TestSupport", swiftSettings: settings),
    .testTarget(
      name: "CMATestCoreTests", dependencies: ["CMATestCore", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "CMATestSystemTests", dependencies: ["CMATestMachine", "CMATestSystem", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "CMATestMachineTests",
      dependencies: ["CMATestMachine", "CMATestSystem", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "CMATestConfigureTests",
      dependencies: [
        "CMATestConfigure", "CMATestCore", "CMATestMachine", "CMATestSystem", "TestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "CMATestReserveTests",
      dependencies: [
        "CMATestCore", "CMATestMachine", "CMATestReserve", "CMATestSystem", "TestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "CMATestBenchTests",
      dependencies: [
        "CMATestBench", "CMATestCore", "CMATestDevice", "CMATestMachine", "CMATestReport",
        "CMATestSystem", "TestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "CMATestHoldersTests",
      dependencies: [
        "CMATestBench", "CMATestCore", "CMATestDevice", "CMATestHolders", "CMATestMachine",
        "CMATestReport", "CMATestSystem", "TestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "CMATestStatusTests",
      dependencies: [
        "CMATestConfigure", "CMATestCore", "CMATestMachine", "CMATestStatus", "CMATestSystem",
        "TestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "CMATestSuiteTests",
      dependencies: [
        "cma-test", "CCMATestABI", "CMATestBench", "CMATestCore", "CMATestDevice", "CMATestHolders",
        "CMATestMachine",
        "CMATestReport", "CMATestSuite", "CMATestSystem", "TestSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "cma-test", "cma-test-configure", "CMATestBench", "CMATestCore", "CMATestDevice",
        "CMATestReport",
        "CMATestSuite", "CMATestSystem", "TestSupport",
      ],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11
)
