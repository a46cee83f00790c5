// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestConfigure
import CMATestCore
import CMATestMachine
import CMATestStatus
import CMATestSystem
import TestSupport
import Testing

private let mokList =
  "/sys/firmware/efi/efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23"
private let secureBoot =
  "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
private let enforce = "/sys/module/module/parameters/sig_enforce"
private let lockdown = "/sys/kernel/security/lockdown"

@Suite struct SignatureTests {
  private let tree: CopiedTree
  private let certificate: [UInt8]

  init() throws {
    tree = try CopiedTree()
    try tree.addWorkingModule(version: packageVersion)
    _ = try Configurator(machine: tree.machine).configure()
    certificate = try sourceBytes("Tests/Fixtures/signing/certificate.der")
    try tree.write(certificate, to: "/var/lib/dkms/mok.pub")
    var module = ModuleFile.cmatest(version: packageVersion, release: "7.3.4+deb13-amd64")
    module.signature = try sourceBytes("Tests/Fixtures/signing/signature.p7s")
    try tree.addModule(module)
    try tree.write("", to: "/proc/keys")
  }

  private var finding: Finding? {
    Status(of: tree.machine).entries.first { $0.name == "signature" }?.findings.first
  }

  private var facts: [JSON.Member] {
    Status(of: tree.machine).entries.first { $0.name == "signature" }?.facts ?? []
  }

  @Test func nothingAsksForASignature() throws {
    #expect(finding?.mark == .good)
    #expect(facts.contains(JSON.Member("signer", "DKMS module signing key")))
    try tree.write([6, 0, 0, 0, 1], to: secureBoot)
    #expect(finding?.text.contains("though Secure Boot is on") == true)
  }

  @Test(arguments: [
    (enforce, "Y\n"), (lockdown, "none [integrity] confidentiality\n"),
    (lockdown, "none integrity [confidentiality]\n"),
  ])
  func keyOfDKMSIsNotEnrolled(_ file: String, _ text: String) throws {
    try tree.write(text, to: file)
    #expect(finding?.mark == .wrong && finding?.code == .signatureRejected)
    #expect(finding?.text.contains("Key was rejected by service") == true)
    #expect(finding?.remedy == "mokutil --import /var/lib/dkms/mok.pub")
    #expect(Status(of: tree.machine).exitStatus == .signatureRejected)
    #expect(
      finding?.text.hasSuffix(
        "'; boot with EFI, which did not boot this machine, then enrol the key and reboot") == true)
    try tree.write([6, 0, 0, 0, 1], to: secureBoot)
    #expect(finding?.text.hasSuffix("'; enrol the key and reboot") == true)
  }

  @Test func keyOfDKMSIsEnrolledByShim() throws {
    try tree.write("Y\n", to: enforce)
    try tree.write([6, 0, 0, 0] + [UInt8](repeating: 7, count: 44) + certificate, to: mokList)
    #expect(finding?.mark == .good)
    #expect(Status(of: tree.machine).exitStatus == .success)
  }

  @Test func anOlderKeyOfDKMSIsNoHelp() throws {
    try tree.write("Y\n", to: enforce)
    let other = """
      1f8c1b2a I------     1 perm 1f030000     0     0 asymmetri DKMS module signing key: \
      00112233445566778899aabbccddeeff00112233: X509.rsa ddeeff00 []

      """
    try tree.write(other, to: "/proc/keys")
    #expect(finding?.mark == .wrong)
    let ours = other.replacing(
      "00112233445566778899aabbccddeeff00112233", with: "b796e18571a941cc86ff154e72512c21735133d2")
    try tree.write(other + ours, to: "/proc/keys")
    #expect(finding?.mark == .good)
  }

  @Test func saysThatItDoesNotKnowWhereItMayNotLook() throws {
    try tree.write("Y\n", to: enforce)
    try tree.remove("/proc/keys")
    #expect(finding?.mark == .notice && finding?.code == .signatureRejected)
    #expect(finding?.remedy == "mokutil --test-key /var/lib/dkms/mok.pub")
    try tree.write("N\n", to: enforce)
    try tree.write([6, 0, 0, 0, 1], to: secureBoot)
    try tree.remove(lockdown)
    #expect(finding?.mark == .notice && finding?.code == .signatureRejected)
  }

  /// DKMS reads framework.conf, then framework.conf.d in the shell's order; the last one counts.
  @Test(arguments: [
    (["framework.conf.d/mok.conf": "mok_certificate=\"/srv/mok/MOK.der\""], "/srv/mok/MOK.der"),
    (["framework.conf": "mok_certificate='/a.der'"], "/a.der"),
    (
      ["framework.conf": "mok_certificate=/a", "framework.conf.d/x.conf": "mok_certificate=/b"],
      "/b"
    ),
    (
      [
        "framework.conf.d/1.conf": "mok_certificate=/a",
        "framework.conf.d/2.conf":
          "mok_certificate=/b",
      ], "/b"
    ),
    (["framework.conf.d/x.conf": "# mok_certificate=/a"], "/var/lib/dkms/mok.pub"),
    (["framework.conf.d/x.conf.bak": "mok_certificate=/a"], "/var/lib/dkms/mok.pub"),
    (["framework.conf.d/.x.conf": "mok_certificate=/a"], "/var/lib/dkms/mok.pub"),
    (["framework.conf": "mok_certificate=\"/k/$kernelver.der\""], "/k/7.3.4+deb13-amd64.der"),
    (["framework.conf": "d=/k\nmok_certificate=${d}/a.der\r"], "/k/a.der"),
    (["framework.conf": "mok_certificate=/k/\\$kernelver"], "/k/7.3.4+deb13-amd64"),
    (["framework.conf": "mok_certificate="], "/var/lib/dkms/mok.pub"),
  ])
  func theCertificateThatDKMSIsSetTo(_ files: [String: String], _ path: String) throws {
    for (name, text) in files { try tree.write("\(text)\n", to: "/etc/dkms/\(name)") }
    try tree.write(certificate, to: path)
    try tree.write("Y\n", to: enforce)
    #expect(finding?.remedy == "mokutil --import \(path)")
  }

  /// What DKMS's shell makes of the file is then known to nobody else.
  @Test(arguments: [
    "mok_certificate=\"$(ls /srv/*.der)\"", "mok_certificate=`cat /etc/mok`",
    "mok_certificate=${MOK:-/a}", "mok_certificate=${dkms_tree%/x}/a",
    "mok_certificate=$HOME/mok.der", "mok_certificate='$HOME/a'",
    "mok_certificate=/k/\\$(uname -r)", "[ -f /a ] && mok_certificate=/a",
    "if [ -f /a ]; then\n  mok_certificate=/a\nfi", "for i in /a /b; do\nmok_certificate=$i\ndone",
    ". /etc/dkms/site.sh", "source /etc/dkms/site.sh", "eval $MOK", "unset mok_certificate",
    "read -r mok_certificate </etc/mok", "true; . /etc/site",
  ])
  func aCertificateThatOnlyAShellCanTellIsNotNamed(_ text: String) throws {
    try tree.write("\(text)\n", to: "/etc/dkms/framework.conf.d/mok.conf")
    try tree.write("Y\n", to: enforce)
    let file = "/etc/dkms/framework.conf.d/mok.conf sets mok_certificate to"
    #expect(finding?.mark == .wrong && finding?.remedy == build)
    #expect(
      finding?.text.contains("is not known, since only a shell can tell what \(file)") == true)
    #expect(facts.contains(JSON.Member("certificate", nil)))
    try tree.remove("/proc/keys")
    #expect(finding?.mark == .notice && finding?.remedy == build)
    #expect(finding?.text.contains(file) == true)
  }

  @Test(arguments: [
    "if [ -d /big ]; then\n  tmp_location=/big\nfi\nmok_certificate=/a",
    "export mok_certificate=/a",
    "mok_certificate=/a\nexport mok_certificate", "# . /etc/x\nmok_certificate=/a",
    "post_transaction=\"$(hook)\"\nmok_certificate=/a",
  ])
  func whatDoesNotConcernTheCertificateLeavesItKnown(_ text: String) throws {
    try tree.write("\(text)\n", to: "/etc/dkms/framework.conf")
    try tree.write(certificate, to: "/a")
    try tree.write("Y\n", to: enforce)
    #expect(finding?.remedy == "mokutil --import /a")
  }

  @Test func aCertificateInTheFolderThatDKMSHasItself() throws {
    try tree.write("mok_certificate=$dkms_tree/own.der\n", to: "/etc/dkms/framework.conf")
    try tree.write(certificate, to: "/var/lib/dkms/own.der")
    try tree.write("Y\n", to: enforce)
    #expect(finding?.remedy == "mokutil --import /var/lib/dkms/own.der")
  }

  @Test func aCertificateThatIsTextIsConvertedFirst() throws {
    try tree.write(certificate, to: "/der")
    try tree.run(
      "openssl x509 -inform DER -in \(tree.root)/der -out \(tree.root)/var/lib/dkms/mok.pub")
    try tree.write("Y\n", to: enforce)
    #expect(
      finding?.remedy
        == "openssl x509 -in /var/lib/dkms/mok.pub -outform DER -out /var/lib/dkms/mok.pub.der "
        + "&& mokutil --import /var/lib/dkms/mok.pub.der")
    // It is known as the one that the module was signed with, all the same.
    try tree.write(
      "1f8c1b2a I------     1 perm 1f030000     0     0 asymmetri DKMS module signing key: "
        + "b796e18571a941cc86ff154e72512c21735133d2: X509.rsa ddeeff00 []\n", to: "/proc/keys")
    #expect(finding?.mark == .good)
  }

  /// Installing alone would take the module as it was built, with the signature that it had.
  private let build =
    "dkms build --force cma-test/\(packageVersion) -k 7.3.4+deb13-amd64 "
    + "&& dkms install --force cma-test/\(packageVersion) -k 7.3.4+deb13-amd64"

  @Test func aCertificateThatIsNotThereOrNotTheModulesIsMadeOrUsedFirst() throws {
    try tree.write("Y\n", to: enforce)
    try tree.write([0x30, 0x03, 0x02, 0x01, 0x01], to: "/var/lib/dkms/mok.pub")
    #expect(finding?.remedy == "\(build) && mokutil --import /var/lib/dkms/mok.pub")
    try tree.remove("/var/lib/dkms/mok.pub")
    #expect(
      finding?.remedy
        == "apt install openssl && dkms generate_mok && \(build) "
        + "&& mokutil --import /var/lib/dkms/mok.pub")
    try tree.addProgram("/usr/bin/openssl", "#!/bin/sh\n")
    #expect(
      finding?.remedy
        == "dkms generate_mok && \(build) && mokutil --import /var/lib/dkms/mok.pub")
  }

  @Test func moduleIsNotSigned() throws {
    try tree.addModule(.cmatest(version: packageVersion, release: "7.3.4+deb13-amd64"))
    try tree.write("Y\n", to: enforce)
    #expect(finding?.text.contains("the module is not signed") == true)
    #expect(finding?.remedy == build)
    // As DKMS builds where there is no openssl(1).
    try tree.remove("/var/lib/dkms/mok.pub")
    #expect(
      finding?.remedy == "apt install openssl && dkms generate_mok && \(build)")
  }

  @Test func nobodyIsToldToSwitchSecureBootOff() throws {
    try tree.write([6, 0, 0, 0, 1], to: secureBoot)
    try tree.write("none [integrity] confidentiality\n", to: lockdown)
    let text = StatusReport.text(Status(of: tree.machine), for: .none)
    #expect(!text.contains("isable") && text.contains("mokutil --import"))
  }
}
