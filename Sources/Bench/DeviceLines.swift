// Devices with as many items as a workload wants, made of the generator's devices that have three.

import Foundation
import Workload

/// The features of the built-in price book that feed one item with a price each.
enum ItemFeatures {
    static let all = [
        "basic_analysis", "message_push", "data_sync", "h5_offline_package", "custom_analysis", "performance_analysis",
        "version_upgrade",
    ]
}

/// One event a device: of the three that each new device has, the first.
struct OneEventADevice: EventLines {
    private var stream: EventStream
    private var place = 0
    private var buffer: [UInt8] = []

    /// New devices come in blocks of so many, which send their first events, then their second ones, then their third.
    private static let block = 64

    /// - Parameter devices: rounded up to whole blocks, so that all blocks are alike.
    init(_ workload: Workload, devices: Int, on day: LocalDay) {
        let blocks = (devices + Self.block - 1) / Self.block
        stream = workload.newDevices(events: blocks * Self.block * 3, on: day)
    }

    mutating func append(to bytes: inout [UInt8], maxBytes: Int) -> Int {
        var taken = 0
        while taken == 0 {
            buffer.removeAll(keepingCapacity: true)
            guard stream.append(to: &buffer, maxBytes: maxBytes) > 0 else { return 0 }
            buffer.eachLine { line in
                if place % (3 * Self.block) < Self.block {
                    bytes.append(contentsOf: line)
                    taken += 1
                }
                place += 1
            }
        }
        return taken
    }
}

/// Each event of another sequence once for each feature.
struct EveryFeature<Base: EventLines>: EventLines {
    private var base: Base
    private var buffer: [UInt8] = []

    init(_ base: Base) { self.base = base }

    mutating func append(to bytes: inout [UInt8], maxBytes: Int) -> Int {
        buffer.removeAll(keepingCapacity: true)
        let count = base.append(to: &buffer, maxBytes: maxBytes / ItemFeatures.all.count)
        buffer.eachLine { line in
            guard let place = EventFields(line).range(of: .feature) else { return }
            for feature in ItemFeatures.all {
                bytes.append(contentsOf: line[..<place.lowerBound])
                bytes += feature.utf8
                bytes.append(contentsOf: line[place.upperBound...])
            }
        }
        return count * ItemFeatures.all.count
    }
}
