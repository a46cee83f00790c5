// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// Whether the kernel trusts the certificate that a module was signed with.
///
/// A signature names its certificate by serial number. The kernel trusts those of the firmware's
/// and of shim's lists, which lie in EFI variables as the certificates themselves, so that the
/// serial number can be looked for there; and those in its keyrings, of which /proc/keys says no
/// more than the subject and the subject's key identifier.
struct Enrolment {
  private static let lists = [
    "/sys/firmware/efi/mok-variables/MokListRT",
    "/sys/firmware/efi/efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23",
    "/sys/firmware/efi/efivars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f",
  ]

  private let lists: [[UInt8]]
  /// Nil where it cannot be read.
  private let keys: [UInt8]?
  /// The bytes of DKMS's certificate, in the form that the kernel and shim have; empty where there
  /// is none.
  private let certificate: [UInt8]
  /// Whether the file is text (PEM), which mokutil(1) does not take.
  let isText: Bool

  /// - Parameters:
  ///   - machine: whose kernel.
  ///   - path: of DKMS's certificate; nil where it is not known.
  init(_ machine: Machine, certificate path: String?) {
    lists = Self.lists.compactMap { try? contents(of: machine.path($0)) }
    keys = try? contents(of: machine.path("/proc/keys"))
    let file = path.flatMap { try? contents(of: machine.path($0)) } ?? []
    let binary = Self.certificate(inText: file)
    isText = binary != nil
    certificate = binary ?? file
  }

  /// Whether there is a certificate.
  var hasCertificate: Bool { !certificate.isEmpty }

  /// Whether DKMS's certificate has that serial number, and so is the one of the module's signature.
  func isOfDKMS(serial: [UInt8]) -> Bool { Self.holds(certificate, serial: serial) }

  /// The first certificate in a file of the form of PEM.
  private static func certificate(inText text: [UInt8]) -> [UInt8]? {
    let lines = text.split(separator: UInt8(ascii: "\n")).map {
      $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0
    }
    guard let start = lines.firstIndex(where: { $0.elementsEqual(Self.beginning.utf8) }) else {
      return nil
    }
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in lines[(start + 1)...].prefix(while: { $0.first != UInt8(ascii: "-") }).joined() {
      guard let digit = Self.digits.firstIndex(of: byte) else { continue }
      bits = bits << 6 | UInt32(digit)
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return bytes
  }

  private static let beginning = "-----BEGIN CERTIFICATE-----"
  /// Of base64.
  private static let digits = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// - Parameters:
  ///   - signer: the name of the certificate's issuer; DKMS's certificate is its own.
  ///   - serial: its serial number.
  /// - Returns: nil where that cannot be told.
  func trusts(signer: String, serial: [UInt8]) -> Bool? {
    if lists.contains(where: { Self.holds($0, serial: serial) }) { return true }
    guard let keys else { return nil }
    let listed = Self.keyIdentifiers(of: signer, in: keys)
    if listed.isEmpty { return false }
    // A key of that name may be an older one of the same maker.
    guard Self.holds(certificate, serial: serial) else { return nil }
    return listed.contains { certificate.contains($0) }
  }

  /// Whether there is an INTEGER of DER with that value.
  private static func holds(_ text: [UInt8], serial: [UInt8]) -> Bool {
    guard !serial.isEmpty, serial.count < 127 else { return false }
    // DER puts a 0 before a value that would be negative without it.
    let value = (serial[0] & 0x80 == 0 ? [] : [0]) + serial
    return text.contains([0x02, UInt8(value.count)] + value)
  }

  /// The identifiers in the lines `… asymmetri SUBJECT: IDENTIFIER: X509.…` of /proc/keys.
  private static func keyIdentifiers(of subject: String, in keys: [UInt8]) -> [[UInt8]] {
    let start = " asymmetri \(subject): "
    return keys.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let words = String(decoding: line, as: UTF8.self)
        .split(separator: " ").joined(separator: " ")
      guard let range = words.ranges(of: start).first else { return nil }
      return bytes(hexadecimal: words[range.upperBound...].prefix { $0 != ":" })
    }
  }

  /// Reads pairs of hexadecimal digits.
  ///
  /// - Parameter digits: the digits; colons between them are passed over.
  /// - Returns: nil where they are none.
  static func bytes(hexadecimal digits: some StringProtocol) -> [UInt8]? {
    let digits = digits.utf8.filter { $0 != UInt8(ascii: ":") }
    guard digits.count % 2 == 0, !digits.isEmpty else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt64(hexadecimal: digits[index..<index + 2]) else { return nil }
      bytes.append(UInt8(byte))
    }
    return bytes
  }
}

extension [UInt8] {
  /// Whether `part` is somewhere in it.
  fileprivate func contains(_ part: [UInt8]) -> Bool {
    guard !part.isEmpty, count >= part.count else { return false }
    return (0...(count - part.count)).contains { self[$0...].starts(with: part) }
  }
}
