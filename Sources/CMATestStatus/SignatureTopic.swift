// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem
internal import Kmod

/// Whether the kernel asks for a signature, and whether it would take the module's.
/// (`module_sig_check` in `kernel/module/signing.c`)
struct SignatureTopic: Topic {
  static let name = "signature"

  private static let secureBootVariable =
    "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

  /// Whether Secure Boot is on; nil without EFI.
  let secureBoot: Bool?
  /// `none`, `integrity` or `confidentiality`; nil where it cannot be read.
  let lockdown: String?
  /// module.sig_enforce; nil in a kernel that knows no signatures.
  let isEnforced: Bool?
  /// Whether the module has a signature; nil where there is no module to look at.
  let isSigned: Bool?
  let signer: String?
  /// Whether the kernel trusts the signature; nil where that cannot be told.
  let isTrusted: Bool?
  private let release: String
  /// The path of DKMS's certificate.
  private let certificate: DKMSSettings.Setting
  private let hasCertificate: Bool
  /// The certificate is text, which mokutil does not take.
  private let isText: Bool
  /// Whether the signature is of DKMS's certificate; nil where it names none.
  private let isOfDKMS: Bool?
  private let isBootedByEFI: Bool
  /// DKMS makes its certificate with openssl(1), which no package of its own asks for.
  private let hasOpenSSL: Bool

  init(_ inputs: StatusInputs) {
    let machine = inputs.machine
    release = inputs.release ?? ""
    isBootedByEFI = machine.exists("/sys/firmware/efi")
    hasOpenSSL = machine.program("openssl") != nil
    // Four bytes of attributes, then the value.
    secureBoot = (try? contents(of: machine.path(Self.secureBootVariable)))
      .flatMap { $0.count == 5 ? $0[4] == 1 : nil }
    lockdown = (try? machine.line("/sys/kernel/security/lockdown")).flatMap { line in
      line.split(separator: " ").first { $0.hasPrefix("[") }
        .map { String($0.dropFirst().dropLast()) }
    }
    isEnforced = (try? machine.line("/sys/module/module/parameters/sig_enforce")).map { $0 == "Y" }
    let found = inputs.modprobe.found.flatMap { $0.information.isEmpty ? nil : $0 }
    isSigned = found.map { $0["sig_id"] != nil }
    signer = found?["signer"].flatMap { $0.isEmpty ? nil : $0 }
    certificate = DKMSSettings(machine, release: release).certificate
    let enrolment = Enrolment(machine, certificate: certificate.value)
    hasCertificate = enrolment.hasCertificate
    isText = enrolment.isText
    let serial = found?["sig_key"].flatMap { Enrolment.bytes(hexadecimal: $0) }
    isOfDKMS = serial.map { enrolment.isOfDKMS(serial: $0) }
    if let signer, let serial {
      isTrusted = enrolment.trusts(signer: signer, serial: serial)
    } else {
      isTrusted = isSigned == false ? false : nil
    }
  }

  /// The reason for which the kernel asks for a signature; nil where it asks for none.
  private var reason: String? {
    if isEnforced == true { return "module.sig_enforce is on" }
    guard let lockdown, lockdown != "none" else { return nil }
    return "the kernel is locked down (\(lockdown))"
  }

  /// Builds the module anew, as DKMS signs when it builds: installing alone takes the module as it is.
  private var build: String {
    let module = "\(DKMSTree.package)/\(packageVersion) -k \(release)"
    return "dkms build --force \(module) && dkms install --force \(module)"
  }

  /// What is not known of the certificate, and how to see it; empty where all is.
  private var doubt: String {
    guard let doubt = certificate.doubt else { return "" }
    return "; which certificate DKMS signs with is not known, since \(doubt): the build names it "
      + "as 'Public certificate (MOK)', for mokutil --import"
  }

  /// Makes the certificate that DKMS signs with, where it is not there; DKMS builds without a signature
  /// where it cannot.
  private var makeCertificate: [String] {
    guard !hasCertificate, certificate.value != nil else { return [] }
    return (hasOpenSSL ? [] : ["apt install openssl"]) + ["dkms generate_mok"]
  }

  /// Tells shim of the certificate that DKMS signs with, made first where it is not there, and the
  /// module signed with it first where it was signed with another.
  private var enrol: String {
    guard let certificate = certificate.value else { return build }
    var steps = makeCertificate
    if !hasCertificate || isOfDKMS == false { steps.append(build) }
    if isText {
      steps.append(
        "openssl x509 -in \(shellWord(certificate)) -outform DER -out "
          + shellWord(certificate + ".der"))
    }
    steps.append("mokutil --import " + shellWord(certificate + (isText ? ".der" : "")))
    return steps.joined(separator: " && ")
  }

  var findings: [Finding] {
    guard let reason else { return [unasked] }
    guard let isSigned else { return [.notice("\(reason), and there is no module to look at")] }
    guard isSigned else {
      return [
        .wrong(
          "\(reason), and the module is not signed",
          remedy: (makeCertificate + [build]).joined(separator: " && "),
          .signatureRejected)
      ]
    }
    let by = signer.map { "signed by '\($0)'" } ?? "signed"
    switch isTrusted {
    case true?:
      return [.good("\(reason), and the module is \(by), which the kernel trusts")]
    case false?:
      return [
        .wrong(
          "\(reason), and the module is \(by), whose key is not enrolled: modprobe says "
            + "'Key was rejected by service' or 'Operation not permitted'; "
            // Else mokutil says that EFI variables are not supported, and no more.
            + (isBootedByEFI ? "" : "boot with EFI, which did not boot this machine, then ")
            + "enrol the key and reboot" + doubt,
          remedy: enrol, .signatureRejected)
      ]
    case nil:
      return [
        .notice(
          "\(reason), and the module is \(by); whether that key is enrolled is not known"
            + doubt,
          remedy: certificate.value.map { "mokutil --test-key \(shellWord($0))" } ?? build,
          code: .signatureRejected)
      ]
    }
  }

  /// Nothing asks for a signature now.
  private var unasked: Finding {
    if lockdown == nil, secureBoot == true {
      return .notice(
        "Secure Boot is on, and whether the kernel is locked down cannot be read",
        remedy: "cat /sys/kernel/security/lockdown", code: .signatureRejected)
    }
    let secure = secureBoot == true ? ", though Secure Boot is on" : ""
    return .good("the kernel asks for no signature\(secure)")
  }

  var facts: [JSON.Member] {
    func json(_ value: Bool?) -> JSON { value.map(JSON.bool) ?? .null }
    return [
      JSON.Member("secure_boot", json(secureBoot)),
      JSON.Member("lockdown", JSON(lockdown)),
      JSON.Member("sig_enforce", json(isEnforced)),
      JSON.Member("signed", json(isSigned)),
      JSON.Member("signer", JSON(signer)),
      JSON.Member("trusted", json(isTrusted)),
      JSON.Member("certificate", JSON(certificate.value)),
    ]
  }
}
