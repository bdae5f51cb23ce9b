// Programs whose calls to the system are watched, fail, or see another time: settings of the library in Tests/Interposer.

import BuiltProgram
import Foundation

/// What the interposer is to do in a program that is started with its environment.
package struct Interposition: Sendable {
    /// Only files below it are of concern.
    package var folder: String
    /// Where to append what happens to them; outside of the folder.
    package var journal: String?
    package var faults: [Fault] = []
    /// Where to append a line for each call that a fault met.
    package var met: String?
    /// A file with the seconds to add to the wall clock and to the clock since boot, and what the kernel says of its clock
    /// (see `Tests/Interposer/clock.c`). It is read at each look at a clock and may be written while the program runs;
    /// without it the clocks are right.
    package var clock: String?

    /// A file: while it is there, the calls wait whose fault is ``Fault/Action/hold``.
    package var hold: String?

    package init(folder: String) { self.folder = folder }

    package static let library = BuiltProgram.path(of: "libInterposer.so")

    /// What to add to a program's environment.
    package var environment: [String: String] {
        var environment = ["LD_PRELOAD": Self.library, "INTERPOSER_FOLDER": folder]
        environment["INTERPOSER_JOURNAL"] = journal
        environment["INTERPOSER_CLOCK"] = clock
        environment["INTERPOSER_MET"] = met
        environment["INTERPOSER_HOLD"] = hold
        if !faults.isEmpty { environment["INTERPOSER_FAULT"] = faults.map(\.setting).joined(separator: ",") }
        return environment
    }
}

/// A call that a fault met.
package struct MetFault: Equatable, Sendable {
    /// The fault's place among those that were set.
    package let fault: Int
    /// The call's number, counted from 1 among those of the fault.
    package let call: Int
    /// The file, relative to the folder; empty for the folder itself.
    package let name: String

    /// Reads what ``Interposition/met`` names; nothing where no program has written it yet.
    package static func read(_ path: String) throws -> [MetFault] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
            let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, let fault = Int(parts[0]), let call = Int(parts[1]) else {
                throw CocoaError(.fileReadCorruptFile)
            }
            return MetFault(fault: fault - 1, call: call, name: String(parts[2]))
        }
    }
}

/// Calls that do not go as they should, in each process by its own count.
package struct Fault: Sendable {
    package enum Calls: String, Sendable {
        /// Also truncations and the like.
        case write
        /// Of files and of folders.
        case sync
        case open
        /// Renames, links, unlinks.
        case name
        /// All of these.
        case any
        case read
    }

    package enum Action: Sendable {
        /// By the name of its error number, as `EIO`; the call is not made.
        case fail(String)
        /// SIGKILL instead of the call.
        case kill
        case delay(milliseconds: Int)
        /// The call waits for as long as ``Interposition/hold`` is there.
        case hold
        /// Half of what was to be written.
        case short
    }

    package var calls: Calls
    /// Only files whose names end so.
    package var suffix: String
    /// Counted from 1 among the calls of this kind to these files.
    package var first: Int
    /// nil: all from the first on.
    package var last: Int?
    package var action: Action

    package init(_ calls: Calls, of suffix: String = "", at range: ClosedRange<Int>, _ action: Action) {
        self.calls = calls
        self.suffix = suffix
        first = range.lowerBound
        last = range.upperBound
        self.action = action
    }

    package init(_ calls: Calls, of suffix: String = "", at number: Int, _ action: Action) {
        self.init(calls, of: suffix, at: number...number, action)
    }

    package init(_ calls: Calls, of suffix: String = "", from range: PartialRangeFrom<Int>, _ action: Action) {
        self.init(calls, of: suffix, at: range.lowerBound, action)
        last = nil
    }

    fileprivate var setting: String {
        let action =
            switch action {
            case .fail(let error): error
            case .kill: "kill"
            case .delay(let milliseconds): "delay:\(milliseconds)"
            case .hold: "hold"
            case .short: "short"
            }
        let filter = suffix.isEmpty ? "" : "@\(suffix)"
        return "\(calls.rawValue)\(filter):\(first)-\(last.map { "\($0)" } ?? ""):\(action)"
    }
}
