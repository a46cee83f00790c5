// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestDevice
public import CMATestSystem

/// The running kernel with the device open, and its areas.
public struct Subject: Sendable {
  public let kernel: RunningKernel
  public let information: DeviceInformation
  public let areas: [AreaInformation]

  /// - Parameter ownerCommand: see `RunningKernel`.
  /// - Throws: why the device cannot be used.
  public init(ownerCommand: [String]) throws(SubjectFailure) {
    do throws(SystemFailure) {
      let file = try KernelDevice()
      do throws(DeviceFailure) {
        let information = try file.information()
        self.information = information
        var areas: [AreaInformation] = []
        for index in 0..<information.areas { areas.append(try file.area(index)) }
        self.areas = areas
      } catch {
        throw SystemFailure(.ioctl, KernelDevice.path, error.code)
      }
      kernel = try RunningKernel(
        file: file, pageSize: information.pageSize, ownerCommand: ownerCommand)
    } catch {
      throw SubjectFailure(cause: error)
    }
  }

  /// The area of a name.
  ///
  /// - Parameter name: nil for the default one.
  /// - Returns: nil where there is no such area.
  public func area(named name: String?) -> AreaInformation? {
    guard let name else { return areas.first { $0.isDefault } }
    return areas.first { $0.name == name }
  }
}

/// Why /dev/cmatest cannot be used.
public struct SubjectFailure: Error, Equatable, Sendable {
  public var cause: SystemFailure

  /// One line.
  public var message: String {
    "cannot \(cause.call.rawValue) \(cause.path): \(cause.reason)"
  }

  /// What to do next; one line.
  public var remedy: String {
    switch cause.code {
    case SystemFailure.noSuchFile:
      "load the module with 'modprobe cmatest alloc_count=0'"
    case SystemFailure.notPermitted, SystemFailure.accessDenied:
      "run it as root, outside a container"
    case SystemFailure.protocolNotSupported:
      "load the module of this version: 'rmmod cmatest', then 'modprobe cmatest alloc_count=0'"
    default:
      "look for 'cmatest' in the output of dmesg"
    }
  }
}
