// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestSystem

/// A reason why pages of this process were not placed.
public enum PlacementFailure: Error, Equatable, Sendable {
  /// The machine or its limits do not allow the placement; the words say why.
  case impossible(String)
  case device(DeviceFailure)
  case system(SystemFailure)

  /// - Parameter error: the failure of the request that places a block.
  init(_ error: DeviceFailure) {
    self =
      if error.isNotSupported {
        .impossible(
          "the area does not release single pages, as an area for huge pages does not, or the "
            + "kernel was built without CONFIG_DEVICE_MIGRATION")
      } else if error.isNoSuchRequest {
        .impossible("the module that is loaded is older than this command and cannot place pages")
      } else {
        .device(error)
      }
  }
}
